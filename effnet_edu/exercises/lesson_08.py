"""The exercises and the quiz of lesson 08."""

import math
import random
from collections.abc import Callable

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.questions import Choice, Question

LESSON = "08_your_own_photographs"
#: 95% of a normal distribution lie within so many standard deviations.
_Z = 1.96


def pictures_to_hold_out(accuracy: float, margin: float) -> int:
    """Return how many pictures tell an accuracy to within a margin, with 95%."""
    return math.ceil(_Z**2 * accuracy * (1 - accuracy) / margin**2)


def leaked(learned: list[int], held_out: list[int]) -> int:
    """Return how many held-out pictures are of an occasion that was learned from."""
    return sum(occasion in learned for occasion in held_out)


def balanced_accuracy(confusion: list[list[int]]) -> float:
    """Return the mean over the classes of the share that is right."""
    shares = [row[label] / sum(row) for label, row in enumerate(confusion) if sum(row)]
    return sum(shares) / len(shares)


def _rounded(
    x: float,
    low: float,
    high: float,
    *,
    steps: int = 255,
    cut: bool = True,
    zero: float | None = None,
    to_level: Callable[[float], int] = round,
) -> float:
    """Return a level near x, with one thing done otherwise."""
    step = (high - low) / steps
    inside = min(max(x, low), high) if cut else x
    return low + to_level((inside - (low if zero is None else zero)) / step) * step


def _cut_after_dividing(x: float, low: float, high: float) -> float:
    """Return the level below x; at `high`, other digits than when x is cut to the range before."""
    step = (high - low) / 255
    return low + int(min(max((x - low) / step, 0), 255)) * step


def _draw_margin(generator: random.Random) -> tuple[float, float]:
    return generator.uniform(0.55, 0.98), generator.uniform(0.01, 0.1)


