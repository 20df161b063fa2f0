import json
import xml.etree.ElementTree as ElementTree

import pytest

from effnet_edu.pictures.axis import Axis
from effnet_edu.pictures.chart import axes, marker
from effnet_edu.pictures.scene import Drag, Mark, Scene, joined, text
from effnet_edu.pictures.still import still
from effnet_edu.pictures.styles import STYLES
from tests.test_architecture import run_where_blocked

PHI = Axis(0, 7, 40, 240)
HANDLE = Mark(
    "now", "circle", (40, 50, 6), "now", words="phi 0", drag=(Drag("phi", PHI, 0.0, 0.1),), with_=("line",)
)


def scene(*marks: Mark) -> Scene:
    return Scene(300, 100, "a chart", "One point on a line.", marks)


def test_a_key_is_there_once():
    with pytest.raises(ValueError, match="Two marks have the key 'a'"):
        scene(text("b", 0, 0, "x"), text("a", 0, 0, "x"), text("a", 5, 5, "y"))


def test_a_page_gets_all_that_a_mark_says_and_nothing_that_is_empty():
    data = json.loads(json.dumps(scene(HANDLE, text("said", 1.23456, 2, "d ", ("2", "bold"))).as_data()))
    handle, said = data["marks"]
    assert handle["at"] == [40, 50, 6]
    assert handle["with"] == ["line"]
    assert handle["drag"][0] == {
        "name": "phi", "value": 0, "step": 0.1, "low": 0, "high": 7, "start": 40, "end": 240,
        "upright": False, "logarithmic": False,
    }  # fmt: skip
    assert said == {"key": "said", "shape": "text", "at": [1.23, 2], "text": [["d ", ""], ["2", "bold"]]}


def test_scenes_in_one_keep_their_links_apart():
    layer = Mark(
        "s/layer 2",
        "box",
        (1, 2, 3, 4),
        born="s/layer 1",
        with_=("s",),
        leads={"s/edge": (1,)},
        along="s/line",
    )
    both = joined("two", [("a", scene(layer), 0, 0), ("b", scene(layer), 10, 100)])
    assert [(mark.key, mark.born, mark.with_, mark.leads, mark.along) for mark in both.marks] == [
        (f"{name}/s/layer 2", f"{name}/s/layer 1", (f"{name}/s",), {f"{name}/s/edge": (1,)}, f"{name}/s/line")
        for name in "ab"
    ]
    assert both.marks[1].place == (11, 102, 3, 4)
    assert (both.width, both.height) == (310, 200)


def test_every_point_of_a_line_moves_and_the_size_of_a_circle_does_not():
    assert Mark("l", "line", (0, 1, 2, 3)).moved(10, 20).place == (10, 21, 12, 23)
    assert Mark("c", "circle", (0, 1, 5)).moved(10, 20).place == (10, 21, 5)


def test_a_still_is_well_formed_whatever_words_are_in_it():
    hostile = '<script>alert("1")</script> & "more"'
    drawn = still(
        Scene(10, 10, hostile, hostile, (text("t", 0, 0, hostile, style="words"), *axes(PHI, PHI, "x", "y"))),
        alone=True,
    )
    root = ElementTree.fromstring(drawn)  # noqa: S314
    assert [node.text for node in root if node.tag.endswith(("title", "desc"))] == [hostile, hostile]
    assert not [node for node in root.iter() if node.tag.endswith("script")]


def test_a_still_shows_hover_words_and_nothing_that_only_lights_up():
    drawn = still(scene(HANDLE, Mark("hint", "line", (0, 0, 1, 1), "wire on-lit")))
    assert "<title>phi 0</title>" in drawn
    assert "polyline" not in drawn
    assert "tabindex" not in drawn


def test_text_in_a_picture_is_eleven_pixels_or_more():
    assert min(style["font-size"] for style in STYLES.values() if "font-size" in style) >= 11


def test_markers_are_told_apart_by_shape():
    shapes = {marker("m", shape, 0, 0, 5, "now").place for shape in "os^vDPX"}
    assert len(shapes) == 7


def test_scenes_need_nothing_but_python():
    printed = run_where_blocked(
        ("torch", "numpy", "PIL", "matplotlib", "ipywidgets", "traitlets", "anywidget"),
        """
        import json
        from effnet_edu.model.specs import resolve
        from effnet_edu.model.variants import compound
        from effnet_edu.pictures.block import block_scene
        from effnet_edu.pictures.network import network_scene
        from effnet_edu.pictures.still import still
        for scene in network_scene(compound(2.3)), block_scene(resolve(compound(0))[3]):
            print(len(json.dumps(scene.as_data())) > 1000, len(still(scene, alone=True)) > 1000)
        """,
    )
    assert printed.split() == ["True"] * 4
