"""The interactive parts of the course, each a logic class and a view."""

from effnet_edu.labs.benchmark_view import BenchmarkLab
from effnet_edu.labs.live_curves import LiveCurves
from effnet_edu.labs.mbconv_view import MBConvLab
from effnet_edu.labs.phi_view import PhiLab
from effnet_edu.labs.scaling_view import ScalingProblemLab
from effnet_edu.labs.squeeze_excite_view import SqueezeExciteLab
from effnet_edu.labs.v2_view import V2Lab

__all__ = [
    "BenchmarkLab",
    "LiveCurves",
    "MBConvLab",
    "PhiLab",
    "ScalingProblemLab",
    "SqueezeExciteLab",
    "V2Lab",
]
