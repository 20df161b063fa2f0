"""What a tiny network learns in a second: which quarter of an image is bright, or how bright it is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import effnet_edu as ee
from effnet_edu.images.labelled import LabelledImages

TINY = replace(
    ee.spec("efficientnet_b0"),
    name="tiny",
    stem_channels=8,
    head_channels=32,
    resolution=16,
    stages=(
        ee.StageSpec("mbconv", 1, 3, 1, 8, 1),
        ee.StageSpec("mbconv", 4, 3, 2, 16, 2),
    ),
)


def quarters(count: int, seed: int, channels: int = 3, side: int = 16) -> LabelledImages:
    """Return noisy images, one quarter of each brighter; which one is its class."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (count,), generator=generator)
    images = torch.randint(0, 120, (count, channels, side, side), generator=generator, dtype=torch.uint8)
    half = side // 2
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = divmod(label, 2)
        image[:, row * half : (row + 1) * half, column * half : (column + 1) * half] += 70
    return LabelledImages(f"quarters {seed}", images, labels, ("a", "b", "c", "d"), "made by the test")


def write_pictures(folder: Path) -> None:
    """Write dark and light pictures, some to train on and some to test with, as the command reads them."""
    chance = np.random.default_rng(0)
    for part, count in (("train", 8), ("test", 3)):
        for index, name in enumerate(("dark", "light")):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = chance.integers(120 * index, 120 * index + 100, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{number}.png")


#: The command, for such pictures.
SMALL = [
    *("train", "efficientnet_b0", "--width", "0.2", "--depth", "0.3", "--resolution", "32"),
    *("--epochs", "1", "--batch-size", "8", "--device", "cpu"),
]

#: Everything random at once.
RANDOM_RECIPE = ee.Recipe(
    epochs=4,
    batch_size=16,
    accumulation=2,
    warmup_epochs=0.5,
    ema_decay=0.9,
    dropout=0.2,
    drop_path_rate=0.3,
    flip=0.5,
    min_crop_area=0.6,
    randaugment=9,
    mixup=0.2,
    cutmix=0.5,
)
