"""The phi lab without a browser: exact at once, measured soon, the newest request wins."""

import csv
import io
import math
from dataclasses import replace
from typing import Any

import pytest
import traitlets

import effnet_edu as ee
from effnet_edu.labs.frame.forward_logic import advice
from effnet_edu.labs.phi.charts import macs_curve, published_points
from effnet_edu.labs.phi.measured import MeasuredPhi
from effnet_edu.labs.phi.numbers import FORMULA
from effnet_edu.labs.phi.times import same_network, session_table
from effnet_edu.pictures.labels import words_box
from effnet_edu.pictures.scene import Scene
from tests.labs.conftest import SlowProfile, fake_measurement


def test_exact_numbers_follow_at_once() -> None:
    logic = MeasuredPhi(device="cpu")
    assert logic.cost.parameters == ee.cost("efficientnet_b0").parameters
    logic.phi = 1.0
    assert logic.cost.macs == ee.cost(ee.compound(1.0)).macs
    logic.alpha = 1.5
    assert logic.cost.macs == ee.cost(ee.compound(1.0, alpha=1.5)).macs
    logic.cancel()
    assert logic.wait(60)


def test_the_real_network_is_measured_after_a_rest() -> None:
    logic = MeasuredPhi(device="cpu", phi=0.0)
    logic.phi = 0.3
    assert logic.status.state == "waiting"
    assert logic.wait(120)
    assert logic.status.state == "measured"
    assert logic.is_fresh
    assert logic.latest is not None
    measured = logic.latest.measurement
    assert measured.macs == logic.cost.macs
    assert measured.parameters == logic.cost.parameters
    assert measured.low_ms <= measured.median_ms <= measured.high_ms
    assert measured.peak_memory_bytes > 4 * measured.parameters


def test_the_history_is_a_table_with_every_setting(slow: SlowProfile) -> None:
    slow.release.set()
    logic = MeasuredPhi(device="cpu", batch_size=4)
    for phi in (0.5, 1.5):
        logic.phi = phi
        assert logic.wait(60)
    rows = list(csv.DictReader(io.StringIO(logic.csv())))
    assert [float(row["phi"]) for row in rows] == [0.5, 1.5]
    assert {row["batch_size"] for row in rows} == {"4"}
    assert [int(row["macs"]) for row in rows] == [ee.cost(ee.compound(phi)).macs for phi in (0.5, 1.5)]


def test_what_a_slider_sends_is_rounded() -> None:
    logic = MeasuredPhi(device="cpu", phi=0.1 + 0.2, alpha=1.15 + 0.05)
    assert (logic.phi, logic.alpha) == (0.3, 1.2)
    assert logic.code() == "ee.labs.PhiLab(phi=0.3)"


def test_reset_goes_back_to_what_the_lab_was_made_with(slow: SlowProfile) -> None:
    logic = MeasuredPhi(device="cpu", phi=1.0, batch_size=2)
    with logic.together():
        logic.phi, logic.gamma, logic.batch_size = 2.3, 1.3, 8
    logic.reset()
    assert logic.cost.macs == ee.cost(ee.compound(1.0)).macs
    assert (logic.gamma, logic.batch_size) == (1.15, 2)
    logic.cancel()
    assert logic.wait(60)


@pytest.mark.parametrize(
    ("setting", "value"), [("phi", -0.1), ("phi", 7.1), ("batch_size", 0), ("precision", "fp8")]
)
def test_settings_outside_their_range_are_refused(setting: str, value: Any) -> None:
    with pytest.raises(traitlets.TraitError, match=setting):
        MeasuredPhi(device="cpu", **{setting: value})


def test_an_unknown_setting_names_those_there_are() -> None:
    with pytest.raises(TypeError, match=r"no setting 'ph'; it has phi, alpha"):
        MeasuredPhi(ph=1)


def test_the_picture_says_in_words_what_it_shows() -> None:
    logic = MeasuredPhi(device="cpu", phi=1.0)
    before = logic.screen()
    for stage in logic.spec.stages:
        assert f"{stage.channels} x " in before.picture.description
    assert f"{logic.cost.macs / 1e9:.3g} billion MACs" in before.charts.description
    logic.phi = 1.2
    assert logic.screen().picture.description != before.picture.description
    logic.cancel()
    assert logic.wait(60)


