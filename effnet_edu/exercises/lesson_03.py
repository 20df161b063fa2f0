"""Exercises and quiz of lesson 03; the one that needs torch is in lesson_03_block.py."""

import random
from collections.abc import Sequence

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.numbers import NumberCheck
from effnet_edu.exercises.questions import Choice, Question
from effnet_edu.model.cost import cost
from effnet_edu.model.receptive_field import field_of_chain
from effnet_edu.model.specs import resolve, strided
from effnet_edu.model.variants import spec
from effnet_edu.published import read

LESSON = "03_mbconv"


def macs_saved(c_out: int, kernel: int) -> float:
    """Return how many times fewer MACs a depthwise separable convolution has than a plain one."""
    return kernel**2 * c_out / (kernel**2 + c_out)


MACS_SAVED = Exercise(
    name="macs_saved",
    lesson=LESSON,
    title="What does the split save?",
    difficulty="easy",
    minutes=5,
    task="A plain convolution with a `kernel` x `kernel` kernel is replaced by a depthwise one of the same "
    "kernel and a 1x1 one to `c_out` channels. By what factor do the MACs fall, for any c_in and any side?",
    template="def macs_saved(c_out, kernel):\n"
    '    """Return MACs of the plain convolution over MACs of the depthwise separable one."""\n'
    "    return <answer>",
    answers=("kernel**2 * c_out / (kernel**2 + c_out)",),
    hints=(
        "Write both counts for one pixel and one input channel: the rest is a common factor.",
        "Plain: `kernel**2 * c_out`. Depthwise: `kernel**2`. 1x1: `c_out`.",
        "The two parts of the separable one are added, and stand below the line.",
    ),
    checker=FunctionCheck(
        reference=macs_saved,
        draw=lambda generator: (generator.choice((8, 16, 40, 112, 320)), generator.choice((3, 5, 7))),
        arguments=("c_out", "kernel"),
        edges=((1, 1), (8, 1), (1, 3)),
        mistakes=(
            (
                lambda c_out, _kernel: c_out,
                "This is the saving of the depthwise part alone. The 1x1 convolution after it costs as well.",
            ),
            (
                lambda _c_out, kernel: kernel**2,
                "This leaves out the depthwise part: it is the limit for very many channels out.",
            ),
            (
                lambda c_out, kernel: 1 / macs_saved(c_out, kernel),
                "The quotient is upside down: the plain convolution belongs above the line.",
            ),
            (
                lambda c_out, kernel: kernel * c_out / (kernel + c_out),
                "A kernel has `kernel**2` weights for each channel, not `kernel`.",
            ),
            (
                lambda c_out, kernel: kernel**2 + c_out,
                "These are the MACs of the separable one for one pixel and channel. Divide the plain ones by "
                "them.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"With 40 channels out a 3x3 kernel saves {answer(40, 3):.1f} times and a 5x5 kernel "
        f"{answer(40, 5):.1f} times. However many channels, it is never more than kernel squared."
    ),
)


def _draw_convolutions(generator: random.Random) -> tuple[list[int], list[int]]:
    count = generator.randint(2, 7)
    strides = [generator.choice((1, 1, 2)) for _ in range(count)]
    strides[0] = 2  # so that forgetting the strides is seen
    return [generator.choice((1, 3, 5, 7)) for _ in range(count)], strides


def _step_first(kernels: Sequence[int], strides: Sequence[int]) -> int:
    field, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        step *= stride
        field += (kernel - 1) * step
    return field


def _strides_added(kernels: Sequence[int], strides: Sequence[int]) -> int:
    field, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * step
        step += stride
    return field


def _from_first_to_last(kernels: Sequence[int], strides: Sequence[int]) -> int:
    field = 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field = (field - 1) * stride + kernel
    return field


RECEPTIVE_FIELD = Exercise(
    name="receptive_field",
    lesson=LESSON,
    title="How far does one pixel see?",
    difficulty="medium",
    minutes=8,
    task="Write the receptive field of a chain of convolutions: the side, in pixels of the input, of the "
    "patch that one pixel of the last map depends on.",
    template="def receptive_field(kernels, strides):\n"
    '    """Return the receptive field, for example of kernels [3, 3] and strides [2, 1]."""\n'
    "    field, step = 1, 1  # step: distance of two neighbours of this map, in input pixels\n"
    "    for kernel, stride in zip(kernels, strides, strict=True):\n"
    "        field = <answer>\n"
    "        step = <answer>\n"
    "    return field",
    answers=("field + (kernel - 1) * step", "step * stride"),
    hints=(
        "A kernel of side 3 adds one neighbour on each side. How far away are they, in input pixels?",
        "It adds `kernel - 1` steps, where a step is the product of all strides before it.",
        "First the field grows by `(kernel - 1) * step`, then the step is multiplied by the stride.",
    ),
    checker=FunctionCheck(
        reference=field_of_chain,
        draw=_draw_convolutions,
        arguments=("kernels", "strides"),
        edges=(([], []), ([3], [1]), ([3], [2]), ([1, 1], [2, 2]), ([3, 3, 3], [2, 2, 2])),
        whole=True,
        mistakes=(
            (
                lambda kernels, _strides: 1 + sum(kernel - 1 for kernel in kernels),
                "It does not use the strides. After a stride of 2, neighbours lie 2 input pixels apart.",
            ),
            (
                _step_first,
                "Its step grows before it is used. A stride pushes apart the pixels of the map that comes "
                "out, so it counts from the next convolution on.",
            ),
            (
                _strides_added,
                "It adds the strides up. They multiply: after 2, 2 and 2, neighbours lie 8 pixels apart.",
            ),
            (
                _from_first_to_last,
                "This is the rule for going from the last convolution to the first. From the first on, the "
                "field grows by `(kernel - 1) * step`.",
            ),
            (
                lambda kernels, strides: field_of_chain([kernel + 1 for kernel in kernels], strides),
                "It adds the whole kernel. The middle pixel is there already: a kernel adds `kernel - 1`.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"Two 3x3 convolutions see {answer([3, 3], [1, 1])} pixels, as one 5x5 does; with stride 2 in the "
        f"first they see {answer([3, 3], [2, 1])}."
    ),
)


def mbconv_macs(c_in: int, c_out: int, expansion: int, kernel: int, stride: int, side: int) -> int:
    """Return the MACs of an MBConv without squeeze-and-excitation, for one image."""
    return _macs(c_in, c_out, expansion, kernel, side, strided(side, stride))


def _macs(
    c_in: int, c_out: int, expansion: int, kernel: int, side: int, after: int, *, always: bool = False
) -> int:
    c_mid = c_in * expansion
    expand = c_in * c_mid * side**2 if expansion > 1 or always else 0
    return expand + (kernel**2 * c_mid + c_mid * c_out) * after**2


def _draw_block(generator: random.Random) -> tuple[int, int, int, int, int, int]:
    return (
        generator.choice((16, 24, 40, 80)),
        generator.choice((16, 24, 40, 112)),
        generator.choice((1, 4, 6, 6)),
        generator.choice((3, 5)),
        generator.choice((1, 2)),
        generator.choice((7, 14, 15, 28, 56)),
    )


MBCONV_MACS = Exercise(
    name="mbconv_macs",
    lesson=LESSON,
    title="Count a block",
    difficulty="medium",
    minutes=10,
    task="Write the MACs of an MBConv for one image, without squeeze-and-excitation. The input has `side` x "
    "`side` pixels. Mind three things: where the stride takes effect, that a side is rounded up, and that "
    "expansion 1 has no expanding convolution.",
    template="def mbconv_macs(c_in, c_out, expansion, kernel, stride, side):\n"
    '    """Return the MACs of the three convolutions."""\n'
    "    c_mid, after = c_in * expansion, math.ceil(side / stride)\n"
    "    expand = <answer>\n"
    "    depthwise = <answer>\n"
    "    project = <answer>\n"
    "    return expand + depthwise + project",
    answers=(
        "c_in * c_mid * side**2 if expansion > 1 else 0",
        "kernel**2 * c_mid * after**2",
        "c_mid * c_out * after**2",
    ),
    hints=(
        "MACs are weights times the pixels of the map that comes out.",
        "The expansion works before the stride, on `side**2` pixels; the other two write `after**2` pixels.",
        "A depthwise convolution has `kernel**2` weights for each of the c_mid channels.",
    ),
    checker=FunctionCheck(
        reference=mbconv_macs,
        draw=_draw_block,
        arguments=("c_in", "c_out", "expansion", "kernel", "stride", "side"),
        edges=((8, 8, 6, 3, 2, 1), (16, 24, 1, 3, 1, 7), (16, 24, 6, 3, 2, 7), (16, 24, 6, 5, 2, 112)),
        whole=True,
        mistakes=(
            (
                lambda c_in, c_out, e, k, s, side: _macs(
                    c_in, c_out, e, k, strided(side, s), strided(side, s)
                ),
                "It counts the expansion after the stride. The stride is on the depthwise convolution: "
                "before it, the map is still large.",
            ),
            (
                lambda c_in, c_out, e, k, s, side: _macs(c_in, c_out, e, k, side, side // s),
                "It rounds the side down. With this padding an odd side rounds up: 7 becomes 4.",
            ),
            (
                lambda c_in, c_out, e, k, _s, side: mbconv_macs(c_in, c_out, e, k, 1, side),
                "The stride has no effect in it. From the depthwise convolution on, the side is `after`.",
            ),
            (
                lambda c_in, c_out, e, k, s, side: _macs(
                    c_in, c_out, e, k, side, strided(side, s), always=True
                ),
                "With expansion 1 it counts an expanding convolution. There is none: the block begins with "
                "its depthwise convolution.",
            ),
            (
                lambda c_in, c_out, e, k, s, side: (
                    mbconv_macs(c_in, c_out, e, k, s, side)
                    + k**2 * c_in * e * (c_in * e - 1) * strided(side, s) ** 2
                ),
                "Its middle convolution mixes channels: it has c_mid inputs for each output. A depthwise one "
                "has one.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"The second block of B0's third stage has {answer(40, 40, 6, 5, 1, 28):,} MACs; with a 3x3 kernel "
        f"it would have {answer(40, 40, 6, 3, 1, 28):,}. The larger kernel costs little, because it mixes no "
        "channels."
    ),
)


def mean_blocks() -> float:
    """Return how many blocks of B0 run on average for one image in training."""
    blocks = resolve(spec("efficientnet_b0"))
    return len(blocks) - sum(block.drop_path_rate for block in blocks if block.has_shortcut)


def _all_dropped() -> float:
    blocks = resolve(spec("efficientnet_b0"))
    return len(blocks) - sum(block.drop_path_rate for block in blocks)


def _blocks() -> int:
    return len(resolve(spec("efficientnet_b0")))


def _shortcuts() -> int:
    return sum(block.has_shortcut for block in resolve(spec("efficientnet_b0")))


MEAN_BLOCKS = Exercise(
    name="mean_blocks",
    lesson=LESSON,
    title="A network of random depth",
    difficulty="medium",
    minutes=6,
    task="In training, stochastic depth skips a block for an image with probability `block.drop_path_rate`, "
    "but only a block that has a shortcut can be skipped. How many of B0's 16 blocks does an image go "
    "through on average during training?",
    template='blocks = ee.resolve(ee.spec("efficientnet_b0"))\nmean_blocks = <answer>',
    answers=("sum(1 - block.drop_path_rate if block.has_shortcut else 1 for block in blocks)",),
    hints=(
        "A block that is never skipped counts 1. What does one count that is skipped with probability p?",
        "Sum `1 - block.drop_path_rate` over the blocks with `block.has_shortcut`, and 1 over the others.",
    ),
    checker=NumberCheck(
        value=mean_blocks,
        variable="mean_blocks",
        tolerance=0.002,
        mistakes=(
            (
                _all_dropped,
                "It lets every block be skipped. Without a shortcut nothing would be left of the image.",
            ),
            (
                lambda: _blocks() - mean_blocks(),
                "These are the blocks that are skipped. How many are left?",
            ),
            (
                lambda: _shortcuts() - (_blocks() - mean_blocks()),
                "It counts only the blocks with a shortcut. The others run as well, always.",
            ),
            (
                lambda: (
                    len(resolve(spec("efficientnet_b0")))
                    - spec("efficientnet_b0").drop_path_rate * _shortcuts()
                ),
                "It takes the same rate for every block. The rate grows from 0 at the first block: use "
                "`block.drop_path_rate`.",
            ),
        ),
    ),
    shows=lambda _answer: (
        f"{_shortcuts()} of the {_blocks()} blocks can be skipped, the last ones "
        f"most often; {mean_blocks():.2f} run on average. In evaluation all of them do."
    ),
)

EXERCISES = (MACS_SAVED, RECEPTIVE_FIELD, MBCONV_MACS, "mbconv_block", MEAN_BLOCKS)

_ABLATION = {str(row["variant"]): row.number("top1_percent") for row in read("mobilenetv2_ablation")}
_SHARES = cost("efficientnet_b0").by_role()
_ALL_MACS = cost("efficientnet_b0").macs

QUIZ = (
    Question(
        "What can a depthwise convolution not do?",
        (
            Choice("look at neighbouring pixels", "That is all it does, in each channel for itself."),
            Choice(
                "combine two channels",
                "Each output channel reads one input channel. Mixing is left to the 1x1 convolutions.",
                right=True,
            ),
            Choice("have a stride", "It carries the stride of the block."),
        ),
    ),
    Question(
        "Why did the authors of MobileNetV2 leave the projection linear, without an activation?",
        (
            Choice(
                "an activation costs too many MACs",
                "It costs no MACs by our count, and the two others in the block stay.",
            ),
            Choice(
                "in few channels, what a ReLU cuts away cannot be recovered from the others",
                "In many channels the same information lies elsewhere too. They report "
                f"{_ABLATION['Linear bottleneck']:.1f}% with and {_ABLATION['ReLU6 in bottleneck']:.1f}% "
                "without a linear end, read off its figure.",
                right=True,
            ),
            Choice("the batch norm after it is an activation", "Batch norm in evaluation is linear."),
        ),
    ),
    Question(
        "When does a block of EfficientNet add its input to its output?",
        (
            Choice("always", "With stride 2 or other channels the two maps have different shapes."),
            Choice(
                "when stride is 1 and c_in equals c_out",
                "Then both maps have the same shape. In B0 that is so in "
                f"{_shortcuts()} of {_blocks()} blocks.",
                right=True,
            ),
            Choice("when c_mid equals c_in", "c_mid is inside; the shortcut joins the two ends."),
        ),
    ),
    Question(
        "Which convolutions of B0 have most of its MACs?",
        (
            Choice(
                "the depthwise ones",
                f"They have {_SHARES['depthwise'] / _ALL_MACS:.0%}. Their share of the time is larger.",
            ),
            Choice(
                "the 1x1 ones that expand and project",
                f"They have {(_SHARES['expand'] + _SHARES['project']) / _ALL_MACS:.0%}: they mix all "
                "channels with all others.",
                right=True,
            ),
            Choice(
                "those of squeeze-and-excitation",
                f"They have {_SHARES['squeeze_excite'] / _ALL_MACS:.1%}: they work on one pixel.",
            ),
        ),
    ),
    Question(
        "On the CPU we recorded on, a depthwise convolution takes many times as long as its MACs or its "
        "bytes would need. What follows?",
        (
            Choice(
                "it waits for the memory",
                "Then it would take about as long as its bytes need. On an accelerator, with far more MACs "
                "a second for each byte, that can be so.",
            ),
            Choice(
                "its kernel reaches little of what the device allows",
                "Neither the roof nor the cost of starting explains its time, so the kernel must. A better "
                "one would help, and fewer MACs would not.",
                right=True,
            ),
            Choice("it has too many MACs", "They need the least time of all: see the floor in section 8."),
        ),
    ),
    Question(
        "What does stochastic depth do in evaluation?",
        (
            Choice("it skips the same blocks as in training", "What is skipped is drawn anew each time."),
            Choice("it skips blocks at random", "Then the same photograph could get two answers."),
            Choice(
                "nothing: every block runs",
                "In training, branches that run are enlarged by 1 / (1 - rate), so that the mean is "
                "the same.",
                right=True,
            ),
        ),
    ),
)
