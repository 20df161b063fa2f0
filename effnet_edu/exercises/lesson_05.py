"""The exercises and the quiz of lesson 05."""

import math
import random
from dataclasses import replace
from functools import cache

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.numbers import NumberCheck
from effnet_edu.exercises.questions import Choice, Question
from effnet_edu.model.cost import cost
from effnet_edu.model.fusing import fuse_stages
from effnet_edu.model.specs import resolve
from effnet_edu.model.variants import spec
from effnet_edu.published import read
from effnet_edu.training.progressive import ProgressiveSchedule, Stage

LESSON = "05_efficientnet_v2"


def widest_to_fuse(kernel: int, speedup: int) -> int:
    """Return the most channels in with which a fused block takes no longer than an MBConv, by its MACs."""
    return kernel**2 * speedup // (kernel**2 - 1)


def _fused_b4(*stages: int) -> int:
    return cost(fuse_stages(spec("efficientnet_b4"), stages)).macs


def _table_3() -> float:
    return 1e9 * read("v2_table3_fused").row(variant="Fused stage1-3").number("macs_billions")


def _fused_b4_of_3x3() -> int:
    b4 = spec("efficientnet_b4")
    third = replace(b4.stages[2], kernel=3)
    return cost(fuse_stages(replace(b4, stages=(*b4.stages[:2], third, *b4.stages[3:])), (0, 1, 2))).macs


def stage_side(stage: int, first: int, last: int, stages: int) -> int:
    """Return the side of the images in one stage, as the paper's algorithm 1 has it."""
    return ProgressiveSchedule.linear(Stage(first), Stage(last), stages).stages[stage].side


def schedule_share(sides: list[int]) -> float:
    """Return the MACs of a schedule over those of a training at full size, by the rule of the square."""
    return sum(side**2 for side in sides) / (len(sides) * sides[-1] ** 2)


@cache
def exponent(of: str) -> float:
    """Return an exponent of the search's reward."""
    return read("v2_search").row(item=of).number("value")


def accuracy_needed(accuracy: float, slowdown: float) -> float:
    """Return the accuracy at which a slower network has the same reward."""
    return float(accuracy * slowdown ** -exponent("w"))


def _counted_share(network: str, sides: list[int]) -> float:
    macs = [cost(network, side).macs for side in sides]
    return sum(macs) / (len(macs) * macs[-1])


def _draw_stage(generator: random.Random) -> tuple[int, int, int, int]:
    """Draw a stage whose side is nowhere halfway, where `round` and `int(x + 0.5)` may both be right."""
    stages = generator.choice((2, 4, 6, 8))  # an odd number of steps
    first = generator.randint(96, 160)
    return generator.randrange(stages), first, first + generator.randint(40, 300), stages


def _draw_sides(generator: random.Random) -> tuple[list[int]]:
    return (sorted(generator.sample(range(96, 400), generator.randint(2, 6))),)


PAPER_S = [stage.side for stage in ProgressiveSchedule.efficientnet_v2("s", "paper").stages]

#: Most channels that enter a fused block of V2-S.
_FUSED_IN_S = max(
    block.channels_in for block in resolve(spec("efficientnetv2_s")) if block.operation == "fused_mbconv"
)

