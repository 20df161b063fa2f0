"""What the phi lab does, without a widget: EfficientNet-B0 scaled by phi, counted exactly, then measured."""

from dataclasses import replace

import traitlets

from effnet_edu.labs.forward_logic import ForwardLogic
from effnet_edu.labs.logic import Record, RoundedFloat, Watch
from effnet_edu.labs.numbers import Section
from effnet_edu.labs.phi_numbers import (
    FORMULA,
    LARGEST_PHI,
    VARIANTS,
    Setting,
    cost_at,
    followed,
    label,
    network_at,
    numbers,
)
from effnet_edu.model.cost import NetworkCost
from effnet_edu.model.scaling import ALPHA, BETA, GAMMA
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.profiling.names import PRECISION_BYTES


class PhiLogic(ForwardLogic[Setting]):
    """Scale EfficientNet-B0 by phi, or take a published network, and measure the result.

    Choosing a variant takes its published depth, width and resolution, and moves phi to where its MACs are
    on the formula's curve; moving phi goes back to the formula.
    """

    LAB = "PhiLab"
    SETTING = Setting
    INVITATION = "Move a slider: the network is rebuilt and measured when it rests."

    phi = RoundedFloat(0.0, min=0.0, max=LARGEST_PHI, help="0 gives B0 itself")
    alpha = RoundedFloat(ALPHA, min=1.0, max=2.0, help="depth: alpha^phi")
    beta = RoundedFloat(BETA, min=1.0, max=1.5, help="width: beta^phi")
    gamma = RoundedFloat(GAMMA, min=1.0, max=1.5, help="resolution: gamma^phi")
    batch_size = traitlets.Int(1, min=1, max=1024, help="images at once")
    precision = traitlets.Enum(tuple(PRECISION_BYTES), "fp32", help="type of all numbers")
    variant = traitlets.Enum((FORMULA, *VARIANTS), FORMULA, help="formula or published")

    def follow(self, name: str) -> None:
        """Move phi to a chosen variant, and leave the variant when phi is moved."""
        new = followed(self._chosen(), name)
        self.variant, self.phi = new.variant, new.phi

    def spec_at(self, setting: Setting) -> NetworkSpec:
        """Return the network of a setting.

        Args:
            setting: Any setting.
        """
        return network_at(setting)

    def cost_at(self, setting: Setting) -> NetworkCost:
        """Return the exact cost of the network of a setting.

        Args:
            setting: Any setting.
        """
        return cost_at(setting)

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
        return label(setting)

    def numbers(self, setting: Setting) -> tuple[Section, ...]:
        """Return what is counted exactly, and for a published network what the paper prints."""
        return numbers(setting)

    def take(self, setting: Setting, watch: Watch) -> Measurement:
        """Build the network and measure its forward pass."""
        from effnet_edu.profiling.profile import profile

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
