"""The public names of this room; `__init__.py` reads this file."""

from .audits import Audit, Change, audit
from .batches import largest_batch
from .ceilings import measure_ceilings
from .fastest import EngineComparison, EngineTime, fastest
from .forward import profile
from .layer_time import LayerTime
from .layers import LayerProfile, profile_layers
from .measurement import Measurement
from .peers import peer_counts
from .roof_lines import Ceilings
from .roofs import Roofline, RooflinePoint, roofline
from .time_model import TimeModel, TimePrediction, fit_times, predict_time
from .training_cost import TrainingMeasurement, profile_training

__all__ = [
    "Audit",
    "Ceilings",
    "Change",
    "EngineComparison",
    "EngineTime",
    "LayerProfile",
    "LayerTime",
    "Measurement",
    "Roofline",
    "RooflinePoint",
    "TimeModel",
    "TimePrediction",
    "TrainingMeasurement",
    "audit",
    "fastest",
    "fit_times",
    "largest_batch",
    "measure_ceilings",
    "peer_counts",
    "predict_time",
    "profile",
    "profile_layers",
    "profile_training",
    "roofline",
]
