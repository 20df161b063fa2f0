"""Fashion-MNIST: the published content from each of its three places, and a strict IDX reader."""

import gzip
import hashlib
import importlib
import io
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from effnet_edu.ground.fetch import FileUnavailableError, HashMismatchError, fetch_file
from effnet_edu.images import fashion_mnist
from effnet_edu.images.idx import parse_idx, unpack
from tests.needs import where

module = importlib.import_module("effnet_edu.images.fashion_mnist")


def no_network(request):
    raise OSError("there is no network")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "fetch_file", partial(fetch_file, open_url=no_network, progress=False))
    return tmp_path / "fashion_mnist"


@pytest.mark.parametrize(("split", "count"), [("train", 60_000), ("test", 10_000)])
def test_the_published_images_are_found_on_this_machine(split, count, monkeypatch):
    monkeypatch.setattr(module, "DEBIAN_FOLDER", Path(where("fashion-mnist")))
    images = fashion_mnist(split)
    assert images.images.shape == (count, 1, 28, 28)
    assert images.labels.bincount().tolist() == [count // 10] * 10
    assert (images.class_names[0], images.class_names[9]) == ("T-shirt/top", "Ankle boot")
    assert images.labels[:5].tolist() == {"train": [9, 0, 0, 3, 0], "test": [9, 2, 1, 1, 6]}[split]
    assert "MIT" in images.source


def idx(*shape):
    count = torch.Size(shape).numel()
    header = bytes((0, 0, 8, len(shape))) + b"".join(side.to_bytes(4, "big") for side in shape)
    return header + bytes(index % 7 for index in range(count))


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Three images instead of 60,000: their packed files by name, and what asks for them."""
    contents = (idx(3, 4, 4), idx(3))
    packed = [gzip.compress(content) for content in contents]
    files = tuple(
        replace(
            file,
            md5=hashlib.md5(data).hexdigest(),  # noqa: S324 - the publisher's choice
            sha256=hashlib.sha256(content).hexdigest(),
            shape=shape,
        )
        for file, content, data, shape in zip(
            module.FILES["train"], contents, packed, ((3, 4, 4), (3,)), strict=True
        )
    )
    monkeypatch.setattr(module, "FILES", {"train": files})
    monkeypatch.setattr(module, "DEBIAN_FOLDER", tmp_path / "debian")
    return {file.name: data for file, data in zip(files, packed, strict=True)}


def serving(packed, monkeypatch):
    """Answer requests for the files, and return the list of addresses that were asked for."""
    asked = []

    def open_url(request):
        asked.append(request.full_url)
        body = io.BytesIO(packed[request.full_url.rpartition("/")[2]])
        return SimpleNamespace(status=200, headers={}, read=body.read, close=body.close)

    monkeypatch.setattr(module, "fetch_file", partial(fetch_file, open_url=open_url, progress=False))
    return asked


def test_it_is_fetched_once_over_https_where_it_is_nowhere(small, monkeypatch, cache):
    asked = serving(small, monkeypatch)
    assert fashion_mnist("train").labels.tolist() == [0, 1, 2]
    assert fashion_mnist("train").images.flatten().tolist() == [index % 7 for index in range(48)]
    assert len(asked) == 2
    assert all(url.startswith("https://raw.githubusercontent.com/zalandoresearch/") for url in asked)
    assert {path.name for path in cache.glob("*.gz")} == set(small)


def test_a_damaged_copy_of_the_system_is_passed_over(small, monkeypatch):
    asked = serving(small, monkeypatch)
    module.DEBIAN_FOLDER.mkdir()
    images, labels = small
    (module.DEBIAN_FOLDER / images).write_bytes(small[images][:-20])
    (module.DEBIAN_FOLDER / labels).write_bytes(gzip.compress(gzip.decompress(small[labels]), 1))
    assert len(fashion_mnist("train")) == 3
    assert [url.rpartition("/")[2] for url in asked] == [images]


def test_without_a_network_one_sentence_says_so(small):
    with pytest.raises(FileUnavailableError, match="the course goes on without Fashion-MNIST"):
        fashion_mnist("train")


def test_another_file_than_the_published_one_is_refused(small, monkeypatch):
    serving(dict.fromkeys(small, gzip.compress(idx(3))), monkeypatch)
    with pytest.raises(HashMismatchError, match=r"has the hash md5:.*\.refused"):
        fashion_mnist("train")


def test_there_is_no_third_split():
    with pytest.raises(ValueError, match="split is 'val'; it must be one of 'train', 'test'"):
        fashion_mnist("val")


def test_idx_holds_the_shape_that_it_says():
    assert parse_idx(idx(2, 3, 2), "x").tolist() == [[[0, 1], [2, 3], [4, 5]], [[6, 0], [1, 2], [3, 4]]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "x is no IDX file of unsigned bytes; it starts with ."),
        (b"\0\0\x08", "is no IDX file"),
        (b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", "it starts with 00 00 0d 01"),
        (b"\0\x01\x08\x01\0\0\0\x01\0", "it starts with 00 01 08 01"),
        (b"\0\0\x08\0\0", "is no IDX file"),
        (b"\0\0\x08\x02\0\0\0\x01", "is no IDX file"),
        (idx(3, 4)[:-1], "the shape (3, 4), and holds 11 bytes"),
        (idx(3, 4) + b"\0", "the shape (3, 4), and holds 13 bytes"),
        (b"\0\0\x08\x04" + b"\xff" * 16, "and holds 0 bytes"),
    ],
)
def test_what_is_no_idx_file_is_refused(content, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_idx(content, "x")


def test_a_gzip_bomb_is_not_unpacked_past_its_bound(tmp_path):
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(bytes(50_000_000)))
    with pytest.raises(ValueError, match="holds more than 1,000 bytes"):
        unpack(bomb, 1000)


@pytest.mark.parametrize("content", [b"no gzip", b"", gzip.compress(b"x" * 1000, mtime=0)[:-5]])
def test_what_is_no_gzip_file_is_refused(tmp_path, content):
    path = tmp_path / "x.gz"
    path.write_bytes(content)
    if content:
        with pytest.raises(ValueError, match="is damaged or no gzip file"):
            unpack(path, 1000)
    else:
        with pytest.raises(ValueError, match="no IDX file"):
            parse_idx(unpack(path, 1000), "x")
