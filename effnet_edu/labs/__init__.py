"""The interactive parts of the course, each a logic class and a view.

Names are imported when they are first used: what a lab counts and draws exactly runs without a widget, and
so in a page without a kernel.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from effnet_edu.labs.benchmark_view import BenchmarkLab
    from effnet_edu.labs.live_curves import LiveCurves
    from effnet_edu.labs.mbconv_view import MBConvLab
    from effnet_edu.labs.phi_view import PhiLab
    from effnet_edu.labs.scaling_view import ScalingProblemLab
    from effnet_edu.labs.squeeze_excite_view import SqueezeExciteLab
    from effnet_edu.labs.v2_view import V2Lab

_HOME_OF = {
    "BenchmarkLab": "benchmark_view",
    "LiveCurves": "live_curves",
    "MBConvLab": "mbconv_view",
    "PhiLab": "phi_view",
    "ScalingProblemLab": "scaling_view",
    "SqueezeExciteLab": "squeeze_excite_view",
    "V2Lab": "v2_view",
}

__all__ = [
    "BenchmarkLab",
    "LiveCurves",
    "MBConvLab",
    "PhiLab",
    "ScalingProblemLab",
    "SqueezeExciteLab",
    "V2Lab",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'effnet_edu.labs' has no attribute {name!r}")
    return getattr(importlib.import_module(f"effnet_edu.labs.{_HOME_OF[name]}"), name)
