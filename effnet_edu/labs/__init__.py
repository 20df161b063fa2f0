"""The interactive parts of the course, each a logic class and a view."""

from effnet_edu.labs.live_curves import LiveCurves
from effnet_edu.labs.phi_view import PhiLab
from effnet_edu.labs.scaling_view import ScalingProblemLab

__all__ = ["LiveCurves", "PhiLab", "ScalingProblemLab"]
