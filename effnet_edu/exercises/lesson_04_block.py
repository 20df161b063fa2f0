"""The block of lesson 04: the exercise that needs torch."""

import torch
from torch.nn import functional as F

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.lesson_04 import LESSON
from effnet_edu.exercises.mistaken_parts import OtherGate
from effnet_edu.exercises.modules import ModuleCheck
from effnet_edu.model.blocks import SqueezeExcitation

SQUEEZE_EXCITE_BLOCK = Exercise(
    name="squeeze_excite_block",
    lesson=LESSON,
    title="Write the module",
    difficulty="medium",
    minutes=12,
    task="Write squeeze-and-excitation as a module, with two 1x1 convolutions as in the released code. The "
    "check gives yours the weights of the library's own, and compares what both compute. Lesson 07 builds "
    "your class into a network.",
    template="class MySqueezeExcite(nn.Module):\n"
    '    """Weigh each channel of a map by a number between 0 and 1."""\n\n'
    "    def __init__(self, channels, squeeze_channels):\n"
    "        super().__init__()\n"
    "        self.reduce = <answer>\n"
    "        self.restore = <answer>\n\n"
    "    def forward(self, x):  # (N, C, H, W) -> (N, C, H, W)\n"
    "        squeezed = <answer>  # (N, C, 1, 1)\n"
    "        gates = <answer>  # (N, C, 1, 1)\n"
    "        return <answer>\n\n\n"
    "squeeze_excite_block = MySqueezeExcite",
    answers=(
        "nn.Conv2d(channels, squeeze_channels, 1)",
        "nn.Conv2d(squeeze_channels, channels, 1)",
        "x.mean((2, 3), keepdim=True)",
        "torch.sigmoid(self.restore(F.silu(self.reduce(squeezed))))",
        "x * gates",
    ),
    hints=(
        "Section 1 does all of it with plain tensors: three steps, in the order of the name.",
        "`nn.Conv2d(c_in, c_out, 1)` is a linear layer at every pixel; here the map has one pixel.",
        "`x.mean((2, 3), keepdim=True)` keeps the two sides as 1, so that the gates fit onto the map.",
        "SiLU stands between the two convolutions, the sigmoid after the second.",
    ),
    checker=ModuleCheck(
        reference=lambda channels, squeeze_channels: SqueezeExcitation(channels, squeeze_channels, "silu"),
        cases=((96, 10), (24, 4)),
        arguments=("channels", "squeeze_channels"),
        # Small maps have means far from zero, of both signs: behind the bias a ReLU cuts some of them off.
        shape=lambda channels, _: (8, channels, 2, 2),
        mistakes=(
            (
                lambda c, s: OtherGate(c, s, bias=False),
                "Both convolutions lack their bias, and no batch norm follows that would make up for it.",
            ),
            (
                lambda c, s: OtherGate(c, s, between=F.relu),
                "Between the convolutions stands a ReLU, as in the SE paper; EfficientNet has SiLU there.",
            ),
            (
                lambda c, s: OtherGate(c, s, between=lambda x: x),
                "Nothing stands between the two convolutions, so that together they are only one matrix. "
                "Put `F.silu` there.",
            ),
            (
                lambda c, s: OtherGate(c, s, between=torch.sigmoid),
                "Between the convolutions stands a sigmoid. EfficientNet has SiLU there, and the sigmoid "
                "at the end alone.",
            ),
            (
                lambda c, s: OtherGate(c, s, gate=lambda x: x.softmax(1)),
                "A softmax makes the channels compete for a sum of 1. Each gate opens by itself, so "
                "use the sigmoid.",
            ),
            (
                lambda c, s: OtherGate(c, s, gate=lambda x: x),
                "The gates can be any number, negative ones too. The sigmoid after the second convolution "
                "is missing.",
            ),
            (
                lambda c, s: OtherGate(c, s, squeeze=lambda x: x.mean((2, 3))),
                "Its mean has the shape (N, C), which a convolution does not read. `keepdim=True` keeps the "
                "two sides as 1.",
            ),
            (
                lambda c, s: OtherGate(c, s, scale=lambda x, gates: x * gates.flatten(1)),
                "Its gates have the shape (N, C), and the map is (N, C, H, W). Two 1x1 convolutions keep the "
                "two sides as 1 after a mean with `keepdim=True`; behind linear layers, "
                "`gates[:, :, None, None]` adds them.",
            ),
            (
                lambda c, s: OtherGate(s, c),
                "The two convolutions are swapped: `reduce` goes from `channels` to `squeeze_channels`, and "
                "`restore` back.",
            ),
            (
                lambda c, s: OtherGate(c, s, squeeze=lambda x: x.mean(1, keepdim=True)),
                "Its mean runs over the channels. Take it over height and width, one for each channel.",
            ),
            (
                lambda c, s: OtherGate(c, s, squeeze=lambda x: x.amax((2, 3), keepdim=True)),
                "It squeezes each channel to its maximum. The mean is meant.",
            ),
            (
                lambda c, s: OtherGate(c, s, squeeze=lambda x: x),
                "It does not squeeze: every pixel gets gates of its own. Take the mean over height and "
                "width first.",
            ),
            (
                lambda c, s: OtherGate(c, s, scale=torch.add),
                "It adds the gates to the map. A gate multiplies its channel.",
            ),
            (
                lambda c, s: OtherGate(c, s, scale=lambda x, gates: x + x * gates),
                "It adds the map to the weighed one. Squeeze-and-excitation has no shortcut of its own.",
            ),
            (
                lambda c, s: OtherGate(c, s, scale=lambda x, gates: gates.expand_as(x)),
                "It returns the gates. The block goes on with the map, each channel times its gate.",
            ),
        ),
        own=(SqueezeExcitation,),
    ),
    shows=lambda answer: (
        "It computes what the library's does. With 96 channels and a squeeze width of 4 it has "
        f"{sum(p.numel() for p in answer(96, 4).parameters()):,} parameters, whatever the side of the map."
    ),
)
