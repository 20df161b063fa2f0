import base64
import html
import io
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

import effnet_edu as ee
from effnet_edu.figures import Floor, ImpliedPhi, Numbers, Picture, ScalingPoint
from effnet_edu.figures.style import SMALLEST_TEXT
from effnet_edu.ground.palette import CARD
from effnet_edu.images.mismatch import Mismatch
from effnet_edu.profiling.fastest import EngineComparison, EngineTime
from effnet_edu.profiling.time_model import fit_times
from effnet_edu.studies.registry import list_studies
from effnet_edu.training.rows import Row
from tests.profiling.made import made_ceilings, made_profile, made_times, of_costs
from tests.studies.made import made, made_gates

TABLE = ee.published.read("effnet_coefficients")


def test_a_printed_figure_is_no_white_card_in_a_dark_page():
    picture = ee.figures.counted_table_2(
        ee.published.read("effnet_table2"), {"ResNet-50": ee.peer_counts("resnet50")}
    )
    drawing = picture.image().decode()
    assert re.search(r"@media\(prefers-color-scheme:dark\)\{svg\{filter:invert", drawing)
    ElementTree.fromstring(drawing)  # noqa: S314 - our own
    assert "[data-jp-theme-light=false]" in picture._repr_html_()


def test_a_style_that_a_figure_repeats_is_written_once():
    rows = ee.studies.recorded_devices()["amd_epyc_2_threads"]["fused_blocks"].data["rows"]
    styles = re.findall(r' style="([^"]*)"', ee.figures.fused_blocks(rows, "a device").image().decode())
    assert max(map(styles.count, styles)) <= 2


B0_MACS = ee.cost("efficientnet_b0").macs


def implied(name):
    row = TABLE.row(network=name)
    multipliers = ee.Multipliers(row["depth"], row["width"], row["resolution"] / 224)
    macs = ee.cost(f"efficientnet_{name.lower()}").macs
    return ImpliedPhi(multipliers, ee.fit_phi(multipliers), math.log(macs / B0_MACS) / math.log(1.92), macs)


EVALUATION = ee.training.Evaluation(
    ee.images.LabelledImages(
        "animals",
        (torch.arange(5 * 3 * 24 * 24) % 251).reshape(5, 3, 24, 24).to(torch.uint8),
        torch.tensor([0, 0, 1, 1, 2]),
        ("cat", "dog", "a name that is longer than its place"),
        "a test",
        ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/2.jpg", "other/1.jpg"),
    ),
    torch.tensor([[0.9, 0.1, 0], [0.3, 0.7, 0], [0, 1, 0], [0, 0.4, 0.6], [0.01, 0.99, 0]]),
    0.4,
    torch.zeros(1, 3, 24, 24, dtype=torch.uint8),
    "",
)
EXPLANATION = ee.images.Explanation(
    EVALUATION.pictures.images[0], torch.eye(24), "a cat of some kind", 0.87, "grad_cam"
)
LETTERS = ee.images.LabelledImages(
    "letters", torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.tensor([1, 0, 1, 0]), ("A", "B"), "a test"
)
NETWORKS = {f"B{number}": implied(f"B{number}") for number in range(1, 8)}
POINTS = [
    ScalingPoint(phi, B0_MACS * (phi + 1), 10.0 + phi, 9.5 + phi, 11.0 + phi, 2**20 * 50) for phi in range(3)
]

TIMES = {"median_ms": 10.0, "low_ms": 9.5, "high_ms": 11.0, "repeats": 9, "noisy": False, "batch_size": 4}


def times(**about):
    """Return one row of an experiment on a device."""
    return TIMES | {"resolution": 224, "precision": "fp32", "peak_memory_bytes": 2**26} | about