WIDEST_TO_FUSE = Exercise(
    name="widest_to_fuse",
    lesson=LESSON,
    title="Would you fuse this stage?",
    difficulty="medium",
    minutes=9,
    task="On your device a dense MAC takes 1 unit of time and a depthwise one takes `speedup` units. Both "
    "blocks end with the same projection, so compare what comes before it, for one pixel and one hidden "
    "channel: the MBConv has an expansion with `c_in` MACs and a depthwise convolution with `kernel**2`; the "
    "fused block has one dense convolution. With how many channels in at most does the fused block take no "
    "longer?",
    template="def widest_to_fuse(kernel, speedup):\n"
    '    """Return the largest c_in with which fusing costs no time; kernel is 3 or more."""\n'
    "    saved = <answer>  # units that the depthwise convolution takes; the fused block has none\n"
    "    extra = <answer>  # extra units for each channel in, in the dense convolution\n"
    "    return <answer>",
    answers=("kernel**2 * speedup", "kernel**2 - 1", "saved // extra"),
    hints=(
        "For one pixel and one hidden channel the dense convolution has `kernel**2 * c_in` MACs.",
        "The MBConv takes `c_in + kernel**2 * speedup` units, the fused block `kernel**2 * c_in`.",
        "Fusing costs no time as long as `(kernel**2 - 1) * c_in <= kernel**2 * speedup`.",
    ),
    checker=FunctionCheck(
        reference=widest_to_fuse,
        draw=lambda generator: (generator.choice((3, 5, 7)), generator.randint(1, 80)),
        arguments=("kernel", "speedup"),
        edges=((3, 1), (3, 8), (3, 7), (3, 64), (5, 24), (5, 23)),
        whole=True,
        mistakes=(
            (
                lambda _kernel, speedup: speedup,
                "The expansion is forgotten: the fused block has none, so each channel in costs only "
                "`kernel**2 - 1` units more.",
            ),
            (
                lambda kernel, _speedup: kernel**2 // (kernel**2 - 1),
                "It counts MACs. A depthwise MAC takes `speedup` units of time.",
            ),
            (
                lambda kernel, speedup: kernel * speedup // (kernel - 1),
                "A kernel of side k has k squared weights, not k.",
            ),
            (
                lambda kernel, speedup: -(-(kernel**2) * speedup // (kernel**2 - 1)),
                "It rounds up, to one channel with which the fused block takes longer.",
            ),
            (
                lambda kernel, speedup: round(kernel**2 * speedup / (kernel**2 - 1)),
                "It rounds to the nearest number, which may be one channel too many. Round down with `//`.",
            ),
            (
                lambda kernel, speedup: (kernel**2 * speedup - 1) // (kernel**2 - 1),
                "Where both take the same time, fusing costs no time either: that width still counts.",
            ),
            (
                lambda kernel, speedup: (kernel**2 - 1) // (kernel**2 * speedup),
                "The quotient is upside down: what is saved, divided by what each channel costs more.",
            ),
            (
                lambda kernel, speedup: (kernel**2 * speedup - kernel**2) // (kernel**2 - 1),
                "It subtracts a depthwise convolution from what is saved. The fused block has none at all.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"Where depthwise MACs take 8 times as long, fusing pays up to {answer(3, 8)} channels. V2-S fuses "
        f"blocks that read up to {_FUSED_IN_S}: by this count that pays only where they take at least "
        f"{next(s for s in range(1, 999) if answer(3, s) >= _FUSED_IN_S)} times as long. Norms, activations "
        "and gates, which fusing saves as well, are not counted."
    ),
)

FUSED_B4_MACS = Exercise(
    name="fused_b4_macs",
    lesson=LESSON,
    title="Recount a row of table 3",
    difficulty="easy",
    minutes=5,
    task="Table 3 prints 7.5 billion MACs for EfficientNet-B4 at its own resolution with the stages that it "
    "calls `stage1-3` fused. Count them for B4's own kernels. Mind that the paper counts stages from 1, and "
    "`ee.fuse_stages` from 0.",
    template="fused_b4_macs = <answer>",
    answers=('ee.cost(ee.fuse_stages(ee.spec("efficientnet_b4"), [0, 1, 2])).macs',),
    hints=(
        "`ee.fuse_stages(network, stages)` returns a network; `ee.cost(network).macs` counts it.",
        "The paper's stage 1 is the first stage after the stem. The library calls it 0.",
    ),
    checker=NumberCheck(
        value=lambda: _fused_b4(0, 1, 2),
        variable="fused_b4_macs",
        unit="MACs",
        tolerance=0.005,
        mistakes=(
            (
                lambda: _fused_b4(1, 2, 3),
                "This fuses the library's stages 1 to 3. The paper's stage 1 is the first after the stem, "
                "which has index 0.",
            ),
            (_fused_b4, "This is B4 itself, with nothing fused."),
            (
                lambda: cost(fuse_stages(spec("efficientnet_b4"), (0, 1, 2)), 224).macs,
                "This is right at 224 pixels. Table 3 has B4 at its own resolution of 380.",
            ),
            (
                lambda: cost(fuse_stages(spec("efficientnet_b4"), (0, 1, 2))).parameters,
                "These are its parameters. The task asks for MACs.",
            ),
            (
                _table_3,
                "This is what table 3 prints. Count the network itself: the two do not agree, and the third "
                "stage is why.",
            ),
            (
                _fused_b4_of_3x3,
                "This is the count with 3 x 3 kernels in all three stages. B4's third stage has 5 x 5 ones.",
            ),
            (lambda: 2 * _fused_b4(0, 1, 2), "A multiplication and an addition make one MAC."),
        ),
    ),
    shows=lambda _answer: (
        f"{_fused_b4(0, 1, 2) / 1e9:.2f} billion, and table 3 prints "
        f"{_table_3() / 1e9:g}. The third of "
        "these stages has 5 x 5 kernels. Its row agrees only with 3 x 3 ones, the rows below it only with "
        "5 x 5."
    ),
)

STAGE_SIDE = Exercise(
    name="stage_side",
    lesson=LESSON,
    title="How large are the images now?",
    difficulty="medium",
    minutes=6,
    task="Write the image side of a stage by the paper's algorithm 1: equal steps from the first to the "
    "last stage, both included, rounded to whole pixels. Stages count from 0.",
    template="def stage_side(stage, first, last, stages):\n"
    '    """Return the side of the training images in this stage."""\n'
    "    return <answer>",
    answers=("round(first + (last - first) * stage / (stages - 1))",),
    hints=(
        "At stage 0 the side is `first`, at stage `stages - 1` it is `last`.",
        "Between n stages there are n - 1 steps.",
        "Round once, at the end.",
    ),
    checker=FunctionCheck(
        reference=stage_side,
        draw=_draw_stage,
        arguments=("stage", "first", "last", "stages"),
        edges=((0, 128, 300, 4), (3, 128, 300, 4), (1, 128, 128, 2), (1, 96, 224, 3)),
        whole=True,
        mistakes=(
            (
                lambda stage, first, last, stages: int(first + (last - first) * (stage + 1) / stages),
                "This is what the released code does: it starts one step up. The task asks for the paper's "
                "algorithm, which starts at `first`.",
            ),
            (
                lambda stage, first, last, stages: round(first + (last - first) * stage / stages),
                "The last stage does not reach `last`: between n stages there are n - 1 steps.",
            ),
            (
                lambda stage, first, last, stages: int(first + (last - first) * stage / (stages - 1)),
                "It cuts the fraction off. Round to the nearest whole number.",
            ),
            (
                lambda stage, first, last, stages: math.ceil(first + (last - first) * stage / (stages - 1)),
                "It always rounds up. Round to the nearest whole number.",
            ),
            (
                lambda stage, first, last, stages: first + stage * round((last - first) / (stages - 1)),
                "It rounds each step, so that errors add up and the last stage misses `last`.",
            ),
            (
                lambda stage, first, last, stages: first + stage * ((last - first) // (stages - 1)),
                "It cuts off the fraction of each step, so that the last stage misses `last`. Round once.",
            ),
            (
                lambda stage, first, last, stages: round(first + (last - first) * (stage - 1) / (stages - 1)),
                "Here stages count from 0: stage 0 sees `first`.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"For V2-S the paper's stages are {', '.join(str(answer(n, 128, 300, 4)) for n in range(4))} pixels; "
        "the released code has "
        f"{', '.join(str(row.side) for row in ProgressiveSchedule.efficientnet_v2('s').stages)}."
    ),
)

SCHEDULE_SHARE = Exercise(
    name="schedule_share",
    lesson=LESSON,
    title="What growing images save",
    difficulty="medium",
    minutes=6,
    task="MACs grow with the square of the side. Write the MACs of a whole schedule as a share of those of "
    "a training at full size, the side of the last stage. Stages are equally long.",
    template="def schedule_share(sides):\n"
    '    """Return the share for the sides of all stages, for example [128, 185, 243, 300]."""\n'
    "    return <answer>",
    answers=("sum((side / sides[-1]) ** 2 for side in sides) / len(sides)",),
    hints=(
        "How many times the MACs of the last stage does one epoch of a stage cost?",
        "It is the mean of these shares over the stages.",
    ),
    checker=FunctionCheck(
        reference=schedule_share,
        draw=_draw_sides,
        arguments=("sides",),
        edges=(([300],), ([224, 224],), ([128, 256],), ([1, 2, 3],)),
        mistakes=(
            (
                lambda sides: sum(sides) / (len(sides) * sides[-1]),
                "The square is missing: twice the side has four times the pixels.",
            ),
            (
                lambda sides: (sum(sides) / len(sides) / sides[-1]) ** 2,
                "It squares the mean side. Square each stage's side first, then take the mean.",
            ),
            (
                lambda sides: sum((side / sides[-1]) ** 2 for side in sides),
                "It adds the stages up. They share the training: divide by how many there are.",
            ),
            (
                lambda sides: sum((side / sides[0]) ** 2 for side in sides) / len(sides),
                "It compares with the first stage. Full size is the side of the last one.",
            ),
            (
                lambda sides: sum((side / 300) ** 2 for side in sides) / len(sides),
                "It compares with 300 whatever the schedule. Full size is the side of the last stage.",
            ),
            (
                lambda sides: sum(side**2 for side in sides) / len(sides),
                "These are the pixels of an image on average. Divide by those of the last stage.",
            ),
            (
                lambda sides: 1 - sum((side / sides[-1]) ** 2 for side in sides) / len(sides),
                "This is what is saved. The task asks for what is left to do.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"The paper's schedule for V2-S costs {answer(PAPER_S):.2f} times a training at full size by the "
        f"rule, and {_counted_share('efficientnetv2_s', PAPER_S):.2f} counted layer by layer."
    ),
)

ACCURACY_NEEDED = Exercise(
    name="accuracy_needed",
    lesson=LESSON,
    title="What time is worth",
    difficulty="medium",
    minutes=6,
    task="The search of V2 ranks networks by `accuracy * step_time**w * parameters**v` with w = -0.07. A "
    "network has as many parameters as another and takes `slowdown` times as long for a step. Which accuracy "
    "must it reach for the same reward?",
    template="def accuracy_needed(accuracy, slowdown):\n"
    '    """Return the accuracy that makes up for the slower step."""\n'
    "    w = -0.07\n"
    "    return <answer>",
    answers=("accuracy * slowdown**-w",),
    hints=(
        "Write the reward of both networks and set them equal. What cancels?",
        "`accuracy * time**w` must stay the same when time becomes `slowdown * time`.",
        "The new accuracy is the old one divided by `slowdown**w`.",
    ),
    checker=FunctionCheck(
        reference=accuracy_needed,
        draw=lambda generator: (generator.uniform(60, 90), generator.uniform(0.3, 4.0)),
        arguments=("accuracy", "slowdown"),
        edges=((80.0, 1.0), (75.0, 2.0), (80.0, 0.5)),
        mistakes=(
            (
                lambda accuracy, slowdown: accuracy * slowdown ** exponent("w"),
                "The sign is turned: this lets a slower network be worse.",
            ),
            (
                lambda accuracy, slowdown: accuracy * slowdown ** -exponent("v"),
                "This is the exponent of the parameters. Step time has w.",
            ),
            (
                lambda accuracy, slowdown: accuracy - exponent("w") * (slowdown - 1) * accuracy,
                "The reward is a power, not a straight line: raise `slowdown` to -w.",
            ),
            (
                lambda _accuracy, slowdown: slowdown ** -exponent("w"),
                "This is the factor. Multiply the accuracy by it.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"Beside a network of 80% that is twice as fast, it must reach {answer(80, 2):.1f}%. Time weighs "
        "much in this search, and networks that train quickly win it."
    ),
)

EXERCISES = (WIDEST_TO_FUSE, FUSED_B4_MACS, STAGE_SIDE, SCHEDULE_SHARE, ACCURACY_NEEDED)

_PRINTED = read("v2_table3_fused")
_NONE, _ALL = _PRINTED[0], _PRINTED[-1]

QUIZ = (
    Question(
        "What does Fused-MBConv fuse?",
        (
            Choice(
                "the depthwise convolution and the projection",
                "A comment in the released code says so; the code under it fuses the expansion.",
            ),
            Choice(
                "the expansion and the depthwise convolution, into one dense convolution",
                "The 1 x 1 projection stays a convolution of its own.",
                right=True,
            ),
            Choice(
                "all three convolutions",
                "Then nothing would narrow the hidden channels again. Two convolutions are left.",
            ),
            Choice(
                "convolution and batch norm",
                "That is folding, done after training for inference. It changes no result.",
            ),
        ),
    ),
    Question(
        "A fused block has more MACs than the MBConv of its shape. Why can it be faster in an early stage?",
        (
            Choice(
                "its kernel is smaller",
                "The kernel is the same. The dense convolution reads more channels with it.",
            ),
            Choice(
                "it has fewer parameters",
                "It has more. In late stages that becomes its weakness.",
            ),
            Choice(
                "a dense convolution does far more MACs per second than a depthwise one",
                "On an accelerator a depthwise one does too little arithmetic for the bytes that it moves; "
                "on the CPU we recorded on, its kernel is slow. Few channels keep the extra MACs affordable.",
                right=True,
            ),
        ),
    ),
    Question(
        "In table 3, fusing all stages of B4 gives "
        f"{_ALL.number('parameters_millions'):g} million parameters instead of "
        f"{_NONE.number('parameters_millions'):g}. Where do they come from?",
        (
            Choice(
                "early stages: their maps are largest", "Parameters do not depend on the size of the map."
            ),
            Choice(
                "late stages: a dense kernel costs 9 or 25 times c_in times c_mid",
                "Channels are widest there, and they enter with a square.",
                right=True,
            ),
            Choice(
                "squeeze-and-excitation",
                "Fused stages have none, which saves a few parameters.",
            ),
        ),
    ),
    Question(
        "Why does V2 weaken RandAugment, mixup and dropout while images are small?",
        (
            Choice(
                "with smaller images a network has less capacity, so it needs less regularisation",
                "Table 5 shows it: at 128 pixels the weakest RandAugment is best, at 300 the strongest.",
                right=True,
            ),
            Choice("augmentation of small images is slow", "It is quicker. The reason is accuracy."),
            Choice(
                "weak regularisation saves MACs",
                "Regularisation costs no MACs of the network. Small images save them.",
            ),
        ),
    ),
    Question(
        '"V2-M trains 11 times faster than B7." What does this number compare?',
        (
            Choice(
                "the architectures alone",
                "With the same training, the paper's table 10 has about 4 times.",
            ),
            Choice(
                "architecture and training together: V2-M with progressive learning, B7 without",
                "B7 itself needs less than half the time when it is trained progressively.",
                right=True,
            ),
            Choice("inference", "Inference is about 3 times as fast. The 11 is training time."),
        ),
    ),
    Question(
        "Paper and released code disagree about dropout in progressive learning. How?",
        (
            Choice("the code has no dropout", "It has, with one rate for all stages."),
            Choice("the paper has no dropout", "Table 6 prints its first and its last rate."),
            Choice(
                "the paper lets it grow; in the code the line that would do so is commented out",
                "With the code, dropout is constant. Nobody published what the difference is worth.",
                right=True,
            ),
        ),
    ),
)
