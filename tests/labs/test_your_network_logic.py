"""The lab of your own network: what it counts is what is built, and what it measures is what it says."""

import csv
import io

import pytest
import torch

import effnet_edu as ee
from effnet_edu.checkpoints.create import create
from effnet_edu.labs.frame.logic import Record
from effnet_edu.labs.frame.page import Page
from effnet_edu.labs.your_network import measured
from effnet_edu.labs.your_network.numbers import (
    BITS,
    CLASSES,
    FRESH,
    NETWORK,
    PICTURES,
    POOL,
    PRECISION,
    SIDE,
    LabelsFound,
    PrecisionFound,
    YourNetworkSetting,
    feature_count,
    learned,
    weight_bytes,
)
from effnet_edu.model.inference import fold_batch_norm
from effnet_edu.profiling.repeats import Timing
from effnet_edu.training.classifier import with_classifier

TIME = Timing((0.1, 0.2, 0.3))


def numbers(logic):
    return {number.name: number.value for section in logic.shown() for number in section.numbers}


def test_what_is_counted_is_what_the_built_network_has():
    network = with_classifier(create(NETWORK, device="meta"), len(CLASSES))
    assert learned("Lite0") == sum(p.numel() for p in network.classifier.parameters())
    assert learned("pixels") == (16 * 16 * 3 + 1) * len(CLASSES)
    folded = with_classifier(create(NETWORK, device="cpu").eval(), len(CLASSES))
    fold_batch_norm(folded)
    weights = [p for p in folded.parameters() if p.ndim > 1]
    biases = [p for p in folded.parameters() if p.ndim == 1]
    assert weight_bytes("fp32") == 4 * sum(p.numel() for p in (*weights, *biases))
    assert weight_bytes("int8") == sum(p.numel() for p in weights) + 8 * sum(p.numel() for p in biases)


def test_a_page_counts_both_parts_and_says_what_was_recorded():
    logic = Page("YourNetworkLab").logic
    few = numbers(logic)
    logic.pictures = 30
    many = numbers(logic)
    assert many["labelled pictures"] == 3 * few["labelled pictures"] == 120
    assert many["MACs of all features"] == pytest.approx(3 * few["MACs of all features"])
    study = ee.studies.read("pretrained")
    wanted = 100 * sum(study.values("accuracy", way="frozen", pictures=30)) / len(study.provenance.seeds)
    assert many["recorded, frozen"] == pytest.approx(wanted)
    logic.part, logic.precision = PRECISION, "int8"
    assert numbers(logic)["times smaller"] == pytest.approx(weight_bytes("fp32") / weight_bytes("int8"))


@pytest.fixture
def stand_in(monkeypatch):
    """Features that tell the classes apart by themselves, in place of those of a network."""

    def features(_network, images, **_options):
        noise = torch.randn(len(images), 8, generator=torch.Generator().manual_seed(len(images)))
        return 3 * torch.nn.functional.one_hot(images.labels, 8) + noise

    monkeypatch.setattr(measured, "frozen_features", features)
    monkeypatch.setattr(measured, "_network", lambda: None)


def test_more_labelled_pictures_of_each_class_are_what_the_classifier_learns_from(stand_in):
    logic = measured.MeasuredYourNetwork(device="cpu", pictures=1)
    accuracies = []
    for pictures in (1, 30):
        logic.pictures = pictures
        logic.request()
        assert logic.wait(120)
        found = logic.latest.measurement
        assert len(found.accuracies) == 5
        accuracies.append(found.accuracy.mean)
    assert accuracies[1] > accuracies[0] + 0.02
    assert accuracies[1] > 0.9
    more = 100 * (accuracies[1] - accuracies[0])
    assert logic.screen().finding == (
        f"With 30 pictures a class, {accuracies[1]:.1%} of fresh pictures are named correctly: {more:.1f} "
        f"points more than with 1, {more / 29:+.2f} for each picture."
    )


