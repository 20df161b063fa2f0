"""Photographs, and their way into a network."""

from effnet_edu.images.classify import Prediction, classify, imagenet_classes
from effnet_edu.images.mismatch import Mismatch, measure_mismatches
from effnet_edu.images.photographs import PHOTOGRAPHS, Photograph, photograph
from effnet_edu.images.preprocess import preprocess

__all__ = [
    "PHOTOGRAPHS",
    "Mismatch",
    "Photograph",
    "Prediction",
    "classify",
    "imagenet_classes",
    "measure_mismatches",
    "photograph",
    "preprocess",
]
