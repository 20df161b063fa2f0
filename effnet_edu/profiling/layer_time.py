"""One layer, what it costs and what it took; and what several took together. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from effnet_edu.model.cost import LayerCost
from effnet_edu.profiling.repeats import Timing


@dataclass(frozen=True)
class LayerTime:
    """One layer: what it costs (computed) and what it took (measured).

    Attributes:
        cost: Its row in `ee.cost`, for one image.
        timing: Seconds of the whole batch in each pass.
        batch_size: Images in the batch.
        bytes_per_element: 4 for fp32, 2 for bf16 and fp16.
    """

    cost: LayerCost
    timing: Timing
    batch_size: int
    bytes_per_element: int

    @property
    def name(self) -> str:
        """Name of the module, or of the operation where it is no module."""
        return self.cost.name

    @property
    def role(self) -> str:
        """Role in the network, as in `ee.cost`."""
        return self.cost.role

    @property
    def kind(self) -> str:
        """Kind of layer, as in `ee.cost`."""
        return self.cost.kind

    @property
    def part(self) -> str:
        """The role of a convolution; norms and activations are parts of their own, whoever they follow.

        Squeeze-and-excitation stays whole, with its pooling, activation, gate and product.
        """
        apart = self.kind in ("norm", "activation") and self.role != "squeeze_excite"
        return self.kind if apart else self.role

    @property
    def seconds(self) -> float:
        """Median seconds of the batch."""
        return self.timing.median

    @property
    def macs(self) -> int:
        """Multiply-adds of the batch."""
        return self.batch_size * self.cost.macs

    @property
    def bytes_moved(self) -> int:
        """Bytes read and written for the batch, if nothing stays in a cache between layers."""
        return self.cost.bytes_moved(self.batch_size, self.bytes_per_element)

    @property
    def intensity(self) -> float:
        """Arithmetic intensity: MACs for each byte moved."""
        return self.macs / self.bytes_moved

    @property
    def macs_per_second(self) -> float:
        """Multiply-adds per second."""
        return self.macs / self.seconds

    @property
    def bytes_per_second(self) -> float:
        """Bytes moved per second."""
        return self.bytes_moved / self.seconds


def together(layers: Sequence[LayerTime]) -> Timing:
    """Return the seconds of some layers in each pass; 0 for none."""
    if not layers:
        return Timing((0.0,))
    return Timing(tuple(sum(one) for one in zip(*(row.timing.seconds for row in layers), strict=True)))


def part_share(layers: Sequence[LayerTime], part: str) -> Timing:
    """Return the share of the layers' time that a part took in each pass, 0 where there is none.

    Args:
        layers: All layers.
        part: Of some of them, as in `LayerTime.part`.
    """
    some, every = together([row for row in layers if row.part == part]), together(layers)
    if len(some.seconds) < len(every.seconds):
        return Timing((0.0,))
    return Timing(tuple(time / total for time, total in zip(some.seconds, every.seconds, strict=True)))
