"""Recipes and schedules: values at known points, the papers' numbers, and what is refused."""

from dataclasses import replace

import pytest

import effnet_edu as ee
from effnet_edu.training.progressive import Stage
from effnet_edu.training.schedules import derived_seed, learning_rate

COSINE = ee.Recipe(epochs=11, batch_size=512, base_learning_rate=0.4, warmup_epochs=1)


def test_the_learning_rate_grows_linearly_with_the_batch() -> None:
    assert COSINE.learning_rate == 0.8
    assert replace(COSINE, batch_size=64).learning_rate == pytest.approx(0.1)


def test_the_rate_warms_up_and_falls_along_a_cosine() -> None:
    rates = [learning_rate(COSINE, step, 10) for step in range(110)]
    assert rates[:10] == pytest.approx([0.8 * (step + 1) / 10 for step in range(10)])
    assert rates[10] == pytest.approx(0.8)
    assert rates[60] == pytest.approx(0.4)  # half way through the 10 epochs that are left
    assert rates[110 - 25] == pytest.approx(0.8 * (1 - 0.5**0.5) / 2)  # three quarters: cos(3 pi / 4)
    assert rates[-1] < 0.001
    assert max(rates) == rates[10]


def test_the_papers_rate_falls_by_3_percent_every_2_4_epochs() -> None:
    recipe = ee.Recipe.efficientnet_v1()
    assert recipe.learning_rate == pytest.approx(0.256)
    steps = 10
    assert learning_rate(recipe, 0, steps) == pytest.approx(0.256 / 50)
    assert learning_rate(recipe, 49, steps) == pytest.approx(0.256)
    # 5 epochs are two whole periods of 2.4; the third ends at 7.2
    assert learning_rate(recipe, 50, steps) == pytest.approx(0.256 * 0.97**2)
    assert learning_rate(recipe, 71, steps) == pytest.approx(0.256 * 0.97**2)
    assert learning_rate(recipe, 72, steps) == pytest.approx(0.256 * 0.97**3)
    assert learning_rate(recipe, 240 * steps, steps) == pytest.approx(0.256 * 0.97**100)


def test_a_run_without_warm_up_starts_at_the_highest_rate() -> None:
    assert learning_rate(replace(COSINE, warmup_epochs=0), 0, 10) == pytest.approx(0.8)
    short = replace(COSINE, epochs=1, warmup_epochs=1.0)  # nothing but a warm-up
    assert learning_rate(short, 9, 10) == pytest.approx(0.8)


def test_the_papers_recipe_has_the_published_numbers() -> None:
    published, recipe = ee.published.read("effnet_recipe"), ee.Recipe.efficientnet_v1()

    def value(item: str) -> float:
        return published.row(item=item).number("value")

    assert recipe.optimizer == "rmsprop"
    assert recipe.weight_decay == value("weight_decay")
    assert recipe.epochs == value("code_epochs")
    assert recipe.learning_rate == pytest.approx(value("initial_lr"))
    assert recipe.warmup_epochs == value("code_warmup")
    assert recipe.ema_decay == value("code_ema")
    assert recipe.label_smoothing == value("code_label_smoothing")


@pytest.mark.parametrize("size", ["s", "m", "l"])
@pytest.mark.parametrize("variant", ["paper", "released"])
def test_the_progressive_schedules_are_the_published_ones(size: str, variant: str) -> None:
    rows = ee.published.read("v2_progressive").where(variant=variant, network=f"efficientnetv2_{size}")
    schedule = ee.ProgressiveSchedule.efficientnet_v2(size, variant)
    first, last = schedule.stages[0], schedule.stages[-1]
    assert len(schedule.stages) == 4
    fields = {"side_px": "side", "mixup_alpha": "mixup", "cutmix_alpha": "cutmix"}
    assert {row["setting"] for row in rows} >= {"side_px", "randaugment", "mixup_alpha", "dropout"}
    for row in rows:
        name = fields.get(str(row["setting"]), str(row["setting"]))
        assert getattr(first, name) == pytest.approx(row["first_stage"])
        assert getattr(last, name) == pytest.approx(row["last_stage"])


def test_paper_and_code_disagree_about_v2_s() -> None:
    paper, code = (ee.ProgressiveSchedule.efficientnet_v2("s", name) for name in ("paper", "released"))
    assert [stage.side for stage in paper.stages] == [128, 185, 243, 300]
    assert [stage.side for stage in code.stages] == [171, 214, 257, 300]
    assert [stage.dropout for stage in paper.stages] == pytest.approx([0.1, 1 / 6, 0.7 / 3, 0.3])
    assert {stage.dropout for stage in code.stages} == {0.2}
    assert "stage 1: 171 px, RandAugment 5, mixup 0, cutmix 0, dropout 0.2" in str(code)


