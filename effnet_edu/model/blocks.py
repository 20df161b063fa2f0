"""The building blocks as modules whose children are named by role."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from effnet_edu.ground.checks import rate_below_one
from effnet_edu.model.specs import Activation, BlockSpec, Conventions


def convolution(
    channels_in: int,
    channels_out: int,
    kernel: int = 1,
    stride: int = 1,
    groups: int = 1,
    dilation: int = 1,
    padding: int = 0,
    bias: bool = True,
    **factory: Any,
) -> nn.Conv2d:
    """Return torch's own class, which tools know by its exact type, with weights as the released code has."""
    made: nn.Conv2d = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Conv2d, channels_in, channels_out, kernel, stride, padding, dilation, groups, bias,
        device=factory.get("device") or torch.get_default_device(), dtype=factory.get("dtype"),
    )  # fmt: skip
    if not made.weight.is_meta:
        draw_weights(made)
    return made


def draw_weights(conv: nn.Conv2d, generator: torch.Generator | None = None) -> None:
    """Draw a convolution's weights anew and set its bias, if there is one, to zero.

    They come from a normal distribution with variance 2 / fan_out. The fan-out counts the outputs that one
    input reaches: k*k for a depthwise convolution, where the helper in torch would say channels * k * k.

    Source: `conv_kernel_initializer` in tensorflow/tpu efficientnet_model.py.
    """
    fan_out = conv.kernel_size[0] * conv.kernel_size[1] * conv.out_channels // conv.groups
    nn.init.normal_(conv.weight, 0.0, math.sqrt(2 / fan_out), generator)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


