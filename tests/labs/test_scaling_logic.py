"""The scaling problem lab without a browser: a budget is spent exactly, beside what others got for theirs."""

import ast
import itertools
import math
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import traitlets

import effnet_edu as ee
from effnet_edu.labs.scaling_problem import accuracy_charts as scaling_charts
from effnet_edu.labs.scaling_problem import evidence as scaling_evidence
from effnet_edu.labs.scaling_problem.budget import BASE_MACS, COMPOUND, Shares, spend, total_macs, totals
from effnet_edu.labs.scaling_problem.charts import charts
from effnet_edu.labs.scaling_problem.evidence import IMAGES, PAPERS
from effnet_edu.labs.scaling_problem.exact import ScalingProblemLogic
from effnet_edu.labs.scaling_problem.measured import MeasuredScalingProblem
from effnet_edu.labs.scaling_problem.numbers import (
    MIX,
    SLIDERS,
    bought,
    growth,
    label,
    percents,
    published_near,
)
from effnet_edu.labs.scaling_problem.screen import finding, network
from effnet_edu.pictures.labels import words_box
from effnet_edu.studies.networks import WAYS
from tests.labs.conftest import SlowProfile
from tests.studies.made import made

WAYS_ALONE = {"depth": Shares(1, 0, 0), "width": Shares(0, 1, 0), "resolution": Shares(0, 0, 1)}
EVERY_WAY = {**WAYS_ALONE, "compound": COMPOUND, "mix": Shares.of(1, 1, 0)}


@pytest.fixture
def measured_at_once(monkeypatch: pytest.MonkeyPatch) -> SlowProfile:
    stand_in = SlowProfile()
    stand_in.release.set()
    monkeypatch.setattr(
        "effnet_edu.labs.scaling_problem.measured.profile", partial(stand_in, precision="fp32")
    )
    return stand_in


@pytest.fixture
def logic() -> Iterator[MeasuredScalingProblem]:
    lab = MeasuredScalingProblem(device="cpu")
    yield lab
    lab.cancel()
    assert lab.wait(60)


@pytest.fixture(params=[True, False], ids=["recorded", "not recorded"])
def is_recorded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """Our study with made numbers, or none; what was read of it before is forgotten, then and after."""
    result = made(lambda way, level, seed: 0.5 + 0.1 * level + 0.01 * len(way) + 0.01 * seed)
    monkeypatch.setattr(scaling_evidence, "study", lambda: result if request.param else None)
    kept = (scaling_evidence.recorded, scaling_charts._studied)
    for cached in kept:
        cached.cache_clear()
    yield request.param
    for cached in kept:
        cached.cache_clear()


def values(logic: MeasuredScalingProblem, kind: str) -> dict[str, float]:
    sections = logic.numbers(logic.setting)
    return {n.name: n.value for section in sections if section.kind == kind for n in section.numbers}


@pytest.mark.parametrize(
    "name", ["efficientnet_b0", "efficientnet_b3", "efficientnetv2_s", "efficientnet_lite4"]
)
def test_the_short_count_is_the_exact_one(name: str) -> None:
    network = ee.scale(ee.spec(name), depth=2.3)
    counted, short = ee.cost(network), totals(network)
    assert (short.macs, short.parameters) == (counted.macs, counted.parameters)
    assert (short.activations, short.saved_bytes) == (counted.activations, counted.saved_bytes())
    assert total_macs(network) == counted.macs


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("billions", [0.4, 0.7, 1.8, 6.3, 20.0])
def test_a_budget_buys_the_largest_network_within_it(way: str, billions: float) -> None:
    shares, budget = EVERY_WAY[way], 1e9 * billions
    bought = spend(shares, budget)
    assert bought.totals.macs <= budget
    assert bought.totals.macs == total_macs(bought.network)
    larger = shares.multipliers(bought.growth + 1 / 256)
    side = round(224 * larger.resolution)
    beyond = ee.scale(ee.spec("efficientnet_b0"), larger.width, larger.depth, side)
    assert total_macs(beyond) > budget
    again = ee.scale(
        ee.spec("efficientnet_b0"),
        bought.multipliers.width,
        bought.multipliers.depth,
        bought.network.resolution,
    )
    assert again.stages == bought.network.stages


