"""What a budget of MACs buys: EfficientNet-B0 made deeper, wider or finer until it costs that much."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

from effnet_edu.model.cost import LayerCost, block_layers, cost
from effnet_edu.model.scaling import (
    ALPHA,
    BETA,
    GAMMA,
    LARGEST_MULTIPLIER,
    Multipliers,
    cost_factor,
)
from effnet_edu.model.specs import BlockSpec, NetworkSpec, resolve, scale
from effnet_edu.model.variants import spec

BASE = spec("efficientnet_b0")
BASE_MACS = cost(BASE).macs

#: Steps in which the logarithm of the growth is tried, and how many there are.
_STEPS_PER_UNIT = 256
_STEPS = 2048


@dataclass(frozen=True)
class Shares:
    """Which part of the growth each dimension gets: the exponents that a factor of MACs is split into.

    MACs grow with depth, width squared and resolution squared, so a factor f is met, before rounding, by
    f**depth in depth, f**(width / 2) in width and f**(resolution / 2) in resolution.

    Attributes:
        depth: 0 to 1.
        width: 0 to 1.
        resolution: 0 to 1; the three sum to 1, or are all 0 where nothing grows.
    """

    depth: float
    width: float
    resolution: float

    @classmethod
    def of(cls, depth: float, width: float, resolution: float) -> "Shares":
        """Return weights of any size as shares."""
        total = depth + width + resolution
        return cls(depth / total, width / total, resolution / total) if total else cls(0.0, 0.0, 0.0)

    def multipliers(self, growth: float) -> Multipliers:
        """Return the multipliers that make MACs grow by a factor, if nothing had to be rounded."""
        exponents = (self.depth, self.width / 2, self.resolution / 2)
        return Multipliers(*(min(math.exp(growth * share), LARGEST_MULTIPLIER) for share in exponents))


#: What the paper's alpha, beta and gamma spend, whatever phi is.
COMPOUND = Shares.of(*(math.log(part) for part in (ALPHA, BETA**2, GAMMA**2)))


@dataclass(frozen=True)
class Totals:
    """What a network costs for one image.

    Attributes:
        macs: Multiply-adds.
        parameters: Trainable numbers.
        activations: Numbers written to feature maps.
        saved_bytes: What a forward pass keeps for the backward pass, in fp32.
    """

    macs: int
    parameters: int
    activations: int
    saved_bytes: int


def _shortened(network: NetworkSpec) -> NetworkSpec:
    """Return a network with two layers a stage at most: all layers after the first are the same."""
    stages = tuple(replace(stage, layers=2) if stage.layers > 2 else stage for stage in network.stages)
    return replace(network, stages=stages)


@lru_cache(maxsize=1024)
def totals(network: NetworkSpec) -> Totals:
    """Count a network exactly, in a time that does not grow with its depth."""
    counted = cost(_shortened(network))
    saved = counted.saved_by_layer()

    def times(row: LayerCost) -> int:
        return network.stages[row.stage].layers - 1 if row.stage is not None and row.block else 1

    rows = [(times(row), row) for row in counted.layers]
    return Totals(
        sum(n * row.macs for n, row in rows),
        sum(n * row.parameters for n, row in rows),
        sum(n * row.activations for n, row in rows),
        sum(n * saved[row.name] for n, row in rows),
    )


@lru_cache(maxsize=65536)
def _block_macs(block: BlockSpec) -> int:
    return sum(row.macs for row in block_layers(block))


@lru_cache(maxsize=16384)
def _end_macs(stem: int, channels: int, head: int, resolution: int, side: int) -> int:
    """Return the MACs of stem, head and classifier; the head sees maps of this side.

    The ends cost the same whatever lies between them: one layer instead of all.
    """
    last = replace(BASE.stages[-1], channels=channels, layers=1, stride=1)
    network = replace(BASE, stem_channels=stem, stages=(last,), head_channels=head, resolution=resolution)
    ends = cost(network, 2 * side).by_role()
    return cost(network).by_role()["stem"] + ends["head"] + ends["classifier"]


def total_macs(network: NetworkSpec) -> int:
    """Return the MACs of `totals`, quicker where networks have blocks in common."""
    blocks = resolve(replace(_shortened(network), drop_path_rate=0.0))
    between = sum(
        _block_macs(block) * (network.stages[block.stage].layers - 1 if block.index else 1)
        for block in blocks
    )
    ends = network.stem_channels, blocks[-1].channels_out, network.head_channels, network.resolution
    return between + _end_macs(*ends, blocks[-1].side_out)


@dataclass(frozen=True)
class Purchase:
    """What a budget bought.

    Attributes:
        network: B0, scaled.
        multipliers: By which; of depth the largest that gives this network.
        growth: Logarithm of the factor that the multipliers would be without rounding.
        totals: What it costs.
    """

    network: NetworkSpec
    multipliers: Multipliers
    growth: float
    totals: Totals

    @property
    def phi(self) -> float:
        """The compound coefficient, if it was bought with the compound shares."""
        return self.growth / math.log(cost_factor())


def _scaled(factors: Multipliers, name: str | None = None) -> NetworkSpec:
    side = round(BASE.resolution * factors.resolution)
    return scale(BASE, factors.width, factors.depth, side, name)


@lru_cache(maxsize=16384)
def _macs(shares: Shares, step: int) -> int:
    return total_macs(_scaled(shares.multipliers(step / _STEPS_PER_UNIT), ""))


@lru_cache(maxsize=2048)
def spend(shares: Shares, budget: float, name: str | None = None) -> Purchase:
    """Return the largest network with this split that costs no more than the budget.

    Args:
        shares: What the growth is spent on.
        budget: MACs, those of B0 or more.
        name: Name of the network.

    Raises:
        ValueError: The budget is too small for B0 itself.
    """
    if budget < BASE_MACS:
        raise ValueError(f"budget is {budget:,.0f} MACs; B0 itself costs {BASE_MACS:,}.")
    low, high = 0, _STEPS if any((shares.depth, shares.width, shares.resolution)) else 1
    # Always the same steps are tried first, so that a moving slider finds most of them counted already.
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _macs(shares, middle) <= budget else (low, middle)
    growth = low / _STEPS_PER_UNIT
    factors = shares.multipliers(growth)
    network = _scaled(factors, name)
    depth = min(new.layers / old.layers for new, old in zip(network.stages, BASE.stages, strict=True))
    return Purchase(network, replace(factors, depth=depth), growth, totals(network))
