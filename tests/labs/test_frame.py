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

import effnet_edu as ee
from effnet_edu.labs import phi_numbers
from effnet_edu.labs.layout import side_by_side
from effnet_edu.labs.numbers import Number, Section, compare, comparisons_csv
from effnet_edu.labs.phi_logic import PhiLogic
from effnet_edu.labs.phi_view import PhiLab
from effnet_edu.model.cost import cost
from effnet_edu.model.variants import spec
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.profile import profile
from tests.labs.conftest import SlowProfile, fake_measurement


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

    logic = PhiLogic(device="cpu")
    monkeypatch.setattr("effnet_edu.profiling.profile.profile", broken)
    logic.measure()
    assert logic.wait(5)
    assert (logic.status.state, logic.status.message) == ("failed", sentence)
    monkeypatch.setattr("effnet_edu.profiling.profile.profile", fake_measurement)
    logic.measure()
    assert logic.wait(5)
    assert logic.status.state == "measured"


def test_what_does_not_fit_is_refused_before_it_is_tried() -> None:
    logic = PhiLogic(device="cpu", phi=7.0, gamma=1.5, batch_size=1024)
    logic.measure()
    assert logic.wait(60)
    assert logic.status.state == "failed"
    assert logic.status.message.startswith("Not measured: A batch of 1024 at ")


def test_a_lab_says_that_it_waits_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def queued(*arguments: Any, waiting: Any, **options: Any) -> Measurement:
        waiting("Another notebook measures.")
        asked.wait(5)
        return fake_measurement(*arguments, **options)

    monkeypatch.setattr("effnet_edu.profiling.profile.profile", queued)
    lab = PhiLab(device="cpu")
    lab.logic.measure()
    end = time.monotonic() + 5
    while "Another notebook measures." not in lab._status.value and time.monotonic() < end:
        time.sleep(0.01)
    assert lab._status.value == "<span>Another notebook measures.</span>"
    asked.set()
    assert lab.logic.wait(5)
    assert lab.logic.status.state == "measured"
    lab.close()


def test_no_thread_is_left(slow: SlowProfile) -> None:
    logics = [PhiLogic(device="cpu") for _ in range(5)]
    for logic in logics:
        logic.measure()
        logic.cancel()
        assert logic.wait(5)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("effnet-edu")]


def test_200_changes_in_a_burst_end_with_the_last(slow: SlowProfile) -> None:
    slow.release.set()
    lab = PhiLab(device="cpu")
    for n in range(200):
        lab.logic.phi = (n * 37 % 70) / 10
        time.sleep(0.005)
    assert lab.logic.wait(30)
    assert slow.calls < 20
    assert lab.logic.latest is not None
    assert lab.logic.latest.setting == lab.logic.setting
    assert lab._screen.value == side_by_side(lab.logic, lab.draw())
    lab.close()


def test_several_settings_change_as_one(slow: SlowProfile) -> None:
    logic = PhiLogic(device="cpu", phi=2.3, gamma=1.3, batch_size=8)
    seen: list[Any] = []
    logic.observe(lambda change: seen.append(change["new"]), "setting")
    logic.reset()
    assert len(seen) == 1
    logic.cancel()
    assert logic.wait(5)


def test_200_rebuilds_leave_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    b0 = spec("efficientnet_b0")
    small = replace(b0, stages=tuple(replace(stage, layers=1, channels=8) for stage in b0.stages))
    monkeypatch.setattr(phi_numbers, "_network", lambda *_: (small, cost(small)))
    quick = partial(profile, resolution=32, seconds=0.001)
    monkeypatch.setattr("effnet_edu.profiling.profile.profile", quick)
    monkeypatch.setattr("effnet_edu.profiling.workload.MOST_INPUT_BYTES", 2**20)
    lab = PhiLab(device="cpu")

    def rebuild(times: int) -> int:
        for n in range(times):
            lab.logic.phi = n / 100
            lab.logic.measure()
            assert lab.logic.wait(60)
            assert lab.logic.status.state == "measured", lab.logic.status
        gc.collect()
        return int(psutil.Process().memory_info().rss)

    rebuild(5)
    gc.collect()
    gc.freeze()  # what other tests left is neither looked at nor counted
    try:
        before = rebuild(5)
        after = rebuild(200)
        alive = [thing for thing in gc.get_objects() if type(thing) is ee.EfficientNet]
    finally:
        gc.unfreeze()
        lab.close()
    print(f"200 rebuilds: {(after - before) / 2**20:+.1f} MiB")
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
        assert lab.logic.wait(5)
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
    logic = PhiLogic(**settings)
    assert code is None or logic.code() == code
    again = eval(logic.code(), {"ee": ee})  # noqa: S307 - the line is what a learner would paste
    assert again.logic.setting == logic.setting
    again.close()


def test_a_device_that_is_not_there_is_refused_in_a_sentence() -> None:
    with pytest.raises(Exception, match="device is 'tpu'; this machine has 'cpu'"):
        PhiLogic(device="tpu")


def test_two_settings_are_compared_number_by_number(slow: SlowProfile) -> None:
    slow.release.set()
    logic = PhiLogic(device="cpu", phi=0.0)
    logic.measure()
    assert logic.wait(5)
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
    assert logic.wait(5)


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
    assert lab.logic.phi == controls(lab, "ee-phi-field").value == 0.7
    lab.logic.phi = 0.2
    assert controls(lab, "ee-phi").value == controls(lab, "ee-phi-field").value == 0.2
    controls(lab, "ee-precision").value = "bf16"
    assert lab.logic.precision == "bf16"
    lab.logic.batch_size = 3
    assert controls(lab, "ee-batch-size").value == 3
    lab.close()
    assert lab.logic.wait(20)
