"""The block of lesson 03: the exercise that needs torch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.lesson_03 import LESSON
from effnet_edu.exercises.mistaken_parts import (
    OtherBlock,
    active_projection,
    early_stride,
    gate_before_activation,
    late_stride,
    linear_depthwise,
    symmetric_padding,
    without_gate,
    without_stride,
)
from effnet_edu.exercises.modules import ModuleCheck
from effnet_edu.model.blocks import MBConv, SqueezeExcitation
from effnet_edu.model.specs import BlockSpec
from effnet_edu.model.variants import spec


class _NamedGate(SqueezeExcitation):
    """Squeeze-and-excitation that is called in one line, for messages."""

    def __repr__(self) -> str:
        return f"a module for {self.restore.out_channels} channels"


def _reference(
    c_in: int,
    c_out: int,
    expansion: int,
    kernel: int,
    stride: int,
    squeeze_excite: nn.Module | None,
    activation: type[nn.Module],
) -> MBConv:
    """Return the library's block with these numbers, and the given module between its convolutions."""
    block = BlockSpec(
        stage=0,
        index=0,
        operation="mbconv",
        expansion=expansion,
        kernel=kernel,
        stride=stride,
        channels_in=c_in,
        channels_hidden=c_in * expansion,
        channels_out=c_out,
        squeeze_channels=0,
        drop_path_rate=0.0,
        side_in=1,
        side_out=1,
    )
    made = MBConv(block, spec("efficientnet_b0").tensorflow, "silu" if activation is nn.SiLU else "relu6")
    made.squeeze_excite = squeeze_excite  # type: ignore[assignment]
    return made


def _wrong(cause: str, **otherwise: Any) -> tuple[Callable[..., nn.Module], str]:
    """Return a block in which one thing is done otherwise, and the cause to name."""
    return lambda *numbers: OtherBlock(_reference(*numbers), **otherwise), cause


def _gate(channels: int, squeeze: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):  # importing must not move the notebook's random numbers
        return _NamedGate(channels, squeeze, "silu")


#: Height of the map by stride: an even one where the odd pixel of padding can be put wrongly.
_HEIGHTS = {1: 9, 2: 12}

MBCONV_BLOCK = Exercise(
    name="mbconv_block",
    lesson=LESSON,
    title="Write MBConv",
    difficulty="hard",
    minutes=20,
    task="Put the block together from `ConvNorm` of section 6. `squeeze_excite` is a module for maps of "
    "c_mid channels, or None; lesson 04 builds one. `activation` is a class such as `nn.SiLU`. The check "
    "gives your block the weights of the library's own and compares what both compute, at even and odd "
    "sides, in evaluation and in training. Lesson 07 builds your class into a network.",
    template="class MyMBConv(nn.Module):\n"
    '    """Expand, convolve each channel alone, reweight the channels, project, and add the input."""\n\n'
    "    def __init__(self, c_in, c_out, expansion, kernel, stride, squeeze_excite=None, "
    "activation=nn.SiLU):\n"
    "        super().__init__()\n"
    "        c_mid = c_in * expansion\n"
    "        self.expand = ConvNorm(c_in, c_mid) if expansion > 1 else None\n"
    "        self.depthwise = <answer>\n"
    "        self.squeeze_excite = squeeze_excite\n"
    "        self.project = <answer>\n"
    "        self.activation = activation()\n"
    "        self.has_shortcut = <answer>\n\n"
    "    def forward(self, x):  # (N, c_in, H, W) -> (N, c_out, ceil(H / s), ceil(W / s))\n"
    "        y = x if self.expand is None else self.activation(self.expand(x))\n"
    "        y = <answer>\n"
    "        y = y if self.squeeze_excite is None else self.squeeze_excite(y)\n"
    "        y = <answer>\n"
    "        return x + y if self.has_shortcut else y\n\n\n"
    "mbconv_block = MyMBConv",
    answers=(
        "ConvNorm(c_mid, c_mid, kernel, stride, groups=c_mid)",
        "ConvNorm(c_mid, c_out)",
        "stride == 1 and c_in == c_out",
        "self.activation(self.depthwise(y))",
        "self.project(y)",
    ),
    hints=(
        "Sections 3 to 6 do each of its steps once. Which of them has groups, which a stride, and which no "
        "activation?",
        "Only the depthwise convolution has the kernel, the stride and c_mid groups.",
        "The projection is linear: its batch norm is the end of the branch.",
        "The input can be added where the map keeps its side and its channels.",
    ),
    checker=ModuleCheck(
        reference=_reference,
        cases=(
            (16, 16, 6, 3, 1, _gate(96, 4), nn.SiLU),
            (16, 24, 6, 5, 2, _gate(96, 4), nn.SiLU),
            (24, 40, 4, 3, 2, None, nn.ReLU6),
            (32, 16, 1, 3, 1, _gate(32, 8), nn.SiLU),
            (24, 24, 6, 3, 2, None, nn.SiLU),
        ),
        arguments=("c_in", "c_out", "expansion", "kernel", "stride", "squeeze_excite", "activation"),
        shape=lambda c_in, _c_out, _expansion, kernel, stride, *_: (2, c_in, _HEIGHTS[stride], 10 + kernel),
        mistakes=(
            _wrong(
                "An activation follows its projection. The end of the branch is linear, because in few "
                "channels what an activation removes is in no other channel.",
                change=active_projection,
            ),
            _wrong(
                "No activation follows its depthwise convolution. Only the projection goes without one.",
                change=linear_depthwise,
            ),
            _wrong(
                "It never adds the input. Where side and channels stay the same, the block returns `x + y`.",
                finish=lambda _x, y: y,
            ),
            _wrong(
                "It does not use `squeeze_excite`. The module belongs between the depthwise convolution and "
                "the projection.",
                change=without_gate,
            ),
            _wrong(
                "Its squeeze-and-excitation stands before the activation of the depthwise convolution. It "
                "weighs the channels after it.",
                change=gate_before_activation,
            ),
            _wrong(
                "It pads the same on both sides. The released code puts the odd pixel after the map, as "
                "`ConvNorm` of section 6 does.",
                change=symmetric_padding,
            ),
            _wrong(
                "Its stride is on the expansion. It belongs to the depthwise convolution, which looks at all "
                "pixels before it leaves some out.",
                change=early_stride,
            ),
            _wrong(
                "Its stride is on the projection. It belongs to the depthwise convolution, so that the "
                "projection has fewer pixels to work on.",
                change=late_stride,
            ),
            _wrong(
                "The stride has no effect in it. The depthwise convolution takes it.", change=without_stride
            ),
            _wrong(
                "It adds its input wherever the stride is 1. The channels must agree as well.",
                shortcut=lambda stride, _: stride == 1,
            ),
            _wrong(
                "It adds its input wherever the channels agree. The stride must be 1 as well.",
                shortcut=lambda _, same_channels: same_channels,
            ),
            _wrong(
                "It adds its input to an output of another shape. That needs stride 1 and as many channels "
                "out as in.",
                shortcut=lambda *_: True,
            ),
        ),
        own=(MBConv,),
    ),
    shows=lambda answer: (
        "Your block computes what the library's does, at even and odd sides. As the second block of B0's "
        "third stage, without squeeze-and-excitation, it has "
        f"{sum(p.numel() for p in answer(40, 40, 6, 5, 1).parameters()):,} parameters."
    ),
)
