"""What every lab does, without a browser; driven through the phi lab, whose measurement is exchanged."""

import csv
import gc
import io
import threading
import time
from dataclasses import replace
from functools import partial
from typing import Any

import ipywidgets
import psutil
import pytest
import traitlets

import effnet_edu as ee
from effnet_edu.ground.watch import Watch
from effnet_edu.labs.frame.against import against
from effnet_edu.labs.frame.layout import figures
from effnet_edu.labs.frame.logic import Record, Status
from effnet_edu.labs.frame.numbers import Number, Section, compare, comparisons_csv
from effnet_edu.labs.frame.settings import read_number
from effnet_edu.labs.phi import numbers as phi_numbers
from effnet_edu.labs.phi import screen as phi_screen
from effnet_edu.labs.phi.lab import PhiLab
from effnet_edu.labs.phi.measured import MeasuredPhi
from effnet_edu.labs.phi.numbers import PhiSetting, network_at
from effnet_edu.model.cost import cost
from effnet_edu.model.variants import spec
from effnet_edu.profiling.forward import profile
from effnet_edu.profiling.measurement import Measurement
from tests.labs.conftest import SlowProfile, fake_measurement
from tests.waiting import wait_until


def test_the_newest_request_wins(slow: SlowProfile) -> None:
    logic = MeasuredPhi(device="cpu")
    logic.request()
    assert slow.started.wait(60)
    for n in range(1, 30):
        logic.phi = n / 10
    slow.release.set()
    assert logic.wait(60)
    assert [record.setting.phi for record in logic.history] == [2.9]
    assert slow.calls == 2


