"""Labelled images: what is refused, and what resizing and choosing leave."""

import dataclasses
import re

import pytest
import torch
from PIL import Image

from effnet_edu.images import LabelledImages, photograph
from effnet_edu.images import labelled as labelled_module


def made(classes=(0, 1, 2, 0), side=6, **changes):
    labels = torch.tensor(classes)
    images = torch.arange(len(labels), dtype=torch.uint8)[:, None, None, None].expand(-1, 3, side, side)
    fields = {
        "name": "made",
        "images": images,
        "labels": labels,
        "class_names": ("a", "b", "c"),
        "source": "a test",
    }
    return LabelledImages(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"images": torch.zeros(4, 3, 6, 6)},
            "The images are torch.float32 of shape (4, 3, 6, 6); they must",
        ),
        ({"images": torch.zeros(4, 6, 6, dtype=torch.uint8)}, "torch.uint8 of shape (4, 6, 6); they must"),
        ({"images": torch.zeros(4, 3, 6, 5, dtype=torch.uint8)}, "(4, 3, 6, 5); they must"),
        (
            {
                "images": torch.zeros(0, 3, 6, 6, dtype=torch.uint8),
                "labels": torch.zeros(0, dtype=torch.long),
            },
            "the shape (0, 3, 6, 6); there must be one or more",
        ),
        ({"labels": torch.tensor([0, 1])}, "The labels are torch.int64 of shape (2,); 4 images need"),
        ({"labels": torch.tensor([0, 1, 2, 0], dtype=torch.int32)}, "The labels are torch.int32"),
        (
            {"labels": torch.tensor([0, 1, 3, 0])},
            "The labels go from 0 to 3; 3 classes have labels from 0 to 2.",
        ),
        ({"labels": torch.tensor([0, -1, 1, 0])}, "The labels go from -1 to 1"),
        ({"class_names": ("a", "b", "a")}, "they must all be different"),
    ],
)
def test_what_is_not_a_set_of_labelled_images_is_refused_in_one_sentence(changes, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        made(**changes)


def test_it_says_what_it_is_and_cannot_be_changed():
    images = made()
    assert (len(images), images.num_classes, images.in_channels, images.side) == (4, 3, 3, 6)
    assert repr(images) == "made: 4 images of 3 classes, 3 x 6 x 6; a test"
    with pytest.raises(dataclasses.FrozenInstanceError):
        images.labels = images.labels


def test_resizing_smooths_as_pillow_does():
    picture = photograph("chelsea").crop((0, 0, 300, 300))
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).reshape(1, 300, 300, 3)
    one = made((0,), images=pixels.permute(0, 3, 1, 2), labels=torch.tensor([0]))
    ours = one.resized(40).images[0].permute(1, 2, 0)
    theirs = torch.frombuffer(
        bytearray(picture.resize((40, 40), Image.Resampling.BILINEAR).tobytes()), dtype=torch.uint8
    ).reshape(40, 40, 3)
    assert (ours.int() - theirs.int()).abs().max() <= 1
    assert one.resized(300) is one


def test_resizing_many_keeps_each_in_its_place(monkeypatch):
    monkeypatch.setattr(labelled_module, "_RESIZED_AT_ONCE", 3)
    resized = made([0] * 7 + [1]).resized(4)
    assert resized.images.shape == (8, 3, 4, 4)
    assert resized.images[:, 0, 0, 0].tolist() == list(range(8))
    assert resized.labels.tolist() == [0] * 7 + [1]


def test_a_subset_is_balanced_as_far_as_there_are_images():
    many = made([0] * 50 + [1] * 30 + [2] * 2)
    assert many.subset(30).labels.bincount().tolist() == [14, 14, 2]
    assert many.subset(6).labels.bincount().tolist() == [2, 2, 2]
    assert many.subset(82).images.equal(many.images)


def test_a_subset_is_chosen_by_its_seed_and_keeps_image_and_label_together():
    many = made([index % 3 for index in range(90)])
    chosen = many.subset(30, seed=4)
    numbers = chosen.images[:, 0, 0, 0].long()
    assert chosen.labels.equal(many.labels[numbers])
    assert len(set(numbers.tolist())) == 30
    assert many.subset(30, seed=4).images.equal(chosen.images)
    assert not many.subset(30, seed=5).images.equal(chosen.images)


def test_a_subset_cannot_be_larger_than_the_whole():
    with pytest.raises(ValueError, match="count is 5; made has 4 images"):
        made().subset(5)


def test_more_images_than_fit_into_memory_are_a_sentence():
    with pytest.raises(MemoryError, match=r"4 images of 10000000 px take .* MiB are free"):
        made().resized(10_000_000)
