"""Exercises and quiz of lesson 06."""

import random
import statistics
from collections.abc import Sequence

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.numbers import NumberCheck
from effnet_edu.exercises.questions import Choice, Question
from effnet_edu.model.cost import cost
from effnet_edu.published import read

LESSON = "06_benchmarks"


def images_per_second(milliseconds: float, batch_size: int) -> float:
    """Return the throughput that a time of a batch means."""
    return 1000 * batch_size / milliseconds


def fair_time(times: Sequence[float], warmup: int) -> float:
    """Return the middle of the runs that came after warming up."""
    return statistics.median(times[warmup:])


def best_within(networks: Sequence[tuple[float, float]], budget: float) -> float:
    """Return the best accuracy that a budget buys, or 0 if it buys none."""
    return max((top1 for milliseconds, top1 in networks if milliseconds <= budget), default=0)


def _training_hours(network: str) -> float:
    return read("v2_table7_results").row(network=network).number("training_hours_32_tpu_cores")


def _inference_ms(network: str) -> float:
    return read("v2_table10_same_training").row(network=network).number("inference_ms")


def _same_recipe_hours(network: str) -> float:
    return read("v2_table10_same_training").row(network=network).number("training_hours")


def same_recipe_speedup() -> float:
    """Return how many times faster V2-M trains than B7 where both are trained with the same recipe."""
    return _same_recipe_hours("EfficientNet-B7") / _same_recipe_hours("EfficientNetV2-M")


def _draw_times(generator: random.Random) -> tuple[list[float], int]:
    """Draw runs of which the first are not always the slowest, and which are interrupted at times."""
    warmup = generator.randint(0, 3)
    first = [generator.uniform(5, 200) for _ in range(warmup)]
    rest = [generator.lognormvariate(3.0, 0.25) for _ in range(generator.randint(4, 13))]
    return first + [time * generator.choice((1, 1, 1, 5)) for time in rest], warmup


def _draw_networks(generator: random.Random) -> tuple[list[tuple[float, float]], float]:
    count = generator.randint(2, 8)
    networks = [(float(generator.randint(5, 90)), generator.randint(700, 860) / 10) for _ in range(count)]
    if generator.random() < 0.3:  # exactly on the edge
        return networks, networks[0][0]
    return networks, float(generator.randint(1, 100))


def _cheapest(networks: Sequence[tuple[float, float]], budget: float) -> float:
    within = [pair for pair in networks if pair[0] <= budget]
    return min(within)[1] if within else 0


def _slowest(networks: Sequence[tuple[float, float]], budget: float) -> float:
    within = [pair for pair in networks if pair[0] <= budget]
    return max(within)[1] if within else 0


