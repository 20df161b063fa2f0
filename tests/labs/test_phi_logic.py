"""The phi lab without a browser: exact at once, measured soon, the newest request wins."""

import csv
import io
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import traitlets

import effnet_edu as ee
from effnet_edu.labs import phi_logic
from effnet_edu.labs.phi_logic import PhiLogic
from effnet_edu.labs.phi_screen import describe, published_points, screen, still
from effnet_edu.profiling.cancel import Cancelled
from effnet_edu.profiling.profile import Measurement


def fake_measurement(spec: Any, batch_size: int, precision: str, **_: Any) -> Measurement:
    return Measurement(
        spec.name, spec.resolution, batch_size, precision, "cpu", "a test", ee.cost(spec).macs, 1,
        median_ms=10.0, low_ms=9.0, high_ms=11.0, repeats=3, noisy=False, peak_memory_bytes=2**20,
        torch_version=torch.__version__, seed=0,
    )  # fmt: skip


class SlowProfile:
    """Stands in for a measurement: takes until `release`, asks whether it is cancelled, counts its calls."""

    def __init__(self) -> None:
        self.release, self.started, self.calls = threading.Event(), threading.Event(), 0

    def __call__(self, spec: Any, batch_size: int, *, is_cancelled: Any, **options: Any) -> Measurement:
        self.calls += 1
        self.started.set()
        while not self.release.wait(0.01):
            if is_cancelled():
                raise Cancelled
        return fake_measurement(spec, batch_size, options["precision"])


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowProfile]:
    stand_in = SlowProfile()
    monkeypatch.setattr(phi_logic, "profile", stand_in)
    yield stand_in
    stand_in.release.set()


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


def test_the_newest_request_wins(slow: SlowProfile) -> None:
    logic = PhiLogic(device="cpu")
    logic.measure()
    assert slow.started.wait(5)
    for n in range(1, 30):
        logic.phi = n / 10
    slow.release.set()
    assert logic.wait(20)
    assert [record.setting.phi for record in logic.history] == [2.9]
    assert slow.calls == 2


def test_cancel_is_quick_and_keeps_what_was_measured(slow: SlowProfile) -> None:
    logic = PhiLogic(device="cpu")
    slow.release.set()
    logic.measure()
    assert logic.wait(5)
    slow.release.clear()
    slow.started.clear()
    logic.measure()
    assert slow.started.wait(5)
    start = time.monotonic()
    logic.cancel()
    assert logic.wait(5)
    assert time.monotonic() - start < 0.5
    assert logic.status.state == "cancelled"
    assert len(logic.history) == 1


def test_a_fault_ends_as_a_sentence_and_the_lab_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Measurement:
        raise MemoryError("It does not fit.")

    logic = PhiLogic(device="cpu")
    monkeypatch.setattr(phi_logic, "profile", broken)
    logic.measure()
    assert logic.wait(5)
    assert logic.status.message == "MemoryError: It does not fit."
    assert logic.status.state == "failed"
    monkeypatch.setattr(phi_logic, "profile", fake_measurement)
    logic.measure()
    assert logic.wait(5)
    assert logic.status.state == "measured"


def test_no_thread_is_left(slow: SlowProfile) -> None:
    logics = [PhiLogic(device="cpu") for _ in range(5)]
    for logic in logics:
        logic.measure()
        logic.cancel()
        assert logic.wait(5)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("effnet-edu")]


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


def test_its_line_of_code_recreates_it() -> None:
    logic = PhiLogic(device="cpu", phi=2.3, beta=1.2, batch_size=8, precision="bf16")
    again = eval(logic.code(), {"ee": ee})  # noqa: S307 - the line is what a learner would paste
    assert again.logic.setting == logic.setting
    again.close()


def test_what_a_slider_sends_is_rounded() -> None:
    logic = PhiLogic(device="cpu", phi=0.1 + 0.2, alpha=1.15 + 0.05)
    assert (logic.phi, logic.alpha) == (0.3, 1.2)
    assert "phi=0.3," in logic.code()


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
    shown = screen(logic)
    for stage in logic.spec.stages:
        assert f"{stage.channels} x " in shown
    assert shown.count('role="img"') == 2
    assert f"{logic.cost.macs / 1e9:.3g} billion MACs" in shown
    before = shown
    logic.phi = 1.2
    assert screen(logic) != before
    logic.cancel()
    assert logic.wait(5)


def test_published_networks_lie_where_their_own_multipliers_say() -> None:
    points = {point.name: point for point in published_points(1.2, 1.1, 1.15)}
    assert points["B2"].low == pytest.approx(1.0, abs=0.08)
    assert points["B2"].high == pytest.approx(1.0, abs=0.08)
    assert (points["B7"].low, points["B7"].high) == pytest.approx((6.21, 7.27), abs=0.01)
    assert points["B1"].middle == pytest.approx(0.49, abs=0.01)
    assert published_points(1.0, 1.1, 1.15) == ()


def test_a_still_picture_stands_in_for_the_lab() -> None:
    lab = ee.labs.PhiLab(device="cpu", phi=2.0)
    bundle = lab._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "<img alt='Phi lab at phi 2: " in bundle["text/html"]
    assert bundle["text/plain"] == describe(lab.logic)
    assert len(still(lab.logic)) < 40_000
    lab.close()


def test_the_view_follows_the_logic_and_back() -> None:
    lab = ee.labs.PhiLab(device="cpu")
    for name, control in lab._linked:
        if name == "phi":
            control.value = 0.7
            assert lab.logic.phi == 0.7
    lab.logic.phi = 0.2
    assert {control.value for name, control in lab._linked if name == "phi"} == {0.2}
    lab.close()
    assert lab.logic.wait(20)
