"""The MBConv lab without a browser: three kinds of one shape, counted, measured and drawn."""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
import traitlets
from torch.utils.flop_counter import FlopCounterMode

import effnet_edu as ee
from effnet_edu.labs.frame.layout import comparison
from effnet_edu.labs.mbconv import measured as mbconv_measured
from effnet_edu.labs.mbconv.exact import MBConvLogic
from effnet_edu.labs.mbconv.measured import MeasuredMBConv
from effnet_edu.labs.mbconv.numbers import (
    FUSED,
    KINDS,
    MBCONV,
    PLAIN,
    block,
    cost_of,
    network_around,
    roles,
)
from effnet_edu.labs.mbconv.screen import screen
from effnet_edu.labs.mbconv.work import chosen_layer, sketch, work_at, working_layers
from effnet_edu.pictures.scene import Mark
from effnet_edu.profiling import LayerProfile
from effnet_edu.profiling.device import device_name
from tests.profiling.made import made_ceilings, made_profile


class Calls:
    """Stands in for the measurements and counts them."""

    def __init__(self) -> None:
        self.ceilings, self.profiles = 0, []

    def measure_ceilings(self, *_: Any, **__: Any) -> ee.profiling.Ceilings:
        self.ceilings += 1
        return made_ceilings()

    def profile_layers(self, network: Any, _batch: int, *, precision: str, **_: Any) -> LayerProfile:
        self.profiles.append(network.name)
        return made_profile(network, precision)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    made = Calls()
    monkeypatch.setattr("effnet_edu.labs.mbconv.measured.measure_ceilings", made.measure_ceilings)
    monkeypatch.setattr("effnet_edu.labs.mbconv.measured.profile_layers", made.profile_layers)
    return made


@pytest.fixture
def logic() -> Iterator[MeasuredMBConv]:
    made = MeasuredMBConv(device="cpu")
    yield made
    made.cancel()
    assert made.wait(60)


def measure(logic: MeasuredMBConv) -> None:
    logic.request()
    assert logic.wait(60)
    assert logic.status.state == "measured", logic.status


def numbers(logic: MeasuredMBConv) -> dict[str, float]:
    return {number.name: number.value for section in logic.shown() for number in section.numbers}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"expansion": 1, "channels_in": 32, "channels_out": 16},
        {"kernel": 5, "stride": 2, "side": 15, "channels_out": 80},
        {"squeeze_ratio": 0.0, "expansion": 4},
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_counts_are_those_of_the_block_that_torch_runs(kind: str, settings: dict[str, Any]) -> None:
    setting = MeasuredMBConv(device="cpu", kind=kind, **settings).setting
    spec, network = block(setting, kind), network_around(setting, kind)
    module = (ee.MBConv if kind == MBCONV else ee.FusedMBConv)(spec, network.tensorflow, network.activation)
    module.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(1, setting.channels_in, setting.side, setting.side))
    counted = cost_of(setting, kind)
    assert 2 * counted.macs == counter.get_total_flops()
    assert counted.parameters == sum(weights.numel() for weights in module.parameters())
    of_roles = [cost_of(setting, kind, role) for role in roles(setting, kind)]
    assert sum(one.macs for one in of_roles) == counted.macs
    assert sum(one.bytes_moved for one in of_roles) == counted.bytes_moved


def test_a_plain_convolution_costs_what_the_formula_says(logic: MeasuredMBConv) -> None:
    with logic.together():
        logic.kind, logic.kernel, logic.channels_out = PLAIN, 5, 80
    macs = 5 * 5 * 40 * 80 * 28 * 28
    assert numbers(logic)["MACs an image"] == pytest.approx(macs / 1e6)
    assert numbers(logic)["MACs an image, convolution"] == pytest.approx(macs / 1e6)
    assert "c_mid" not in numbers(logic)


def test_the_real_blocks_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    here = made_ceilings(device_name(torch.device("cpu")))
    monkeypatch.setattr("effnet_edu.labs.mbconv.measured.measure_ceilings", lambda *_, **__: here)
    monkeypatch.setattr(mbconv_measured, "SECONDS", 0.01)
    logic = MeasuredMBConv(device="cpu", side=8, channels_in=8, channels_out=8)
    measure(logic)
    found = logic.history[-1].measurement
    assert tuple(found.blocks) == KINDS
    for kind, one in found.blocks.items():
        inside = roles(logic.setting, kind)
        assert tuple(dict.fromkeys(row.role for row in one.layers)) == inside
        assert sum(row.macs for row in one.layers) == cost_of(logic.setting, kind).macs
        assert one.timing().median > 0
        passes = [one.share(role).seconds for role in inside]
        assert [sum(each) for each in zip(*passes, strict=True)] == pytest.approx([1.0] * len(passes[0]))


