"""The benchmark lab without a browser: the best within a budget, and networks measured in turn, each once."""

import csv
import io
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import traitlets

import effnet_edu as ee
from effnet_edu.ground.watch import Cancelled
from effnet_edu.labs.benchmark import compared
from effnet_edu.labs.benchmark import measured as benchmark_measured
from effnet_edu.labs.benchmark.charts import accuracy, charts
from effnet_edu.labs.benchmark.compared import elsewhere, here, judged, ranking, ranking_of_two, winner
from effnet_edu.labs.benchmark.measured import MeasuredBenchmark
from effnet_edu.labs.benchmark.points import HERE, NOWHERE, devices_beside, recorded
from effnet_edu.labs.benchmark.screen import aside, finding, headlines, within_table
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.names import PEER_NAMES
from effnet_edu.published.benchmarks import DEVICES, results

EPYC = "AMD EPYC, 2 threads"
#: What the stand-in takes for a batch of one, in ms.
TIMES = {"efficientnet_b0": 30.0, "efficientnet_b1": 40.0, "efficientnetv2_b0": 20.0, "efficientnet_b2": 60.0}


class Timer:
    """Stands in for a measurement: each network takes its time of TIMES, if `release` is set."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.engines: list[str] = []
        self.release, self.started = threading.Event(), threading.Event()
        self.too_large: set[str] = set()
        self.release.set()

    def __call__(
        self, name: str, batch_size: int, side: int, precision: str, _device: Any, **options: Any
    ) -> Measurement:
        self.calls.append(name)
        self.engines.append(options["engine"])
        self.started.set()
        while not self.release.wait(0.01):
            if options["watch"].is_cancelled():
                raise Cancelled
        if name in self.too_large:
            raise MemoryError(f"{name} does not fit.")
        options["watch"].progress(1.0)
        ms = batch_size * TIMES[name]
        return Measurement(
            name, side, batch_size, precision, "cpu", "a test", ee.cost(name).macs, 1, ms, 0.9 * ms, 1.1 * ms,
            3, noisy=False, peak_memory_bytes=2**20, torch_version="", seed=0,
        )  # fmt: skip


@pytest.fixture
def timer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Timer]:
    stand_in = Timer()
    monkeypatch.setattr("effnet_edu.labs.benchmark.measured.profile", stand_in)
    yield stand_in
    stand_in.release.set()


def measured(**settings: Any) -> MeasuredBenchmark:
    logic = MeasuredBenchmark(device="cpu", **{"up_to": 1.0, **settings})
    logic.request()
    assert logic.wait(60)
    assert logic.status.state == "measured", logic.status
    return logic


def test_the_networks_are_measured_in_turn_the_cheapest_first(timer: Timer) -> None:
    logic = measured()
    assert timer.calls == ["efficientnet_b0", "efficientnet_b1", "efficientnetv2_b0", "efficientnet_b2"]
    assert [record.measurement.network for record in logic.history] == timer.calls
    assert logic.is_fresh
    assert logic.status.message.startswith("Measured batch 1, fp32 on ")
    assert "4 networks." in logic.status.message
    rows = list(csv.DictReader(io.StringIO(logic.csv())))
    assert [row["network"] for row in rows] == timer.calls
    assert [float(row["median_ms"]) for row in rows] == [TIMES[name] for name in timer.calls]


def test_no_network_is_measured_twice_unless_asked_for(timer: Timer) -> None:
    logic = measured()
    logic.most_ms = 45
    assert logic.wait(60)
    assert logic.status.message.startswith("Measured batch 1, fp32 on ")
    logic.batch_size = 2
    assert logic.wait(60)
    assert len(timer.calls) == 8
    logic.batch_size = 1
    assert logic.wait(60)
    assert logic.status.message.startswith("Measured before: 4 networks, batch 1, fp32, on ")
    assert len(timer.calls) == 8
    logic.request()
    assert logic.wait(60)
    assert len(timer.calls) == 12


def test_a_moving_budget_leaves_the_measurement_alone_and_cancel_keeps_what_is_done(timer: Timer) -> None:
    logic = MeasuredBenchmark(device="cpu", up_to=1.0)
    done = threading.Event()

    def stop_after_two(change: Any) -> None:
        if len(change["new"]) == 2:
            timer.release.clear()
            done.set()

    logic.observe(stop_after_two, "history")
    logic.request()
    assert done.wait(60)
    for budget in range(10, 60):
        logic.most_ms = budget
    time.sleep(0.6)  # longer than a rest: a new measurement would have begun
    assert logic.status.state == "measuring"
    assert len(timer.calls) <= 3
    logic.cancel()
    assert logic.wait(60)
    assert logic.status.message == "Cancelled. 2 of 4 networks are measured."
    timer.release.set()
    logic.up_to = 0.5
    logic.up_to = 1.0
    assert logic.wait(60)
    assert timer.calls.count("efficientnet_b0") == 1
    assert logic.is_fresh


def test_an_engine_is_a_condition_that_status_and_picture_name(timer: Timer) -> None:
    logic = measured(beside=NOWHERE, most_ms=100)
    logic.precision = "bf16"
    logic.engine = "openvino"
    assert logic.precision == "fp32"
    assert logic.wait(60)
    assert len(timer.calls) == 8
    assert timer.engines[-4:] == ["openvino"] * 4
    assert "batch 1, fp32 in openvino" in logic.status.message
    assert {point.device for point in here(logic, logic.setting)} == {f"{HERE}, openvino"}
    assert ranking(logic, logic.setting)[1].title == f"{HERE}, openvino"
    assert headlines(logic, logic.setting)[0].startswith("Best here in openvino within 100 ms")
    logic.precision = "bf16"
    assert logic.engine == "torch"
    with pytest.raises(traitlets.TraitError):
        logic.engine = "compiled"
    known = {result.key for result in compared.wanted(replace(logic.setting, up_to=60.0, engine="openvino"))}
    assert "efficientnet_b7" in known
    assert not known & set(PEER_NAMES)


def test_what_does_not_fit_is_left_out_and_said(timer: Timer) -> None:
    timer.too_large = {"efficientnet_b1"}
    logic = measured()
    assert len(logic.history) == 3
    assert "1 did not fit into memory" in logic.status.message
    logic.most_ms = 45
    assert logic.wait(60)
    assert timer.calls.count("efficientnet_b1") == 1
    timer.too_large = set(TIMES)
    logic.request()
    assert logic.wait(60)
    assert logic.status.message.startswith("Not measured: efficientnet_b2 does not fit.")


def test_the_budget_names_the_most_accurate_network_within_it(timer: Timer) -> None:
    logic = measured(beside=NOWHERE)
    accuracy = {result.key: result.top1 for result in results("papers")}
    for budget, best in ((19, None), (20, "efficientnetv2_b0"), (39, "efficientnetv2_b0"),
                         (40, "efficientnet_b1"), (60, "efficientnet_b2")):  # fmt: skip
        logic.most_ms = budget
        found = winner(logic, logic.setting)
        assert (found and found.result.key) == best
        if found is not None:
            assert found.result.top1 == accuracy[found.result.key]
            assert found.result.name in headlines(logic, logic.setting)[0]
            assert found.result.source in aside(logic)
    logic.most_ms = 39
    counted, needed = logic.numbers(logic.setting)[:2]
    counts = {number.name: number for number in (*counted.numbers, *needed.numbers)}
    assert (counts["networks within"].value, counts["networks within"].note) == (2, "of 4")
    assert (counts["better needs"].value, counts["better needs"].note) == (40.0, "(B1)")
    assert (counted.kind, needed.kind) == ("computed", "measured")
    logic.across = "MACs"
    assert [section.kind for section in logic.numbers(logic.setting)[:2]] == ["computed", "published"]
    logic.across, logic.least_images_per_second = "throughput", 30
    found = winner(logic, logic.setting)
    assert found is not None
    assert found.result.key == "efficientnetv2_b0"
    assert aside(logic).startswith("A better one, EfficientNet-B1, 79.1%, reaches 25 images/s. ")
    logic.least_images_per_second = 1000
    assert aside(logic).startswith("The nearest, EfficientNetV2-B0, 78.7%, reaches 50 images/s.")
    logic.cancel()
    assert logic.wait(60)


@pytest.mark.parametrize("across", ["MACs", "parameters"])
def test_by_size_every_published_network_counts(across: str) -> None:
    logic = MeasuredBenchmark(device="cpu", across=across, most_macs=4.5, most_parameters=30)
    column = "macs" if across == "MACs" else "parameters"
    budget = {"MACs": 4.5, "parameters": 30}[across]
    for publisher in ("papers", "timm", "torchvision"):
        logic.accuracy = publisher
        allowed = [
            result for result in results(publisher) if (value := getattr(result, column)) and value <= budget
        ]
        found = winner(logic, logic.setting)
        assert found is not None
        assert found.result.top1 == max(result.top1 for result in allowed)
        assert f"of {len(judged(logic, logic.setting))}" == logic.numbers(logic.setting)[0].numbers[1].note
    logic.cancel()
    assert logic.wait(60)


def test_a_recorded_device_stands_beside_and_brings_its_conditions(timer: Timer) -> None:
    logic = MeasuredBenchmark(device="cpu", beside=NOWHERE, batch_size=8, precision="bf16")
    assert elsewhere(logic.setting) == ()
    logic.beside = EPYC
    assert (logic.batch_size, logic.precision) == (1, "fp32")
    points = {point.result.key: point for point in elsewhere(logic.setting)}
    rows = {row.key: row for row in recorded()[EPYC].rows}
    assert "resnet50" in points
    for key, point in points.items():
        assert (point.kind, point.x) == ("recorded", rows[key].median_ms)
        assert point.interval is not None
    logic.batch_size = 4
    assert elsewhere(logic.setting) == ()
    assert headlines(logic, logic.setting)[1] == f"{EPYC}: recorded only at batch 1, fp32"
    logic.cancel()
    assert logic.wait(60)


def test_published_gpus_know_throughput_alone() -> None:
    logic = MeasuredBenchmark(device="cpu")
    logic.beside = "RTX 4090"
    assert logic.across == "throughput"
    points = {point.result.key: point for point in elsewhere(logic.setting)}
    table = ee.published.read("timm_inference_throughput")
    printed = table.row(
        network="efficientnet_b0", resolution=224, device="RTX 4090", mode="amp nhwc (channels_last)"
    )
    assert points["efficientnet_b0"].x == printed.number("images_per_second")
    logic.across = "time"
    assert logic.beside == NOWHERE
    logic.beside = "Core i9-10940X"
    assert logic.across == "time"
    points = {point.result.key: point for point in elsewhere(logic.setting)}
    printed = table.row(
        network="resnet50", resolution=224, device="CPU i9-10940X", mode="fp32 nchw torch.compile"
    )
    assert points["resnet50"].x == pytest.approx(1000 / printed.number("images_per_second"))
    logic.cancel()
    assert logic.wait(60)


def test_orders_show_how_macs_mislead(timer: Timer) -> None:
    logic = measured(beside=NOWHERE)
    left, right = ranking(logic, logic.setting)
    assert (left.title, right.title) == ("MACs", HERE)
    assert [point.result.short for point in left.points] == ["B0", "B1", "V2-B0", "B2"]
    assert [point.result.short for point in right.points] == ["V2-B0", "B0", "B1", "B2"]
    assert "EfficientNetV2-B0 moves most, from place 3 to place 1." in accuracy(logic).description
    logic.pin()
    logic.batch_size = 8
    assert logic.wait(60)
    left, right = ranking_of_two(logic, logic.pinned, logic.setting)
    assert [point.x for point in left.points] == [20, 30, 40, 60]
    assert [point.x for point in right.points] == [160, 240, 320, 480]


def test_older_measurements_are_grey_and_decide_nothing(timer: Timer) -> None:
    logic = measured(beside=NOWHERE, most_ms=100)
    assert winner(logic, logic.setting) is not None
    timer.release.clear()
    logic.precision = "bf16"
    assert all(point.is_stale for point in here(logic, logic.setting))
    assert winner(logic, logic.setting) is None
    assert headlines(logic, logic.setting) == ["Not measured here yet"]
    assert logic.shown()[-1].is_stale
    logic.cancel()
    assert logic.wait(60)


def test_the_numbers_and_words_follow_a_slider_at_once(timer: Timer) -> None:
    lab = ee.labs.BenchmarkLab(device="cpu", up_to=1.0)
    lab.logic.request()
    assert lab.logic.wait(60)
    before = [accuracy(lab.logic).description, charts(lab.logic).description]
    for budget in range(30, 70):
        lab.logic.most_ms = budget
        assert f"{budget} ms" in lab._body.said.value
    after = [accuracy(lab.logic).description, charts(lab.logic).description]
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert within_table(lab.logic).count("<tr>") == 5
    lab.close()
    assert lab.logic.wait(60)


@pytest.mark.parametrize("across", ["time", "throughput", "MACs", "parameters"])
def test_the_budget_is_dragged_as_far_as_chart_and_control_go_and_a_click_sets_what_a_network_needs(
    timer: Timer, across: str
) -> None:
    logic = measured()
    if across != "time":
        logic.across = across
    low, high = logic.ends(logic.setting.dimension.budget)
    for value in (low, high):
        logic.touch({logic.setting.dimension.budget: value})
        marks = {mark.key: mark for mark in accuracy(logic).marks}
        (drag,) = marks["budget/touch"].drag
        assert low <= drag.axis.low < drag.axis.high <= high
        edge = marks["budget/line"].place[0]
        is_beyond = edge in marks["axes/x"].place[::2]
        assert ("beyond the chart" in marks["budget/said"].text[0][0]) == is_beyond
    networks = [mark for mark in marks.values() if mark.key.startswith("network ") and mark.sets]
    decides = [mark for mark in networks if logic.setting.dimension.is_size or "measured on" in mark.words]
    assert len(decides) > 3
    for mark in decides[:20]:
        logic.touch(mark.sets or {})
        chosen = winner(logic, logic.setting)
        assert chosen is not None
        assert chosen.result.top1 >= float(mark.words.splitlines()[1].partition("%")[0])
    logic.cancel()
    assert logic.wait(60)


@pytest.mark.parametrize("room", [340, 760, 1240, 1860])
@pytest.mark.parametrize("publisher", ["papers", "timm", "torchvision"])
def test_no_name_lies_on_another_or_on_a_network(room: int, publisher: str) -> None:
    logic = MeasuredBenchmark(device="cpu", across="MACs", accuracy=publisher)
    logic.room = room
    marks = accuracy(logic).marks
    names = [mark for mark in marks if "/name " in mark.key]
    assert len(names) > 5

    def box(mark: Any) -> tuple[float, float, float, float]:
        (x, y), wide = mark.place, 7.0 * len(mark.text[0][0])
        left = x - (wide if "end" in mark.style else wide / 2 if "middle" in mark.style else 0)
        return left, y - 9, left + wide, y + 2

    dots = [
        (*mark.place[:2],) for mark in marks if mark.shape == "circle" and mark.key.startswith("network ")
    ]
    boxes = [box(mark) for mark in names]
    for n, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert right <= room
        assert not any(left < x < right and top < y < bottom for x, y in dots)
        for other in boxes[n + 1 :]:
            assert not (left < other[2] and other[0] < right and top < other[3] and other[1] < bottom)


def test_two_budgets_are_told_in_one_unit_and_an_arrow_joins_their_networks() -> None:
    logic = MeasuredBenchmark(device="cpu", across="MACs", most_macs=2.0)
    logic.pin()
    logic.most_macs = 9.0
    said = finding(logic)
    assert "EfficientNetV2-S, 83.9%: 2.3 points more than the best of A, EfficientNet-B3, 81.6%" in said
    assert {"A/line", "A/best", "A/arrow"} <= {mark.key for mark in accuracy(logic).marks}
    logic.across = "parameters"
    keys = {mark.key for mark in accuracy(logic).marks}
    assert "A/line" not in keys  # 2 billion MACs lie nowhere on an axis of parameters
    assert "A/best" in keys
    budgets = [row for row in logic.compared() if row.name == "budget"]
    assert [row.difference for row in budgets] == [None, None]


def test_its_line_of_code_recreates_it() -> None:
    logic = MeasuredBenchmark(
        device="cpu", across="MACs", most_macs=0.1 + 0.2, accuracy="timm", beside="RTX 3090"
    )
    assert logic.code().startswith("ee.labs.BenchmarkLab(across='MACs', most_macs=0.3, ")
    again = eval(logic.code(), {"ee": ee})  # noqa: S307 - the line is what a learner would paste
    assert again.logic.setting == logic.setting
    again.close()


def test_a_device_that_nobody_measured_is_refused() -> None:
    with pytest.raises(traitlets.TraitError, match="beside is 'RTX 1080'; it must be one of none, "):
        MeasuredBenchmark(device="cpu", beside="RTX 1080")
    assert set(devices_beside()) == {NOWHERE, *recorded(), *DEVICES}


@pytest.mark.thorough
def test_a_real_network_and_a_peer_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark_measured, "SECONDS", 0.01)
    wanted = [
        replace(result, resolution=64)
        for result in results("papers")
        if result.key in ("efficientnet_b0", "resnet50")
    ]
    monkeypatch.setattr(compared, "buildable", lambda _accuracy: tuple(wanted))
    logic = MeasuredBenchmark(device="cpu")
    logic.request()
    assert logic.wait(120)
    assert logic.status.state == "measured", logic.status
    assert {point.result.key for point in here(logic, logic.setting)} == {"efficientnet_b0", "resnet50"}
    macs = {record.measurement.network: record.measurement.macs for record in logic.history}
    assert macs["resnet50"] > 10 * macs["efficientnet_b0"]


def test_a_time_says_whose_it_is_where_the_best_within_a_size_is_another(timer: Timer) -> None:
    logic = measured(across="MACs", most_macs=4.0)
    assert str(winner(logic, logic.setting)).startswith("EfficientNetV2-B3")
    (time_of,) = [
        number for section in logic.shown() for number in section.numbers if number.name == "time a batch"
    ]
    assert time_of.note == "(B0)"


@pytest.mark.parametrize("accuracy_of", ["papers", "timm", "torchvision"])
@pytest.mark.parametrize("room", [390, 700, 960, 1200])
def test_the_network_that_all_are_compared_with_is_named_in_every_chart_of_sizes(
    accuracy_of: str, room: int
) -> None:
    for across in ("MACs", "parameters"):
        logic = MeasuredBenchmark(device="cpu", across=across, accuracy=accuracy_of)
        logic.room = room
        assert "name ResNet-50" in " ".join(mark.key for mark in accuracy(logic).marks)


def test_of_what_was_not_measured_nothing_is_counted(unmeasured: None) -> None:
    logic = MeasuredBenchmark(device="cpu")
    assert "networks within" not in {n.name for part in logic.numbers(logic.setting) for n in part.numbers}
