"""One training in two processes, started by torchrun, is the training that one process does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from tests.training.in_processes import train

ROOT = Path(__file__).parents[2]
TORCHRUN = [
    *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"),
]


def in_two_processes(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*TORCHRUN, *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    done = in_two_processes("-m", "tests.training.in_processes", str(folder))
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "processes" in line]
    assert len(lines) == 2
    assert lines[0] == lines[1]
    assert lines[0].startswith("2 processes")
    return folder


def test_two_processes_follow_the_curve_of_one(folder: Path, tmp_path: Path) -> None:
    alone = train(tmp_path)
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == len(alone.rows)
    for there, here in zip(rows, alone.rows, strict=True):
        assert there["train_loss"] == pytest.approx(here.train_loss, rel=1e-4)
        assert there["test_loss"] == pytest.approx(here.test_loss, rel=1e-3)
        assert there["learning_rate"] == here.learning_rate
        assert there["train_accuracy"] == pytest.approx(here.train_accuracy, abs=1 / 128 + 1e-9)
    one, other = load_file(tmp_path / "network.safetensors"), load_file(folder / "network.safetensors")
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=1e-3)


def test_statistics_of_half_a_batch_would_have_been_seen(folder: Path, tmp_path: Path) -> None:
    """Batch norm over each half alone, as in accumulation, gives another curve: the check above can fail."""
    halves = train(tmp_path, accumulation=2)
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert halves.rows[0].train_loss != pytest.approx(rows[0]["train_loss"], rel=1e-3)


def test_one_process_does_not_go_on_with_the_training_of_two(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"processes 2 \(this one has 1\)"):
        train(folder)


def test_shared_batch_norm_of_one_process_is_batch_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    from effnet_edu.training import processes

    monkeypatch.setattr(processes.dist, "get_world_size", lambda: 1)
    monkeypatch.setattr(processes, "_sum", lambda values: values)
    plain, shared = nn.BatchNorm2d(3, 1e-3, 0.2), processes.SharedBatchNorm(3, 1e-3, 0.2)
    x = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0)) * 3 + 1
    inputs = x.clone().requires_grad_(), x.clone().requires_grad_()
    for norm, each in zip((plain, shared), inputs, strict=True):
        (norm(each) ** 3).sum().backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(plain.running_var, shared.running_var)
    torch.testing.assert_close(plain.running_mean, shared.running_mean)
    torch.testing.assert_close(plain.eval()(x), shared.eval()(x))


def test_processes_agree_only_when_they_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clocks differ between processes: who saves or stops alone would wait for the others for ever."""
    from effnet_edu.training import processes

    def gather(found: list[object], here: object) -> None:
        found[:] = [here, True]

    monkeypatch.setattr(processes.dist, "all_gather_object", gather)
    two, alone = processes.Processes(0, 2), processes.Processes()
    assert two.agree(False, is_meeting=True)
    assert not two.agree(True, is_meeting=False)
    assert alone.agree(True, is_meeting=False)
    assert not alone.agree(False, is_meeting=True)
    with pytest.raises(ValueError, match=r"The processes found the steps \[7, True\]"):
        two.check_equal("step", 7)
