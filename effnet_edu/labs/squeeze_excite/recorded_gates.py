"""What the study kept of the gates of the small trained network: known without torch."""

from dataclasses import dataclass
from functools import cache

from effnet_edu.studies.result import read


@dataclass(frozen=True)
class ClassGates:
    """What the study kept of the gates of one block, over its test pictures.

    Attributes:
        means: Mean gate of each channel, for each class.
        between_class_share: Share of the gates' variance that the class decides.
    """

    means: tuple[tuple[float, ...], ...]
    between_class_share: float


@dataclass(frozen=True)
class RecordedGates:
    """The gates of all blocks.

    Attributes:
        class_names: The classes, in the order of the network's outputs.
        by_block: Every block with gates, from the first to the last.
        tested: Over how many test pictures that was counted.
        label: Where and when.
    """

    class_names: tuple[str, ...]
    by_block: dict[str, ClassGates]
    tested: int
    label: str


@cache
def recorded_gates() -> RecordedGates:
    """Return the gates of the study `small_network`, read once."""
    result = read("small_network")
    (run,) = result.runs
    by_block = {
        row["block"]: ClassGates(tuple(map(tuple, row["class_means"])), row["between_class_share"])
        for row in run["gates"]
    }
    tested = result.record.data["images"][run["images"]]["test"]
    about = result.provenance
    return RecordedGates(tuple(run["class_names"]), by_block, tested, f"{about.device}, {about.started[:10]}")
