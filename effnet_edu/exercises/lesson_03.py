"""Exercises and quiz of lesson 03; the one that needs torch is in lesson_03_block.py."""

import math
import random
from collections.abc import Sequence

from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.functions import FunctionCheck
from effnet_edu.exercises.questions import Choice, Question
from effnet_edu.model.cost import cost
from effnet_edu.model.receptive_field import field_of_chain
from effnet_edu.model.specs import resolve, strided
from effnet_edu.model.variants import spec
from effnet_edu.published import read

LESSON = "03_mbconv"


def channels_to_save(kernel: int, factor: int) -> int:
    """Return the fewest channels out with which a depthwise separable convolution saves a factor, or 0."""
    return 0 if kernel**2 <= factor else _fewest(kernel, factor)


def _fewest(kernel: int, factor: int) -> int:
    return math.ceil(factor * kernel**2 / (kernel**2 - factor))


CHANNELS_TO_SAVE = Exercise(
    name="channels_to_save",
    lesson=LESSON,
    title="When does the split pay?",
    difficulty="medium",
    minutes=8,
    task="For each pixel and each channel in, a plain convolution has `kernel**2 * c_out` MACs, and the "
    "depthwise separable one `kernel**2 + c_out`. How many channels out are needed at least so that the "
    "split saves `factor` times or more? Return 0 if no number of channels is enough.",
    template="def channels_to_save(kernel, factor):\n"
    '    """Return the fewest channels out with which the MACs fall at least `factor` times, or 0."""\n'
    "    can_be_reached = <answer>\n"
    "    return <answer> if can_be_reached else 0",
    answers=("kernel**2 > factor", "math.ceil(factor * kernel**2 / (kernel**2 - factor))"),
    hints=(
        "With very many channels out, which of the two terms of the separable one can be neglected?",
        "So it never saves `kernel**2` times. Else solve `kernel**2 * c >= factor * (kernel**2 + c)` for c.",
        "`c * (kernel**2 - factor) >= factor * kernel**2`, and c is a whole number.",
    ),
    checker=FunctionCheck(
        reference=channels_to_save,
        draw=lambda generator: (generator.choice((3, 5, 7)), generator.randint(2, 30)),
        arguments=("kernel", "factor"),
        edges=((1, 1), (1, 2), (3, 9), (3, 8), (3, 6), (3, 1), (5, 25)),
        whole=True,
        mistakes=(
            (
                lambda kernel, factor: 0 if kernel**2 < factor else _fewest(kernel, factor),
                "At `kernel**2` itself no number of channels is enough either: the saving stays below it.",
            ),
            (
                _fewest,
                "It never returns 0. The split cannot save `kernel**2` times or more, however many channels.",
            ),
            (
                lambda kernel, factor: (
                    0 if kernel**2 <= factor else factor * kernel**2 // (kernel**2 - factor)
                ),
                "It rounds down, to one channel too few. Use `math.ceil`.",
            ),
            (
                lambda kernel, factor: (
                    0 if kernel**2 <= factor else round(factor * kernel**2 / (kernel**2 - factor))
                ),
                "It rounds to the nearest number, which may be one channel too few. Use `math.ceil`.",
            ),
            (
                lambda kernel, factor: (
                    0 if kernel**2 <= factor else factor * kernel**2 // (kernel**2 - factor) + 1
                ),
                "It adds one even where the division leaves no rest. Use `math.ceil`.",
            ),
            (
                lambda kernel, factor: (
                    0 if kernel <= factor else math.ceil(factor * kernel / (kernel - factor))
                ),
                "A kernel has `kernel**2` weights for each channel, not `kernel`.",
            ),
            (
                lambda kernel, factor: 0 if kernel**2 <= factor else factor,
                "This leaves out the 1x1 convolution, which costs as well.",
            ),
        ),
    ),
    shows=lambda answer: (
        f"To save 8 times takes {answer(3, 8)} channels out with a 3x3 kernel and {answer(5, 8)} with a 5x5 "
        "one. 9 times is out of reach for 3x3, however wide the layer."
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


def _own_stride(kernels: Sequence[int], strides: Sequence[int]) -> int:
    return 1 + sum((kernel - 1) * stride for kernel, stride in zip(kernels, strides, strict=True))


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
                _own_stride,
                "It widens by the stride of the layer itself. What counts is how far apart the pixels lie "
                "that the kernel reads: the product of all strides before it, which is `step`.",
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
            (
                lambda kernels, strides: (field_of_chain(kernels, strides) + 1) // 2,
                "It adds half a kernel. A kernel reaches out on both sides: it adds `kernel - 1` steps.",
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
                lambda c_in, c_out, e, k, s, side: (
                    mbconv_macs(c_in, c_out, e, k, s, side)
                    + k**2 * c_in * e * (side**2 - strided(side, s) ** 2)
                ),
                "It counts the depthwise convolution before the stride. The stride is its own: it works once "
                "for each pixel that it writes, which are `after**2`.",
            ),
            (
                lambda c_in, c_out, e, k, _s, side: mbconv_macs(c_in, c_out, e, k, 1, side),
                "The stride has no effect in it. From the depthwise convolution on, the side is `after`.",
            ),
            (
                lambda c_in, c_out, e, k, s, side: (
                    (c_in * c_in * e * side if e > 1 else 0)
                    + (k**2 * c_in * e + c_in * e * c_out) * strided(side, s)
                ),
                "It counts the pixels of one line. A map of side n has n squared of them.",
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


def most_saved(macs_ms: float, bytes_ms: float, measured_ms: float) -> float:
    """Return the largest share of a layer's time that half the bytes can save."""
    return (max(macs_ms, bytes_ms) - max(macs_ms, bytes_ms / 2)) / measured_ms


def _draw_floor(generator: random.Random) -> tuple[float, float, float]:
    macs_ms, bytes_ms = generator.uniform(0.1, 2.0), generator.uniform(0.1, 4.0)
    return macs_ms, bytes_ms, max(macs_ms, bytes_ms) * generator.uniform(1.0, 30.0)


MOST_SAVED = Exercise(
    name="most_saved",
    lesson=LESSON,
    title="Would fewer bytes help?",
    difficulty="medium",
    minutes=8,
    task="Somebody offers to halve the bytes that a layer moves. Is it worth the work? `macs_ms` and "
    "`bytes_ms` are the times of its MACs and of its bytes alone; the longer one is its floor. Even if the "
    "layer loses all that its floor loses, which share of its `measured_ms` can that save?",
    template="def most_saved(macs_ms, bytes_ms, measured_ms):\n"
    '    """Return the largest share of a layer\'s time that half the bytes can save, from 0 to 1."""\n'
    "    floor = <answer>\n"
    "    new_floor = <answer>\n"
    "    return <answer>",
    answers=("max(macs_ms, bytes_ms)", "max(macs_ms, bytes_ms / 2)", "(floor - new_floor) / measured_ms"),
    hints=(
        "MACs and bytes can be done at the same time, so the floor is the longer of the two.",
        "With half the bytes, which of the two is the longer one?",
        "What the floor loses, as a share of the time that was measured.",
    ),
    checker=FunctionCheck(
        reference=most_saved,
        draw=_draw_floor,
        arguments=("macs_ms", "bytes_ms", "measured_ms"),
        edges=((1.0, 0.0, 1.0), (0.0, 2.0, 2.0), (1.0, 1.0, 5.0), (1.0, 2.0, 2.0)),
        mistakes=(
            (
                lambda _macs_ms, bytes_ms, measured_ms: bytes_ms / 2 / measured_ms,
                "It forgets the MACs. They set the floor as soon as the bytes take less time than they do.",
            ),
            (
                lambda macs_ms, bytes_ms, _measured_ms: (
                    1 - max(macs_ms, bytes_ms / 2) / max(macs_ms, bytes_ms)
                ),
                "This is a share of the floor. The time above the floor stays: divide by `measured_ms`.",
            ),
            (
                lambda macs_ms, bytes_ms, measured_ms: 1 - max(macs_ms, bytes_ms / 2) / measured_ms,
                "It lets the layer fall to its new floor. Half the bytes do not make its kernel better: only "
                "what the floor loses can be saved.",
            ),
            (
                lambda macs_ms, bytes_ms, measured_ms: 100 * most_saved(macs_ms, bytes_ms, measured_ms),
                "This is in percent. The share runs from 0 to 1: leave out the factor of 100.",
            ),
            (
                lambda macs_ms, bytes_ms, _measured_ms: max(macs_ms, bytes_ms) - max(macs_ms, bytes_ms / 2),
                "These are milliseconds. Divide them by the time that was measured.",
            ),
            (
                lambda macs_ms, bytes_ms, measured_ms: max(macs_ms, bytes_ms / 2) / measured_ms,
                "This is the new floor as a share of the time. How much lower is it than the old one?",
            ),
            (
                lambda _macs_ms, _bytes_ms, _measured_ms: 0.5,
                "Half the bytes are half the time only for a layer that does nothing but wait for them.",
            ),
            (
                lambda macs_ms, bytes_ms, measured_ms: max(macs_ms, bytes_ms) / 2 / measured_ms,
                "It halves the floor. Half the bytes lower it no further than to the time of the MACs.",
            ),
        ),
    ),
    shows=lambda answer: (
        "A layer that needs 0.4 ms for its MACs and 0.6 ms for its bytes and takes 25 ms saves "
        f"{answer(0.4, 0.6, 25):.1%} at the most: leave its bytes alone and look for a better kernel. If it "
        f"took 0.7 ms, it would be {answer(0.4, 0.6, 0.7):.0%}."
    ),
)

_BLOCKS = resolve(spec("efficientnet_b0"))

EXERCISES = (CHANNELS_TO_SAVE, RECEPTIVE_FIELD, MBCONV_MACS, "mbconv_block", MOST_SAVED)

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
                "without a linear end; we read both off their figure.",
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
                f"{sum(block.has_shortcut for block in _BLOCKS)} of {len(_BLOCKS)} blocks.",
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
            Choice(
                "it skips the same blocks as in training",
                "There are no such blocks: in training they are drawn anew for each image.",
            ),
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
