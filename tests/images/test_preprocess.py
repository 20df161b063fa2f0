"""Preprocessing equals the publishers' own on real photographs, to 1e-6."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest
import torch
from PIL import Image

import effnet_edu as ee
from effnet_edu.checkpoints.registry import find_weights
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.images import PHOTOGRAPHS, photograph, preprocess
from tests.peers import import_torchvision

import_torchvision()
import timm  # noqa: E402
from timm.models.efficientnet import default_cfgs  # noqa: E402
from torchvision import models, transforms  # noqa: E402

IMAGES = [photograph(name) for name in PHOTOGRAPHS]
LARGEST_ERROR = 1e-6
TORCHVISION = [row for row in ee.list_weights() if row.publisher == "torchvision"]
# One row for each way that timm has; 64 of its rows differ in the weights alone.
TIMM = list({row.preprocessing: row for row in ee.list_weights() if row.publisher == "timm"}.values())
EFFICIENTNET_PYTORCH = [row for row in ee.list_weights() if row.publisher == "efficientnet_pytorch"]
KERAS = [row for row in ee.list_weights() if row.publisher == "keras"]


def ids(row):
    return f"{row.network}-{row.name}"


def largest_error(ours, theirs):
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max())


def torchvision_transform(row):
    size = row.network.removeprefix("efficientnet").removeprefix("v2").removeprefix("_").upper()
    enum = f"EfficientNet_{'V2_' if 'v2' in row.network else ''}{size}_Weights"
    return getattr(models, enum)[row.name.partition("/")[2]].transforms()


@pytest.mark.parametrize("row", TORCHVISION, ids=ids)
def test_torchvision(row):
    transform = torchvision_transform(row)
    theirs = torch.stack([transform(image) for image in IMAGES])
    assert largest_error(preprocess(IMAGES, row.preprocessing), theirs) <= LARGEST_ERROR


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
@pytest.mark.parametrize("row", TORCHVISION, ids=ids)
def test_torchvision_on_a_batch_of_tensors(row, kind):
    image = photograph("coffee")
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    batch = torch.stack([pixels, pixels.flip(2), pixels.flip(1)])
    if kind.is_floating_point:
        batch = batch / 255
    assert (
        largest_error(preprocess(batch, row.preprocessing), torchvision_transform(row)(batch))
        <= LARGEST_ERROR
    )


@pytest.mark.parametrize("row", TIMM, ids=ids)
def test_timm(row):
    architecture, tag = row.name.removeprefix("timm/").split(".")
    config = timm.data.resolve_data_config(
        pretrained_cfg=default_cfgs[architecture].cfgs[tag].to_dict(), use_test_size=True
    )
    transform = timm.data.create_transform(**config, is_training=False)
    theirs = torch.stack([transform(image) for image in IMAGES])
    assert largest_error(preprocess(IMAGES, row.preprocessing), theirs) <= LARGEST_ERROR


@pytest.mark.parametrize("row", EFFICIENTNET_PYTORCH, ids=ids)
def test_efficientnet_pytorch(row):
    side = row.preprocessing.resolution
    if row.name.endswith("advprop"):
        last = transforms.Lambda(lambda x: x * 2.0 - 1.0)
    else:
        last = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    transform = transforms.Compose(
        [
            transforms.Resize(side, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(side),
            transforms.ToTensor(),
            last,
        ]
    )
    theirs = torch.stack([transform(image) for image in IMAGES])
    assert largest_error(preprocess(IMAGES, row.preprocessing), theirs) <= LARGEST_ERROR


@pytest.mark.parametrize("row", KERAS, ids=ids)
def test_keras(row, tmp_path):
    import keras

    photograph("chelsea").save(tmp_path / "chelsea.png")
    side = row.preprocessing.resolution
    loaded = keras.utils.load_img(tmp_path / "chelsea.png", target_size=(side, side))
    x = keras.utils.img_to_array(loaded)[None]
    # What stands before the stem in these networks once the published weights are in them.
    if row.preprocessing.value_range == 255:
        layers = [keras.layers.Rescaling(scale=1.0 / 128.0, offset=-1)]
    else:
        mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
        layers = [keras.layers.Rescaling(1 / 255), keras.layers.Normalization(mean=mean, variance=std**2)]
    for layer in layers:
        x = layer(x)
    theirs = torch.as_tensor(np.asarray(x.cpu())).permute(0, 3, 1, 2)
    assert largest_error(preprocess(tmp_path / "chelsea.png", row.preprocessing), theirs) <= LARGEST_ERROR


def test_lite_is_minus_127_over_128():
    row = find_weights("efficientnet_lite0", "efficientnet_lite_pytorch/imagenet")
    transform = transforms.Compose(
        [
            transforms.Resize(256, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(224),
            transforms.PILToTensor(),
            transforms.Lambda(lambda x: (x.float() - 127) / 128),
        ]
    )
    theirs = torch.stack([transform(image) for image in IMAGES])
    assert largest_error(preprocess(IMAGES, row.preprocessing), theirs) <= LARGEST_ERROR


def test_several_photographs_are_one_batch_of_each_alone():
    how = find_weights("efficientnet_b0", "torchvision/IMAGENET1K_V1").preprocessing
    batch = preprocess(IMAGES, how)
    assert batch.shape == (len(IMAGES), 3, 224, 224)
    assert all(torch.equal(row, preprocess(image, how)[0]) for row, image in zip(batch, IMAGES, strict=True))


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (33, 224), (223, 225)])
def test_any_size_gives_the_right_shape(size):
    how = find_weights("efficientnet_b0", "torchvision/IMAGENET1K_V1").preprocessing
    assert preprocess(Image.new("RGB", size, "red"), how).shape == (1, 3, 224, 224)


@pytest.mark.parametrize("kind", [np.asarray, lambda strip: torch.from_numpy(strip).permute(2, 0, 1)])
def test_a_strip_that_would_fill_the_memory_is_refused(kind):
    how = find_weights("efficientnet_b0", "torchvision/IMAGENET1K_V1").preprocessing
    with pytest.raises(ValueError, match=r"100000 x 1 pixels, a strip that would be 25,600,000 x 256"):
        preprocess(kind(np.zeros((1, 100_000, 3), np.uint8)), how)


def test_other_modes_become_rgb():
    how = find_weights("efficientnet_b0", "torchvision/IMAGENET1K_V1").preprocessing
    for mode in ("L", "RGBA", "P", "CMYK", "1", "I;16"):
        assert preprocess(Image.new(mode, (300, 300)), how).shape == (1, 3, 224, 224)


def test_the_result_is_where_it_is_asked_for():
    how = Preprocessing(32, 32, "squash", "nearest", (0, 0, 0), (1, 1, 1), 1)
    assert preprocess(torch.zeros(1, 3, 64, 64, device="meta"), how).device.type == "meta"
    assert preprocess(IMAGES[0], how, device="meta").device.type == "meta"
