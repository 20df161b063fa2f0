"""What the public repository's workflows promise; `make lint` reads them with zizmor besides."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def text(request):
    return request.param.read_text(encoding="utf-8")


def jobs(text):
    return yaml.safe_load(text)["jobs"]


def test_each_says_what_it_does_not_cover(text):
    comment = re.match(r"(?:#.*\n)+", text)
    assert comment
    assert "does not cover" in comment[0]


def test_each_action_is_a_commit_with_its_tag_beside_it(text):
    used = re.findall(r"uses: (.+)", text)
    assert used
    for line in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_each_job_has_a_limit_and_says_what_it_may(text):
    assert yaml.safe_load(text)["permissions"] == {}
    for name, job in jobs(text).items():
        assert job["timeout-minutes"] <= 60, name
        assert "permissions" in job, name


def test_make_targets_that_workflows_call_exist(text):
    code = re.sub(r"^\s*#.*|^.*\bname: .*", "", text, flags=re.MULTILINE)
    for target in re.findall(r"\bmake ([a-z-]+)", code):
        assert target == "site" or re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_every_supported_system_and_python_runs_everything():
    job = jobs((ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))["make-test"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pythons = SpecifierSet(project["requires-python"])
    matrix = job["strategy"]["matrix"]
    assert matrix["python"] == [f"3.{n}" for n in range(30) if pythons.contains(f"3.{n}.0")]
    assert {system.partition("-")[0] for system in matrix["system"]} == {"ubuntu", "macos", "windows"}
    assert any("make test test-thorough" in step.get("run", "") for step in job["steps"])
