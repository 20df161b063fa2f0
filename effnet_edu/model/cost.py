"""Exact parameters, MACs, activations and memory traffic of a network, from its spec alone. No torch.

One MAC is one multiply and one add. Convolutions and the classifier are counted, as half of
`torch.utils.flop_counter` counts them; batch norm, activations, pooling and the squeeze-and-excitation
product cost no MACs here, but they move bytes, and their rows say so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from effnet_edu.ground.checks import whole_number
from effnet_edu.model.specs import BlockSpec, Conventions, NetworkSpec, check_resolution, resolve, strided
from effnet_edu.model.variants import as_spec


class LayerCost(NamedTuple):
    """What one layer costs for one image.

    Attributes:
        name: Name of the module in the built network, or of the operation where it is no module.
        stage: Index of the stage, or None for stem, head and classifier.
        block: Index in the stage, or None likewise.
        role: `stem`, `expand`, `depthwise`, `squeeze_excite`, `project`, `fused`, `shortcut`, `head` or
            `classifier`.
        kind: `convolution`, `linear`, `norm`, `activation`, `pool`, `scale` or `add`.
        channels_in: Channels read.
        channels_out: Channels written.
        side_in: Side of the map read, in pixels.
        side_out: Side of the map written, in pixels.
        kernel: Side of the kernel; 1 where there is none.
        groups: Groups of a convolution; channels_in for a depthwise one.
        parameters: Trainable numbers.
        buffers: Running statistics of batch norm.
        macs: Multiply-adds.
        elements_in: Numbers read from feature maps.
        activations: Numbers written to feature maps.
    """

    name: str
    stage: int | None
    block: int | None
    role: str
    kind: str
    channels_in: int
    channels_out: int
    side_in: int
    side_out: int
    kernel: int
    groups: int
    parameters: int
    buffers: int
    macs: int
    elements_in: int
    activations: int

    @property
    def map_elements(self) -> int:
        """Elements of its feature maps for one image, read and written."""
        return self.elements_in + self.activations

    def bytes_moved(self, batch_size: int = 1, bytes_per_element: int = 4) -> int:
        """Return bytes read and written if nothing stays in a cache between layers.

        Args:
            batch_size: Images at once; the parameters are read once for all of them.
            bytes_per_element: 4 for fp32, 2 for bf16 and fp16.
        """
        maps = batch_size * self.map_elements
        return bytes_per_element * (maps + self.parameters + self.buffers)


@dataclass(frozen=True)
class NetworkCost:
    """What a network costs for one image.

    Attributes:
        spec: The network.
        resolution: Side of its input in pixels.
        layers: A row a layer, in the order in which they run.
    """

    spec: NetworkSpec
    resolution: int
    layers: tuple[LayerCost, ...]

    @property
    def parameters(self) -> int:
        """Trainable numbers."""
        return sum(row.parameters for row in self.layers)

    @property
    def buffers(self) -> int:
        """Running statistics of batch norm (Keras counts them as parameters, the paper does not)."""
        return sum(row.buffers for row in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds for one image."""
        return sum(row.macs for row in self.layers)

    @property
    def activations(self) -> int:
        """Numbers that all layers together write for one image."""
        return sum(row.activations for row in self.layers)

    @property
    def largest_map_elements(self) -> int:
        """Elements of the feature maps of the layer that has most, for one image, read and written."""
        return max(layer.map_elements for layer in self.layers)

    def bytes_moved(self, batch_size: int = 1, bytes_per_element: int = 4) -> int:
        """Return bytes read and written by all layers, none of them fused and nothing cached.

        Args:
            batch_size: Images at once.
            bytes_per_element: 4 for fp32, 2 for bf16 and fp16.
        """
        return sum(row.bytes_moved(batch_size, bytes_per_element) for row in self.layers)

    @property
    def backward_macs(self) -> int:
        """Multiply-adds of the backward pass for one image, the input itself needing no gradient.

        A convolution's backward pass is two convolutions of the forward one's size: the gradient of its
        weights and that of its input, which the first layer does without. Torch's own counter
        (`torch.utils.flop_counter`, up to 2.13) forgets the groups in the first of them, and so overcounts a
        depthwise convolution as many times as it has channels.
        """
        return 2 * self.macs - self.layers[0].macs

    def saved_by_layer(
        self, batch_size: int = 1, bytes_per_element: int = 4, conventions: str | Conventions | None = None
    ) -> dict[str, int]:
        """Return how many bytes each layer keeps from the forward pass for the backward pass.

        What two layers share is counted at the one that keeps it first, and parameters are left out: they are
        there anyway. A convolution keeps its input, or the padded copy of it; batch norm its input, and the
        mean and deviation of each channel; an activation its input; a gate its output; the product with the
        gate its map; and dropping paths or features keeps a mask. Sums and averages keep nothing.

        Args:
            batch_size: Images at once.
            bytes_per_element: 4 for fp32.
            conventions: `"tensorflow"`, `"torchvision"`, conventions of your own, or None for the authors':
                a convolution that pads like TensorFlow keeps a larger map.
        """
        same = self.spec.conventions(conventions).padding == "same"
        blocks = {(block.stage, block.index): block for block in resolve(self.spec, self.resolution)}
        kept = {}
        for row in self.layers:
            block = None if row.stage is None or row.block is None else blocks[row.stage, row.block]
            elements = batch_size * _saved_per_image(row, block, same, self.spec.dropout)
            statistics = 2 * row.channels_out if row.kind == "norm" else 0
            kept[row.name] = bytes_per_element * (elements + statistics)
        return kept

    def saved_bytes(
        self, batch_size: int = 1, bytes_per_element: int = 4, conventions: str | Conventions | None = None
    ) -> int:
        """Return the bytes that the network keeps from its forward pass for its backward pass.

        Args:
            batch_size: Images at once.
            bytes_per_element: 4 for fp32.
            conventions: Padding, as for `saved_by_layer`.
        """
        return sum(self.saved_by_layer(batch_size, bytes_per_element, conventions).values())

    def by_role(self, count: Callable[[LayerCost], int] = lambda row: row.macs) -> dict[str, int]:
        """Return the sum over the layers of each role.

        Args:
            count: What to sum, such as `lambda row: row.parameters`; MACs by default.
        """
        sums: dict[str, int] = {}
        for row in self.layers:
            sums[row.role] = sums.get(row.role, 0) + count(row)
        return sums

    def by_stage(self, count: Callable[[LayerCost], int] = lambda row: row.macs) -> dict[str, int]:
        """Return the sum over stem, each stage, head and classifier.

        Args:
            count: What to sum, such as `lambda row: row.parameters`; MACs by default.
        """
        sums: dict[str, int] = {}
        for row in self.layers:
            name = row.role if row.stage is None else f"stages.{row.stage}"
            sums[name] = sums.get(name, 0) + count(row)
        return sums

    def __str__(self) -> str:
        return (
            f"{self.spec.name} at {self.resolution} px: {self.parameters:,} parameters, {self.macs:,} MACs, "
            f"{len(self.layers)} layers"
        )


