import dataclasses
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import effnet_edu as ee
from effnet_edu.__main__ import main
from effnet_edu.profiling.ceilings import METHOD as CEILINGS_METHOD
from effnet_edu.studies import check, record, registry
from effnet_edu.studies.provenance import begin
from effnet_edu.studies.record import Record, RecordError

PACKAGE = Path(ee.__file__).parent


@pytest.fixture
def made():
    provenance = begin(3, torch.device("cpu"), seeds=(0, 1), note="alone")
    return Record("measurement", "made", provenance.finished(1.5, 2**20), {"rows": [[1, 0.5], [2, None]]})


def test_a_record_comes_back_as_it_was_written(made, tmp_path):
    path = record.write(made, tmp_path)
    assert record.read("made", tmp_path).provenance == made.provenance
    assert record.read("made", tmp_path).data == made.data
    assert record.list_records(tmp_path) == ("made",)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_provenance_says_where_it_came_from(made):
    found = made.provenance
    assert found.method == 3
    assert found.versions["torch"] == torch.__version__
    assert found.versions["effnet_edu"] == ee.__version__
    assert found.started.endswith("+00:00")
    assert found.driver is None
    assert str(PACKAGE.parent) not in found.command
    head = subprocess.run(
        ["git", "-C", str(PACKAGE), "rev-parse", "HEAD"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.commit == (head.stdout.strip() if head.returncode == 0 else None)


def test_a_result_that_cannot_be_written_leaves_the_old_one(made, tmp_path):
    record.write(made, tmp_path)
    for wrong in (float("nan"), float("inf"), torch.zeros(1)):
        with pytest.raises(ValueError, match=r"made.data.rows\[1\] is "):
            record.write(Record("measurement", "made", made.provenance, {"rows": [1, wrong]}), tmp_path)
    assert record.read("made", tmp_path).data == made.data
    assert len(list(tmp_path.iterdir())) == 1


def changed(path, change):
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found.update(format=1), "format 2"),
        (lambda found: found.pop("data"), "data"),
        (lambda found: found.update(more=1), "more"),
        (lambda found: found.update(kind="guess"), "kind is 'guess'"),
        (lambda found: found.update(name="other"), "other"),
        (lambda found: found.pop("data_sha256"), "data_sha256"),
        (lambda found: found["provenance"].pop("device"), "device"),
        (lambda found: found["provenance"].update(wall_seconds="long"), "wall_seconds is 'long'"),
        (lambda found: found["provenance"].update(wall_seconds=True), "wall_seconds is True"),
        (lambda found: found["provenance"].update(method=0), "method is 0"),
        (lambda found: found["provenance"]["versions"].update(torch=5), "versions is .*, which is not"),
        (lambda found: found["provenance"].update(seeds=["0"]), r"seeds is \['0'\], which is not"),
        (lambda found: found["provenance"].update(seeds=[True]), r"seeds is \[True\], which is not"),
        (lambda found: found["provenance"].update(method="x" * 10_000), r"method is 'x{9,}\.\.\.x+', which"),
        (lambda found: found["data"]["rows"][0].__setitem__(1, 0.99), "was changed after it was written"),
        (lambda found: found["data"].pop("rows"), "was changed after it was written"),
        (lambda found: found["data"]["rows"].append(float("nan")), "it holds NaN"),
        (lambda found: found["data"].update(rows=-float("inf")), "it holds -Infinity"),
    ],
)
def test_a_damaged_record_is_refused_with_what_is_wrong(made, tmp_path, change, said):
    changed(record.write(made, tmp_path), change)
    with pytest.raises(RecordError, match=said) as refused:
        record.read("made", tmp_path)
    assert "\n" not in str(refused.value)


