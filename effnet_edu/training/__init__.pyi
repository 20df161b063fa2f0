"""The public names of this room; `__init__.py` reads this file."""

from .classifier import fit_classifier
from .evaluation import Evaluation, Mistake
from .export_run import FileFigures, export_run
from .fine_tuning import fine_tune
from .load_run import load_run
from .loop import train
from .progress import ProgressBar, TensorBoardLog, together
from .progressive import ProgressiveSchedule
from .recipe import FineTuning, Recipe
from .run import TrainingRun
from .sweep import sweep

__all__ = [
    "Evaluation",
    "FileFigures",
    "FineTuning",
    "Mistake",
    "ProgressBar",
    "ProgressiveSchedule",
    "Recipe",
    "TensorBoardLog",
    "TrainingRun",
    "export_run",
    "fine_tune",
    "fit_classifier",
    "load_run",
    "sweep",
    "together",
    "train",
]