def test_a_named_network_is_the_published_one_and_says_so() -> None:
    logic = MeasuredPhi(device="cpu", variant="B4")
    assert logic.cost.macs == ee.cost("efficientnet_b4").macs
    published, computed = logic.numbers(logic.setting)
    assert published.caption == "published, not the formula"
    assert {n.name: n.value for n in published.numbers}["width w"] == 1.4
    fitted = ee.fit_phi(ee.Multipliers(1.8, 1.4, 380 / 224))
    found = {n.name: n.value for n in computed.numbers}
    assert found["phi from depth"] == pytest.approx(fitted.depth)
    assert found["phi from width"] == pytest.approx(fitted.width)
    assert found["phi from resolution"] == pytest.approx(fitted.resolution)
    growth = ee.cost("efficientnet_b4").macs / ee.cost("efficientnet_b0").macs
    assert ee.cost_factor() ** found["phi from MACs"] == pytest.approx(growth)


def test_phi_snaps_to_a_named_network_and_leaves_it_when_moved(slow: SlowProfile) -> None:
    logic = MeasuredPhi(device="cpu")
    logic.variant = "B4"
    assert logic.phi == pytest.approx(math.log(11.4) / math.log(1.92), abs=0.1)
    assert logic.setting == replace(logic.setting, phi=logic.phi, variant="B4")
    logic.alpha = 1.4
    assert logic.variant == "B4"
    logic.phi = 2.0
    assert logic.variant == FORMULA
    assert logic.cost.macs == ee.cost(ee.compound(2.0, alpha=1.4)).macs
    logic.alpha = 1.0
    logic.variant = "B7"
    assert [n.name for s in logic.numbers(logic.setting) for n in s.numbers if "phi" in n.name] == []
    logic.cancel()
    assert logic.wait(60)


def test_a_named_network_is_measured_once_whatever_the_bases(slow: SlowProfile) -> None:
    slow.release.set()
    logic = MeasuredPhi(device="cpu", variant="B0")
    logic.request()
    assert logic.wait(60)
    logic.alpha = 1.3
    assert logic.is_fresh
    logic.cancel()
    logic.variant = FORMULA
    assert not logic.is_fresh
    logic.cancel()
    assert logic.wait(60)


def test_measurements_of_one_network_stand_by_device_precision_and_batch(slow: SlowProfile) -> None:
    slow.release.set()
    logic = MeasuredPhi(device="cpu")
    for settings in ({}, {"batch_size": 4}, {"precision": "bf16"}, {"phi": 0.5}, {"phi": 0.0}):
        with logic.together():
            for name, value in settings.items():
                setattr(logic, name, value)
        logic.request()
        assert logic.wait(60)
    kept = [(r.setting.precision, r.setting.batch_size) for r in same_network(logic)]
    assert kept == [("bf16", 4), ("fp32", 1), ("fp32", 4)]
    assert session_table(logic).count("<td>") == 2 * len(kept)


def test_published_networks_lie_where_their_own_multipliers_say() -> None:
    points = {point.name: point for point in published_points(1.2, 1.1, 1.15)}
    assert points["B2"].low == pytest.approx(1.0, abs=0.08)
    assert points["B2"].high == pytest.approx(1.0, abs=0.08)
    assert (points["B7"].low, points["B7"].high) == pytest.approx((6.21, 7.27), abs=0.01)
    assert points["B1"].middle == pytest.approx(0.49, abs=0.01)
    assert published_points(1.0, 1.1, 1.15) == ()


def test_what_is_noisy_is_to_be_measured_again_with_what_a_lab_has() -> None:
    quiet = fake_measurement(ee.spec("efficientnet_b0"), 1, "fp32")
    noisy = replace(quiet, noisy=True)
    assert "(seconds=" in noisy.advice
    assert (advice(quiet), advice(noisy)) == ("", "Noisy: press Measure once more.")


