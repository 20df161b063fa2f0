import csv
import json
import os
import subprocess
import sys

import pytest

from effnet_edu import exercises
from effnet_edu.exercises.record import progress_file

RIGHT = 385_195_456


@pytest.fixture(autouse=True)
def nothing_done():
    exercises.reset_progress()


def state(name):
    return next(task for task in exercises.progress().tasks if task.name == name)


def test_at_first_nothing_is_attempted_and_every_task_is_listed():
    progress = exercises.progress()
    assert {task.state for task in progress.tasks} == {"not attempted"}
    assert [t.name for t in progress.tasks if t.kind == "exercise"] == exercises.list_exercises()
    assert progress.right()[0] == 0
    assert not progress.path.exists()


def test_checks_are_kept_and_right_stays_right():
    exercise = exercises.get("lite0_macs")
    exercise.check(...)
    assert state("lite0_macs").tries == 0
    exercise.check(1)
    assert (state("lite0_macs").state, state("lite0_macs").tries) == ("wrong", 1)
    exercise.check(RIGHT)
    since = state("lite0_macs").right_since
    exercise.check(2)
    assert (state("lite0_macs").state, state("lite0_macs").tries) == ("right", 3)
    assert state("lite0_macs").right_since == since != ""


def test_answers_of_a_quiz_are_kept():
    view = exercises.quiz("02_compound_scaling").questions[1]
    right = [choice.right for choice in exercises.quiz_of("02_compound_scaling").questions[1].choices].index(
        True
    )
    view.button.click()
    assert exercises.progress().right("question") == (0, exercises.progress().right("question")[1])
    view.choice.value = right
    view.button.click()
    assert exercises.progress().right("question", "02_compound_scaling")[0] == 1


def test_the_table_says_how_much_is_done():
    exercises.get("lite0_macs").check(RIGHT)
    html = exercises.progress()._repr_html_()
    done = exercises.progress().right("exercise", "00_start_here")
    assert f"1 of {done[1]} <span aria-hidden='true'>" in html
    assert f"#009E73 {100 // done[1]}%" in html
    assert "<span title='Count a network: right'>✓</span>" in html
    assert exercises.progress().path == progress_file()
    assert "00_start_here: 1 of" in str(exercises.progress())


def test_a_teacher_gets_csv_or_json(tmp_path):
    exercises.get("lite0_macs").check(RIGHT)
    progress = exercises.progress()
    rows = list(csv.DictReader(progress.export(tmp_path / "anna.csv").open(encoding="utf-8")))
    loaded = json.loads(progress.export(str(tmp_path / "anna.json")).read_text(encoding="utf-8"))
    assert len(rows) == len(loaded) == len(progress.tasks)
    assert [row["name"] for row in rows if row["state"] == "right"] == ["lite0_macs"]
    assert [row["tries"] for row in loaded if row["state"] == "right"] == [1]
    with pytest.raises(ValueError, match=r"must end in \.csv or \.json"):
        progress.export(tmp_path / "anna.xlsx")


def test_reset_forgets_everything():
    exercises.get("lite0_macs").check(RIGHT)
    exercises.reset_progress()
    exercises.reset_progress()
    assert exercises.progress().right()[0] == 0


