"""`make gpu` on a CPU, in its tiny setting: on the day there is a GPU nothing is debugged there."""

import json

import pytest
import torch

from effnet_edu.studies.registry import DEVICE_EXPERIMENTS
from tests.gpu import __main__ as command
from tests.gpu.__main__ import STUDIES, all_pieces
from tests.gpu.bench import PIECES

#: One of each sort; the others run the same code with another name.
SOME = ("measure-memory_formats", "bench-efficientnet_b0_fp32_eager", "tests")


@pytest.mark.thorough
def test_one_piece_of_each_sort_runs_and_is_then_done(tmp_path, capsys):
    words = ["--rehearse", "--folder", str(tmp_path), *SOME]
    failed = command.main(words)
    logs = "\n".join(log.read_text() for log in tmp_path.glob("*.log"))
    assert not failed, capsys.readouterr().out + logs
    results = {path.name: json.loads(path.read_text()) for path in tmp_path.glob("devices/*/*.json")}
    assert set(results) == {"memory_formats.json", "efficientnet_b0_fp32_eager.json"}
    assert results["memory_formats.json"]["data"]["rows"]
    assert results["efficientnet_b0_fp32_eager.json"]["rows"]
    capsys.readouterr()
    assert command.main(words) == 0
    assert capsys.readouterr().out.count("done before") == len(SOME)


def test_without_an_accelerator_only_a_rehearsal_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "default_device", lambda: torch.device("cpu"))
    with pytest.raises(SystemExit, match="2"):
        command.main(["--folder", str(tmp_path)])
    assert "--rehearse runs the same pieces in a tiny setting" in capsys.readouterr().err


@pytest.mark.parametrize("rehearse", [False, True])
def test_all_experiments_networks_and_studies_have_a_piece_under_ten_minutes(tmp_path, rehearse):
    pieces = {piece.name: piece for piece in all_pieces(tmp_path, "A device", rehearse)}
    expected = (
        {f"measure-{name}" for name in DEVICE_EXPERIMENTS} | {f"study-{name}" for name in STUDIES} | {"tests"}
    )
    expected |= {f"bench-{name}" for name in PIECES if not (rehearse and name.endswith("graphs"))}
    assert set(pieces) == expected
    assert all(piece.limit < 600 for piece in pieces.values())
