"""Exercises and quiz of lesson 01."""

import math
import operator
import random
from collections.abc import Callable

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


def growth_allowed(dimension: str, macs: float, parameters: float, maps: float) -> float:
    """Return how many times a dimension may grow before one of three budgets is used up."""
    return {
        "depth": min(macs, parameters, maps),
        "width": min(math.sqrt(macs), math.sqrt(parameters), maps),
        "resolution": math.sqrt(min(macs, maps)),
    }[dimension]


def _growth(
    resolution: Callable[[float, float, float], float] | None = None,
    width: Callable[[float, float, float], float] | None = None,
) -> Callable[[str, float, float, float], float]:
    """Return what a learner has who is wrong about one dimension."""
    wrong = {"resolution": resolution, "width": width}

    def allowed(dimension: str, macs: float, parameters: float, maps: float) -> float:
        rule = wrong.get(dimension)
        return rule(macs, parameters, maps) if rule else growth_allowed(dimension, macs, parameters, maps)

    return allowed


Curve = list[tuple[float, float]]


def network_to_keep(curve: Curve, least: float) -> int:
    """Return the number of the last network that pays for its MACs, seen from the one chosen before it."""
    return _kept(curve, least)


def _kept(
    curve: Curve,
    least: float,
    *,
    price: Callable[[float], float] = math.log2,
    pays: Callable[[float, float], bool] = operator.ge,
    beside: str = "choice",
    stops: bool = False,
) -> int:
    """Return the number of a network, with one thing done otherwise."""
    choice = 0
    for number in range(1, len(curve)):
        before = {"choice": choice, "neighbour": number - 1, "first": 0}[beside]
        gained = curve[number][1] - curve[before][1]
        if pays(gained, least * price(curve[number][0] / curve[before][0])):
            choice = number
        elif stops:
            break
    return choice


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


def _draw_budgets(generator: random.Random) -> tuple[str, float, float, float]:
    dimension = generator.choice(("depth", "width", "resolution"))
    macs, parameters, maps = (generator.uniform(1.0, 9.0) for _ in range(3))
    return dimension, macs, parameters, maps


def _draw_curve(generator: random.Random) -> tuple[Curve, float]:
    macs, top1 = generator.uniform(0.2, 2.0), generator.uniform(60, 75)
    curve = [(round(macs, 2), round(top1, 2))]
    for _ in range(generator.randint(2, 6)):
        macs, top1 = macs * generator.uniform(1.2, 3.0), top1 + generator.uniform(-0.3, 2.0)
        curve.append((round(macs, 2), round(top1, 2)))
    return curve, round(generator.uniform(0.4, 1.5), 2)


def _figure_3(symbol: str) -> list[Row]:
    return list(read("effnet_fig3").where(symbol=symbol))


