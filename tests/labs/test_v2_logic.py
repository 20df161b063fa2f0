"""The V2 lab without a browser: what is fused, how a schedule grows, what is counted, measured and drawn."""

import csv
import io
import re
from dataclasses import replace
from typing import Any

import pytest
import traitlets

import effnet_edu as ee
from effnet_edu.ground.watch import Watch
from effnet_edu.labs.frame.logic import Status
from effnet_edu.labs.v2.exact import V2Logic
from effnet_edu.labs.v2.measured import MeasuredV2
from effnet_edu.labs.v2.numbers import (
    FUSING,
    NETWORKS,
    PROGRESSIVE,
    SCHEDULES,
    counted_at,
    fused_network,
    own_fused,
    schedule_of,
    stage_costs,
    toggled,
)
from effnet_edu.labs.v2.photographs import examples
from effnet_edu.labs.v2.results import FusedTimes, StageTimes, whole_step
from effnet_edu.labs.v2.screen import table_3
from effnet_edu.labs.v2.stages_screen import schedule_table
from effnet_edu.pictures.scene import Mark, Scene
from effnet_edu.profiling.repeats import Timing
from effnet_edu.profiling.training_cost import TrainingMeasurement
from effnet_edu.training.progressive import Stage
from tests.labs.conftest import fake_measurement


def fake_training(spec: Any, batch_size: int, resolution: int, _device: Any, **_: Any) -> TrainingMeasurement:
    """A step that takes as many microseconds as the network has million MACs."""
    macs = ee.cost(spec, resolution).macs
    part = Timing((macs / 3e12,) * 3)
    return TrainingMeasurement(
        spec.name, resolution, batch_size, "cpu", "a test", part, part, part, macs, 2 * macs, 1, 1, "0", 0
    )


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """Measurements answer at once; what was asked for is noted."""
    noted: list[tuple[str, str, int]] = []

    def profile(spec: Any, batch_size: int, side: int, **options: Any) -> Any:
        noted.append(("inference", spec.name, side))
        return fake_measurement(spec, batch_size, "fp32", **options)

    def training(spec: Any, batch_size: int, side: int, device: Any, **options: Any) -> Any:
        noted.append(("training", spec.name, side))
        return fake_training(spec, batch_size, side, device)

    monkeypatch.setattr("effnet_edu.labs.v2.measured.profile", profile)
    monkeypatch.setattr("effnet_edu.labs.v2.measured.profile_training", training)
    return noted


def settled(**settings: Any) -> MeasuredV2:
    """Return a lab's logic after its setting was measured."""
    logic = MeasuredV2(device="cpu", **settings)
    logic.request()
    assert logic.wait(120)
    assert logic.status.state == "measured", logic.status.message
    return logic


def values(logic: MeasuredV2) -> dict[str, float]:
    return {number.name: number.value for section in logic.shown() for number in section.numbers}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_starts_as_it_was_released(name: str) -> None:
    logic = MeasuredV2(device="cpu", network="B0")
    logic.network = name
    logic.cancel()
    assert logic.fused == own_fused(name)
    released = ee.cost(NETWORKS[name], logic.side)
    assert counted_at(logic.setting).cost.layers == released.layers
    assert logic.wait(60)


def test_fusing_is_that_of_the_library_and_can_be_undone() -> None:
    b4 = ee.spec("efficientnet_b4")
    assert fused_network("B4", (1, 2, 3)).stages == ee.fuse_stages(b4, [0, 1, 2]).stages
    plain = fused_network("V2-S", ())
    assert {stage.operation for stage in plain.stages} == {"mbconv"}
    assert {stage.squeeze_ratio for stage in plain.stages} == {0.25}
    assert fused_network("V2-S", (1, 2, 3)) == ee.spec("efficientnetv2_s")


@pytest.mark.parametrize("fused", [(), (1, 2, 3), (1, 2, 3, 4, 5), (1, 2, 3, 4, 5, 6, 7)])
def test_the_four_networks_of_table_3_stand_beside_what_the_paper_prints(fused: tuple[int, ...]) -> None:
    found = values(MeasuredV2(device="cpu", network="B4", fused=fused, side=380))
    if fused != (1, 2, 3):  # its row is that of 3 x 3 kernels, and B4 has 5 x 5 ones in stage 3
        assert found["parameters"] == pytest.approx(found["parameters, paper"], rel=0.005)
        assert found["MACs"] == pytest.approx(found["MACs, paper"], rel=0.08)
    assert found["parameters / none fused"] == pytest.approx(
        found["parameters"] / values(MeasuredV2())["parameters"]
    )
    speed = {row["variant"]: row.number("training_images_per_second_v100")
             for row in ee.published.read("v2_table3_fused")}  # fmt: skip
    name = f"Fused stage1-{fused[-1]}" if fused else "No fused"
    assert found["step / none fused, V100"] == pytest.approx(speed["No fused"] / speed[name])


