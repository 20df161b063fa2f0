"""EfficientNet as data, as modules, and as an interactive course.

Names are imported when they are first used, so that `import effnet_edu` alone loads neither torch nor
matplotlib nor ipywidgets.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import effnet_edu.exercises as exercises
    import effnet_edu.figures as figures
    import effnet_edu.images as images
    import effnet_edu.labs as labs
    import effnet_edu.published as published
    import effnet_edu.studies as studies
    from effnet_edu.checkpoints.create import create
    from effnet_edu.checkpoints.load import export_state_dict, load_checkpoint
    from effnet_edu.checkpoints.registry import list_weights
    from effnet_edu.images.classify import classify
    from effnet_edu.machine import check_machine
    from effnet_edu.model.blocks import ConvNormAct, DropPath, FusedMBConv, MBConv, SqueezeExcitation
    from effnet_edu.model.cost import LayerCost, NetworkCost, cost
    from effnet_edu.model.fusing import fuse_stages
    from effnet_edu.model.inference import OptimizedEfficientNet, optimize_for_inference
    from effnet_edu.model.network import EfficientNet
    from effnet_edu.model.scaling import (
        FittedPhi,
        Multipliers,
        compound_multipliers,
        cost_factor,
        fit_phi,
        round_channels,
        round_layers,
    )
    from effnet_edu.model.specs import BlockSpec, Conventions, NetworkSpec, StageSpec, resolve, scale
    from effnet_edu.model.variants import compound, list_variants, spec
    from effnet_edu.profiling.ceilings import Ceilings, measure_ceilings
    from effnet_edu.profiling.largest_batch import largest_batch
    from effnet_edu.profiling.layers import LayerProfile, LayerTime, profile_layers
    from effnet_edu.profiling.measurement import Measurement
    from effnet_edu.profiling.peers import peer_counts, profile_peer
    from effnet_edu.profiling.profile import profile
    from effnet_edu.profiling.roofline import Roofline, RooflinePoint, roofline
    from effnet_edu.profiling.training_cost import TrainingMeasurement, profile_training
    from effnet_edu.training.loop import train
    from effnet_edu.training.progress import ProgressBar, TensorBoardLog, together
    from effnet_edu.training.progressive import ProgressiveSchedule
    from effnet_edu.training.recipe import Recipe
    from effnet_edu.training.run import TrainingRun
    from effnet_edu.training.sweep import sweep

__version__ = "0.1.0"

_HOMES = {
    "effnet_edu.checkpoints.create": ("create",),
    "effnet_edu.checkpoints.load": ("export_state_dict", "load_checkpoint"),
    "effnet_edu.checkpoints.registry": ("list_weights",),
    "effnet_edu.images.classify": ("classify",),
    "effnet_edu.machine": ("check_machine",),
    "effnet_edu.model.blocks": ("ConvNormAct", "DropPath", "FusedMBConv", "MBConv", "SqueezeExcitation"),
    "effnet_edu.model.cost": ("LayerCost", "NetworkCost", "cost"),
    "effnet_edu.model.fusing": ("fuse_stages",),
    "effnet_edu.model.inference": ("OptimizedEfficientNet", "optimize_for_inference"),
    "effnet_edu.model.network": ("EfficientNet",),
    "effnet_edu.model.scaling": (
        "FittedPhi",
        "Multipliers",
        "compound_multipliers",
        "cost_factor",
        "fit_phi",
        "round_channels",
        "round_layers",
    ),
    "effnet_edu.model.specs": (
        "BlockSpec",
        "Conventions",
        "NetworkSpec",
        "StageSpec",
        "resolve",
        "scale",
    ),
    "effnet_edu.model.variants": ("compound", "list_variants", "spec"),
    "effnet_edu.profiling.ceilings": ("Ceilings", "measure_ceilings"),
    "effnet_edu.profiling.largest_batch": ("largest_batch",),
    "effnet_edu.profiling.layers": ("LayerProfile", "LayerTime", "profile_layers"),
    "effnet_edu.profiling.measurement": ("Measurement",),
    "effnet_edu.profiling.peers": ("peer_counts", "profile_peer"),
    "effnet_edu.profiling.profile": ("profile",),
    "effnet_edu.profiling.roofline": ("Roofline", "RooflinePoint", "roofline"),
    "effnet_edu.profiling.training_cost": ("TrainingMeasurement", "profile_training"),
    "effnet_edu.training.loop": ("train",),
    "effnet_edu.training.progress": ("ProgressBar", "TensorBoardLog", "together"),
    "effnet_edu.training.progressive": ("ProgressiveSchedule",),
    "effnet_edu.training.recipe": ("Recipe",),
    "effnet_edu.training.run": ("TrainingRun",),
    "effnet_edu.training.sweep": ("sweep",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_ROOMS = ("exercises", "figures", "images", "labs", "published", "studies")

__all__ = [
    "BlockSpec",
    "Ceilings",
    "ConvNormAct",
    "Conventions",
    "DropPath",
    "EfficientNet",
    "FittedPhi",
    "FusedMBConv",
    "LayerCost",
    "LayerProfile",
    "LayerTime",
    "MBConv",
    "Measurement",
    "Multipliers",
    "NetworkCost",
    "NetworkSpec",
    "OptimizedEfficientNet",
    "ProgressBar",
    "ProgressiveSchedule",
    "Recipe",
    "Roofline",
    "RooflinePoint",
    "SqueezeExcitation",
    "StageSpec",
    "TensorBoardLog",
    "TrainingMeasurement",
    "TrainingRun",
    "check_machine",
    "classify",
    "compound",
    "compound_multipliers",
    "cost",
    "cost_factor",
    "create",
    "exercises",
    "export_state_dict",
    "figures",
    "fit_phi",
    "fuse_stages",
    "images",
    "labs",
    "largest_batch",
    "list_variants",
    "list_weights",
    "load_checkpoint",
    "measure_ceilings",
    "optimize_for_inference",
    "peer_counts",
    "profile",
    "profile_layers",
    "profile_peer",
    "profile_training",
    "published",
    "resolve",
    "roofline",
    "round_channels",
    "round_layers",
    "scale",
    "spec",
    "studies",
    "sweep",
    "together",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"effnet_edu.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'effnet_edu' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