def _kept_of_figure_3(answer: Callable[[Curve, float], int], symbol: str, least: float) -> str:
    rows = _figure_3(symbol)
    curve = [(row.number("macs_billions"), row.number("top1_percent")) for row in rows]
    return f"{rows[answer(curve, least)].number('coefficient'):g}"


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
                lambda kernel, c_in, c_out, side, stride: (
                    kernel**2 * c_in * c_out * ((side - kernel) // stride + 1) ** 2
                ),
                "This is the side without padding. This convolution pads, so that the kernel takes nothing "
                "from the side.",
            ),
            (
                lambda kernel, c_in, c_out, side, stride: (
                    kernel**2 * c_in * c_out * round(side / stride) ** 2
                ),
                "It rounds to the nearest number, and Python's `round` takes 42.5 down to 42. Round up.",
            ),
            (
                lambda kernel, c_in, _c_out, side, stride: kernel**2 * c_in * strided(side, stride) ** 2,
                "It counts one channel out. The layer writes c_out maps, and each reads all c_in channels.",
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

GROWTH_ALLOWED = Exercise(
    name="growth_allowed",
    lesson=LESSON,
    title="Which budget stops you first?",
    difficulty="medium",
    minutes=8,
    task="You make a network of plain convolutions larger in one dimension. Its MACs may grow at most `macs` "
    "times, its parameters `parameters` times and its feature maps `maps` times. Write how many times that "
    "dimension may grow before the first of the three budgets is used up.",
    template="def growth_allowed(dimension, macs, parameters, maps):\n"
    '    """Return the largest multiplier of a dimension that keeps within all three budgets."""\n'
    '    if dimension == "depth":\n'
    "        return <answer>\n"
    '    if dimension == "width":\n'
    "        return <answer>\n"
    "    return <answer>  # resolution",
    answers=(
        "min(macs, parameters, maps)",
        "min(math.sqrt(macs), math.sqrt(parameters), maps)",
        "math.sqrt(min(macs, maps))",
    ),
    hints=(
        "For each dimension ask three times: twice as much of it makes how many times the MACs, the "
        "parameters, the numbers in the maps?",
        "Depth: 2, 2 and 2. Width: 4, 4 and 2. Resolution: 4, 1 and 4.",
        "Where MACs grow with the square of a multiplier, it may grow with the root of the budget.",
    ),
    checker=FunctionCheck(
        reference=growth_allowed,
        draw=_draw_budgets,
        arguments=("dimension", "macs", "parameters", "maps"),
        edges=(("depth", 1, 1, 1), ("width", 4, 9, 1), ("resolution", 4, 1, 4), ("width", 1, 4, 4)),
        mistakes=(
            (
                _growth(resolution=lambda macs, parameters, maps: math.sqrt(min(macs, parameters, maps))),
                "It lets the parameters stop resolution. A kernel does not know how large its map is: larger "
                "images add no parameters.",
            ),
            (
                _growth(
                    resolution=lambda macs, parameters, maps: min(
                        math.sqrt(macs), parameters, math.sqrt(maps)
                    )
                ),
                "It lets the parameters stop resolution. A kernel does not know how large its map is: larger "
                "images add no parameters.",
            ),
            (
                lambda dimension, macs, parameters, _maps: growth_allowed(
                    dimension, macs, parameters, math.inf
                ),
                "It leaves the maps out. Any of the three budgets may be the first to be used up.",
            ),
            (
                _growth(width=lambda macs, parameters, maps: math.sqrt(min(macs, parameters, maps))),
                "It takes the root of `maps` for width. Twice the width are twice the channels on as many "
                "pixels: maps only double.",
            ),
            (
                _growth(resolution=lambda macs, _parameters, maps: min(math.sqrt(macs), maps)),
                "It forgets the root of `maps` for resolution. Twice the side are four times the pixels of "
                "every map.",
            ),
            (
                _growth(width=lambda macs, parameters, maps: min(math.sqrt(macs), parameters, maps)),
                "It forgets the root of `parameters` for width. A convolution has a kernel for each pair of "
                "channels in and out: parameters grow with the square.",
            ),
            (
                _growth(
                    resolution=lambda macs, _parameters, maps: min(macs, maps),
                    width=lambda macs, parameters, maps: min(macs, parameters, maps),
                ),
                "It takes no roots. MACs grow with the square of the width and of the resolution.",
            ),
            (
                lambda dimension, macs, parameters, maps: (
                    min(macs, parameters)
                    if dimension == "depth"
                    else growth_allowed(dimension, macs, parameters, maps)
                ),
                "It forgets the maps for depth. Twice the layers write twice as many maps.",
            ),
            (
                _growth(
                    resolution=lambda macs, _parameters, maps: min(macs / 4, maps / 4),
                    width=lambda macs, parameters, maps: min(macs / 4, parameters / 4, maps / 2),
                ),
                "It divides each budget by what one doubling costs. The multiplier need not be 2: MACs grow "
                "with its square, so it may grow with the root of their budget.",
            ),
            (
                lambda _dimension, macs, parameters, maps: min(macs, parameters, maps),
                "It treats all three dimensions as depth.",
            ),
            (
                lambda dimension, macs, _parameters, _maps: macs if dimension == "depth" else math.sqrt(macs),
                "It looks at the MACs alone. Parameters and maps may be used up first.",
            ),
            (
                lambda dimension, macs, parameters, maps: {
                    "depth": max(macs, parameters, maps),
                    "width": max(math.sqrt(macs), math.sqrt(parameters), maps),
                    "resolution": math.sqrt(max(macs, maps)),
                }[dimension],
                "This is the budget that stops you last: take the smallest, not the largest.",
            ),
        ),
    ),
    shows=lambda answer: (
        "With 4.5 times the MACs, 2.5 times the parameters and 3 times the maps, depth may grow "
        f"{answer('depth', 4.5, 2.5, 3):.2f} times and width {answer('width', 4.5, 2.5, 3):.2f} times, until "
        f"the parameters are used up, and resolution {answer('resolution', 4.5, 2.5, 3):.2f} times, until "
        "the maps are."
    ),
)

NETWORK_TO_KEEP = Exercise(
    name="network_to_keep",
    lesson=LESSON,
    title="When does more stop paying?",
    difficulty="medium",
    minutes=8,
    task="`curve` lists (MACs, top-1) of one network, scaled further and further. Your choice begins as the "
    "first of them. Each later one replaces it if it gains at least `least` points for each doubling of MACs "
    "between your choice and itself; if not, it is passed over. Write the number of your last choice, "
    "counting from 0. Four times the MACs are two doublings.",
    template="def network_to_keep(curve, least):\n"
    '    """Return the number of the network to keep, for a curve such as [(0.5, 76.1), (0.95, 78.5)]."""\n'
    "    choice = 0\n"
    "    for number in range(1, len(curve)):\n"
    "        doublings = <answer>\n"
    "        gained = <answer>\n"
    "        choice = <answer>\n"
    "    return choice",
    answers=(
        "math.log2(curve[number][0] / curve[choice][0])",
        "curve[number][1] - curve[choice][1]",
        "number if gained >= least * doublings else choice",
    ),
    hints=(
        "How many times must you double the MACs of `curve[choice]` to get those of `curve[number]`?",
        "That number is a logarithm: `math.log2` of the ratio.",
        "It pays if it gains at least `least * doublings` points.",
    ),
    checker=FunctionCheck(
        reference=network_to_keep,
        draw=_draw_curve,
        arguments=("curve", "least"),
        edges=(
            ([(1.0, 70.0)], 1.0),
            ([(1.0, 70.0), (2.0, 71.0)], 1.0),
            ([(1.0, 70.0), (4.0, 71.5)], 1.0),
            ([(0.5, 76.1), (1.0, 76.0), (2.0, 79.0)], 1.0),
        ),
        whole=True,
        mistakes=(
            (
                lambda curve, least: _kept(curve, least, beside="neighbour"),
                "It compares neighbours. After one was passed over, the next has to pay for all doublings "
                "since your choice.",
            ),
            (
                lambda curve, least: _kept(curve, least, beside="first"),
                "It compares with the first network. Once your choice has moved on, doublings count from it.",
            ),
            (
                lambda curve, least: _kept(curve, least, stops=True),
                "It stops at the first network that does not pay. A later one may pay for the whole way.",
            ),
            (
                lambda curve, least: _kept(curve, least, price=float),
                "It takes the ratio of the MACs for the doublings. Four times the MACs are two doublings.",
            ),
            (
                lambda curve, least: _kept(curve, least, price=lambda ratio: ratio / 2),
                "It halves the ratio of the MACs. Four times the MACs are two doublings, and eight times "
                "are three: the logarithm counts them.",
            ),
            (
                lambda curve, least: _kept(curve, least, price=lambda _ratio: 1.0),
                "It asks for `least` points in all. They are asked for each doubling: multiply by the "
                "doublings.",
            ),
            (
                lambda curve, least: _kept(curve, least, price=math.log),
                "`math.log` counts factors of 2.718. Doublings are `math.log2`.",
            ),
            (
                lambda curve, least: _kept(curve, least, price=lambda ratio: -math.log2(ratio)),
                "Its ratio is upside down, so that every network with more MACs seems to cost less. Divide "
                "the MACs of the later network by those of your choice.",
            ),
            (
                lambda curve, least: _kept(curve, least, pays=operator.gt),
                "It passes over a network that gains exactly `least` points for each doubling. At least "
                "means that this is enough.",
            ),
            (
                lambda curve, _least: _kept(curve, 0.0),
                "It takes whatever is more accurate, whatever it costs.",
            ),
        ),
    ),
    shows=lambda answer: (
        "If a doubling must gain 1 point, figure 3 is left at depth x "
        f"{_kept_of_figure_3(answer, 'd', 1)}, width x {_kept_of_figure_3(answer, 'w', 1)} and resolution x "
        f"{_kept_of_figure_3(answer, 'r', 1)}. If 0.9 points are enough, it is left at "
        f"{_kept_of_figure_3(answer, 'd', 0.9)}, {_kept_of_figure_3(answer, 'w', 0.9)} and "
        f"{_kept_of_figure_3(answer, 'r', 0.9)}: with one training run a mark, a tenth of a point decides."
    ),
)

DEEPEST_NETWORK = Exercise(
    name="deepest_network",
    lesson=LESSON,
    title="Spend all of it on depth",
    difficulty="hard",
    minutes=8,
    task=f"Your budget is {BUDGET / 1e9:g} billion MACs, and you make B0 deeper, nothing else. How many "
    "blocks does the deepest network that you can pay for have? Stages have 1 to 4 layers and each is "
    "rounded up, so that the network changes only at twelfths of the depth multiplier.",
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

EXERCISES = (CONV_MACS, GROWTH_ALLOWED, NETWORK_TO_KEEP, DEEPEST_NETWORK)


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
            Choice("always the wide one", "It has more weights, but a device may handle wide layers well."),
            Choice(
                "the MACs alone do not say",
                "Large maps move more data, and wide layers hold more weights. Measure on your device.",
                right=True,
            ),
        ),
    ),
)