def test_four_times_the_depth_is_what_its_price_buys() -> None:
    price = ee.cost(ee.scale(ee.spec("efficientnet_b0"), depth=4.0)).macs
    bought = spend(WAYS_ALONE["depth"], price)
    assert bought.multipliers == ee.Multipliers(4.0, 1.0, 1.0)
    assert bought.totals.macs == price


def test_compound_weights_are_those_of_the_paper() -> None:
    assert sum((COMPOUND.depth, COMPOUND.width, COMPOUND.resolution)) == pytest.approx(1)
    formula = ee.compound_multipliers(1.7)
    ours = COMPOUND.multipliers(1.7 * math.log(ee.cost_factor()))
    assert (ours.depth, ours.width, ours.resolution) == pytest.approx(
        (formula.depth, formula.width, formula.resolution)
    )


def test_a_budget_below_b0_is_refused() -> None:
    with pytest.raises(ValueError, match="budget is 300,000,000 MACs; B0 itself costs 385,814,752"):
        spend(COMPOUND, 3e8)


def test_a_way_moves_the_weights_and_a_weight_leaves_the_way(logic: MeasuredScalingProblem) -> None:
    logic.way = "width"
    assert (logic.depth_weight, logic.width_weight, logic.resolution_weight) == (0, 100, 0)
    assert bought(logic.setting).multipliers.depth == 1
    logic.depth_weight = 50
    assert logic.way == MIX
    mixed = bought(logic.setting).multipliers
    assert mixed.depth > 1.2
    assert mixed.width > 1.2
    with logic.together():
        logic.depth_weight = logic.width_weight = 0
    assert bought(logic.setting).totals.macs == BASE_MACS


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({}, ""),
        ({"way": "depth", "budget": 0.1 + 0.2 + 0.7}, "budget=1.0, way='depth'"),
        ({"depth_weight": 10}, "way='own mix', depth_weight=10"),
        ({"way": "compound", "paper": "ResNet-50", "batch_size": 4}, "paper='ResNet-50', batch_size=4"),
    ],
)
def test_the_line_of_code_recreates_the_setting(settings: dict[str, Any], code: str) -> None:
    logic = MeasuredScalingProblem(device="cpu", **settings)
    assert logic.code() == f"ee.labs.ScalingProblemLab({code})"
    (line,) = ast.parse(logic.code()).body
    assert isinstance(line, ast.Expr)
    assert isinstance(line.value, ast.Call)
    said = {word.arg: ast.literal_eval(word.value) for word in line.value.keywords if word.arg}
    assert MeasuredScalingProblem(device="cpu", **said).setting == logic.setting


def test_reset_brings_back_the_way_and_its_weights(logic: MeasuredScalingProblem) -> None:
    start = logic.setting
    with logic.together():
        logic.resolution_weight = 3
        logic.budget = 9.9
    logic.way = "depth"
    logic.reset()
    assert logic.setting == start


def test_published_accuracy_is_the_nearest_point_and_says_its_own_macs(logic: MeasuredScalingProblem) -> None:
    logic.way = "depth"
    assert values(logic, "published") == {"MACs, paper": 1.85, "top-1, paper": 78.99}
    near = published_near(logic.setting)
    assert near is not None
    assert (near.name, near.source) == ("d = 4", "figure 3")
    logic.way = "compound"
    assert values(logic, "published") == {"MACs, paper": 1.8, "top-1, paper": 81.1}
    logic.paper = "ResNet-50"
    logic.budget = 10.0
    assert values(logic, "published") == {"MACs, paper": 16.7, "top-1, paper": 78.8}
    logic.depth_weight = 5
    assert values(logic, "published") == {}


