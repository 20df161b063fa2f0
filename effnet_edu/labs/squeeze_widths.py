"""One network with several widths of its squeeze, counted and built."""

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from effnet_edu.model.cost import LayerCost, block_layers, cost
from effnet_edu.model.specs import BlockSpec, NetworkSpec, resolve
from effnet_edu.model.variants import spec

if TYPE_CHECKING:
    from effnet_edu.model.network import EfficientNet

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


def hidden_squeeze(block: BlockSpec) -> int:
    """Return the squeeze width of a block whose author took a quarter of the wrong channels.

    Args:
        block: The block.
    """
    return max(1, block.channels_hidden // 4)


def _classes(network: str) -> int:
    if network != SMALL:
        return 1000
    from effnet_edu.studies.study import CLASSES

    return len(CLASSES)


def _usual(network: str) -> NetworkSpec:
    if network != SMALL:
        return spec(f"efficientnet_{network.lower()}")
    # Only the network of the study needs torch to be known.
    from effnet_edu.studies.small_network import network as small_network

    return small_network()


@cache
def spec_with(network: str, squeeze: str) -> NetworkSpec:
    """Return a network as data with one ratio in every block that has squeeze-and-excitation.

    The mistake is no ratio of the block's input that a spec can hold; for it the usual spec is returned.

    Args:
        network: One of `NETWORKS`.
        squeeze: One of `SQUEEZES`.
    """
    base = _usual(network)
    ratio = RATIOS.get(squeeze, RATIOS[USUAL])
    stages = tuple(
        replace(stage, squeeze_ratio=ratio) if stage.squeeze_ratio else stage for stage in base.stages
    )
    return replace(base, stages=stages)


def _layers(network: str, squeeze: str) -> list[LayerCost]:
    found = spec_with(network, squeeze)
    rows = cost(found, num_classes=_classes(network)).layers
    if squeeze != MISTAKE:
        return list(rows)
    blocks = (replace(block, squeeze_channels=hidden_squeeze(block)) for block in resolve(found))
    ends = [row for row in rows if row.stage is None]
    return [*ends, *(row for block in blocks for row in block_layers(block))]


@cache
def squeeze_cost(network: str, squeeze: str) -> SqueezeCost:
    """Count a network with a width of its squeeze, exactly.

    Args:
        network: One of `NETWORKS`.
        squeeze: One of `SQUEEZES`.
    """
    rows = _layers(network, squeeze)
    inside = [row for row in rows if row.role == "squeeze_excite"]
    return SqueezeCost(
        sum(row.parameters for row in rows),
        sum(row.macs for row in rows),
        sum(row.parameters for row in inside),
        sum(row.macs for row in inside),
    )


def build_with(network: str, squeeze: str) -> "EfficientNet":
    """Return a network with random weights and a width of its squeeze.

    Args:
        network: One of `NETWORKS`.
        squeeze: One of `SQUEEZES`.
    """
    from effnet_edu.model.blocks import MBConv, SqueezeExcitation
    from effnet_edu.model.network import EfficientNet

    found = spec_with(network, squeeze)
    built = EfficientNet(found, _classes(network))
    if squeeze == MISTAKE:
        for block in built.modules():
            if isinstance(block, MBConv):
                wide = SqueezeExcitation(
                    block.spec.channels_hidden, hidden_squeeze(block.spec), found.activation, inplace=True
                )
                block.squeeze_excite = wide
    return built