def _saved_per_image(row: LayerCost, block: BlockSpec | None, same: bool, dropout: float) -> int:
    """Return how many numbers the layer keeps for one image, apart from what an earlier layer keeps."""
    if row.kind == "convolution":
        spatial = row.role in ("stem", "depthwise", "fused")
        stride = (block.stride if block else 2) if spatial else 1
        side = row.side_in + (row.kernel - 1 if same and stride > 1 else 0)
        return row.channels_in * side * side
    if row.kind == "linear":  # its input, and the mask of the dropout before it
        return row.channels_in * (2 if dropout else 1)
    if row.kind == "add":  # nothing, but the branch may be dropped before
        return 1 if block and block.drop_path_rate else 0
    return row.activations if row.kind in ("norm", "activation", "scale") else 0


class _Part(NamedTuple):
    """Where a layer belongs."""

    prefix: str
    stage: int | None
    block: int | None
    role: str

    def conv_norm_act(
        self, c_in: int, c_out: int, side_in: int, side_out: int, kernel: int, groups: int, activation: bool
    ) -> Iterator[LayerCost]:
        weights = kernel * kernel * (c_in // groups) * c_out
        read, written = c_in * side_in * side_in, c_out * side_out * side_out
        prefix, stage, block, role = self
        yield LayerCost(
            f"{prefix}.conv", stage, block, role, "convolution", c_in, c_out, side_in, side_out,
            kernel, groups, weights, 0, weights * side_out * side_out, read, written,
        )  # fmt: skip
        yield LayerCost(
            f"{prefix}.norm", stage, block, role, "norm", c_out, c_out, side_out, side_out,
            1, 1, 2 * c_out, 2 * c_out, 0, written, written,
        )  # fmt: skip
        if activation:
            yield self.pointwise("activation", "activation", c_out, side_out)

    def pointwise(self, name: str, kind: str, channels: int, side: int, read_also: int = 0) -> LayerCost:
        size = channels * side * side
        prefix, stage, block, role = self
        return LayerCost(
            f"{prefix}.{name}" if name else prefix, stage, block, role, kind, channels, channels, side, side,
            1, 1, 0, 0, 0, size + read_also, size,
        )  # fmt: skip

    def pool(self, name: str, channels: int, side: int) -> LayerCost:
        prefix, stage, block, role = self
        return LayerCost(
            f"{prefix}.{name}", stage, block, role, "pool", channels, channels, side, 1,
            1, 1, 0, 0, 0, channels * side * side, channels,
        )  # fmt: skip

    def dense(self, name: str, kind: str, c_in: int, c_out: int) -> LayerCost:
        prefix, stage, block, role = self
        return LayerCost(
            f"{prefix}.{name}" if name else prefix, stage, block, role, kind, c_in, c_out, 1, 1,
            1, 1, c_in * c_out + c_out, 0, c_in * c_out, c_in, c_out,
        )  # fmt: skip


def _squeeze_excitation(part: _Part, channels: int, squeeze: int, side: int) -> Iterator[LayerCost]:
    yield part.pool("pool", channels, side)
    yield part.dense("reduce", "convolution", channels, squeeze)
    yield part.pointwise("activation", "activation", squeeze, 1)
    yield part.dense("restore", "convolution", squeeze, channels)
    yield part.pointwise("gate", "activation", channels, 1)
    yield part.pointwise("scale", "scale", channels, side, read_also=channels)


def block_layers(block: BlockSpec) -> Iterator[LayerCost]:
    """Yield the cost of every layer of one block, in the order in which they run."""
    prefix = f"stages.{block.stage}.{block.index}"
    c_in, c_mid, c_out = block.channels_in, block.channels_hidden, block.channels_out
    before, after = block.side_in, block.side_out

    def part(role: str) -> _Part:
        return _Part(f"{prefix}.{role}", block.stage, block.index, role)

    if block.operation == "mbconv":
        if block.expansion > 1:
            yield from part("expand").conv_norm_act(c_in, c_mid, before, before, 1, 1, True)
        yield from part("depthwise").conv_norm_act(c_mid, c_mid, before, after, block.kernel, c_mid, True)
        if block.squeeze_channels:
            yield from _squeeze_excitation(part("squeeze_excite"), c_mid, block.squeeze_channels, after)
        yield from part("project").conv_norm_act(c_mid, c_out, after, after, 1, 1, False)
    else:
        c_fused = c_mid if block.expansion > 1 else c_out
        yield from part("fused").conv_norm_act(c_in, c_fused, before, after, block.kernel, 1, True)
        if block.squeeze_channels:
            yield from _squeeze_excitation(part("squeeze_excite"), c_fused, block.squeeze_channels, after)
        if block.expansion > 1:
            yield from part("project").conv_norm_act(c_mid, c_out, after, after, 1, 1, False)
    if block.has_shortcut:
        yield part("shortcut").pointwise("", "add", c_out, after, read_also=c_out * after * after)


def _layers(spec: NetworkSpec, resolution: int, num_classes: int, in_channels: int) -> Iterator[LayerCost]:
    side = strided(resolution, 2)
    stem = _Part("stem", None, None, "stem")
    yield from stem.conv_norm_act(in_channels, spec.stem_channels, resolution, side, 3, 1, True)
    channels = spec.stem_channels
    for block in resolve(spec, resolution):
        yield from block_layers(block)
        side, channels = block.side_out, block.channels_out
    head = _Part("head", None, None, "head")
    yield from head.conv_norm_act(channels, spec.head_channels, side, side, 1, 1, True)
    yield head.pool("pool", spec.head_channels, side)
    if num_classes:
        yield _Part("classifier", None, None, "classifier").dense(
            "", "linear", spec.head_channels, num_classes
        )


def cost(
    network: NetworkSpec | str, resolution: int | None = None, num_classes: int = 1000, in_channels: int = 3
) -> NetworkCost:
    """Count a network exactly, layer by layer, for one image.

    Args:
        network: A spec, or the name of a published network.
        resolution: Side of the square input in pixels; the network's own by default.
        num_classes: Outputs of the classifier, or 0 for none.
        in_channels: Channels of the input.

    Raises:
        ValueError: The resolution is smaller than the network's stride, or a count is below 1.
    """
    spec = as_spec(network)
    side = check_resolution(spec, resolution)
    classes = whole_number("num_classes", num_classes, 0)
    layers = tuple(_layers(spec, side, classes, whole_number("in_channels", in_channels)))
    return NetworkCost(spec, side, layers)
