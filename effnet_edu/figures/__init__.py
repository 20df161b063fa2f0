"""One function a figure: data in, a `Picture` out."""

from effnet_edu.figures.accuracy import accuracy_against_macs
from effnet_edu.figures.answers import answers
from effnet_edu.figures.benchmarks import (
    accuracy_against_size,
    counted_table_2,
    modernized,
)
from effnet_edu.figures.blocks import blocks, relu_in_channels
from effnet_edu.figures.choosing import accuracy_by_family, accuracy_by_recipe, engines
from effnet_edu.figures.compound import ImpliedPhi, fitted_phi, formula_against_table, macs_against_phi
from effnet_edu.figures.device import (
    against_resnet50,
    fused_blocks,
    fused_networks,
    memory_formats,
    network_engines,
    network_times,
    throughput_against_batch,
)
from effnet_edu.figures.examples import examples
from effnet_edu.figures.explanations import explanations
from effnet_edu.figures.feature_maps import feature_maps
from effnet_edu.figures.fine_tuning import confusion, mistakes
from effnet_edu.figures.floors import Floor, floors
from effnet_edu.figures.labels_bought import labels_bought
from effnet_edu.figures.measured import ScalingPoint, time_and_memory_against_phi
from effnet_edu.figures.mismatch import mismatches
from effnet_edu.figures.network import network
from effnet_edu.figures.photograph import classified
from effnet_edu.figures.picture import Numbers, Picture, ScenePicture
from effnet_edu.figures.receptive_fields import receptive_fields
from effnet_edu.figures.roofline import macs_against_time, roofline
from effnet_edu.figures.rounding import channel_rounding, layer_rounding
from effnet_edu.figures.scaling_problem import before_2019, diminishing_returns, growth_of_macs
from effnet_edu.figures.studies import gates, study
from effnet_edu.figures.time_model import time_predictors
from effnet_edu.figures.training import training_curves

__all__ = [
    "Floor",
    "ImpliedPhi",
    "Numbers",
    "Picture",
    "ScalingPoint",
    "ScenePicture",
    "accuracy_against_macs",
    "accuracy_against_size",
    "accuracy_by_family",
    "accuracy_by_recipe",
    "against_resnet50",
    "answers",
    "before_2019",
    "blocks",
    "channel_rounding",
    "classified",
    "confusion",
    "counted_table_2",
    "diminishing_returns",
    "engines",
    "examples",
    "explanations",
    "feature_maps",
    "fitted_phi",
    "floors",
    "formula_against_table",
    "fused_blocks",
    "fused_networks",
    "gates",
    "growth_of_macs",
    "labels_bought",
    "layer_rounding",
    "macs_against_phi",
    "macs_against_time",
    "memory_formats",
    "mismatches",
    "mistakes",
    "modernized",
    "network",
    "network_engines",
    "network_times",
    "receptive_fields",
    "relu_in_channels",
    "roofline",
    "study",
    "throughput_against_batch",
    "time_and_memory_against_phi",
    "time_predictors",
    "training_curves",
]
