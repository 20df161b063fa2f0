"""A network as data: stages as the paper prints them, scaled, and resolved block by block. No torch."""

from dataclasses import dataclass, replace
from typing import Literal

from effnet_edu.ground.checks import choice, quoted, rate_below_one, real_number, whole_number
from effnet_edu.model.scaling import CHANNEL_DIVISOR, ChannelRounding, round_channels, round_layers

Operation = Literal["mbconv", "fused_mbconv"]
Activation = Literal["silu", "relu6"]
Padding = Literal["same", "symmetric"]
OPERATIONS: tuple[str, ...] = ("mbconv", "fused_mbconv")
ACTIVATIONS: tuple[str, ...] = ("silu", "relu6")
PADDINGS: tuple[str, ...] = ("same", "symmetric")
OUTPUT_STRIDES = (8, 16, 32)


@dataclass(frozen=True)
class Conventions:
    """What two implementations of one table may still differ in.

    Attributes:
        padding: `"same"` pads like TensorFlow (more after than before where it does not divide),
            `"symmetric"` pads (kernel - 1) // 2 on every side. Both give the same output size.
        norm_eps: Added to the variance in batch norm.
        norm_momentum: Weight of the newest batch in the running statistics (torch's sense: 1 - TensorFlow's).
    """

    padding: Padding
    norm_eps: float
    norm_momentum: float

    def __post_init__(self) -> None:
        choice("padding", self.padding, PADDINGS)


@dataclass(frozen=True)
class StageSpec:
    """One row of the paper's table.

    Attributes:
        operation: `"mbconv"` or `"fused_mbconv"`.
        expansion: Hidden channels over input channels.
        kernel: Side of the spatial kernel.
        stride: Stride of the stage's first block; the others have 1.
        channels: Output channels of every block.
        layers: Number of blocks.
        squeeze_ratio: Squeeze width over the channels of the block's input, 0 to 4; 0 for no
            squeeze-and-excitation. Others count from the hidden channels: a quarter of those is 1.5 here.

    Raises:
        ValueError: A field is outside its range: the kernel is odd, the stride 1 or 2, the ratio 0 to 1.
    """

    operation: Operation
    expansion: int
    kernel: int
    stride: int
    channels: int
    layers: int
    squeeze_ratio: float = 0.25

    def __post_init__(self) -> None:
        choice("operation", self.operation, OPERATIONS)
        for name in ("expansion", "kernel", "stride", "channels", "layers"):
            whole_number(name, getattr(self, name))
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel is {self.kernel}; it must be odd, so that a window has a middle.")
        if self.stride > 2:
            raise ValueError(f"stride is {self.stride}; it must be 1 or 2.")
        real_number("squeeze_ratio", self.squeeze_ratio, 0, 4)


