"""Trainings that are stopped: by a kill, a full disk, a damaged file, Cancel, or another configuration."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file, save_file

import effnet_edu as ee
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.training import loop
from tests.cases import thorough_but_for
from tests.training.easy import RANDOM_RECIPE, TINY, quarters
from tests.training.killed import KILLS

ROOT = Path(__file__).parents[2]
TRAIN, TEST = quarters(64, 0), quarters(32, 1)
SHORT = replace(RANDOM_RECIPE, epochs=2)


def train(folder: Path, recipe: ee.Recipe = SHORT, **options: object) -> ee.training.TrainingRun:
    return ee.train(TINY, TRAIN, TEST, recipe, folder=folder, device="cpu", **options)  # type: ignore[arg-type]


def same_weights(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    one, other = first.state_dict(), second.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def results(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return rows without their times."""
    times = ("images_per_second", "seconds", "seconds_left")
    return [{name: value for name, value in row.items() if name not in times} for row in rows]


def read_rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork and no SIGKILL on Windows")
@pytest.mark.thorough
def test_kills_and_a_full_disk_change_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.killed", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    assert KILLS >= 20
    assert ended["ends"] == [-signal.SIGKILL] * KILLS
    assert (ended["plain"], ended["full"], ended["last"]) == (0, 1, 0), done.stderr
    assert "could not be written" in done.stderr
    assert "is whole" in done.stderr
    plain, killed = tmp_path / "plain", tmp_path / "killed"
    assert results(read_rows(plain)) == results(read_rows(killed))
    one, other = load_file(plain / "network.safetensors"), load_file(killed / "network.safetensors")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not list(killed.glob(".*.partial"))