def test_cancel_ends_it_and_keeps_what_was_measured(slow: SlowProfile) -> None:
    logic = MeasuredPhi(device="cpu")
    slow.release.set()
    logic.request()
    assert logic.wait(60)
    slow.release.clear()
    slow.started.clear()
    logic.request()
    assert slow.started.wait(60)
    logic.cancel()
    assert logic.wait(60)  # though nothing has released what was measured
    assert not slow.release.is_set()
    assert logic.status.state == "cancelled"
    assert len(logic.history) == 1


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError("It does not fit."), "Not measured: It does not fit."),
        (
            RuntimeError("shapes differ\nC++ stack"),
            "Not measured: the network stopped with RuntimeError: shapes differ",
        ),
    ],
)
def test_a_fault_ends_as_a_sentence_and_the_lab_goes_on(
    monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def broken(*_: Any, **__: Any) -> Measurement:
        raise error

    logic = MeasuredPhi(device="cpu")
    monkeypatch.setattr("effnet_edu.labs.phi.measured.profile", broken)
    logic.request()
    assert logic.wait(60)
    assert (logic.status.state, logic.status.message) == ("failed", sentence)
    monkeypatch.setattr("effnet_edu.labs.phi.measured.profile", fake_measurement)
    logic.request()
    assert logic.wait(60)
    assert logic.status.state == "measured"


def test_what_was_refused_is_said_until_the_setting_changes() -> None:
    logic = PhiLab().logic
    before = logic.status
    logic.say(Status("failed", "gamma is '9'; it must be a number from 1 to 1.5."))
    logic.say(Status("failed", "gamma is '8'; it must be a number from 1 to 1.5."))
    assert logic.status.message.startswith("gamma is '8'")
    logic.room = 700
    assert logic.status.state == "failed"
    with logic.together():
        logic.gamma = 1.0
    assert logic.status.state != "failed"
    logic.cancel()
    assert before.state == "resting"


def test_what_does_not_fit_is_refused_before_it_is_tried() -> None:
    logic = MeasuredPhi(device="cpu", phi=7.0, gamma=1.5, batch_size=1024)
    logic.request()
    assert logic.wait(60)
    assert logic.status.state == "failed"
    assert logic.status.message.startswith("Not measured: A batch of 1024 at ")


def test_a_lab_says_that_it_waits_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def queued(*arguments: Any, watch: Watch, **options: Any) -> Measurement:
        watch.waiting("Another notebook measures.")
        asked.wait(60)
        return fake_measurement(*arguments, **options)

    monkeypatch.setattr("effnet_edu.labs.phi.measured.profile", queued)
    lab = PhiLab(device="cpu")
    lab.logic.request()
    wait_until(lambda: "Another notebook measures." in lab._status.value, "word of the other notebook")
    assert lab._status.value == "<span>Another notebook measures.</span>"
    asked.set()
    assert lab.logic.wait(60)
    assert lab.logic.status.state == "measured"
    lab.close()


def test_no_thread_is_left(slow: SlowProfile) -> None:
    before = threading.enumerate()
    logics = [MeasuredPhi(device="cpu") for _ in range(5)]
    for logic in logics:
        logic.request()
        logic.cancel()
        assert logic.wait(60)
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert not [thread for thread in left if thread.name.startswith("effnet-edu")]


def test_200_changes_in_a_burst_end_with_the_last(slow: SlowProfile) -> None:
    slow.release.set()
    lab = PhiLab(device="cpu")
    for n in range(200):
        lab.logic.phi = (n * 37 % 70) / 10
        time.sleep(0.005)
    assert lab.logic.wait(60)
    assert slow.calls < 20
    assert lab.logic.latest is not None
    assert lab.logic.latest.setting == lab.logic.setting
    assert lab._body.picture.scene == lab.logic.screen().picture.as_json()
    assert lab._body.figures.value == figures(lab.logic)
    lab.close()


def test_several_settings_change_as_one(slow: SlowProfile) -> None:
    logic = MeasuredPhi(device="cpu")
    with logic.together():
        logic.phi, logic.gamma, logic.batch_size = 2.3, 1.3, 8
    seen: list[Any] = []
    logic.observe(lambda change: seen.append(change["new"]), "setting")
    logic.reset()
    assert len(seen) == 1
    logic.cancel()
    assert logic.wait(60)


@pytest.mark.parametrize("rebuilds", [10, pytest.param(200, marks=pytest.mark.thorough)])
def test_rebuilds_leave_no_memory(monkeypatch: pytest.MonkeyPatch, rebuilds: int) -> None:
    b0 = spec("efficientnet_b0")
    small = replace(b0, stages=tuple(replace(stage, layers=1, channels=8) for stage in b0.stages))
    monkeypatch.setattr(phi_numbers, "_network", lambda *_: (small, cost(small)))
    quick = partial(profile, resolution=32, seconds=0.001)
    monkeypatch.setattr("effnet_edu.labs.phi.measured.profile", quick)
    monkeypatch.setattr("effnet_edu.profiling.workload.MOST_INPUT_BYTES", 2**20)
    lab = PhiLab(device="cpu")

    def rebuild(times: int) -> int:
        for n in range(times):
            lab.logic.phi = n / 100
            lab.logic.request()
            assert lab.logic.wait(60)
            assert lab.logic.status.state == "measured", lab.logic.status
        gc.collect()
        return int(psutil.Process().memory_info().rss)

    rebuild(5)
    gc.collect()
    gc.freeze()  # what other tests left is neither looked at nor counted
    try:
        before = rebuild(5)
        after = rebuild(rebuilds)
        alive = [thing for thing in gc.get_objects() if type(thing) is ee.EfficientNet]
    finally:
        gc.unfreeze()
        lab.close()
    print(f"{rebuilds} rebuilds: {(after - before) / 2**20:+.1f} MiB")
    # The allocator keeps or returns a network's worth of memory as it likes; what is alive is exact.
    assert after - before < 50 * 2**20
    assert alive == []


def test_a_closed_lab_leaves_no_widget(slow: SlowProfile) -> None:
    PhiLab(device="cpu").close()
    known = ipywidgets.widgets.widget._instances
    before = len(known)
    for _ in range(5):
        lab = PhiLab(device="cpu")
        lab.logic.phi = 1.0
        lab.close()
        assert lab.logic.wait(60)
    assert len(known) == before


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({}, "ee.labs.PhiLab()"),
        ({"phi": 2.3, "batch_size": 8}, "ee.labs.PhiLab(phi=2.3, batch_size=8)"),
        ({"variant": "B4", "precision": "bf16", "beta": 1.2}, None),
    ],
)
def test_its_line_of_code_recreates_it(settings: dict[str, Any], code: str | None) -> None:
    logic = MeasuredPhi(**settings)
    assert code is None or logic.code() == code
    again = eval(logic.code(), {"ee": ee})  # noqa: S307 - the line is what a learner would paste
    assert again.logic.setting == logic.setting
    again.close()


def test_a_device_that_is_not_there_is_refused_in_a_sentence() -> None:
    with pytest.raises(Exception, match="device is 'tpu'; this machine has 'cpu'"):
        MeasuredPhi(device="tpu")


