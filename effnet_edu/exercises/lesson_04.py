"""Exercises and quiz of lesson 04."""

import random
from collections.abc import Callable
from statistics import mean

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.functions import FunctionCheck, WrongFunction
from effnet_edu.exercises.modules import ModuleCheck, WrongModule
from effnet_edu.exercises.numbers import NumberCheck, WrongNumber
from effnet_edu.exercises.quiz import Choice, Question
from effnet_edu.model.blocks import SqueezeExcitation
from effnet_edu.model.cost import cost
from effnet_edu.model.specs import resolve
from effnet_edu.model.variants import spec
from effnet_edu.studies.result import read

LESSON = "04_squeeze_and_excitation"


class _OtherGate(nn.Module):
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
            WrongModule(
                lambda c, s: _OtherGate(c, s, bias=False),
                "Both convolutions lack their bias. No batch norm follows here that would make up for it.",
            ),
            WrongModule(
                lambda c, s: _OtherGate(c, s, between=F.relu),
                "Between the two convolutions stands a ReLU. So it was in the SE paper; EfficientNet has "
                "SiLU there.",
            ),
            WrongModule(
                lambda c, s: _OtherGate(c, s, between=lambda x: x),
                "Nothing stands between the two convolutions, so that together they are only one matrix. "
                "Put `F.silu` there.",
            ),
            WrongModule(
                lambda c, s: _OtherGate(c, s, gate=lambda x: x.softmax(1)),
                "A softmax makes the channels compete for a sum of 1. Each gate opens by itself: use the "
                "sigmoid.",
            ),
            WrongModule(
                lambda c, s: _OtherGate(c, s, gate=lambda x: x),
                "The gates can be any number, negative ones too. The sigmoid after the second convolution "
                "is missing.",
            ),
            WrongModule(
                lambda c, s: _OtherGate(c, s, squeeze=lambda x: x.amax((2, 3), keepdim=True)),
                "It squeezes each channel to its maximum. The mean is meant.",
            ),
            WrongModule(
                lambda c, s: _OtherGate(c, s, squeeze=lambda x: x),
                "It does not squeeze: every pixel gets gates of its own. Take the mean over height and "
                "width first.",
            ),
            WrongModule(
                lambda c, s: _OtherGate(c, s, scale=torch.add),
                "It adds the gates to the map. A gate multiplies its channel.",
            ),
            WrongModule(
                lambda c, s: _OtherGate(c, s, scale=lambda x, gates: gates.expand_as(x)),
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


def squeeze_parameters(c_mid: int, squeeze: int) -> int:
    """Return the parameters of squeeze-and-excitation.

    Args:
        c_mid: Channels that are weighed.
        squeeze: Width of the bottleneck.
    """
    return 2 * c_mid * squeeze + squeeze + c_mid


SQUEEZE_PARAMETERS = Exercise(
    name="squeeze_parameters",
    lesson=LESSON,
    title="Count it",
    difficulty="easy",
    minutes=4,
    task="Write how many parameters squeeze-and-excitation has: two 1x1 convolutions, both with bias.",
    template="def squeeze_parameters(c_mid, squeeze):\n"
    '    """Return the parameters of both convolutions, biases included."""\n'
    "    return <answer>",
    answers=("2 * c_mid * squeeze + squeeze + c_mid",),
    hints=(
        "One convolution goes from c_mid to squeeze channels, the other one back.",
        "A 1x1 convolution has a weight for each pair of channels, and a bias for each channel it writes.",
    ),
    checker=FunctionCheck(
        reference=squeeze_parameters,
        draw=lambda generator: (8 * generator.randint(2, 144), generator.randint(1, 48)),
        arguments=("c_mid", "squeeze"),
        whole=True,
        mistakes=(
            WrongFunction(
                lambda c_mid, squeeze: 2 * c_mid * squeeze,
                "The biases are missing: each convolution has one for every channel that it writes.",
            ),
            WrongFunction(
                lambda c_mid, squeeze: c_mid * squeeze + squeeze,
                "This is the first convolution alone. A second one goes back to c_mid channels.",
            ),
            WrongFunction(
                lambda c_mid, squeeze: 2 * (c_mid * squeeze + squeeze),
                "The second convolution writes c_mid channels, so it has c_mid biases.",
            ),
            WrongFunction(
                lambda c_mid, squeeze: 2 * c_mid * squeeze + 3 * (squeeze + c_mid),
                "This counts a batch norm after each convolution. There is none here.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"Over the {spec('efficientnet_b0').layers} blocks of B0 it sums to "
        f"{sum(answer(b.channels_hidden, b.squeeze_channels) for b in resolve(spec('efficientnet_b0'))):,}: "
        f"{_share_of_parameters('efficientnet_b0'):.0%} of its parameters."
    ),
)


def _share_of_parameters(network: str) -> float:
    counted = cost(network)
    return counted.by_role(lambda row: row.parameters)["squeeze_excite"] / counted.parameters


def extra_parameters(network: str) -> int:
    """Return how many parameters more a network has if its squeeze is a quarter of the hidden channels.

    Args:
        network: Name of a published network whose blocks all have squeeze-and-excitation.
    """
    return sum(
        squeeze_parameters(block.channels_hidden, block.channels_hidden // 4)
        - squeeze_parameters(block.channels_hidden, block.squeeze_channels)
        for block in resolve(spec(network))
    )


EXTRA_PARAMETERS = Exercise(
    name="extra_parameters",
    lesson=LESSON,
    title="The price of one word",
    difficulty="medium",
    minutes=8,
    task="How many parameters more than the released one would `efficientnet_b4` have if every squeeze width "
    "were a quarter of the hidden channels? `ee.resolve(ee.spec(name))` gives the blocks, each with "
    "`channels_hidden` and `squeeze_channels`. Two right digits are enough.",
    template="extra_parameters = <answer>",
    answers=(
        "sum(\n"
        "    (2 * block.channels_hidden + 1) * (block.channels_hidden // 4 - block.squeeze_channels)\n"
        '    for block in ee.resolve(ee.spec("efficientnet_b4"))\n'
        ")",
    ),
    hints=(
        "Count squeeze-and-excitation of each block twice: with its own width and with a quarter of "
        "`channels_hidden`.",
        "One more squeeze channel costs `2 * channels_hidden + 1` parameters in its block.",
        "Sum `(2 * block.channels_hidden + 1) * (block.channels_hidden // 4 - block.squeeze_channels)`.",
    ),
    checker=NumberCheck(
        value=lambda: extra_parameters("efficientnet_b4"),
        variable="extra_parameters",
        unit="parameters",
        tolerance=0.02,
        mistakes=(
            WrongNumber(
                lambda: cost("efficientnet_b4").parameters + extra_parameters("efficientnet_b4"),
                "This is the whole network with the mistake. Asked is how many parameters the mistake adds.",
            ),
            WrongNumber(
                lambda: extra_parameters("efficientnet_b0"),
                "This is what it adds to B0. Asked is B4.",
            ),
            WrongNumber(
                lambda: extra_parameters("efficientnet_b4") / 2,
                "This is half of it: both convolutions grow with the squeeze width.",
            ),
            WrongNumber(
                lambda: sum(
                    squeeze_parameters(block.channels_hidden, block.channels_hidden // 4)
                    for block in resolve(spec("efficientnet_b4"))
                ),
                "This is all of squeeze-and-excitation with the mistake. Subtract what the right one has.",
            ),
        ),
    ),
    shows=lambda _answer: (
        f"It would add {extra_parameters('efficientnet_b4') / 1e6:.1f} million to the "
        f"{cost('efficientnet_b4').parameters / 1e6:.1f} million of B4, and hardly any MACs: counting "
        "parameters is how the mistake is found."
    ),
)


def class_share(gates: list[float], labels: list[int]) -> float:
    """Return which share of the variance of one gate lies between the classes.

    Args:
        gates: One value an image.
        labels: The class of each image.
    """
    overall = mean(gates)
    means = _class_means(gates, labels)
    between = sum((means[label] - overall) ** 2 for label in labels)
    return between / sum((gate - overall) ** 2 for gate in gates)


def _class_means(gates: list[float], labels: list[int]) -> dict[int, float]:
    return {
        label: mean(gate for gate, other in zip(gates, labels, strict=True) if other == label)
        for label in set(labels)
    }


def _each_class_once(gates: list[float], labels: list[int]) -> float:
    overall = mean(gates)
    means = _class_means(gates, labels)
    return sum((one - overall) ** 2 for one in means.values()) / sum((gate - overall) ** 2 for gate in gates)


_FOUR = [0.2, 0.2, 0.8, 0.8]


def _draw_gates(generator: random.Random) -> tuple[list[float], list[int]]:
    labels = [generator.randrange(3) for _ in range(generator.randint(6, 20))]
    centres = [generator.random() for _ in range(3)]
    gates = [min(max(generator.gauss(centres[label], 0.15), 0.0), 1.0) for label in labels]
    return [*gates, 0.25, 0.75], [*labels, 0, 1]


CLASS_SHARE = Exercise(
    name="class_share",
    lesson=LESSON,
    title="Does a gate know the class?",
    difficulty="hard",
    minutes=10,
    task="`gates` holds one channel's gate for several images, `labels` their classes. Write which share of "
    "the variance lies between the classes: put the mean of its class in place of each gate, and see how "
    "much of the squared distance from the overall mean is left.",
    template="def class_share(gates, labels):\n"
    '    """Return 0 if the class says nothing about the gate, 1 if it decides it."""\n'
    "    overall = mean(gates)\n"
    "    total = sum((gate - overall) ** 2 for gate in gates)\n"
    "    of_class = {\n"
    "        label: mean(gate for gate, other in zip(gates, labels, strict=True) if other == label)\n"
    "        for label in set(labels)\n"
    "    }\n"
    "    between = <answer>\n"
    "    return <answer>",
    answers=("sum((of_class[label] - overall) ** 2 for label in labels)", "between / total"),
    hints=(
        "`total` sums over images. `between` does the same with another number for each image.",
        "The mean of an image's class is `of_class[label]`.",
        "Sum `(of_class[label] - overall) ** 2` over `labels`: a class counts as often as it has images.",
    ),
    checker=FunctionCheck(
        reference=class_share,
        draw=_draw_gates,
        arguments=("gates", "labels"),
        mistakes=(
            WrongFunction(
                lambda gates, labels: 1 - class_share(gates, labels),
                "This is the share within the classes. Asked is the share between them.",
            ),
            WrongFunction(
                _each_class_once,
                "It counts each class once. A class counts as often as it has images: sum over `labels`.",
            ),
            WrongFunction(
                lambda gates, labels: class_share(gates, labels) ** 0.5,
                "This is a share of standard deviations. Variances add up, so use the squares as they are.",
            ),
            WrongFunction(
                lambda gates, labels: (
                    class_share(gates, labels) * sum((gate - mean(gates)) ** 2 for gate in gates)
                ),
                "This is the sum of squares itself. Divide by `total` to get a share.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"Gates of 0.2, 0.2, 0.8, 0.8: {answer(_FOUR, [0, 0, 1, 1]):.0%} if the first two are of one class, "
        f"{answer(_FOUR, [0, 1, 0, 1]):.0%} if the classes take turns. In the trained network it goes from "
        f"{_recorded_share(0):.0%} in the first block to {_recorded_share(-1):.0%} in the last."
    ),
)


def _recorded_share(block: int) -> float:
    (run,) = read("small_network").runs
    return float(run["gates"][block]["between_class_share"])


EXERCISES = (SQUEEZE_EXCITE_BLOCK, SQUEEZE_PARAMETERS, EXTRA_PARAMETERS, CLASS_SHARE)

_B0 = cost("efficientnet_b0")
_MACS_IN_SE = 100 * _B0.by_role()["squeeze_excite"] / _B0.macs

QUIZ = (
    Question(
        "What does the gate of one channel depend on?",
        (
            Choice(
                "on that channel's own mean",
                "The two convolutions mix the means of all channels before a gate is computed.",
            ),
            Choice(
                "on the means of all channels of this image",
                "Every channel is squeezed to its mean, and all means together decide each gate.",
                right=True,
            ),
            Choice(
                "on nothing: it is a weight that was learned",
                "The convolutions were learned. The gates are computed anew for each image.",
            ),
        ),
    ),
    Question(
        f"Squeeze-and-excitation has {_share_of_parameters('efficientnet_b0'):.0%} of the parameters of B0 "
        f"and {_MACS_IN_SE:.1f}% of its MACs. Why is that?",
        (
            Choice(
                "its convolutions run once an image, the others once a pixel",
                "After the squeeze the map is 1 x 1, so each weight is used once.",
                right=True,
            ),
            Choice("a sigmoid needs no multiplication", "The convolutions before it are meant, and they do."),
            Choice(
                "its weights are shared by all blocks",
                "Every block has its own. Sharing would lower the parameters, not the MACs.",
            ),
        ),
    ),
    Question(
        "A block of B0 reads 40 channels, expands them to 240 and writes 80. How wide is its squeeze?",
        (
            Choice("60", "A quarter of the hidden channels is MobileNetV3's choice, and here the mistake."),
            Choice("20", "The channels that it writes play no part."),
            Choice("10", "A quarter of the 40 channels that the block reads.", right=True),
        ),
    ),
    Question(
        "Why does it take a larger share of the time than of the MACs?",
        (
            Choice(
                "it reads the whole map to squeeze it, and reads and writes it once more to scale it",
                "And it does so in several small operations, each of which has to be started.",
                right=True,
            ),
            Choice(
                "its convolutions are larger than the others",
                "They are the smallest in the block: they work on a single pixel.",
            ),
            Choice(
                "the sigmoid is slow",
                "It is computed once a channel. The map it then multiplies has many pixels a channel.",
            ),
        ),
    ),
    Question(
        "Suppose all gates of a block were 0.5 for every image. What would the block have learned with them?",
        (
            Choice(
                "nothing: the projection could be trained to hold the factor",
                "A constant factor can move into the weights that follow. Gates are of use where they vary.",
                right=True,
            ),
            Choice(
                "that half of its channels are useless",
                "Each channel would pass, at half its size. None would be shut.",
            ),
            Choice(
                "to regularise, as dropout does", "Dropout is random and off in evaluation. This is neither."
            ),
        ),
    ),
    Question(
        "In a trained network the gates of the first block hardly depend on the class. What follows?",
        (
            Choice(
                "that the first block needs no gates",
                "They may follow the light or the contrast of an image. Only training without them can tell.",
            ),
            Choice(
                "that what this block weighs is not about classes",
                "Edges and colours serve all classes. Later blocks see what tells classes apart.",
                right=True,
            ),
            Choice(
                "that its gates are the same for all images",
                "They may differ from image to image. Their means over the images of a class do not.",
            ),
        ),
    ),
)
