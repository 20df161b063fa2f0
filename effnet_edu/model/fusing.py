"""Fused-MBConv in chosen stages of any network: the question of EfficientNetV2's table 3. No torch."""

from collections.abc import Collection
from dataclasses import replace

from effnet_edu.ground.checks import quoted
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import as_spec


def fuse_stages(network: NetworkSpec | str, stages: Collection[int]) -> NetworkSpec:
    """Return the network with Fused-MBConv blocks in these stages and everything else unchanged.

    A fused stage keeps its kernel, expansion, channels and layers and has no squeeze-and-excitation, as the
    authors' released code builds Fused-MBConv.

    Args:
        network: A spec, or the name of a published network.
        stages: Indices of the stages to fuse, from 0; the paper's table counts the stem as stage 0, so that
            its stage n is index n - 1 here.

    Raises:
        ValueError: There is no stage of this index, or no network of this name.

    Source: EfficientNetV2, arXiv:2104.00298v3, section 3.2 and table 3.
    """
    spec = as_spec(network)
    if not isinstance(stages, Collection):
        raise ValueError(
            f"stages is {quoted(stages)}; it must be a list of whole numbers, such as [0, 1, 2]."
        )
    unknown = sorted(set(stages) - set(range(len(spec.stages))))
    if unknown:
        raise ValueError(f"stages has {unknown[0]}; {spec.name} has stages 0 to {len(spec.stages) - 1}.")
    fused = tuple(
        replace(stage, operation="fused_mbconv", squeeze_ratio=0.0) if index in stages else stage
        for index, stage in enumerate(spec.stages)
    )
    listed = ", ".join(map(str, sorted(set(stages))))
    return replace(spec, name=f"{spec.name}, stages {listed} fused" if stages else spec.name, stages=fused)