def test_two_settings_are_compared_number_by_number(slow: SlowProfile) -> None:
    slow.release.set()
    logic = MeasuredPhi(device="cpu", phi=0.0)
    logic.request()
    assert logic.wait(60)
    logic.pin()
    logic.phi = 1.0
    logic.cancel()
    rows = {row.name: row for row in logic.compared()}
    blocks = rows["blocks"]
    assert blocks.a is not None
    assert blocks.b is not None
    assert (blocks.a.value, blocks.b.value, blocks.difference) == (16, 23, 7)
    assert blocks.ratio == pytest.approx(23 / 16)
    assert rows["time a batch"].b is None
    assert rows["time a batch"].difference is None
    logic.unpin()
    assert logic.compared() == ()
    assert logic.wait(60)


def test_three_sentences_say_what_b_has_of_a_and_why_the_time_differs(unmeasured: None) -> None:
    logic = MeasuredPhi(device="cpu")
    logic.pin()
    assert len(against(logic)) == 1
    logic.phi, logic.batch_size = 1.0, 4
    changed, exact, measured = against(logic)
    assert changed == "From A to B: phi 0 becomes phi 1, batch size 1 becomes 4."
    macs, scaled = (ee.cost(spec).macs / 1e9 for spec in ("efficientnet_b0", ee.compound(1)))
    factor = f"{scaled / macs:.3g}"
    assert f"Computed: MACs {macs:.3g} to {scaled:.3g} billion (× {factor}), parameters" in exact
    assert measured == "Not measured here: A and B."

    def measure(setting: PhiSetting, ms: float) -> None:
        found = fake_measurement(network_at(setting), setting.batch_size, setting.precision)
        found = replace(found, median_ms=ms, low_ms=ms - 1, high_ms=ms + 1)
        logic.history = (*logic.history, Record(setting, found))

    measure(logic.pinned, 10)
    assert against(logic)[2] == "Not measured here: B."
    for ms, why in (
        (11, "; the intervals of the two times overlap."),
        (40 * scaled / macs, f"; the time goes as the work does (× {4 * scaled / macs:.3g})."),
        (20 * scaled / macs, "times as much, and B does 2 times as many MACs a second."),
    ):
        measure(logic.setting, ms)
        assert against(logic)[2].startswith("Measured: time a batch 10 to ")
        assert against(logic)[2].endswith(why)


def test_a_comparison_keeps_what_only_one_side_has() -> None:
    a = (Section("published", (Number("width", 2.0), Number("top-1", 80.0, "%")), "published"),)
    b = (Section("computed", (Number("width", 1.0), Number("blocks", 3)), "computed"),)
    rows = list(csv.DictReader(io.StringIO(comparisons_csv(compare(a, b)))))
    assert [row["name"] for row in rows] == ["width", "blocks", "top-1"]
    assert rows[0] == {
        "name": "width", "unit": "", "kind_a": "published", "kind_b": "computed",
        "a": "2.0", "b": "1.0", "difference": "-1.0", "ratio": "0.5",
    }  # fmt: skip
    assert rows[2]["b"] == rows[2]["difference"] == ""


def test_a_still_picture_stands_in_for_the_lab() -> None:
    lab = ee.labs.PhiLab(device="cpu", phi=2.0)
    bundle = lab._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "<img alt='Phi lab at phi 2: " in bundle["text/html"]
    assert bundle["text/plain"] == lab.in_words()
    assert len(bundle["text/html"]) < 40_000
    lab.close()


def controls(lab: PhiLab, css: str) -> Any:
    found = [
        w for w in ipywidgets.widgets.widget._instances.values() if css in getattr(w, "_dom_classes", ())
    ]
    return found[-1]


def test_the_view_follows_the_logic_and_back(slow: SlowProfile) -> None:
    lab = ee.labs.PhiLab(device="cpu")
    controls(lab, "ee-phi").value = 0.7
    assert (lab.logic.phi, controls(lab, "ee-phi-field").value) == (0.7, "0.7")
    lab.logic.phi = 0.2
    assert (controls(lab, "ee-phi").value, controls(lab, "ee-phi-field").value) == (0.2, "0.2")
    controls(lab, "ee-precision").value = "bf16"
    assert lab.logic.precision == "bf16"
    lab.logic.batch_size = 3
    assert controls(lab, "ee-batch-size").value == 3
    lab.close()
    assert lab.logic.wait(60)


