"""The examples of a data set: every class, by name, with its own images."""

import numpy as np
import pytest
import torch

from effnet_edu.figures import examples
from effnet_edu.images import LabelledImages


def test_every_class_shows_its_first_images_and_an_empty_class_none():
    images = torch.arange(6, dtype=torch.uint8)[:, None, None, None].expand(6, 1, 5, 5) * 40
    data = LabelledImages("six", images, torch.tensor([0, 2, 0, 2, 2, 0]), ("a", "empty", "c"), "a test")
    picture = examples(data, of_each=2)
    panels = [axes for axes in picture.figure.axes if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left") for axes in panels] == ["a", "empty", "c"]
    shown = [[np.unique(image.get_array()).tolist() for image in axes.images] for axes in panels]
    assert shown == [[[0, 80]], [], [[40, 120]]]
    assert picture.numbers.rows == [("a", "3"), ("empty", "0"), ("c", "3")]
    assert "a, empty, c" in picture.alt
    assert picture.caption.startswith('The first images of each class in the set "six", 5 x 5 pixels each.')
    with pytest.raises(ValueError, match="of_each is 0"):
        examples(data, of_each=0)