class Stop:
    """Says yes at the n-th question."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_cancelled_run_goes_on_where_it_was(tmp_path: Path) -> None:
    plain = train(tmp_path / "plain")
    with pytest.raises(Cancelled):
        train(tmp_path / "stopped", watch=Watch(is_cancelled=Stop(7)))  # 4 steps and a test an epoch
    assert [file.name for file in sorted((tmp_path / "stopped").glob("step-*"))] == [
        "step-00000004.safetensors",
        "step-00000006.safetensors",
    ]
    steps: list[int] = []
    resumed = train(tmp_path / "stopped", progress=lambda row: steps.append(row.step))
    assert steps == [8, 8]
    assert same_weights(resumed.network, plain.network)
    assert results([vars(row) for row in resumed.rows]) == results([vars(row) for row in plain.rows])


def test_a_run_that_stopped_between_training_and_testing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = train(tmp_path / "plain")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "evaluate", fail)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", save_seconds=0)
    monkeypatch.undo()
    resumed = train(tmp_path / "stopped")
    assert results([vars(row) for row in resumed.rows]) == results([vars(row) for row in plain.rows])
    assert same_weights(resumed.network, plain.network)


def test_a_finished_run_is_returned_as_it_was(tmp_path: Path) -> None:
    first = train(tmp_path)
    told: list[object] = []
    again = train(tmp_path, progress=told.append)
    assert told == []
    assert again.rows == first.rows
    assert (again.seconds, again.peak_memory_bytes) == (first.seconds, first.peak_memory_bytes)
    assert same_weights(again.network, first.network)


@pytest.mark.parametrize("damage", thorough_but_for(("shorter",), ("shorter", "zeros", "empty")))
def test_a_damaged_newest_state_gives_way_to_the_one_before(tmp_path: Path, damage: str) -> None:
    plain = train(tmp_path / "plain")
    with pytest.raises(Cancelled):
        train(tmp_path / "damaged", watch=Watch(is_cancelled=Stop(7)))
    newest = sorted((tmp_path / "damaged").glob("step-*"))[-1]
    content = newest.read_bytes()
    end = {"shorter": b"", "zeros": bytes(500), "empty": b""}[damage]
    newest.write_bytes(b"" if damage == "empty" else content[:-500] + end)
    steps: list[int] = []
    resumed = train(tmp_path / "damaged", save_seconds=0, progress=lambda row: steps.append(row.step))
    assert steps[0] == 5
    assert same_weights(resumed.network, plain.network)


CUT = """
import json, os, sys
from effnet_edu.ground import safetensors_file as read
path = read.Path(sys.argv[1])
parse = json.loads
read.json.loads = lambda text: (os.truncate(path, 100), parse(text))[1]
print(sum(tensor.sum().item() for tensor in read.tensors_and_notes(path)[0].values()))
"""


@pytest.mark.thorough
def test_a_state_that_another_program_cuts_while_it_is_read_ends_nothing(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2**20)}, tmp_path / "step.safetensors", {"note": "1"})
    done = subprocess.run(
        [sys.executable, "-c", CUT, str(tmp_path / "step.safetensors")], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"1048576.0\n"), done.stderr
    assert not []


@pytest.mark.parametrize("header", [b"[" * 10**5, b"3", b"{}", b'{"__metadata__": []}', b"\xff"])
def test_a_state_whose_notes_are_none_is_damaged(tmp_path: Path, header: bytes) -> None:
    state = tmp_path / "step-00000001.safetensors"
    state.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ValueError, match=r"No state in .* is whole: step-00000001"):
        train(tmp_path)


def test_a_state_holds_tensors_and_json_alone(tmp_path: Path) -> None:
    train(tmp_path)
    states = sorted(tmp_path.glob("step-*"))
    assert len(states) == 2
    tensors = load_file(states[-1])  # safetensors cannot hold anything else
    assert {name.split(".")[0] for name in tensors} == {"network", "average", "optimizer"}
    assert {file.suffix for file in tmp_path.iterdir() if file.suffix} <= {
        ".safetensors",
        ".json",
        ".jsonl",
        ".csv",
    }
    assert len(read_rows(tmp_path)) == 2
    assert (tmp_path / "rows.csv").read_text().count("\n") == 3


@pytest.mark.parametrize(
    ("recipe", "options", "sentence"),
    [
        (
            replace(SHORT, base_learning_rate=0.2),
            {},
            r"recipe\.base_learning_rate 0\.4 \(this one has 0\.2\)",
        ),
        (SHORT, {"seed": 1}, r"seed 0 \(this one has 1\)"),
        (SHORT, {"resolution": 24}, r"resolution 16 \(this one has 24\)"),
    ],
)
def test_another_configuration_is_refused_by_name(
    tmp_path: Path, recipe: ee.Recipe, options: dict[str, int], sentence: str
) -> None:
    train(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        train(tmp_path, recipe, **options)


@pytest.mark.thorough
@pytest.mark.parametrize("lost", ["lost", "copied from another run"])
def test_a_state_knows_its_configuration_without_the_file(tmp_path: Path, lost: str) -> None:
    other = replace(SHORT, base_learning_rate=0.2)
    train(tmp_path / "run")
    (tmp_path / "run" / "configuration.json").unlink()
    if lost != "lost":
        train(tmp_path / "other", other)
        (tmp_path / "other" / "configuration.json").rename(tmp_path / "run" / "configuration.json")
    with pytest.raises(ValueError, match=r"recipe\.base_learning_rate 0\.4 \(this one has 0\.2\)"):
        train(tmp_path / "run", other)
    if lost == "lost":
        assert not (tmp_path / "run" / "configuration.json").exists()
        train(tmp_path / "run")  # the same one goes on, and the file is there again
        assert (tmp_path / "run" / "configuration.json").exists()


@pytest.mark.parametrize("content", ["", "[]", "3", '{"recipe":', "\x00"])
def test_a_damaged_configuration_names_itself(tmp_path: Path, content: str) -> None:
    (tmp_path / "configuration.json").write_text(content)
    with pytest.raises(ValueError, match=r"configuration\.json is empty, damaged or of another kind"):
        train(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with a name there")
def test_a_pipe_or_a_file_without_end_in_its_place_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "configuration.json"
    os.mkfifo(file)
    with pytest.raises(ValueError, match=r"configuration\.json is empty, damaged or of another kind"):
        train(tmp_path)
    file.unlink()
    file.touch()
    os.truncate(file, 2**40)
    with pytest.raises(ValueError, match=r"configuration\.json is empty, damaged or of another kind"):
        train(tmp_path)


def test_states_of_which_none_is_whole_are_named_and_kept(tmp_path: Path) -> None:
    train(tmp_path)
    states = sorted(tmp_path.glob("step-*"))
    for state in states:
        state.write_bytes(b"")
    with pytest.raises(ValueError, match=rf"No state in .* is whole: {states[-1].name}, {states[0].name}"):
        train(tmp_path)
    assert sorted(tmp_path.glob("step-*")) == states


def test_other_images_or_weights_are_refused(tmp_path: Path) -> None:
    train(tmp_path)
    with pytest.raises(ValueError, match=r"train_images\.digest"):
        ee.train(TINY, replace(quarters(64, 5), name=TRAIN.name), TEST, SHORT, folder=tmp_path, device="cpu")
    with pytest.raises(ValueError, match=r"holds a training with weights"):
        ee.train(ee.create(TINY, 4), TRAIN, TEST, SHORT, folder=tmp_path, device="cpu")


def test_two_trainings_never_share_a_folder(tmp_path: Path) -> None:
    with FileLock(tmp_path / ".lock"), pytest.raises(ValueError, match="Another process is training"):
        train(tmp_path)
