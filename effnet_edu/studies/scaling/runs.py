"""Study `scaling`: depth alone, width alone, resolution alone, or all three, at the same cost."""

from dataclasses import replace

from effnet_edu.model.cost import cost
from effnet_edu.studies.networks import WAYS, base_network, matched, scaled
from effnet_edu.studies.study import (
    CLASSES,
    IN_CHANNELS,
    LONG,
    QUICK_IMAGES,
    RECIPE,
    Images,
    Run,
    Study,
    shortened,
    train_and_judge,
)

#: Raised by hand when a run would give other numbers than before.
METHOD = 2
#: Depth comes in whole blocks: the costs of these depths are the levels that the other ways meet.
DEPTHS = (2.0, 4.0, 5.5)
SEEDS = 10
#: Each set with the epochs after which the base has learned its training images.
SETS = ((Images("fashion_mnist", 1000, 10_000), 16), (Images("glyphs", 2000, 10_000), 12))


def runs(quick: bool) -> tuple[Run, ...]:
    """Return the base and each way at each level of cost, on both sets of images."""
    sets = ((QUICK_IMAGES, 0),) if quick else SETS
    base = base_network()
    networks = [("base", 0, base)]
    for level, depth in enumerate(DEPTHS[:1] if quick else DEPTHS, start=1):
        deeper = scaled(base, "depth", depth)
        target = cost(deeper, num_classes=len(CLASSES), in_channels=IN_CHANNELS).macs
        networks.append(("depth", level, deeper))
        networks += [
            (way, level, matched(base, way, target, len(CLASSES), IN_CHANNELS))
            for way in WAYS
            if way != "depth"
        ]
    return tuple(
        Run(
            name=f"{images.name}_{way}_{level}_seed{seed}",
            labels={"images": images.name, "way": way, "level": level, "seed": seed},
            images=images,
            network=network,
            recipe=shortened(RECIPE) if quick else replace(LONG, epochs=epochs),
            seed=seed,
        )
        for seed in range(2 if quick else SEEDS)
        for images, epochs in sets
        for way, level, network in networks
    )


STUDY = Study(
    name="scaling",
    title="Four ways to scale",
    question="Which way of making a network larger gives most accuracy for the same MACs?",
    method=METHOD,
    runs=runs,
    perform=train_and_judge,
)
