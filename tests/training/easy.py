"""A task that a tiny network learns in a second: which quarter of a noisy image is brighter."""

from dataclasses import replace

import torch

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