@pytest.mark.parametrize("paper", scaling_evidence.PAPERS)
def test_what_is_published_of_a_network_starts_at_its_base(paper: str) -> None:
    printed = {way: scaling_evidence.published(paper, way) for way in WAYS}
    assert [way for way in WAYS if not printed[way]] == (["depth"] if paper == "MobileNetV1" else [])
    for base, *larger in filter(None, printed.values()):
        assert larger
        assert all(point.macs > base.macs and point.percent > base.percent for point in larger)


def test_our_study_stands_beside_the_paper(is_recorded: bool, logic: MeasuredScalingProblem) -> None:
    logic.way = "width"
    found = values(logic, "recorded")
    drawn = charts(logic)
    if is_recorded:
        points = scaling_evidence.recorded("glyphs", "width")
        nearest = min(points, key=lambda p: abs(math.log(p.macs / points[0].macs / growth(logic.setting))))
        assert found["growth, study"] == pytest.approx(nearest.macs / points[0].macs)
        assert found["accuracy, ours"] == pytest.approx(nearest.percent)
        assert f"{nearest.percent:.1f}%" in drawn.description
    else:
        assert found == {}
        assert "ours/none" in {mark.key for mark in drawn.marks}
    logic.images = "Fashion-MNIST"
    assert "Fashion-MNIST" in charts(logic).description


def words(logic: MeasuredScalingProblem) -> tuple[str, str, str]:
    return finding(logic), network(logic).description, charts(logic).description


def test_words_and_pictures_follow_the_budget(logic: MeasuredScalingProblem) -> None:
    logic.budget = 0.5
    before = words(logic)
    assert "buys nothing" in before[0]
    logic.budget = 0.6
    assert not set(before) & set(words(logic))
    costs = bought(logic.setting).totals
    assert f"{costs.macs / BASE_MACS:.3g} times the work of B0" in finding(logic)
    logic.pin()
    logic.budget = 9.6
    after = bought(logic.setting).totals
    assert f"{after.macs / costs.macs:.3g} times the work of A" in finding(logic)
    assert f"{after.parameters / costs.parameters:.3g} times the parameters" in finding(logic)
    assert "stage 1/ghost" in {mark.key for mark in network(logic).marks}
    assert {"mix/A", "paper/here A", "paper/here B"} <= {mark.key for mark in charts(logic).marks}


def test_the_point_in_the_triangle_is_the_mix(logic: MeasuredScalingProblem) -> None:
    logic.touch(dict(zip(SLIDERS, (50, 30, 20), strict=True)))
    assert (logic.way, percents(logic.setting)) == (MIX, (50, 30, 20))
    assert label(logic.setting).startswith("mix d 50%, w 30%, r 20%")
    marks = {mark.key: mark for mark in charts(logic).marks}
    mix = marks["mix/touch"].mix
    assert mix is not None
    assert mix.values == (50, 30, 20)
    x, y = (
        sum(share * corner[i] for share, corner in zip((0.5, 0.3, 0.2), mix.corners, strict=True))
        for i in (0, 1)
    )
    assert marks["mix/now/mark"].place[:2] == pytest.approx((x, y))
    for way in WAYS:
        assert marks[f"mix/{way}"].sets == {"way": way}
    logic.touch({"way": "depth"})
    assert percents(logic.setting) == (100, 0, 0)
    # What is chosen can be dragged away: no button lies over it.
    assert {mark.key: mark for mark in charts(logic).marks}["mix/depth"].sets is None


