"""The scaling problem lab without a browser: a budget is spent exactly, beside what others got for theirs."""

import ast
import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import traitlets

import effnet_edu as ee
from effnet_edu.labs import scaling_evidence, scaling_screen
from effnet_edu.labs.budget import BASE_MACS, COMPOUND, Shares, spend, total_macs, totals
from effnet_edu.labs.scaling_logic import MIX, ScalingProblemLogic
from effnet_edu.labs.scaling_screen import note, pictures, prices
from effnet_edu.studies.networks import WAYS
from tests.labs.conftest import SlowProfile
from tests.studies.made import made

WAYS_ALONE = {"depth": Shares(1, 0, 0), "width": Shares(0, 1, 0), "resolution": Shares(0, 0, 1)}
EVERY_WAY = {**WAYS_ALONE, "compound": COMPOUND, "mix": Shares.of(1, 1, 0)}


@pytest.fixture
def measured_at_once(monkeypatch: pytest.MonkeyPatch) -> SlowProfile:
    stand_in = SlowProfile()
    stand_in.release.set()
    monkeypatch.setattr("effnet_edu.profiling.profile.profile", partial(stand_in, precision="fp32"))
    return stand_in


@pytest.fixture
def logic() -> Iterator[ScalingProblemLogic]:
    lab = ScalingProblemLogic(device="cpu")
    yield lab
    lab.cancel()
    assert lab.wait(10)


@pytest.fixture(params=[True, False], ids=["recorded", "not recorded"])
def is_recorded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """Our study with made numbers, or none; what was read of it before is forgotten, then and after."""
    result = made(lambda way, level, seed: 0.5 + 0.1 * level + 0.01 * len(way) + 0.01 * seed)
    monkeypatch.setattr(scaling_evidence, "study", lambda: result if request.param else None)
    kept = (scaling_evidence.recorded, scaling_screen._ours)
    for cached in kept:
        cached.cache_clear()
    yield request.param
    for cached in kept:
        cached.cache_clear()


def values(logic: ScalingProblemLogic, kind: str) -> dict[str, float]:
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


def test_compound_shares_are_those_of_the_paper() -> None:
    assert sum((COMPOUND.depth, COMPOUND.width, COMPOUND.resolution)) == pytest.approx(1)
    formula = ee.compound_multipliers(1.7)
    ours = COMPOUND.multipliers(1.7 * math.log(ee.cost_factor()))
    assert (ours.depth, ours.width, ours.resolution) == pytest.approx(
        (formula.depth, formula.width, formula.resolution)
    )


def test_a_budget_below_b0_is_refused() -> None:
    with pytest.raises(ValueError, match="budget is 300,000,000 MACs; B0 itself costs 385,814,752"):
        spend(COMPOUND, 3e8)


def test_a_way_moves_the_shares_and_a_share_leaves_the_way(logic: ScalingProblemLogic) -> None:
    logic.way = "width"
    assert (logic.depth_share, logic.width_share, logic.resolution_share) == (0, 100, 0)
    assert logic.bought(logic.setting).multipliers.depth == 1
    logic.depth_share = 50
    assert logic.way == MIX
    mixed = logic.bought(logic.setting).multipliers
    assert mixed.depth > 1.2
    assert mixed.width > 1.2
    with logic.together():
        logic.depth_share = logic.width_share = 0
    assert logic.bought(logic.setting).totals.macs == BASE_MACS


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({}, ""),
        ({"way": "depth", "budget": 0.1 + 0.2 + 0.7}, "budget=1.0, way='depth'"),
        ({"depth_share": 10}, "way='own mix', depth_share=10"),
        ({"way": "compound", "paper": "ResNet-50", "batch_size": 4}, "paper='ResNet-50', batch_size=4"),
    ],
)
def test_the_line_of_code_recreates_the_setting(settings: dict[str, Any], code: str) -> None:
    logic = ScalingProblemLogic(device="cpu", **settings)
    assert logic.code() == f"ee.labs.ScalingProblemLab({code})"
    (line,) = ast.parse(logic.code()).body
    assert isinstance(line, ast.Expr)
    assert isinstance(line.value, ast.Call)
    said = {word.arg: ast.literal_eval(word.value) for word in line.value.keywords if word.arg}
    assert ScalingProblemLogic(device="cpu", **said).setting == logic.setting


def test_reset_brings_back_the_way_and_its_shares(logic: ScalingProblemLogic) -> None:
    start = logic.setting
    with logic.together():
        logic.resolution_share = 3
        logic.budget = 9.9
    logic.way = "depth"
    logic.reset()
    assert logic.setting == start


