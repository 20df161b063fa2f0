"""Study `block_and_gate`: early stages fused or not, gated or not, so that the two are told apart."""

import itertools
from dataclasses import replace

from effnet_edu.model.specs import NetworkSpec, Operation
from effnet_edu.studies.networks import base_network
from effnet_edu.studies.study import (
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
METHOD = 1
RESOLUTION = 16
#: Stages that differ, from the first; the others are MBConv with gates in every network.
EARLY = 2


def network(block: Operation, gate: bool) -> NetworkSpec:
    """Return the studies' network with early stages of one kind; all kernels are 3 x 3."""
    base = base_network(RESOLUTION)
    early = (
        replace(stage, kernel=3, operation=block, squeeze_ratio=stage.squeeze_ratio if gate else 0.0)
        for stage in base.stages[:EARLY]
    )
    late = (replace(stage, kernel=3) for stage in base.stages[EARLY:])
    name = f"small, early stages {block} {'with' if gate else 'without'} SE"
    return replace(base, name=name, stages=(*early, *late))


def runs(quick: bool) -> tuple[Run, ...]:
    """Return the four networks for every seed."""
    blocks: tuple[Operation, ...] = ("fused_mbconv", "mbconv")
    return tuple(
        Run(
            name=f"{block}_{'se' if gate else 'plain'}_seed{seed}",
            labels={"block": block, "gate": gate, "seed": seed},
            images=QUICK_IMAGES if quick else Images("fashion_mnist", 2000, 10_000),
            network=network(block, gate),
            recipe=shortened(RECIPE) if quick else LONG,
            seed=seed,
        )
        for seed in range(1 if quick else 10)
        for block, gate in itertools.product(blocks, (True, False))
    )


STUDY = Study(
    name="block_and_gate",
    title="The block and the gate",
    question="In early stages, what do fusing and leaving out the gate do, each alone?",
    method=METHOD,
    runs=runs,
    perform=train_and_judge,
    times_steps=True,
)
