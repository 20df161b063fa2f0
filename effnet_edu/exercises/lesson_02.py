"""Exercises and quiz of lesson 02."""

import math
import random
from collections.abc import Callable, Sequence
from functools import cache

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.numbers import NumberCheck
from effnet_edu.exercises.questions import Choice, Question
from effnet_edu.model.cost import cost
from effnet_edu.model.scaling import (
    ALPHA,
    BETA,
    GAMMA,
    Multipliers,
    cost_factor,
    fit_phi,
    round_channels,
    round_layers,
)
from effnet_edu.model.variants import compound, spec
from effnet_edu.published import read

LESSON = "02_compound_scaling"
BUDGET = 2e9


def implied_phi(depth: float, width: float, resolution: float, slack: float) -> float:
    """Return the mean phi of three multipliers, or -1 where the three disagree by more than some slack."""
    return _judged(_phis(depth, width, resolution), slack)


def _phis(depth: float, width: float, resolution: float) -> tuple[float, float, float]:
    found = fit_phi(Multipliers(depth, width, resolution))
    return found.depth, found.width, found.resolution


def _draw_multipliers(generator: random.Random) -> tuple[float, float, float, float]:
    """Draw the multipliers of a network near the rule, or of one that was scaled by hand."""
    phi, apart = generator.uniform(0.5, 7.0), generator.choice((0.05, 0.4))
    depth, width, resolution = (
        base ** max(0.0, phi + generator.uniform(-apart, apart)) for base in (ALPHA, BETA, GAMMA)
    )
    return depth, width, resolution, 0.25


def _compound(answer: Callable[..., float]) -> dict[str, float]:
    """Return the phi of those released networks that an answer calls compound."""
    side = spec("efficientnet_b0").resolution
    networks = {f"B{number}": spec(f"efficientnet_b{number}") for number in range(1, 8)}
    found = {
        name: answer(one.depth, one.width, one.resolution / side, 0.25) for name, one in networks.items()
    }
    return {name: phi for name, phi in found.items() if phi >= 0}


def _judged(phis: Sequence[float], slack: float, spread: float | None = None) -> float:
    """Return the mean of three numbers taken for phis, or -1 where their spread is larger than the slack."""
    apart = max(phis) - min(phis) if spread is None else spread
    return sum(phis) / 3 if apart <= slack else -1


def blocks_after_scaling(layers: list[int], depth: float) -> int:
    """Return the blocks of a network whose stages are scaled one by one."""
    return sum(round_layers(count, depth) for count in layers)


def largest_phi(budget: float = BUDGET) -> float:
    """Return the largest phi, in hundredths, whose network costs no more MACs than the budget."""
    return _largest_phi(budget)


@cache
def _largest_phi(budget: float = BUDGET, steps: int = 100, resolution: int | None = None) -> float:
    """Return the same in steps of another size, or at one resolution for all."""
    phis = (step / steps for step in range(7 * steps + 1))
    return max(phi for phi in phis if cost(compound(phi), resolution).macs <= budget)


def _smooth_phi() -> float:
    return math.log(BUDGET / cost("efficientnet_b0").macs) / math.log(cost_factor())


def _draw_layers(generator: random.Random) -> tuple[list[int], float]:
    layers = [generator.randint(1, 6) for _ in range(generator.randint(1, 8))]
    return layers, generator.uniform(0.6, 4.0)


def _draw_channels(generator: random.Random) -> tuple[int, float]:
    if generator.random() < 0.25:  # exactly between two multiples of 8, where rounding rules part ways
        return generator.choice((12, 20, 28, 36, 44, 52)), 1.0
    return generator.choice((8, 16, 24, 32, 40, 80, 112, 192, 320)), generator.uniform(0.3, 3.2)


def _lifted(rounded: int, whole: float) -> int:
    """Return rounded channels, or 8 more where they are less than 90% of something."""
    return rounded + 8 if rounded < 0.9 * whole else rounded