def same_padded(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """Pad a map so that the first window of a strided convolution starts where TensorFlow's does.

    Stride and dilation are those that the convolution has now: people change both to get larger maps. One
    that was given a padding of its own, as segmentation libraries do it, needs none from here.
    """
    if conv.padding not in ((0, 0), 0, "valid"):
        return x
    vertical, horizontal = (
        dilation * (side - 1) for dilation, side in zip(conv.dilation, conv.kernel_size, strict=True)
    )
    # Half of what the windows lack at this side. No branch, so that torch.fx can follow.
    top = (vertical - (x.shape[-2] - 1) % conv.stride[0]) // 2
    left = (horizontal - (x.shape[-1] - 1) % conv.stride[1]) // 2
    # Always the whole window less one in all: no window reads the row or column that is at times too many,
    # and the side stays (side - 1) // stride + 1, which torch.export can follow through a whole network.
    return F.pad(x, (left, horizontal - left, top, vertical - top))


_ACTIVATIONS: dict[Activation, type[nn.Module]] = {"silu": nn.SiLU, "relu6": nn.ReLU6}


def activation_layer(name: Activation) -> nn.Module:
    """Return a new activation module of this name."""
    return _ACTIVATIONS[name]()


class ConvNormAct(nn.Module):
    """Convolution, batch norm and, unless it is the linear end of a block, an activation.

    Args:
        channels_in: Channels of the input.
        channels_out: Channels of the output.
        conventions: Padding and batch-norm constants.
        kernel: Side of the kernel, odd.
        stride: Stride of the convolution.
        groups: Groups of the convolution; `channels_in` for a depthwise one.
        activation: `"silu"`, `"relu6"`, or None for none.
        dilation: Distance between the pixels that a window reads.
        factory: device and dtype.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        conventions: Conventions,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: Activation | None = None,
        dilation: int = 1,
        **factory: Any,
    ) -> None:
        super().__init__()
        # At stride 1 and an odd kernel both paddings are the same, and the convolution's own is faster.
        self.pads_like_tensorflow = conventions.padding == "same" and stride > 1 and kernel > 1
        padding = 0 if self.pads_like_tensorflow else dilation * (kernel - 1) // 2
        self.conv = convolution(
            channels_in, channels_out, kernel, stride, groups, dilation, padding, False, **factory
        )
        #: None once it is folded into the convolution, as in `optimize_for_inference`.
        self.norm: nn.BatchNorm2d | None = nn.BatchNorm2d(
            channels_out, conventions.norm_eps, conventions.norm_momentum, **factory
        )
        self.activation = activation_layer(activation) if activation else None

    def forward(self, x: Tensor) -> Tensor:  # (N, c_in, H, W) -> (N, c_out, ceil(H / s), ceil(W / s))
        """Apply the three in turn."""
        x = self.conv(same_padded(x, self.conv) if self.pads_like_tensorflow else x)
        if self.norm is not None:
            x = self.norm(x)
        if self.activation is not None:
            x = self.activation(x)
        return x


class SqueezeExcitation(nn.Module):
    """Weigh each channel by a number between 0 and 1 that the whole map decides.

    Args:
        channels: Channels of the map, c_mid in an MBConv.
        squeeze_channels: Width of the bottleneck; a share of the block's input, not of `channels`.
        activation: Activation of the bottleneck.
        inplace: Whether the result takes the place of the map, as in a network that `optimize_for_inference`
            made; only where no gradient is recorded and nobody else holds the map.
        factory: device and dtype.

    Source: Hu et al., arXiv:1709.01507v4, section 3; widths from arXiv:1905.11946v5 and tensorflow/tpu.
    """

    def __init__(
        self,
        channels: int,
        squeeze_channels: int,
        activation: Activation,
        inplace: bool = False,
        **factory: Any,
    ) -> None:
        super().__init__()
        self.inplace = inplace
        self.reduce = convolution(channels, squeeze_channels, **factory)
        self.activation = activation_layer(activation)
        self.restore = convolution(squeeze_channels, channels, **factory)

    def gate(self, x: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C, 1, 1)
        """Return the weight of each channel, between 0 and 1."""
        x = x.mean((2, 3), keepdim=True)
        x = self.restore(self.activation(self.reduce(x)))
        return x.sigmoid()

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C, H, W)
        """Multiply each channel by its gate."""
        gate = self.gate(x)
        return x.mul_(gate) if self.inplace else x * gate


class DropPath(nn.Module):
    """Stochastic depth: in training, skip this branch for some images and enlarge it for the others.

    Args:
        rate: Probability of skipping, from 0 to below 1. Often named by its complement, survival probability.

    Raises:
        ValueError: The rate is outside its range.

    Source: Huang et al., arXiv:1603.09382; applied per image as in the released EfficientNet code.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate_below_one("rate", rate)
        #: What draws; torch's default generator, which all threads share, if None.
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C, H, W)
        """Zero the branch of each image with probability `rate`; do nothing in evaluation."""
        if not self.training or self.rate == 0:
            return x
        keep = 1 - self.rate
        mask = x.new_empty(x.shape[0], 1, 1, 1).bernoulli_(keep, generator=self.generator)
        return x * mask.div_(keep)

    def extra_repr(self) -> str:
        """Show the rate."""
        return f"rate={self.rate:.4g}"


