"""The interactive parts of the course, each a logic class and a view."""

from effnet_edu.labs.benchmark_view import BenchmarkLab
from effnet_edu.labs.live_curves import LiveCurves
from effnet_edu.labs.phi_view import PhiLab

__all__ = ["BenchmarkLab", "LiveCurves", "PhiLab"]
