"""Imagenette from a small archive, and archives that must not be unpacked."""

import gzip
import hashlib
import importlib
import io
import tarfile
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
from PIL import Image

from effnet_edu.checkpoints.fetch import FileUnavailableError, fetch_file
from effnet_edu.images import imagenette
from effnet_edu.images.archives import BrokenArchiveError, extract
from tests.peers import import_torchvision

module = importlib.import_module("effnet_edu.images.imagenette")


def plain(name, content=b"x"):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def special(name, kind, target=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def packed(*members):
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return whole.getvalue()


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


def unpack(tmp_path, content, max_files=20, max_bytes=2**20):
    archive = tmp_path / "a.tgz"
    archive.write_bytes(content)
    extract(archive, tmp_path / "out" / "unpacked", max_files, max_bytes)
    return tmp_path / "out" / "unpacked"


def test_an_archive_is_unpacked_once_with_plain_rights(tmp_path):
    program, content = plain("a/run", b"#!/bin/sh")
    program.mode = 0o4777
    folder = unpack(tmp_path, packed(special("a", tarfile.DIRTYPE), (program, content), plain("a/b/c")))
    assert (folder / "a" / "run").read_bytes() == b"#!/bin/sh"
    assert not (folder / "a" / "run").stat().st_mode & 0o6111
    (folder / "a" / "b" / "c").unlink()
    assert not (unpack(tmp_path, packed(plain("a/b/c"))) / "a" / "b" / "c").exists()


HOSTILE = {
    "parent": (packed(plain("../evil")), "outside itself"),
    "parent inside": (packed(plain("a/../../evil")), "outside itself"),
    "absolute": (packed(plain("/evil")), "outside itself"),
    "backslash": (packed(plain("..\\evil")), "outside itself"),
    "drive": (packed(plain("C:evil")), "outside itself"),
    "symlink": (packed(special("a", tarfile.SYMTYPE, "/etc"), plain("a/evil")), "no plain file"),
    "hardlink": (packed(plain("a"), special("b", tarfile.LNKTYPE, "a")), "no plain file"),
    "device": (packed(special("null", tarfile.CHRTYPE)), "no plain file"),
    "pipe": (packed(special("pipe", tarfile.FIFOTYPE)), "no plain file"),
    "twice": (packed(plain("a"), plain("a", b"evil")), "one place twice"),
    "file as folder": (packed(plain("a"), plain("a/evil")), "one place twice"),
    "folder as file": (packed(plain("a/b"), plain("a")), "one place twice"),
    "many": (packed(*(plain(f"{number}") for number in range(21))), "more than 20 files"),
    "large": (packed(plain("a", bytes(2**21))), "unpacks to more than 1,048,576 bytes"),
    "large name": (packed(plain("a" * 2**21)), "unpacks to more than 1,048,576 bytes"),
    "cut": (packed(plain("a", bytes(range(256)) * 99))[:-300], "is damaged or no archive"),
    "no archive": (gzip.compress(b"x" * 5000), "is damaged or no archive"),
    "no gzip": (b"x" * 5000, "is damaged or no archive"),
}


@pytest.mark.parametrize(("content", "sentence"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_or_damaged_archive_leaves_nothing_behind(tmp_path, content, sentence):
    with pytest.raises(BrokenArchiveError, match=sentence):
        unpack(tmp_path, content)
    assert {path.name for path in (tmp_path / "out").iterdir()} <= {"unpacked.lock"}
    assert {path.name for path in tmp_path.iterdir()} == {"a.tgz", "out"}


def test_what_a_killed_process_left_is_replaced(tmp_path):
    left = tmp_path / "out" / "unpacked.part"
    left.mkdir(parents=True)
    (left / "half").touch()
    assert [path.name for path in unpack(tmp_path, packed(plain("whole"))).iterdir()] == ["whole"]
