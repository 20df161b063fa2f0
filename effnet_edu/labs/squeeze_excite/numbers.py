"""What a setting of the squeeze-and-excitation lab is, what was recorded of it, and what it costs."""

from dataclasses import dataclass

from effnet_edu.labs.frame.numbers import Number, Section
from effnet_edu.labs.squeeze_excite.charts import cost_numbers, named
from effnet_edu.labs.squeeze_excite.recorded_gates import recorded_gates
from effnet_edu.labs.squeeze_excite.widths import SMALL
from effnet_edu.published import read

#: Classes of the trained network, and its blocks with the channels that each can weigh.
CLASSES = recorded_gates().class_names
CHANNELS = {block: len(gates.means[0]) for block, gates in recorded_gates().by_block.items()}
#: Pictures of each class to choose from.
EXAMPLES = 10
#: Which gates the rest of the network is given.
OWN, ALL, OTHER = "its own", "all by hand", "other class's"
USEFUL, SHUFFLED = "most useful shut", "shuffled"
GATES = (OWN, USEFUL, SHUFFLED, OTHER, ALL)
#: How many of the most useful gates are shut, where the block has twice as many.
MOST_USEFUL = 20


@dataclass(frozen=True)
class SqueezeExciteSetting:
    """What the learner can choose."""

    picture: str
    example: int
    other: str
    block: str
    channel: int
    gates: str
    by_hand: tuple[tuple[int, float], ...]
    gate: float
    network: str
    squeeze: str
    batch_size: int
    device: str


def class_gates(block: str, name: str) -> tuple[float, ...]:
    """Return the mean gates of a class in a block, over the study's test pictures."""
    return recorded_gates().by_block[block].means[CLASSES.index(name)]


def class_contrast(setting: SqueezeExciteSetting) -> tuple[float, ...]:
    """Return how much wider open each gate is for the one class than for the other, on the mean."""
    both = (class_gates(setting.block, name) for name in (setting.picture, setting.other))
    return tuple(one - other for one, other in zip(*both, strict=True))


def recorded_numbers(setting: SqueezeExciteSetting, *others: Number) -> Section:
    """Return how much of the gates' variance the class decides."""
    share = Number("decided by class", 100 * between_class_share(setting), "%", decimals=1)
    return Section("recorded", (share, *others), f"recorded, {recorded_gates().tested:,} test pictures")


def between_class_share(setting: SqueezeExciteSetting) -> float:
    """Return the share of the variance of a block's gates that the class decides."""
    return recorded_gates().by_block[setting.block].between_class_share


def price(setting: SqueezeExciteSetting) -> Section:
    """Return what the network with its squeeze costs."""
    costs = cost_numbers(setting.network, setting.squeeze)
    return Section("computed", costs, f"computed, {named(setting.network)}")


def printed(network: str) -> tuple[Section, ...]:
    """Return what the paper prints of a network."""
    if network == SMALL:
        return ()
    row = read("effnet_table2").row(network=f"EfficientNet-{network}")
    parameters = Number("parameters, paper", row.number("parameters_millions"), "million")
    return (Section("published", (parameters,), "published"),)
