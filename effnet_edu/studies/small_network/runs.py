"""Study `small_network`: one network with squeeze-and-excitation, trained longer, whose weights are kept.

It is the model that a lesson can look into where nothing can be downloaded.
"""

from dataclasses import replace
from typing import Any

from effnet_edu.studies.networks import small_network
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
EPOCHS = 6


def runs(quick: bool) -> tuple[Run, ...]:
    """Return the one run."""
    recipe = shortened(RECIPE) if quick else replace(RECIPE, epochs=EPOCHS)
    images = QUICK_IMAGES if quick else Images("glyphs", 20000, 2000)
    return (Run("glyphs", {"seed": 0}, images, small_network(), recipe, seed=0),)


def perform(run: Run, place: Place) -> dict[str, Any]:
    """Train the network and describe its gates."""
    done = performed(run, place)
    seen = held_out_images(run.images, run.network.resolution)
    return {
        **kept(run, done),
        "class_names": list(seen.class_names),
        "gates": describe_gates(done.network, seen, with_means=True),
    }


STUDY = Study(
    name="small_network",
    title="A network small enough to look into",
    question="How well does a network of a few hundred kilobytes tell ten glyphs apart?",
    method=METHOD,
    runs=runs,
    perform=perform,
    weights_of="glyphs",
)
