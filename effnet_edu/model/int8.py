"""A network's ONNX graph in 8 bits, with ranges found on pictures; onnxruntime's own quantiser makes it."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

#: Left in float32. The stem's filters sum to almost nothing, which rounding upsets: 3 KB save 3 dB of Lite0's
#: logits. Probabilities near 0 would all become 0.
_IN_FLOATS = ("stem.conv", "softmax")
#: The largest weight of a channel is this many steps: 7 bits, because where processors add pairs of products
#: in 16 bits, 8 would overflow.
_STEPS = 64


def quantised(graph: bytes, images: Tensor) -> bytes:
    """Return the graph with weights in int8, a scale for each channel, and maps in uint8.

    Each convolution stands between nodes that round to 8 bits and back, as every engine reads them. What
    prepares a photograph before the network, the stem, and the softmax after it stay in float32.

    Args:
        graph: What `onnx_graph` returned, for one image at a time or for any number.
        images: What the maps' ranges are found on, as the network takes them.  # (N, C, H, W)

    Raises:
        ModuleNotFoundError: onnx or onnxruntime is not installed.
        ValueError: There are no images.

    Source: Jacob et al., arXiv:1712.05877; biases after Nagel et al., arXiv:1906.04721, section 4.2;
    onnxruntime.quantization, static, in QDQ format.
    """
    try:
        import onnx
        from onnxruntime import quantization
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "int8 needs the packages onnx and onnxruntime; install them with: pip install 'effnet-edu[ship]'"
        ) from error
    if not len(images):
        raise ValueError("There are no images to calibrate int8 with; give one or more.")

    model = onnx.load_from_string(graph)
    preparing = _preparing(onnx, model, images)
    takes = model.graph.input[0].name
    inputs = [{takes: image.contiguous().numpy()} for image in torch.split(images.float().cpu(), 1)]
    _keep_means(onnx, model, inputs)

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(inputs)

        def get_next(self) -> dict[str, Any] | None:
            return next(self.left, None)

    # What its quantiser calls preprocessing, and warns of where it is missing: batch norms are folded here.
    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "int8.onnx")
        quantization.quantize_static(
            model,
            str(written),
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            reduce_range=True,
            nodes_to_exclude=list(_IN_FLOATS),
        )
        network = onnx.load(written)
    after = [*network.graph.node]
    del network.graph.node[:]
    network.graph.node.extend([*preparing.node, *after])
    network.graph.initializer.extend(preparing.initializer)
    if preparing.input:
        network.graph.input[0].CopyFrom(preparing.input[0])
    content: bytes = network.SerializeToString()
    return content


def _keep_means(onnx: Any, model: Any, inputs: list[dict[str, Any]]) -> None:
    """Move each bias against what rounding its weights does to the mean of its channel: 6 dB with Lite0."""
    from onnxruntime import InferenceSession

    given = {one.name: one for one in model.graph.initializer}
    layers = [
        node
        for node in model.graph.node
        if node.op_type == "Conv" and len(node.input) == 3 and node.name not in _IN_FLOATS
        if set(node.input[1:]) <= given.keys()
    ]
    watched = onnx.load_from_string(model.SerializeToString())
    for node in layers:
        mean = f"{node.name}.mean"
        watched.graph.node.append(onnx.helper.make_node("GlobalAveragePool", [node.input[0]], [mean]))
        watched.graph.output.append(onnx.helper.make_empty_tensor_value_info(mean))
    session = InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [f"{node.name}.mean" for node in layers]
    found = [session.run(names, image) for image in inputs]
    for node, maps in zip(layers, zip(*found, strict=True), strict=True):
        means = np.mean(maps, axis=(0, 1, 3, 4))  # (images, 1, c_in, 1, 1) -> (c_in,)
        weight, bias = (onnx.numpy_helper.to_array(given[name]) for name in node.input[1:])
        step = np.abs(weight).max(axis=(1, 2, 3), keepdims=True) / _STEPS
        step[step == 0] = 1
        off = (np.round(weight / step) * step - weight).sum(axis=(2, 3))  # (c_out, c_in / groups)
        shift = off[:, 0] * means if off.shape[1] < len(means) else off @ means
        given[node.input[2]].CopyFrom(
            onnx.numpy_helper.from_array((bias - shift).astype("<f4"), node.input[2])
        )


def _preparing(onnx: Any, model: Any, images: Tensor) -> Any:
    """Take off the nodes that prepare a photograph, if there are any, and return them as a graph."""
    graph, taken = model.graph, onnx.GraphProto()
    for left, moved in ((graph.node, taken.node), (graph.initializer, taken.initializer)):
        moved.extend(part for part in left if part.name.startswith("prepare."))
        for part in moved:
            left.remove(part)
    if taken.node:
        taken.input.extend(graph.input)
        answer, shape = taken.node[-1].output[0], [1, *images.shape[1:]]
        graph.input[0].CopyFrom(onnx.helper.make_tensor_value_info(answer, onnx.TensorProto.FLOAT, shape))
    return taken