def test_stages_share_the_epochs() -> None:
    schedule = ee.ProgressiveSchedule.efficientnet_v2("s")
    sides = [schedule.stage(epoch, 350).side for epoch in range(350)]
    assert sides == sorted(sides)
    assert [sides.count(side) for side in (171, 214, 257, 300)] == [88, 87, 88, 87]
    assert [schedule.stage(epoch, 4).side for epoch in range(4)] == [171, 214, 257, 300]


def test_a_schedule_scales_to_small_images() -> None:
    small = ee.ProgressiveSchedule.efficientnet_v2("s", "paper").scaled_to(32)
    assert [stage.side for stage in small.stages] == [16, 16, 24, 32]
    assert [stage.randaugment for stage in small.stages] == pytest.approx([5, 25 / 3, 35 / 3, 15])
    fixed = small.without_adaptive_regularisation()
    assert [stage.side for stage in fixed.stages] == [16, 16, 24, 32]
    assert {(stage.randaugment, stage.dropout) for stage in fixed.stages} == {(15, 0.3)}
    own = ee.ProgressiveSchedule.linear(Stage(16), Stage(32, 9), 3, 8)
    assert [(stage.side, stage.randaugment) for stage in own.stages] == [(16, 0), (24, 4.5), (32, 9)]


def test_without_a_schedule_everything_is_constant() -> None:
    recipe = ee.Recipe(randaugment=3, mixup=0.1)
    assert {recipe.stage(epoch, 32, 0.2) for epoch in range(10)} == {Stage(32, 3, 0.1, 0.0, 0.2)}
    assert replace(recipe, dropout=0.5).stage(0, 32, 0.2).dropout == 0.5
    progressive = replace(recipe, progressive=ee.ProgressiveSchedule.linear(Stage(16), Stage(32), 2))
    assert [progressive.stage(epoch, 99, 0.2).side for epoch in (4, 5)] == [16, 32]
    assert progressive.stage(0, 99, 0.2).dropout == 0.2


def test_seeds_for_different_purposes_differ() -> None:
    seeds = {
        derived_seed(seed, "step", step, part) for seed in (0, 1) for step in range(50) for part in (0, 1)
    }
    assert len(seeds) == 200
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derived_seed(1, 23) != derived_seed(12, 3)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"epochs": 0}, "epochs is 0; it must be a whole number of 1 or more"),
        ({"batch_size": 0.5}, "batch_size is 0.5"),
        ({"optimizer": "lion"}, "optimizer is 'lion'; it must be one of 'sgd', 'adamw', 'rmsprop'"),
        ({"decay": "linear"}, "decay is 'linear'"),
        ({"precision": "fp8"}, "precision is 'fp8'"),
        ({"base_learning_rate": -1}, "base_learning_rate is -1"),
        ({"label_smoothing": 1.5}, "label_smoothing is 1.5; it must be a number from 0 to 1"),
        ({"ema_decay": 1.0}, "ema_decay is 1.0; it must be a number from 0 to below 1"),
        ({"randaugment": 30}, "randaugment is 30; it must be a number from 0 to below 30"),
        ({"min_crop_area": 0}, "min_crop_area is 0"),
        ({"clip_norm": 0}, "clip_norm is 0"),
        (
            {"epochs": 3, "progressive": ee.ProgressiveSchedule.efficientnet_v2("s")},
            "epochs is 3; a progressive schedule of 4 stages needs one epoch a stage",
        ),
    ],
)
def test_bad_recipes_are_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ee.Recipe(**changes)  # type: ignore[arg-type]


def test_bad_schedules_are_refused() -> None:
    with pytest.raises(ValueError, match="has no stages"):
        ee.ProgressiveSchedule((), "nowhere")
    with pytest.raises(ValueError, match="One end of the schedule has a dropout"):
        ee.ProgressiveSchedule.linear(Stage(16, dropout=0.1), Stage(32))
    with pytest.raises(ValueError, match="variant is 'code'"):
        ee.Recipe.efficientnet_v2("s", "code")
    with pytest.raises(ValueError, match="size is 'xl'"):
        ee.ProgressiveSchedule.efficientnet_v2("xl")
