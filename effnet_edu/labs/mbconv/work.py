"""How far a layer has come with its work, counted exactly, and what of it a picture has room for."""

from dataclasses import dataclass

from effnet_edu.labs.mbconv.numbers import MBConvSetting, layers
from effnet_edu.model.cost import LayerCost

#: Roles that have MACs, in the order in which they run.
LAYERS = ("expand", "depthwise", "squeeze_excite", "fused", "project")
#: Channels that a picture shows at most.
CHANNELS_SHOWN = 4


@dataclass(frozen=True)
class Work:
    """A layer under way: the numbers of its output are written one after another.

    Attributes:
        role: Of the layer, one of `LAYERS`.
        row: The convolution that is under way; squeeze-and-excitation has two.
        part: Which of the layer's convolutions that is, counted from 0.
        percent: Done of that convolution.
        macs: Multiply-adds done of the layer.
        total: Multiply-adds of the layer.
    """

    role: str
    row: LayerCost
    part: int
    percent: int
    macs: int
    total: int

    @property
    def is_depthwise(self) -> bool:
        """Whether each number is made of one channel alone."""
        return self.row.groups > 1

    @property
    def channels_read(self) -> int:
        """Channels that one number is made of."""
        return self.row.channels_in // self.row.groups

    @property
    def each(self) -> int:
        """Multiply-adds for one number."""
        return self.row.kernel**2 * self.channels_read


def working_layers(setting: MBConvSetting) -> tuple[str, ...]:
    """Return the roles of the drawn block that have MACs, in the order in which they run."""
    return tuple(dict.fromkeys(row.role for row in layers(setting, setting.kind) if row.macs))


def chosen_layer(setting: MBConvSetting) -> str:
    """Return the layer whose work is shown: the chosen one, or the k x k one where the block lacks it."""
    there = working_layers(setting)
    if setting.layer in there:
        return setting.layer
    return next(role for role in ("depthwise", "fused") if role in there)


def work_at(setting: MBConvSetting) -> Work:
    """Return how far the layer has come."""
    role = chosen_layer(setting)
    rows = [row for row in layers(setting, setting.kind) if row.role == role and row.macs]
    # Those of squeeze-and-excitation have equally many MACs.
    steps = setting.work * len(rows)
    part = min(steps // 100, len(rows) - 1)
    row, percent = rows[part], steps - 100 * part
    written = percent * row.activations // 100
    macs = sum(one.macs for one in rows[:part]) + written * (row.macs // row.activations)
    return Work(role, row, part, percent, macs, sum(one.macs for one in rows))


@dataclass(frozen=True)
class Sketch:
    """A convolution with fewer channels and smaller maps, so that each place can be seen.

    Attributes:
        read: Channels of the input that are drawn.
        written: Channels of the output that are drawn.
        side_read: Places along a side of an input map.
        side_written: Places along a side of an output map.
        padding: Places of padding on each side of an input map, as the kernel's reach.
        done: Numbers of the output that are written.
        channel: Output channel of the number that is being written, or was written last.
        y: Row of that number.
        x: Column of it.
        top: First row that the kernel covers, counted from the map's own; negative in the padding.
        left: First column that it covers.
    """

    read: int
    written: int
    side_read: int
    side_written: int
    padding: int
    done: int
    channel: int
    y: int
    x: int
    top: int
    left: int

    def done_of(self, channel: int, *, is_depthwise: bool) -> int:
        """Return how many numbers of an output channel are written."""
        places = self.side_written**2
        if is_depthwise:
            return min(max(self.done - channel * places, 0), places)
        return (self.done + self.written - 1 - channel) // self.written


def sketch(work: Work) -> Sketch:
    """Return what is drawn of a layer under way.

    A depthwise convolution does one channel after another; any other goes from place to place, and writes
    all channels of a place before the next.
    """
    row = work.row
    read, written = min(row.channels_in, CHANNELS_SHOWN), min(row.channels_out, CHANNELS_SHOWN)
    stride = -(-row.side_in // row.side_out)
    side_read = min(row.side_in, max(5, row.kernel + 2))
    side_written = -(-side_read // stride)
    places = side_written**2
    done = work.percent * written * places // 100
    now = min(done, written * places - 1)
    channel, place = divmod(now, places) if work.is_depthwise else reversed(divmod(now, written))
    y, x = divmod(place, side_written)
    before = max((side_written - 1) * stride + row.kernel - side_read, 0) // 2
    return Sketch(
        read,
        written,
        side_read,
        side_written,
        (row.kernel - 1) // 2,
        done,
        channel,
        y,
        x,
        y * stride - before,
        x * stride - before,
    )