@pytest.mark.parametrize("alpha", [1.81, 1.82, 2.0])
def test_phi_ends_where_alpha_would_make_the_network_too_deep(slow: SlowProfile, alpha: float) -> None:
    logic = MeasuredPhi(device="cpu", phi=7.0)
    logic.alpha = alpha
    assert logic.phi == logic.ends("phi")[1] == {1.81: 7.0, 1.82: 6.9, 2.0: 6.0}[alpha]
    assert 64 / alpha**0.1 < alpha**logic.phi <= 64 or alpha == 1.81
    logic.phi = 6.0
    assert f"{logic.cost.macs / 1e9:,.0f} billion MACs" in logic.screen().charts.description
    logic.cancel()
    assert logic.wait(5)
    with pytest.raises(traitlets.TraitError, match="phi is 7; with alpha 2 it must be a number from 0 to 6"):
        MeasuredPhi(device="cpu", alpha=2.0, phi=7.0)


def place(scene: Scene, key: str) -> tuple[float, ...]:
    return next(mark.place for mark in scene.marks if mark.key == key)


def words(scene: Scene, key: str) -> str:
    return "".join(piece for mark in scene.marks if mark.key == key for piece, _ in mark.text)


def test_the_finding_compares_with_b0_or_else_with_a_and_says_times_once_both_are_measured(
    slow: SlowProfile,
) -> None:
    slow.release.set()
    logic = MeasuredPhi(device="cpu")
    assert logic.screen().finding.startswith("This is B0: 0.386 billion MACs")
    logic.phi = 2.3
    ratio = ee.cost(ee.compound(2.3)).macs / ee.cost("efficientnet_b0").macs
    assert logic.screen().finding == f"{ratio:.3g} times the work of B0."
    for phi in (0.0, 2.3):
        logic.phi = phi
        logic.request()
        assert logic.wait(60)
    assert logic.screen().finding == f"{ratio:.3g} times the work of B0, and the same time on this device."
    logic.pin()
    logic.phi = 7.0
    logic.cancel()
    assert logic.screen().finding.endswith(" times the work of A, phi 2.3.")
    assert logic.wait(60)


def test_the_point_is_dragged_along_phi_and_a_published_network_is_clicked(unmeasured: None) -> None:
    logic = MeasuredPhi(device="cpu", phi=1.0)
    marks = {mark.key: mark for mark in logic.screen().charts.marks}
    (drag,) = marks["macs/now/mark"].drag
    assert (drag.name, drag.value, drag.axis.low, drag.axis.high) == ("phi", 1.0, 0, 7)
    assert drag.axis(1.0) == pytest.approx(marks["macs/now/mark"].place[0])
    logic.touch(marks["macs/B4/mark"].sets)
    assert logic.variant == "B4"
    logic.touch({"phi": 2.5})
    assert (logic.phi, logic.variant) == (2.5, FORMULA)
    with pytest.raises(traitlets.TraitError, match=r"phi is 99\.0; it must be a number from 0 to 7"):
        logic.touch({"phi": 99})
    with pytest.raises(traitlets.TraitError, match="PhiLab has no setting 'history'"):
        logic.touch({"history": ()})
    assert (logic.phi, logic.history) == (2.5, ())


def test_a_click_on_a_stage_opens_its_block_and_another_closes_it(unmeasured: None) -> None:
    logic = MeasuredPhi(device="cpu", phi=1.0)
    closed = logic.screen().picture
    touch = next(mark for mark in closed.marks if mark.key == "stage 5/touch")
    logic.touch(touch.sets)
    inside = logic.screen().picture
    assert words(inside, "inside 5/title") == "Stage 5: MBConv6, 5 x 5, SE"
    block = ee.resolve(logic.spec)[sum(stage.layers for stage in logic.spec.stages[:4])]
    shape = f"{block.channels_hidden} x {block.side_in} x {block.side_in}"
    assert shape in {"".join(piece for piece, _ in mark.text) for mark in inside.marks}
    again = next(mark for mark in inside.marks if mark.key == "stage 5/touch")
    logic.touch(again.sets)
    assert logic.screen().picture == closed