class _Block(nn.Module):
    """A branch, and the shortcut around it where side and channels allow one."""

    def __init__(self, spec: BlockSpec) -> None:
        super().__init__()
        self.spec = spec
        self.has_shortcut = spec.has_shortcut
        self.inplace = False
        self.drop_path = DropPath(spec.drop_path_rate) if spec.has_shortcut and spec.drop_path_rate else None

    def branch(self, x: Tensor) -> Tensor:
        """Compute the block without its shortcut."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:  # (N, c_in, H, W) -> (N, c_out, ceil(H / s), ceil(W / s))
        """Compute the branch, drop it at times in training, and add the input where there is a shortcut."""
        y = self.branch(x)
        if not self.has_shortcut:
            return y
        if self.drop_path is not None:
            y = self.drop_path(y)
        return y.add_(x) if self.inplace else x + y

    def extra_repr(self) -> str:
        """Show the block as its one line."""
        return str(self.spec)


class MBConv(_Block):
    """Expand, convolve each channel alone, reweight the channels, project without an activation.

    Args:
        spec: The block with all its numbers.
        conventions: Padding and batch-norm constants.
        activation: Activation of all but the projection.
        factory: device and dtype.

    Source: Sandler et al., arXiv:1801.04381, section 3; squeeze-and-excitation added in arXiv:1807.11626.
    """

    def __init__(
        self, spec: BlockSpec, conventions: Conventions, activation: Activation, **factory: Any
    ) -> None:
        super().__init__(spec)
        c_mid = spec.channels_hidden
        self.expand = (
            ConvNormAct(spec.channels_in, c_mid, conventions, activation=activation, **factory)
            if spec.expansion > 1
            else None
        )
        self.depthwise = ConvNormAct(
            c_mid, c_mid, conventions, spec.kernel, spec.stride, c_mid, activation, spec.dilation, **factory
        )
        self.squeeze_excite = (
            SqueezeExcitation(c_mid, spec.squeeze_channels, activation, **factory)
            if spec.squeeze_channels
            else None
        )
        self.project = ConvNormAct(c_mid, spec.channels_out, conventions, **factory)

    def branch(self, x: Tensor) -> Tensor:
        """Compute the block without its shortcut."""
        if self.expand is not None:
            x = self.expand(x)  # (N, c_in, H, W) -> (N, c_mid, H, W)
        x = self.depthwise(x)  # -> (N, c_mid, H / s, W / s)
        if self.squeeze_excite is not None:
            x = self.squeeze_excite(x)
        x = self.project(x)  # -> (N, c_out, H / s, W / s)
        return x


class FusedMBConv(_Block):
    """MBConv whose expansion and depthwise convolution are one plain convolution; the projection stays.

    With expansion 1 there is nothing to project, and one convolution with its activation is the whole branch.

    Args:
        spec: The block with all its numbers.
        conventions: Padding and batch-norm constants.
        activation: Activation of all but the projection.
        factory: device and dtype.

    Source: Tan and Le, arXiv:2104.00298, section 3.2; google/automl effnetv2_model.py.
    """

    def __init__(
        self, spec: BlockSpec, conventions: Conventions, activation: Activation, **factory: Any
    ) -> None:
        super().__init__(spec)
        c_fused = spec.channels_hidden if spec.expansion > 1 else spec.channels_out
        self.fused = ConvNormAct(
            spec.channels_in,
            c_fused,
            conventions,
            spec.kernel,
            spec.stride,
            1,
            activation,
            spec.dilation,
            **factory,
        )
        self.squeeze_excite = (
            SqueezeExcitation(c_fused, spec.squeeze_channels, activation, **factory)
            if spec.squeeze_channels
            else None
        )
        self.project = (
            ConvNormAct(c_fused, spec.channels_out, conventions, **factory) if spec.expansion > 1 else None
        )

    def branch(self, x: Tensor) -> Tensor:
        """Compute the block without its shortcut."""
        x = self.fused(x)  # (N, c_in, H, W) -> (N, c_mid, H / s, W / s)
        if self.squeeze_excite is not None:
            x = self.squeeze_excite(x)
        if self.project is not None:
            x = self.project(x)  # -> (N, c_out, H / s, W / s)
        return x


def weigh_branches(network: nn.Module, weight: float) -> None:
    """Set what each branch beside a shortcut is multiplied by, in the batch norm that ends it.

    At 0 every block with a shortcut begins as the identity, and a deep network learns as readily as a
    shallow one.

    Source: Goyal et al., arXiv:1706.02677, section 5.1.
    """
    for block in network.modules():
        if isinstance(block, _Block) and block.has_shortcut:
            *_, last = (module for module in block.modules() if isinstance(module, nn.BatchNorm2d))
            nn.init.constant_(last.weight, weight)


def work_in_place(network: nn.Module) -> None:
    """Let activations, gates and sums write into the map before them; in a block nobody else holds it."""
    for module in network.modules():
        if isinstance(module, nn.SiLU | nn.ReLU6 | SqueezeExcitation | _Block):
            module.inplace = True