def _multiple_of_8(rounded: Callable[[float], int]) -> Callable[[int, float], int]:
    return lambda channels, width: 8 * rounded(channels * width / 8)


def _blocks(network: str) -> int:
    return spec(network).layers


IMPLIED_PHI = Exercise(
    name="implied_phi",
    lesson=LESSON,
    title="Was it made by one phi?",
    difficulty="medium",
    minutes=8,
    task="Somebody publishes a network by its three multipliers and calls it compound. Decide. For each "
    "dimension solve `base ** phi = multiplier`; if the largest and the smallest of the three phis differ by "
    "at most `slack`, the network counts as compound: return their mean. Otherwise return -1.",
    template="def implied_phi(depth, width, resolution, slack):\n"
    '    """Return the mean of the three phis, or -1 where they differ by more than `slack`."""\n'
    "    pairs = ((depth, 1.2), (width, 1.1), (resolution, 1.15))  # multiplier and base\n"
    "    phis = [<answer> for multiplier, base in pairs]\n"
    "    is_compound = <answer>\n"
    "    return sum(phis) / 3 if is_compound else -1",
    answers=("math.log(multiplier) / math.log(base)", "max(phis) - min(phis) <= slack"),
    hints=(
        "Which function undoes a power? Take the logarithm of both sides of `multiplier = base ** phi`.",
        "`math.log(base ** phi)` is `phi * math.log(base)`.",
        "Compare the phis, not the multipliers: `max(phis) - min(phis)`.",
    ),
    checker=FunctionCheck(
        reference=implied_phi,
        draw=_draw_multipliers,
        arguments=("depth", "width", "resolution", "slack"),
        edges=((1.0, 1.0, 1.0, 0.0), (1.0, 1.0, 1.0, 0.25), (1.2, 1.1, 1.15, 0.25), (1.2, 1.0, 1.0, 0.25)),
        mistakes=(
            (
                lambda *given: sum(_phis(*given[:3])) / 3,
                "It calls every network compound. Where the phis lie too far apart, return -1.",
            ),
            (
                lambda *given: _judged([1 / phi for phi in _phis(*given[:3])], given[3]),
                "The quotient is upside down: the logarithm of the multiplier belongs above the line. It is "
                "0 where a multiplier is 1.",
            ),
            (
                lambda *given: _judged([math.log(multiplier) for multiplier in given[:3]], given[3]),
                "This is the logarithm of the multiplier alone. Divide by the logarithm of its base.",
            ),
            (
                lambda *given: _judged(
                    [m / base for m, base in zip(given, (ALPHA, BETA, GAMMA), strict=False)], given[3]
                ),
                "This divides the numbers themselves. phi is an exponent: divide their logarithms.",
            ),
            (
                lambda *given: _judged(
                    [math.log(m / base) for m, base in zip(given, (ALPHA, BETA, GAMMA), strict=False)],
                    given[3],
                ),
                "This is the logarithm of a quotient. Take both logarithms first, then divide.",
            ),
            (
                lambda *given: -1 if given[3] == 0 else implied_phi(*given),
                "It refuses phis that differ by exactly `slack`. At most means that this is near enough.",
            ),
            (
                lambda *given: _judged(_phis(*given[:3]), given[3], spread=max(given[:3]) - min(given[:3])),
                "It compares the multipliers. Three equal phis give three different multipliers, because the "
                "bases differ: compare the phis.",
            ),
            (
                lambda *given: _judged(
                    _phis(*given[:3]), -given[3], spread=min(_phis(*given[:3])) - max(_phis(*given[:3]))
                ),
                "It is turned around: it refuses the networks whose phis agree.",
            ),
        ),
    ),
    shows=lambda answer: (
        "Of B1 to B7, these count as compound with a slack of 0.25: "
        f"{', '.join(f'{name} at phi {phi:.2f}' for name, phi in _compound(answer).items())}. B7 implies "
        f"{', '.join(f'{phi:.1f}' for phi in _phis(3.1, 2.0, 600 / 224))}, so no single phi made it."
    ),
)

