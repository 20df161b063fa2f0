"""Warm-ups and quiz of lesson 00."""

import math
from collections.abc import Callable

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.numbers import NumberCheck
from effnet_edu.exercises.questions import Choice, Question
from effnet_edu.model.cost import cost
from effnet_edu.model.specs import strided
from effnet_edu.model.variants import spec

LESSON = "00_start_here"


def side_after(side: int, strides: list[int]) -> int:
    """Return the side of a feature map after some strides, rounded up at each."""
    for stride in strides:
        side = strided(side, stride)
    return side


def _floor_each(side: int, strides: list[int]) -> int:
    for stride in strides:
        side //= stride
    return side


def _nearest_each(side: int, strides: list[int]) -> int:
    for stride in strides:
        side = round(side / stride)
    return side


def _halved(round_: Callable[[float], int]) -> Callable[[int, list[int]], int]:
    """Return what a learner has who halves the side, whatever the stride is."""

    def halved(side: int, strides: list[int]) -> int:
        for _ in strides:
            side = round_(side / 2)
        return side

    return halved


def _two_fits_all(side: int, strides: list[int]) -> int:
    for stride in strides:
        side = (side + 1) // stride
    return side


def _one_more_each(side: int, strides: list[int]) -> int:
    for stride in strides:
        side = side // stride + 1
    return side


LITE0_MACS = Exercise(
    name="lite0_macs",
    lesson=LESSON,
    title="Count a network",
    difficulty="easy",
    minutes=3,
    task="How many MACs does `efficientnet_lite0` need for one image at its own resolution? Use `ee.cost`, "
    "or type a number; `12e6` and `'12 million MACs'` are both fine. Two right digits are enough.",
    template="lite0_macs = <answer>",
    answers=('ee.cost("efficientnet_lite0").macs',),
    hints=(
        "`ee.cost` takes the name of a network.",
        "What it returns has `.parameters` and `.macs`.",
    ),
    checker=NumberCheck(
        value=lambda: cost("efficientnet_lite0").macs,
        variable="lite0_macs",
        unit="MACs",
        tolerance=0.02,
        mistakes=(
            (
                lambda: cost("efficientnet_lite0").parameters,
                "These are its parameters. A weight is used once for every pixel of the map, so MACs are "
                "far more.",
            ),
            (
                lambda: 2 * cost("efficientnet_lite0").macs,
                "This is twice the MACs: you counted multiplications and additions apart. One MAC is both.",
            ),
            (
                lambda: cost("efficientnet_lite0", resolution=256).macs,
                "This is its cost at 256 pixels. Its own resolution is in "
                "`ee.spec('efficientnet_lite0').resolution`.",
            ),
            (
                lambda: cost("efficientnet_lite1").macs,
                "This is `efficientnet_lite1`, the next larger one.",
            ),
        ),
    ),
    shows=lambda _answer: (
        f"{cost('efficientnet_lite0').macs / 1e6:,.0f} million MACs with "
        f"{cost('efficientnet_lite0').parameters / 1e6:.2f} million parameters: each weight is used "
        f"{cost('efficientnet_lite0').macs / cost('efficientnet_lite0').parameters:.0f} times for one image."
    ),
)

FEATURE_SIDE = Exercise(
    name="feature_side",
    lesson=LESSON,
    title="How large is the last map?",
    difficulty="easy",
    minutes=5,
    task="A layer divides the side of its feature map by its stride and rounds up: at stride 2, 75 becomes "
    "38. Write a function that returns the side after a list of strides.",
    template="def feature_side(side, strides):\n"
    '    """Return the side of the map after layers with these strides, such as [2, 1, 2]."""\n'
    "    for stride in strides:\n"
    "        side = <answer>\n"
    "    return side",
    answers=("-(-side // stride)",),
    hints=(
        "Which Python operation divides whole numbers, and which way does it round?",
        "`//` rounds down, below zero too: `75 // 2` is 37, and what is `-75 // 2`? Or use `math.ceil` after "
        "`import math`.",
    ),
    checker=FunctionCheck(
        reference=side_after,
        draw=lambda generator: (
            generator.randint(33, 800),
            [generator.choice((1, 2, 2, 3)) for _ in range(generator.randint(1, 6))],
        ),
        arguments=("side", "strides"),
        edges=((1, [2, 2]), (7, [1, 1]), (224, [2, 2, 2, 2, 2])),
        whole=True,
        mistakes=(
            (
                _floor_each,
                "It rounds down at each stride. Padding keeps the last pixel, so the side is rounded up.",
            ),
            (
                _nearest_each,
                "It rounds to the nearest number at each stride, and Python's `round` takes 12.5 down to 12.",
            ),
            (
                _one_more_each,
                "It adds one even where the stride divides the side exactly: 8 becomes 4, and 9 becomes 5.",
            ),
            (
                _halved(math.ceil),
                "It halves the side at every layer. Divide by the stride of each: 1 changes nothing.",
            ),
            (
                _halved(math.floor),
                "It halves the side at every layer and rounds down. Divide by the stride of each, and round "
                "up.",
            ),
            (
                _two_fits_all,
                "Adding 1 before the division rounds up for a stride of 2 alone: add `stride - 1`.",
            ),
            (
                lambda side, strides: strided(side, strides[0]),
                "It stops after the first stride: is the `return` inside the loop?",
            ),
        ),
    ),
    shows=lambda answer: (
        f"224 pixels end as a map of side {answer(224, [2, 1, 2, 2, 2, 1, 2, 1])}, 225 pixels as one of side "
        f"{answer(225, [2, 1, 2, 2, 2, 1, 2, 1])}: one pixel more in, a whole row and column more out."
    ),
)

