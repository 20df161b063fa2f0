"""Every published network as a table, and compound scaling of any of them."""

import difflib
from dataclasses import dataclass
from functools import cache

from effnet_edu.ground.checks import QUOTED, quoted
from effnet_edu.model.scaling import ALPHA, BETA, GAMMA, ChannelRounding, compound_multipliers
from effnet_edu.model.specs import Activation, Conventions, NetworkSpec, StageSpec, scale

V1_SOURCE = "arXiv:1905.11946v5 table 1; strides and multipliers from tensorflow/tpu efficientnet_builder.py"
LITE_SOURCE = "tensorflow/tpu efficientnet/lite/efficientnet_lite_builder.py"
V2_SOURCE = "google/automl efficientnetv2/effnetv2_configs.py (where paper and code differ, the code)"

# fmt: off
V1_STAGES = (  #           expand kernel stride channels layers     at 224 px
    StageSpec("mbconv",       1,    3,    1,     16,      1),    # 112 -> 112
    StageSpec("mbconv",       6,    3,    2,     24,      2),    # 112 -> 56
    StageSpec("mbconv",       6,    5,    2,     40,      2),    # 56 -> 28
    StageSpec("mbconv",       6,    3,    2,     80,      3),    # 28 -> 14
    StageSpec("mbconv",       6,    5,    1,    112,      3),    # 14 -> 14
    StageSpec("mbconv",       6,    5,    2,    192,      4),    # 14 -> 7
    StageSpec("mbconv",       6,    3,    1,    320,      1),    # 7 -> 7
)
V2_BASE_STAGES = (
    StageSpec("fused_mbconv", 1,    3,    1,     16,      1, 0),
    StageSpec("fused_mbconv", 4,    3,    2,     32,      2, 0),
    StageSpec("fused_mbconv", 4,    3,    2,     48,      2, 0),
    StageSpec("mbconv",       4,    3,    2,     96,      3),
    StageSpec("mbconv",       6,    3,    1,    112,      5),
    StageSpec("mbconv",       6,    3,    2,    192,      8),
)
V2_S_STAGES = (
    StageSpec("fused_mbconv", 1,    3,    1,     24,      2, 0),
    StageSpec("fused_mbconv", 4,    3,    2,     48,      4, 0),
    StageSpec("fused_mbconv", 4,    3,    2,     64,      4, 0),
    StageSpec("mbconv",       4,    3,    2,    128,      6),
    StageSpec("mbconv",       6,    3,    1,    160,      9),
    StageSpec("mbconv",       6,    3,    2,    256,     15),
)
V2_M_STAGES = (
    StageSpec("fused_mbconv", 1,    3,    1,     24,      3, 0),
    StageSpec("fused_mbconv", 4,    3,    2,     48,      5, 0),
    StageSpec("fused_mbconv", 4,    3,    2,     80,      5, 0),
    StageSpec("mbconv",       4,    3,    2,    160,      7),
    StageSpec("mbconv",       6,    3,    1,    176,     14),
    StageSpec("mbconv",       6,    3,    2,    304,     18),
    StageSpec("mbconv",       6,    3,    1,    512,      5),
)
V2_L_STAGES = (
    StageSpec("fused_mbconv", 1,    3,    1,     32,      4, 0),
    StageSpec("fused_mbconv", 4,    3,    2,     64,      7, 0),
    StageSpec("fused_mbconv", 4,    3,    2,     96,      7, 0),
    StageSpec("mbconv",       4,    3,    2,    192,     10),
    StageSpec("mbconv",       6,    3,    1,    224,     19),
    StageSpec("mbconv",       6,    3,    2,    384,     25),
    StageSpec("mbconv",       6,    3,    1,    640,      7),
)
V2_XL_STAGES = (
    StageSpec("fused_mbconv", 1,    3,    1,     32,      4, 0),
    StageSpec("fused_mbconv", 4,    3,    2,     64,      8, 0),
    StageSpec("fused_mbconv", 4,    3,    2,     96,      8, 0),
    StageSpec("mbconv",       4,    3,    2,    192,     16),
    StageSpec("mbconv",       6,    3,    1,    256,     24),
    StageSpec("mbconv",       6,    3,    2,    512,     32),
    StageSpec("mbconv",       6,    3,    1,    640,      8),
)
# fmt: on

