"""Which studies there are, and which measurements of a device; known without torch."""

import importlib
from typing import TYPE_CHECKING

from effnet_edu.ground.checks import choice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from effnet_edu.studies.result import StudyResult
    from effnet_edu.studies.study import Study

#: The one list. Each is a folder of this name beside this file, with `STUDY` in runs.py and `sentences` in
#: findings.py.
_STUDIES = (
    *("scaling", "search", "squeeze_excitation", "fused", "progressive"),
    *("block_and_gate", "quantisation", "pretrained", "small_network"),
)
#: What `measure device` measures: functions in devices/experiments.py, each with the number of its method,
#: which is raised by hand when the way of measuring or counting changes.
DEVICE_METHODS = {
    "ceilings": 1,
    "layers": 1,
    "networks": 1,
    "batch_sizes": 1,
    "engines": 1,
    "memory_formats": 1,
    "resnet50": 1,
    "fused_blocks": 1,
    "fused_networks": 2,
    "random_networks": 1,
}
DEVICE_EXPERIMENTS = tuple(DEVICE_METHODS)


def list_studies() -> tuple[str, ...]:
    """Return the names of all studies."""
    return _STUDIES


def study(name: str) -> "Study":
    """Return the study of this name; ValueError where there is none."""
    choice("study", name, _STUDIES)
    found: Study = importlib.import_module(f"effnet_edu.studies.{name}.runs").STUDY
    return found


def findings(name: str) -> "Callable[[StudyResult], Sequence[str]]":
    """Return the function that says what the study of this name found; needs no torch."""
    choice("study", name, _STUDIES)
    found: Callable[[StudyResult], Sequence[str]] = importlib.import_module(
        f"effnet_edu.studies.{name}.findings"
    ).sentences
    return found