SEEN_AS = Exercise(
    name="seen_as",
    lesson=LESSON,
    title="Which grey does the network see?",
    difficulty="medium",
    minutes=5,
    task="Lite0 was trained on pixels prepared by `(x - 127) / 128`, where x runs from 0 to 255. Somebody "
    "prepares them by `x / 255` instead. Which pixel, prepared as it should be, would have become the same "
    "number? That is the grey that the network takes it for.",
    template="def seen_as(x):\n"
    '    """Return the pixel that the network takes a pixel x for, when x is prepared by x / 255."""\n'
    "    fed = <answer>  # the number that reaches the network\n"
    "    return <answer>",
    answers=("x / 255", "128 * fed + 127"),
    hints=(
        "Which number reaches the network, and which p has `(p - 127) / 128` equal to it?",
        "Solve for p: multiply by 128 first, then add 127.",
    ),
    checker=FunctionCheck(
        reference=lambda x: 128 * x / 255 + 127,
        draw=lambda generator: (generator.randint(0, 255),),
        arguments=("x",),
        edges=((0,), (127,), (255,)),
        mistakes=(
            (
                lambda x: x / 255,
                "This is the number that reaches the network. Which pixel does it take that number for?",
            ),
            (
                lambda x: (x - 127) / 128,
                "This is what the network should have been given. Somebody gave it x / 255.",
            ),
            (
                lambda x: 128 * (x / 255 + 127),
                "It adds before it multiplies. The rule divides last, so going back multiplies first.",
            ),
            (
                lambda x: (x / 255 - 127) / 128,
                "It prepares the pixel a second time. Go back from the number that was fed to a pixel.",
            ),
            (
                lambda x: 127 * x / 255 + 128,
                "It exchanges 127 and 128: 128 was divided by, and 127 was subtracted.",
            ),
            (
                lambda x: 255 * (x - 127) / 128,
                "It goes the other way: from pixels prepared as they should be to a network that expects "
                "x / 255.",
            ),
            (
                lambda x: 128 * x / 255 - 127,
                "The rule subtracts 127, so going back adds it.",
            ),
            (
                lambda x: x,
                "It undoes the division by 255, so it returns x itself. The network undoes its own rule, "
                "`(x - 127) / 128`.",
            ),
            (
                lambda x: round(128 * x / 255 + 127),
                "It rounds to a whole pixel. The network reads any number, so the grey may lie between two "
                "pixels: return it as it comes.",
            ),
            (
                lambda x: 128 * x + 127,
                "It takes the pixel itself for the number that is fed: divide it by 255 first.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"Black is taken for {answer(0):.0f}, a middle grey, and white for {answer(255):.0f}. The network "
        "sees a pale picture in which half of all greys never occur, and nobody is told."
    ),
)

EXERCISES = (LITE0_MACS, FEATURE_SIDE, SEEN_AS)

_B0 = cost("efficientnet_b0")

QUIZ = (
    Question(
        'A paper says that B0 needs 0.39B "FLOPs". What does this course call that number?',
        (
            Choice(
                f"{_B0.macs / 2e6:.0f} million MACs",
                "You halved it. What the paper counts are MACs already, although its word promises something "
                "else.",
            ),
            Choice(
                f"{_B0.macs / 1e6:.0f} million MACs",
                "The paper counts a multiplication and the addition after it as one. That is a MAC.",
                right=True,
            ),
            Choice(
                f"{2 * _B0.macs / 1e6:.0f} million MACs",
                "That is the number of single multiplications and additions. A MAC is one of each.",
            ),
        ),
    ),
    Question(
        "What does an x of shape (N, C, H, W) = (8, 3, 224, 240) hold?",
        (
            Choice(
                "8 colour images, 240 pixels high and 224 wide", "Height comes before width in this order."
            ),
            Choice(
                "3 images with 8 channels", "N, the number of images in the batch, comes first; C is second."
            ),
            Choice(
                "8 colour images, 224 pixels high and 240 wide",
                "N images, C channels, height, width.",
                right=True,
            ),
        ),
    ),
    Question(
        "In this course's figures, what does a hollow marker mean?",
        (
            Choice("a published number", "Somebody printed it, and its source is one step away.", right=True),
            Choice("a measured number", "A measured number is a filled marker, with its interval."),
            Choice("a computed number", "Computed numbers are lines: they are exact and need no marker."),
        ),
    ),
    Question(
        f"The expansion of B0's second stage is {spec('efficientnet_b0').stages[1].expansion}. With c_in = "
        "16, what is c_mid?",
        (
            Choice("16", "That is c_in, what goes into the block."),
            Choice("24", "That is c_out, what leaves the block."),
            Choice(
                "96",
                "c_mid is c_in times the expansion: the block works on more channels inside.",
                right=True,
            ),
        ),
    ),
)