def test_one_measurement_serves_whichever_kind_is_drawn(calls: Calls, logic: MeasuredMBConv) -> None:
    measure(logic)
    assert calls.profiles == [f"one {kind}" for kind in KINDS]
    times = numbers(logic)
    for kind in KINDS:
        logic.kind = kind
        logic.cancel()
        assert logic.is_fresh
        assert numbers(logic)["time a batch"] == times[f"time, {kind}"]
    assert "time, k x k convolution" in numbers(logic)
    logic.expansion = 3
    assert not logic.is_fresh
    assert logic.shown()[-1].is_stale


def test_ceilings_are_measured_once(calls: Calls, logic: MeasuredMBConv) -> None:
    measure(logic)
    logic.side = 14
    measure(logic)
    assert calls.ceilings == 1
    assert len(calls.profiles) == 2 * len(KINDS)


def test_at_expansion_1_fused_and_plain_are_one_block(calls: Calls, logic: MeasuredMBConv) -> None:
    logic.expansion = 1
    measure(logic)
    assert calls.profiles == ["one MBConv", "one Fused-MBConv"]
    blocks = logic.history[-1].measurement.blocks
    assert blocks[PLAIN] is blocks[FUSED]
    assert "expand" not in roles(logic.setting, MBCONV)


def test_what_would_take_too_long_is_left_out_and_named(calls: Calls, logic: MeasuredMBConv) -> None:
    with logic.together():
        logic.channels_in = logic.channels_out = 320
        logic.side, logic.expansion, logic.kernel = 64, 8, 5
    measure(logic)
    assert logic.history[-1].measurement.left_out == (FUSED,)
    assert "Fused-MBConv left out: one pass would take more than 0.8" in logic.status.message
    assert "time, Fused-MBConv" not in numbers(logic)
    with logic.together():
        logic.batch_size, logic.kind = 64, FUSED
    measure(logic)
    assert logic.history[-1].measurement.blocks == {}
    assert "Not measured: it would take too long" in screen(logic).charts.description


def test_the_pictures_say_in_words_what_they_show(calls: Calls, logic: MeasuredMBConv) -> None:
    before = screen(logic)
    assert "expand 1x1 to 240 x 28 x 28; depthwise 3x3 to 240 x 28 x 28" in before.picture.description
    assert "the input is added" in before.picture.description
    assert "depthwise 3 x 3: one channel at a time" in before.picture.description
    assert "Nothing measured yet" in before.charts.description
    measure(logic)
    after = screen(logic)
    assert "of the time" in after.picture.description
    assert "GMAC/s measured" in after.charts.description
    with logic.together():
        logic.stride, logic.side = 2, 15
    moved = screen(logic)
    assert "depthwise 3x3 to 240 x 8 x 8" in moved.picture.description
    assert "no shortcut, because of stride 2" in moved.picture.description
    assert "of the time measured before" in moved.picture.description
    assert "GMAC/s measured before" in moved.charts.description
    logic.pin()
    logic.channels_out = 80
    both = screen(logic).picture
    assert "Dashed, A: MBConv6 k3 s2: 40 x 15 x 15" in both.description
    assert any(mark.key.startswith("A/") and mark.style == "ghost" for mark in both.marks)


def test_the_finding_holds_the_block_against_another_kind_and_against_a(
    calls: Calls, logic: MeasuredMBConv
) -> None:
    assert screen(logic).finding == "4.49 times fewer MACs than a Fused-MBConv."
    assert "depthwise has 10% of the MACs and moves 37% of the bytes" in screen(logic).aside
    measure(logic)
    assert re.fullmatch(
        r"4\.49 times fewer MACs than a Fused-MBConv, and (the same time|\S+ times (its time|as fast)) on "
        r"this device\.",
        screen(logic).finding,
    )
    assert not re.search(r"and 0\.\d+ times", screen(logic).finding)  # it is so many times as fast
    assert re.search(r"depthwise has 10% of the MACs and takes \d+% of the time", screen(logic).aside)
    logic.kind = FUSED
    assert screen(logic).finding.startswith("4.49 times the MACs of an MBConv, and ")
    logic.pin()
    assert screen(logic).finding == (
        "As many MACs as A, Fused-MBConv6 k3 s1, and the same time on this device."
    )


@pytest.mark.parametrize(
    "settings", [{}, {"expansion": 1}, {"stride": 2, "kernel": 7, "side": 5}, {"side": 4}]
)
@pytest.mark.parametrize("kind", KINDS)
def test_the_counter_begins_at_0_and_ends_at_the_macs_of_the_layer(
    kind: str, settings: dict[str, Any]
) -> None:
    logic = MBConvLogic(kind=kind, **settings)
    for layer in working_layers(logic.setting):
        logic.layer = layer
        counted = []
        for percent in range(101):
            logic.work = percent
            work = work_at(logic.setting)
            assert work.role == layer
            assert f"{work.macs:,} of {work.total:,} MACs" in screen(logic).picture.description
            counted.append(work.macs)
        assert counted == sorted(counted)
        assert (counted[0], counted[-1]) == (0, cost_of(logic.setting, kind, layer).macs)
        assert counted[50] == pytest.approx(counted[-1] / 2, rel=0.02)


