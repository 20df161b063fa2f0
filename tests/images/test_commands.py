"""`python -m effnet_edu data`: one line each, and bad input in one sentence."""

import importlib
from pathlib import Path

import pytest

from effnet_edu.__main__ import main
from tests.needs import where


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path))
    return tmp_path


def test_glyphs_are_drawn_into_the_cache(capsys, cache):
    assert main(["data", "glyphs", "--train", "6", "--test", "3", "--side", "8"]) == 0
    train, test = capsys.readouterr().out.splitlines()
    assert train.startswith("glyphs train: 6 images of 32 classes, 3 x 8 x 8; drawn on this machine")
    assert test.startswith("glyphs test: 3 images")
    assert len(list((cache / "glyphs").iterdir())) == 2


def test_fashion_mnist_is_found(capsys, monkeypatch):
    module = importlib.import_module(
        "effnet_edu.images.fashion_mnist"
    )  # the package has a function of that name
    monkeypatch.setattr(module, "DEBIAN_FOLDER", Path(where("fashion-mnist")))
    assert main(["data", "fashion_mnist"]) == 0
    assert [line.partition(";")[0] for line in capsys.readouterr().out.splitlines()] == [
        "fashion_mnist train: 60,000 images of 10 classes, 1 x 28 x 28",
        "fashion_mnist test: 10,000 images of 10 classes, 1 x 28 x 28",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["mnist"], "NAME is 'mnist'; it must be one of 'glyphs', 'fashion_mnist', 'imagenette'."),
        (["fashion_mnist", "--side", "32"], "side is 32; Fashion-MNIST has 28 px alone."),
        (["glyphs", "--train", "0"], "count is 0; it must be a whole number of 1 or more."),
        (["glyphs", "--side", "0"], "side is 0; it must be a whole number of 4 or more."),
    ],
)
def test_bad_input_is_one_sentence(capsys, arguments, sentence):
    assert main(["data", *arguments]) == 2
    assert capsys.readouterr().err == f"effnet_edu: {sentence}\n"
