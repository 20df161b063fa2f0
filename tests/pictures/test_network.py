import math
from itertools import pairwise

import pytest

import effnet_edu as ee
from effnet_edu.pictures.block import block_scene
from effnet_edu.pictures.network import network_parts, network_scene
from effnet_edu.pictures.styles import SLABS, STYLES

B0 = ee.spec("efficientnet_b0")
LARGEST = ee.compound(7)
WIDTHS = (340, 396, 640, 826, 1280, 1900)


def slabs(scene, part=""):
    return [mark for mark in scene.marks if mark.shape == "slab" and mark.key.startswith(part)]


def words(scene, key):
    return next("".join(piece for piece, _ in mark.text) for mark in scene.marks if mark.key == key)


def test_every_layer_is_a_slab_as_tall_as_its_side_and_as_thick_as_its_channels_as_square_roots():
    scene = network_scene(B0)
    assert len(slabs(scene)) == B0.layers + 2  # and stem and head
    (first,), last = slabs(scene, "stage 1/"), slabs(scene, "stage 7/")[0]
    assert first.place[3] / last.place[3] == pytest.approx(math.sqrt(112 / 7))
    assert first.place[2] / last.place[2] == pytest.approx(math.sqrt(16 / 320))
    assert "both as square roots" in words(scene, "legend")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "name", ["efficientnet_b0", "efficientnet_b7", "efficientnet_l2", "efficientnetv2_xl"]
)
def test_no_stack_leaves_the_picture_or_its_column(name, width):
    scene = network_scene(ee.spec(name), width)
    columns = [mark.place for mark in scene.marks if mark.key.endswith("/touch")]
    assert all(a[0] + a[2] <= b[0] + 0.01 for a, b in pairwise(columns))
    for part, (left, top, wide, high) in zip(
        dict.fromkeys(mark.key.split("/")[0] for mark in slabs(scene)), columns, strict=True
    ):
        for x, y, thick, tall, right, above in (mark.place for mark in slabs(scene, f"{part}/")):
            assert left - 0.01 <= x
            assert x + thick + right <= left + wide + 0.01
            assert top <= y - above
            assert y + tall < top + high
            assert thick >= (1 if width > 400 else 0.5)
            assert tall >= 4
    assert columns[-1][0] + columns[-1][2] <= width + 0.01
    assert all(n >= 0 for mark in scene.marks for n in mark.place[:2])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_l2"])
def test_words_under_neighbours_do_not_meet(name, width):
    scene = network_scene(ee.spec(name), width)
    lines = {}
    for mark in scene.marks:
        if mark.shape == "text" and "middle" in mark.style:
            lines.setdefault(mark.place[1], []).append(mark)
    for line in lines.values():
        # A digit of a bold sans-serif of 12 px is at most 8.4 wide.
        spans = [
            (mark.place[0], 4.2 * len("".join(piece for piece, _ in mark.text).replace(" ", "")))
            for mark in line
        ]
        assert all(x + half <= other - wide for (x, half), (other, wide) in pairwise(spans))


def test_what_grows_keeps_its_key_and_a_new_layer_splits_off_the_last():
    small, large = (network_scene(ee.compound(phi), largest=(LARGEST,)) for phi in (0, 5))
    keys = {mark.key for mark in large.marks}
    assert {mark.key for mark in small.marks} <= keys
    for mark in slabs(large):
        stage, _, layer = mark.key.partition("/layer ")
        assert mark.born == (f"{stage}/layer {int(layer) - 1}" if layer != "1" else "")
    for before, after in zip(slabs(small, "stage 4/"), slabs(large, "stage 4/"), strict=False):
        assert after.place[2] > before.place[2]
        assert after.place[3] > before.place[3]


def test_a_network_beyond_the_largest_is_drawn_smaller_and_the_picture_says_so():
    scene = network_scene(ee.compound(9), largest=(ee.compound(3),))
    assert words(scene, "shrunk").startswith("drawn at ")
    assert not [
        mark for mark in network_scene(ee.compound(3), largest=(LARGEST,)).marks if mark.key == "shrunk"
    ]


def test_what_moved_lights_up_in_its_colour_and_only_there():
    scene = network_scene(B0, moved="width")
    assert {mark.style for mark in slabs(scene, "stage")} == {"slab width-slab"}
    assert {mark.style for mark in slabs(scene, "head")} == {"slab"}
    shown = {mark.style for mark in scene.marks if mark.style.endswith("-bracket")}
    assert shown == {"width-bracket"}


def test_fused_stages_are_told_by_a_hatch_as_well():
    v2 = ee.spec("efficientnetv2_s")
    scene = network_scene(v2, by_operation=True)
    hatched = {mark.key.split("/")[0] for mark in scene.marks if mark.style == "hatching"}
    assert hatched == {"stage 1", "stage 2", "stage 3"}
    assert "Fused: stage 1, stage 2, stage 3." in scene.description


def test_a_stage_says_its_shape_and_opens():
    scene = network_scene(B0, opens="stage", more=[f"share {n}" for n in range(1, 8)])
    touch = {mark.key: mark for mark in scene.marks if mark.key.endswith("/touch")}
    assert touch["stage 5/touch"].words == (
        "stage 5: MBConv6, 5 x 5, SE\n112 channels, 14 x 14 px, 3 layers\nshare 5"
    )
    assert touch["stage 5/touch"].sets == {"stage": 5}
    assert touch["stem/touch"].sets is None


def test_the_words_count_what_is_built():
    built = {part.key: part for part in network_parts(B0)}
    for block in ee.resolve(B0):
        part = built[f"stage {block.stage + 1}"]
        assert (part.channels, part.side) == (block.channels_out, block.side_out)


def test_every_style_is_known():
    known = {*STYLES, *SLABS, "on-lit"}
    v2 = ee.spec("efficientnetv2_s")
    scenes = [network_scene(v2, width, by_operation=True, ghost=v2, title="x") for width in WIDTHS]
    scenes += [network_scene(B0, moved=moved) for moved in ("depth", "width", "resolution", "compound")]
    scenes += [block_scene(block, "x") for block in (*ee.resolve(v2), *ee.resolve(B0))]
    used = {name for scene in scenes for mark in scene.marks for name in mark.style.split()}
    used |= {
        name for scene in scenes for mark in scene.marks for _, style in mark.text for name in style.split()
    }
    assert used <= known


@pytest.mark.parametrize("index", range(B0.layers))
def test_a_block_shows_its_shapes_from_top_to_bottom_and_its_shortcut(index):
    block = ee.resolve(B0)[index]
    scene = block_scene(block)
    shapes = [mark for mark in scene.marks if mark.key.endswith("/shape")]
    assert shapes == sorted(shapes, key=lambda mark: mark.place[1])
    assert words(scene, "input/shape") == f"{block.channels_in} x {block.side_in} x {block.side_in}"
    assert (
        "".join(piece for piece, _ in shapes[-1].text)
        == f"{block.channels_out} x {block.side_out} x {block.side_out}"
    )
    assert any(mark.key == "shortcut/wire" for mark in scene.marks) is block.has_shortcut