@pytest.mark.parametrize("settings", [{"alpha": 1.6}, {"beta": 1.5}, {"gamma": 1.5}])
def test_what_lies_beyond_the_chart_says_so_and_the_curve_ends_at_its_edge(
    settings: dict[str, float],
) -> None:
    logic = MeasuredPhi(device="cpu", phi=7.0, **settings)
    charts = logic.screen().charts
    said = words(charts, "macs/now/beyond")
    assert said == f"beyond: {ee.cost(logic.spec).macs / 1e9:,.0f} billion"
    curve = macs_curve(logic.alpha, logic.beta, logic.gamma)
    assert [macs for _, macs in curve].count(200.0) == 1
    assert curve[-1][1] == 200.0
    ys = place(charts, "macs/curve")[1::2]
    assert min(ys) == ys[-1]
    logic.phi = 1.0
    logic.cancel()
    assert not words(logic.screen().charts, "macs/now/beyond")


def named_wrong(scene: Scene) -> list[tuple[str, str]]:
    """Return the names that stand nearer to a point that has another one, with that point.

    What is published has its name before a hand comes near, and A and B find theirs where room is left; two
    points that overlap have their names together.
    """
    named, points = {mark.key.removesuffix("/name") for mark in scene.marks}, {}
    for mark in scene.marks:
        if mark.key.endswith("/mark") and mark.key.removesuffix("/mark") in named:
            across, upright = mark.place[::2], mark.place[1::2]
            is_circle = mark.shape == "circle"
            points[mark.key.removesuffix("/mark")] = (
                mark.place[:2] if is_circle else (sum(across) / len(across), sum(upright) / len(upright))
            )
    found, moved = [], ("macs/A", "macs/now")
    for mark in scene.marks:
        if (name := mark.key.removesuffix("/name")) in points and mark.shape == "text":
            left, top, right, bottom = words_box(mark)
            away = {
                key: math.hypot(max(left - x, 0, x - right), max(top - y, 0, y - bottom))
                for key, (x, y) in points.items()
                if (key in moved) == (name in moved)
            }
            near = min(away, key=away.__getitem__)
            if away[near] < away[name] - 1 and math.dist(points[near], points[name]) > 14:
                found.append((name, near))
    return found


@pytest.mark.parametrize("room", [324, 736, 910, 1240, 1800])
def test_no_name_stands_at_another_point(room: int, slow: SlowProfile) -> None:
    slow.release.set()
    logic = MeasuredPhi(device="cpu", phi=1.6)
    logic.room = room
    for phi in (
        1.0,
        1.3,
        1.6,
    ):  # A is the last of them: the present setting stands left of it, and further left
        logic.phi = phi
        logic.request()
        assert logic.wait(60)
        assert named_wrong(logic.screen().charts) == []
    logic.pin()
    for phi in (1.0, 1.3, 0.0, 2.0, 7.0):
        logic.phi = phi
        logic.request()
        assert logic.wait(60)
        scene = logic.screen().charts
        assert named_wrong(scene) == []
        named = {
            "".join(piece for piece, _ in mark.text) for mark in scene.marks if mark.key.endswith("/name")
        }
        assert {"A", "B"} <= named


@pytest.mark.parametrize("room", [220, 324, 736, 1240])
def test_no_name_but_that_of_b0_stands_among_the_numbers_of_the_axis(room: int) -> None:
    logic = MeasuredPhi(device="cpu", phi=0.5)
    logic.room = room
    charts = logic.screen().charts
    logic.cancel()
    axis = min(place(charts, "macs/curve")[::2])
    names = [m for m in charts.marks if m.key.startswith("macs/B") and m.key.endswith("/name")]
    among = {mark.key for mark in names if words_box(mark)[0] < axis}
    assert names
    assert among <= {"macs/B0/name"}


@pytest.mark.parametrize("room", [280, 340, 600, 1066, 1880])
def test_every_mark_lies_in_the_picture(room: int) -> None:
    for settings in ({}, {"phi": 7.0}, {"alpha": 2.0, "phi": 6.0}, {"variant": "B7"}):
        logic = MeasuredPhi(device="cpu", **settings)
        logic.room, logic.opened = room, 7
        logic.pin()
        for scene in (logic.screen().picture, logic.screen().charts):
            assert scene.width == room
            for mark in scene.marks:
                x, y = mark.place[:2]
                assert -0.5 <= x <= room + 0.5, mark
                assert -0.5 <= y <= scene.height + 0.5, mark