NETWORK_ROWS = [
    times(network=name, macs=ee.cost(name).macs, median_ms=30.0 + index, low_ms=29.0, high_ms=36.0)
    for index, name in enumerate(("efficientnet_lite0", "efficientnet_b0", "efficientnetv2_b0"))
]
ENGINE_TIMES = {
    "efficientnet_b0": {"torch": 30.0, "compiled": 20.0, "openvino": 5.0},
    "efficientnetv2_b0": {"torch": 20.0, "compiled": 22.0, "openvino": 4.0},
    "efficientnetv2_s": {"torch": 150.0, "compiled": 90.0, "openvino": 100.0},
}
ENGINE_ROWS = [
    times(
        network=network, engine=engine, version="", macs=ee.cost(network).macs,
        median_ms=ms, low_ms=0.9 * ms, high_ms=1.1 * ms,
    )
    for network, found in ENGINE_TIMES.items()
    for engine, ms in found.items()
]  # fmt: skip
RESNET_ROWS = [
    times(network=name, memory_format=memory_format, macs=macs, median_ms=milliseconds)
    for name, macs, milliseconds in (("efficientnet_b0", B0_MACS, 20.0), ("resnet50", 4_089_184_256, 70.0))
    for memory_format in ("contiguous", "channels_last")
]
FUSED_ROWS = [
    times(
        network="efficientnet_b4", stage=stage, operation=operation, training=training, macs=10**6,
        block="a block",
        median_ms=10.0 + stage * (operation == "fused_mbconv"),
    )
    for stage in range(3)
    for operation in ("mbconv", "fused_mbconv")
    for training in (False, True)
]  # fmt: skip
FUSED_NETWORKS = [
    times(network="efficientnet_b4", stages_fused=last, parameters=10**7, macs=10**9, step_ms=100.0 + last)
    | {"rounds": 5, "speed": 1.0, "lowest_speed": 0.9, "highest_speed": 1.2, "kernel": kernel}
    for last, kernel in ((0, None), (3, None), (5, None), (7, None), (3, 3))
]
FORMAT_ROWS = [
    times(network=name, memory_format=memory_format)
    for name in ("efficientnet_b0", "efficientnetv2_s")
    for memory_format in ("contiguous", "channels_last")
]

TRAINING_ROWS = [
    Row(epoch, 3, 20 * epoch, 60, 16, 0.1, 1 / epoch, 0.7, 1.1 / epoch, 0.6, 1234.5, 10.0, 65.0)
    for epoch in (1, 2, 3)
]

CURVE = [(0.0, 0.1), (0.5, 0.2)]
CAT = Image.new("RGB", (60, 40), "#b08030")

COMPARISON = EngineComparison(
    "efficientnet_b0", 1, 224, "a device", 2,
    (
        EngineTime("onnxruntime", "1.0", (20.0, 21.0, 22.0), 1e-6, 1),
        EngineTime("torch", "", (40.0, 41.0, 44.0), 0.0, 1),
    ),
    (), "",
)  # fmt: skip

