"""The papers' numbers as csv files, and what reads them."""

from effnet_edu.published.benchmarks import DEVICES, Result, Speed, results, speed_of
from effnet_edu.published.imagenet import IMAGENET_IMAGES, TrainingTime, training_time
from effnet_edu.published.tables import Row, Table, Value, list_tables, read

__all__ = [
    "DEVICES",
    "IMAGENET_IMAGES",
    "Result",
    "Row",
    "Speed",
    "Table",
    "TrainingTime",
    "Value",
    "list_tables",
    "read",
    "results",
    "speed_of",
    "training_time",
]