def test_a_depthwise_kernel_lies_on_one_channel_and_any_other_on_all() -> None:
    logic = MBConvLogic(layer="depthwise", work=60)
    kernels = [mark for mark in screen(logic).picture.marks if mark.key.startswith("work/kernel")]
    drawn = sketch(work_at(logic.setting))
    assert len(kernels) == 1
    done = [drawn.done_of(channel, is_depthwise=True) for channel in range(drawn.written)]
    assert done == [25, 25, 10, 0]
    for kind, layer in ((FUSED, "fused"), (MBCONV, "expand")):
        with logic.together():
            logic.kind, logic.layer = kind, layer
        marks = screen(logic).picture.marks
        assert len([mark for mark in marks if mark.key.startswith("work/kernel")]) == 4
        drawn = sketch(work_at(logic.setting))
        assert [drawn.done_of(channel, is_depthwise=False) for channel in range(4)] == [15] * 4


def test_a_layer_that_the_block_lacks_gives_way_to_its_k_x_k_convolution(logic: MeasuredMBConv) -> None:
    logic.layer = "expand"
    logic.kind = FUSED
    assert chosen_layer(logic.setting) == "fused"
    with logic.together():
        logic.kind, logic.expansion = MBCONV, 1
    assert chosen_layer(logic.setting) == "depthwise"


def test_moving_the_work_measures_nothing_anew(calls: Calls, logic: MeasuredMBConv) -> None:
    measure(logic)
    count = len(calls.profiles)
    logic.touch({"layer": "project"})
    logic.touch({"work": 80})
    assert logic.wait(60)
    assert logic.is_fresh
    assert len(calls.profiles) == count
    assert "work" not in logic.row(logic.history[-1])


def test_names_on_the_roofline_are_whole_and_lie_on_nothing(calls: Calls, logic: MeasuredMBConv) -> None:
    measure(logic)
    for room in (350, 814, 1240, 1880):
        logic.room = room
        for kind in KINDS:
            logic.kind = kind
            marks = screen(logic).charts.marks
            names = [mark for mark in marks if mark.shape == "text" and mark.key.endswith("said")]
            boxes = [(mark.key, *box_of(mark)) for mark in names]
            named = {piece for mark in names for piece, _ in mark.text}
            assert kind in named or "convolution" in named
            for (one, *a), (other, *b) in itertools.combinations(boxes, 2):
                apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
                assert apart, (room, kind, one, other)


def box_of(mark: Mark) -> tuple[float, float, float, float]:
    """Return about where a line of words stands: left, top, right, bottom."""
    x, y = mark.place
    wide = 6.5 * sum(len(piece) for piece, _ in mark.text)
    left = x - wide * (1.0 if "end" in mark.style.split() else 0.5 if "middle" in mark.style.split() else 0.0)
    return left, y - 9, left + wide, y


def test_roles_are_in_the_table_of_all_numbers_and_in_the_export(calls: Calls) -> None:
    lab = ee.labs.MBConvLab(device="cpu")
    measure(lab.logic)
    lab.logic.pin()
    assert "depthwise" not in comparison(lab.logic, details=False)
    assert "MACs an image, depthwise" in comparison(lab.logic, details=True)
    lab.logic.unpin()
    assert "time a batch, measured" in lab._body.figures.value
    assert lab._body.table.value == ""
    lab._toggle_view(None)
    assert "<th scope='row'>time, depthwise" in lab._body.table.value
    row = next(csv.DictReader(io.StringIO(lab.logic.csv())))
    assert (row["channels_in"], row["kernel"]) == ("40", "3")
    assert float(row["time, depthwise, ms"]) > 0
    assert "nothing" not in lab.in_words()
    lab.close()


def test_a_line_of_code_recreates_the_block() -> None:
    settings = {"kind": FUSED, "expansion": 4, "channels_in": 24, "channels_out": 48, "stride": 2}
    logic = MeasuredMBConv(device="cpu", **settings)
    again = eval(logic.code(), {"ee": ee})  # noqa: S307 - the line is what a learner would paste
    assert again.logic.setting == replace(logic.setting, device=again.logic.device)
    again.logic.kind = MBCONV
    again.logic.reset()
    assert again.logic.kind == FUSED
    again.close()
    assert again.logic.wait(60)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("kernel", 4),
        ("stride", 3),
        ("expansion", 0),
        ("side", 129),
        ("squeeze_ratio", 1.5),
        ("kind", "conv"),
        ("work", 101),
    ],
)
def test_settings_outside_their_range_are_refused(setting: str, value: Any) -> None:
    with pytest.raises(traitlets.TraitError, match=setting):
        MeasuredMBConv(device="cpu", **{setting: value})
