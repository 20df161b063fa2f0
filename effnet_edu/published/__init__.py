"""The papers' numbers as csv files, and one function that reads them."""

from effnet_edu.published.imagenet import IMAGENET_IMAGES, TrainingTime, training_time
from effnet_edu.published.tables import Row, Table, Value, list_tables, read

__all__ = [
    "IMAGENET_IMAGES",
    "Row",
    "Table",
    "TrainingTime",
    "Value",
    "list_tables",
    "read",
    "training_time",
]
