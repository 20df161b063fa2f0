"""The small network that the studies train, and the four ways to make it larger at the same cost."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from effnet_edu.model.cost import cost
from effnet_edu.model.scaling import compound_multipliers
from effnet_edu.model.specs import NetworkSpec, StageSpec, scale
from effnet_edu.model.variants import TENSORFLOW_V2

Way = Literal["depth", "width", "resolution", "compound"]
WAYS: tuple[Way, ...] = ("depth", "width", "resolution", "compound")
#: Counted MACs of networks that are compared differ from their common target by at most this share.
TOLERANCE = 0.03

# fmt: off
STAGES = (  #              expand kernel stride channels layers     at 18 px
    StageSpec("mbconv",       1,    3,    1,      8,      1),    # 9 -> 9
    StageSpec("mbconv",       4,    3,    2,     16,      2),    # 9 -> 5
    StageSpec("mbconv",       4,    5,    2,     24,      2),    # 5 -> 3
    StageSpec("mbconv",       4,    3,    1,     40,      2),    # 3 -> 3
)
# fmt: on
BASE_RESOLUTION = 18


def base_network(resolution: int = BASE_RESOLUTION) -> NetworkSpec:
    """Return the base of the studies: an EfficientNet of 7 blocks for images of 16 to 32 pixels.

    Channels are multiples of 2, so that widths can meet a cost closely, and batch norm has the momentum of
    V2, since a run has a few hundred steps.
    """
    return NetworkSpec(
        name="small",
        stem_channels=8,
        stages=STAGES,
        head_channels=96,
        resolution=resolution,
        dropout=0.0,
        drop_path_rate=0.0,
        activation="silu",
        rounding="nearest",
        fixed_ends=False,
        tensorflow=TENSORFLOW_V2,
        torchvision=TENSORFLOW_V2,
        width=1.0,
        depth=1.0,
        source="made for the studies of this course, of the rows of arXiv:1905.11946v5 table 1",
        channel_divisor=2,
    )


def small_network() -> NetworkSpec:
    """Return the network of the study `small_network`, whose weights come with the course."""
    return replace(scale(base_network(32), width=1.25), name="small network for glyphs")


def scaled(base: NetworkSpec, way: Way, coefficient: float) -> NetworkSpec:
    """Return the base, larger in one way.

    Args:
        base: The network to scale.
        way: `"depth"`, `"width"`, `"resolution"` or `"compound"`.
        coefficient: The multiplier of that dimension, 1 or more; phi of the paper's formula for compound.
    """
    if way == "compound":
        factors = compound_multipliers(coefficient)
        larger = scale(base, factors.width, factors.depth, round(base.resolution * factors.resolution))
        return replace(larger, name=f"{base.name}, compound, phi {coefficient:.3g}")
    side = round(base.resolution * coefficient) if way == "resolution" else base.resolution
    width = coefficient if way == "width" else 1.0
    depth = coefficient if way == "depth" else 1.0
    return replace(scale(base, width, depth, side), name=f"{base.name}, {way} x {coefficient:.3g}")


def nearest_coefficient(macs_of: Callable[[float], int], target: float, low: float, high: float) -> float:
    """Return the coefficient whose counted MACs are nearest to a target.

    MACs rise with a coefficient in steps, since channels, layers and pixels are whole numbers: of the two
    steps beside the target the nearer one is taken.
    """
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if macs_of(middle) < target else (low, middle)
    return min((low, high), key=lambda coefficient: abs(math.log(macs_of(coefficient) / target)))


def matched(base: NetworkSpec, way: Way, target: float, num_classes: int, in_channels: int) -> NetworkSpec:
    """Return the base, larger in one way, with MACs as near to a target as that way allows.

    Raises:
        ValueError: The nearest that there is differs by more than 3%.
    """

    def macs_of(coefficient: float) -> int:
        return cost(scaled(base, way, coefficient), num_classes=num_classes, in_channels=in_channels).macs

    low, high = (0.0, 8.0) if way == "compound" else (1.0, 10.0)  # phi, or a multiplier
    found = nearest_coefficient(macs_of, target, low, high)
    if abs(macs_of(found) / target - 1) > TOLERANCE:
        raise ValueError(
            f"Scaling {base.name} by {way} comes no nearer to {target:,.0f} MACs than {macs_of(found):,}."
        )
    return scaled(base, way, found)
