"""Pictures of every kind into tensors, and sets of images."""

from effnet_edu.images.classify import Prediction, classify, imagenet_classes
from effnet_edu.images.explain import Explanation, explain
from effnet_edu.images.fashion_mnist import fashion_mnist
from effnet_edu.images.folders import image_folder
from effnet_edu.images.glyphs import glyphs
from effnet_edu.images.imagenette import imagenette
from effnet_edu.images.labelled import LabelledImages
from effnet_edu.images.mismatch import Mismatch, measure_mismatches
from effnet_edu.images.photographs import PHOTOGRAPHS, Photograph, photograph
from effnet_edu.images.preprocess import preprocess
from effnet_edu.images.shards import stream_shards
from effnet_edu.images.streamed import StreamedImages, stream_folder

__all__ = [
    "PHOTOGRAPHS",
    "Explanation",
    "LabelledImages",
    "Mismatch",
    "Photograph",
    "Prediction",
    "StreamedImages",
    "classify",
    "explain",
    "fashion_mnist",
    "glyphs",
    "image_folder",
    "imagenet_classes",
    "imagenette",
    "measure_mismatches",
    "photograph",
    "preprocess",
    "stream_folder",
    "stream_shards",
]
