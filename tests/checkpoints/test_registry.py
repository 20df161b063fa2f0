"""The registry says what the publishers say."""

from dataclasses import replace
from importlib.resources import files

import geffnet
import pytest
import torch

import effnet_edu as ee
from effnet_edu.checkpoints.layouts import find_layout
from effnet_edu.checkpoints.registry import find_file, find_weights
from effnet_edu.ground.fetch import HashMismatchError
from tests.checkpoints.registry_sources import all_rows, as_csv

ROWS = ee.list_weights()


def test_the_table_is_what_the_packages_of_the_publishers_say():
    written = files("effnet_edu.checkpoints").joinpath("registry.csv").read_text(encoding="utf-8")
    assert written == as_csv(all_rows()), "run: python -m tests.checkpoints.registry_sources"


def test_every_file_of_geffnet_is_there():
    known = {row.url for row in ROWS}
    theirs = {
        url
        for name, url in geffnet.gen_efficientnet.model_urls.items()
        if url and any(f"{network}_" in f"{name}_" for network in ee.list_variants())
    }
    assert len(theirs) > 30
    assert theirs <= known


def test_every_publisher_and_every_network_is_there():
    assert {row.publisher for row in ROWS} == {
        "torchvision",
        "timm",
        "efficientnet_pytorch",
        "efficientnet_lite_pytorch",
        "keras",
    }
    assert {row.network for row in ROWS} == set(ee.list_variants())


def test_names_and_files_are_unambiguous():
    assert len({(row.network, row.name) for row in ROWS}) == len(ROWS)
    assert len({row.file for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.network}-{row.name}")
def test_a_row_is_complete(row):
    spec = ee.spec(row.network)
    assert find_layout(row.layout).rows(spec)
    assert row.activation == spec.activation
    assert row.url.startswith("https://") or row.package
    assert row.preprocessing.resize >= row.preprocessing.resolution >= spec.stride
    assert all(0 < std <= row.preprocessing.value_range for std in row.preprocessing.std)
    assert row.licence
    assert row.source
    if row.mebibytes:
        assert row.mebibytes * 2**20 == pytest.approx(4 * ee.cost(spec).parameters, rel=0.02)
        assert row.mebibytes * 2**20 < row.max_bytes


def test_torchvision_accepts_what_it_published_before():
    row = find_weights("efficientnet_b4", "torchvision/IMAGENET1K_V1")
    assert [accepted[:15] for accepted in row.hashes] == ["sha256:23ab8bcd", "sha256:7eb33cd5"]


def test_input_size_travels():
    assert find_weights("efficientnet_b2", "torchvision/IMAGENET1K_V1").preprocessing.resolution == 288


def test_a_file_is_found_by_its_name():
    row = find_file("efficientnet-lite0-57934424.pth")
    assert (row.network, row.name) == ("efficientnet_lite0", "efficientnet_lite_pytorch/imagenet")
    assert find_file("nobody.pth") is None
    assert find_file("efficientnetb0.h5") is None  # no digits of a hash in it


def test_one_network():
    assert {row.network for row in ee.list_weights("efficientnet_b0")} == {"efficientnet_b0"}
    with pytest.raises(ValueError, match="no network named 'efficientnet_b9'"):
        ee.list_weights("efficientnet_b9")


def test_a_row_reads_as_a_line():
    line = str(find_weights("efficientnet_b0", "torchvision/IMAGENET1K_V1"))
    assert line == "efficientnet_b0  torchvision/IMAGENET1K_V1  224 px  top-1 77.69 %  BSD-3-Clause"
    assert "not reported" in str(find_weights("efficientnet_b0", "keras/imagenet"))


def test_all_that_travels_is_in_the_network(monkeypatch, tmp_path):
    """`create` with torchvision's V2-S: a file with random weights stands in for the published one."""
    row = find_weights("efficientnetv2_s", "torchvision/IMAGENET1K_V1")
    torch.save(ee.export_state_dict(ee.create(row.network), row.layout), tmp_path / row.file)
    monkeypatch.setattr("effnet_edu.checkpoints.create.weights_file", lambda _: tmp_path / row.file)
    with pytest.raises(
        HashMismatchError
    ):  # what is read is what is hashed, whoever looked at the file before
        ee.create("efficientnetv2_s", weights="torchvision/IMAGENET1K_V1")
    stand_in = replace(row, hashes=())
    monkeypatch.setattr("effnet_edu.checkpoints.create.find_weights", lambda *_: stand_in)
    net = ee.create("efficientnetv2_s", weights="torchvision/IMAGENET1K_V1")
    assert net.conventions == row.conventions
    assert net.conventions.padding == "symmetric"
    assert net.conventions.norm_eps == 1e-3
    assert net.stages[3][0].depthwise.norm.eps == 1e-3
    assert net.spec.resolution == 384
    assert net.published.preprocessing.interpolation == "bilinear"
    assert not net.training
