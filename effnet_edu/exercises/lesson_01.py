"""Exercises and quiz of lesson 01."""

import math
import random

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.numbers import NumberCheck
from effnet_edu.exercises.questions import Choice, Question
from effnet_edu.model.cost import cost
from effnet_edu.model.specs import scale, strided
from effnet_edu.model.variants import spec
from effnet_edu.published import Row, read

LESSON = "01_the_scaling_problem"
BUDGET = 2e9
_B0 = spec("efficientnet_b0")
_B0_MACS = cost(_B0).macs


def conv_macs(kernel: int, c_in: int, c_out: int, side: int, stride: int) -> int:
    """Return the MACs of a convolution that pads so that only the stride shrinks the map."""
    return kernel**2 * c_in * c_out * strided(side, stride) ** 2


def macs_growth(depth: float, width: float, resolution: float) -> float:
    """Return by how much the MACs of plain convolutions grow."""
    return depth * width**2 * resolution**2


def points_per_doubling(macs: float, top1: float, more_macs: float, more_top1: float) -> float:
    """Return the points of accuracy that each doubling of MACs bought between two networks."""
    return (more_top1 - top1) / math.log2(more_macs / macs)


def _deepened(twelfths: int) -> tuple[int, int]:
    """Return blocks and MACs of B0 at a depth in twelfths, where the layers of its stages change."""
    network = scale(_B0, depth=twelfths / 12)
    return network.layers, cost(network).macs


def deepest_network() -> int:
    """Return the blocks of the deepest B0 that costs no more than the budget."""
    return max(blocks for blocks, macs in map(_deepened, range(12, 73)) if macs <= BUDGET)


def _too_deep() -> int:
    return min(blocks for blocks, macs in map(_deepened, range(12, 73)) if macs > BUDGET)


def _draw_convolution(generator: random.Random) -> tuple[int, int, int, int, int]:
    return (
        generator.choice((1, 3, 5, 7)),
        generator.randint(1, 64),
        generator.randint(1, 64),
        generator.randint(7, 112),
        generator.choice((1, 2)),
    )


def _draw_step(generator: random.Random) -> tuple[float, float, float, float]:
    macs, top1 = generator.uniform(0.2, 4.0), generator.uniform(60, 80)
    return macs, top1, macs * generator.uniform(1.2, 6.0), top1 + generator.uniform(0.0, 4.0)


def _figure_3(symbol: str) -> list[Row]:
    return list(read("effnet_fig3").where(symbol=symbol))


def _of_step(smaller: Row, larger: Row) -> tuple[float, float, float, float]:
    first, second = ((row.number("macs_billions"), row.number("top1_percent")) for row in (smaller, larger))
    return (*first, *second)


