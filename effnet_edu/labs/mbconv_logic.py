"""What the MBConv lab does, without a widget: one block of three kinds, counted exactly, then measured."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import traitlets

from effnet_edu.labs.logic import LabLogic, Record, RoundedFloat, Watch
from effnet_edu.labs.numbers import Number, Section, digits
from effnet_edu.model.cost import LayerCost, block_layers
from effnet_edu.model.specs import BlockSpec, NetworkSpec, StageSpec, resolve
from effnet_edu.model.variants import spec
from effnet_edu.profiling.names import PRECISION_BYTES

if TYPE_CHECKING:
    from effnet_edu.profiling.ceilings import Ceilings
    from effnet_edu.profiling.layers import LayerProfile, LayerTime
    from effnet_edu.profiling.roofline import RooflinePoint
    from effnet_edu.profiling.timing import Timing

MBCONV, FUSED, PLAIN = "MBConv", "Fused-MBConv", "convolution"
KINDS = (MBCONV, FUSED, PLAIN)
#: What a role is called where there is little room.
ROLE_WORDS = {"squeeze_excite": "SE", "fused": "k x k convolution"}
#: A kind is left out where its arithmetic alone would take longer than this for one pass, in seconds.
LONGEST_PASS = 0.25
#: For how long each kind is timed, in seconds.
SECONDS = 0.4
#: Share of the progress bar that the ceilings take where they have to be measured first.
_CEILINGS_SHARE = 0.5


@dataclass(frozen=True)
class Setting:
    """What the learner can choose."""

    kind: str
    expansion: int
    channels_in: int
    channels_out: int
    side: int
    kernel: int
    stride: int
    squeeze_ratio: float
    batch_size: int
    precision: str
    device: str


@dataclass(frozen=True)
class Cost:
    """What a block, or one role of it, costs.

    Attributes:
        macs: Multiply-adds for one image.
        parameters: Trainable numbers.
        bytes_moved: Bytes read and written for a batch, if nothing stays in a cache between layers.
        intensity: Multiply-adds for each of these bytes.
    """

    macs: int
    parameters: int
    bytes_moved: int
    intensity: float


@dataclass(frozen=True)
class MeasuredBlock:
    """One kind of block as it ran, inside the smallest network around it.

    Attributes:
        points: Its layers under the ceilings, in the order in which they run.
        profile: Where and how it ran.
    """

    points: "tuple[RooflinePoint, ...]"
    profile: "LayerProfile"

    @property
    def layers(self) -> "tuple[LayerTime, ...]":
        """Its layers, without those of the network around it."""
        return tuple(point.layer for point in self.points)

    def timing(self, role: str | None = None) -> "Timing":
        """Return the seconds of a batch in each pass.

        Args:
            role: One of its roles; the whole block if None.
        """
        from effnet_edu.profiling.timing import Timing

        rows = (row.timing.seconds for row in self.layers if role in (None, row.role))
        return Timing(tuple(sum(one) for one in zip(*rows, strict=True)))

    def share(self, role: str) -> "Timing":
        """Return the share of the block's time that a role took in each pass.

        Args:
            role: One of its roles.
        """
        from effnet_edu.profiling.timing import Timing

        of, whole = self.timing(role).seconds, self.timing().seconds
        return Timing(tuple(some / every for some, every in zip(of, whole, strict=True)))

    @property
    def macs_per_second(self) -> float:
        """Multiply-adds per second of the block as a whole."""
        return sum(row.macs for row in self.layers) / self.timing().median

    @property
    def seconds_allowed(self) -> float:
        """Seconds of a batch if each layer reached its ceiling."""
        return sum((point.layer.macs or point.layer.bytes_moved) / point.attainable for point in self.points)


@dataclass(frozen=True)
class Measured:
    """What one measurement found.

    Attributes:
        blocks: Kind to block; a kind that would take too long is missing.
        ceilings: What the device can do at most.
        left_out: Kinds that would take too long.
    """

    blocks: dict[str, MeasuredBlock]
    ceilings: "Ceilings"
    left_out: tuple[str, ...]


def stage(setting: Setting, kind: str) -> StageSpec:
    """Return the row of a table that makes this block.

    A plain convolution is a Fused-MBConv of expansion 1: one convolution with batch norm, activation and,
    where the shape allows it, a shortcut. Only an MBConv has squeeze-and-excitation, as released.

    Args:
        setting: Any setting.
        kind: One of `KINDS`.
    """
    return StageSpec(
        operation="mbconv" if kind == MBCONV else "fused_mbconv",
        expansion=1 if kind == PLAIN else setting.expansion,
        kernel=setting.kernel,
        stride=setting.stride,
        channels=setting.channels_out,
        layers=1,
        squeeze_ratio=setting.squeeze_ratio if kind == MBCONV else 0.0,
    )


def network_around(setting: Setting, kind: str) -> NetworkSpec:
    """Return the smallest network that holds this block and gives it its input: a stem, the block, a head.

    Args:
        setting: Any setting.
        kind: One of `KINDS`.
    """
    return replace(
        spec("efficientnet_b0"),
        name=f"one {kind}",
        stem_channels=setting.channels_in,
        stages=(stage(setting, kind),),
        head_channels=8,
        resolution=2 * setting.side,  # the stem halves it
    )


@lru_cache(maxsize=256)
def block(setting: Setting, kind: str) -> BlockSpec:
    """Return the block with all its numbers filled in.

    Args:
        setting: Any setting.
        kind: One of `KINDS`.
    """
    return resolve(network_around(setting, kind))[0]


@lru_cache(maxsize=256)
def layers(setting: Setting, kind: str) -> tuple[LayerCost, ...]:
    """Return the cost of each layer of the block, in the order in which they run.

    Args:
        setting: Any setting.
        kind: One of `KINDS`.
    """
    return tuple(block_layers(block(setting, kind)))


def roles(setting: Setting, kind: str) -> tuple[str, ...]:
    """Return the roles of the block, in the order in which they run.

    Args:
        setting: Any setting.
        kind: One of `KINDS`.
    """
    return tuple(dict.fromkeys(row.role for row in layers(setting, kind)))


def cost_of(setting: Setting, kind: str, role: str | None = None) -> Cost:
    """Return what the block or one of its roles costs.

    Args:
        setting: Any setting.
        kind: One of `KINDS`.
        role: One of its roles; the whole block if None.
    """
    rows = [row for row in layers(setting, kind) if role in (None, row.role)]
    itemsize = PRECISION_BYTES[setting.precision]
    macs = sum(row.macs for row in rows)
    moved = sum(row.bytes_moved(setting.batch_size, itemsize) for row in rows)
    return Cost(macs, sum(row.parameters for row in rows), moved, setting.batch_size * macs / moved)


def role_words(role: str) -> str:
    """Return what a role is called in a picture.

    Args:
        role: As in `ee.cost`.
    """
    return ROLE_WORDS.get(role, role)


class MBConvLogic(LabLogic[Setting, Measured]):
    """Choose a block's shape, and see what MBConv, Fused-MBConv and a plain convolution cost and take.

    All three are counted at once. When the setting rests, each is built and measured layer by layer, and
    held against the ceilings of the device, which are measured once.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of the fields of `Setting`.
    """

    LAB = "MBConvLab"
    SETTING = Setting
    INVITATION = "Move a slider: the blocks are rebuilt and measured when it rests."

    kind = traitlets.Enum(KINDS, MBCONV, help="which one is drawn")
    expansion = traitlets.Int(6, min=1, max=8, help="c_mid over c_in")
    channels_in = traitlets.Int(40, min=8, max=320, help="channels in")
    channels_out = traitlets.Int(40, min=8, max=320, help="channels out")
    side = traitlets.Int(28, min=4, max=128, help="H and W of the input")
    kernel = traitlets.Enum((3, 5, 7), 3, help="k x k pixels")
    stride = traitlets.Enum((1, 2), 1, help="2 halves the side")
    squeeze_ratio = RoundedFloat(0.25, min=0.0, max=1.0, help="of c_in; 0 is off")
    batch_size = traitlets.Int(1, min=1, max=256, help="images")
    precision = traitlets.Enum(tuple(PRECISION_BYTES), "fp32", help="type of numbers")

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        self._ceilings: dict[str, Ceilings] = {}
        super().__init__(device, **settings)

    @property
    def block(self) -> BlockSpec:
        """The present block."""
        return block(self.setting, self.kind)

    @property
    def title(self) -> str:
        """Name of the lab in words."""
        return "MBConv lab"

    def label(self, setting: Setting) -> str:
        """Return the block in a few words, such as `MBConv6 k3 s1, 40 -> 40 at 28 px`."""
        shown = block(setting, setting.kind)
        name = PLAIN if setting.kind == PLAIN else f"{setting.kind}{shown.expansion}"
        return (
            f"{name} k{shown.kernel} s{shown.stride}, {shown.channels_in} -> {shown.channels_out} "
            f"at {shown.side_in} px"
        )

    def numbers(self, setting: Setting) -> tuple[Section, ...]:
        """Return what is counted exactly: the drawn block, its roles, and all three kinds."""
        drawn, counted = block(setting, setting.kind), cost_of(setting, setting.kind)
        shape = [Number("c_mid", drawn.channels_hidden)] if "project" in roles(setting, setting.kind) else []
        if setting.kind == MBCONV:
            shape.append(Number("SE width", drawn.squeeze_channels))
        return (Section("computed", (*shape, *_costs(counted), *_details(setting)), "computed"),)

    def measured(self, record: Record[Setting, Measured]) -> tuple[Number, ...]:
        """Return the time of the drawn block and of its roles, that of all kinds, and the ceilings."""
        setting, found = record.setting, record.measurement
        peak = found.ceilings.peak(setting.precision).per_second
        limits = (
            Number("arithmetic ceiling", peak / 1e9, "GMAC/s"),
            Number("memory ceiling", found.ceilings.memory.per_second / 1e9, "GB/s"),
        )
        drawn = found.blocks.get(setting.kind)
        if drawn is None:
            return (*_times(found), *limits)
        return (
            _milliseconds("time a batch", drawn.timing()),
            Number("speed", drawn.macs_per_second / 1e9, "GMAC/s"),
            Number("ceilings allow", 1000 * drawn.seconds_allowed, "ms"),
            *limits,
            *(
                _milliseconds(f"time, {role_words(role)}", drawn.timing(role), is_detail=True)
                for role in dict.fromkeys(row.role for row in drawn.layers)
            ),
            *_times(found),
        )

    def take(self, setting: Setting, watch: Watch) -> Measured:
        """Measure the ceilings once, then each kind of block layer by layer."""
        from effnet_edu.profiling.roofline import roofline

        ceilings, begin = self._known_ceilings(setting, watch)
        peak = ceilings.peak(setting.precision).per_second
        blocks: dict[str, MeasuredBlock] = {}
        left_out = []
        for index, kind in enumerate(KINDS):
            same = next((other for other in blocks if block(setting, other) == block(setting, kind)), None)
            if same is not None:
                blocks[kind] = blocks[same]
            elif setting.batch_size * cost_of(setting, kind).macs / peak > LONGEST_PASS:
                left_out.append(kind)
            else:
                step = (1 - begin) / len(KINDS)
                profile = self._profile(setting, kind, watch, begin + index * step, step)
                points = roofline(profile, ceilings).points
                inside = tuple(point for point in points if point.layer.cost.stage is not None)
                blocks[kind] = MeasuredBlock(inside, profile)
        return Measured(blocks, ceilings, tuple(left_out))

    def remark(self, record: Record[Setting, Measured]) -> str:
        """Say what was left out, and how far to trust the rest."""
        found, setting = record.measurement, record.setting
        passes = [str(len(one.timing().seconds)) for one in found.blocks.values()]
        sentences = [f"{', '.join(passes)} passes."] if passes else []
        for kind in found.left_out:
            macs = setting.batch_size * cost_of(setting, kind).macs
            seconds = macs / found.ceilings.peak(setting.precision).per_second
            sentences.append(f"{kind} left out: one pass would take more than {digits(seconds)} s.")
        if found.ceilings.crowded:
            sentences.append("Other programs were busy: the ceilings are too low.")
        return " ".join(sentences)

    def essence(self, setting: Setting) -> Setting:
        """All three kinds are measured at once, whichever is drawn."""
        return replace(setting, kind=MBCONV)

    def newest(self, setting: Setting) -> Record[Setting, Measured] | None:
        """Return the newest measurement of these blocks, as one of this setting, or None.

        Args:
            setting: Any setting.
        """
        found = super().newest(setting)
        return None if found is None else Record(setting, found.measurement)

    def _known_ceilings(self, setting: Setting, watch: Watch) -> "tuple[Ceilings, float]":
        """Return the ceilings of the device, and the share of the progress bar that finding them took."""
        from effnet_edu.profiling.ceilings import measure_ceilings
        from effnet_edu.profiling.device import device_name

        place = self.place(setting)
        name = device_name(place)
        if name in self._ceilings:
            return self._ceilings[name], 0.0
        measured = measure_ceilings(
            place,
            is_cancelled=watch.is_cancelled,
            progress=lambda share: watch.progress(_CEILINGS_SHARE * share),
            waiting=watch.waiting,
        )
        # Kept here as well: those of a crowded machine are kept nowhere else.
        self._ceilings[name] = measured
        return measured, _CEILINGS_SHARE

    def _profile(
        self, setting: Setting, kind: str, watch: Watch, begin: float, step: float
    ) -> "LayerProfile":
        from effnet_edu.profiling.layers import profile_layers

        return profile_layers(
            network_around(setting, kind),
            setting.batch_size,
            precision=setting.precision,
            device=self.place(setting),
            seconds=SECONDS,
            is_cancelled=watch.is_cancelled,
            progress=lambda share: watch.progress(begin + share * step),
            waiting=watch.waiting,
        )


def _costs(counted: Cost, of: str = "", is_detail: bool = False) -> tuple[Number, ...]:
    """Return the four numbers of a cost, their names with what they belong to."""
    rows = (
        ("MACs an image", counted.macs / 1e6, "million"),
        ("parameters", counted.parameters / 1e3, "thousand"),
        ("bytes a batch", counted.bytes_moved / 2**20, "MiB"),
        ("MACs per byte", counted.intensity, ""),
    )
    return tuple(
        Number(f"{name}, {of}" if of else name, value, unit, is_detail=is_detail)
        for name, value, unit in rows
    )


def _details(setting: Setting) -> Iterator[Number]:
    for role in roles(setting, setting.kind):
        yield from _costs(cost_of(setting, setting.kind, role), role_words(role), is_detail=True)
    for kind in KINDS:
        yield from _costs(cost_of(setting, kind), kind, is_detail=True)


def _milliseconds(name: str, timing: "Timing", is_detail: bool = False) -> Number:
    low, high = timing.interval
    return Number(name, 1000 * timing.median, "ms", interval=(1000 * low, 1000 * high), is_detail=is_detail)


def _times(found: Measured) -> Iterator[Number]:
    for kind, one in found.blocks.items():
        yield _milliseconds(f"time, {kind}", one.timing(), is_detail=True)
