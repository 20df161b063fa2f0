"""A class that hands in: notebooks with planted mistakes, graded, and how long that takes.

`python -m tests.grading` makes 300 of them and grades them on two cores; a wrong grade ends it with status 1.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import nbformat

from effnet_edu.course.grading import grade
from effnet_edu.exercises import get, list_exercises
from tests.exercises.test_exercises import WRONG

#: In each notebook, where its lesson has as many exercises.
MISTAKES = 3


def handed_in(folder: Path, name: str, cells: list[str]) -> None:
    """Write a learner's notebook."""
    path = folder / name / "lesson.ipynb"
    path.parent.mkdir(parents=True)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(book, path)


def made_class(folder: Path, learners: int, seed: int) -> dict[tuple[str, str], str]:
    """Write a notebook a learner with three planted mistakes; return the state of each answer."""
    random, expected = Random(seed), {}  # noqa: S311
    lessons = sorted({get(name).lesson for name in list_exercises()})
    for number in range(learners):
        learner, lesson = f"learner {number:03}", lessons[number % len(lessons)]
        names = list_exercises(lesson)
        mistaken = random.sample(names, min(MISTAKES, len(names)))
        cells = []
        for name in names:
            wrong = random.choice(WRONG[name])[0]
            if not re.search(rf"^(def|class) {name}\b|^{name} = ", wrong, re.MULTILINE):
                wrong = f"{name} = {wrong}"
            cells.append(wrong if name in mistaken else get(name).solved())
            expected[f"{learner}/lesson.ipynb", name] = "wrong" if name in mistaken else "right"
        handed_in(folder, learner, cells)
    return expected


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.grading")
    parser.add_argument("--learners", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        expected = made_class(Path(folder), chosen.learners, chosen.seed)
        began = time.perf_counter()
        grades = grade(Path(folder), chosen.jobs)
        minutes = (time.perf_counter() - began) / 60
    found = {(each.notebook, each.exercise): each.state for each in grades}
    wrong = [key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)]
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{chosen.learners} notebooks, {len(expected)} answers, {len(wrong)} graded wrong; "
        f"{minutes:.1f} minutes with {chosen.jobs} at a time{load}"
    )
    for key in wrong:
        print(*key, f"is {found.get(key)}, should be {expected.get(key)}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
