"""After installation nothing needs a network: each command and each lab, with every way out switched off.

Lessons run under the same conditions in `make notebooks`, and JupyterLab with the labs in `make browser`.
"""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from effnet_edu.course.command_line import parser
from tests.notebooks.book import surroundings

ROOT = Path(__file__).parents[1]
#: Every command in its quickest form.
COMMANDS = [
    "list",
    "cost efficientnet_b0",
    "profile efficientnet_lite0 --resolution 64 --seconds 0.05 --device cpu",
    "measure layers efficientnet_lite0 --resolution 64 --seconds 0.05 --device cpu",
    "measure training efficientnet_lite0 --resolution 64 --seconds 0.05 --device cpu",
    "classify coffee",
    "data glyphs --train 20 --test 10",
    "weights efficientnet_b0",
    "study scaling --show",
    "start course --no-open",
    "answers 00_start_here",
    "export-assignments assignments --to otter",
]
#: Commands that wait for somebody, that take minutes, or that go on from what others left.
ELSEWHERE = {"lab", "demo", "train", "report", "fine-tune", "export", "grade"}

ASK = """
    import contextlib, io, json, sys
    import effnet_edu as ee
    from effnet_edu.__main__ import main
    failed = {}
    for command in json.loads(sys.argv[1]):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            status = main(command.split())
        if status:
            failed[command] = said.getvalue()
    for name in [name for name in ee.labs.__all__ if name.endswith("Lab")]:
        lab = getattr(ee.labs, name)()
        if "<img" not in lab._repr_mimebundle_()["text/html"]:
            failed[name] = "no still picture"
        lab.close()
    lab = ee.labs.PhiLab()
    lab.logic.request()
    if not lab.logic.wait(60) or lab.logic.latest is None:
        failed["measuring"] = lab.logic.status.message
    print(json.dumps(failed))
"""


def test_every_command_and_every_lab_works_without_a_network(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ASK), json.dumps(COMMANDS)],
        cwd=tmp_path,
        env={**os.environ, **surroundings(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {}


def test_no_command_is_forgotten():
    (commands,) = (action for action in parser()._actions if action.dest != "help")
    assert {command.split()[0] for command in COMMANDS} | ELSEWHERE == set(commands.choices)