DEEP = '{"exercises": ' + "[" * 100_000 + "]" * 100_000 + ', "answers": {}}'
ENTRY = '{"exercises": {"lite0_macs": %s}, "answers": {}}'
DAMAGED = {
    "empty": "",
    "cut": "{",
    "a list": "[]",
    "no text": "\x00\x07",
    "deep": DEEP,
    "huge": " " * 5_000_000,
    "null": '{"exercises": null, "answers": {}}',
    "answers in a list": '{"exercises": {}, "answers": [1]}',
    "a number for a quiz": '{"exercises": {}, "answers": {"00_start_here": 3}}',
    "a number": ENTRY % "1",
    "tries as text": ENTRY % '{"tries": "7", "right_since": null}',
    "tries as truth": ENTRY % '{"tries": true, "right_since": null}',
    "negative": ENTRY % '{"tries": -1, "right_since": null}',
    "400 digits": ENTRY % ('{"tries": %s, "right_since": null}' % ("9" * 400)),
    "a fraction": ENTRY % '{"tries": 1.5, "right_since": null}',
    "NaN": ENTRY % '{"tries": NaN, "right_since": null}',
    "a number as time": ENTRY % '{"tries": 1, "right_since": 17}',
    "no time": ENTRY % '{"tries": 1}',
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_never_blocks_a_check_and_is_put_aside(tmp_path, monkeypatch, kind):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("EFFNET_EDU_PROGRESS", str(path))
    for name in ("progress.damaged.json", "progress.damaged-2.json"):  # the second does not replace the first
        path.write_text(DAMAGED[kind], encoding="utf-8")
        assert exercises.progress().right()[0] == 0
        assert "is damaged" in str(exercises.progress())
        outcome = exercises.get("lite0_macs").check(RIGHT)
        assert outcome.state == "right"
        assert "cannot be kept" not in outcome.message
        assert exercises.progress().right()[0] == 1
        assert exercises.progress().hindrance == ""
        assert (tmp_path / name).read_text(encoding="utf-8") == DAMAGED[kind]
        path.unlink()
    assert not list(tmp_path.glob("*.partial"))


def test_what_is_whole_of_a_damaged_file_is_kept():
    exercises.get("lite0_macs").check(RIGHT)
    path = progress_file()
    record = json.loads(path.read_text(encoding="utf-8"))
    record["exercises"]["implied_phi"] = "a wrong type"
    record["from a newer version"] = [1]
    path.write_text(json.dumps(record), encoding="utf-8")
    assert state("lite0_macs").state == "right"
    exercises.get("feature_side").check(lambda *_: 0)
    assert state("lite0_macs").state == "right"
    assert json.loads(path.read_text(encoding="utf-8"))["from a newer version"] == [1]


def test_a_link_stays_a_link(tmp_path, monkeypatch):
    link, kept = tmp_path / "progress.json", tmp_path / "elsewhere" / "mine.json"
    kept.parent.mkdir()
    link.symlink_to(kept)
    monkeypatch.setenv("EFFNET_EDU_PROGRESS", str(link))
    exercises.get("lite0_macs").check(RIGHT)
    kept.write_text("{", encoding="utf-8")
    exercises.get("lite0_macs").check(RIGHT)
    assert link.is_symlink()
    assert exercises.progress().right()[0] == 1
    exercises.reset_progress()
    assert link.is_symlink()
    assert exercises.progress().right()[0] == 0


def _a_folder(path):
    (path / "inside").mkdir(parents=True)


def _a_circle(path):
    path.symlink_to(path)


def _a_file_in_the_way(path):
    path.parent.rmdir()
    path.parent.write_text("in the way", encoding="utf-8")


@pytest.mark.parametrize("hinder", [_a_folder, _a_circle, _a_file_in_the_way])
def test_where_nothing_can_be_kept_the_check_works_and_says_so(monkeypatch, tmp_path, hinder):
    path = tmp_path / "folder" / "progress.json"
    path.parent.mkdir()
    hinder(path)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setenv("EFFNET_EDU_PROGRESS", str(path))
    outcome = exercises.get("lite0_macs").check(RIGHT)
    assert outcome.state == "right"
    assert outcome.message.count("Your progress cannot be kept") == 1
    assert exercises.progress().right()[0] == 0
    assert [file for file in sorted(tmp_path.rglob("*")) if file.suffix != ".lock"] == before
    view = exercises.quiz("00_start_here").questions[0]
    view.choice.value = 0
    view.button.click()
    assert "cannot be kept" in view.verdict.value


def test_a_killed_program_leaves_nothing_behind():
    exercises.get("lite0_macs").check(1)
    left = progress_file().with_name(f".{progress_file().name}.0123abcd.partial")
    left.write_text("{", encoding="utf-8")
    exercises.get("lite0_macs").check(RIGHT)
    assert not left.exists()
    assert state("lite0_macs").tries == 2


@pytest.mark.thorough
def test_notebooks_that_check_at_once_lose_nothing():
    code = (
        "from effnet_edu.exercises import get\n"
        "for _ in range(20): get('implied_phi').check(lambda multiplier, base: 1.0)"
    )
    started = [subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ)) for _ in range(2)]
    assert [process.wait(120) for process in started] == [0, 0]
    assert state("implied_phi").tries == 40


def test_without_a_variable_it_lies_in_the_learners_home(monkeypatch, tmp_path):
    monkeypatch.delenv("EFFNET_EDU_PROGRESS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert progress_file() == tmp_path / "effnet_edu" / "progress.json"
