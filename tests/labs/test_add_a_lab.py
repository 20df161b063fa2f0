"""docs/add_a_lab.md, followed to the letter in a copy of the library: the lab lives on the site too."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import effnet_edu as ee

ROOT = Path(__file__).parents[2]
PACKAGE = Path(ee.__file__).parent
PAGE = (ROOT / "docs" / "add_a_lab.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TOLD = re.compile(r"^print\(.*\)  # (.+)$", re.MULTILINE)
#: What the site, the demo and the browser tests make of the labs in the list.
ASK = """
from effnet_edu.labs.shelf import Shelf
from tests.browser.cases import LABS
from website import live, lessons
html = live.page_of("SideLab")
for part in ("# The side lab", 'data-setting="resolution"', '<input type="range"', "An image of 224 by"):
    assert part in html, part
assert 'data-setting="batch_size"' not in html  # only a measurement depends on it
assert lessons.LIVE["SideLab"] == "side_lab"
assert "effnet_edu/labs/side/exact.py" in live.packed()
assert "effnet_edu/labs/side/measured.py" not in live.packed()
shelf = Shelf()
shelf.choice.value = "SideLab"
assert "What do larger images cost?" in shelf.children[1].value
assert shelf.children[2] is shelf.built["SideLab"]
(case,) = [case for case in LABS if case.lab == "SideLab"]
assert case.slider == "ee-resolution"
"""


def follow(folder: Path) -> str:
    """Write the files of the page into a copy of the library, and return its other code."""
    shutil.copytree(PACKAGE, folder / "effnet_edu", ignore=shutil.ignore_patterns("__pycache__"))
    lab, others = folder / "effnet_edu" / "labs" / "side", []
    lab.mkdir()
    (lab / "__init__.py").write_text('"""The side lab."""\n')
    for kind, text in BLOCK.findall(PAGE):
        first = text.partition("\n")[0]
        if first.startswith("# effnet_edu/"):
            (folder / first.removeprefix("# ")).write_text(text)
        elif kind == "python":
            others.append(text)
        elif kind == "markdown":
            (lab / "page.md").write_text(text)
        else:
            rooms = folder / "effnet_edu" / "labs" / "__init__.py"
            listed = rooms.read_text()
            end = listed.index("}", listed.index("LABS = {"))
            rooms.write_text(listed[:end] + text + listed[end:])
    return "\n".join(others)


@pytest.mark.thorough
def test_a_lab_of_the_page_lives_in_a_notebook_and_on_the_site(tmp_path: Path) -> None:
    code = follow(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n{code}{ASK}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    told = TOLD.findall(code)
    assert len(told) >= 5
    assert done.stdout.splitlines() == told