def test_half_a_file_and_no_file_are_told_apart(made, tmp_path):
    text = record.write(made, tmp_path).read_text()
    (tmp_path / "made.json").write_text(text[: len(text) // 2])
    with pytest.raises(RecordError, match=r"made.json is damaged"):
        record.read("made", tmp_path)
    with pytest.raises(FileNotFoundError, match="recorded here: made"):
        record.read("nothing", tmp_path)


def test_a_file_that_no_result_fills_is_not_read_to_its_end(made, tmp_path):
    os.truncate(record.write(made, tmp_path), 2**40)
    with pytest.raises(RecordError, match=r"made.json is damaged: made.json is larger than 33,554,432 bytes"):
        record.read("made", tmp_path)


def test_layout_is_not_content(made, tmp_path):
    path = record.write(made, tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4, sort_keys=True))
    assert record.read("made", tmp_path) == made


@pytest.fixture
def recorded(tmp_path):
    """A copy of one recorded study and one recorded measurement."""
    device = next(iter(record.RESULTS.glob("devices/*")))
    for path in (record.RESULTS / "fused.json", device / "ceilings.json"):
        copy = tmp_path / path.relative_to(record.RESULTS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return tmp_path


def said(folder):
    return {verdict.name.split("/")[-1]: verdict for verdict in check.verdicts(folder)}


def test_a_record_older_than_its_method_is_told_as_advice(recorded, monkeypatch, capsys):
    monkeypatch.setattr(check, "RESULTS", recorded)
    assert {one.sentence for one in said(recorded).values()} == {"up to date, method 1"}
    fused = registry.study("fused")
    monkeypatch.setattr(check, "study", lambda _name: dataclasses.replace(fused, method=2))
    monkeypatch.setitem(registry.DEVICE_METHODS, "ceilings", 3)
    assert main(["study", "--check"]) == 0
    told = capsys.readouterr().out
    assert "fused: older than its method: 1, now 2; `python -m effnet_edu study fused` makes it again" in told
    assert "/ceilings: older than its method: 1, now 3;" in told


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda found: found["data"]["runs"][3].update(accuracy=0.99), "was changed"),
        (lambda found: found["data"]["runs"][3].pop("accuracy"), "was changed"),
        (lambda found: found["data"]["runs"][3].update(accuracy=float("nan")), "NaN"),
    ],
)
def test_an_edited_study_is_told_by_the_check_beside_the_others(recorded, change, cause, monkeypatch, capsys):
    monkeypatch.setattr(check, "RESULTS", recorded)
    changed(recorded / "fused.json", change)
    assert main(["study", "--check"]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("fused: fused.json")
    assert cause in first
    assert second.endswith("ceilings: up to date, method 1")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda runs: runs[2].pop("accuracy"), r"runs\[2\] has no 'accuracy'"),
        (lambda runs: runs[2].update(labels={"seed": 0}), r"runs\[2\] has other labels"),
        (lambda runs: runs.clear(), "not the result of a study"),
    ],
)
def test_a_study_with_a_run_that_is_not_whole_is_refused_in_one_sentence(recorded, change, cause):
    found = record.read("fused", recorded)
    change(found.data["runs"])
    record.write(found, recorded)
    with pytest.raises(RecordError, match=cause):
        ee.studies.read("fused", recorded)
    assert said(recorded)["fused"].is_damaged


def test_all_recorded_results_are_whole():
    assert not [one for one in check.verdicts() if one.is_damaged]


def test_code_may_be_renamed_moved_and_reworded(recorded, tmp_path):
    """The whole package under another name, with a function and messages of other words."""
    moved = tmp_path / "code" / "renamed"
    for path in (path for ending in ("py", "pyi") for path in PACKAGE.rglob(f"*.{ending}")):
        copy = moved / path.relative_to(PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8").replace("effnet_edu", "renamed")
        copy.write_text(text.replace("train_and_keep", "trained").replace(" it must be ", " make it "))
    program = f"""
        from pathlib import Path
        from renamed.studies.check import verdicts
        print({{verdict.sentence for verdict in verdicts(Path({str(recorded)!r}))}})
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=moved.parent,
        env={**os.environ, "PYTHONPATH": str(moved.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "{'up to date, method 1'}", done.stderr


def test_the_ceilings_have_one_method_number():
    assert registry.DEVICE_METHODS["ceilings"] == CEILINGS_METHOD
