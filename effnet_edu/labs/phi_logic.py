"""What the phi lab does, without a widget: EfficientNet-B0 scaled by phi, counted exactly, then measured."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import traitlets

from effnet_edu.labs.forward_logic import ForwardLogic
from effnet_edu.labs.logic import Record, RoundedFloat, Watch
from effnet_edu.labs.numbers import Number, Section, digits
from effnet_edu.model.cost import NetworkCost, cost
from effnet_edu.model.scaling import (
    ALPHA,
    BETA,
    GAMMA,
    FittedPhi,
    Multipliers,
    compound_multipliers,
    cost_factor,
    fit_phi,
)
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import compound, spec
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.profile import profile
from effnet_edu.profiling.workload import PRECISIONS
from effnet_edu.published import read

#: The networks that the paper names; the formula itself is the first choice.
FORMULA = "formula"
VARIANTS = tuple(f"B{n}" for n in range(8))
_LARGEST_PHI = 7.0


@dataclass(frozen=True)
class Setting:
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


def multipliers(variant: str) -> Multipliers:
    """Return the multipliers of a published network over B0, as its authors released it.

    Args:
        variant: `B0` to `B7`.
    """
    network, base = spec(f"efficientnet_{variant.lower()}"), spec("efficientnet_b0")
    return Multipliers(network.depth, network.width, network.resolution / base.resolution)


@lru_cache(maxsize=64)
def implied_phi(variant: str, alpha: float, beta: float, gamma: float) -> ImpliedPhi | None:
    """Return the phi that a published network implies, or None where a base of 1 says nothing about it.

    Args:
        variant: `B0` to `B7`.
        alpha: Depth base.
        beta: Width base.
        gamma: Resolution base.
    """
    if min(alpha, beta, gamma) <= 1:
        return None
    parts = fit_phi(multipliers(variant), alpha, beta, gamma)
    growth = cost(f"efficientnet_{variant.lower()}").macs / cost("efficientnet_b0").macs
    return ImpliedPhi(parts, math.log(growth) / math.log(cost_factor(alpha, beta, gamma)))


class PhiLogic(ForwardLogic[Setting]):
    """Scale EfficientNet-B0 by phi, or take a published network, and measure the result.

    Choosing a variant takes its published depth, width and resolution, and moves phi to where its MACs are
    on the formula's curve; moving phi goes back to the formula.
    """

    LAB = "PhiLab"
    SETTING = Setting
    INVITATION = "Move a slider: the network is rebuilt and measured when it rests."

    phi = RoundedFloat(0.0, min=0.0, max=_LARGEST_PHI, help="0 gives B0 itself")
    alpha = RoundedFloat(ALPHA, min=1.0, max=2.0, help="depth: alpha^phi")
    beta = RoundedFloat(BETA, min=1.0, max=1.5, help="width: beta^phi")
    gamma = RoundedFloat(GAMMA, min=1.0, max=1.5, help="resolution: gamma^phi")
    batch_size = traitlets.Int(1, min=1, max=1024, help="images at once")
    precision = traitlets.Enum(tuple(PRECISIONS), "fp32", help="type of all numbers")
    variant = traitlets.Enum((FORMULA, *VARIANTS), FORMULA, help="formula or published")

    def follow(self, name: str) -> None:
        """Move phi to a chosen variant, and leave the variant when phi is moved."""
        if name == "phi":
            self.variant = FORMULA
        elif name == "variant" and self.variant != FORMULA:
            implied = implied_phi(self.variant, self.alpha, self.beta, self.gamma)
            if implied is not None:
                self.phi = min(max(round(implied.macs, 1), 0.0), _LARGEST_PHI)

    def spec_at(self, setting: Setting) -> NetworkSpec:
        """Return the network of a setting.

        Args:
            setting: Any setting.
        """
        return self._at(setting)[0]

    def cost_at(self, setting: Setting) -> NetworkCost:
        """Return the exact cost of the network of a setting.

        Args:
            setting: Any setting.
        """
        return self._at(setting)[1]

    @property
    def spec(self) -> NetworkSpec:
        """The present network."""
        return self.spec_at(self.setting)

    @property
    def cost(self) -> NetworkCost:
        """What the present network costs for one image."""
        return self.cost_at(self.setting)

    def label(self, setting: Setting) -> str:
        """Return `phi 2.3`, or the name of the published network."""
        return f"phi {setting.phi:g}" if setting.variant == FORMULA else f"published {setting.variant}"

    def numbers(self, setting: Setting) -> tuple[Section, ...]:
        """Return what is counted exactly, and for a published network what the paper prints."""
        network, counted = self._at(setting)
        base = cost("efficientnet_b0")
        bases = (setting.alpha, setting.beta, setting.gamma)
        product = cost_factor(*bases)
        is_formula = setting.variant == FORMULA
        factors = compound_multipliers(setting.phi, *bases) if is_formula else multipliers(setting.variant)
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
        constraint = Number(
            "alpha beta² gamma²", product, decimals=2, note="≈ 2" if abs(product - 2) <= 0.1 else "≠ 2"
        )
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

    def take(self, setting: Setting, watch: Watch) -> Measurement:
        """Build the network and measure its forward pass."""
        return profile(
            self.spec_at(setting),
            setting.batch_size,
            precision=setting.precision,
            device=self.place(setting),
            is_cancelled=watch.is_cancelled,
            progress=watch.progress,
            waiting=watch.waiting,
        )

    def essence(self, setting: Setting) -> Setting:
        """A published network is the same whatever phi and the bases are."""
        if setting.variant == FORMULA:
            return setting
        return replace(setting, phi=0.0, alpha=ALPHA, beta=BETA, gamma=GAMMA)

    def same_network(self) -> tuple[Record[Setting, Measurement], ...]:
        """Return the newest measurement of the present network for each device, precision and batch."""

        def network(setting: Setting) -> Setting:
            return replace(self.essence(setting), batch_size=1, precision="", device="")

        present = network(self.setting)
        found = {
            (record.setting.device, record.setting.precision, record.setting.batch_size): record
            for record in self.history
            if network(record.setting) == present
        }
        return tuple(found[key] for key in sorted(found))

    def _at(self, setting: Setting) -> tuple[NetworkSpec, NetworkCost]:
        return _network(setting.variant, setting.phi, setting.alpha, setting.beta, setting.gamma)


def _implied(setting: Setting) -> tuple[Number, ...]:
    found = implied_phi(setting.variant, setting.alpha, setting.beta, setting.gamma)
    if found is None:
        return ()
    return (
        Number("phi from depth", found.parts.depth, decimals=2),
        Number("phi from width", found.parts.width, decimals=2),
        Number("phi from resolution", found.parts.resolution, decimals=2),
        Number("phi from MACs", found.macs, decimals=2),
    )


def giga(count: float) -> str:
    """Return a count of MACs with three significant digits, such as `0.386 billion`.

    Args:
        count: How many.
    """
    return f"{digits(count / 1e9)} billion"


def mega(count: float) -> str:
    """Return a count of parameters with three significant digits, such as `5.29 million`.

    Args:
        count: How many.
    """
    return f"{digits(count / 1e6)} million"
