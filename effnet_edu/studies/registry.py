"""Which studies there are, and which measurements of a device; known without torch."""

import importlib
from typing import TYPE_CHECKING

from effnet_edu.model.checks import choice

if TYPE_CHECKING:
    from effnet_edu.studies.study import Study

_STUDIES = ("scaling", "search", "squeeze_excitation", "fused", "progressive", "small_network")
#: What `python -m effnet_edu measure` measures, as `device.EXPERIMENTS` makes it.
DEVICE_EXPERIMENTS = (
    *("ceilings", "layers", "networks", "batch_sizes", "memory_formats"),
    *("resnet50", "fused_blocks", "fused_networks"),
)


def list_studies() -> tuple[str, ...]:
    """Return the names of all studies."""
    return _STUDIES


def study(name: str) -> "Study":
    """Return the study of this name.

    Args:
        name: One of `list_studies()`.

    Raises:
        ValueError: There is no such study.
    """
    choice("study", name, _STUDIES)
    found: Study = importlib.import_module(f"effnet_edu.studies.{name}").STUDY
    return found
