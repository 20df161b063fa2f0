"""What the study `small_network` found."""

from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.squeeze_excitation.findings import block_gates
from effnet_edu.studies.statistics import estimate
from effnet_edu.studies.words import percent


def sentences(result: StudyResult) -> list[str]:
    """Return how well it does, and how its gates depend on the class."""
    (run,) = result.runs
    first, *_, last = block_gates(result, result.runs)
    names = "".join(run["class_names"])
    return [
        f"With {run['parameters']:,} parameters it tells {len(run['class_names'])} glyphs ({names}) apart, "
        f"{percent(estimate([run['accuracy']]))} of them correctly.",
        f"The class decides {first.between_class_share.mean:.0%} of the variance of its gates in the first "
        f"block and {last.between_class_share.mean:.0%} in the last (by chance {first.by_chance:.1%}).",
        "What it cannot show: it is one network, there to be looked into.",
    ]
