"""A graph that takes photographs as they are prepares them as the library does."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

import effnet_edu as ee
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.images import photograph
from effnet_edu.images.preprocess import preprocess
from effnet_edu.model import onnx_file as onnx
from effnet_edu.model.onnx_graph import _Graph, onnx_graph
from effnet_edu.model.onnx_preprocessing import prepared
from tests.model.reference import TINY, settled

HOW = Preprocessing(64, 72, "crop", "bicubic", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1)
OTHERS = (
    replace(HOW, interpolation="bilinear"),
    replace(HOW, interpolation="nearest"),
    replace(HOW, fit="squash", resize=64),
    replace(HOW, resize=80, mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0), value_range=255),
    *{
        (row.preprocessing.fit, row.preprocessing.interpolation): row.preprocessing
        for row in ee.list_weights()
    }.values(),
)


def images_of(how: Preprocessing, channels: int, pixels: np.ndarray) -> torch.Tensor:
    """Return what the nodes of the preprocessing make of a photograph."""
    graph = _Graph(TINY, TINY.conventions(None), None)
    name = prepared(graph.node, graph.constant, how, channels)
    sides = (1, channels, how.resolution, how.resolution)
    given = onnx.value_info("photograph", onnx.UINT8, ("height", "width", channels))
    model = onnx.model(
        "prepared", graph.nodes, graph.initializers.values(), given, onnx.value_info(name, onnx.FLOAT, sides)
    )
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {"photograph": pixels})[0])


@pytest.mark.parametrize("name", ["chelsea", "coffee"])
def test_images_are_those_of_the_library(name: str) -> None:
    """In every publisher's way; onnxruntime's filters differ from Pillow's at a few pixels."""
    picture = photograph(name)
    tall = picture.rotate(90, expand=True).crop((0, 0, 201, 340))
    for shown in (picture, tall):
        for how in (HOW, *OTHERS):
            found = images_of(how, 3, np.asarray(shown))
            expected = preprocess(shown, how)
            assert found.shape == expected.shape
            # As shares of the range of a pixel, from black to white.
            white = torch.tensor(how.std)[None, :, None, None] / how.value_range
            off = ((found - expected) * white).abs()
            assert off.mean() < 1e-3, how
            assert off.max() < (0.06 if how.interpolation != "nearest" else 1e-6), how


def test_a_grey_network_is_fed_grey() -> None:
    grey = photograph("coffee").convert("L")
    found = images_of(HOW, 1, np.asarray(grey)[:, :, None])
    assert (found - preprocess(grey, HOW, in_channels=1)).abs().mean() < 5e-3


def test_probabilities_are_those_of_classify(tmp_path) -> None:
    net = settled(replace(TINY, resolution=64))
    ee.export_onnx(net, tmp_path / "net.onnx", preprocessing=HOW)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    picture = photograph("chelsea")
    _, found = session.run(["logits", "probabilities"], {"photograph": np.asarray(picture)})
    with torch.no_grad():
        expected = net.eval()(preprocess(picture, HOW)).softmax(1)
    assert np.allclose(found, expected.numpy(), atol=2e-3)
    assert abs(found.sum() - 1) < 1e-5


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"side": 65}, "side is 65 x 65 px; with this preprocessing it must be 64 or None"),
        ({"side": "any"}, "side is any; "),
        ({"batch_size": None}, "batch_size is 'batch'; photographs are prepared one at a time"),
        ({"num_classes": 0}, "in_channels is 3 and num_classes 0; a network of photographs"),
        ({"in_channels": 4}, "in_channels is 4"),
    ],
)
def test_what_cannot_take_a_photograph_is_refused(asked, said) -> None:
    with pytest.raises(ValueError, match=said):
        onnx_graph(TINY, preprocessing=HOW, **asked)


def test_in_int8_a_photograph_is_prepared_in_floats(tmp_path) -> None:
    """The same answers as from int8 without preprocessing on the same pixels; tall and wide ones."""
    net = settled(replace(TINY, resolution=64))
    picture = photograph("chelsea")
    shown = (picture, picture.rotate(90, expand=True).crop((0, 0, 201, 340)), photograph("coffee"))
    asked = {"class_maps": True, "int8": preprocess(list(shown), HOW)}
    ee.export_onnx(net, tmp_path / "images.onnx", **asked)
    ee.export_onnx(net, tmp_path / "photograph.onnx", preprocessing=HOW, **asked)
    on_images, on_photographs = (
        onnxruntime.InferenceSession(tmp_path / name, providers=["CPUExecutionProvider"])
        for name in ("images.onnx", "photograph.onnx")
    )
    assert [given.name for given in on_photographs.get_inputs()] == ["photograph"]
    for one in shown:
        pixels = np.asarray(one)
        logits, maps, probabilities = on_photographs.run(
            ["logits", "class_maps", "probabilities"], {"photograph": pixels}
        )
        prepared_by_graph = images_of(HOW, 3, pixels).numpy()
        expected = on_images.run(["logits", "class_maps"], {"images": prepared_by_graph})
        assert np.array_equal(logits, expected[0])
        assert np.array_equal(maps, expected[1])
        assert np.allclose(probabilities, torch.from_numpy(logits).softmax(1), atol=1e-6)
        on_ours = on_images.run(["logits"], {"images": preprocess(one, HOW).numpy()})[0]
        with torch.no_grad():
            in_floats = net.eval()(preprocess(one, HOW)).numpy()
        spread = np.ptp(in_floats)
        assert np.abs(logits - on_ours).max() < 0.1 * spread  # what Resize changes, in steps of 8 bits
        assert 0 < np.abs(logits - in_floats).max() < 0.3 * spread


def test_int8_is_calibrated_with_images_of_the_right_side(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"int8 has images of \(1, 3, 65, 64\); .* they are 64 px"):
        ee.export_onnx(settled(TINY), tmp_path / "x", preprocessing=HOW, int8=torch.zeros(1, 3, 65, 64))
    assert not any(tmp_path.iterdir())