@dataclass(frozen=True)
class NetworkSpec:
    """A whole network, ready to be counted, drawn or built.

    Attributes:
        name: Its name in the course.
        stem_channels: Channels after the first convolution.
        stages: The stages, in order.
        head_channels: Channels of the last 1x1 convolution.
        resolution: Side of the square input in pixels.
        dropout: Rate before the classifier.
        drop_path_rate: Where the stochastic-depth rate would arrive after the last block; it starts at 0.
        activation: `"silu"` (also called swish) or `"relu6"`.
        rounding: Which channel rounding rule scales it.
        fixed_ends: True for Lite: stem, head, and the layers of the first and last stage are never scaled.
        tensorflow: Conventions of the authors' code.
        torchvision: Conventions of torchvision's port.
        width: Width multiplier over the base.
        depth: Depth multiplier over the base.
        source: Where the table stands.
        channel_divisor: Scaled channels are multiples of this; 8 in every published network.
        output_stride: 8, 16 or 32: how many input pixels, along one side, a pixel of the last map stands for
            at most. Strides beyond it become dilation, as in segmentation. None leaves every stride.

    Raises:
        ValueError: A field is outside its range, or there is no stage.
    """

    name: str
    stem_channels: int
    stages: tuple[StageSpec, ...]
    head_channels: int
    resolution: int
    dropout: float
    drop_path_rate: float
    activation: Activation
    rounding: ChannelRounding
    fixed_ends: bool
    tensorflow: Conventions
    torchvision: Conventions
    width: float
    depth: float
    source: str
    channel_divisor: int = CHANNEL_DIVISOR
    output_stride: int | None = None

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError(f"{self.name} has no stages; a network needs one or more.")
        for name in ("stem_channels", "head_channels", "resolution", "channel_divisor"):
            whole_number(name, getattr(self, name))
        rate_below_one("dropout", self.dropout)
        rate_below_one("drop_path_rate", self.drop_path_rate)
        choice("activation", self.activation, ACTIVATIONS)
        if self.output_stride not in (None, *OUTPUT_STRIDES):
            raise ValueError(f"output_stride is {quoted(self.output_stride)}; it must be 8, 16 or 32.")

    @property
    def reductions(self) -> tuple[int, ...]:
        """How many input pixels, along one side, one pixel of each stage's map stands for."""
        reached, found = 2, []
        for stage in self.stages:
            if self.output_stride is None or reached * stage.stride <= self.output_stride:
                reached *= stage.stride
            found.append(reached)
        return tuple(found)

    @property
    def stride(self) -> int:
        """How many input pixels, along one side, one pixel of the last map stands for."""
        return self.reductions[-1]

    @property
    def layers(self) -> int:
        """Number of blocks."""
        return sum(stage.layers for stage in self.stages)

    def conventions(self, choice_or_own: "str | Conventions | None" = None) -> Conventions:
        """Return the conventions of this name; by default, those that the authors released.

        Args:
            choice_or_own: `"tensorflow"`, `"torchvision"`, conventions of your own, or None.

        Raises:
            ValueError: The name is neither of the two.
        """
        if isinstance(choice_or_own, Conventions):
            return choice_or_own
        if choice_or_own is None:
            return self.tensorflow
        named = {"tensorflow": self.tensorflow, "torchvision": self.torchvision}
        return named[choice("conventions", choice_or_own, tuple(named))]

    def __str__(self) -> str:
        return f"{self.name}: {self.layers} blocks, {self.resolution} x {self.resolution}"


@dataclass(frozen=True)
class BlockSpec:
    """One block with every number filled in; prints as one readable line.

    Attributes:
        stage: Index of its stage, from 0, as in `stages.2.0`.
        index: Index in its stage, from 0.
        operation: `"mbconv"` or `"fused_mbconv"`.
        expansion: Hidden channels over input channels.
        kernel: Side of the spatial kernel.
        stride: Stride of the spatial convolution.
        channels_in: c_in.
        channels_hidden: c_mid, after the expansion.
        channels_out: c_out.
        squeeze_channels: Squeeze width, from c_in and never from c_mid; 0 for no squeeze-and-excitation.
        drop_path_rate: Probability that training skips this block for one image.
        side_in: Side of the feature map before the block.
        side_out: Side after it.
        dilation: Distance between the pixels that a window of the spatial convolution reads.
    """

    stage: int
    index: int
    operation: Operation
    expansion: int
    kernel: int
    stride: int
    channels_in: int
    channels_hidden: int
    channels_out: int
    squeeze_channels: int
    drop_path_rate: float
    side_in: int
    side_out: int
    dilation: int = 1

    @property
    def has_shortcut(self) -> bool:
        """Whether the input is added to the output: same side and same channels."""
        return self.stride == 1 and self.channels_in == self.channels_out

    def __str__(self) -> str:
        name = "MBConv" if self.operation == "mbconv" else "Fused-MBConv"
        squeeze = f", SE {self.squeeze_channels}" if self.squeeze_channels else ""
        dilation = f" d{self.dilation}" if self.dilation > 1 else ""
        return (
            f"{name}{self.expansion} k{self.kernel} s{self.stride}{dilation}  "
            f"{self.channels_in} -> {self.channels_out}{squeeze}, {self.side_in} -> {self.side_out}"
        )


