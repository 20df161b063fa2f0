"""Exercises and quiz of lesson 06."""

import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.questions import Choice, Question
from effnet_edu.model.cost import cost
from effnet_edu.published import read

LESSON = "06_benchmarks"


def fair_time(times: Sequence[float], warmup: int) -> float:
    """Return the middle of the runs that came after warming up."""
    return statistics.median(times[warmup:])


def batch_to_serve(times: Mapping[int, float], budget: float) -> int:
    """Return the batch size that answers the most images a second within a budget, or 0 if none does."""
    allowed = [size for size, milliseconds in times.items() if milliseconds <= budget]
    return max(allowed, key=lambda size: size / times[size], default=0)


def fair_lead(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    """Return the mean lead of one network over another in the recipes that both were trained with."""
    return statistics.mean(ours[recipe] - theirs[recipe] for recipe in ours if recipe in theirs)


def _late(times: Sequence[float], budget: float) -> float:
    """Return the share of runs that took longer than the budget."""
    return sum(time > budget for time in times) / len(times)


def _surely(gained: int, lost: int) -> bool:
    """Return whether so many more pictures right are more than chance: beyond two standard errors."""
    return gained - lost > 2 * math.sqrt(gained + lost)


def choice_to_defend(
    right: Sequence[Sequence[bool]],
    times: Sequence[Sequence[float]],
    budget: float,
    fits: Callable[[Sequence[float], float], bool] = lambda times, budget: _late(times, budget) <= 0.05,
    better: Callable[[int, int], bool] = _surely,
) -> int:
    """Return which network to ship: from the fastest on, one that is surely better replaces the choice.

    Args:
        right: For each network, whether it named each picture correctly.
        times: For each network, the milliseconds of its runs.
        budget: The milliseconds that an answer may take.
        fits: Whether runs keep within a budget.
        better: Whether so many pictures gained and lost are better.
    """
    fitting = [n for n in range(len(times)) if fits(times[n], budget)]
    choice = -1
    for n in sorted(fitting, key=lambda n: statistics.median(times[n])):
        pairs = list(zip(right[n], right[choice], strict=True)) if choice >= 0 else []
        gained, lost = sum(new > old for new, old in pairs), sum(new < old for new, old in pairs)
        if choice < 0 or better(gained, lost):
            choice = n
    return choice


def _draw_times(generator: random.Random) -> tuple[list[float], int]:
    """Draw runs of which the first are not always the slowest, and which are interrupted at times."""
    warmup = generator.randint(0, 3)
    first = [generator.uniform(5, 200) for _ in range(warmup)]
    rest = [generator.lognormvariate(3.0, 0.25) for _ in range(generator.randint(4, 13))]
    return first + [time * generator.choice((1, 1, 1, 5)) for time in rest], warmup


def _draw_batches(generator: random.Random) -> tuple[dict[int, float], float]:
    """Draw times of batches: throughput rises with the batch, then falls, and large ones may not fit."""
    sizes = generator.sample((1, 2, 4, 8, 16, 32, 64), generator.randint(2, 6))
    fixed, each, crowded = generator.uniform(1, 40), generator.uniform(1, 9), generator.choice((0, 0.1, 1))
    times = {size: round(fixed + each * size + crowded * size**2, 1) for size in sizes}
    budget = generator.choice((generator.uniform(5, 400), generator.choice(list(times.values()))))
    return times, round(budget, 1)


def _draw_recipes(generator: random.Random) -> tuple[dict[str, float], dict[str, float]]:
    """Draw two networks that share some recipes, and have others of their own."""
    shared = generator.sample(("a1", "a2", "ra", "ra4"), generator.randint(1, 4))
    ours, theirs = (
        {recipe: generator.randint(7000, 8400) / 100 for recipe in (*shared, *own[: generator.randint(0, 2)])}
        for own in (("aa", "ap"), ("tv", "tv2"))
    )
    return ours, dict(sorted(theirs.items()))


def _best_of(recipes: Mapping[str, float]) -> float:
    return max(recipes.values())


def _draw_candidates(
    generator: random.Random,
) -> tuple[list[list[bool]], list[list[float]], float]:
    """Draw networks of which some are a little better, some much, and some late now and then."""
    count, pictures, runs = (
        generator.randint(1, 4),
        generator.randint(1, 80),
        generator.choice((1, 5, 20, 40)),
    )
    hard = [generator.random() for _ in range(pictures)]
    right, times = [], []
    for _ in range(count):
        skill, pace = generator.uniform(0.5, 0.95), generator.randint(10, 35)
        right.append([generator.gauss(skill, 0.15) > one for one in hard])
        times.append([pace * generator.choice((1.0, 1.1, 1.2, 1.3)) for _ in range(runs)])
        if generator.random() < 0.5:  # interrupted once, or too often
            for place in range(min(runs, generator.choice((1, 1, 3)))):
                times[-1][place] *= 4
    return right, times, 30.0


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

_BATCHES = {1: 20.0, 8: 60.0, 64: 320.0, 256: 1600.0}

BATCH_TO_SERVE = Exercise(
    name="batch_to_serve",
    lesson=LESSON,
    title="How many at once?",
    difficulty="medium",
    minutes=6,
    task="A server puts images together into batches. `times` maps a batch size to the milliseconds that "
    "such a batch takes, and no batch may take longer than `budget`. Write the batch size that answers the "
    "most images a second, and 0 if none fits.",
    template="def batch_to_serve(times, budget):\n"
    '    """Return the batch size with the highest throughput within the budget, or 0."""\n'
    "    allowed = <answer>\n"
    "    return <answer>",
    answers=(
        "[size for size, milliseconds in times.items() if milliseconds <= budget]",
        "max(allowed, key=lambda size: size / times[size], default=0)",
    ),
    hints=(
        "First keep the batch sizes that fit, then take the best of them.",
        "`size / times[size]` is the throughput in images a millisecond.",
        "`max` takes a `key`, which says what to compare, and a `default` for an empty list.",
    ),
    checker=FunctionCheck(
        reference=batch_to_serve,
        draw=_draw_batches,
        arguments=("times", "budget"),
        whole=True,
        edges=(({}, 10.0), ({1: 20.0}, 10.0), ({1: 20.0}, 20.0), ({1: 10.0, 8: 40.0, 16: 100.0}, 100.0)),
        mistakes=(
            (
                lambda times, budget: max((size for size in times if times[size] <= budget), default=0),
                "This is the largest batch that fits. Past some size a device gains nothing from more "
                "images, and each of them waits longer: compare images a second.",
            ),
            (
                lambda times, budget: min(
                    (size for size in times if times[size] <= budget), key=times.__getitem__, default=0
                ),
                "This is the batch that is done first. The question asks for the most images a second.",
            ),
            (
                lambda times, _budget: batch_to_serve(times, math.inf),
                "It never looks at the budget, so somebody waits too long.",
            ),
            (
                lambda times, budget: batch_to_serve(times, math.nextafter(budget, 0)),
                "A batch that takes exactly the budget is allowed: `<=`, not `<`.",
            ),
            (
                lambda times, budget: batch_to_serve(times, budget) or max(()),
                "Where nothing fits, `max` has nothing to choose from and stops. Return 0 then.",
            ),
            (
                lambda times, budget: max(
                    (size for size in times if times[size] <= budget),
                    key=lambda size: times[size] / size,
                    default=0,
                ),
                "This compares the time of one image, of which the smallest is the best: images over time is "
                "the throughput.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"If batches of {', '.join(map(str, _BATCHES))} take "
        f"{', '.join(f'{time:g}' for time in _BATCHES.values())} ms, {answer(_BATCHES, 100.0):.0f} is the "
        f"best within 100 ms and {answer(_BATCHES, 2000.0):.0f} if nobody minds waiting. How long the images "
        "wait until a batch is full comes on top."
    ),
)

_PUBLISHED = read("timm_since_2022").where(resolution=224)


def _recipes(network: str) -> dict[str, float]:
    """Return the published top-1 at 224 px by recipe."""
    rows = ((str(row["weights"]).partition("."), row.number("top1_percent")) for row in _PUBLISHED)
    return {recipe: top1 for (name, _, recipe), top1 in rows if name == network}


FAIR_LEAD = Exercise(
    name="fair_lead",
    lesson=LESSON,
    title="Network or recipe?",
    difficulty="medium",
    minutes=6,
    task="`ours` and `theirs` map the name of a recipe to the top-1 that a network reached with it. Write by "
    "how many points ours leads where both had the same recipe, as the mean over those recipes; below 0 if "
    "it trails. At least one recipe is in both.",
    template="def fair_lead(ours, theirs):\n"
    '    """Return the mean lead in points over the recipes that both networks had."""\n'
    "    shared = <answer>\n"
    "    return <answer>",
    answers=(
        "[recipe for recipe in ours if recipe in theirs]",
        "statistics.mean(ours[recipe] - theirs[recipe] for recipe in shared)",
    ),
    hints=(
        "A recipe that only one of them had says nothing about the networks.",
        "`recipe in theirs` asks whether a dictionary has a key.",
        "For each shared recipe, take `ours[recipe] - theirs[recipe]`; then take the mean of these.",
    ),
    checker=FunctionCheck(
        reference=fair_lead,
        draw=_draw_recipes,
        arguments=("ours", "theirs"),
        edges=(({"ra": 77.0}, {"ra": 78.0}), ({"ra": 77.0, "aa": 76.0}, {"tv": 70.0, "ra": 77.0})),
        mistakes=(
            (
                lambda ours, theirs: _best_of(ours) - _best_of(theirs),
                "This compares the best recipe of each. They can differ, and then it is no longer a "
                "comparison of networks.",
            ),
            (
                lambda ours, theirs: statistics.mean(ours.values()) - statistics.mean(theirs.values()),
                "This takes the mean over all recipes, also over those that only one of them had.",
            ),
            (
                lambda ours, theirs: fair_lead(theirs, ours),
                "The sign is turned around: a lead of ours is above 0.",
            ),
            (
                lambda ours, theirs: sum(
                    ours[recipe] - theirs[recipe] for recipe in ours if recipe in theirs
                ),
                "This is the sum over the shared recipes. Divide by how many there are.",
            ),
            (
                lambda ours, theirs: max(
                    ours[recipe] - theirs[recipe] for recipe in ours if recipe in theirs
                ),
                "This is the recipe that suits ours best. Take the mean over all that both had.",
            ),
            (
                lambda ours, theirs: statistics.mean(ours[recipe] - theirs[recipe] for recipe in ours),
                "A recipe that theirs never had stops it. Leave those out first.",
            ),
            (
                lambda ours, theirs: statistics.mean(
                    ours[recipe] - theirs[recipe] for recipe in ours.keys() | theirs.keys()
                ),
                "This takes the recipes that either of them had, and one that only one had stops it. Keep "
                "those that both had: `&`, not `|`.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"At 224 px, B0 leads ResNet-34 by {answer(_recipes('efficientnet_b0'), _recipes('resnet34')):.1f} "
        f"points and trails ResNet-50 by {-answer(_recipes('efficientnet_b0'), _recipes('resnet50')):.1f}. "
        "One recipe for each pair is little evidence, but it is fair."
    ),
)

CHOICE_TO_DEFEND = Exercise(
    name="choice_to_defend",
    lesson=LESSON,
    title="A choice that you can defend",
    difficulty="hard",
    minutes=12,
    task="`right[n]` says for each of your pictures whether network n named it correctly, the same pictures "
    "for all; `times[n]` lists the milliseconds of its runs. A network is in time if at most 5% of its runs "
    "take longer than `budget`. Begin with the fastest that is in time. Let a slower one replace it only if "
    "it is surely better: the pictures that it gains, less those that it loses, are more than twice the "
    "square root of both together. Write the number of the network to ship, or -1 if none is in time.",
    template="def choice_to_defend(right, times, budget):\n"
    '    """Return the number of the network to ship, or -1."""\n'
    "    choice = <answer>  # as long as none is in time\n"
    "    for n in sorted(range(len(times)), key=lambda n: statistics.median(times[n])):\n"
    "        late = sum(time > budget for time in times[n]) / len(times[n])\n"
    "        if <answer>:\n"
    "            continue  # it is not in time\n"
    "        if choice < 0:\n"
    "            choice = n  # the fastest that is\n"
    "            continue\n"
    "        gained = sum(new and not old for new, old in zip(right[n], right[choice], strict=True))\n"
    "        lost = sum(old and not new for new, old in zip(right[n], right[choice], strict=True))\n"
    "        if <answer>:\n"
    "            choice = n\n"
    "    return choice",
    answers=("-1", "late > 0.05", "gained - lost > 2 * math.sqrt(gained + lost)"),
    hints=(
        "The first blank is what to return where no network is in time.",
        "The second blank leaves a network out: its share of late runs is too large.",
        "Pictures that both name correctly, or both name wrongly, decide nothing. Of the others, chance "
        "alone makes gained and lost differ by about the square root of their number.",
    ),
    checker=FunctionCheck(
        reference=choice_to_defend,
        draw=_draw_candidates,
        arguments=("right", "times", "budget"),
        whole=True,
        edges=(
            ([], [], 30.0),
            ([[], []], [[20.0], [10.0]], 30.0),
            ([[True]], [[30.0]], 30.0),
            ([[True] * 9, [False] * 9], [[40.0], [50.0]], 30.0),
            ([[False] * 40, [True] * 40], [[10.0] * 20, [20.0] * 19 + [90.0]], 30.0),
            ([[False] * 4 + [True], [True] * 4 + [False]], [[10.0], [20.0]], 30.0),
        ),
        mistakes=(
            (
                lambda right, times, budget: choice_to_defend(
                    right, times, budget, lambda runs, most: statistics.median(runs) <= most
                ),
                "It lets a network in whose median is in time. Then half of all answers may be late.",
            ),
            (
                lambda right, times, budget: choice_to_defend(
                    right, times, budget, lambda runs, most: statistics.mean(runs) <= most
                ),
                "It lets a network in whose mean is in time. Many answers may be late all the same.",
            ),
            (
                lambda right, times, budget: choice_to_defend(
                    right, times, budget, lambda runs, most: max(runs) <= most
                ),
                "A single late run rules a network out here. Up to 5% of them are allowed.",
            ),
            (
                lambda right, times, budget: choice_to_defend(
                    right, times, budget, lambda runs, most: _late(runs, most) < 0.05
                ),
                "At most 5% may be late, so exactly 5% is allowed.",
            ),
            (
                lambda right, times, budget: choice_to_defend(right, times, budget, lambda *_: True),
                "No network is left out, however late it answers.",
            ),
            (
                lambda right, times, budget: choice_to_defend(
                    right, times, budget, better=lambda gained, lost: gained > lost
                ),
                "One picture more decides here, which the next pictures may turn around. The lead has to be "
                "more than twice the square root of gained and lost together.",
            ),
            (
                lambda right, times, budget: choice_to_defend(
                    right, times, budget, better=lambda gained, lost: gained - lost > math.sqrt(gained + lost)
                ),
                "Once the square root is what chance alone does to two equal networks in one of three cases. "
                "Ask for twice.",
            ),
            (
                lambda right, times, budget: choice_to_defend(right, times, budget, better=lambda *_: False),
                "It never leaves the fastest network. If yours compares with twice the sum, the square root "
                "is missing.",
            ),
            (
                lambda *_: -1,
                "It leaves every network out. Which share of late runs is too large?",
            ),
        ),
    ),
    shows=lambda _answer: (
        "Whoever asks why not the larger network, or the faster one, gets a number for an answer. With few "
        "pictures the fastest network stays, because nothing speaks against it."
    ),
)

EXERCISES = (FAIR_TIME, BATCH_TO_SERVE, FAIR_LEAD, CHOICE_TO_DEFEND)

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
                "Longer training, stronger augmentation and better schedules. Compare networks only where "
                "both had the same recipe.",
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
