"""A class measures a setting once: what a lab reads from the shared folder, says of it, and trusts."""

import csv
import io
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

import effnet_edu as ee
from effnet_edu.course import demo
from effnet_edu.ground.cache import MEASURED
from effnet_edu.ground.typed_json import typed
from effnet_edu.labs.benchmark.measured import MeasuredBenchmark
from effnet_edu.labs.frame import measuring, shared
from effnet_edu.labs.mbconv.results import MBConvResult, MeasuredBlock
from effnet_edu.labs.phi.measured import MeasuredPhi
from effnet_edu.labs.v2.results import StageTimes, V2Result
from effnet_edu.profiling.roofs import points_under
from tests.cases import thorough_but_for
from tests.labs.conftest import SlowProfile, fake_measurement
from tests.labs.test_v2_logic import fake_training
from tests.profiling.made import made_ceilings, made_profile
from tests.waiting import wait_until

LABS = tuple(ee.labs.LABS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(MEASURED, str(tmp_path))
    monkeypatch.setattr(measuring, "LOOK_SECONDS", 0.01)
    return tmp_path


def measured(again: bool = False, **settings: Any) -> MeasuredPhi:
    logic = MeasuredPhi(device="cpu", **settings)
    logic.request(again=again)
    assert logic.wait(60)
    return logic


def written(folder: Path) -> Path:
    (path,) = folder.glob("*.json")
    return path


def test_the_same_setting_is_measured_once_and_named_as_recorded(folder: Path, slow: SlowProfile) -> None:
    slow.release.set()
    first, second = measured(phi=1.0), measured(phi=1.0)
    assert slow.calls == 1
    assert [record.measurement for record in second.history] == [first.history[0].measurement]
    said = "Recorded on this device less than a minute ago: phi 1"
    assert second.status.message == f"{said}: 3 repeats. Press Measure for your own."
    assert second.known_already(second.setting).message == f"{said}. Press Measure for your own."
    assert second.sections(second.setting)[-1].caption == "recorded on this device"
    assert next(csv.DictReader(io.StringIO(second.csv())))["measured_by"] == "another learner"
    second.request()  # the button
    assert second.wait(60)
    assert slow.calls == 2
    assert second.status.message.startswith("Measured phi 1 on ")
    assert second.sections(second.setting)[-1].caption == "measured"
    assert "measured_by" not in first.csv()
    measured(phi=1.1)
    assert slow.calls == 3


def test_a_learner_alone_shares_nothing(tmp_path: Path, slow: SlowProfile, monkeypatch: Any) -> None:
    slow.release.set()
    monkeypatch.setenv(MEASURED, str(tmp_path / "not there"))
    measured()
    monkeypatch.delenv(MEASURED)
    measured()
    assert slow.calls == 2
    assert list(tmp_path.iterdir()) == []


def test_who_asks_for_what_another_measures_waits_for_that(folder: Path, slow: SlowProfile) -> None:
    labs = [MeasuredPhi(device="cpu") for _ in range(3)]
    labs[0].request(again=False)
    assert slow.started.wait(60)
    for lab in labs[1:]:
        lab.request(again=False)
        wait_until(lambda lab=lab: lab.status.message == measuring.ANOTHER, "word of another learner")
    labs[1].cancel()
    assert labs[1].wait(60)
    slow.release.set()
    assert all(lab.wait(60) for lab in labs)
    assert slow.calls == 1
    assert [len(lab.history) for lab in labs] == [1, 0, 1]


def test_who_was_waited_for_and_gave_up_is_followed_by_the_next(folder: Path, slow: SlowProfile) -> None:
    first, second = MeasuredPhi(device="cpu"), MeasuredPhi(device="cpu")
    first.request(again=False)
    assert slow.started.wait(60)
    second.request(again=False)
    wait_until(lambda: second.status.message == measuring.ANOTHER, "word of another learner")
    first.cancel()
    assert first.wait(60)
    slow.release.set()
    assert second.wait(60)
    assert slow.calls == 2
    assert second.history[0].recorded_at is None


def changed(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    held = json.loads(path.read_text())
    change(held)
    path.write_text(json.dumps(held))


def found(**values: Any) -> Callable[[Path], None]:
    return lambda path: changed(path, lambda held: held["found"].update(values))


def replaced(path: Path, put: Callable[[Path], Any]) -> None:
    path.unlink()
    put(path)


HOSTILE: dict[str, Callable[[Path], None]] = {
    "expired": lambda path: changed(path, lambda held: held.update(at=time.time() - 3601)),
    "of tomorrow": lambda path: changed(path, lambda held: held.update(at=time.time() + 86400)),
    "a time that is a word": lambda path: changed(path, lambda held: held.update(at="now")),
    "another key": lambda path: changed(path, lambda held: held.update(key="[]")),
    "half": lambda path: path.write_text(path.read_text()[:-40]),
    "no JSON": lambda path: path.write_bytes(b"\x80\x04N."),
    "a list": lambda path: path.write_text("[]"),
    "deep": lambda path: path.write_text("[" * 200_000),
    "large": lambda path: path.write_text(" " * (shared.MOST_BYTES + 1)),
    "a number of 5,000 digits": lambda path: path.write_text('{"at": ' + "9" * 5000 + "}"),
    "a missing field": lambda path: changed(path, lambda held: held["found"].pop("network")),
    "a field too many": found(command2=""),
    "a word for a number": found(median_ms="10"),
    "true for a number": found(repeats=True),
    "a fraction of a repeat": found(repeats=2.5),
    "NaN": found(median_ms=float("nan")),
    "infinity": found(peak_memory_bytes=float("inf")),
    "no time at all": found(median_ms=0.0),
    "a negative time": found(median_ms=-1.0),
    "a number beyond all": found(macs=10**300),
    "a novel": found(threads_note="x" * 10**5),
    "a folder": lambda path: replaced(path, Path.mkdir),
    "a pipe": lambda path: replaced(path, os.mkfifo),
    "a link": lambda path: path.symlink_to(path.rename(path.with_suffix(".old"))),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_record_of_this_hour_is_measured(kind: str, folder: Path, slow: SlowProfile) -> None:
    slow.release.set()
    measured()
    HOSTILE[kind](written(folder))
    logic = measured()
    assert (slow.calls, logic.status.state, len(logic.history)) == (2, "measured", 1)
    assert logic.history[0].recorded_at is None
    third = measured()  # unless something stands in its place, the record is renewed
    assert slow.calls == (3 if kind == "a folder" else 2)
    assert third.status.state == "measured"


def test_another_device_another_torch_and_another_machine_have_records_of_their_own(
    folder: Path, slow: SlowProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.release.set()
    measured()
    for name in ("device_key", "device_name"):
        monkeypatch.setattr(shared, name, lambda _: "another")
        measured()
    monkeypatch.setattr(shared, "_machine", lambda: "another")
    measured()
    monkeypatch.setattr(shared.torch, "__version__", "9.9")
    measured()
    assert slow.calls == 5


def test_a_folder_that_takes_nothing_changes_nothing(
    folder: Path, slow: SlowProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    slow.release.set()
    monkeypatch.setattr("os.fsync", full)
    assert measured().status.message.startswith("Measured phi 0 on ")
    assert [path.suffix for path in folder.iterdir()] == [".lock"]
    monkeypatch.undo()
    monkeypatch.setenv(MEASURED, str(folder))
    monkeypatch.setattr(shared, "TurnFile", lambda _: (_ for _ in ()).throw(PermissionError()))
    monkeypatch.setattr("effnet_edu.labs.phi.measured.profile", slow)
    assert measured().status.state == "measured"


def test_others_may_read_a_record_whatever_the_mask(folder: Path, slow: SlowProfile) -> None:
    slow.release.set()
    before = os.umask(0o077)
    try:
        measured()
    finally:
        os.umask(before)
    assert written(folder).stat().st_mode & 0o777 == 0o644


def test_of_many_networks_only_those_are_measured_that_nobody_has(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def profile(name: str, batch_size: int, side: int, precision: str, *_: Any, **__: Any) -> Any:
        asked.append(name)
        spec = ee.spec(name) if name.startswith("eff") else ee.spec("efficientnet_b0")
        return replace_network(fake_measurement(spec, batch_size, precision), name, side)

    monkeypatch.setattr("effnet_edu.labs.benchmark.measured.profile", profile)
    first, second = (MeasuredBenchmark(device="cpu") for _ in range(2))
    first.request(again=False)
    assert first.wait(60)
    count = len(asked)
    next(iter(folder.glob("*.json"))).unlink()
    second.request(again=False)
    assert second.wait(60)
    assert (count > 2, len(asked)) == (True, count + 1)
    assert f"{count - 1} of {count} were recorded on this device" in second.status.message
    assert f"{count - 1} recorded on this device" in second.known_already(second.setting).message


def replace_network(found: Any, name: str, side: int) -> Any:
    return replace(found, network=name, resolution=side)


def test_the_results_of_all_labs_come_back_from_plain_json() -> None:
    layers, ceilings = made_profile(), made_ceilings()
    block = MeasuredBlock(points_under(layers.layers, layers.precision, ceilings)[:3], layers)
    step = fake_training(ee.spec("efficientnet_b0"), 2, 64, "cpu")
    for kind, found in (
        (MBConvResult, MBConvResult({"MBConv": block}, ceilings, ("convolution",))),
        (V2Result, StageTimes((step, step))),
    ):
        assert typed(kind, json.loads(json.dumps(asdict(found))), shared._OTHERS) == found


@pytest.mark.parametrize("name", thorough_but_for((), LABS))
def test_every_lab_shows_what_another_measured(name: str, folder: Path) -> None:
    kind = getattr(ee.labs, name).LOGIC
    first, second = kind(device="cpu", **kind.QUICK), kind(device="cpu", **kind.QUICK)
    for logic in (first, second):
        logic.request(again=False)
        assert logic.wait(300)
    assert [record.measurement for record in second.history] == [one.measurement for one in first.history]
    assert second.status.message.startswith("Recorded on this device ")


def test_visitors_of_the_demo_share_what_they_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []

    def serve(_: list[str], environment: dict[str, str]) -> int:
        given.append(environment[MEASURED])
        return 0 if Path(given[-1]).is_dir() else 1

    monkeypatch.delenv(MEASURED, raising=False)
    monkeypatch.setattr(demo, "serve_until_stopped", serve)
    assert demo.open_demo(2) == 0
    assert not Path(given[0]).exists()
