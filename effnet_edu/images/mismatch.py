"""What goes wrong when conventions or preprocessing are not those of the weights, measured."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from effnet_edu.checkpoints.create import create
from effnet_edu.checkpoints.registry import find_weights
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.images.classify import labels_of
from effnet_edu.images.preprocess import Picture, preprocess
from effnet_edu.images.reader import OnePicture
from effnet_edu.model.specs import Conventions

LITE0 = ("efficientnet_lite0", "efficientnet_lite_pytorch/imagenet")


@dataclass(frozen=True)
class Mismatch:
    """One photograph, classified with one thing wrong.

    Attributes:
        change: What was wrong, in a few words.
        photograph: The photograph's name.
        logit_error: Norm of the difference of the logits over the norm of the right logits.
        label: The class that came out.
        right_label: The class that comes out when nothing is wrong.
    """

    change: str
    photograph: str
    logit_error: float
    label: str
    right_label: str

    @property
    def flipped(self) -> bool:
        """Whether the prediction changed."""
        return self.label != self.right_label


def measure_mismatches(
    pictures: Mapping[str, OnePicture], network: str = LITE0[0], weights: str = LITE0[1]
) -> list[Mismatch]:
    """Classify photographs with the wrong padding, eps or preprocessing, and compare with the right ones.

    Args:
        pictures: Name to photograph.
        network: One of `list_variants()`.
        weights: One of its published weights.

    Raises:
        ValueError: There are no such weights, or something is no photograph.
        FileNotFoundError: The weights are in a package that is not installed.
    """
    row = find_weights(network, weights)
    conventions, how = row.conventions, row.preprocessing
    other_padding = replace(conventions, padding="symmetric" if conventions.padding == "same" else "same")
    other_eps = 1e-5 if conventions.norm_eps > 1e-5 else 1e-3
    eps = f"eps 1e{round(math.log10(other_eps))}"
    runs: list[tuple[str, Conventions, Preprocessing]] = [
        (f"padding {other_padding.padding}", other_padding, how),
        (eps, replace(conventions, norm_eps=other_eps), how),
        (f"padding and {eps}", replace(other_padding, norm_eps=other_eps), how),
        ("mean and std of ImageNet", conventions, _other_normalisation(how)),
        ("no normalisation, 0 to 1", conventions, replace(how, mean=(0, 0, 0), std=(1, 1, 1), value_range=1)),
        ("squashed, no crop", conventions, replace(how, resize=how.resolution, fit="squash")),
        ("nearest pixel", conventions, replace(how, interpolation="nearest")),
    ]
    photographs: list[Picture] = list(pictures.values())

    def logits(own: Conventions, way: Preprocessing) -> Tensor:
        net = create(network, weights=weights, conventions=own)
        with torch.no_grad():
            answer: Tensor = net(preprocess(photographs, way))
        return answer

    labels = labels_of(row.num_classes, row.classes)
    right = logits(conventions, how)
    return [
        Mismatch(
            change,
            name,
            float((theirs - ours).norm() / ours.norm()),
            labels[int(theirs.argmax())],
            labels[int(ours.argmax())],
        )
        for change, own, way in runs
        for name, theirs, ours in zip(pictures, logits(own, way), right, strict=True)
    ]


def _other_normalisation(how: Preprocessing) -> Preprocessing:
    """Return the same way with the mean and standard deviation that most of torch's networks use."""
    return replace(how, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), value_range=1)
