"""Random changes of a batch: right targets, values that stay in range, and seeds that repeat."""

from dataclasses import replace

import pytest
import torch

import effnet_edu as ee
from effnet_edu.training.augmentation import augmented, cutmix, mixup, one_hot, to_floats
from effnet_edu.training.progressive import Stage
from tests.training.easy import quarters

DATA = quarters(16, 0)
TARGETS = one_hot(DATA.labels, 4)
PLAIN = ee.Recipe()


def test_pixels_become_minus_one_to_one() -> None:
    pixels = torch.tensor([0, 255, 51], dtype=torch.uint8).reshape(1, 1, 1, 3)
    assert to_floats(pixels).flatten().tolist() == pytest.approx([-1, 1, -0.6])
    x, targets = augmented(DATA.images, TARGETS, Stage(16), PLAIN)
    assert torch.equal(x, to_floats(DATA.images))
    assert torch.equal(targets, TARGETS)


def test_mixup_blends_images_and_targets_alike() -> None:
    images = torch.stack((torch.zeros(1, 2, 2), torch.ones(1, 2, 2)))
    mixed, targets = mixup(images, torch.eye(2), 0.75, torch.tensor([1, 0]))
    assert mixed[0].unique().tolist() == pytest.approx([0.25])
    assert mixed[1].unique().tolist() == pytest.approx([0.75])
    assert targets.tolist() == [[0.75, 0.25], [0.25, 0.75]]


@pytest.mark.parametrize(
    ("centre", "share", "area"),
    [((0.5, 0.5), 0.75, 16), ((0.0, 0.0), 0.75, 4), ((0.5, 0.5), 0.0, 64), ((0.5, 0.5), 1.0, 0)],
)
def test_cutmix_mixes_targets_by_the_area_that_was_pasted(
    centre: tuple[float, float], share: float, area: int
) -> None:
    images = torch.stack((torch.zeros(1, 8, 8), torch.ones(1, 8, 8)))
    mixed, targets = cutmix(images, torch.eye(2), share, torch.tensor([1, 0]), centre)
    assert float(mixed[0].sum()) == area
    assert float(mixed[1].sum()) == 64 - area
    assert targets[0].tolist() == pytest.approx([1 - area / 64, area / 64])
    assert images[0].sum() == 0  # the batch itself is not painted over


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("magnitude", [1.0, 6.67, 29.0])
def test_randaugment_keeps_shape_and_range(channels: int, magnitude: float) -> None:
    images = quarters(4, 0, channels).images
    changed = 0
    for seed in range(25):  # enough to meet every operation
        torch.manual_seed(seed)
        x, _ = augmented(images, TARGETS[:4], Stage(16, magnitude), PLAIN)
        assert x.shape == images.shape
        assert float(x.min()) >= -1
        assert float(x.max()) <= 1
        changed += not torch.allclose(x, to_floats(images), atol=1e-3)
    assert changed > 20


def test_everything_repeats_with_the_seed() -> None:
    recipe = replace(PLAIN, flip=0.5, min_crop_area=0.3)
    stage = Stage(16, 9, 0.4, 0.4)

    def draw(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return augmented(DATA.images, TARGETS, stage, recipe)[0]

    assert torch.equal(draw(3), draw(3))
    assert not torch.equal(draw(3), draw(4))


def test_flips_mirror_about_as_many_as_said() -> None:
    torch.manual_seed(0)
    images = quarters(400, 0).images
    x, _ = augmented(images, one_hot(quarters(400, 0).labels, 4), Stage(16), replace(PLAIN, flip=0.25))
    plain = to_floats(images)
    mirrored = torch.tensor([torch.equal(a, b.flip(-1)) for a, b in zip(x, plain, strict=True)])
    same = torch.tensor([torch.equal(a, b) for a, b in zip(x, plain, strict=True)])
    assert bool((mirrored ^ same).all())
    assert 60 < int(mirrored.sum()) < 140


def test_crops_are_parts_of_the_image_at_its_full_side() -> None:
    ramp = torch.arange(32, dtype=torch.uint8).mul(8).expand(8, 3, 32, 32).contiguous()  # darker to the left
    torch.manual_seed(0)
    x, _ = augmented(ramp, TARGETS[:8], Stage(32), replace(PLAIN, min_crop_area=0.2))
    assert x.shape == ramp.shape
    steps = (x[..., 1:] - x[..., :-1]).mean((1, 2, 3))
    assert bool((steps > 0).all())  # still darker to the left
    assert float(steps.min()) < 0.85 * 16 / 255  # and less steep where a part was enlarged


def test_mixing_takes_turns_where_both_are_asked_for() -> None:
    kinds = set()
    for seed in range(12):
        torch.manual_seed(seed)
        x, targets = augmented(DATA.images, TARGETS, Stage(16, 0, 1.0, 1.0), PLAIN)
        assert targets.sum(1).tolist() == pytest.approx([1] * 16)
        pasted = (x == to_floats(DATA.images)).float().mean() > 0.02
        kinds.add(bool(pasted))
    assert kinds == {True, False}
