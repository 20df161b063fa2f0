"""What follows from the runs of each study: estimates, and sentences computed from them."""

from collections.abc import Callable, Sequence

from effnet_edu.studies.findings import (
    fused,
    progressive,
    scaling,
    search,
    small_network,
    squeeze_excitation,
)
from effnet_edu.studies.findings.words import intervals
from effnet_edu.studies.result import SHORT_VERSION, StudyResult

_SENTENCES: dict[str, Callable[[StudyResult], Sequence[str]]] = {
    "scaling": scaling.sentences,
    "search": search.sentences,
    "squeeze_excitation": squeeze_excitation.sentences,
    "fused": fused.sentences,
    "progressive": progressive.sentences,
    "small_network": small_network.sentences,
}


def summarise(result: StudyResult) -> tuple[str, ...]:
    """Return what a study found, in sentences, with how sure it is and what it cannot show.

    Args:
        result: The study.
    """
    first = (f"{SHORT_VERSION[0].upper()}{SHORT_VERSION[1:]}.",) if result.quick else ()
    return (*first, *_SENTENCES[result.name](result), *intervals(result))
