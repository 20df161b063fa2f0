"""Study `progressive`: small images first, with and without regularisation that grows with them."""

from dataclasses import replace

from effnet_edu.studies.networks import base_network
from effnet_edu.studies.study import QUICK_IMAGES, RECIPE, Images, Run, Study, shortened, train_and_keep
from effnet_edu.training.progressive import ProgressiveSchedule, Stage
from effnet_edu.training.recipe import Recipe

#: Raised by hand when a run would give other numbers than before.
METHOD = 1
SIDE = 28
FIRST = Stage(side=14, randaugment=3, mixup=0.0, dropout=0.0)
LAST = Stage(side=SIDE, randaugment=9, mixup=0.2, dropout=0.2)
SCHEDULE = ProgressiveSchedule.linear(FIRST, LAST, count=4, multiple=2, source="made for this study")
EPOCHS = 8
#: How the four differ; the last stage of each is the same, but for the one without regularisation.
ARMS = ("fixed", "fixed_unregularised", "progressive", "progressive_constant")


def recipe(arm: str) -> Recipe:
    """Return the recipe of one of the four.

    Args:
        arm: `"fixed"`: full size and full regularisation throughout. `"fixed_unregularised"`: full size
            without any. `"progressive"`: both grow. `"progressive_constant"`: the size grows, regularisation
            is full throughout.
    """
    plain = replace(RECIPE, epochs=EPOCHS)
    if arm == "fixed":
        return replace(plain, randaugment=LAST.randaugment, mixup=LAST.mixup, dropout=LAST.dropout)
    if arm == "progressive":
        return replace(plain, progressive=SCHEDULE)
    if arm == "progressive_constant":
        return replace(plain, progressive=SCHEDULE.without_adaptive_regularisation())
    return plain


def runs(quick: bool) -> tuple[Run, ...]:
    """Return the four ways for every seed."""
    images = QUICK_IMAGES if quick else Images("fashion_mnist", 6000, 5000)
    # Seed by seed, so that a machine that slows down in between slows all of them down.
    return tuple(
        Run(
            name=f"{arm}_seed{seed}",
            labels={"arm": arm, "seed": seed},
            images=images,
            network=base_network(SIDE),
            recipe=shortened(recipe(arm)) if quick else recipe(arm),
            seed=seed,
        )
        for seed in range(1 if quick else 4)
        for arm in ARMS
    )


STUDY = Study(
    name="progressive",
    title="Progressive learning",
    question="Does progressive learning reach the same accuracy in less time, and must regularisation grow?",
    method=METHOD,
    runs=runs,
    perform=train_and_keep,
    is_timed=True,
)