@pytest.mark.parametrize("weights", [(90, 29, 43), (1, 1, 1), (0, 100, 100), (3, 0, 0), (0, 0, 0)])
def test_shares_are_percents_that_sum_to_a_hundred(
    logic: MeasuredScalingProblem, weights: tuple[int, int, int]
) -> None:
    logic.touch(dict(zip(SLIDERS, weights, strict=True)))
    found, total = percents(logic.setting), sum(weights)
    assert sum(found) == (100 if total else 0)
    assert all(abs(n - 100 * weight / max(total, 1)) < 1 for n, weight in zip(found, weights, strict=True))
    if not total:
        assert finding(logic) == "Nothing grows, because all three weights are 0."


def test_one_network_is_measured_once_whatever_bought_it(
    measured_at_once: SlowProfile, logic: MeasuredScalingProblem
) -> None:
    logic.way = "depth"
    logic.budget = 0.4
    logic.request()
    assert logic.wait(60)
    calls = measured_at_once.calls
    logic.budget = 0.5
    logic.cancel()
    assert logic.is_fresh
    logic.way = "resolution"
    logic.cancel()
    assert not logic.is_fresh
    assert measured_at_once.calls == calls


def test_the_picture_has_the_price_of_each_way_and_what_was_measured(
    measured_at_once: SlowProfile, logic: MeasuredScalingProblem
) -> None:
    for way in ("depth", "width"):
        logic.way = way
        logic.request()
        assert logic.wait(60)
    drawn = charts(logic)
    told = drawn.description
    assert told.count("10 ms an image measured") == told.count("not measured") == 2
    assert {f"prices/{way}/time/mark" for way in ("depth", "width")} <= {mark.key for mark in drawn.marks}
    computed, measured = logic.numbers(logic.setting)[-2:]
    assert {n.name: n.value for n in measured.numbers} == {
        "time an image, depth": 10.0,
        "time an image, width": 10.0,
    }
    counted = {n.name: n.value for n in computed.numbers}
    for way in WAYS:
        price = bought(logic.setting, way).totals
        assert counted[f"parameters, {way}"] == price.parameters / 1e6
        assert f"{way} {price.parameters / 1e6:.3g} million parameters" in told
    rows = logic.csv().splitlines()
    assert rows[0].startswith("budget,way,depth_weight")
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("setting", "value"), [("budget", 0.3), ("budget", 10.1), ("way", "deep"), ("width_weight", -1)]
)
def test_settings_outside_their_range_are_refused(setting: str, value: Any) -> None:
    with pytest.raises(traitlets.TraitError, match=setting):
        MeasuredScalingProblem(device="cpu", **{setting: value})


@pytest.mark.parametrize("room", [254, 760, 960, 1800])
def test_no_name_of_a_way_is_left_out_and_no_ring_lies_on_one(room: int) -> None:
    logic = ScalingProblemLogic()
    logic.room = room
    for paper, images, way in itertools.product(PAPERS, IMAGES, WAYS):
        logic.paper, logic.images, logic.way = paper, images, way
        marks = {mark.key: mark for mark in charts(logic).marks}
        for chart in ("paper", "ours"):
            ways = {key.split("/")[1] for key in marks if re.fullmatch(f"{chart}/[a-z]+/line", key)}
            assert {key.split("/")[1] for key in marks if re.fullmatch(f"{chart}/[a-z]+/name", key)} == ways
            if (ring := marks.get(f"{chart}/near")) is not None:
                x, y, radius = ring.place
                for one in ways:
                    left, top, right, bottom = words_box(marks[f"{chart}/{one}/name"])
                    beside = max(left - x, x - right, 0), max(top - y, y - bottom, 0)
                    assert math.hypot(*beside) >= radius or one != way


def test_what_does_not_grow_is_not_called_once_as_much(logic: MeasuredScalingProblem) -> None:
    logic.way = "resolution"
    assert " by resolution alone: as many parameters, " in finding(logic)
    logic.way = "depth"
    logic.pin()
    logic.batch_size = 2
    assert finding(logic).startswith("As much work as A, by depth alone: as many parameters, as many")