LITE_STAGES = tuple(
    StageSpec(row.operation, row.expansion, row.kernel, row.stride, row.channels, row.layers, 0)
    for row in V1_STAGES
)

# The authors' momentum is .99 for V1 and Lite and .9 for V2; torch counts the other way round.
TENSORFLOW_V1 = Conventions("same", norm_eps=1e-3, norm_momentum=0.01)
TENSORFLOW_V2 = Conventions("same", norm_eps=1e-3, norm_momentum=0.1)
# torchvision has B0 to B4 with torch's defaults, and B5 to B7 and V2 with TensorFlow's eps.
TORCHVISION_SMALL = Conventions("symmetric", norm_eps=1e-5, norm_momentum=0.1)
TORCHVISION_LARGE = Conventions("symmetric", norm_eps=1e-3, norm_momentum=0.01)
TORCHVISION_V2 = Conventions("symmetric", norm_eps=1e-3, norm_momentum=0.1)


@dataclass(frozen=True)
class _Base:
    """What the variants of one family share before scaling."""

    stem_channels: int
    stages: tuple[StageSpec, ...]
    head_channels: int
    activation: Activation
    rounding: ChannelRounding
    fixed_ends: bool
    tensorflow: Conventions
    torchvision: Conventions
    source: str


_V1 = _Base(
    32, V1_STAGES, 1280, "silu", "at_least_90_percent", False, TENSORFLOW_V1, TORCHVISION_SMALL, V1_SOURCE
)
_V1_LARGE = _Base(
    32, V1_STAGES, 1280, "silu", "at_least_90_percent", False, TENSORFLOW_V1, TORCHVISION_LARGE, V1_SOURCE
)
_LITE = _Base(
    32, LITE_STAGES, 1280, "relu6", "at_least_90_percent", True, TENSORFLOW_V1, TORCHVISION_SMALL, LITE_SOURCE
)


def _v2(stem_channels: int, stages: tuple[StageSpec, ...]) -> _Base:
    return _Base(
        stem_channels, stages, 1280, "silu", "nearest", False, TENSORFLOW_V2, TORCHVISION_V2, V2_SOURCE
    )


_V2_BASE = _v2(32, V2_BASE_STAGES)

# name: (base, width, depth, resolution, dropout). Resolutions are those of the authors' evaluation.
_TABLE: dict[str, tuple[_Base, float, float, int, float]] = {
    "efficientnet_b0": (_V1, 1.0, 1.0, 224, 0.2),
    "efficientnet_b1": (_V1, 1.0, 1.1, 240, 0.2),
    "efficientnet_b2": (_V1, 1.1, 1.2, 260, 0.3),
    "efficientnet_b3": (_V1, 1.2, 1.4, 300, 0.3),
    "efficientnet_b4": (_V1, 1.4, 1.8, 380, 0.4),
    "efficientnet_b5": (_V1_LARGE, 1.6, 2.2, 456, 0.4),
    "efficientnet_b6": (_V1_LARGE, 1.8, 2.6, 528, 0.5),
    "efficientnet_b7": (_V1_LARGE, 2.0, 3.1, 600, 0.5),
    "efficientnet_b8": (_V1_LARGE, 2.2, 3.6, 672, 0.5),
    "efficientnet_l2": (_V1_LARGE, 4.3, 5.3, 800, 0.5),
    "efficientnet_lite0": (_LITE, 1.0, 1.0, 224, 0.2),
    "efficientnet_lite1": (_LITE, 1.0, 1.1, 240, 0.2),
    "efficientnet_lite2": (_LITE, 1.1, 1.2, 260, 0.3),
    "efficientnet_lite3": (_LITE, 1.2, 1.4, 280, 0.3),
    "efficientnet_lite4": (_LITE, 1.4, 1.8, 300, 0.3),
    "efficientnetv2_b0": (_V2_BASE, 1.0, 1.0, 224, 0.2),
    "efficientnetv2_b1": (_V2_BASE, 1.0, 1.1, 240, 0.2),
    "efficientnetv2_b2": (_V2_BASE, 1.1, 1.2, 260, 0.3),
    "efficientnetv2_b3": (_V2_BASE, 1.2, 1.4, 300, 0.3),
    "efficientnetv2_s": (_v2(24, V2_S_STAGES), 1.0, 1.0, 384, 0.2),
    "efficientnetv2_m": (_v2(24, V2_M_STAGES), 1.0, 1.0, 480, 0.3),
    "efficientnetv2_l": (_v2(32, V2_L_STAGES), 1.0, 1.0, 480, 0.4),
    "efficientnetv2_xl": (_v2(32, V2_XL_STAGES), 1.0, 1.0, 512, 0.4),
}