#: Every public figure, drawn once with real data.
DRAW = {
    "study": lambda: ee.figures.study(made(lambda _way, level, seed: 0.5 + 0.02 * level + 0.01 * seed)),
    "gates": lambda: ee.figures.gates(made_gates()),
    "answers": lambda: ee.figures.answers(
        LETTERS, {"as it is": LETTERS.labels, "otherwise": torch.tensor([1, 1, 0, 0])}
    ),
    "accuracy_against_size": lambda: ee.figures.accuracy_against_size(ee.published.results(), "parameters"),
    "accuracy_by_family": lambda: ee.figures.accuracy_by_family(
        ee.published.read("timm_since_2022"), lambda row: row["macs_billions"], "billion MACs", 2
    ),
    "accuracy_by_recipe": lambda: ee.figures.accuracy_by_recipe(
        {"EfficientNet-B0": {"aa": 76.9, "ra": 77.7}, "ResNet-50": {"tv": 76.2, "ra": 78.8}}
    ),
    "engines": lambda: ee.figures.engines(COMPARISON),
    "counted_table_2": lambda: ee.figures.counted_table_2(
        ee.published.read("effnet_table2"), {"EfficientNet-B0": (5_288_548, B0_MACS)}
    ),
    "modernized": lambda: ee.figures.modernized(ee.published.read("convnext_modernized")),
    "accuracy_against_macs": lambda: ee.figures.accuracy_against_macs(
        {"depth": [(0.4, 76.1), (0.9, 78.5)], "compound": [(0.4, 76.1), (1.0, 79.8)]}, "figure 8"
    ),
    "against_resnet50": lambda: ee.figures.against_resnet50(
        RESNET_ROWS, ee.published.read("timm_speed_against_macs"), "a device"
    ),
    "before_2019": lambda: ee.figures.before_2019(ee.published.read("scaling_before_2019")),
    "blocks": lambda: ee.figures.blocks({"MBConv": ee.resolve(ee.spec("efficientnet_b0"))[3]}),
    "feature_maps": lambda: ee.figures.feature_maps(
        {"narrow": torch.arange(48.0).reshape(3, 4, 4), "wide": torch.zeros(20, 4, 4)}
    ),
    "receptive_fields": lambda: ee.figures.receptive_fields(
        CAT,
        {
            "B0": ee.spec("efficientnet_b0"),
            "finer": ee.scale(ee.spec("efficientnet_b0"), resolution=448),
            "deeper": ee.scale(ee.spec("efficientnet_b0"), depth=2, width=1.5, resolution=448),
        },
        4,
    ),
    "relu_in_channels": lambda: ee.figures.relu_in_channels(
        CURVE, {2: CURVE, 15: CURVE}, {2: 0.65, 15: 0.01}
    ),
    "channel_rounding": lambda: ee.figures.channel_rounding((16, 24), {"B2": 1.1, "B3": 1.2}),
    "classified": lambda: ee.figures.classified(
        np.full((20, 30, 3), 128, np.uint8), [("tabby", 0.6), ("tiger cat", 0.3)], "a cat"
    ),
    "diminishing_returns": lambda: ee.figures.diminishing_returns(
        {"depth": [(1, 0.5, 76.1), (2, 1.0, 78.1)], "width": [(1, 0.5, 76.1), (2, 2.0, 79.1)]}, "figure 3"
    ),
    "examples": lambda: ee.figures.examples(
        ee.images.LabelledImages(
            "dots",
            torch.arange(48).reshape(4, 1, 3, 4)[..., :3].to(torch.uint8),
            torch.tensor([0, 1, 0, 1]),
            ("dark", "light"),
            "made for this test",
        ),
        of_each=2,
    ),
    "explanations": lambda: ee.figures.explanations([EXPLANATION]),
    "confusion": lambda: ee.figures.confusion(EVALUATION),
    "mistakes": lambda: ee.figures.mistakes(EVALUATION),
    "fitted_phi": lambda: ee.figures.fitted_phi(NETWORKS),
    "formula_against_table": lambda: ee.figures.formula_against_table(NETWORKS),
    "fused_blocks": lambda: ee.figures.fused_blocks(FUSED_ROWS, "a device"),
    "fused_networks": lambda: ee.figures.fused_networks(
        FUSED_NETWORKS, ee.published.read("v2_table3_fused"), "a device"
    ),
    "growth_of_macs": lambda: ee.figures.growth_of_macs(
        {"depth": [(1, 1), (2, 2.03)], "width": [(1, 1), (2, 3.76)], "resolution": [(1, 1), (2, 3.99)]}
    ),
    "labels_bought": lambda: ee.figures.labels_bought(
        {"features": {1: [0.4, 0.5], 10: [0.8, 0.9]}, "pixels": {1: [0.2], 10: [0.3]}}, 4
    ),
    "layer_rounding": lambda: ee.figures.layer_rounding([1, 2, 2, 3, 3, 4, 1], {"B1": 1.1, "B7": 3.1}),
    "macs_against_phi": lambda: ee.figures.macs_against_phi(
        [(phi / 2, ee.cost(ee.compound(phi / 2)).macs) for phi in range(15)], 1.92, NETWORKS
    ),
    "memory_formats": lambda: ee.figures.memory_formats(FORMAT_ROWS, "a device"),
    "mismatches": lambda: ee.figures.mismatches([Mismatch("wrong eps", "cat", 0.2, "dog", "cat")], "Lite0"),
    "network": lambda: ee.figures.network("efficientnet_b0", "efficientnetv2_s"),
    "network_engines": lambda: ee.figures.network_engines(ENGINE_ROWS, "a device"),
    "network_times": lambda: ee.figures.network_times(NETWORK_ROWS, "a device"),
    "throughput_against_batch": lambda: ee.figures.throughput_against_batch(
        [times(network="efficientnet_b0", batch_size=batch) for batch in (1, 2, 4)], "a device"
    ),
    "floors": lambda: ee.figures.floors(
        [Floor("one", 0.01, 0.03, (0.2, 0.3, 0.4)), Floor("two", 0.2, 0.1, (2.0, 2.0, 2.0))], "a device"
    ),
    "macs_against_time": lambda: ee.figures.macs_against_time(made_profile()),
    "roofline": lambda: ee.figures.roofline(ee.roofline(made_profile(), made_ceilings())),
    "time_predictors": lambda: ee.figures.time_predictors(fit_times(made_times(of_costs)), "a device"),
    "training_curves": lambda: ee.figures.training_curves({"one run": TRAINING_ROWS}),
    "time_and_memory_against_phi": lambda: ee.figures.time_and_memory_against_phi(POINTS, "a device", 2),
}