IMAGES_PER_SECOND = Exercise(
    name="images_per_second",
    lesson=LESSON,
    title="From milliseconds to throughput",
    difficulty="easy",
    minutes=3,
    task="A batch of `batch_size` images takes `milliseconds`. Write how many images the device handles in a "
    "second.",
    template="def images_per_second(milliseconds, batch_size):\n"
    '    """Return the throughput in images per second."""\n'
    "    return <answer>",
    answers=("1000 * batch_size / milliseconds",),
    hints=(
        "How many batches fit into a second?",
        "A second has 1000 milliseconds, so `1000 / milliseconds` batches fit into it.",
    ),
    checker=FunctionCheck(
        reference=images_per_second,
        draw=lambda generator: (generator.uniform(0.5, 900), generator.choice((2, 4, 8, 16, 64, 256))),
        arguments=("milliseconds", "batch_size"),
        edges=((1000.0, 1), (20.0, 1), (1.0, 64)),
        mistakes=(
            (
                lambda milliseconds, _batch_size: 1000 / milliseconds,
                "This counts batches in a second. Each of them holds `batch_size` images.",
            ),
            (
                lambda milliseconds, batch_size: batch_size / milliseconds,
                "This is images in a millisecond. A second has 1000 of them.",
            ),
            (
                lambda milliseconds, batch_size: milliseconds / batch_size,
                "This is the time of one image. Throughput is the other way round: images over time.",
            ),
            (
                lambda milliseconds, batch_size: 1000 / (milliseconds * batch_size),
                "The batch belongs above the line: more images in the same time is faster.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"A batch of 1 in 20 ms is {answer(20, 1):.0f} images/s, and a batch of 64 in 320 ms is "
        f"{answer(320, 64):.0f}: four times the throughput, and sixteen times as long to wait."
    ),
)

_RUNS = (190, 35, 20, 21, 20, 60, 22)

FAIR_TIME = Exercise(
    name="fair_time",
    lesson=LESSON,
    title="One number out of many runs",
    difficulty="medium",
    minutes=5,
    task="`times` lists how long each run took, in order. The first `warmup` runs do not count. Write the "
    "middle of the others, which a few slow ones cannot move.",
    template="def fair_time(times, warmup):\n"
    '    """Return the median time after warming up."""\n'
    "    return <answer>",
    answers=("statistics.median(times[warmup:])",),
    hints=(
        "A slice leaves out the start of a list.",
        "`statistics.median` takes the middle, also of an even number of runs.",
        "`times[warmup:]` are the runs that count.",
    ),
    checker=FunctionCheck(
        reference=fair_time,
        draw=_draw_times,
        arguments=("times", "warmup"),
        edges=(([20.0], 0), ([90.0, 20.0], 1), ([10.0, 20.0, 30.0, 40.0], 1), ([5.0, 5.0, 5.0], 0)),
        mistakes=(
            (
                lambda times, _warmup: statistics.median(times),
                "The first runs are still in it. Leave out the first `warmup` of them.",
            ),
            (
                lambda times, warmup: statistics.mean(times[warmup:]),
                "This is the mean: one run that was interrupted pulls it up. Take the middle run.",
            ),
            (
                lambda times, _warmup: min(times),
                "This is the luckiest run. Nobody can count on it.",
            ),
            (
                lambda times, warmup: min(times[warmup:]),
                "This is the luckiest run after warming up. Nobody can count on it.",
            ),
            (
                lambda times, warmup: statistics.median(sorted(times)[warmup:]),
                "It sorts before leaving out, so the fastest runs are lost instead of the first ones.",
            ),
            (
                lambda times, warmup: statistics.median(sorted(times)[: len(times) - warmup]),
                "It leaves out the slowest runs, whenever they came. Leave out the first `warmup` of them.",
            ),
            (
                lambda times, warmup: statistics.median(times[: len(times) - warmup]),
                "It leaves out the last runs. Those that warm up are the first ones.",
            ),
            (
                lambda times, warmup: sorted(times[warmup:])[len(times[warmup:]) // 2],
                "Right for an odd number of runs. For an even number the median is halfway between the two "
                "in the middle.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"Of the runs {', '.join(map(str, _RUNS))} ms it makes {answer(list(_RUNS), 2):.0f} ms. The mean of "
        f"all is {statistics.mean(_RUNS):.0f} ms, which no run took."
    ),
)

BEST_WITHIN = Exercise(
    name="best_within",
    lesson=LESSON,
    title="What a budget buys",
    difficulty="medium",
    minutes=6,
    task="`networks` is a list of pairs `(milliseconds, top1)`. Write the best top-1 among those that take "
    "no more than `budget` milliseconds, and 0 if there is none.",
    template="def best_within(networks, budget):\n"
    '    """Return the best top-1 within the budget, or 0."""\n'
    "    allowed = <answer>\n"
    "    return <answer>",
    answers=(
        "[top1 for milliseconds, top1 in networks if milliseconds <= budget]",
        "max(allowed, default=0)",
    ),
    hints=(
        "First keep what is allowed, then take the best of it.",
        "A list with a condition: `[... for milliseconds, top1 in networks if ...]`.",
        "`max(allowed, default=0)` also knows an empty list.",
    ),
    checker=FunctionCheck(
        reference=best_within,
        draw=_draw_networks,
        arguments=("networks", "budget"),
        edges=(
            ([], 10.0),
            ([(20.0, 75.0)], 10.0),
            ([(20.0, 75.0)], 20.0),
            ([(20.0, 75.0), (20.0, 77.0), (9.0, 77.0)], 20.0),
        ),
        mistakes=(
            (
                lambda networks, budget: max((top1 for ms, top1 in networks if ms < budget), default=0),
                "A network that takes exactly the budget is allowed: `<=`, not `<`.",
            ),
            (
                lambda networks, budget: max(top1 for ms, top1 in networks if ms <= budget),
                "Where nothing fits, `max` has nothing to choose from and stops. Return 0 then.",
            ),
            (
                lambda networks, _budget: max((top1 for _, top1 in networks), default=0),
                "This is the best of all networks. The budget has to leave some of them out.",
            ),
            (
                lambda networks, _budget: max(top1 for _, top1 in networks),
                "This is the best of all networks. The budget has to leave some of them out.",
            ),
            (
                _cheapest,
                "This is the accuracy of the fastest network. Which is the most accurate that fits?",
            ),
            (
                _slowest,
                "This takes the slowest network that fits. Slower does not always mean more accurate.",
            ),
        ),
    ),
    shows=lambda _answer: (
        "This is the whole arithmetic of choosing a network. What makes it honest is the list: every time in "
        "it measured on the same device, at the same batch and precision."
    ),
)

SAME_RECIPE_SPEEDUP = Exercise(
    name="same_recipe_speedup",
    lesson=LESSON,
    title="What is left of 11 times",
    difficulty="medium",
    minutes=6,
    task='V2-M is said to train "11x faster" than B7. How many times faster is it where both are trained '
    "with the same recipe? The hours of table 10 are there already.",
    template='table = ee.published.read("v2_table10_same_training")\n'
    'hours = {row["network"]: row["training_hours"] for row in table}\n'
    "same_recipe_speedup = <answer>",
    answers=('hours["EfficientNet-B7"] / hours["EfficientNetV2-M"]',),
    hints=(
        "Print `hours` to see the names of the two networks.",
        "Divide the hours of the slower one by those of the faster one.",
    ),
    checker=NumberCheck(
        value=same_recipe_speedup,
        variable="same_recipe_speedup",
        tolerance=0.02,
        mistakes=(
            (
                lambda: _training_hours("EfficientNet-B7") / _training_hours("EfficientNetV2-M"),
                "These are the hours of table 7, where B7 has its old recipe and V2-M a new one. Take table "
                "10.",
            ),
            (
                lambda: 1 / same_recipe_speedup(),
                "The quotient is upside down: the slower one belongs above the line.",
            ),
            (
                lambda: _same_recipe_hours("EfficientNet-B7") - _same_recipe_hours("EfficientNetV2-M"),
                "These are the hours saved. The question asks how many times faster it is.",
            ),
            (
                lambda: _inference_ms("EfficientNet-B7") / _inference_ms("EfficientNetV2-M"),
                "This is how much faster inference is. The question asks for training.",
            ),
        ),
    ),
    shows=lambda _answer: (
        f"{same_recipe_speedup():.1f} times. The new recipe alone takes B7 from "
        f"{_training_hours('EfficientNet-B7'):.0f} to {_same_recipe_hours('EfficientNet-B7'):.0f} hours. Of "
        "the printed 11 times, the network gives about four and the recipe the rest."
    ),
)

EXERCISES = (IMAGES_PER_SECOND, FAIR_TIME, BEST_WITHIN, SAME_RECIPE_SPEEDUP)

_MACS = {name: cost(name).macs for name in ("efficientnet_b0", "efficientnet_b7")}
_RATIOS = [row.number("parameters_ratio") for row in read("effnet_table2") if row["parameters_ratio"] != 1]

QUIZ = (
    Question(
        '"Up to 8.4x smaller." What is compared there?',
        (
            Choice(
                "the parameters of B7 and of GPipe, at the same top-1",
                f"It is the largest of {len(_RATIOS)} ratios in table 2; the middle one is "
                f"{statistics.median(_RATIOS):.1f}.",
                right=True,
            ),
            Choice(
                "the file sizes of B0 and ResNet-50",
                "B0 against ResNet-50 gives 4.9 in parameters. The 8.4 belongs to the largest pair.",
            ),
            Choice(
                "the memory that both need while they run",
                "Parameters are a part of it. At these image sizes, feature maps take most of the memory.",
            ),
        ),
    ),
    Question(
        "You time a network on a GPU with two calls of a clock around `net(image)`, and it takes 0.1 ms. "
        "What did you measure?",
        (
            Choice("the time of the network", "It may still be running when the clock is read."),
            Choice(
                "how long it takes to queue the work",
                "The call returns before the work is done. Wait for the device before reading the clock.",
                right=True,
            ),
            Choice(
                "the time to copy the image to the GPU",
                "The image was there already. The call only hands over a list of work.",
            ),
        ),
    ),
    Question(
        "One report says 5 ms for a network, another says 40 ms for the same one on the same device. "
        "What do you ask first?",
        (
            Choice("which random seed", "Time hardly depends on the values that are multiplied."),
            Choice("how many classes it was trained for", "The classifier is a tiny part of the work."),
            Choice(
                "which batch size, precision and image size",
                "A batch of 8 takes longer than a batch of 1, and may still have the better throughput.",
                right=True,
            ),
        ),
    ),
    Question(
        "B0 has about ten times fewer MACs than ResNet-50. Why is it not ten times as fast?",
        (
            Choice("its MACs are counted differently", "Both are counted by the same rule."),
            Choice(
                "its depthwise and small layers take far more of the time than of the MACs",
                "They reach little of what the device allows: their kernels are slow, or they are too small, "
                "or they move too many bytes. Norms and activations take time without any MAC.",
                right=True,
            ),
            Choice(
                "it has more parameters",
                f"It has fewer: {cost('efficientnet_b0').parameters / 1e6:.1f} million.",
            ),
        ),
    ),
    Question(
        "The same ResNet-50 is printed with 76.1% and with 80.9%. What changed?",
        (
            Choice(
                "the recipe of training, and nothing in the network",
                "Longer training, stronger augmentation and better schedules. Compare networks only with "
                "recipes of one time.",
                right=True,
            ),
            Choice("the network got wider", "Parameters and MACs are the same."),
            Choice("one of them is a misprint", "Both sets of weights can be downloaded and tested."),
        ),
    ),
    Question(
        "Your service must answer within 20 ms, one image at a time, on a CPU. Which number decides?",
        (
            Choice(
                "throughput at batch 256 on a GPU",
                "Another device and another question: how many images per second, not how long one takes.",
            ),
            Choice(
                f"MACs: B7 has {_MACS['efficientnet_b7'] / _MACS['efficientnet_b0']:.0f} times those of B0",
                "They rank networks of one family roughly, and say nothing in milliseconds.",
            ),
            Choice(
                "latency at batch 1 on that CPU",
                "Only this one says how long somebody waits. Measure it there, several times, warm.",
                right=True,
            ),
        ),
    ),
)
