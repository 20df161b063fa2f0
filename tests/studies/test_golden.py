"""The code still computes what it computed when the method numbers were set."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch

from effnet_edu.model.cost import cost
from effnet_edu.profiling.repeats import Timing
from effnet_edu.studies.devices import experiments, random_specs
from effnet_edu.studies.devices.experiments import Extent
from effnet_edu.studies.devices.records import recorded_devices
from effnet_edu.studies.record import RESULTS
from effnet_edu.studies.registry import DEVICE_METHODS, list_studies, study
from effnet_edu.studies.result import read
from tests.cases import thorough_but_for
from tests.profiling.made import made_ceilings
from tests.studies.golden_runs import computed, stored

#: Another CPU adds in another order: with the oldest instructions that torch has, losses differ by 0.0005 of
#: themselves at most. A learning rate of 1% more moves them further.
CLOSE = {"rel": 2e-3, "abs": 2e-4}


def compared(value):
    """Return numbers as approximate ones, whatever they stand in; whole numbers stay exact."""
    if isinstance(value, dict):
        return {key: compared(part) for key, part in value.items()}
    if isinstance(value, list):
        return [compared(part) for part in value]
    return pytest.approx(value, **CLOSE) if isinstance(value, float) else value


@pytest.mark.parametrize("name", thorough_but_for(("scaling",), list_studies()))
def test_a_study_computes_what_its_method_number_stands_for(name):
    found = computed(name)
    assert found == compared(stored(name)), (
        f"{name} computes something else than before: take it back, or raise METHOD in its runs.py and run "
        f"`python -m tests.studies.golden_runs {name}`"
    )


def test_another_learning_rate_is_seen(monkeypatch):
    plain = study("small_network")
    (run,) = plain.runs(True)
    recipe = dataclasses.replace(run.recipe, base_learning_rate=1.01 * run.recipe.base_learning_rate)
    changed = (dataclasses.replace(run, recipe=recipe),)
    other = dataclasses.replace(plain, runs=lambda quick: changed if quick else plain.runs(False))
    monkeypatch.setattr("tests.studies.golden_runs.study", lambda _name: other)
    found, before = computed("small_network"), stored("small_network")
    assert found["full"] == compared(before["full"])
    assert found["short"] != compared(before["short"])


@pytest.mark.parametrize("name", list_studies())
def test_recorded_runs_are_the_runs_of_the_study(name):
    if not (RESULTS / f"{name}.json").is_file() or read(name).provenance.method != study(name).method:
        return
    declared = {run.name: run for run in study(name).runs(False)}
    for run in read(name).runs:
        of_today = declared[run["name"]]
        assert (run["macs"], run["parameters"]) == (of_today.macs, of_today.parameters), run["name"]
        assert run["labels"] == of_today.labels


TIME = Timing((0.001, 0.001, 0.001))
#: Columns of a clock or of the memory that was really taken; all others are counted.
MEASURED = {"repeats", "noisy", "speed", "lowest_speed", "highest_speed", "saved_bytes", "threads"}


def counted(rows):
    return [
        {key: value for key, value in row.items() if key not in MEASURED and not key.endswith("_ms")}
        for row in rows
    ]


def a_training_step(network, batch, resolution, **_options):
    return SimpleNamespace(
        forward=TIME,
        backward=TIME,
        seconds=0.003,
        resolution=resolution or network.resolution,
        batch_size=batch,
        saved_bytes=0,
        predicted_saved_bytes=cost(network, resolution).saved_bytes(batch, 4, network.tensorflow),
    )


@pytest.mark.parametrize(
    "experiment", ["memory_formats", "resnet50", "fused_blocks", "fused_networks", "random_networks"]
)
def test_what_a_device_experiment_counts_is_what_was_recorded(experiment, monkeypatch):
    """The same code at the recorded extent, with the clock taken out: what is left must be equal."""
    recorded = [records[experiment] for records in recorded_devices().values() if experiment in records]
    current = [one for one in recorded if one.provenance.method == DEVICE_METHODS[experiment]]
    monkeypatch.setattr(experiments, "time_module", lambda *_arguments, **_options: TIME)
    monkeypatch.setattr(experiments, "profile_training", a_training_step)
    monkeypatch.setattr(random_specs, "measure_ceilings", lambda *_arguments, **_options: made_ceilings())
    monkeypatch.setattr(random_specs, "engine_seconds", lambda *_arguments: {})
    for one in current:
        extent = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in one.data["extent"].items()
        }
        how = Extent(**{**extent, "device": torch.device("cpu")})
        assert counted(experiments.perform(experiment, how)) == counted(one.data["rows"])