def test_each_choice_has_so_many_of_each_class_and_another_seed_others():
    labels = torch.arange(len(CLASSES)).repeat(POOL)
    first, second = (measured._chosen(labels, 7, seed) for seed in (0, 1))
    assert labels[first].bincount().tolist() == [7] * len(CLASSES)
    assert len(set(first.tolist())) == 7 * len(CLASSES)
    assert set(first.tolist()) != set(second.tolist())


def test_an_interval_of_accuracies_ends_at_none_and_all():
    found = LabelsFound((1.0, 1.0, 0.9), TIME)
    assert found.accuracy.high == 1.0
    assert LabelsFound((0.0, 0.1), TIME).accuracy.low == 0.0


def test_the_parts_keep_their_measurements_apart(unmeasured):
    logic = measured.MeasuredYourNetwork(device="cpu")
    setting = YourNetworkSetting(PICTURES, 10, "Lite0", "fp32", "cpu")
    logic.history = (Record(setting, LabelsFound((0.7, 0.8), TIME)),)
    assert logic.is_fresh
    logic.precision = "int8"  # which the labels do not depend on
    assert logic.is_fresh
    logic.part = PRECISION
    assert not logic.is_fresh
    for precision in BITS:
        found = PrecisionFound(2**20, TIME, (True, False) * 80)
        logic.history = (*logic.history, Record(logic.setting, found))
        logic.precision = precision
    assert "80 of 160 fresh pictures" in logic.screen().finding
    rows = list(csv.DictReader(io.StringIO(logic.csv())))
    assert [row["file, MiB"] for row in rows] == ["", "1.0", "1.0"]
    assert all(None not in row and None not in row.values() for row in rows)


@pytest.mark.parametrize(
    ("right", "seconds", "said"),
    [
        (140, 0.05, "Ship int8: it is smaller, faster in onnxruntime here and as accurate"),
        (140, 0.25, "Ship int8: it is smaller, no faster"),
        (120, 0.05, "int8 is less accurate on the same pictures (-12.5 points"),
    ],
)
def test_two_precisions_are_weighed_by_size_time_and_the_same_pictures(unmeasured, right, seconds, said):
    logic = measured.MeasuredYourNetwork(device="cpu", part=PRECISION)
    times = {"fp32": Timing((0.1, 0.1, 0.1)), "int8": Timing((seconds,) * 3)}
    for precision, correct in {"fp32": 140, "int8": right}.items():
        found = PrecisionFound(2**20, times[precision], tuple(n < correct for n in range(FRESH)))
        logic.precision = precision
        assert "Recorded" in logic.screen().aside
        logic.history = (*logic.history, Record(logic.setting, found))
        bars = {mark.key for mark in logic.screen().charts.marks if mark.key.endswith("/bar")}
        assert ("size/int8/bar" in bars) == (precision == "int8")  # what is only computed is no file
    assert logic.screen().aside.startswith(said)
    pace = {0.05: "is named 2 times as fast.", 0.25: "takes 2.5 times as long."}[seconds]
    assert f"and a picture {pace}" in logic.screen().finding
    (accuracy,) = (number for number in logic.measured(logic.latest) if number.name == "accuracy")
    low, high = accuracy.interval
    assert low < 100 * right / FRESH < high


@pytest.mark.thorough
def test_int8_is_smaller_and_answers_nearly_the_same():
    logic = measured.MeasuredYourNetwork(device="cpu", part=PRECISION)
    for precision in BITS:
        logic.precision = precision
        logic.request()
        assert logic.wait(300)
        assert logic.status.state == "measured", logic.status.message
    plain, rounded = (record.measurement for record in logic.history[-2:])
    assert 3 < plain.file_bytes / rounded.file_bytes < 4
    assert plain.correct > 0.7 * FRESH
    assert abs(plain.correct - rounded.correct) < 0.1 * FRESH
    assert plain.file_bytes == pytest.approx(weight_bytes("fp32"), rel=0.02)
    assert rounded.file_bytes == pytest.approx(weight_bytes("int8"), rel=0.1)
    assert feature_count("Lite0") == 1280
    assert SIDE == 96
