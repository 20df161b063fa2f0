"""A publisher's preprocessing as nodes of an ONNX graph, from pixels to images. No torch."""

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from effnet_edu.model import onnx_file as onnx

if TYPE_CHECKING:
    from effnet_edu.ground.preprocessing import Preprocessing

#: Pillow's filters as the operator Resize has them; its own bicubic curve is a sharper one.
_FILTERS: dict[str, dict[str, onnx.Attribute]] = {
    "bilinear": {"mode": "linear", "antialias": 1},
    "bicubic": {"mode": "cubic", "antialias": 1, "cubic_coeff_a": -0.5},
}


def prepared(
    node: Callable[..., str], constant: Callable[..., str], how: "Preprocessing", channels: int
) -> str:
    """Add the nodes and return what their answer is called; `node` and `constant` are those of the graph."""

    def numbers(name: str, *values: int) -> str:
        return constant(f"prepare.{name}", onnx.INT64, (len(values),), onnx.integers(*values))

    def colours(name: str, values: tuple[float, ...]) -> str:
        # Pixels are 0 to 255, so that the values are brought there.
        of_pixels = [value * 255 / how.value_range for value in values[:channels]]
        return constant(f"prepare.{name}", onnx.FLOAT, (1, channels, 1, 1), onnx.floats(*of_pixels))

    how = how.in_grey if channels == 1 else how

    first = node("Transpose", "prepare.channels_first", "photograph", perm=(2, 0, 1))
    batch = node("Unsqueeze", "prepare.batch", first, numbers("axis", 0))
    size = numbers("resize", how.resize, how.resize)
    shape = node("Shape", "prepare.shape", "photograph", end=2)  # height, width
    if how.fit == "crop":  # the shorter side becomes `resize`
        short = node("ReduceMin", "prepare.short", shape)
        size = node("Div", "prepare.size", node("Mul", "prepare.enlarged", shape, size), short)
    if how.interpolation == "nearest":
        resized = _nearest(node, constant, batch, shape, size)
    else:
        sizes = node("Concat", "prepare.sizes", numbers("one", 1, channels), size, axis=0)
        resized = node("Resize", "prepare.resized", batch, "", "", sizes, **_FILTERS[how.interpolation])
    spare = node("Sub", "prepare.spare", size, numbers("resolution", how.resolution, how.resolution))
    two = constant("prepare.two", onnx.FLOAT, (1,), onnx.floats(2))
    halves = node("Div", "prepare.halves", node("Cast", "prepare.spare_float", spare, to=onnx.FLOAT), two)
    start = node("Cast", "prepare.start", node("Round", "prepare.round", halves), to=onnx.INT64)
    end = node("Add", "prepare.end", start, "prepare.resolution")
    cut = node("Slice", "prepare.centre", resized, start, end, numbers("axes", 2, 3))
    floats = node("Cast", "prepare.float", cut, to=onnx.FLOAT)
    return node(
        "Div",
        "prepare.normalised",
        node("Sub", "prepare.centred", floats, colours("mean", how.mean)),
        colours("std", how.std),
    )


def _nearest(
    node: Callable[..., str], constant: Callable[..., str], batch: str, shape: str, size: str
) -> str:
    """Take the pixel in which the middle of each new one lies; Pillow steps there in float64."""
    half = constant("prepare.half", onnx.DOUBLE, (1,), struct.pack("<d", 0.5))
    one = constant("prepare.one_step", onnx.INT64, (1,), onnx.integers(1))
    first = constant("prepare.first", onnx.INT64, (), onnx.integers(0))
    for axis, name in enumerate(("prepare.rows", "prepare.columns")):
        which = constant(f"{name}.which", onnx.INT64, (1,), onnx.integers(axis))
        before, after = (
            node("Gather", f"{name}.{when}", of, which) for when, of in (("before", shape), ("after", size))
        )
        wide, narrow = (
            node("Cast", f"{name}.{when}_double", of, to=onnx.DOUBLE)
            for when, of in (("before", before), ("after", after))
        )
        step = node("Div", f"{name}.step", wide, narrow)
        rest = node("Expand", f"{name}.rest", step, node("Sub", f"{name}.but_one", after, one))
        steps = node("Concat", f"{name}.steps", node("Mul", f"{name}.begin", step, half), rest, axis=0)
        places = node("Floor", f"{name}.floor", node("CumSum", f"{name}.places", steps, first))
        source = node("Cast", f"{name}.source", places, to=onnx.INT64)
        batch = node("Gather", f"{name}.taken", batch, source, axis=axis + 2)
    return batch