CONV_MACS = Exercise(
    name="conv_macs",
    lesson=LESSON,
    title="Price a convolution",
    difficulty="easy",
    minutes=5,
    task="Write the MACs of a k x k convolution from c_in to c_out channels on a map of `side` x `side` "
    "pixels. It pads, so that only the stride shrinks the map: a side of 7 at stride 2 becomes 4.",
    template="def conv_macs(kernel, c_in, c_out, side, stride):\n"
    '    """Return the MACs of one convolution for one image."""\n'
    "    side_out = <answer>\n"
    "    return <answer>",
    answers=("math.ceil(side / stride)", "kernel**2 * c_in * c_out * side_out**2"),
    hints=(
        "How many numbers does the layer write, and how many MACs does each of them need?",
        "Each output number reads a k x k window of all c_in channels.",
        "The map written has `math.ceil(side / stride)` rows and as many columns, c_out times.",
    ),
    checker=FunctionCheck(
        reference=conv_macs,
        draw=_draw_convolution,
        arguments=("kernel", "c_in", "c_out", "side", "stride"),
        edges=((1, 1, 1, 1, 1), (3, 8, 8, 1, 2), (3, 8, 8, 7, 2), (3, 3, 32, 224, 2)),
        whole=True,
        mistakes=(
            (
                lambda kernel, c_in, c_out, side, _stride: kernel**2 * c_in * c_out * side**2,
                "It counts the pixels of the map read. The work is done once for each pixel written: divide "
                "the side by the stride first.",
            ),
            (
                lambda kernel, c_in, c_out, side, stride: kernel**2 * c_in * c_out * (side // stride) ** 2,
                "It rounds the side down. With this padding an odd side rounds up: 7 becomes 4.",
            ),
            (
                lambda kernel, c_in, c_out, side, stride: (
                    kernel**2 * c_in * c_out * (side // stride + 1) ** 2
                ),
                "It adds one even where the stride divides the side exactly: 8 becomes 4, and 9 becomes 5.",
            ),
            (
                lambda kernel, c_in, c_out, side, stride: kernel * c_in * c_out * strided(side, stride) ** 2,
                "The window has k rows and k columns: the kernel enters with its square.",
            ),
            (
                lambda kernel, c_in, c_out, side, stride: kernel**2 * c_in * c_out * strided(side, stride),
                "The map has rows and columns: the side enters with its square.",
            ),
            (
                lambda kernel, c_in, c_out, side, stride: (
                    2 * kernel**2 * c_in * c_out * strided(side, stride) ** 2
                ),
                "It counts multiplication and addition apart. One MAC is both.",
            ),
            (
                lambda kernel, c_in, c_out, side, stride: (
                    kernel**2 * (c_in + c_out) * strided(side, stride) ** 2
                ),
                "Every channel written reads every channel read: they multiply, they do not add.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"The stem of B0, 3 x 3 from 3 to 32 channels at stride 2 on 224 pixels, costs "
        f"{answer(3, 3, 32, 224, 2) / 1e6:.1f} million MACs; on 448 pixels it costs "
        f"{answer(3, 3, 32, 448, 2) / answer(3, 3, 32, 224, 2):.0f} times as much."
    ),
)

MACS_GROWTH = Exercise(
    name="macs_growth",
    lesson=LESSON,
    title="One rule for three dimensions",
    difficulty="easy",
    minutes=3,
    task="A network of plain convolutions gets `depth` times the layers, `width` times the channels in each, "
    "and images of `resolution` times the side. Write the factor by which its MACs grow.",
    template="def macs_growth(depth, width, resolution):\n"
    '    """Return MACs after scaling over MACs before."""\n'
    "    return <answer>",
    answers=("depth * width**2 * resolution**2",),
    hints=(
        "Put the multipliers into k * k * c_in * c_out * H * W, and repeat the layer.",
        "Wider means more of c_in and more of c_out. Larger images have more of H and more of W.",
    ),
    checker=FunctionCheck(
        reference=macs_growth,
        draw=lambda generator: tuple(generator.uniform(1.05, 3.0) for _ in range(3)),
        arguments=("depth", "width", "resolution"),
        edges=((1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (0.5, 0.5, 0.5)),
        mistakes=(
            (
                lambda depth, width, resolution: depth * width * resolution,
                "Width enters twice, as c_in and as c_out, and resolution twice, as H and as W.",
            ),
            (
                lambda depth, width, resolution: (depth * width * resolution) ** 2,
                "Depth only repeats the layer: it enters once.",
            ),
            (
                lambda depth, width, resolution: depth * width**2 * resolution,
                "An image of r times the side has r times the rows and r times the columns.",
            ),
            (
                lambda depth, width, resolution: depth * width * resolution**2,
                "A layer of w times the channels reads w times as many and writes w times as many.",
            ),
            (
                lambda depth, width, resolution: depth + width**2 + resolution**2,
                "The dimensions multiply: each of more layers is wider and sees more pixels.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"Table 7's compound row, d = 1.4, w = 1.2, r = 1.3, promises {answer(1.4, 1.2, 1.3):.2f} times the "
        f"MACs of B0. Counted with whole layers and channels it is "
        f"{cost(scale(_B0, 1.2, 1.4, 291)).macs / _B0_MACS:.2f} times."
    ),
)

POINTS_PER_DOUBLING = Exercise(
    name="points_per_doubling",
    lesson=LESSON,
    title="What a doubling buys",
    difficulty="medium",
    minutes=6,
    task="Two networks cost `macs` and `more_macs` and reach `top1` and `more_top1` percent. Write how many "
    "points each doubling of MACs bought. Four times the MACs are two doublings.",
    template="def points_per_doubling(macs, top1, more_macs, more_top1):\n"
    '    """Return the points of accuracy for each doubling of MACs."""\n'
    "    doublings = <answer>\n"
    "    return <answer>",
    answers=("math.log2(more_macs / macs)", "(more_top1 - top1) / doublings"),
    hints=(
        "How many times must you double `macs` to get `more_macs`?",
        "That number is a logarithm: `math.log2` of the ratio.",
        "Divide the points gained by the number of doublings.",
    ),
    checker=FunctionCheck(
        reference=points_per_doubling,
        draw=_draw_step,
        arguments=("macs", "top1", "more_macs", "more_top1"),
        edges=(
            (1.0, 70.0, 2.0, 71.0),
            (1.0, 70.0, 4.0, 70.0),
            (4.0, 80.0, 1.0, 76.0),
            (1e9, 75.0, 8e9, 73.5),
        ),
        mistakes=(
            (
                lambda macs, top1, more_macs, more_top1: math.log2(more_macs / macs) / (more_top1 - top1),
                "The quotient is upside down: these are the doublings that a point cost.",
            ),
            (
                lambda _macs, top1, _more_macs, more_top1: more_top1 - top1,
                "These are the points of the whole step. Divide them by the number of doublings.",
            ),
            (
                lambda macs, top1, more_macs, more_top1: (more_top1 - top1) / (more_macs / macs),
                "It divides by the ratio of the MACs. Four times the MACs are two doublings, not four.",
            ),
            (
                lambda macs, top1, more_macs, more_top1: (more_top1 - top1) / (more_macs - macs),
                "These are points for each billion MACs. A billion is much for a small network and little "
                "for a large one: ask for the ratio.",
            ),
            (
                lambda macs, top1, more_macs, more_top1: (more_top1 - top1) / math.log(more_macs / macs),
                "`math.log` counts factors of 2.718. Doublings are `math.log2`.",
            ),
            (
                lambda macs, top1, more_macs, more_top1: (more_top1 - top1) / math.log10(more_macs / macs),
                "`math.log10` counts factors of ten. Doublings are `math.log2`.",
            ),
        ),
    ),
    shows=lambda answer: (
        "By depth, the first step of figure 3 buys "
        f"{answer(*_of_step(*_figure_3('d')[:2])):.1f} points per doubling, and the last one "
        f"{answer(*_of_step(*_figure_3('d')[-2:])):.1f}. Width ends with "
        f"{answer(*_of_step(*_figure_3('w')[-2:])):.1f}, resolution with "
        f"{answer(*_of_step(*_figure_3('r')[-2:])):.1f}."
    ),
)

DEEPEST_NETWORK = Exercise(
    name="deepest_network",
    lesson=LESSON,
    title="Spend all of it on depth",
    difficulty="hard",
    minutes=8,
    task=f"Your budget is {BUDGET / 1e9:g} billion MACs, and you make B0 deeper, nothing else. How many "
    "blocks has the deepest network that you can pay for? Stages have 1 to 4 layers and each is rounded "
    "up, so that the network changes only at twelfths of the depth multiplier.",
    template='base = ee.spec("efficientnet_b0")\n'
    "networks = [ee.scale(base, depth=step / 12) for step in range(12, 73)]\n"
    "deepest_network = <answer>",
    answers=("max(network.layers for network in networks if ee.cost(network).macs <= 2e9)",),
    hints=(
        "`ee.cost(network).macs` counts a network; `network.layers` are its blocks.",
        "Keep those that cost no more than the budget, and take the most blocks.",
        "`max(network.layers for network in networks if ...)`",
    ),
    checker=NumberCheck(
        value=deepest_network,
        variable="deepest_network",
        unit="blocks",
        tolerance=0.001,
        mistakes=(
            (
                lambda: BUDGET / _B0_MACS * _B0.layers,
                "This divides the budget by what B0 costs. An added block is not an average block: all its "
                "layers run at the stage's output channels, and a stage gets whole layers. Count.",
            ),
            (
                lambda: int(BUDGET / _B0_MACS * _B0.layers),
                "This divides the budget by what B0 costs. An added block is not an average block: all its "
                "layers run at the stage's output channels, and a stage gets whole layers. Count.",
            ),
            (_too_deep, "One step too far: this network is already over the budget."),
            (
                lambda: max(step / 12 for step in range(12, 73) if _deepened(step)[1] <= BUDGET),
                "This is the depth multiplier. The question is how many blocks the network has.",
            ),
        ),
    ),
    shows=lambda _answer: (
        f"It has {deepest_network()} blocks where B0 has {_B0.layers}. At about this cost, figure 3 of the "
        f"paper has {_figure_3('d')[3].number('top1_percent'):.1f}% by depth alone, and figure 8 has "
        f"{read('effnet_fig8').row(method='compound scaling', point=3).number('top1_percent'):.1f}% with all "
        "three together."
    ),
)

EXERCISES = (CONV_MACS, MACS_GROWTH, POINTS_PER_DOUBLING, DEEPEST_NETWORK)


def _growth_of_parameters(width: float) -> float:
    return cost(scale(_B0, width=width)).parameters / cost(_B0).parameters


def _gained_by_width() -> float:
    """Return the points that figure 3 shows between w = 2.6 and w = 5."""
    points = {row.number("coefficient"): row.number("top1_percent") for row in _figure_3("w")}
    return points[5.0] - points[2.6]


QUIZ = (
    Question(
        "You double the side of the images of a network of convolutions. What happens to its parameters?",
        (
            Choice(
                "they stay as they are",
                "A kernel does not know how large the map is that it slides over. MACs grow four times.",
                right=True,
            ),
            Choice("they double", "Parameters belong to kernels, and no kernel changed."),
            Choice("they grow four times", "MACs do. The kernels are the same, and only used more often."),
        ),
    ),
    Question(
        "Which of the three makes parameters and MACs both grow about four times when it is doubled?",
        (
            Choice("depth", "Twice the layers cost about twice the MACs and twice the parameters."),
            Choice(
                "width",
                f"Both channels of a kernel double. B0 at width 2 has {_growth_of_parameters(width=2.0):.1f} "
                "times the parameters; the classifier has a quarter of B0's parameters and only doubles, and "
                "so do the depthwise kernels.",
                right=True,
            ),
            Choice("resolution", "MACs grow four times, and parameters stay."),
        ),
    ),
    Question(
        "Figure 3: from d = 6 to d = 8, MACs grow by a third. How much did accuracy grow?",
        (
            Choice("by a third of a point", "The two dots stand at the same height."),
            Choice(
                "not at all, as far as the figure shows",
                f"Both are read off at {_figure_3('d')[-1].number('top1_percent'):.1f}%. It is one training "
                "run each, so a small gain or loss may hide.",
                right=True,
            ),
            Choice(
                f"by {_gained_by_width():.1f} points",
                "That is what width gains from w = 2.6 to w = 5.0, for more than three times the MACs.",
            ),
        ),
    ),
    Question(
        "Why can table 7 not be rebuilt as a comparison at equal cost?",
        (
            Choice(
                "the released B0, scaled as the table says, costs less than the table prints",
                "Depth, width or resolution alone count lower than printed; only the compound row agrees.",
                right=True,
            ),
            Choice(
                "accuracy on ImageNet depends on the random seed",
                "It does, by a little, and that is another matter: the costs themselves do not follow.",
            ),
            Choice(
                "MACs cannot be counted exactly",
                "They can, to the last one. That is how the difference shows.",
            ),
        ),
    ),
    Question(
        "Two networks have the same MACs; one is wide, one sees large images. Which takes longer?",
        (
            Choice(
                "neither: the same arithmetic takes the same time",
                "Equal arithmetic can take different time: maps travel to memory, and every layer has to be "
                "started.",
            ),
            Choice("always the wide one", "It has more weights, but a device may be glad of wide layers."),
            Choice(
                "the MACs alone do not say",
                "Large maps move more memory, many layers take more starts. Measure on your device.",
                right=True,
            ),
        ),
    ),
)