#: The probability of skipping a block grows from 0 to this, in every network that the authors released.
DROP_PATH_RATE = 0.2


def list_variants() -> list[str]:
    """Return the names of all published networks, smallest first in each family."""
    return list(_TABLE)


@cache
def spec(name: str) -> NetworkSpec:
    """Return a published network as data.

    Args:
        name: One of `list_variants()`, such as `"efficientnet_b0"`.

    Raises:
        ValueError: No published network has this name; the nearest names are given.
    """
    if name not in _TABLE:
        raise ValueError(
            f"There is no network named {quoted(name)}. Near it: {', '.join(_nearest(str(name)[:QUOTED]))}. "
            f"ee.list_variants() names all {len(_TABLE)}."
        )
    base, width, depth, resolution, dropout = _TABLE[name]
    unscaled = NetworkSpec(
        name=name,
        stem_channels=base.stem_channels,
        stages=base.stages,
        head_channels=base.head_channels,
        resolution=resolution,
        dropout=dropout,
        drop_path_rate=DROP_PATH_RATE,
        activation=base.activation,
        rounding=base.rounding,
        fixed_ends=base.fixed_ends,
        tensorflow=base.tensorflow,
        torchvision=base.torchvision,
        width=1.0,
        depth=1.0,
        source=base.source,
    )
    return scale(unscaled, width, depth, name=name)


def _nearest(name: str) -> list[str]:
    """Return the three names nearest to what was asked for; those that end in it come first, as in `b0`."""
    asked = name.lower().replace("-", "_")
    ending = [known for known in _TABLE if asked and known.endswith(asked)]
    alike = difflib.get_close_matches(asked, _TABLE, n=3, cutoff=0)
    return list(dict.fromkeys(ending + alike))[:3]


def as_spec(network: object) -> NetworkSpec:
    """Return the spec itself, or the published network of this name; raise ValueError for anything else."""
    if isinstance(network, NetworkSpec):
        return network
    if isinstance(network, str):
        return spec(network)
    built = " What a built network costs, ee.profile counts." if hasattr(network, "forward") else ""
    raise ValueError(
        f"network is {quoted(network)}; it must be a NetworkSpec or the name of a published network.{built}"
    )


def compound(
    phi: float,
    alpha: float = ALPHA,
    beta: float = BETA,
    gamma: float = GAMMA,
    base: str | NetworkSpec = "efficientnet_b0",
) -> NetworkSpec:
    """Return the base network scaled in depth, width and resolution at once by one number.

    Args:
        phi: The compound coefficient, any real number of 0 or more; 0 gives the base itself.
        alpha: Depth base, 1 to 4.
        beta: Width base, 1 to 4.
        gamma: Resolution base, 1 to 4.
        base: Name of a published network, or a spec.

    Raises:
        ValueError: A number is outside its range, or the result would be larger than any machine can hold.

    Source: arXiv:1905.11946v5, equation 3.
    """
    network = as_spec(base)
    factors = compound_multipliers(phi, alpha, beta, gamma)
    return scale(
        network,
        factors.width,
        factors.depth,
        round(network.resolution * factors.resolution),
        name=f"{network.name} at phi {float(phi):g}",
    )