BLOCKS_AFTER_SCALING = Exercise(
    name="blocks_after_scaling",
    lesson=LESSON,
    title="How deep does it really get?",
    difficulty="medium",
    minutes=6,
    task="Write the number of blocks of a whole network after scaling. `layers` lists the layers of each "
    "stage; every stage is scaled and rounded up on its own.",
    template="def blocks_after_scaling(layers, depth):\n"
    '    """Return the blocks of the scaled network, for example of [1, 2, 2, 3, 3, 4, 1]."""\n'
    "    return <answer>",
    answers=("sum(math.ceil(depth * count) for count in layers)",),
    hints=(
        "Where does the rounding happen: once, or once per stage?",
        "`math.ceil` of each stage first, the sum after that.",
    ),
    checker=FunctionCheck(
        reference=blocks_after_scaling,
        draw=_draw_layers,
        arguments=("layers", "depth"),
        edges=(([1, 2, 2, 3, 3, 4, 1], 1.0), ([1, 2, 2, 3, 3, 4, 1], 2.0), ([4, 4], 0.25), ([1], 1.5)),
        whole=True,
        mistakes=(
            (
                lambda layers, depth: math.ceil(depth * sum(layers)),
                "It rounds up once, at the end. The released code rounds up in every stage, which costs "
                "more blocks.",
            ),
            (
                lambda layers, depth: sum(int(depth * count) + 1 for count in layers),
                "It adds one even where the product is whole: at a depth of 2 there is nothing to round up.",
            ),
            (
                lambda layers, depth: sum(round(depth * count) for count in layers),
                "It rounds to the nearest number. The released code always rounds up.",
            ),
            (
                lambda layers, depth: sum(int(depth * count) for count in layers),
                "It rounds down in every stage. The released code rounds up.",
            ),
            (
                lambda layers, depth: sum(count * math.ceil(depth) for count in layers),
                "It rounds the multiplier up before multiplying. Multiply first, then round up.",
            ),
        ),
    ),
    shows=lambda answer: (
        "B1 asks for 1.1 times the blocks and B2 for 1.2 times, and both get "
        f"{answer([stage.layers for stage in spec('efficientnet_b0').stages], 1.1)}: rounding up makes them "
        "equally deep."
    ),
)