def test_what_the_paper_did_not_print_has_no_published_number() -> None:
    for settings in ({"network": "B4", "fused": (1,)}, {"network": "B0"}):
        kinds = {section.kind for section in MeasuredV2(device="cpu", **settings).shown()}
        assert kinds == {"computed"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"fused": (0,)}, "fused has 0; B4 has stages 1 to 7"),
        ({"network": "V2-S", "fused": (1, 7)}, "fused has 7; V2-S has stages 1 to 6"),
        ({"side": 31}, "side"),
        ({"randaugment": 30.0}, "randaugment"),
        ({"schedule": "paper XL"}, "schedule"),
    ],
)
def test_settings_outside_their_range_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(traitlets.TraitError, match=words):
        MeasuredV2(device="cpu", **settings)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_published_schedule_moves_the_sliders_to_it(name: str) -> None:
    logic = MeasuredV2(device="cpu", part=PROGRESSIVE, growing=False)
    logic.schedule = name
    size, variant = SCHEDULES[name]
    wanted = ee.ProgressiveSchedule.efficientnet_v2(size, variant)
    assert schedule_of(logic.setting) == wanted
    assert logic.schedule == name
    ends = wanted.stages[0], wanted.stages[-1]
    assert (logic.first_side, logic.side) == tuple(stage.side for stage in ends)
    chosen = (logic.randaugment, logic.mixup, logic.dropout)
    assert chosen == pytest.approx((ends[1].randaugment, ends[1].mixup, ends[1].dropout))
    logic.side += 4
    assert logic.schedule == "own"
    logic.cancel()
    assert logic.wait(60)


def test_own_sliders_at_the_papers_ends_give_the_papers_schedule() -> None:
    settings = {"first_side": 128, "side": 380, "randaugment": 25, "mixup": 0.4, "dropout": 0.5}
    own = schedule_of(MeasuredV2(device="cpu", part=PROGRESSIVE, **settings).setting)
    assert own.stages == ee.ProgressiveSchedule.efficientnet_v2("l", "paper").stages


def test_without_growing_the_last_strength_holds_throughout() -> None:
    stages = schedule_of(MeasuredV2(device="cpu", part=PROGRESSIVE, growing=False).setting).stages
    assert len({(stage.randaugment, stage.mixup, stage.dropout) for stage in stages}) == 1
    assert len({stage.side for stage in stages}) == 4


def test_an_epoch_is_counted_for_every_stage() -> None:
    logic = MeasuredV2(device="cpu", part=PROGRESSIVE, network="V2-S", fused=(1, 2, 3), schedule="paper S")
    counted = values(logic)
    macs = []
    for side in (128, 185, 243, 300):
        one = ee.cost("efficientnetv2_s", side)
        macs.append(ee.published.IMAGENET_IMAGES * (one.macs + one.backward_macs))
    assert [counted[f"MACs, stage {n}"] for n in (1, 2, 3, 4)] == pytest.approx([one / 1e15 for one in macs])
    assert counted["MACs / full size"] == pytest.approx(sum(macs) / (4 * macs[-1]))


def test_fused_times_are_compared_with_none_fused_measured_once(calls: list[tuple[str, str, int]]) -> None:
    logic = settled(network="B0", fused=(1, 2, 3), side=64)
    none, fused = ee.cost("efficientnet_b0", 64).macs, counted_at(logic.setting).macs
    assert values(logic)["step / none fused"] == pytest.approx(fused / none)
    assert values(logic)["training step"] == pytest.approx(fused / 1e9)
    assert len(calls) == 4
    logic.fused = (1,)
    assert logic.wait(60)
    assert len(calls) == 6
    found = logic.history[-1].measurement
    assert isinstance(found, FusedTimes)
    assert found.plain.training.network == "efficientnet_b0"
    assert found.chosen.training.network == "efficientnet_b0, stages 0 fused"