def _draw_occasions(generator: random.Random) -> tuple[list[int], list[int]]:
    occasions = range(generator.randint(3, 12))
    learned, held_out = generator.randint(4, 20), generator.randint(2, 8)
    return generator.choices(occasions[: len(occasions) * 2 // 3 + 1], k=learned), generator.choices(
        occasions, k=held_out
    )


def _draw_confusion(generator: random.Random) -> tuple[list[list[int]]]:
    classes = generator.randint(2, 5)
    rows = [[generator.randint(0, 6) for _ in range(classes)] for _ in range(classes)]
    for label, row in enumerate(rows):  # the usual case: most are right, and one class is large
        row[label] += generator.randint(1, 12) * (5 if label == 0 else 1)
    return (rows,)


def _draw_value(generator: random.Random) -> tuple[float, float, float]:
    low, high = generator.uniform(-3, -0.1), generator.uniform(1, 9)
    return generator.uniform(low - 1, high + 1), low, high


def _occasions(learned: list[int], held_out: list[int]) -> int:
    return len(set(learned) & set(held_out))


def _overall(confusion: list[list[int]]) -> float:
    return sum(row[label] for label, row in enumerate(confusion)) / sum(map(sum, confusion))


def _by_column(confusion: list[list[int]]) -> float:
    return balanced_accuracy([list(column) for column in zip(*confusion, strict=True)])


def _empty_as_wrong(confusion: list[list[int]]) -> float:
    return sum(row[label] / max(sum(row), 1) for label, row in enumerate(confusion)) / len(confusion)


PICTURES_TO_HOLD_OUT = Exercise(
    name="pictures_to_hold_out",
    lesson=LESSON,
    title="How many must be held out?",
    difficulty="easy",
    minutes=5,
    task="A share p that was found on n pictures is uncertain by about `1.96 * sqrt(p * (1 - p) / n)` to "
    "each side, in 95 of 100 cases. Turn that around: how many pictures tell an expected accuracy to within "
    "`margin` to each side? Both are shares from 0 to 1. `math.ceil` rounds up to a whole picture.",
    template="def pictures_to_hold_out(accuracy, margin):\n"
    '    """Return the smallest number of held-out pictures that is enough."""\n'
    "    return <answer>",
    answers=("math.ceil(1.96**2 * accuracy * (1 - accuracy) / margin**2)",),
    hints=(
        "Set `margin` equal to the formula and solve for n.",
        "Square both sides: `margin**2 == 1.96**2 * p * (1 - p) / n`.",
    ),
    checker=FunctionCheck(
        reference=pictures_to_hold_out,
        draw=_draw_margin,
        arguments=("accuracy", "margin"),
        edges=((0.9, 0.05), (0.5, 0.1), (0.97, 0.03), (0.9, 0.5)),
        whole=True,
        mistakes=(
            (
                lambda accuracy, margin: math.ceil(_Z * accuracy * (1 - accuracy) / margin),
                "The squares are missing: half the margin takes four times the pictures.",
            ),
            (
                lambda accuracy, margin: math.ceil(_Z * math.sqrt(accuracy * (1 - accuracy)) / margin),
                "This is the root of the right number. Square both sides of the formula.",
            ),
            (
                lambda accuracy, margin: math.ceil(accuracy * (1 - accuracy) / margin**2),
                "The 1.96 is missing: one standard deviation to each side holds 68%, not 95%.",
            ),
            (
                lambda accuracy, margin: math.ceil(_Z**2 * accuracy / margin**2),
                "The factor 1 - accuracy is missing: where nearly all are right, little is uncertain.",
            ),
            (
                lambda _accuracy, margin: math.ceil(_Z**2 / 4 / margin**2),
                "It leaves the accuracy out. This is the worst case, which is an accuracy of 50%.",
            ),
            (
                lambda accuracy, margin: math.ceil(4 * _Z**2 * accuracy * (1 - accuracy) / margin**2),
                "This takes `margin` for the whole width. It is the distance to each side.",
            ),
            (
                lambda accuracy, margin: math.floor(_Z**2 * accuracy * (1 - accuracy) / margin**2),
                "It rounds down, which is one picture too few. Use `math.ceil`.",
            ),
            (
                lambda accuracy, margin: round(_Z**2 * accuracy * (1 - accuracy) / margin**2),
                "It rounds to the nearest number, which is often one picture too few. Use `math.ceil`.",
            ),
            (
                lambda accuracy, margin: math.ceil(_Z**2 * accuracy * (1 - accuracy) / margin),
                "The margin enters with its square, as 1.96 does: half of it takes four times the pictures.",
            ),
            (
                lambda accuracy, margin: math.ceil(_Z * accuracy * (1 - accuracy) / margin**2),
                "1.96 enters with its square, as the margin does.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"To know an accuracy of 90% to within 5 points takes {answer(0.9, 0.05)} held-out pictures, and to "
        f"within 1 point {answer(0.9, 0.01):,}. A dozen pictures tell a usable network from a useless one, "
        "and hardly more."
    ),
)

LEAKED = Exercise(
    name="leaked",
    lesson=LESSON,
    title="Find the leak",
    difficulty="easy",
    minutes=5,
    task="Each picture has the number of the occasion on which it was taken: of its burst, its day, or its "
    "patient. Count the held-out pictures of an occasion that the network also learned from.",
    template="def leaked(learned, held_out):\n"
    '    """Return the number of held-out pictures whose occasion is in the list `learned`."""\n'
    "    return <answer>",
    answers=("sum(occasion in learned for occasion in held_out)",),
    hints=(
        "Go through the held-out pictures, one by one. Which of them have a relative in `learned`?",
        "`occasion in learned` is True or False, and `sum` counts True as 1.",
    ),
    checker=FunctionCheck(
        reference=leaked,
        draw=_draw_occasions,
        arguments=("learned", "held_out"),
        edges=(([1, 2], []), ([], [1, 2]), ([1, 1, 2], [1, 1, 3]), ([4], [4])),
        mistakes=(
            (
                _occasions,
                "It counts occasions. One occasion may have several held-out pictures, and each counts.",
            ),
            (
                lambda learned, held_out: sum(occasion in held_out for occasion in learned),
                "It counts the pictures that were learned from. The held-out ones are spoiled.",
            ),
            (
                lambda learned, held_out: sum(occasion not in learned for occasion in held_out),
                "It counts the held-out pictures that are clean.",
            ),
            (
                lambda learned, held_out: sum(map(learned.count, held_out)),
                "It counts pairs. A held-out picture with three relatives is still one picture.",
            ),
            (
                lambda learned, held_out: (
                    sum(occasion in learned for occasion in held_out) / max(len(held_out), 1)
                ),
                "This is a share. The task asks for a number of pictures.",
            ),
        ),
    ),
    shows=lambda answer: (
        "Of five held-out pictures of the occasions 1, 1, 2, 3 and 7, "
        f"{answer([1, 2, 4], [1, 1, 2, 3, 7]):g} are spoiled when 1, 2 and 4 were learned from. Move whole "
        "occasions to one side, and none are."
    ),
)

BALANCED_ACCURACY = Exercise(
    name="balanced_accuracy",
    lesson=LESSON,
    title="Ninety percent, of what?",
    difficulty="medium",
    minutes=6,
    task='With 90 cats and 10 dogs, a network that says "cat" to everything is right for 90%. Balanced '
    "accuracy is the mean over the classes of each class's own share, which gives it 50%. Each row of "
    "`confusion` is a class, each column an answer. A class without a picture has no share; leave it out.",
    template="def balanced_accuracy(confusion):\n"
    '    """Return the mean over classes of the share that is right: [[90, 0], [10, 0]] -> 0.5."""\n'
    "    shares = [<answer> for label, row in enumerate(confusion) if sum(row)]\n"
    "    return <answer>",
    answers=("row[label] / sum(row)", "sum(shares) / len(shares)"),
    hints=(
        "What is right is on the diagonal: `row[label]`.",
        "How many pictures has the class of this row?",
        "Divide the two, then take the mean of the list.",
    ),
    checker=FunctionCheck(
        reference=balanced_accuracy,
        draw=_draw_confusion,
        arguments=("confusion",),
        edges=(([[90, 0], [10, 0]],), ([[5, 5], [0, 0]],), ([[1]],), ([[8, 2, 0], [0, 3, 1], [0, 0, 0]],)),
        mistakes=(
            (
                _overall,
                "This is plain accuracy: a class with more pictures counts more.",
            ),
            (
                _by_column,
                "It divides by the columns, which gives the share of each answer that is right. Rows are "
                "classes.",
            ),
            (
                lambda confusion: (
                    sum(row[label] / len(row) for label, row in enumerate(confusion) if sum(row))
                    / len([row for row in confusion if sum(row)])
                ),
                "It divides by the number of classes. A class's share is of its pictures: `sum(row)`.",
            ),
            (
                _empty_as_wrong,
                "A class without a picture counts as wrong here. Divide by the shares that there are.",
            ),
            (
                lambda confusion: sum(
                    row[label] / sum(row) for label, row in enumerate(confusion) if sum(row)
                ),
                "It adds the shares up. Take their mean.",
            ),
            (
                lambda confusion: max(
                    row[label] / sum(row) for label, row in enumerate(confusion) if sum(row)
                ),
                "This is the share of the best class. Take the mean over all classes.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"The network that says cat to everything has {answer([[90, 0], [10, 0]]):.0%}, which is what "
        "guessing gets. `fine_tune` gives all classes the same weight in its loss for this reason."
    ),
)

ROUNDED = Exercise(
    name="rounded",
    lesson=LESSON,
    title="Eight bits",
    difficulty="medium",
    minutes=6,
    task="An engine that works in 8 bits keeps of each number only the nearest of 256 levels. The first "
    "level is `low`, the last is `high`, and between two neighbours lies one step. What is outside becomes "
    "the nearer end. Write the step, the level from 0 to 255 that a number x becomes, and its value.",
    template="def rounded(x, low, high):\n"
    '    """Return the level that is nearest to x, as a number from `low` to `high`."""\n'
    "    step = <answer>\n"
    "    level = <answer>\n"
    "    return <answer>",
    answers=("(high - low) / 255", "round((min(max(x, low), high) - low) / step)", "low + level * step"),
    hints=(
        "Between 256 levels there are 255 steps.",
        "Cut x to the range first: `min(max(x, low), high)`.",
        "How many steps lie between `low` and that? Round it to a whole number.",
    ),
    checker=FunctionCheck(
        reference=_rounded,
        draw=_draw_value,
        arguments=("x", "low", "high"),
        edges=((0.0, 0.0, 6.0), (6.0, 0.0, 6.0), (7.5, 0.0, 6.0), (-1.0, 0.0, 6.0), (2.99, 0.0, 6.0)),
        mistakes=(
            (
                lambda x, low, high: _rounded(x, low, high, steps=256),
                "It makes 256 steps, and so 257 levels: between 256 levels there are 255 steps.",
            ),
            (
                lambda x, low, high: _rounded(x, low, high, cut=False),
                "What lies outside of the range stays outside. It has no level; cut it to the nearer end.",
            ),
            (
                lambda x, low, high: _rounded(x, low, high, steps=256, cut=False),
                "It makes 256 steps where 255 lie between 256 levels, and what lies outside stays outside.",
            ),
            (
                lambda x, low, high: _rounded(x, low, high, to_level=math.floor),
                "It cuts the fraction off, so that every number becomes smaller. Round to the nearest level.",
            ),
            (
                _cut_after_dividing,
                "It cuts the fraction off, so that every number becomes smaller. Round to the nearest level.",
            ),
            (
                lambda x, low, high: _rounded(x, low, high, zero=0),
                "Levels count from `low`: subtract it before you divide.",
            ),
            (
                lambda x, low, high: 255 * (_rounded(x, low, high) - low) / (high - low),
                "This is the number of the level, from 0 to 255. Return its value: `low` and so many steps.",
            ),
            (
                lambda x, low, high: _rounded(x, low, high) - low,
                "The first level is `low`, not 0: add it to the steps.",
            ),
            (
                lambda x, low, high: _rounded(x, low, high, steps=127),
                "These are 128 levels, which is 7 bits.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"With a range from 0 to 6, as ReLU6 has, 1 becomes {answer(1, 0, 6):.3f}. One value of 60 among the "
        f"calibration pictures makes the range ten times as wide, and 1 becomes {answer(1, 0, 60):.3f}: the "
        "rarest value decides how coarse all others are."
    ),
)

EXERCISES = (PICTURES_TO_HOLD_OUT, LEAKED, BALANCED_ACCURACY, ROUNDED)

QUIZ = (
    Question(
        "Your network is right on 11 of 12 held-out pictures. What do you know of its accuracy?",
        (
            Choice(
                "It is 92%.",
                "That is the share of these 12. On others like them it may be a good deal lower or higher.",
            ),
            Choice(
                "It is probably somewhere between two thirds and nearly all.",
                "So wide is the 95% interval of 11 in 12. It is enough to tell the network from guessing.",
                right=True,
            ),
            Choice(
                "Nothing: twelve pictures are too few.",
                "They are few, but guessing between two classes would hardly ever get 11 of 12 right.",
            ),
        ),
    ),
    Question(
        "You have 300 photographs from ten afternoons. How do you hold some out?",
        (
            Choice(
                "all photographs of two afternoons",
                "New photographs will be from other afternoons, so the test should be as well.",
                right=True,
            ),
            Choice(
                "a random fifth of the photographs",
                "Then nearly each has a twin of the same afternoon among those that were learned from.",
            ),
            Choice(
                "the two or three afternoons on which the network is wrong most often",
                "Then the test is harder than what comes, and the network misses what it most needs to see.",
            ),
        ),
    ),
    Question(
        "Why is it quick to try many classifiers on a frozen network?",
        (
            Choice(
                "A frozen network has fewer MACs.",
                "It has as many. They are done once for each picture.",
            ),
            Choice(
                "Only the classifier is run.",
                "The whole network has to run once for each picture, before the classifier can.",
            ),
            Choice(
                "Its features of a picture never change, so they are computed once and kept.",
                "What is left to fit is one matrix, which takes a moment.",
                right=True,
            ),
        ),
    ),
    Question(
        "What did our study of int8 find noisiest, with the same networks on the same seeds?",
        (
            Choice(
                "squeeze-and-excitation",
                "Its effect on the noise is not decided. Lite leaves it out since some accelerators lack it.",
            ),
            Choice(
                "SiLU in place of ReLU6",
                "ReLU6 ends at 6, so that the levels stay close together. SiLU has no such bound.",
                right=True,
            ),
            Choice(
                "one step for all channels of a weight",
                "It adds less noise on average. It is a risk: now and then one wide channel spoils a layer.",
            ),
        ),
    ),
    Question(
        "The picture of where the network looks is bright on the lawn, not on the dog. What now?",
        (
            Choice(
                "Nothing, as long as the answer is right.",
                "It will be wrong when a cat sits on a lawn, and your held-out pictures may have none.",
            ),
            Choice(
                "Train longer.",
                "The lawn tells the classes apart in your pictures. Training longer makes it surer of that.",
            ),
            Choice(
                "Take pictures of dogs without lawn and of lawn without dogs, and measure on them.",
                "The map raises a suspicion; only pictures that separate the two can confirm it.",
                right=True,
            ),
        ),
    ),
)
