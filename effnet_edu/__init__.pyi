"""The public names of effnet_edu, loaded when they are first used; `__init__.py` reads this file."""

from . import exercises, figures, images, labs, profiling, published, studies, training
from .checkpoints.create import create
from .checkpoints.load import export_state_dict, load_checkpoint
from .checkpoints.registry import list_weights
from .course.machine import check_machine
from .images.classify import classify
from .images.explain import explain
from .model.blocks import ConvNormAct, DropPath, FusedMBConv, MBConv, SqueezeExcitation
from .model.cost import cost
from .model.export import export_onnx
from .model.fusing import fuse_stages
from .model.inference import optimize_for_inference
from .model.network import EfficientNet
from .model.receptive_field import receptive_field
from .model.scaling import Multipliers, compound_multipliers, cost_factor, fit_phi
from .model.specs import NetworkSpec, StageSpec, resolve, scale
from .model.variants import compound, list_variants, spec
from .profiling.audits import audit
from .profiling.ceilings import measure_ceilings
from .profiling.fastest import fastest
from .profiling.forward import profile
from .profiling.layers import profile_layers
from .profiling.peers import peer_counts
from .profiling.roofs import roofline
from .profiling.time_model import predict_time
from .training.fine_tuning import fine_tune
from .training.load_run import load_run
from .training.loop import train
from .training.progressive import ProgressiveSchedule
from .training.recipe import FineTuning, Recipe

__version__: str

__all__ = [
    "ConvNormAct",
    "DropPath",
    "EfficientNet",
    "FineTuning",
    "FusedMBConv",
    "MBConv",
    "Multipliers",
    "NetworkSpec",
    "ProgressiveSchedule",
    "Recipe",
    "SqueezeExcitation",
    "StageSpec",
    "audit",
    "check_machine",
    "classify",
    "compound",
    "compound_multipliers",
    "cost",
    "cost_factor",
    "create",
    "exercises",
    "explain",
    "export_onnx",
    "export_state_dict",
    "fastest",
    "figures",
    "fine_tune",
    "fit_phi",
    "fuse_stages",
    "images",
    "labs",
    "list_variants",
    "list_weights",
    "load_checkpoint",
    "load_run",
    "measure_ceilings",
    "optimize_for_inference",
    "peer_counts",
    "predict_time",
    "profile",
    "profile_layers",
    "profiling",
    "published",
    "receptive_field",
    "resolve",
    "roofline",
    "scale",
    "spec",
    "studies",
    "train",
    "training",
]
