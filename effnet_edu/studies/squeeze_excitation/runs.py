"""Study `squeeze_excitation`: with and without, where, how narrow, and what taking gates away does."""

from dataclasses import replace
from typing import Any

from effnet_edu.model.specs import NetworkSpec
from effnet_edu.studies.networks import base_network
from effnet_edu.studies.progressive.runs import renewed
from effnet_edu.studies.squeeze_excitation.gates import describe_gates, gates, with_fixed_gates
from effnet_edu.studies.study import (
    LONG,
    QUICK_IMAGES,
    RECIPE,
    Images,
    Place,
    Run,
    Study,
    held_out_images,
    judged,
    kept,
    learning_images,
    performed,
    shortened,
    watched,
)

#: Raised by hand when a run would give other numbers than before.
METHOD = 2
RESOLUTION = 16
#: Which of the four stages have gates.
STAGES = {"none": (), "early": (0, 1), "late": (2, 3), "all": (0, 1, 2, 3)}
#: Squeeze width over the channels of the block's input, as in EfficientNet.
RATIO = 1 / 4
#: What is compared over most seeds, on both sets of images: without and with gates, as stages and ratio.
COMPARED = (("none", 0.0), ("all", RATIO))
#: Other places and widths, on Fashion-MNIST alone and over fewer seeds.
OTHERS = (("early", RATIO), ("late", RATIO), ("all", 1 / 16), ("all", 1.0))
SEEDS, OTHER_SEEDS = 10, 4
SETS = (Images("fashion_mnist", 2000, 10_000), Images("glyphs", 4000, 10_000))


def network(stages: str, ratio: float) -> NetworkSpec:
    """Return the studies' network with gates in some stages.

    Args:
        stages: `"none"`, `"early"`, `"late"` or `"all"`.
        ratio: Squeeze width over the channels of the block's input; 0 for no gates.
    """
    base = base_network(RESOLUTION)
    gated = tuple(
        replace(stage, squeeze_ratio=ratio if index in STAGES[stages] else 0.0)
        for index, stage in enumerate(base.stages)
    )
    return replace(base, name=f"small, SE {ratio:g} of the block's input in {stages} stages", stages=gated)


def runs(quick: bool) -> tuple[Run, ...]:
    """Return with and without on both sets of images, and the other arms for fewer seeds."""
    sets = (QUICK_IMAGES,) if quick else SETS
    return tuple(
        Run(
            name=f"{images.name}_{stages}_ratio{round(100 * ratio)}_seed{seed}",
            labels={"images": images.name, "stages": stages, "ratio": ratio, "seed": seed},
            images=images,
            network=network(stages, ratio),
            recipe=shortened(RECIPE) if quick else LONG,
            seed=seed,
        )
        for seed in range(2 if quick else SEEDS)
        for images in sets
        for stages, ratio in (*COMPARED, *OTHERS)
        if (stages, ratio) in COMPARED or (images == SETS[0] and seed < OTHER_SEEDS)
    )


def perform(run: Run, place: Place) -> dict[str, Any]:
    """Train a network, look at its gates, and take them away.

    `accuracy_fixed` is the accuracy with each gate held at its mean over the training images,
    `accuracy_open` that without the gates, and `accuracy_renewed` that without them and with the statistics
    of batch norm taken anew. A network that has no gates has none of the three.
    """
    side = run.network.resolution
    done = performed(watched(run), place)
    with_means = run.seed == 0 and run.labels["stages"] == "all" and run.labels["ratio"] == RATIO
    seen = held_out_images(run.images, side).resized(side)
    found = {
        **kept(run, done, with_speed=False),
        "accuracy": judged(run, done),
        "class_names": list(seen.class_names),
        "gates": describe_gates(done.network, seen, with_means),
    }
    if run.labels["stages"] == "none":
        return found
    learned = learning_images(run.images, run.seed, side).resized(side)
    means = {name: values.mean(0) for name, values in gates(done.network, learned).items()}
    without = with_fixed_gates(done.network, {})
    changed = {
        "fixed": with_fixed_gates(done.network, means),
        "open": without,
        "renewed": renewed(run, without, side),
    }
    return {
        **found,
        **{f"accuracy_{how}": judged(run, replace(done, network=other)) for how, other in changed.items()},
    }


STUDY = Study(
    name="squeeze_excitation",
    title="Squeeze-and-excitation",
    question="What do gates bring, where and how narrow, and what happens to a network that loses them?",
    method=METHOD,
    runs=runs,
    perform=perform,
)
