"""Study `squeeze_excitation`: with and without, how narrow its bottleneck may be, what its gates learn."""

from dataclasses import replace
from typing import Any

from effnet_edu.model.specs import NetworkSpec, scale
from effnet_edu.studies.networks import base_network
from effnet_edu.studies.squeeze_excitation.gates import describe_gates
from effnet_edu.studies.study import (
    QUICK_IMAGES,
    RECIPE,
    Images,
    Place,
    Run,
    Study,
    held_out_images,
    kept,
    performed,
    shortened,
)

#: Raised by hand when a run would give other numbers than before.
METHOD = 1
#: Squeeze width over the channels of the block's input; 0 for no squeeze-and-excitation.
RATIOS = (0.0, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
RESOLUTION, WIDTH = 24, 1.5


def network(ratio: float) -> NetworkSpec:
    """Return the network of this study with one ratio in all blocks.

    Args:
        ratio: Squeeze width over the channels of the block's input; 0 for none.
    """
    base = scale(base_network(RESOLUTION), width=WIDTH)
    name = f"small, SE {ratio:g} of the block's input" if ratio else "small, without SE"
    stages = tuple(replace(stage, squeeze_ratio=ratio) for stage in base.stages)
    return replace(base, name=name, stages=stages)


def runs(quick: bool) -> tuple[Run, ...]:
    """Return every ratio on both sets of images."""
    recipe = shortened(RECIPE) if quick else RECIPE
    sets = (QUICK_IMAGES,) if quick else (Images("glyphs", 8000, 2000), Images("fashion_mnist", 8000, 2000))
    return tuple(
        Run(
            name=f"{images.name}_ratio{index}_seed{seed}",
            labels={"images": images.name, "ratio": ratio, "seed": seed},
            images=images,
            network=network(ratio),
            recipe=recipe,
            seed=seed,
        )
        for seed in range(2 if quick else 4)
        for images in sets
        for index, ratio in enumerate((0.0, 1 / 4) if quick else RATIOS)
    )


def perform(run: Run, place: Place) -> dict[str, Any]:
    """Train a network, and look at its gates."""
    done = performed(run, place)
    seen = held_out_images(run.images, run.network.resolution)
    with_means = run.seed == 0 and run.labels["ratio"] == 1 / 4
    return {
        **kept(run, done),
        "class_names": list(seen.class_names),
        "gates": describe_gates(done.network, seen, with_means),
    }


STUDY = Study(
    name="squeeze_excitation",
    title="Squeeze-and-excitation",
    question="What does squeeze-and-excitation cost and bring, how narrow may it be, and what does it learn?",
    method=METHOD,
    runs=runs,
    perform=perform,
)
