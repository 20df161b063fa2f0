"""The MBConv lab without a browser: three kinds of one shape, counted, measured and drawn."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
import traitlets
from torch.utils.flop_counter import FlopCounterMode

import effnet_edu as ee
from effnet_edu.labs import mbconv_logic
from effnet_edu.labs.layout import comparison
from effnet_edu.labs.mbconv_logic import (
    FUSED,
    KINDS,
    MBCONV,
    PLAIN,
    MBConvLogic,
    block,
    cost_of,
    network_around,
    roles,
)
from effnet_edu.labs.mbconv_screen import screen
from effnet_edu.profiling.device import device_name
from tests.profiling.made import made_ceilings, made_profile


class Calls:
    """Stands in for the measurements and counts them."""

    def __init__(self) -> None:
        self.ceilings, self.profiles = 0, []

    def measure_ceilings(self, *_: Any, **__: Any) -> ee.Ceilings:
        self.ceilings += 1
        return made_ceilings()

    def profile_layers(self, network: Any, _batch: int, *, precision: str, **_: Any) -> ee.LayerProfile:
        self.profiles.append(network.name)
        return made_profile(network, precision)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    made = Calls()
    monkeypatch.setattr("effnet_edu.profiling.ceilings.measure_ceilings", made.measure_ceilings)
    monkeypatch.setattr("effnet_edu.profiling.layers.profile_layers", made.profile_layers)
    return made


@pytest.fixture
def logic() -> Iterator[MBConvLogic]:
    made = MBConvLogic(device="cpu")
    yield made
    made.cancel()
    assert made.wait(20)


def measure(logic: MBConvLogic) -> None:
    logic.measure()
    assert logic.wait(60)
    assert logic.status.state == "measured", logic.status


def numbers(logic: MBConvLogic) -> dict[str, float]:
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
    setting = MBConvLogic(device="cpu", kind=kind, **settings).setting
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


def test_a_plain_convolution_costs_what_the_formula_says(logic: MBConvLogic) -> None:
    with logic.together():
        logic.kind, logic.kernel, logic.channels_out = PLAIN, 5, 80
    macs = 5 * 5 * 40 * 80 * 28 * 28
    assert numbers(logic)["MACs an image"] == pytest.approx(macs / 1e6)
    assert numbers(logic)["MACs an image, convolution"] == pytest.approx(macs / 1e6)
    assert "c_mid" not in numbers(logic)


def test_the_real_blocks_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    here = made_ceilings(device_name(torch.device("cpu")))
    monkeypatch.setattr("effnet_edu.profiling.ceilings.measure_ceilings", lambda *_, **__: here)
    monkeypatch.setattr(mbconv_logic, "SECONDS", 0.01)
    logic = MBConvLogic(device="cpu", side=8, channels_in=8, channels_out=8)
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


def test_one_measurement_serves_whichever_kind_is_drawn(calls: Calls, logic: MBConvLogic) -> None:
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


def test_ceilings_are_measured_once(calls: Calls, logic: MBConvLogic) -> None:
    measure(logic)
    logic.side = 14
    measure(logic)
    assert calls.ceilings == 1
    assert len(calls.profiles) == 2 * len(KINDS)


def test_at_expansion_1_fused_and_plain_are_one_block(calls: Calls, logic: MBConvLogic) -> None:
    logic.expansion = 1
    measure(logic)
    assert calls.profiles == ["one MBConv", "one Fused-MBConv"]
    blocks = logic.history[-1].measurement.blocks
    assert blocks[PLAIN] is blocks[FUSED]
    assert "expand" not in roles(logic.setting, MBCONV)


def test_what_would_take_too_long_is_left_out_and_named(calls: Calls, logic: MBConvLogic) -> None:
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
    assert "Not measured: it would take too long" in screen(logic).drawings[1].label


def test_the_pictures_say_in_words_what_they_show(calls: Calls, logic: MBConvLogic) -> None:
    before = screen(logic).drawings
    assert "expand 1x1 to 240 x 28 x 28; depthwise 3x3 to 240 x 28 x 28" in before[0].label
    assert "the input is added" in before[0].label
    assert "Nothing measured yet" in before[1].label
    measure(logic)
    after = screen(logic).drawings
    assert "of the time" in after[0].label
    assert "GMAC/s measured" in after[1].label
    with logic.together():
        logic.stride, logic.side = 2, 15
    moved = screen(logic).drawings
    assert "depthwise 3x3 to 240 x 8 x 8" in moved[0].label
    assert "no shortcut, because of stride 2" in moved[0].label
    assert "of the time measured before" in moved[0].label
    assert "GMAC/s measured before" in moved[1].label
    logic.pin()
    logic.channels_out = 80
    both = screen(logic).drawings[0].label
    assert both.startswith("A: MBConv6 k3 s2, 40 -> 40 at 15 px")
    assert "B: MBConv6 k3 s2, 40 -> 80 at 15 px" in both


def test_roles_are_in_the_full_table_and_the_export_but_not_beside_the_picture(calls: Calls) -> None:
    lab = ee.labs.MBConvLab(device="cpu")
    measure(lab.logic)
    lab.logic.pin()
    assert "depthwise" not in comparison(lab.logic, details=False)
    assert "MACs an image, depthwise" in comparison(lab.logic, details=True)
    lab.logic.unpin()
    assert "<th scope='row'>time a batch" in lab._screen.value
    assert "<th scope='row'>time, depthwise" not in lab._screen.value
    assert "time, depthwise" in lab._table()
    row = next(csv.DictReader(io.StringIO(lab.logic.csv())))
    assert (row["channels_in"], row["kernel"]) == ("40", "3")
    assert float(row["time, depthwise, ms"]) > 0
    assert "nothing" not in lab.in_words()
    lab.close()


def test_a_line_of_code_recreates_the_block() -> None:
    settings = {"kind": FUSED, "expansion": 4, "channels_in": 24, "channels_out": 48, "stride": 2}
    logic = MBConvLogic(device="cpu", **settings)
    again = eval(logic.code(), {"ee": ee})  # noqa: S307 - the line is what a learner would paste
    assert again.logic.setting == replace(logic.setting, device=again.logic.device)
    again.logic.reset()
    assert again.logic.kind == MBCONV
    again.close()
    assert again.logic.wait(5)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("kernel", 4), ("stride", 3), ("expansion", 0), ("side", 129), ("squeeze_ratio", 1.5), ("kind", "conv")],
)
def test_settings_outside_their_range_are_refused(setting: str, value: Any) -> None:
    with pytest.raises(traitlets.TraitError, match=setting):
        MBConvLogic(device="cpu", **{setting: value})
