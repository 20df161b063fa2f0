"""A device measured in a tiny setting: records that go on where they stopped, a page, and a class's table."""

import base64
import copy
import dataclasses
import itertools
import shutil
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from effnet_edu.__main__ import main
from effnet_edu.course import report
from effnet_edu.course.report import SECTIONS, class_page, device_page
from effnet_edu.studies.devices import experiments as device
from effnet_edu.studies.devices.experiments import extent, layer_profile
from effnet_edu.studies.devices.records import (
    folder_name,
    is_current,
    measure_device,
    read_device,
    recorded_devices,
)
from effnet_edu.studies.registry import DEVICE_EXPERIMENTS, DEVICE_METHODS

#: All of them stand on one report of this device, which takes a minute.
pytestmark = pytest.mark.thorough

#: Smaller still than the short version: that everything runs can be seen at 64 pixels.
TINY = dataclasses.replace(
    extent(torch.device("cpu"), quick=True),
    networks=("efficientnet_lite0", "efficientnetv2_b0"),
    growing_batches=(1, 2),
    fused_base="efficientnet_b0",
    resolution=64,
    seconds=0.01,
    random_networks=20,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("device")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "ROUNDS", 2)
        measure_device(TINY, folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return device_page(read_device(folder))


def test_every_experiment_is_recorded_with_what_makes_it_again(folder):
    records = read_device(folder)
    assert list(records) == list(DEVICE_EXPERIMENTS)
    for name, record in records.items():
        assert record.data["rows"]
        assert record.provenance.command == f"python -m effnet_edu measure device {name}"
        assert record.provenance.method == DEVICE_METHODS[name]


def test_what_is_measured_is_not_measured_again(folder):
    said = []
    before = (folder / "networks.json").read_bytes()
    measure_device(TINY, folder, say=said.append)
    assert said == [f"{name}: measured before" for name in DEVICE_EXPERIMENTS]
    assert (folder / "networks.json").read_bytes() == before


def test_a_record_of_an_older_method_is_measured_again(folder, monkeypatch):
    assert is_current("networks", folder)
    monkeypatch.setitem(DEVICE_METHODS, "networks", DEVICE_METHODS["networks"] + 1)
    assert not is_current("networks", folder)


def test_layer_times_come_back_as_they_were_measured(folder):
    row = read_device(folder)["layers"].data["rows"][0]
    profile = layer_profile(row)
    assert profile.network == "efficientnet_b0"
    assert profile.total_seconds > 0
    assert sum(profile.by_kind().values()) == pytest.approx(profile.total_seconds)
    with pytest.raises(ValueError, match="no row of layer times"):
        layer_profile({**row, "layers": {}})


def test_fused_networks_count_what_the_papers_table_counts(folder):
    rows = read_device(folder)["fused_networks"].data["rows"]
    *own, small = rows
    assert [row["stages_fused"] for row in rows] == [0, 3, 5, 7, 3]
    assert all(before["macs"] < after["macs"] for before, after in itertools.pairwise(own))
    assert small["kernel"] == 3
    assert own[0]["macs"] < small["macs"] < own[1]["macs"]
    assert rows[0]["lowest_speed"] == rows[0]["speed"] == rows[0]["highest_speed"] == 1
    assert all(row["lowest_speed"] <= row["speed"] <= row["highest_speed"] for row in rows)


class Outline(HTMLParser):
    """Collects headings, alt texts, codes and anything that is fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.headings, self.alts, self.codes, self.fetched = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        found = dict(attributes)
        if tag == "img":
            self.alts.append(found.get("alt"))
        self.fetched += [found[key] for key in ("src", "href") if key in found]

    def handle_data(self, text):
        if self.open and self.open[-1] == "h2":
            self.headings.append(text)
            self.open.pop()
        if self.open and self.open[-1] == "code":
            self.codes.append(text)
            self.open.pop()


def test_the_page_is_whole_and_needs_nothing_else(page):
    outline = Outline()
    outline.feed(page)
    assert outline.headings == [section.title for section in SECTIONS]
    assert len(outline.alts) >= len(SECTIONS)
    assert all(alt and len(alt.split()) > 8 for alt in outline.alts)
    assert all(address.startswith("data:image/") for address in outline.fetched)
    assert {f"python -m effnet_edu measure device {section.experiment}" for section in SECTIONS} <= set(
        outline.codes
    )


def test_every_picture_of_the_page_is_well_formed(page):
    outline = Outline()
    outline.feed(page)
    for address in outline.fetched:
        kind, _, content = address.partition(";base64,")
        assert kind == "data:image/svg+xml"
        ElementTree.fromstring(base64.b64decode(content))  # noqa: S314 - our own drawing


def test_records_of_two_devices_are_not_one_page(folder):
    records = read_device(folder)
    other = dataclasses.replace(
        records["networks"], provenance=dataclasses.replace(records["networks"].provenance, device="Other")
    )
    with pytest.raises(ValueError, match="of 2: "):
        device_page({**records, "networks": other})


def test_a_class_has_one_line_a_device_and_no_markup_of_others(folder):
    records = read_device(folder)
    hostile = {
        name: dataclasses.replace(
            record,
            provenance=dataclasses.replace(record.provenance, device="<script>alert(1)</script>"),
            data={"rows": [{"network": "<b>"}]},
        )
        for name, record in records.items()
    }
    page = class_page([records, hostile])
    assert page.count("<tr>") == 3
    assert "<script>" not in page
    assert "<b>" not in page


def test_the_command_merges_and_refuses_an_empty_folder(folder, tmp_path, capsys):
    assert main(["report", "--folder", str(tmp_path), "--merge", str(folder), str(folder)]) == 0
    assert "EfficientNet on 2 devices" in (tmp_path / "report.html").read_text(encoding="utf-8")
    (tmp_path / "empty").mkdir()
    assert main(["report", "--folder", str(tmp_path), "--merge", str(tmp_path / "empty")]) == 2
    assert "holds no measurements" in capsys.readouterr().err


@pytest.mark.parametrize("number", [0, -3.5, float("nan"), 10**400, True, "fast", None, [1], {}])
@pytest.mark.parametrize("experiment", ["networks", "ceilings", "batch_sizes", "resnet50"])
def test_one_folder_with_nonsense_is_named_and_the_others_are_merged(folder, experiment, number):
    good = read_device(folder)
    bad = copy.deepcopy(good[experiment].data)
    for row in bad["rows"]:
        if experiment == "ceilings":
            row["memory"]["per_second"] = 0 if number is True else number
        else:
            row["median_ms"] = number
    spoiled = {**good, experiment: dataclasses.replace(good[experiment], data=bad)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "read_device", lambda place: spoiled if place.name == "bad" else good)
        said = []
        page = report.merged([Path("good"), Path("bad"), Path("good")], said.append)
    assert "EfficientNet on 2 devices" in page
    (line,) = said
    assert line.startswith(f"left out 'bad': {experiment} holds ")
    assert len(line) < 300


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 20_000, '{"kind": "measurement"}'])
def test_one_folder_with_a_damaged_file_is_named_and_the_others_are_merged(folder, tmp_path, text):
    spoiled = tmp_path / "bad"
    shutil.copytree(folder, spoiled)
    (spoiled / "networks.json").write_text(text)
    said = []
    assert "EfficientNet on 1 devices" in report.merged([spoiled, folder], said.append)
    assert len(said) == 1
    assert str(spoiled) in said[0]


def test_the_command_measures_only_what_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("effnet_edu.course.report.extent", lambda _device, _quick: TINY)
    assert main(["measure", "device", "memory_formats", "--device", "cpu", "--folder", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["memory_formats.json"]
    assert main(["measure", "device", "speed", "--device", "cpu", "--folder", str(tmp_path)]) == 2
    assert "experiment is 'speed'" in capsys.readouterr().err


def test_an_engine_is_a_setting_that_the_record_the_page_and_the_table_name(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("effnet_edu.course.report.extent", lambda _device, _quick: TINY)
    asked = ["measure", "device", "batch_sizes", "--device", "cpu", "--folder", str(tmp_path)]
    assert main(asked) == 0
    assert main([*asked, "--engine", "onnxruntime"]) == 0
    assert "measured before" not in capsys.readouterr().out
    record = read_device(tmp_path)["batch_sizes"]
    assert {row["engine"] for row in record.data["rows"]} == {"onnxruntime"}
    assert record.provenance.command == "python -m effnet_edu measure device batch_sizes --engine onnxruntime"
    assert "The networks ran in onnxruntime." in device_page({"batch_sizes": record})
    assert "networks in onnxruntime" in class_page([{"batch_sizes": record}])
    assert main([*asked, "--engine", "tensorrt"]) == 2
    assert "engine is 'tensorrt'" in capsys.readouterr().err


def test_the_recorded_devices_are_whole():
    devices = recorded_devices()
    # An older device keeps what was measured on it; it cannot be asked again.
    assert set(DEVICE_EXPERIMENTS) in map(set, devices.values())
    for name, records in devices.items():
        assert folder_name(records["networks"].provenance.device) == name
        # One network's layers are enough to draw: hundreds of marks each.
        layers = dataclasses.replace(records["layers"], data={"rows": records["layers"].data["rows"][:1]})
        outline = Outline()
        outline.feed(device_page({**records, "layers": layers}))
        assert outline.headings == [section.title for section in SECTIONS if section.experiment in records]


def test_a_page_says_what_a_busy_device_spoiled():
    records = next(iter(recorded_devices().values()))
    (ceilings,) = records["ceilings"].data["rows"]
    row = records["layers"].data["rows"][0]
    fastest = min(row["whole"])
    spoiled = {
        "ceilings": dataclasses.replace(records["ceilings"], data={"rows": [{**ceilings, "crowded": True}]}),
        "layers": dataclasses.replace(
            records["layers"], data={"rows": [{**row, "whole": [fastest, 6 * fastest, 6 * fastest]}]}
        ),
    }
    shown = device_page(spoiled)
    assert f"{row['network']}, batch 1, has no roofline. Other programs kept this device so busy" in shown
    assert "Share of MACs and of time" in shown


def test_folders_are_named_after_devices():
    assert folder_name("NVIDIA H100 80GB HBM3") == "nvidia_h100_80gb_hbm3"
    assert folder_name("../..") == "device"
