"""Training on images that stay on disk is training on images in memory, whatever their number."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import effnet_edu as ee
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.images import image_folder, stream_folder, stream_shards
from effnet_edu.images.image_set import ImageSet
from tests.images.packed import samples, write_folder, write_shard
from tests.training.easy import RANDOM_RECIPE, TINY
from tests.training.in_processes import train as train_curve
from tests.training.test_processes import ROOT, in_two_processes
from tests.training.test_resume import Stop, results, same_weights

STAGES = tuple(ee.training.progressive.Stage(side, 9, 0.2, 0.5) for side in (8, 16))
RECIPE = replace(RANDOM_RECIPE, epochs=2, progressive=ee.training.ProgressiveSchedule(STAGES, "the test's"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    write_folder(folder / "train", 70)
    write_folder(folder / "test", 33, seed=1000)
    return folder


def train(images: tuple[ImageSet, ImageSet], folder: Path, **options: object) -> ee.training.TrainingRun:
    return ee.train(TINY, *images, RECIPE, folder=folder, device="cpu", **options)  # type: ignore[arg-type]


def streamed(pictures: Path) -> tuple[ImageSet, ImageSet]:
    return stream_folder(pictures / "train", 16), stream_folder(pictures / "test", 16)


def test_a_stream_trains_the_network_that_memory_does_also_when_it_is_stopped_in_mid_epoch(
    pictures: Path, tmp_path: Path
) -> None:
    plain = train((image_folder(pictures / "train", 16), image_folder(pictures / "test", 16)), tmp_path / "0")
    with pytest.raises(Cancelled):
        train(streamed(pictures), tmp_path / "1", watch=Watch(is_cancelled=Stop(7)))
    (stopped, *_) = sorted((tmp_path / "1").glob("step-*"), reverse=True)
    assert stopped.stem == "step-00000006"  # of 4 an epoch
    resumed = train(streamed(pictures), tmp_path / "1")
    assert same_weights(resumed.network, plain.network)
    assert results([vars(row) for row in resumed.rows]) == results([vars(row) for row in plain.rows])
    packed = [write_shard(tmp_path / f"{part}.tar", samples(pictures / part)) for part in ("train", "test")]
    shards = stream_shards(packed[0], 16), stream_shards(packed[1], 16)
    assert same_weights(train(shards, tmp_path / "2").network, plain.network)


def test_other_pictures_or_another_order_are_another_training(pictures: Path, tmp_path: Path) -> None:
    train(streamed(pictures), tmp_path)
    for changed in (stream_folder(pictures / "train", 17), stream_folder(pictures / "train", 16).subset(69)):
        with pytest.raises(ValueError, match=r"train_images\.digest"):
            train((changed, streamed(pictures)[1]), tmp_path)


@pytest.mark.thorough
def test_two_processes_that_stream_follow_the_curve_of_one(pictures: Path, tmp_path: Path) -> None:
    alone = train_curve(tmp_path / "one", pictures=pictures)
    done = in_two_processes("-m", "tests.training.in_processes", str(tmp_path / "two"), str(pictures))
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "two" / "rows.jsonl").read_text().splitlines()]
    assert json.loads((tmp_path / "two" / "configuration.json").read_text())["processes"] == 2
    assert len(rows) == len(alone.rows)
    for there, here in zip(rows, alone.rows, strict=True):
        assert there["train_loss"] == pytest.approx(here.train_loss, rel=1e-4)
        assert there["test_loss"] == pytest.approx(here.test_loss, rel=1e-3)


@pytest.mark.thorough
def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path: Path) -> None:
    def most_memory(count: int) -> int:
        """Return the most memory of a training, in KiB; held in memory, a picture would take 27."""
        write_folder(tmp_path / str(count) / "train", count, size=(96, 96))
        write_folder(tmp_path / str(count) / "test", 32, size=(96, 96))
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.training.in_processes"),
                *(str(tmp_path / f"run {count}"), str(tmp_path / str(count))),
            ],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=400,
            check=True,
        )
        return int(re.search(r"at most (\d+) KiB", done.stdout)[1])  # type: ignore[index]

    assert most_memory(20 * 160) < 1.08 * most_memory(160)
