"""A network's ONNX graph in 8 bits, with ranges found on pictures; onnxruntime's own quantiser makes it."""

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def quantised(graph: bytes, images: Tensor) -> bytes:
    """Return the graph with weights in int8, a scale for each channel, and maps in uint8.

    Each convolution stands between nodes that round to 8 bits and back, as every engine reads them.

    Args:
        graph: What `onnx_graph` returned, for one image at a time or for any number.
        images: What the maps' ranges are found on, as the network takes them.  # (N, C, H, W)

    Raises:
        ModuleNotFoundError: onnx or onnxruntime is not installed.
        ValueError: There are no images.

    Source: Jacob et al., arXiv:1712.05877; onnxruntime.quantization, static, in QDQ format.
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

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(torch.split(images.float().cpu(), 1))

        def get_next(self) -> dict[str, Any] | None:
            image = next(self.left, None)
            return None if image is None else {"images": image.contiguous().numpy()}

    model = onnx.load_from_string(graph)
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
            reduce_range=True,  # 7 bits: where processors add pairs of products in 16 bits, 8 would overflow
        )
        return written.read_bytes()