def test_every_stage_of_a_schedule_is_timed(calls: list[tuple[str, str, int]]) -> None:
    logic = settled(part=PROGRESSIVE, network="B0", stages=3, first_side=64, side=96)
    assert [call[2] for call in calls] == [64, 80, 96]
    found = logic.history[-1].measurement
    assert isinstance(found, StageTimes)
    step = whole_step(found.stages[0]).median
    assert values(logic)["epoch, stage 1"] == pytest.approx(ee.published.IMAGENET_IMAGES * step / 2 / 3600)
    assert values(logic)["time / full size"] == pytest.approx(sum(found.shares) / 3)
    logic.randaugment = 3.0
    assert logic.is_fresh  # the strength of augmentation is no part of the step
    logic.side = 100
    assert not logic.is_fresh
    logic.cancel()
    assert logic.wait(60)


def test_progress_never_goes_back_and_cancel_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []

    def half(*arguments: Any, watch: Watch, **_: Any) -> Any:
        watch.progress(0.5)
        told.append(logic.status.progress)
        assert not watch.is_cancelled()
        return fake_training(*arguments)

    monkeypatch.setattr("effnet_edu.labs.v2.measured.profile_training", half)
    logic = MeasuredV2(device="cpu", part=PROGRESSIVE, network="B0", stages=4, first_side=64, side=96)
    logic.request()
    assert logic.wait(60)
    assert logic.status.state == "measured", logic.status.message
    assert told == [0.125, 0.375, 0.625, 0.875]


def test_the_real_network_is_measured() -> None:
    logic = settled(network="B0", fused=(1,), side=32, batch_size=2)
    found = logic.history[-1].measurement
    assert isinstance(found, FusedTimes)
    assert found.chosen.training.forward_macs == 2 * counted_at(logic.setting).macs
    assert found.plain.inference.resolution == found.plain.training.resolution == 32
    rows = list(csv.DictReader(io.StringIO(logic.csv())))
    assert rows[0]["fused"] == "1"
    assert float(rows[0]["step_low_ms"]) <= float(rows[0]["step_ms"]) <= float(rows[0]["step_high_ms"])
    assert float(rows[0]["none_fused_step_ms"]) > 0


def test_a_batch_that_batch_norm_cannot_take_ends_as_a_sentence() -> None:
    logic = MeasuredV2(device="cpu", part=PROGRESSIVE, network="B0", stages=1, side=32, batch_size=1)
    logic.request()
    assert logic.wait(60)
    assert logic.status.state == "failed"
    assert "train with a batch of 2 or more" in logic.status.message


def test_photographs_change_more_with_magnitude_and_say_what_is_mixed_in() -> None:
    same, weak, strong = (examples(Stage(128, magnitude))[0] for magnitude in (0, 5, 15))
    assert len({same.url, weak.url, strong.url}) == 3
    assert weak.url == examples(Stage(300, 5))[0].url  # the same draw
    assert weak.words == "100% cat"
    mixed, cut = examples(Stage(128, 5, mixup=0.5, cutmix=0.5))
    assert re.fullmatch(r"\d\d% cat, \d\d% cup", mixed.words)
    assert re.fullmatch(r"\d\d% cup, \d\d% cat", cut.words)


def test_drawing_photographs_leaves_the_learners_random_numbers_alone() -> None:
    import torch

    torch.manual_seed(3)
    examples(Stage(48, 11))
    first = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(1), first)


@pytest.mark.parametrize("part", [FUSING, PROGRESSIVE])
def test_pictures_say_in_words_what_they_show_and_stand_before_a_pinned_setting(
    calls: list[tuple[str, str, int]], part: str
) -> None:
    logic = settled(part=part, network="B0", fused=(2, 3), side=96, first_side=64)
    screen = logic.screen()
    words = screen.picture.description, screen.charts.description
    assert ("Fused: stage 2, stage 3." if part == FUSING else "stage 4: 96 px, RandAugment 15") in words[0]
    assert ("times the MACs" if part == FUSING else "Measured hours of an epoch") in words[1]
    assert not any("ghost" in mark.style for mark in screen.whole.marks)
    logic.pin()
    logic.side = 128
    logic.cancel()
    compared = logic.screen()
    assert not {*words} & {compared.picture.description, compared.charts.description}
    for scene in (compared.picture, compared.charts):
        assert any("ghost" in mark.style for mark in scene.marks)
    assert "times the MACs of A" in compared.finding
    logic.part = FUSING if part == PROGRESSIVE else PROGRESSIVE
    logic.cancel()
    assert not any("ghost" in mark.style for mark in logic.screen().whole.marks)
    assert logic.wait(60)


