"""What the phi lab is without a device: EfficientNet-B0 scaled by phi, counted exactly, and drawn."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import traitlets

from effnet_edu.labs.frame.forward_logic import ForwardLogic
from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.numbers import Section
from effnet_edu.labs.frame.settings import RoundedFloat, Whole
from effnet_edu.labs.phi.numbers import (
    FORMULA,
    LARGEST_PHI,
    VARIANTS,
    PhiSetting,
    cost_at,
    giga,
    implied_phi,
    label,
    largest_phi,
    mega,
    network_at,
    numbers,
)
from effnet_edu.labs.phi.screen import screen
from effnet_edu.labs.phi.times import times_in_words
from effnet_edu.model.cost import NetworkCost
from effnet_edu.model.scaling import ALPHA, BETA, GAMMA
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.pictures.network import Moved
from effnet_edu.profiling.names import PRECISION_BYTES

_LIT: Mapping[str, Moved] = {"phi": "compound", "alpha": "depth", "beta": "width", "gamma": "resolution"}


class PhiLogic(ForwardLogic[PhiSetting]):
    """Scale EfficientNet-B0 by phi, or take a published network.

    Choosing a variant takes its published depth, width and resolution, and moves phi to where its MACs are
    on the formula's curve; moving phi goes back to the formula.
    """

    LAB = "PhiLab"
    SETTING = PhiSetting
    MAIN = "phi"
    QUICK: ClassVar[Mapping[str, Any]] = {"phi": 0.5}
    START: ClassVar[Mapping[str, Any]] = {"phi": 1.0}
    MEASURED_ONLY = ("batch_size", "precision", "device")
    FILES = ("published/*.csv", "studies/results/devices/*/networks.json")
    HEADLINE = ("MACs", "parameters", "blocks", "time a batch", "peak memory")
    QUESTION = "One number for depth, width and resolution"
    TRY = "Move phi from 0 to 3, and say before you let go how many times more MACs that is."

    phi = RoundedFloat(0.0, min=0.0, max=LARGEST_PHI, help="0 gives B0 itself")
    alpha = RoundedFloat(ALPHA, min=1.0, max=2.0, help="depth: alpha^phi")
    beta = RoundedFloat(BETA, min=1.0, max=1.5, help="width: beta^phi")
    gamma = RoundedFloat(GAMMA, min=1.0, max=1.5, help="resolution: gamma^phi")
    batch_size = Whole(1, min=1, max=1024, help="images at once")
    precision = traitlets.Enum(tuple(PRECISION_BYTES), "fp32", help="type of all numbers")
    variant = traitlets.Enum((FORMULA, *VARIANTS), FORMULA, help="formula or published")

    #: What lights up in the picture: whatever was moved last.
    _moved: Moved = ""

    def on_change(self, name: str) -> None:
        """Move phi to a chosen variant, leave the variant when phi moves; hold phi where alpha lets it."""
        self._moved = _LIT.get(name, self._moved)
        if name == "phi":
            self.variant = FORMULA
        elif name == "variant" and self.variant != FORMULA:
            implied = implied_phi(self.variant, self.alpha, self.beta, self.gamma)
            if implied is not None:
                self.phi = min(max(round(implied.macs, 1), 0.0), LARGEST_PHI)
        self.phi = min(self.phi, largest_phi(self.alpha))

    def ends(self, name: str) -> tuple[float, float]:
        """Return from where to where a number goes: phi as far as alpha lets it."""
        return (0.0, largest_phi(self.alpha)) if name == "phi" else super().ends(name)

    def check(self, setting: PhiSetting) -> None:
        """Refuse a phi at which alpha would make the network too deep."""
        if setting.phi > (limit := largest_phi(setting.alpha)):
            raise traitlets.TraitError(
                f"phi is {setting.phi:g}; with alpha {setting.alpha:g} it must be a number from 0 to "
                f"{limit:g}."
            )

    @property
    def spec(self) -> NetworkSpec:
        """The present network."""
        return network_at(self.setting)

    @property
    def cost(self) -> NetworkCost:
        """What the present network costs for one image."""
        return cost_at(self.setting)

    def timed_network(self, setting: PhiSetting) -> NetworkSpec:
        """Return the network of a setting."""
        return network_at(setting)

    def label(self, setting: PhiSetting) -> str:
        """Return `phi 2.3`, or the name of the published network."""
        return label(setting)

    def in_words(self) -> str:
        """Return the lab in one sentence."""
        return (
            f"{self.title} at {label(self.setting)}: {self.spec.layers} blocks, "
            f"{self.spec.resolution} x {self.spec.resolution} pixels, "
            f"{mega(self.cost.parameters)} parameters, "
            f"{giga(self.cost.macs)} MACs{f'; {times_in_words(self)}' if self.MEASURES else '.'}"
        )

    def screen(self) -> LiveScreen:
        """Return the network and its charts."""
        return screen(self, self._moved)

    def measurement_key(self, setting: PhiSetting) -> PhiSetting:
        """A published network is the same whatever phi and the bases are."""
        if setting.variant == FORMULA:
            return setting
        return replace(setting, phi=0.0, alpha=ALPHA, beta=BETA, gamma=GAMMA)

    def numbers(self, setting: PhiSetting) -> tuple[Section, ...]:
        """Return what is counted exactly, and for a published network what the paper prints."""
        return numbers(setting)