def test_published_accuracy_is_the_nearest_point_and_says_its_own_macs(logic: ScalingProblemLogic) -> None:
    logic.way = "depth"
    assert values(logic, "published") == {"MACs, paper": 1.85, "top-1, paper": 78.99}
    near = logic.published_near(logic.setting)
    assert near is not None
    assert (near.name, near.source) == ("d = 4", "figure 3")
    logic.way = "compound"
    assert values(logic, "published") == {"MACs, paper": 1.8, "top-1, paper": 81.1}
    logic.paper = "ResNet-50"
    logic.budget = 10.0
    assert values(logic, "published") == {"MACs, paper": 16.7, "top-1, paper": 78.8}
    logic.depth_share = 5
    assert values(logic, "published") == {}


@pytest.mark.parametrize("paper", scaling_evidence.PAPERS)
def test_what_is_published_of_a_network_starts_at_its_base(paper: str) -> None:
    printed = {way: scaling_evidence.published(paper, way) for way in WAYS}
    assert [way for way in WAYS if not printed[way]] == (["depth"] if paper == "MobileNetV1" else [])
    for base, *larger in filter(None, printed.values()):
        assert larger
        assert all(point.macs > base.macs and point.percent > base.percent for point in larger)


def test_our_study_stands_beside_the_paper(is_recorded: bool, logic: ScalingProblemLogic) -> None:
    logic.way = "width"
    found = values(logic, "recorded")
    charts = pictures(logic)[1]
    if is_recorded:
        points = scaling_evidence.recorded("glyphs", "width")
        growth = logic.growth(logic.setting)
        nearest = min(points, key=lambda p: abs(math.log(p.macs / points[0].macs / growth)))
        assert found["growth, study"] == pytest.approx(nearest.macs / points[0].macs)
        assert found["accuracy, ours"] == pytest.approx(nearest.percent)
        assert f"{nearest.percent:.1f}%" in charts.label
    else:
        assert found == {}
        assert "The study was not" in charts.body
    logic.images = "Fashion-MNIST"
    assert "Fashion-MNIST" in pictures(logic)[1].label


def test_words_and_pictures_follow_the_budget(logic: ScalingProblemLogic) -> None:
    logic.budget = 0.5
    before = [drawn.label for drawn in pictures(logic)]
    assert "buys nothing" in note(logic)
    logic.budget = 0.6
    assert not set(before) & {drawn.label for drawn in pictures(logic)}
    assert "buys nothing" not in note(logic)
    logic.pin()
    logic.budget = 9.6
    a, b, charts = pictures(logic)
    assert a.label.startswith("A: compound, 0.6 billion")
    assert b.label.startswith("B: compound, 9.6 billion")
    assert ">A<" in charts.body
    assert ">B<" in charts.body


def test_one_network_is_measured_once_whatever_bought_it(
    measured_at_once: SlowProfile, logic: ScalingProblemLogic
) -> None:
    logic.way = "depth"
    logic.budget = 0.4
    logic.measure()
    assert logic.wait(10)
    calls = measured_at_once.calls
    logic.budget = 0.5
    logic.cancel()
    assert logic.is_fresh
    logic.way = "resolution"
    logic.cancel()
    assert not logic.is_fresh
    assert measured_at_once.calls == calls


def test_the_picture_has_the_price_of_each_way_and_what_was_measured(
    measured_at_once: SlowProfile, logic: ScalingProblemLogic
) -> None:
    for way in ("depth", "width"):
        logic.way = way
        logic.measure()
        assert logic.wait(10)
    label = prices(logic).label
    assert label.count("10 ms measured") == label.count("not measured") == 2
    computed, measured = logic.numbers(logic.setting)[-2:]
    assert {n.name: n.value for n in measured.numbers} == {
        "time an image, depth": 10.0,
        "time an image, width": 10.0,
    }
    told = {n.name: n.value for n in computed.numbers}
    for way in WAYS:
        price = logic.bought(logic.setting, way).totals
        assert told[f"parameters, {way}"] == price.parameters / 1e6
        assert f"{way} {price.parameters / 1e6:.3g} million parameters" in label
    rows = logic.csv().splitlines()
    assert rows[0].startswith("budget,way,depth_share")
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("setting", "value"), [("budget", 0.3), ("budget", 10.1), ("way", "deep"), ("width_share", -1)]
)
def test_settings_outside_their_range_are_refused(setting: str, value: Any) -> None:
    with pytest.raises(traitlets.TraitError, match=setting):
        ScalingProblemLogic(device="cpu", **{setting: value})