def touch(scene: Scene, key: str) -> Mark:
    return next(mark for mark in scene.marks if mark.key == key)


def test_a_click_on_a_stage_its_row_or_its_point_fuses_it_and_another_undoes_it() -> None:
    logic = V2Logic(network="B0", fused=(1, 2, 3))
    screen = logic.screen()
    for scene, key in (
        (screen.picture, "stage 3/touch"),
        (screen.charts, "stage 3/row touch"),
        (screen.charts, "stage 3/point touch"),
    ):
        mark = touch(scene, key)
        assert "Click to make it MBConv" in mark.words
        assert mark.with_ == ("stage 3",)
        logic.touch(mark.sets or {})
        assert logic.fused == (1, 2)
        undone = touch(logic.screen().picture, "stage 3/touch")
        assert "Click to fuse it" in undone.words
        logic.touch(undone.sets or {})
        assert logic.fused == (1, 2, 3)


def test_a_published_point_takes_its_network_and_its_stages() -> None:
    logic = V2Logic(network="V2-S")
    logic.touch(touch(logic.screen().charts, "times/1-5/V100").sets or {})
    assert (logic.network, logic.fused) == ("B4", (1, 2, 3, 4, 5))


@pytest.mark.parametrize("network", NETWORKS)
def test_what_a_click_would_do_is_what_it_does(network: str) -> None:
    setting = V2Logic(network=network, fused=(2,), side=160).setting
    now = counted_at(setting)
    for one in stage_costs(setting):
        after = counted_at(setting, toggled(setting.fused, one.number))
        assert now.macs - one.macs + one.other_macs == after.macs
        assert now.parameters - one.parameters + one.other_parameters == after.parameters


def test_the_finding_says_how_macs_and_time_compare(calls: list[tuple[str, str, int]]) -> None:
    assert V2Logic(fused=(1, 2, 3)).screen().finding == (
        "Stages 1 to 3 fused: 2.19 times the MACs, 0.72 times the training time on a V100 (published)."
    )
    assert (
        V2Logic(network="B0", fused=(6,)).screen().finding.endswith("times the MACs of B0 with none fused.")
    )
    logic = settled(network="B0", fused=(1, 2, 3, 4, 5, 6, 7), side=64)
    ratio = counted_at(logic.setting).macs / counted_at(logic.setting, fused=()).macs
    said = f"All 7 stages fused: {ratio:.2f} times the MACs, {ratio:.2f} times the training time."
    assert logic.screen().finding == said
    logic.pin()
    assert logic.screen().finding == "This is A: B0, fused 1-7, 64 px."
    logic.fused = ()
    assert logic.wait(60)
    less = f"{1 / ratio:.3f} times"
    assert logic.screen().finding == f"{less} the MACs of A, {less} its training time an image."


def test_both_ends_of_a_schedule_are_dragged_and_stages_with_one_side_are_named_so() -> None:
    logic = V2Logic(part=PROGRESSIVE, first_side=96, side=160)
    screen = logic.screen()
    assert screen.finding.startswith("96 to 160 px: 0.71 times the MACs of all at 160")
    ends = [touch(screen.charts, f"stage {n}/handle").drag[0] for n in (1, 4)]
    assert [(one.name, one.value, one.axis.low, one.axis.high) for one in ends] == [
        ("first_side", 96, 32, 512),
        ("side", 160, 32, 512),
    ]
    logic.first_side = 160
    assert logic.screen().finding.startswith("Every stage sees 160 px")


def test_a_chart_without_a_time_says_when_one_is_under_way(calls: list[tuple[str, str, int]]) -> None:
    logic = settled(network="B0", fused=(1,), side=64)
    assert not logic.is_unmeasured
    with logic.together():
        logic.part = PROGRESSIVE
    logic.cancel()
    assert logic.is_unmeasured
    assert "Nothing measured yet" in str(logic.screen().charts.marks)
    logic.status = Status("measuring", "Measuring")
    assert "Measuring now" in str(logic.screen().charts.marks)
    assert logic.wait(60)


def test_the_status_says_what_was_measured(calls: list[tuple[str, str, int]]) -> None:
    logic = settled(network="B0", fused=(1, 2, 3), side=64, batch_size=4)
    assert logic.status.message.startswith("Measured B0, fused 1-3, 64 px, batch 4 on ")


