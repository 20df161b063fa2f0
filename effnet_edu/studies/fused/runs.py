"""Study `fused`: expansion and depthwise convolution as one: in which stages does it pay, and in what?"""

from dataclasses import replace

from effnet_edu.model.specs import NetworkSpec, StageSpec
from effnet_edu.studies.networks import base_network
from effnet_edu.studies.study import QUICK_IMAGES, RECIPE, Images, Run, Study, shortened, train_and_keep

#: Raised by hand when a run would give other numbers than before.
METHOD = 1
RESOLUTION = 32


def network(fused_stages: int) -> NetworkSpec:
    """Return the studies' network with its first stages fused.

    All kernels are 3 x 3, and a fused stage has no squeeze-and-excitation, as in the released V2.
    """
    base = base_network(RESOLUTION)

    def stage(index: int, row: StageSpec) -> StageSpec:
        if index < fused_stages:
            return replace(row, kernel=3, operation="fused_mbconv", squeeze_ratio=0.0)
        return replace(row, kernel=3)

    stages = tuple(stage(index, row) for index, row in enumerate(base.stages))
    name = f"small, {fused_stages} of {len(stages)} stages fused"
    return replace(base, name=name, stages=stages)


def runs(quick: bool) -> tuple[Run, ...]:
    """Return the network with none, one, two and so on of its stages fused, from the first."""
    recipe = shortened(RECIPE) if quick else RECIPE
    images = QUICK_IMAGES if quick else Images("glyphs", 8000, 2000)
    most = len(base_network().stages)
    # Seed by seed, so that a machine that slows down in between slows all of them down.
    return tuple(
        Run(
            name=f"fused{stages}_seed{seed}",
            labels={"fused_stages": stages, "seed": seed},
            images=images,
            network=network(stages),
            recipe=recipe,
            seed=seed,
        )
        for seed in range(1 if quick else 3)
        for stages in ((0, 2, most) if quick else range(most + 1))
    )


STUDY = Study(
    name="fused",
    title="Fused stages",
    question="Which stages should be Fused-MBConv, for accuracy and for training speed on this device?",
    method=METHOD,
    runs=runs,
    perform=train_and_keep,
    is_timed=True,
)