def strided(side: int, stride: int) -> int:
    """Return the side of a map after a stride: rounded up, under both padding conventions."""
    return -(-side // stride)


def check_resolution(spec: NetworkSpec, resolution: int | None, name: str = "resolution") -> int:
    """Return the input side to use: the network's own, or the given one if the network can take it."""
    if resolution is None:
        return spec.resolution
    side = whole_number(name, resolution)
    if side < spec.stride:
        raise ValueError(
            f"{name} is {side}; {spec.name} halves its input {spec.stride.bit_length() - 1} times, "
            f"so it must be {spec.stride} or more."
        )
    return side


def scale(
    base: NetworkSpec,
    width: float = 1.0,
    depth: float = 1.0,
    resolution: int | None = None,
    name: str | None = None,
    dropout: float | None = None,
) -> NetworkSpec:
    """Return the base network with scaled channels, layers and input side.

    Args:
        base: The network to scale.
        width: Width multiplier, above 0.
        depth: Depth multiplier, above 0.
        resolution: Side of the input in pixels; the base's own by default.
        name: Name of the result; by default one that tells the multipliers.
        dropout: Rate before the classifier; the base's own by default.

    Raises:
        ValueError: A number is outside its range.

    Source: `round_filters`, `round_repeats` and Lite's `fix_head_stem` in tensorflow/tpu.
    """
    resolution = check_resolution(base, resolution)

    def channels(count: int, multiplier: float) -> int:
        return round_channels(count, multiplier, base.rounding, base.channel_divisor)

    last = len(base.stages) - 1
    stages = tuple(
        replace(
            stage,
            channels=channels(stage.channels, width),
            layers=stage.layers
            if base.fixed_ends and index in (0, last)
            else round_layers(stage.layers, depth),
        )
        for index, stage in enumerate(base.stages)
    )
    end_width = 1.0 if base.fixed_ends else width
    return replace(
        base,
        name=name or f"{base.name} (d={depth:.3g}, w={width:.3g}, {resolution} px)",
        stem_channels=channels(base.stem_channels, end_width),
        stages=stages,
        head_channels=channels(base.head_channels, end_width),
        resolution=resolution,
        dropout=base.dropout if dropout is None else dropout,
        width=base.width * width,
        depth=base.depth * depth,
    )


def resolve(spec: NetworkSpec, resolution: int | None = None) -> tuple[BlockSpec, ...]:
    """Return every block of the network with all its numbers filled in.

    Args:
        spec: The network.
        resolution: Side of the input in pixels; the network's own by default.

    Raises:
        ValueError: The resolution is smaller than the network's stride, or this is no spec.
    """
    if not isinstance(spec, NetworkSpec):
        raise ValueError(f"spec is {quoted(spec)}; it must be a NetworkSpec, as from ee.spec or ee.compound.")
    side = strided(check_resolution(spec, resolution), 2)
    channels, total = spec.stem_channels, spec.layers
    blocks: list[BlockSpec] = []
    reached, dilation = 2, 1
    for stage_index, (stage, reduction) in enumerate(zip(spec.stages, spec.reductions, strict=True)):
        for index in range(stage.layers):
            stride = reduction // reached if index == 0 else 1
            side_out = strided(side, stride)
            blocks.append(
                BlockSpec(
                    stage=stage_index,
                    index=index,
                    operation=stage.operation,
                    expansion=stage.expansion,
                    kernel=stage.kernel,
                    stride=stride,
                    channels_in=channels,
                    channels_hidden=channels * stage.expansion,
                    channels_out=stage.channels,
                    squeeze_channels=max(1, int(channels * stage.squeeze_ratio))
                    if stage.squeeze_ratio
                    else 0,
                    drop_path_rate=spec.drop_path_rate * len(blocks) / total,
                    side_in=side,
                    side_out=side_out,
                    dilation=dilation,
                )
            )
            side, channels = side_out, stage.channels
            # As in timm, the block that lost its stride still reads with the dilation from before.
            if index == 0:
                dilation *= stage.stride // stride
        reached = reduction
    return tuple(blocks)
