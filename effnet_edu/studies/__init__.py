"""The experiments behind the lessons, and their results with where each number came from.

Names are imported when they are first used: the command line knows the studies without loading torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from effnet_edu.studies.devices.records import recorded_devices
    from effnet_edu.studies.devices.rooflines import recorded_roofline
    from effnet_edu.studies.engine import run
    from effnet_edu.studies.registry import list_studies
    from effnet_edu.studies.result import StudyResult, read
    from effnet_edu.studies.small_network.trained import trained_network

_HOME_OF = {
    "StudyResult": "result",
    "list_studies": "registry",
    "read": "result",
    "recorded_devices": "devices.records",
    "recorded_roofline": "devices.rooflines",
    "run": "engine",
    "trained_network": "small_network.trained",
}

__all__ = [
    "StudyResult",
    "list_studies",
    "read",
    "recorded_devices",
    "recorded_roofline",
    "run",
    "trained_network",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'effnet_edu.studies' has no attribute {name!r}")
    return getattr(importlib.import_module(f"effnet_edu.studies.{_HOME_OF[name]}"), name)