SCALED_CHANNELS = Exercise(
    name="scaled_channels",
    lesson=LESSON,
    title="Channels in steps of 8",
    difficulty="medium",
    minutes=8,
    task="Write the rule of the released V1 code: scale, round to the nearest multiple of 8 (halfway goes "
    "up, and 8 is the least), and go one step up if that lost more than a tenth of the "
    "scaled channels.",
    template="def scaled_channels(channels, width):\n"
    '    """Return the channels of a stage after scaling by width."""\n'
    "    scaled = channels * width\n"
    "    rounded = <answer>\n"
    "    return <answer>",
    answers=("max(8, int(scaled + 4) // 8 * 8)", "rounded + 8 if rounded < 0.9 * scaled else rounded"),
    hints=(
        "Adding half a step before rounding down gives the nearest multiple.",
        "`int(scaled + 4) // 8 * 8` is the nearest multiple of 8; `max(8, ...)` keeps at least 8.",
        "At the end compare with `0.9 * scaled`.",
    ),
    checker=FunctionCheck(
        reference=round_channels,
        draw=_draw_channels,
        arguments=("channels", "width"),
        edges=((8, 0.25), (16, 1.0), (20, 1.0), (32, 2.0), (32, 1.105)),
        whole=True,
        mistakes=(
            (
                lambda channels, width: round_channels(channels, width, "nearest"),
                "The last step is missing: when rounding lost more than a tenth of the channels, go up by 8.",
            ),
            (
                lambda channels, width: max(8, 8 * round(channels * width / 8)),
                "Python's `round` goes to the even neighbour at a half, so 20 becomes 16; and check the "
                "rule of 90%.",
            ),
            (
                lambda channels, width: 8 * round(channels * width / 8),
                "Python's `round` goes to the even neighbour at a half, so 20 becomes 16; 8 channels are the "
                "least; and check the rule of 90%.",
            ),
            (
                lambda channels, width: _lifted(max(8, 8 * round(channels * width / 8)), channels * width),
                "Python's `round` goes to the even neighbour at a half, so 52 becomes 48. Halfway goes up.",
            ),
            (
                lambda channels, width: _lifted(round_channels(channels, width, "nearest"), channels),
                "It compares with the channels before scaling. A tenth of `scaled` may be lost.",
            ),
            (
                lambda channels, width: _lifted(
                    round_channels(channels, width, "nearest"), channels * width / 0.99
                ),
                "It takes a tenth of `rounded`. A tenth of `scaled` may be lost.",
            ),
            (
                _multiple_of_8(math.ceil),
                "It always rounds up. The rule takes the nearest multiple of 8.",
            ),
            (
                _multiple_of_8(math.floor),
                "It always rounds down. The rule takes the nearest multiple of 8.",
            ),
            (
                lambda channels, width: int(channels * width),
                "It does not round to a multiple of 8 at all.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"B3 multiplies widths by 1.2. A stage of 16 should get {16 * 1.2:.1f} channels and gets "
        f"{answer(16, 1.2)}; one of 24 should get {24 * 1.2:.1f} and gets {answer(24, 1.2)}."
    ),
)

LARGEST_PHI = Exercise(
    name="largest_phi",
    lesson=LESSON,
    title="Spend a budget",
    difficulty="hard",
    minutes=10,
    task=f"Your device allows {BUDGET / 1e9:g} billion MACs for an image. What is the largest phi, to two "
    "decimals, whose network stays within that? Build the networks and count them; the formula alone "
    "is not enough.",
    template="largest_phi = <answer>",
    answers=(
        f"max(step / 100 for step in range(701) if ee.cost(ee.compound(step / 100)).macs <= {BUDGET:.0e})",
    ),
    hints=(
        "`ee.cost(ee.compound(phi)).macs` counts the network at any phi.",
        "Try phi in steps of a hundredth from 0 to 7 and keep the largest that fits.",
        "`max(... for step in range(701) if ...)` with phi = step / 100.",
    ),
    checker=NumberCheck(
        value=largest_phi,
        variable="largest_phi",
        tolerance=0.002,
        mistakes=(
            (
                _smooth_phi,
                "This is what the smooth rule promises. Rounding up makes the real network cost more: count "
                "it.",
            ),
            (
                lambda: math.log2(BUDGET / cost("efficientnet_b0").macs),
                "This is the smooth rule, with 2 in place of 1.92 for each step. Count the real networks.",
            ),
            (
                lambda: largest_phi() + 0.01,
                "One hundredth too far: the network at this phi is already over the budget.",
            ),
            (
                lambda: _largest_phi(steps=10),
                "This is the largest phi in tenths. Asked are two decimals, and a few hundredths more fit.",
            ),
            (
                lambda: largest_phi(BUDGET / 2),
                "This counts multiplication and addition apart. One MAC is both.",
            ),
            (
                lambda: _largest_phi(resolution=spec("efficientnet_b0").resolution),
                "This keeps the images of B0. The compound network has a larger resolution, and pays for it.",
            ),
            (
                lambda: 100 * largest_phi(),
                "This is the number of the step. phi is a hundredth of it.",
            ),
        ),
    ),
    shows=lambda _answer: (
        f"At phi {largest_phi():.2f} the network costs {cost(compound(largest_phi())).macs / 1e9:.2f} "
        f"billion MACs. The smooth rule would have promised phi {_smooth_phi():.2f}, where it really costs "
        f"{cost(compound(_smooth_phi())).macs / 1e9:.2f} billion."
    ),
)

EXERCISES = (IMPLIED_PHI, BLOCKS_AFTER_SCALING, SCALED_CHANNELS, LARGEST_PHI)

_TABLE = {str(row["network"]): row for row in read("effnet_coefficients")}

QUIZ = (
    Question(
        "Which phi does the paper print for B3?",
        (
            Choice("3", "The 3 is only part of a name. Read backwards, B3 lies near phi 2."),
            Choice(
                "about 2",
                "That is what its multipliers imply, but it is our reading. The paper does not print it.",
            ),
            Choice(
                "none: it prints a formula and a table of results",
                "The multipliers of each network are in the released code alone.",
                right=True,
            ),
        ),
    ),
    Question(
        "Why do beta and gamma enter the constraint with a square, and alpha without?",
        (
            Choice(
                "wider means more channels in and out; larger images have more rows and columns",
                "Both change two factors of the cost of a convolution. Depth only repeats it.",
                right=True,
            ),
            Choice(
                "because alpha is the largest of the three",
                "The squares were in the constraint before anything was searched.",
            ),
            Choice(
                "because accuracy grows with the square of width and resolution",
                "The constraint says nothing of accuracy. It is about cost.",
            ),
        ),
    ),
    Question(
        "What does 1.92 mean?",
        (
            Choice(
                "B1 costs 1.92 times as much as B0",
                f"B1 costs {cost('efficientnet_b1').macs / cost('efficientnet_b0').macs:.2f} times as much, "
                "and it is not at phi 1.",
            ),
            Choice(
                "MACs grow about 1.92 times for each whole step of phi, before rounding",
                f"It is 1.2 x 1.1^2 x 1.15^2 = {cost_factor():.4f}, the paper's choice under a constraint "
                "that asks for about 2.",
                right=True,
            ),
            Choice(
                "time on a GPU grows 1.92 times",
                "The number counts arithmetic. Time also depends on memory, on the device and on the batch.",
            ),
        ),
    ),
    Question(
        f"B1 has a depth multiplier of {_TABLE['B1'].number('depth'):g}. Why does it have "
        f"{_blocks('efficientnet_b1') / _blocks('efficientnet_b0'):.2f} times the blocks of B0?",
        (
            Choice(
                "each stage is rounded up on its own, and most stages have few layers",
                "Every stage with one to four layers gains a whole one.",
                right=True,
            ),
            Choice("its stages were designed again", "All eight networks come from one table by scaling."),
            Choice("the depth multiplier is squared", "Depth enters once. It is the rounding."),
        ),
    ),
    Question(
        "A stage of 16 channels is scaled by 1.2 under the V1 rule. How many channels does it get?",
        (
            Choice("19", f"{16 * 1.2:.1f} is no multiple of 8, and hardware likes multiples of 8."),
            Choice("16", "16 is the nearest multiple of 8, but it loses more than a tenth of 19.2."),
            Choice(
                f"{round_channels(16, 1.2)}",
                "16 is nearest, but below 90% of 19.2, so the rule goes one step up. This happens in B3.",
                right=True,
            ),
        ),
    ),
    Question(
        "You measured a network at phi 0 and at phi 2. What may you conclude from the growth in MACs alone?",
        (
            Choice(
                "how much longer it takes on any device",
                "Time need not grow as MACs do, as your own measurement above may show, and another device "
                "shows another factor.",
            ),
            Choice(
                "how much more memory it needs",
                "Peak memory follows the largest feature maps, not the sum of the MACs.",
            ),
            Choice(
                "how much more arithmetic there is, and not how much longer it takes",
                "Memory traffic, small layers and the device decide the rest. That is why this lesson "
                "measures.",
                right=True,
            ),
        ),
    ),
)