SCENES = {"network", "blocks", "feature_maps", "receptive_fields"}


@pytest.fixture(scope="module", params=sorted(DRAW))
def picture(request):
    return DRAW[request.param]()


@pytest.fixture(params=sorted(set(DRAW) - SCENES))
def printed(request):
    return DRAW[request.param]()


def test_every_public_figure_is_tried_here():
    functions = {name for name in ee.figures.__all__ if name[0].islower()}
    assert functions == set(DRAW)


def test_it_has_words_and_numbers(picture):
    assert len(picture.alt.split()) >= 12
    assert len(picture.caption.split()) >= 6
    assert picture.numbers.rows
    assert all(len(row) == len(picture.numbers.columns) for row in picture.numbers.rows)


def test_the_notebook_gets_image_alt_caption_and_table(picture):
    shown = picture._repr_html_()
    alt = re.search(r'<img alt="([^"]*)"', shown)
    assert html.unescape(alt[1]) == picture.alt
    assert html.escape(picture.caption) in shown
    assert shown.count("<tr>") == len(picture.numbers.rows) + 1
    assert "<details>" in shown


def test_text_is_readable_and_the_card_is_opaque(printed):
    texts = [text for text in printed.figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    assert texts
    assert min(text.get_fontsize() for text in texts) >= SMALLEST_TEXT
    assert matplotlib.colors.to_hex(printed.figure.get_facecolor()) == CARD
    assert printed.figure.get_facecolor()[3] == 1


def stays_on_its_card(picture: Picture) -> None:
    drawn, card = picture.figure.get_tightbbox(), picture.figure.bbox_inches
    assert drawn.x0 >= card.x0
    assert drawn.y0 >= card.y0
    assert drawn.x1 <= card.x1
    assert drawn.y1 <= card.y1


def test_nothing_leaves_the_card(printed):
    stays_on_its_card(printed)


@pytest.mark.parametrize("name", list_studies())
def test_nothing_of_a_recorded_study_leaves_the_card(name):
    """What was found decides how long a title is."""
    stays_on_its_card(ee.figures.study(ee.studies.read(name)))


@pytest.mark.parametrize("name", ["classified", "layer_rounding"])
def test_the_same_figure_has_the_same_bytes(name):
    picture = DRAW[name]()
    first = picture.image()
    assert picture.image() == first
    assert DRAW[name]().image() == first


def test_a_drawing_follows_the_theme_of_the_page(picture):
    assert '<figure class="ee-figure"' in picture._repr_html_()
    assert b"(prefers-color-scheme:dark)" in picture.image().replace(b": ", b":")


def test_a_photograph_in_a_drawing_stays_as_it_is_where_the_rest_turns_dark():
    drawing = DRAW["classified"]().image().decode()
    assert drawing.count("<image") == drawing.count("data:image/jpeg;base64,") == 1
    assert "@media(prefers-color-scheme:dark){path,text{filter:invert" in drawing
    assert "<image" not in DRAW["confusion"]().image().decode(), "counts on a mesh turn dark with it"


def test_all_channels_of_a_map_are_drawn_and_its_zeros_counted():
    picture = DRAW["feature_maps"]()
    assert picture.numbers.rows == [("narrow", "3", "4 x 4", "2%"), ("wide", "20", "4 x 4", "100%")]
    (narrow, wide) = [mark for mark in picture.scene.marks if mark.shape == "image"]
    assert wide.place[2] / narrow.place[2] > 2.9  # three columns for one
    with pytest.raises(ValueError, match="must be \\(C, H, W\\)"):
        ee.figures.feature_maps({"a batch": torch.zeros(1, 3, 4, 4)})
    with pytest.raises(ValueError, match="1 to 4"):
        ee.figures.feature_maps({})


def test_an_svg_is_whole_and_its_words_survive_compaction():
    picture = DRAW["macs_against_phi"]()
    root = ElementTree.fromstring(picture.image())  # noqa: S314
    words = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "0.386 G x 1.92^phi" in words
    assert "MACs for one image, G" in words
    fonts = [node for node in root.iter() if "DejaVu" in "".join(node.itertext())]
    assert fonts, "the font must be named once"


def test_a_reader_with_settings_of_his_own_gets_the_same_picture():
    plain = DRAW["fitted_phi"]().image()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert DRAW["fitted_phi"]().image() == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_fitted_phi_says_what_the_lesson_says():
    picture = DRAW["fitted_phi"]()
    rows = {row[0]: row[1:4] for row in picture.numbers.rows}
    assert rows["B1"] == ("0.52", "0.00", "0.49")
    assert rows["B2"][:2] == ("1.00", "1.00")
    assert rows["B7"] == ("6.21", "7.27", "7.05")
    assert "B7 implies 6.21 by depth, 7.27 by width and 7.05 by resolution" in picture.alt


def test_answers_show_the_first_picture_of_each_class_and_box_what_is_wrong():
    picture = DRAW["answers"]()
    assert picture.numbers.rows == [("as it is", "A", "B", "100.0%"), ("otherwise", "B", "B", "50.0%")]
    boxed = [text.get_text() for text in picture.figure.findobj(Text) if text.get_bbox_patch() is not None]
    assert boxed == ["B"]
    with pytest.raises(ValueError, match="'way' has 3 answers; there are 4 pictures"):
        ee.figures.answers(LETTERS, {"way": [0, 1, 0]})
    with pytest.raises(ValueError, match="said is empty"):
        ee.figures.answers(LETTERS, {})


def test_layer_rounding_counts_the_blocks_that_are_built():
    rows = {row[0]: row[2] for row in DRAW["layer_rounding"]().numbers.rows}
    assert rows == {
        "B1": str(ee.spec("efficientnet_b1").layers),
        "B7": str(ee.spec("efficientnet_b7").layers),
    }


def test_floors_hold_each_layer_against_the_longer_of_both():
    picture = DRAW["floors"]()
    assert "each took 10 to 10 times the least" in picture.alt
    assert "how many times as long as the longer of the two it took" in picture.caption


def test_macs_against_time_says_the_main_lesson():
    made = made_profile()
    picture = DRAW["macs_against_time"]()
    rows = {row[0]: row for row in picture.numbers.rows}
    assert rows["depthwise"][2] == "9.0%"
    assert rows["depthwise"][4] == f"{made.by_part()['depthwise'] / made.total_seconds:.1%}"
    assert "depthwise 9.0% of the MACs" in picture.alt
    (axes,) = picture.figure.axes
    assert len(axes.patches) == len(rows)


def test_the_roofline_shows_every_layer_where_it_is():
    placed = ee.roofline(made_profile(), made_ceilings())
    left, right = DRAW["roofline"]().figure.axes
    counting = [point for point in placed.points if point.layer.macs]
    assert len(left.collections) == len(counting)
    assert len(left.collections) + len(right.collections) == len(placed.points)
    drawn = sorted(tuple(marks.get_offsets()[0]) for marks in left.collections)
    for (x, y), (intensity, rate) in zip(
        drawn, sorted((point.intensity, point.achieved / 1e9) for point in counting), strict=True
    ):
        assert (x, y) == pytest.approx((intensity, rate))
        assert left.get_ylim()[0] < y < left.get_ylim()[1]
    areas = [marks.get_sizes()[0] for marks in left.collections]
    assert areas == sorted(areas, reverse=True)


def test_networks_stand_above_each_other_on_one_scale():
    picture = ee.figures.network("efficientnet_b0", ee.compound(3))
    slabs = [mark for mark in picture.scene.marks if mark.shape == "slab"]
    small, large = (
        next(mark for mark in slabs if mark.key.startswith(f"network {n}/stage 7")) for n in (1, 2)
    )
    assert large.place[2] / small.place[2] == pytest.approx(math.sqrt(424 / 320))
    assert large.place[1] > small.place[1]
    assert ("efficientnet_b0", "stage 5", "112", "14", "3") in picture.numbers.rows


def test_one_window_stays_while_the_photograph_grows_and_layers_widen_it():
    picture = DRAW["receptive_fields"]()
    place = {mark.key: mark.place for mark in picture.scene.marks}
    photographs = [key for key in place if key.startswith("photograph")]
    assert photographs == ["photograph 224", "photograph 448"]
    wide = {name: place[f"{name}/window"][2] for name in ("B0", "finer", "deeper")}
    assert wide["B0"] == wide["finer"] == pytest.approx(147 / 448 * place["photograph 448"][2])
    assert wide["deeper"] == pytest.approx(327 / 448 * place["photograph 448"][2])
    dashed = {mark.key for mark in picture.scene.marks if "dashed" in mark.style}
    assert dashed == {"deeper/window", "deeper/entry/line"}
    strokes = {name: len(place[f"{name}/entry/slots"]) // 4 for name in wide}
    assert strokes == {"B0": 80, "finer": 80, "deeper": 120}
    assert "The file has 40 px" in picture.caption
    with pytest.raises(ValueError, match="There are 0 networks; 1 to 3"):
        ee.figures.receptive_fields(CAT, {}, 4)
    with pytest.raises(ValueError, match="stage is 8; efficientnet_b0 has stages 1 to 7"):
        ee.figures.receptive_fields(CAT, {"B0": ee.spec("efficientnet_b0")}, 8)


def test_a_window_larger_than_its_photograph_ends_at_its_edge():
    picture = ee.figures.receptive_fields(CAT, {"B0": ee.spec("efficientnet_b0")}, 7)
    place = {mark.key: mark.place for mark in picture.scene.marks}
    assert place["B0/window"] == place["photograph 224"]
    assert ("B0", "224", "851", "380%", "320", "7 x 7") in picture.numbers.rows


def test_a_scene_with_a_photograph_keeps_its_colours_as_pixels():
    bundle = DRAW["receptive_fields"]()._repr_mimebundle_()
    image = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).convert("RGB")
    found = image.getpixel((image.width // 3, image.height // 2))
    assert all(abs(one - other) < 12 for one, other in zip(found, (0xB0, 0x80, 0x30), strict=True))


def test_a_scene_also_comes_as_pixels_for_books_without_svg():
    for name in ("network", "blocks"):
        bundle = DRAW[name]()._repr_mimebundle_()
        image = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).convert("RGB")
        colours = {colour for _, colour in image.getcolors(maxcolors=256) or []}
        assert (255, 255, 255) in colours
        assert len(colours) > 20
        assert bundle["text/plain"].startswith(DRAW[name]().alt)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="nothing to draw"):
        ee.figures.network()
    with pytest.raises(ValueError, match="efficientnet_b0"):
        ee.figures.network("efficientnet_b00")


def test_words_are_escaped():
    picture = Picture(Figure(), 'a "quoted" <b>', "a & b", Numbers(("<x>",), [("1 < 2",)]))
    shown = picture._repr_html_()
    assert "&quot;quoted&quot; &lt;b&gt;" in shown
    assert "a &amp; b" in shown
    assert "<th>&lt;x&gt;</th>" in shown
    assert "1 &lt; 2" in shown


def test_figures_never_touch_pyplot():
    code = (
        "import sys, effnet_edu as ee; ee.figures.network('efficientnet_b0')._repr_mimebundle_(); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_engines_say_where_the_order_of_networks_stays():
    title = "V2-B0 is faster than B0 in 2 of 3 engines; openvino is fastest for 2 of 3"
    assert ee.figures.network_engines(ENGINE_ROWS, "a device").figure.axes[0].get_title("left") == title
    eager = [row for row in ENGINE_ROWS if row["engine"] == "torch"]
    assert "faster than B0 in every engine" in ee.figures.network_engines(eager, "a device").alt
    other = {"efficientnet_b0": "efficientnetv2_b0", "efficientnetv2_b0": "efficientnet_b0"}
    swapped = [row | {"network": other.get(row["network"], row["network"])} for row in eager]
    assert "faster than B0 in no engine" in ee.figures.network_engines(swapped, "a device").alt
    alone = [row for row in ENGINE_ROWS if row["network"] == "efficientnetv2_s"]
    assert "by engine: V2-S torch 150 ms, " in (drawn := ee.figures.network_engines(alone, "a device").alt)
    assert drawn.endswith("Compiled is fastest for 1 of 1.")
