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
    assert f"1 of {done[1]} <span aria-hidden='true'><span title='Count a network: right'>" in html
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


def test_a_damaged_file_is_put_aside():
    path = progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    for damaged in ("{", "[]", '{"exercises": {"lite0_macs": 1}, "answers": {}}'):
        path.write_text(damaged, encoding="utf-8")
        assert exercises.progress().right()[0] == 0
        assert exercises.get("lite0_macs").check(RIGHT).state == "right"
        assert exercises.progress().right()[0] == 1
        assert path.with_suffix(".damaged.json").read_text(encoding="utf-8") == damaged


def test_where_nothing_can_be_written_the_check_still_works(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("EFFNET_EDU_PROGRESS", str(tmp_path / "file" / "progress.json"))
    assert exercises.get("lite0_macs").check(RIGHT).state == "right"


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
