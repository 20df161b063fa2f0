"""Parts of a network with one likely mistake each, which the checks of lessons 03, 04 and 07 recognise."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from effnet_edu.model.blocks import MBConv, activation_layer
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import Activation, Conventions, NetworkSpec


class OtherGate(nn.Module):
    """Squeeze-and-excitation with one thing done otherwise."""

    def __init__(
        self,
        channels: int,
        squeeze_channels: int,
        bias: bool = True,
        squeeze: Callable[[Tensor], Tensor] = lambda x: x.mean((2, 3), keepdim=True),
        between: Callable[[Tensor], Tensor] = F.silu,
        gate: Callable[[Tensor], Tensor] = torch.sigmoid,
        scale: Callable[[Tensor, Tensor], Tensor] = torch.mul,
    ) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, squeeze_channels, 1, bias=bias)
        self.restore = nn.Conv2d(squeeze_channels, channels, 1, bias=bias)
        self.squeeze, self.between, self.gate, self.scale = squeeze, between, gate, scale

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels, in another way than is right."""
        return self.scale(x, self.gate(self.restore(self.between(self.reduce(self.squeeze(x))))))


class OtherBlock(nn.Module):
    """The library's block with one thing done otherwise."""

    def __init__(
        self,
        made: MBConv,
        change: Callable[[MBConv], None] = lambda _: None,
        finish: Callable[[Tensor, Tensor], Tensor] = torch.add,
        shortcut: Callable[[int, bool], bool] = lambda stride, same_channels: stride == 1 and same_channels,
    ) -> None:
        super().__init__()
        stride, same_channels = made.depthwise.conv.stride[0], made.spec.channels_in == made.spec.channels_out
        change(made)
        # Its parts without the block itself, which would be refused before the mistake is looked for.
        self.parts = nn.ModuleDict(dict(made.named_children()))
        self.branch, self.finish = made.branch, finish
        self.has_shortcut = shortcut(stride, same_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block, in another way than is right."""
        y = self.branch(x)
        return self.finish(x, y) if self.has_shortcut else y


def active_projection(block: MBConv) -> None:
    """Let an activation follow the projection."""
    silu = isinstance(block.depthwise.activation, nn.SiLU)
    block.project.activation = activation_layer("silu" if silu else "relu6")


def linear_expansion(block: MBConv) -> None:
    """Let no activation follow the expansion."""
    if block.expand is not None:
        block.expand.activation = None


def linear_depthwise(block: MBConv) -> None:
    """Let no activation follow the depthwise convolution."""
    block.depthwise.activation = None


def always_activated_by(activation: Activation) -> Callable[[MBConv], None]:
    """Return a function that gives a block this activation, whatever was asked for."""

    def change(block: MBConv) -> None:
        for part in (block.expand, block.depthwise):
            if part is not None:
                part.activation = activation_layer(activation)

    return change


def symmetric_padding(block: MBConv) -> None:
    """Pad the same on both sides."""
    old = block.depthwise.conv
    kernel, channels = old.kernel_size[0], old.in_channels
    block.depthwise.pads_like_tensorflow = False
    block.depthwise.conv = nn.Conv2d(
        channels, channels, kernel, old.stride[0], kernel // 2, groups=channels, bias=False
    )


def without_gate(block: MBConv) -> None:
    """Hold squeeze-and-excitation and never call it."""
    unused, block.squeeze_excite = block.squeeze_excite, None
    block.add_module("unused", unused)


def gate_before_activation(block: MBConv) -> None:
    """Weigh the channels between the depthwise convolution and its activation."""
    if block.squeeze_excite is not None and block.depthwise.activation is not None:
        both = nn.Sequential(block.squeeze_excite, block.depthwise.activation)
        block.squeeze_excite = both  # type: ignore[assignment]
        block.depthwise.activation = None


def early_stride(block: MBConv) -> None:
    """Put the stride on the expansion."""
    _move_stride(block, block.expand)


def late_stride(block: MBConv) -> None:
    """Put the stride on the projection."""
    _move_stride(block, block.project)


def _move_stride(block: MBConv, part: Any) -> None:
    if part is not None:
        part.conv.stride, block.depthwise.conv.stride = block.depthwise.conv.stride, (1, 1)


def without_stride(block: MBConv) -> None:
    """Let the stride have no effect."""
    block.depthwise.conv.stride = (1, 1)


NetworkMaker = Callable[[NetworkSpec, Conventions, int], nn.Module]


def network_of(kind: type[EfficientNet]) -> NetworkMaker:
    """Return a function that builds a class of networks from spec, conventions and number of classes."""
    return lambda spec, conventions, num_classes: kind(spec, num_classes, conventions=conventions)


def network_without_activation(part: str) -> NetworkMaker:
    """Return a function that builds a network without the activation of its stem or its head."""

    def make(spec: NetworkSpec, conventions: Conventions, num_classes: int) -> nn.Module:
        net = EfficientNet(spec, num_classes, conventions=conventions)
        getattr(net, part).activation = None
        return net

    return make


def network_always_activated_by(activation: Activation) -> NetworkMaker:
    """Return a function that builds a network with this activation after its stem and its head."""

    def make(spec: NetworkSpec, conventions: Conventions, num_classes: int) -> nn.Module:
        net = EfficientNet(spec, num_classes, conventions=conventions)
        for part in (net.stem, net.head):
            part.activation = activation_layer(activation)
        return net

    return make


def network_pooled_by(pool: Callable[[Tensor], Tensor]) -> NetworkMaker:
    """Return a function that builds a network whose last map becomes features in another way."""

    class OtherPooling(EfficientNet):
        def logits_from_features(self, x: Tensor) -> Tensor:
            logits: Tensor = self.classifier(pool(self.head(x)))
            return logits

    return network_of(OtherPooling)


class WithLargeStem(EfficientNet):
    """EfficientNet whose stem does not halve the image."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        self.stem.conv.stride = (1, 1)
        return super().forward(x)
