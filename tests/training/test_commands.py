"""The command `train`, in this process and under torchrun."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import effnet_edu as ee
from effnet_edu.__main__ import main
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.training import commands
from tests.images.packed import samples, write_shard
from tests.training.test_processes import in_two_processes

SMALL = [
    *("train", "efficientnet_b0", "--width", "0.2", "--depth", "0.3", "--resolution", "32"),
    *("--epochs", "1", "--batch-size", "8", "--device", "cpu"),
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    chance = np.random.default_rng(0)
    for part, count in (("train", 8), ("test", 3)):
        for index, name in enumerate(("dark", "light")):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = chance.integers(120 * index, 120 * index + 100, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{number}.png")
    return folder


def test_train_trains_keeps_and_does_not_train_twice(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*SMALL, "--data", str(pictures), "--folder", str(tmp_path / "run")]
    assert main([*command, "--tensorboard", str(tmp_path / "curves")]) == 0
    shown = capsys.readouterr()
    assert "16 images of 2 classes" in shown.out
    assert "32 px, 1 epoch on" in shown.out
    assert "100%" in shown.err
    rows = (tmp_path / "run" / "rows.jsonl").read_text()
    assert json.loads(rows)["test_accuracy"] >= 0.5
    assert list((tmp_path / "curves").glob("events*"))
    assert main(command) == 0
    assert "100%" not in capsys.readouterr().err
    assert (tmp_path / "run" / "rows.jsonl").read_text() == rows


@pytest.mark.thorough
def test_train_under_torchrun_speaks_once(pictures: Path, tmp_path: Path) -> None:
    done = in_two_processes("-m", "effnet_edu", *SMALL, "--data", str(pictures), "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("1 epoch on") == 1
    assert json.loads((tmp_path / "configuration.json").read_text())["processes"] == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_politely(
    pictures: Path, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)

    def train(*_: Any, watch: Watch, **__: Any) -> None:
        assert not watch.is_cancelled()
        signal.raise_signal(number)
        assert watch.is_cancelled()
        raise Cancelled

    monkeypatch.setattr(commands, "train", train)
    assert main([*SMALL, "--data", str(pictures)]) == 130
    assert "Stopped." in capsys.readouterr().err
    assert signal.getsignal(number) is before


def test_a_recipe_of_the_paper_is_fitted_to_small_images(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    used: list[ee.Recipe] = []

    def train(_network: Any, _train: Any, _test: Any, recipe: ee.Recipe, **_: Any) -> str:
        used.append(recipe)
        return "done"

    monkeypatch.setattr(commands, "train", train)
    arguments = [*SMALL, "--data", str(pictures), "--recipe", "efficientnet_v2_s", "--epochs", "8"]
    assert main(arguments) == 0
    assert used[0].progressive is not None
    assert [stage.side for stage in used[0].progressive.stages] == [16, 24, 24, 32]
    assert (used[0].epochs, used[0].batch_size, used[0].optimizer) == (8, 8, "rmsprop")


def test_folders_of_pictures_are_checked(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*more: str) -> str:
        assert main([*SMALL, "--data", str(tmp_path / "mine"), *more]) == 2
        return capsys.readouterr().err.splitlines()[-1]

    mine = tmp_path / "mine"
    mine.mkdir()
    assert "which lacks test (or val); it must hold" in said()
    shutil.copytree(pictures / "test", mine / "val")
    assert "which lacks train; it must hold" in said()
    shutil.copytree(pictures / "train" / "dark", mine / "train" / "dark")
    assert "The classes of train and val differ: val alone has 'light'." in said()
    shutil.rmtree(mine / "val" / "light")
    assert "train has images of one class, 'dark'; a network learns to tell two" in said()
    shutil.rmtree(mine)
    shutil.copytree(pictures, mine)
    (mine / "test").rename(mine / "val")
    (mine / "train" / "dark" / "9.png").write_text("no picture")
    (mine / "train" / "grey").mkdir()
    (mine / "val" / "grey").mkdir()
    assert "The class 'grey' has no picture in" in said()
    assert "With --skip-broken the rest is loaded." in said()
    with pytest.warns(UserWarning, match="9.png cannot be read|no picture in"):
        assert main([*SMALL, "--data", str(mine), "--skip-broken"]) == 0
    assert "16 images of 3 classes" in capsys.readouterr().out


def test_a_second_ctrl_c_does_not_wait() -> None:
    with commands.asked_to_stop() as stop:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--data", "nowhere"],
            "--data is 'nowhere'; it must be glyphs, fashion_mnist, imagenette, or a folder",
        ),
        (["--data", "PICTURES", "--batch-size", "500"], "batch_size is 500; "),
        (["--data", "PICTURES", "--precision", "fp8"], "precision is 'fp8'"),
        (["--data", "PICTURES", "--epochs", "0"], "epochs is 0"),
    ],
)
def test_bad_input_is_one_sentence(
    pictures: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, *(str(pictures) if word == "PICTURES" else word for word in arguments)]) == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]


def test_a_folder_is_streamed_when_asked_to_and_shards_always(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(commands, "train", lambda _network, *images, **_: given.append(images[:2]) or "done")
    for part in ("train", "test"):
        write_shard(tmp_path / f"{part}-00.tar", samples(pictures / part))
    assert main([*SMALL, "--data", str(pictures)]) == 0
    assert main([*SMALL, "--data", str(pictures), "--stream"]) == 0
    assert main([*SMALL, "--data", str(tmp_path)]) == 0
    whole, *streams = given
    for stream in streams:
        for there, here in zip(whole, stream, strict=True):
            assert isinstance(here, ee.images.StreamedImages)
            assert here.labels.equal(there.labels)
            assert next(here.batches([torch.arange(len(here))])).equal(there.images)
    capsys.readouterr()
    assert main([*SMALL, "--stream"]) == 2
    assert "--stream is for folders of pictures; glyphs is held in memory." in capsys.readouterr().err
