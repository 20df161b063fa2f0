"""A network as an ONNX graph, written from its rows: what other engines run, a browser's too. No torch."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from effnet_edu.ground.checks import quoted, whole_number
from effnet_edu.model import onnx_file as onnx
from effnet_edu.model.onnx_preprocessing import prepared
from effnet_edu.model.specs import BlockSpec, Conventions, NetworkSpec, check_resolution, resolve, strided

if TYPE_CHECKING:
    from effnet_edu.ground.preprocessing import Preprocessing

Side = int | tuple[int, int] | Literal["any"] | None

#: Made weights sum to this for each output, and made biases are this: however deep the network, its maps do
#: not overflow, and do not become numbers so small that a processor is slow with them.
_MADE = 0.5

#: Height and width that may be any.
_ANY = ("height", "width")

#: What a user of the graph asks for, by the node that answers it.
_ANSWERS = {
    "head.flatten": "features",
    "classifier": "logits",
    "class_maps": "class_maps",
    "softmax": "probabilities",
}


class _Map(NamedTuple):
    """A feature map: its name, its channels, and its height and width where they are known."""

    name: str
    channels: int
    sides: tuple[int, int] | None


class _Graph:
    """The nodes of a network in the order in which they run, and what they read."""

    def __init__(
        self, spec: NetworkSpec, conventions: Conventions, weights: Mapping[str, bytes] | None
    ) -> None:
        self.spec, self.conventions, self.weights = spec, conventions, weights
        self.nodes: list[onnx.Pieces] = []
        self.initializers: dict[str, onnx.Pieces] = {}
        self.made: set[str] = set()

    def node(self, kind: str, name: str, *inputs: str, **attributes: onnx.Attribute) -> str:
        """Add a node, and return what its answer is called: something short, for it is written twice."""
        output = _ANSWERS.get(name) or str(len(self.nodes))
        self.nodes.append(onnx.node(kind, inputs, output, name, **attributes))
        return output

    def constant(self, name: str, kind: int, shape: tuple[int, ...], raw: bytes) -> str:
        self.initializers[name] = onnx.tensor(name, kind, shape, raw)
        return name

    def parameter(self, name: str, shape: tuple[int, ...]) -> str:
        """Return the name of a weight or a bias, which is given, or made when the graph is loaded."""
        if self.weights is not None:
            raw, wanted = self.weights.get(name), 4 * math.prod(shape)
            if raw is None or len(raw) != wanted:
                found = "is missing" if raw is None else f"has {len(raw)} bytes"
                raise ValueError(
                    f"{name} {found}; {self.spec.name} needs {wanted} bytes for it, float32 of shape {shape}."
                )
            return self.constant(name, onnx.FLOAT, shape, raw)
        listed = "x".join(map(str, shape))
        if len(shape) == 1:  # what is added weighs nothing: one for all layers of as many channels
            name = f"bias.{listed}"
        if name not in self.made:
            self.made.add(name)
            extent = self.constant(f"shape.{listed}", onnx.INT64, (len(shape),), onnx.integers(*shape))
            value = onnx.tensor("", onnx.FLOAT, (1,), onnx.floats(_MADE / math.prod(shape[1:])))
            self.nodes.append(onnx.node("ConstantOfShape", [extent], name, value=value))
        return name

    def convolution(
        self,
        x: _Map,
        name: str,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
    ) -> _Map:
        attributes: dict[str, onnx.Attribute] = {"kernel_shape": (kernel, kernel)}
        if stride > 1:
            attributes["strides"] = (stride, stride)
        if dilation > 1:
            attributes["dilations"] = (dilation, dilation)
        if groups > 1:
            attributes["group"] = groups
        if kernel > 1:
            attributes |= self._padding(x, dilation * (kernel - 1), stride)
        weight = self.parameter(f"{name}.weight", (channels, x.channels // groups, kernel, kernel))
        bias = self.parameter(f"{name}.bias", (channels,))
        sides = x.sides and (strided(x.sides[0], stride), strided(x.sides[1], stride))
        return _Map(self.node("Conv", name, x.name, weight, bias, **attributes), channels, sides)

    def _padding(self, x: _Map, reach: int, stride: int) -> dict[str, onnx.Attribute]:
        """Return the padding of a window that reaches so far beyond its first pixel."""
        if self.conventions.padding == "symmetric" or stride == 1:
            return {"pads": (reach // 2,) * 4}
        if x.sides is None:  # decided where the side is known; the same rule
            return {"auto_pad": "SAME_UPPER"}
        height, width = (reach - (side - 1) % stride for side in x.sides)
        return {"pads": (height // 2, width // 2, height - height // 2, width - width // 2)}

    def activation(self, x: _Map, name: str) -> _Map:
        if self.spec.activation == "relu6":
            ends = (("zero", 0.0), ("six", 6.0))
            limits = (self.constant(end, onnx.FLOAT, (), onnx.floats(value)) for end, value in ends)
            return x._replace(name=self.node("Clip", name, x.name, *limits))
        gate = self.node("Sigmoid", f"{name}.sigmoid", x.name)
        return x._replace(name=self.node("Mul", name, x.name, gate))

    def conv_act(
        self, x: _Map, name: str, channels: int, kernel: int = 1, stride: int = 1, **how: int
    ) -> _Map:
        x = self.convolution(x, f"{name}.conv", channels, kernel, stride, **how)
        return self.activation(x, f"{name}.activation")

    def squeeze_excitation(self, x: _Map, name: str, channels: int) -> _Map:
        gate = _Map(self.node("GlobalAveragePool", f"{name}.pool", x.name), x.channels, (1, 1))
        gate = self.convolution(gate, f"{name}.reduce", channels)
        gate = self.activation(gate, f"{name}.activation")
        gate = self.convolution(gate, f"{name}.restore", x.channels)
        share = self.node("Sigmoid", f"{name}.gate", gate.name)
        return x._replace(name=self.node("Mul", f"{name}.scale", x.name, share))

    def block(self, x: _Map, row: BlockSpec) -> _Map:
        name, before = f"stages.{row.stage}.{row.index}", x
        if row.operation == "mbconv":
            if row.expansion > 1:
                x = self.conv_act(x, f"{name}.expand", row.channels_hidden)
            x = self.conv_act(
                x,
                f"{name}.depthwise",
                x.channels,
                row.kernel,
                row.stride,
                groups=x.channels,
                dilation=row.dilation,
            )
        else:
            channels = row.channels_hidden if row.expansion > 1 else row.channels_out
            x = self.conv_act(x, f"{name}.fused", channels, row.kernel, row.stride, dilation=row.dilation)
        if row.squeeze_channels:
            x = self.squeeze_excitation(x, f"{name}.squeeze_excite", row.squeeze_channels)
        if row.operation == "mbconv" or row.expansion > 1:
            x = self.convolution(x, f"{name}.project.conv", row.channels_out)
        if row.has_shortcut:
            x = x._replace(name=self.node("Add", f"{name}.shortcut", before.name, x.name))
        return x

    def network(self, x: _Map) -> _Map:
        x = self.conv_act(x, "stem", self.spec.stem_channels, 3, 2)
        for row in resolve(self.spec):
            x = self.block(x, row)
        return self.conv_act(x, "head", self.spec.head_channels)

    def features(self, x: _Map) -> str:
        pooled = self.node("GlobalAveragePool", "head.pool", x.name)
        return self.node("Flatten", "head.flatten", pooled)

    def classifier(self, features: str, channels: int, num_classes: int) -> str:
        weight = self.parameter("classifier.weight", (num_classes, channels))
        bias = self.parameter("classifier.bias", (num_classes,))
        return self.node("Gemm", "classifier", features, weight, bias, transB=1)

    def mapped_classifier(self, x: _Map, num_classes: int) -> tuple[str, str]:
        """Ask the classifier at each place of the last map; return the mean with the bias, and the maps."""
        weight = self.parameter("classifier.weight", (num_classes, x.channels, 1, 1))
        maps = self.node("Conv", "class_maps", x.name, weight)
        mean = self.node("Flatten", "head.flatten", self.node("GlobalAveragePool", "head.pool", maps))
        bias = self.parameter("classifier.bias", (num_classes,))
        return self.node("Add", "classifier", mean, bias), maps


def onnx_graph(
    spec: NetworkSpec,
    weights: Mapping[str, bytes] | None = None,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    conventions: str | Conventions | None = None,
    side: Side = None,
    batch_size: int | None = 1,
    class_maps: bool = False,
    preprocessing: "Preprocessing | None" = None,
) -> bytes:
    """Return the bytes of an ONNX file that computes the network, for inference.

    Its input is `images` (float32, N, C, H, W), its output `logits`, or `features` without classes. Each node
    has the name of the layer's row in `cost`, so that an engine's profile can be laid beside it.

    Args:
        spec: The network.
        weights: Little-endian float32 by name, as in the state dict of a network whose batch norms are folded
            into its convolutions (`stem.conv.weight`, `stem.conv.bias`); None for weights that the engine
            makes when it loads the graph, with which time can be measured and nothing recognised.
        num_classes: Outputs of the classifier, or 0 for none.
        in_channels: Channels of the input.
        conventions: `"tensorflow"`, `"torchvision"`, conventions of your own, or None for the authors'.
        side: Side of the input in pixels, or (height, width), or `"any"`; the network's own by default.
        batch_size: Images at once, or None for any number.
        class_maps: Whether it answers `class_maps`, too (N, classes, height and width of the last map): what
            each place adds to a class. Their mean over all places, and the bias, are the logit.
        preprocessing: What a photograph goes through; its input is then `photograph` (uint8, height, width,
            C), and it answers `probabilities`, too (1, classes). None for images that are normalised already.

    Raises:
        ValueError: A number is outside its range, a weight is missing or has another size, there are no
            classes to map or to be sure of, preprocessing has another size or batch, or the file would be
            larger than ONNX can hold.

    Source: onnx.proto3 and the operators of opset 18, github.com/onnx/onnx; class activation maps after Zhou
    et al., arXiv:1512.04150, section 2.
    """
    sides = _sides(spec, preprocessing.resolution if preprocessing is not None and side is None else side)
    channels = whole_number("in_channels", in_channels)
    classes = whole_number("num_classes", num_classes, 0)
    batch: int | str = "batch" if batch_size is None else whole_number("batch_size", batch_size)
    if class_maps and not classes:
        raise ValueError("class_maps needs classes; num_classes is 0.")
    graph = _Graph(spec, spec.conventions(conventions), weights)
    images, given = "images", onnx.value_info("images", onnx.FLOAT, (batch, channels, *(sides or _ANY)))
    if preprocessing is not None:
        _check_photograph(preprocessing, sides, batch, channels, classes)
        images = prepared(graph.node, graph.constant, preprocessing, channels)
        given = onnx.value_info("photograph", onnx.UINT8, (*_ANY, channels))
    last = graph.network(_Map(images, channels, sides))
    maps = ""
    if class_maps:
        logits, maps = graph.mapped_classifier(last, classes)
    else:
        features = graph.features(last)
        logits = graph.classifier(features, last.channels, classes) if classes else features
    answers = [onnx.value_info(logits, onnx.FLOAT, (batch, classes or last.channels))]
    if preprocessing is not None:
        probabilities = graph.node("Softmax", "softmax", logits, axis=1)
        answers.append(onnx.value_info(probabilities, onnx.FLOAT, (batch, classes)))
    if class_maps:
        places = last.sides or ("map_height", "map_width")
        answers.append(onnx.value_info(maps, onnx.FLOAT, (batch, classes, *places)))
    return onnx.model(
        spec.name,
        graph.nodes,
        graph.initializers.values(),
        given,
        *answers,
    )


def onnx_block(spec: NetworkSpec, stage: int = 0, index: int = 0, *, batch_size: int = 1) -> bytes:
    """Return the bytes of an ONNX file that computes one block of a network alone, its weights made.

    Its input is `maps` (float32, N, C, H, W), of the side that they have there; nodes are named as in
    `onnx_graph`.

    Args:
        spec: The network.
        stage: Index of the block's stage.
        index: Index of the block in its stage.
        batch_size: Images at once.

    Raises:
        ValueError: The network has no such block, or a number is outside its range.
    """
    row = next((one for one in resolve(spec) if (one.stage, one.index) == (stage, index)), None)
    if row is None:
        raise ValueError(f"{spec.name} has no block {index} in stage {stage}.")
    batch, graph = whole_number("batch_size", batch_size), _Graph(spec, spec.conventions(None), None)
    last = graph.block(_Map("maps", row.channels_in, (row.side_in, row.side_in)), row)
    sides = (
        onnx.value_info(name, onnx.FLOAT, (batch, channels, side, side))
        for name, channels, side in (
            ("maps", row.channels_in, row.side_in),
            (last.name, row.channels_out, row.side_out),
        )
    )
    return onnx.model(spec.name, graph.nodes, graph.initializers.values(), *sides)


def _check_photograph(
    how: "Preprocessing", sides: tuple[int, int] | None, batch: int | str, channels: int, classes: int
) -> None:
    """Raise ValueError with a sentence where a graph cannot take photographs that are prepared so."""
    if sides != (how.resolution, how.resolution):
        said = "any" if sides is None else f"{sides[0]} x {sides[1]} px"
        raise ValueError(f"side is {said}; with this preprocessing it must be {how.resolution} or None.")
    if batch != 1:
        raise ValueError(f"batch_size is {quoted(batch)}; photographs are prepared one at a time: give 1.")
    if channels not in (1, 3) or not classes:
        raise ValueError(
            f"in_channels is {channels} and num_classes {classes}; a network of photographs has 1 or 3 "
            "channels, and classes."
        )


def _sides(spec: NetworkSpec, side: Side) -> tuple[int, int] | None:
    """Return height and width in pixels, or None for any."""
    if side == "any":
        return None
    if isinstance(side, str) or (isinstance(side, tuple) and len(side) != 2):
        raise ValueError(f'side is {quoted(side)}; it must be pixels, (height, width), "any" or None.')
    height, width = side if isinstance(side, tuple) else (side, side)
    return check_resolution(spec, height, "side"), check_resolution(spec, width, "side")
