"""Compound scaling as plain arithmetic: multipliers, rounding, the constraint, and phi read backwards.

Source: Tan and Le, EfficientNet, arXiv:1905.11946v5, section 3.3, equation 3; the rounding rules are those of
the released code (tensorflow/tpu and google/automl).
"""

import math
from dataclasses import dataclass
from typing import Literal

from effnet_edu.ground.checks import choice, quoted, real_number, whole_number

ChannelRounding = Literal["at_least_90_percent", "nearest"]
CHANNEL_ROUNDINGS: tuple[str, ...] = ("at_least_90_percent", "nearest")

#: The paper's grid search at phi = 1 (section 4): depth, width and resolution bases.
ALPHA, BETA, GAMMA = 1.2, 1.1, 1.15

#: Channel counts of every published network are multiples of this.
CHANNEL_DIVISOR = 8

#: No multiplier above this makes a network that a machine of today could hold.
LARGEST_MULTIPLIER = 64.0


@dataclass(frozen=True)
class Multipliers:
    """What scaling does to a network: factors for its depth, width and resolution.

    Attributes:
        depth: Factor of the layers of each stage.
        width: Factor of the channels.
        resolution: Factor of the side of the input.
    """

    depth: float
    width: float
    resolution: float


def compound_multipliers(
    phi: float, alpha: float = ALPHA, beta: float = BETA, gamma: float = GAMMA
) -> Multipliers:
    """Return depth = alpha**phi, width = beta**phi and resolution = gamma**phi.

    Args:
        phi: The compound coefficient, any real number of 0 or more.
        alpha: Depth base, 1 to 4.
        beta: Width base, 1 to 4.
        gamma: Resolution base, 1 to 4.

    Raises:
        ValueError: A number is outside its range, or a multiplier would exceed 64.

    Source: arXiv:1905.11946v5, equation 3.
    """
    phi = real_number("phi", phi, 0, 1000)
    bases = {
        "depth": real_number("alpha", alpha, 1, 4),
        "width": real_number("beta", beta, 1, 4),
        "resolution": real_number("gamma", gamma, 1, 4),
    }
    powers = {}
    for dimension, base in bases.items():
        if base > 1 and phi > (limit := math.log(LARGEST_MULTIPLIER) / math.log(base)):
            raise ValueError(
                f"phi is {phi:g}; with a base of {base:g} it would multiply {dimension} by more than "
                f"{LARGEST_MULTIPLIER:g}, so phi must be from 0 to {math.floor(limit * 100) / 100:g} here."
            )
        powers[dimension] = base**phi
    return Multipliers(**powers)


def cost_factor(alpha: float = ALPHA, beta: float = BETA, gamma: float = GAMMA) -> float:
    """Return alpha * beta**2 * gamma**2, the factor by which MACs grow when phi grows by one.

    The paper asks for about 2; its own 1.2, 1.1, 1.15 give 1.92.

    Args:
        alpha: Depth base; MACs grow in proportion.
        beta: Width base; MACs grow with its square.
        gamma: Resolution base; MACs grow with its square.

    Source: arXiv:1905.11946v5, equation 3.
    """
    return alpha * beta**2 * gamma**2


@dataclass(frozen=True)
class FittedPhi:
    """The phi that each multiplier of a network implies, read backwards from the formula.

    Attributes:
        depth: The phi of its layers.
        width: The phi of its channels.
        resolution: The phi of its side.
    """

    depth: float
    width: float
    resolution: float

    @property
    def spread(self) -> float:
        """Largest minus smallest: 0 where one phi explains the network."""
        values = (self.depth, self.width, self.resolution)
        return max(values) - min(values)


def fit_phi(
    multipliers: Multipliers, alpha: float = ALPHA, beta: float = BETA, gamma: float = GAMMA
) -> FittedPhi:
    """Return log(multiplier) / log(base) for depth, width and resolution.

    The paper prints no phi for any model, and the published multipliers are rounded by hand: the three
    answers differ.

    Args:
        multipliers: Factors of the network over its base.
        alpha: Depth base, above 1.
        beta: Width base, above 1.
        gamma: Resolution base, above 1.

    Raises:
        ValueError: A base is not above 1, so that no phi can be read from it, or these are no multipliers.
    """
    if not isinstance(multipliers, Multipliers):
        raise ValueError(
            f"multipliers is {quoted(multipliers)}; it must be ee.Multipliers(depth, width, resolution)."
        )
    for name, base in (("alpha", alpha), ("beta", beta), ("gamma", gamma)):
        if not base > 1:
            raise ValueError(f"{name} is {quoted(base)}; it must be above 1 for phi to be read from it.")
    return FittedPhi(
        depth=math.log(multipliers.depth) / math.log(alpha),
        width=math.log(multipliers.width) / math.log(beta),
        resolution=math.log(multipliers.resolution) / math.log(gamma),
    )


def round_channels(
    channels: int,
    width: float,
    rounding: ChannelRounding = "at_least_90_percent",
    divisor: int = CHANNEL_DIVISOR,
) -> int:
    """Scale a channel count and round it to a multiple of 8, or of another divisor.

    Args:
        channels: Unscaled channels, 1 or more.
        width: The width multiplier, above 0.
        rounding: `"at_least_90_percent"` goes one step up when rounding lost more than a tenth (the V1 code);
            `"nearest"` never does (the V2 code). Of the named networks they differ for V2-B3 alone.
        divisor: The result is a multiple of this, and never less than it.

    Raises:
        ValueError: An argument is outside its range.

    Source: `round_filters` in tensorflow/tpu (V1) and in google/automl (V2).
    """
    whole_number("channels", channels)
    choice("rounding", rounding, CHANNEL_ROUNDINGS)
    scaled = channels * real_number("width", width, 1e-3, LARGEST_MULTIPLIER)
    whole_number("divisor", divisor)
    rounded = max(divisor, int(scaled + divisor / 2) // divisor * divisor)
    if rounding == "at_least_90_percent" and rounded < 0.9 * scaled:
        rounded += divisor
    return rounded


def round_layers(layers: int, depth: float) -> int:
    """Scale a stage's layer count and round it up.

    Rounding up makes networks deeper than the formula: B7 has 3.44 times the blocks of B0 where its depth
    multiplier is 3.1.

    Args:
        layers: Unscaled layers of one stage, 1 or more.
        depth: The depth multiplier, above 0.

    Raises:
        ValueError: An argument is outside its range.

    Source: `round_repeats` in tensorflow/tpu.
    """
    whole_number("layers", layers)
    return math.ceil(real_number("depth", depth, 1e-3, LARGEST_MULTIPLIER) * layers)
