"""What a setting of the phi lab is and costs, exactly. It needs neither torch nor a kernel."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

from effnet_edu.labs.frame.numbers import Number, Section, digits
from effnet_edu.model.cost import NetworkCost, cost
from effnet_edu.model.scaling import (
    ALPHA,
    BETA,
    GAMMA,
    LARGEST_MULTIPLIER,
    FittedPhi,
    Multipliers,
    compound_multipliers,
    cost_factor,
    fit_phi,
)
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import compound, spec
from effnet_edu.published import read

#: The networks that the paper names; the formula itself is the first choice.
FORMULA = "formula"
VARIANTS = tuple(f"B{n}" for n in range(8))
LARGEST_PHI = 7.0


@dataclass(frozen=True)
class PhiSetting:
    """What the learner can choose."""

    phi: float
    alpha: float
    beta: float
    gamma: float
    batch_size: int
    precision: str
    variant: str
    device: str


@dataclass(frozen=True)
class ImpliedPhi:
    """The phi that a network's parts imply, read backwards under some bases.

    Attributes:
        parts: From depth, width and resolution.
        macs: From its exact MACs over those of B0.
    """

    parts: FittedPhi
    macs: float


@lru_cache(maxsize=32)
def _network(
    variant: str, phi: float, alpha: float, beta: float, gamma: float
) -> tuple[NetworkSpec, NetworkCost]:
    published = variant != FORMULA
    network = spec(f"efficientnet_{variant.lower()}") if published else compound(phi, alpha, beta, gamma)
    return network, cost(network)


def largest_phi(alpha: float) -> float:
    """Return the phi at which the formula ends: no network is more than 64 times as deep as B0."""
    if alpha**LARGEST_PHI <= LARGEST_MULTIPLIER:
        return LARGEST_PHI
    return math.floor(10 * math.log(LARGEST_MULTIPLIER) / math.log(alpha) + 1e-9) / 10


def multipliers(variant: str) -> Multipliers:
    """Return the multipliers of a published network over B0, as its authors released it."""
    network, base = spec(f"efficientnet_{variant.lower()}"), spec("efficientnet_b0")
    return Multipliers(network.depth, network.width, network.resolution / base.resolution)


@lru_cache(maxsize=64)
def implied_phi(variant: str, alpha: float, beta: float, gamma: float) -> ImpliedPhi | None:
    """Return the phi that a published network implies, or None where a base of 1 says nothing about it."""
    if min(alpha, beta, gamma) <= 1:
        return None
    parts = fit_phi(multipliers(variant), alpha, beta, gamma)
    growth = cost(f"efficientnet_{variant.lower()}").macs / cost("efficientnet_b0").macs
    return ImpliedPhi(parts, math.log(growth) / math.log(cost_factor(alpha, beta, gamma)))


def network_at(setting: PhiSetting) -> NetworkSpec:
    """Return the network of a setting."""
    return _at(setting)[0]


def cost_at(setting: PhiSetting) -> NetworkCost:
    """Return the exact cost of the network of a setting, for one image."""
    return _at(setting)[1]


def _at(setting: PhiSetting) -> tuple[NetworkSpec, NetworkCost]:
    return _network(setting.variant, setting.phi, setting.alpha, setting.beta, setting.gamma)


def base_of(setting: PhiSetting) -> PhiSetting:
    """Return the setting of B0 that is measured in the same way."""
    return replace(setting, phi=0.0, alpha=ALPHA, beta=BETA, gamma=GAMMA, variant=FORMULA)


def factors_at(setting: PhiSetting) -> Multipliers:
    """Return the multipliers of a setting over B0."""
    if setting.variant != FORMULA:
        return multipliers(setting.variant)
    return compound_multipliers(setting.phi, setting.alpha, setting.beta, setting.gamma)


@lru_cache(maxsize=32)
def stage_shares(setting: PhiSetting) -> tuple[tuple[str, float], ...]:
    """Return the share of the MACs of each stage, and of stem and head, in the order in which they run."""
    counted = cost_at(setting)
    sums = counted.by_stage()
    stages = [(f"stage {n + 1}", sums[f"stages.{n}"]) for n in range(len(counted.spec.stages))]
    named = [("stem", sums["stem"]), *stages, ("head", sums["head"])]
    return tuple((name, macs / counted.macs) for name, macs in named)


def label(setting: PhiSetting) -> str:
    """Return `phi 2.3`, or the name of the published network."""
    return f"phi {setting.phi:g}" if setting.variant == FORMULA else f"published {setting.variant}"


def giga(count: float) -> str:
    """Return a count of MACs with three significant digits, such as `0.386 billion`."""
    return f"{digits(count / 1e9)} billion"


def mega(count: float) -> str:
    """Return a count of parameters with three significant digits, such as `5.29 million`."""
    return f"{digits(count / 1e6)} million"


def numbers(setting: PhiSetting) -> tuple[Section, ...]:
    """Return what is counted exactly, and for a published network what the paper prints."""
    network, counted = _at(setting)
    base = cost("efficientnet_b0")
    bases = (setting.alpha, setting.beta, setting.gamma)
    product = cost_factor(*bases)
    is_formula = setting.variant == FORMULA
    factors = factors_at(setting)
    scaling = (
        Number("depth d", factors.depth, decimals=2),
        Number("width w", factors.width, decimals=2),
        Number("resolution r", factors.resolution, decimals=2),
        Number("input side", network.resolution, "px"),
    )
    counts = (
        Number("blocks", network.layers),
        Number("parameters", counted.parameters / 1e6, "million"),
        Number("MACs", counted.macs / 1e9, "billion"),
        Number("MACs over B0", counted.macs / base.macs, "×", decimals=2),
    )
    near = "≈ 2" if abs(product - 2) <= 0.1 else "≠ 2"
    constraint = Number("alpha beta² gamma²", product, decimals=2, note=near)
    if is_formula:
        return (Section("computed", (*scaling, *counts, constraint), "computed"),)
    printed = read("effnet_table2").row(network=f"EfficientNet-{setting.variant}")
    paper = (
        Number("MACs, paper", printed.number("macs_billions"), "billion"),
        Number("top-1, paper", printed.number("top1_percent"), "%", decimals=1),
    )
    return (
        Section("published", (*scaling, *paper), "published, not the formula"),
        Section("computed", (*counts, *_implied(setting), constraint), "computed"),
    )


def _implied(setting: PhiSetting) -> tuple[Number, ...]:
    found = implied_phi(setting.variant, setting.alpha, setting.beta, setting.gamma)
    if found is None:
        return ()
    return (
        Number("phi from depth", found.parts.depth, decimals=2),
        Number("phi from width", found.parts.width, decimals=2),
        Number("phi from resolution", found.parts.resolution, decimals=2),
        Number("phi from MACs", found.macs, decimals=2),
    )
