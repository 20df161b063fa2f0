"""Study `small_network`: one network with squeeze-and-excitation, trained longer, whose weights are kept.

It is the model that a lesson can look into where nothing can be downloaded.
"""

from dataclasses import replace
from typing import Any

from effnet_edu.model.specs import NetworkSpec, scale
from effnet_edu.studies.gates import describe_gates
from effnet_edu.studies.networks import base_network
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

EPOCHS = 6
RESOLUTION, WIDTH = 32, 1.25


def network() -> NetworkSpec:
    """Return the network as data."""
    return replace(scale(base_network(RESOLUTION), width=WIDTH), name="small network for glyphs")


def runs(quick: bool) -> tuple[Run, ...]:
    """Return the one run.

    Args:
        quick: Whether for the short version.
    """
    recipe = shortened(RECIPE) if quick else replace(RECIPE, epochs=EPOCHS)
    images = QUICK_IMAGES if quick else Images("glyphs", 20000, 2000)
    return (Run("glyphs", {"seed": 0}, images, network(), recipe, seed=0),)


def perform(run: Run, place: Place) -> dict[str, Any]:
    """Train the network and describe its gates.

    Args:
        run: The run.
        place: Where.
    """
    done = performed(run, place)
    seen = held_out_images(run.images, run.network.resolution)
    return {
        **kept(run, done),
        "class_names": list(seen.class_names),
        "gates": describe_gates(done.network, seen, with_means=True),
    }


STUDY = Study(
    name="small_network",
    question="How well does a network of a few hundred kilobytes tell ten glyphs apart?",
    start=__name__,
    runs=runs,
    perform=perform,
    weights_of="glyphs",
)
