"""Exercises and quiz of lesson 04; the one that needs torch is in lesson_04_block.py."""

import random
from statistics import mean

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.numbers import NumberCheck
from effnet_edu.exercises.questions import Choice, Question
from effnet_edu.model.cost import cost
from effnet_edu.model.specs import resolve
from effnet_edu.model.variants import spec
from effnet_edu.studies.result import read

LESSON = "04_squeeze_and_excitation"


def _draw_budget(generator: random.Random) -> tuple[int, int]:
    c_mid = 8 * generator.randint(2, 144)
    return c_mid, generator.randint(0, 12) * c_mid + generator.randint(0, c_mid)


def squeeze_parameters(c_mid: int, squeeze: int) -> int:
    """Return the parameters of squeeze-and-excitation."""
    return 2 * c_mid * squeeze + squeeze + c_mid


def widest_squeeze(c_mid: int, budget: int) -> int:
    """Return the widest squeeze whose two convolutions have no more parameters than a budget, or 0."""
    return max(0, (budget - c_mid) // (2 * c_mid + 1))


WIDEST_SQUEEZE = Exercise(
    name="widest_squeeze",
    lesson=LESSON,
    title="How wide a squeeze can you pay for?",
    difficulty="medium",
    minutes=6,
    task="The squeeze-and-excitation of a block may have at most `budget` parameters: two 1x1 convolutions, "
    "from c_mid channels to the squeeze and back, both with bias. Write the widest squeeze that fits, and 0 "
    "if none does.",
    template="def widest_squeeze(c_mid, budget):\n"
    '    """Return the largest squeeze width with at most `budget` parameters, or 0."""\n'
    "    each = <answer>  # what one more channel of the squeeze costs\n"
    "    return <answer>",
    answers=("2 * c_mid + 1", "max(0, (budget - c_mid) // each)"),
    hints=(
        "A 1x1 convolution has a weight for each pair of channels, and a bias for each channel it writes.",
        "Which parameters are there however narrow the squeeze is?",
        "The c_mid biases of the second convolution come first; what is left is divided by `each`.",
    ),
    checker=FunctionCheck(
        reference=widest_squeeze,
        draw=_draw_budget,
        arguments=("c_mid", "budget"),
        edges=((96, 868), (96, 867), (96, 96), (96, 0), (1, 4), (1, 3)),
        whole=True,
        mistakes=(
            (
                lambda c_mid, budget: budget // (2 * c_mid),
                "The biases are missing: each convolution has one for every channel that it writes.",
            ),
            (
                lambda c_mid, budget: budget // (2 * c_mid + 1),
                "It is one channel too wide at times. The second convolution has c_mid biases, however "
                "narrow the squeeze: subtract them first, and then round down with `//`.",
            ),
            (
                lambda c_mid, budget: max(0, (budget - c_mid) // (2 * c_mid)),
                "Each channel of the squeeze has a bias, too: it costs `2 * c_mid + 1`.",
            ),
            (
                lambda c_mid, budget: (budget - c_mid) // (2 * c_mid + 1),
                "Where the budget does not even pay for the biases, it returns a width below 0.",
            ),
            (
                lambda c_mid, budget: budget // (c_mid + 1),
                "This is the first convolution alone. A second one goes back to c_mid channels.",
            ),
            (
                lambda c_mid, budget: max(0, (budget - 3 * c_mid) // (2 * c_mid + 3)),
                "This counts a batch norm after each convolution. There is none here.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"The second block of B0 spends {squeeze_parameters(96, 4)} parameters on a squeeze of "
        f"{answer(96, squeeze_parameters(96, 4))}. Over all {spec('efficientnet_b0').layers} blocks it is "
        f"{_share_of_parameters('efficientnet_b0'):.0%} of its parameters."
    ),
)


def _share_of_parameters(network: str) -> float:
    counted = cost(network)
    return counted.by_role(lambda row: row.parameters)["squeeze_excite"] / counted.parameters


def extra_parameters(network: str) -> int:
    """Return how many parameters more a network has if its squeeze is a quarter of the hidden channels."""
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
    "`channels_hidden` and `squeeze_channels`. An answer within 2 percent counts as right.",
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
            (
                lambda: cost("efficientnet_b4").parameters + extra_parameters("efficientnet_b4"),
                "This is the whole network with the mistake. How many parameters does the mistake add?",
            ),
            (
                lambda: extra_parameters("efficientnet_b0"),
                "This is what it adds to B0. The question is about B4.",
            ),
            (
                lambda: extra_parameters("efficientnet_b4") / 2,
                "This is half of it: both convolutions grow with the squeeze width.",
            ),
            (
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
    """Return which share of the variance of one gate lies between the classes."""
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
        edges=(([0.2, 0.8], [0, 0]), ([0.2, 0.8], [0, 1]), (_FOUR, [0, 0, 1, 1]), (_FOUR, [0, 1, 0, 1])),
        mistakes=(
            (
                lambda gates, labels: 1 - class_share(gates, labels),
                "This is the share within the classes. The share between them is 1 minus that.",
            ),
            (
                _each_class_once,
                "It counts each class once. A class counts as often as it has images: sum over `labels`.",
            ),
            (
                lambda gates, labels: class_share(gates, labels) ** 0.5,
                "This is a share of standard deviations. Variances add up, so use the squares as they are.",
            ),
            (
                lambda gates, labels: (
                    class_share(gates, labels) * sum((gate - mean(gates)) ** 2 for gate in gates)
                ),
                "This is the sum of squares itself. Divide by `total` to get a share.",
            ),
            (
                lambda gates, labels: class_share(gates, labels) / len(gates),
                "It divides by the number of images once too often: `total` is a sum, too, and no mean.",
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


EXERCISES = ("squeeze_excite_block", WIDEST_SQUEEZE, EXTRA_PARAMETERS, CLASS_SHARE)

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
                "its convolutions run once per image, the others once per pixel",
                "After the squeeze the map is 1 x 1, so each weight is used once.",
                right=True,
            ),
            Choice(
                "a sigmoid needs no multiplication",
                "The convolutions before the sigmoid hold the parameters, and they do multiply.",
            ),
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
            Choice("20", "The number of channels that it writes plays no part."),
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
                "They are the smallest in the block, because they work on a single pixel.",
            ),
            Choice(
                "the sigmoid is slow",
                "It is computed once per channel. The map it then multiplies has many pixels per channel.",
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
                "Every channel would pass at half its size. None would be shut.",
            ),
            Choice(
                "to regularise, as dropout does",
                "Dropout is random, and off in evaluation. A fixed factor is neither.",
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
                "that what this block reweights is not specific to a class",
                "Edges and colours serve all classes. Only later blocks see what tells classes apart.",
                right=True,
            ),
            Choice(
                "that its gates are the same for all images",
                "They may differ from image to image. Only their means over the images of a class are "
                "nearly the same.",
            ),
        ),
    ),
)
