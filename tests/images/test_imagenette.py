"""Imagenette from a small archive."""

import hashlib
import importlib
import io
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
from PIL import Image

from effnet_edu.ground.fetch import FileUnavailableError, fetch_file
from effnet_edu.images import imagenette
from tests.images.test_archives import packed, plain
from tests.peers import import_torchvision

module = importlib.import_module("effnet_edu.images.imagenette")


def jpeg(colour):
    whole = io.BytesIO()
    Image.new("RGB", (200, 160), colour).save(whole, "JPEG")
    return whole.getvalue()


def small_archive():
    """Two photographs a class, as the real archive lays them out."""
    return packed(
        plain("imagenette2-160/noisy_imagenette.csv", b"path"),
        *(
            plain(f"imagenette2-160/{part}/{number}/{number}_{index}.JPEG", jpeg((20 * label, 90, 10)))
            for part in ("train", "val")
            for label, number in enumerate(module.CLASSES)
            for index in range(2 if part == "train" else 1)
        ),
    )


@pytest.fixture
def served(tmp_path, monkeypatch):
    """The list of requests for the small archive, which takes the real one's place."""
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path))
    content, asked = small_archive(), []
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(module, "ARCHIVE", replace(module.ARCHIVE, hashes=(f"sha256:{digest}",)))

    def open_url(request):
        asked.append(request)
        body = io.BytesIO(content)
        return SimpleNamespace(status=200, headers={}, read=body.read, close=body.close)

    monkeypatch.setattr(module, "fetch_file", partial(fetch_file, open_url=open_url, progress=False))
    return asked


def test_it_is_fetched_once_and_read_with_names(served):
    train, test = imagenette("train", 24), imagenette("test", 24)
    assert len(served) == 1
    assert served[0].full_url == "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz"
    assert (len(train), len(test), train.side) == (20, 10, 24)
    assert train.class_names[:2] == ("tench", "English springer")
    assert train.labels.tolist() == [label for label in range(10) for _ in range(2)]
    reds = test.images[:, 0].float().mean((1, 2))
    assert (reds.diff() > 10).all()
    assert train.name == "imagenette train"
    assert "ImageNet" in train.source


def test_the_hash_and_classes_are_torchvisions():
    import_torchvision()
    from torchvision.datasets import Imagenette

    assert (module.ARCHIVE.url, module.ARCHIVE.hashes[0]) == (
        Imagenette._ARCHIVES["160px"][0],
        f"md5:{Imagenette._ARCHIVES['160px'][1]}",
    )
    assert {key: names[0] for key, names in Imagenette._WNID_TO_CLASS.items()} == module.CLASSES


def test_without_a_network_one_sentence_says_so(served, monkeypatch):
    def no_network(request):
        raise OSError("there is no network")

    monkeypatch.setattr(module, "fetch_file", partial(fetch_file, open_url=no_network, progress=False))
    with pytest.raises(FileUnavailableError, match="the course goes on without Imagenette"):
        imagenette("train")
    with pytest.raises(ValueError, match="split is 'val'; it must be one of 'train', 'test'"):
        imagenette("val")
