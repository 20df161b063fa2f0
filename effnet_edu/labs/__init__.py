"""The interactive parts of the course, each a logic class and a view.

Names are imported when they are first used: what a lab counts and draws exactly runs without a widget, and
so in a page without a kernel.
"""

import importlib
from typing import Any

#: Every lab and its folder, in the order in which the course shows them: a new lab is one line here.
LABS = {
    "ScalingProblemLab": "scaling_problem",
    "PhiLab": "phi",
    "MBConvLab": "mbconv",
    "SqueezeExciteLab": "squeeze_excite",
    "V2Lab": "v2",
    "BenchmarkLab": "benchmark",
    "YourNetworkLab": "your_network",
}

__all__ = [*LABS, "LiveCurves"]


def __getattr__(name: str) -> Any:
    if name == "LiveCurves":
        from effnet_edu.labs.frame.live_curves import LiveCurves

        return LiveCurves
    if name not in LABS:
        raise AttributeError(f"module 'effnet_edu.labs' has no attribute {name!r}")
    return getattr(importlib.import_module(f"effnet_edu.labs.{LABS[name]}.lab"), name)