@pytest.mark.parametrize(
    ("words", "ends", "is_whole", "number"),
    [
        ("1,7", (0, 7), False, 1.7),
        ("0,3", (0, 7), False, 0.3),
        (" 2.5 ", (0, 7), False, 2.5),
        ("1,000", (0, 7), False, 1.0),
        ("1,000", (0, 20_000), True, None),
        ("12,000", (100, 20_000), True, 12_000),
        ("1.500,5", (0, 7000), False, 1500.5),
        ("1,500.5", (0, 7000), False, 1500.5),
        ("1,7", (1, 8), True, None),
        ("3.0", (1, 8), True, 3),
        ("1e3", (0, 2000), True, 1000),
        ("1,7,5", (0, 200), False, None),
        ("99", (0, 7), False, None),
        ("nan", (0, 7), False, None),
        ("seven", (0, 7), False, None),
    ],
)
def test_a_comma_is_a_decimal_point_where_only_that_makes_sense(
    words: str, ends: tuple[float, float], is_whole: bool, number: float | None
) -> None:
    if number is None:
        with pytest.raises(ValueError, match=r"^phi is '.*(must be a|which could be 1 or 1000)"):
            read_number("phi", words, ends, is_whole)
    else:
        assert read_number("phi", words, ends, is_whole) == number


def test_a_number_typed_with_a_comma_moves_the_lab(slow: SlowProfile) -> None:
    lab = ee.labs.PhiLab(device="cpu")
    field = controls(lab, "ee-phi-field")
    field.value = "1,7"
    assert (lab.logic.phi, field.value) == (1.7, "1.7")
    field.value = "99"
    assert (lab.logic.phi, field.value) == (1.7, "1.7")
    assert lab.logic.status.message == "phi is '99'; it must be a number from 0 to 7."
    lab.close()


def test_a_number_between_two_steps_of_the_slider_stays_as_it_was_typed(slow: SlowProfile) -> None:
    lab = ee.labs.PhiLab(device="cpu")
    field, slider = controls(lab, "ee-phi-field"), controls(lab, "ee-phi")
    field.value = "1,72"
    assert (lab.logic.phi, field.value, slider.value) == (1.72, "1.72", pytest.approx(1.7))
    slider.value = (
        1.7 + 1e-12
    )  # a browser puts the handle on its step and says so, with a rounding of its own
    assert (lab.logic.phi, field.value) == (1.72, "1.72")
    slider.value = 1.8
    assert (lab.logic.phi, field.value) == (1.8, "1.8")
    lab.logic.phi = 1.84
    assert (field.value, slider.value) == ("1.84", pytest.approx(1.8))
    lab.logic.phi = 7.0
    assert slider.value == 7.0
    lab.close()


def test_the_picture_is_sent_before_the_charts_are_drawn(
    slow: SlowProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, order = PhiLab(device="cpu"), []
    drawn = phi_screen.charts
    monkeypatch.setattr(phi_screen, "charts", lambda logic: order.append("charts") or drawn(logic))
    lab._body.picture.observe(lambda _: order.append("picture"), "scene")
    lab.logic.phi = 2.0
    assert order[:2] == ["picture", "charts"]
    lab.close()


def test_numbers_of_unlike_units_have_no_difference() -> None:
    a = (Section("computed", (Number("budget", 20.0, "images/s"),), "computed"),)
    b = (Section("computed", (Number("budget", 2.0, "billion"),), "computed"),)
    rows = compare(a, b)
    assert [(row.unit, row.difference, row.ratio) for row in rows] == [
        ("billion", None, None),
        ("images/s", None, None),
    ]


def test_a_chart_says_that_it_is_being_measured(slow: SlowProfile) -> None:
    lab = PhiLab(device="cpu")

    def said() -> str:
        return lab._body.charts.scene

    assert "Nothing measured yet" in said()
    lab.logic.request()
    assert "Measuring now" in said()
    assert "Nothing measured yet" not in said()
    lab.logic.cancel()
    assert "Nothing measured yet" in said()
    lab.close()
    assert lab.logic.wait(60)


def test_what_is_refused_changes_nothing_of_what_was_set_together(slow: SlowProfile) -> None:
    logic = MeasuredPhi(device="cpu", phi=1.0)
    before = logic.setting
    refused = pytest.raises(traitlets.TraitError, match="with alpha 2 it must be a number from 0 to 6")
    with refused, logic.together():
        logic.alpha, logic.phi = 2.0, 7.0
    assert logic.setting == logic._chosen() == before
    assert logic.status.state == "resting"


def test_a_setting_that_was_measured_is_measured_again_only_when_asked(slow: SlowProfile) -> None:
    slow.release.set()
    logic = MeasuredPhi(device="cpu", phi=0.0)
    for phi in (1.0, 2.0, 1.0):
        logic.phi = phi
        assert logic.wait(60)
    assert logic.status.message.startswith("Measured before: phi 1 on ")
    assert [record.setting.phi for record in logic.history] == [1.0, 2.0]
    logic.request()
    assert logic.wait(60)
    assert [record.setting.phi for record in logic.history] == [1.0, 2.0, 1.0]
