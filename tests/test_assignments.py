"""Lessons as assignments for two graders, and notebooks that were handed in, whatever they do."""

import ast
import csv
from pathlib import Path

import joblib
import nbformat
import pytest

from effnet_edu.__main__ import main
from effnet_edu.course import grading
from effnet_edu.course.assignments import export_assignments, otter_solution
from effnet_edu.exercises import get, list_exercises
from tests.grading import handed_in, made_class


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assignments")
    export_assignments(folder / "nbgrader", "nbgrader")
    export_assignments(folder / "otter", "otter")
    return folder


def test_every_exercise_becomes_a_question_with_its_stub_and_without_its_solution(exported: Path) -> None:
    graded = []
    for path in sorted(exported.glob("nbgrader/source/*/*.ipynb")):
        book = nbformat.read(path, as_version=4)
        nbformat.validate(book)
        marked = {
            cell.metadata["nbgrader"]["grade_id"]: cell for cell in book.cells if "nbgrader" in cell.metadata
        }
        for name in list_exercises(path.stem):
            answer, test = marked[f"answer-{name}"], marked[f"test-{name}"]
            assert answer.source.strip() == get(name).stub().strip()
            assert (answer.metadata["nbgrader"]["solution"], test.metadata["nbgrader"]["grade"]) == (
                True,
                True,
            )
            assert test.metadata["nbgrader"]["points"] in (1, 2, 3)
            graded.append(name)
        for name in list_exercises(path.stem):
            assert all(cell.source.strip() != f'ee.exercises.get("{name}")' for cell in book.cells)
        assert not any(cell.get("outputs") for cell in book.cells)
    assert sorted(graded) == sorted(list_exercises())
    compile((exported / "nbgrader/nbgrader_config.py").read_text(), "config", "exec")


def test_otter_finds_each_solution_between_its_marks(exported: Path) -> None:
    (path,) = exported.glob("otter/02*/*.ipynb")
    raw = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "raw"]
    assert raw[0].startswith("# ASSIGNMENT CONFIG\nname: 02_compound_scaling")
    assert [line.count("BEGIN QUESTION") for line in raw].count(1) == len(list_exercises(path.stem))
    for name in list_exercises():
        tree = ast.parse(otter_solution(get(name)))
        defined = {getattr(node, "name", "") for node in tree.body} | {
            target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
        }
        assert name in defined


def test_an_export_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="new or an empty folder"):
        export_assignments(tmp_path, "otter")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_answers_are_graded_right_wrong_hostile_or_missing(tmp_path: Path, capsys) -> None:
    solved = [get(name).solved() for name in list_exercises("02_compound_scaling")]
    stubs = [get(name).stub() for name in list_exercises("02_compound_scaling")]
    handed_in(tmp_path, "ann", ["this is a draft", *solved])
    handed_in(
        tmp_path, "ben", ["def implied_phi(multiplier, base):\n    return multiplier / base", *stubs[1:]]
    )
    handed_in(
        tmp_path, "cem", ["import os\ndef implied_phi(multiplier, base):\n    os._exit(0)", *solved[1:]]
    )
    handed_in(tmp_path, "dot", ["def implied_phi(multiplier, base):\n    return (", *solved[1:2]])
    handed_in(tmp_path, "eve", ["print('nothing of ours')"])
    (tmp_path / "fay.ipynb").write_text("no notebook")
    assert main(["grade", str(tmp_path), "--jobs", "1"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    states = {
        name: [row["state"] for row in rows if row["notebook"].startswith(name)]
        for name in ("ann", "ben", "cem", "dot", "eve", "fay")
    }
    missing = "not attempted"
    assert states == {
        "ann": ["right"] * 4,
        "ben": ["wrong", *[missing] * 3],
        "cem": ["wrong", *["right"] * 3],
        "dot": [missing, "right", missing, missing],
        "eve": [missing],
        "fay": [missing],
    }
    assert sum(int(row["points"]) for row in rows if row["notebook"].startswith("ann")) == sum(
        int(row["of"]) for row in rows if row["notebook"].startswith("ann")
    )
    said = {
        row["notebook"][:3]: row["message"] for row in rows if row["notebook"][:3] in ("cem", "eve", "fay")
    }
    assert "is no notebook" in said["fay"]
    assert "no cell that answers an exercise" in said["eve"]


def test_a_parameter_is_not_taken_for_a_name_of_the_lesson() -> None:
    answer = "def rounded(x, low):\n    step = low / N\n    return [round(low + k * step) for k in x]"
    assert grading._used(answer) & {"x", "low", "high", "step", "k", "N", "math"} == {"N"}
    assert "x" in grading._used("y = x + 1")


def test_a_mistake_costs_the_answers_below_it_nothing() -> None:
    names = ("OwnSqueezeExcite", "OwnBlock")
    broken = {name: f"def {name}(*_, **__):\n    raise ValueError('mine')" for name in names}
    answers = broken | {"OwnNetwork": get("OwnNetwork").solved()}
    own = grading._needed(get("OwnNetwork").lesson, "OwnNetwork", answers)
    assert grading._judged("OwnNetwork", own).state == "wrong"
    assert grading._checked("OwnNetwork", answers).state == "right"


@pytest.mark.thorough
@pytest.mark.parametrize("lesson", sorted({get(name).lesson for name in list_exercises()}))
def test_every_solution_earns_its_points_with_what_the_lesson_defines_above_it(lesson, tmp_path) -> None:
    handed_in(tmp_path, "one", [get(name).solved() for name in list_exercises(lesson)])
    grades = grading.grade(tmp_path)
    assert [(each.exercise, each.state) for each in grades] == [
        (name, "right") for name in list_exercises(lesson)
    ]


@pytest.mark.thorough
def test_a_class_with_planted_mistakes_is_graded_right(tmp_path: Path) -> None:
    expected = made_class(tmp_path, 16, seed=0)
    grades = grading.grade(tmp_path, jobs=2)
    assert {(each.notebook, each.exercise): each.state for each in grades} == expected


@pytest.mark.thorough
def test_a_class_is_graded_on_a_dask_cluster(tmp_path: Path) -> None:
    from distributed import Client, LocalCluster

    expected = made_class(tmp_path, 3, seed=1)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        grades = grading.grade(tmp_path)
    assert {(each.notebook, each.exercise): each.state for each in grades} == expected


def test_an_empty_folder_is_a_sentence(tmp_path: Path, capsys) -> None:
    assert main(["grade", str(tmp_path)]) == 2
    assert "There is no notebook in" in capsys.readouterr().err