def test_tables_beside_the_numbers() -> None:
    assert "<td>34.4</td><td>81.7</td><td>206</td>" in table_3()
    rows = schedule_table(MeasuredV2(device="cpu", schedule="released M").setting)
    assert "published schedule" in rows
    assert "<td>192</td><td>5</td><td>0</td><td>0.3</td>" in rows
    assert "<td>384</td><td>15</td><td>0.2 +0.2</td><td>0.3</td>" in rows


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"network": "B2", "fused": (1, 3), "side": 160},
        {"network": "V2-S", "fused": ()},
        {"part": PROGRESSIVE, "schedule": "released L", "batch_size": 2},
        {"part": PROGRESSIVE, "mixup": 0.1 + 0.2, "growing": False, "stages": 6},
    ],
)
def test_its_line_of_code_recreates_it(settings: dict[str, Any]) -> None:
    logic = MeasuredV2(**settings)
    again = eval(logic.code(), {"ee": ee})  # noqa: S307 - the line is what a learner would paste
    assert again.logic.setting == logic.setting
    again.close()


def test_the_controls_follow_the_part_and_the_network(calls: list[tuple[str, str, int]]) -> None:
    lab = ee.labs.V2Lab(device="cpu", network="B0")
    shown = {name: css for name, css in _displays(lab).items() if name in ("ee-fused-1", "ee-mixup")}
    assert shown == {"ee-fused-1": True, "ee-mixup": False}
    lab.logic.part = PROGRESSIVE
    assert _displays(lab)["ee-mixup"]
    assert not _displays(lab)["ee-fused-1"]
    lab.logic.network = "V2-S"
    boxes = _boxes(lab)
    assert [box.value for box in boxes] == [True, True, True, False, False, False, False]
    assert [box.disabled for box in boxes] == [False] * 6 + [True]
    boxes[0].value = False
    assert lab.logic.fused == (2, 3)
    assert len(lab._repr_mimebundle_()["text/html"]) < 70_000
    lab.close()
    assert lab.logic.wait(60)


def _tree(widget: Any, visible: bool = True) -> Any:
    visible = visible and widget.layout.display != "none"
    yield widget, visible
    for child in getattr(widget, "children", ()):
        yield from _tree(child, visible)


def _displays(lab: Any) -> dict[str, bool]:
    return {css: visible for widget, visible in _tree(lab) for css in getattr(widget, "_dom_classes", ())}


def _boxes(lab: Any) -> list[Any]:
    named = {css: widget for widget, _ in _tree(lab) for css in getattr(widget, "_dom_classes", ())}
    return [named[f"ee-fused-{n}"] for n in range(1, 8)]


def test_the_first_side_is_never_larger_than_the_last(calls: list[tuple[str, str, int]]) -> None:
    logic = MeasuredV2(device="cpu", part=PROGRESSIVE, network="B0")
    logic.first_side = 300
    assert (logic.first_side, logic.side) == (300, 300)
    logic.side = 96
    assert (logic.first_side, logic.side) == (96, 96)
    with pytest.raises(traitlets.TraitError, match="first_side is 300; it must be no larger than side, 224"):
        MeasuredV2(device="cpu", first_side=300, side=224)
    assert MeasuredV2(device="cpu", side=64).first_side == 64
    logic.cancel()
    assert logic.wait(5)


def test_the_finding_and_the_numbers_compare_the_same_times(
    calls: list[tuple[str, str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The median of whole steps is not the sum of their parts' medians, once a step is noisy."""

    def noisy(spec: Any, batch_size: int, side: int, device: Any, **_: Any) -> TrainingMeasurement:
        quiet = fake_training(spec, batch_size, side, device)
        a = quiet.forward.seconds[0]
        slow_at = (3, 2) if side > 100 else (1, 1)
        forward, backward = (a, 5 * a, slow_at[0] * a), (a, slow_at[1] * a, 4 * a)
        return replace(quiet, forward=Timing(forward), backward=Timing(backward))

    monkeypatch.setattr("effnet_edu.labs.v2.measured.profile_training", noisy)
    logic = settled(part=PROGRESSIVE, network="B0", stages=2, first_side=64, side=96)
    before = values(logic)["time an epoch"]
    logic.pin()
    logic.side = 160
    assert logic.wait(60)
    slower = values(logic)["time an epoch"] / before
    assert f"{slower:.2f} times its time an epoch." in logic.screen().finding
