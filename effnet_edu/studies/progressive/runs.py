"""Study `progressive`: does it pay to let images grow, regularisation grow, or both, in a long training?"""

import copy
import itertools
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from effnet_edu.model.network import EfficientNet
from effnet_edu.studies.networks import base_network
from effnet_edu.studies.study import (
    QUICK_IMAGES,
    RECIPE,
    Images,
    Place,
    Run,
    Study,
    judged,
    kept,
    learning_images,
    performed,
    shortened,
    watched,
)
from effnet_edu.training.augmentation import to_floats
from effnet_edu.training.progressive import ProgressiveSchedule, Stage
from effnet_edu.training.recipe import Recipe

#: Raised by hand when a run would give other numbers than before.
METHOD = 2
SIDE = 32
#: Chosen after one seed, which lost more when it began at 16 pixels.
FIRST = Stage(side=24, randaugment=3, mixup=0.0, dropout=0.0)
LAST = Stage(side=SIDE, randaugment=9, mixup=0.2, dropout=0.2)
#: Growth ends at half of the epochs, where the learning rate is still half of its highest.
GROWING = ProgressiveSchedule(
    (*ProgressiveSchedule.linear(FIRST, LAST, count=3, multiple=4).stages, LAST), "made for this study"
)
EPOCHS = 40
#: Seeds of the four ways; that regularisation pays by points shows with fewer.
SEEDS, PLAIN_SEEDS = 10, 3
#: Sides that a trained network is tested at: one that it may have begun with, its last, and a larger one.
TESTED = (24, SIDE, 40)
#: Test images at those sides; at the last side all are asked.
ASKED = 1000
#: None, to show that regularisation pays in this training; and the four ways.
WAYS = (("fixed", "none"), *itertools.product(("fixed", "growing"), ("constant", "growing")))


def recipe(size: str, regularisation: str) -> Recipe:
    """Return one way of training; all but the one without regularisation end in the same stage.

    Args:
        size: `"fixed"` or `"growing"`.
        regularisation: `"constant"`, `"growing"` or `"none"`.
    """
    plain = replace(RECIPE, epochs=EPOCHS, warmup_epochs=1)
    if regularisation == "none":
        return plain
    grows = GROWING if regularisation == "growing" else GROWING.without_adaptive_regularisation()
    if size == "fixed":
        grows = replace(grows, stages=tuple(replace(stage, side=SIDE) for stage in grows.stages))
    return replace(plain, progressive=grows)


def runs(quick: bool) -> tuple[Run, ...]:
    """Return every way for every seed, a seed after the other."""
    return tuple(
        Run(
            name=f"{size}_size_{regularisation}_regularisation_seed{seed}",
            labels={"size": size, "regularisation": regularisation, "seed": seed},
            images=QUICK_IMAGES if quick else Images("fashion_mnist", 640, 10_000),
            network=base_network(SIDE),
            recipe=shortened(recipe(size, regularisation)) if quick else recipe(size, regularisation),
            seed=seed,
        )
        for seed in range(1 if quick else SEEDS)
        for size, regularisation in WAYS
        if regularisation != "none" or seed < PLAIN_SEEDS
    )


def perform(run: Run, place: Place) -> dict[str, Any]:
    """Train a network, ask it all test images, and ask it some at other sides.

    `sides` holds the accuracy at other sides, and that with the statistics of batch norm taken anew there.
    """
    done = performed(watched(run), place)
    found = {**kept(run, done), "accuracy": judged(run, done)}
    # Other programs may have run meanwhile: the time of a step is measured apart.
    del found["curve"]["seconds"], found["curve"]["images_per_second"]
    fewer = replace(run, images=replace(run.images, test=min(run.images.test, ASKED)))
    found["sides"] = [
        {
            "side": side,
            "accuracy": judged(fewer, done, side),
            "renewed": judged(fewer, replace(done, network=renewed(run, done.network, side)), side),
        }
        for side in TESTED
    ]
    return found


@torch.no_grad()
def renewed(run: Run, network: EfficientNet, side: int) -> EfficientNet:
    """Return a copy whose batch norms hold the statistics of the run's training images at one side."""
    own = copy.deepcopy(network).train()
    for module in own.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # the mean over all batches
    for images in learning_images(run.images, run.seed, side).resized(side).images.split(100):  # type: ignore[no-untyped-call]
        own(to_floats(images))
    return own.eval()


STUDY = Study(
    name="progressive",
    title="Progressive learning",
    question="Does progressive learning reach the same accuracy in less time, and must regularisation grow?",
    method=METHOD,
    runs=runs,
    perform=perform,
    times_steps=True,
)
