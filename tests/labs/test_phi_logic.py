"""The phi lab without a browser: exact at once, measured soon, the newest request wins."""

import csv
import io
import math
from dataclasses import replace
from typing import Any

import pytest
import traitlets

import effnet_edu as ee
from effnet_edu.labs.forward_logic import advice
from effnet_edu.labs.phi_logic import PhiLogic
from effnet_edu.labs.phi_numbers import FORMULA
from effnet_edu.labs.phi_pictures import published_points
from effnet_edu.labs.phi_screen import pictures, session_table
from tests.labs.conftest import SlowProfile, fake_measurement


def test_exact_numbers_follow_at_once() -> None:
    logic = PhiLogic(device="cpu")
    assert logic.cost.parameters == ee.cost("efficientnet_b0").parameters
    logic.phi = 1.0
    assert logic.cost.macs == ee.cost(ee.compound(1.0)).macs
    logic.alpha = 1.5
    assert logic.cost.macs == ee.cost(ee.compound(1.0, alpha=1.5)).macs
    logic.cancel()
    assert logic.wait(20)


def test_the_real_network_is_measured_after_a_rest() -> None:
    logic = PhiLogic(device="cpu", phi=0.0)
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
    logic = PhiLogic(device="cpu", batch_size=4)
    for phi in (0.5, 1.5):
        logic.phi = phi
        assert logic.wait(10)
    rows = list(csv.DictReader(io.StringIO(logic.csv())))
    assert [float(row["phi"]) for row in rows] == [0.5, 1.5]
    assert {row["batch_size"] for row in rows} == {"4"}
    assert [int(row["macs"]) for row in rows] == [ee.cost(ee.compound(phi)).macs for phi in (0.5, 1.5)]


def test_what_a_slider_sends_is_rounded() -> None:
    logic = PhiLogic(device="cpu", phi=0.1 + 0.2, alpha=1.15 + 0.05)
    assert (logic.phi, logic.alpha) == (0.3, 1.2)
    assert logic.code() == "ee.labs.PhiLab(phi=0.3)"


def test_reset_goes_back_to_b0(slow: SlowProfile) -> None:
    logic = PhiLogic(device="cpu", phi=2.3, gamma=1.3, batch_size=8)
    logic.reset()
    assert logic.cost.macs == ee.cost("efficientnet_b0").macs
    assert logic.batch_size == 1
    logic.cancel()
    assert logic.wait(5)


@pytest.mark.parametrize(
    ("setting", "value"), [("phi", -0.1), ("phi", 7.1), ("batch_size", 0), ("precision", "fp8")]
)
def test_settings_outside_their_range_are_refused(setting: str, value: Any) -> None:
    with pytest.raises(traitlets.TraitError, match=setting):
        PhiLogic(device="cpu", **{setting: value})


def test_an_unknown_setting_names_those_there_are() -> None:
    with pytest.raises(TypeError, match=r"no setting 'ph'; it has phi, alpha"):
        PhiLogic(ph=1)


def test_the_picture_says_in_words_what_it_shows() -> None:
    logic = PhiLogic(device="cpu", phi=1.0)
    network, charts = pictures(logic)
    for stage in logic.spec.stages:
        assert f"{stage.channels} x " in network.label
    assert f"{logic.cost.macs / 1e9:.3g} billion MACs" in charts.label
    logic.phi = 1.2
    assert network.label not in {drawn.label for drawn in pictures(logic)}
    logic.cancel()
    assert logic.wait(5)


def test_a_named_network_is_the_published_one_and_says_so() -> None:
    logic = PhiLogic(device="cpu", variant="B4")
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
    logic = PhiLogic(device="cpu")
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
    assert logic.wait(5)


def test_a_named_network_is_measured_once_whatever_the_bases(slow: SlowProfile) -> None:
    slow.release.set()
    logic = PhiLogic(device="cpu", variant="B0")
    logic.measure()
    assert logic.wait(10)
    logic.alpha = 1.3
    assert logic.is_fresh
    logic.cancel()
    logic.variant = FORMULA
    assert not logic.is_fresh
    logic.cancel()
    assert logic.wait(5)


def test_measurements_of_one_network_stand_by_device_precision_and_batch(slow: SlowProfile) -> None:
    slow.release.set()
    logic = PhiLogic(device="cpu")
    for settings in ({}, {"batch_size": 4}, {"precision": "bf16"}, {"phi": 0.5}, {"phi": 0.0}):
        with logic.together():
            for name, value in settings.items():
                setattr(logic, name, value)
        logic.measure()
        assert logic.wait(10)
    kept = [(r.setting.precision, r.setting.batch_size) for r in logic.same_network()]
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
