"""One network with several widths of its squeeze, counted exactly."""

from dataclasses import dataclass, replace
from functools import cache

from effnet_edu.labs.squeeze_excite.recorded_gates import recorded_gates
from effnet_edu.model.cost import cost
from effnet_edu.model.specs import NetworkSpec, StageSpec
from effnet_edu.model.variants import spec
from effnet_edu.studies.networks import small_network

#: The network of the gates, and the published ones.
SMALL = "small"
NETWORKS = (SMALL, *(f"B{n}" for n in range(8)))

#: Squeeze width over the channels of the block's input.
RATIOS = {"none": 0.0, "1/16": 1 / 16, "1/8": 1 / 8, "1/4": 1 / 4, "1/2": 1 / 2}
#: What EfficientNet has, and the mistake: a share of the hidden channels, which are up to six times as many.
USUAL, MISTAKE = "1/4", "1/4 of c_mid"
SQUEEZES = (*RATIOS, MISTAKE)


@dataclass(frozen=True)
class SqueezeCost:
    """What a network and its squeeze-and-excitation cost for one image.

    Attributes:
        parameters: Of the network.
        macs: Of the network.
        squeeze_parameters: Of squeeze-and-excitation in it.
        squeeze_macs: Of squeeze-and-excitation in it.
    """

    parameters: int
    macs: int
    squeeze_parameters: int
    squeeze_macs: int


def classes(network: str) -> int:
    """Return how many classes a network tells apart."""
    return len(recorded_gates().class_names) if network == SMALL else 1000


def _usual(network: str) -> NetworkSpec:
    return small_network() if network == SMALL else spec(f"efficientnet_{network.lower()}")


@cache
def spec_with(network: str, squeeze: str) -> NetworkSpec:
    """Return a network as data with one ratio in every block that has squeeze-and-excitation.

    The mistake is no ratio of the block's input that a spec can hold; for it the usual spec is returned.

    Args:
        network: One of `NETWORKS`.
        squeeze: One of `SQUEEZES`.
    """
    base = _usual(network)

    def ratio(stage: StageSpec) -> float:
        return RATIOS[USUAL] * stage.expansion if squeeze == MISTAKE else RATIOS[squeeze]

    stages = (
        replace(each, squeeze_ratio=ratio(each)) if each.squeeze_ratio else each for each in base.stages
    )
    return replace(base, stages=tuple(stages))


@cache
def squeeze_cost(network: str, squeeze: str) -> SqueezeCost:
    """Count a network with a width of its squeeze, exactly."""
    rows = cost(spec_with(network, squeeze), num_classes=classes(network)).layers
    inside = [row for row in rows if row.role == "squeeze_excite"]
    return SqueezeCost(
        sum(row.parameters for row in rows),
        sum(row.macs for row in rows),
        sum(row.parameters for row in inside),
        sum(row.macs for row in inside),
    )
