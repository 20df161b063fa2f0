"""One place for each version, two commands that work, and a wheel that holds what the library reads."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import effnet_edu as ee

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAME = PROJECT["project"]["name"]
PYTHONS = PROJECT["project"]["requires-python"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
#: Every version of the lock by package: more than one where Pythons or systems differ.
LOCK: dict[str, list[Requirement]] = {}
for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
    if line.strip() and not line.startswith("#"):
        LOCK.setdefault(canonicalize_name(Requirement(line).name), []).append(Requirement(line))
DIRECT = [
    Requirement(line)
    for line in (*PROJECT["project"]["dependencies"], *(line for extra in EXTRAS.values() for line in extra))
    if Requirement(line).name != NAME
]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)  # noqa: S607
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def version_of(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    assert specifier.operator == "=="
    return specifier.version


def section(title: str, text: str) -> str:
    match = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"no section {title}"
    return match[1]


PIP = (sys.executable, "-m", "pip")
#: Builds and installs with what is here, and asks nobody.
ALONE = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet")


def test_every_direct_dependency_is_locked_inside_its_range():
    for wanted in DIRECT:
        pins = LOCK[canonicalize_name(wanted.name)]
        for pin in pins:
            assert wanted.specifier.contains(version_of(pin)), f"{pin} is not {wanted}"
        if len(pins) == 1:
            assert pins[0].marker is None, f"{wanted} is locked on some machines only"


def test_every_dependency_stands_once_and_says_why_it_is_there():
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for name in {canonicalize_name(wanted.name): wanted.name for wanted in DIRECT}.values():
        held = [
            number for number, line in enumerate(lines) if re.search(rf'"{re.escape(name)}[\[=<>!~"]', line)
        ]
        # hatchling builds the project, and the wheel test; torch is pinned for the lock; extras hold extras.
        assert len(held) == {"hatchling": 2, "torch": 2, "effnet-edu": 2}.get(name, 1), name
        assert any("  # " in lines[number] or lines[number - 1].startswith("  #") for number in held), name


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0", "3.13.0"])
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_every_direct_dependency_has_one_version_on_each_machine(python, system):
    machine = {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "sys_platform": system,
        "os_name": "nt" if system == "win32" else "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    for wanted in DIRECT:
        pins = LOCK[canonicalize_name(wanted.name)]
        held = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(machine)]
        assert len(held) == 1, wanted.name


def test_torch_is_the_one_that_the_recorded_numbers_use():
    assert [version_of(pin) for pin in LOCK["torch"]] == ["2.13.0"]
    assert PROJECT["tool"]["uv"]["constraint-dependencies"] == ["torch==2.13.0"]
    oldest = next(line for line in DIRECT if line.name == "torch").specifier
    assert oldest.contains("2.6.0")
    assert not oldest.contains("2.5.1")


def test_extras_build_on_each_other():
    names = {name for line in EXTRAS["test"] for name in Requirement(line).extras}
    assert names == set(EXTRAS) - {"test"}
    (backend,) = PROJECT["build-system"]["requires"]
    assert backend in EXTRAS["test"], "the wheel test builds with what building asks for"


def test_the_conda_environment_takes_python_and_pip_and_leaves_the_rest_to_the_project():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == NAME
    assert environment["channels"] == ["conda-forge"]
    python, pip, by_pip = environment["dependencies"]
    version = re.fullmatch(r"python=(3\.\d+)", python)
    assert version, "repo2docker understands `python=3.x` alone"
    assert SpecifierSet(PYTHONS).contains(f"{version[1]}.0")
    assert pip == "pip"
    index, *rest = by_pip["pip"]
    assert index == "--extra-index-url https://download.pytorch.org/whl/cpu"
    assert rest == ["-c constraints.txt", "-e .[photos,ship]"]
    assert {"photos", "ship"} <= set(EXTRAS)


def test_nothing_turns_repo2docker_away_from_the_conda_environment():
    names = ("Dockerfile", "binder", ".binder", "requirements.txt", "runtime.txt")
    assert [name for name in names if (ROOT / name).exists()] == []


def test_the_range_of_pythons_is_the_same_wherever_it_must_stand():
    supported = [minor for minor in range(30) if SpecifierSet(PYTHONS).contains(f"3.{minor}.0")]
    oldest, newest = supported[0], supported[-1]
    classifiers = PROJECT["project"]["classifiers"]
    assert [f"Programming Language :: Python :: 3.{minor}" in classifiers for minor in supported] == [
        True
    ] * 3
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"(3, {oldest}) <= sys.version_info[:2] <= (3, {newest})" in makefile
    assert f"Python 3.{oldest} to 3.{newest}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py3{oldest}"
    assert f"--python-version 3.{oldest} " in makefile


def test_the_version_of_the_course_is_the_same_wherever_it_must_stand():
    version = PROJECT["project"]["version"]
    assert ee.__version__ == version
    changes = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert version in changes[:2]  # above it, "Unreleased" may stand
    assert str(yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]) == version


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "environment.yml", "Makefile", ".ci/run"])
def test_no_version_of_a_package_stands_outside_of_pyproject_and_lock(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.findall(r"[A-Za-z]\s*[=~]=\s*\d+\.\d", text)
    assert version_of(LOCK["torch"][0]) not in text


def test_ci_runs_all_tests_and_stops_at_the_first_error():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.splitlines()[-1] == "make test"
    assert "set -euo pipefail" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def targets() -> dict[str, str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+):([^=#\n]*)", makefile, re.MULTILINE))


def test_make_test_runs_every_stage():
    assert targets()["test"].split() == ["needs", "lint", "unit", "notebooks", "browser"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_make_targets_that_documents_name_exist(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```.*?^```|`[^`\n]+`", text, re.MULTILINE | re.DOTALL))
    named = set(re.findall(r"\bmake ([a-z-]+)", code))
    assert {"lab", "test"} & named
    assert named <= set(targets())


def test_links_and_lessons_that_the_readme_names_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    local = [link for link in re.findall(r"\]\(([^)#\s]+)\)", readme) if "://" not in link]
    assert local
    assert [link for link in local if not (ROOT / link).exists()] == []


def test_the_readmes_code_runs_and_prints_what_it_says():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    told = re.findall(r"^print\(.*\)  # (.+)$", code, re.MULTILINE)
    assert len(told) >= 3
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == told


def test_every_lesson_is_in_the_readmes_table():
    lessons = section("Lessons", (ROOT / "README.md").read_text(encoding="utf-8"))
    for lesson in (ROOT / "lessons").glob("*.ipynb"):
        assert f"(lessons/{lesson.name})" in lessons


def test_the_readme_tells_the_time_that_a_lesson_tells():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for lesson in sorted((ROOT / "lessons").glob("*.ipynb")):
        row = re.search(rf"\({lesson.parent.name}/{lesson.name}\).*", readme)
        told = re.search(
            r"\*\*Time:\*\* reader (\d+) minutes, CPU (\d+) seconds", lesson.read_text(encoding="utf-8")
        )
        assert row, lesson.name
        assert told, lesson.name
        assert row[0].endswith(f"| {told[1]} min | {told[2]} s |"), lesson.name


def test_no_file_holds_a_path_of_somebodys_machine():
    homes = re.compile(
        rb"(?<![\w.\-/:])(?:/(?:home|Users|root|work|mnt|tmp)/[\w.\-]+|[A-Za-z]:\\\\?Users\\\\?[\w.\-]+)"
    )
    found = {
        f"{path.relative_to(ROOT)}: {match.decode()}"
        for path in tracked()
        for match in homes.findall(path.read_bytes())
        if path.suffix not in {".png", ".jpg", ".gif", ".pth"}
    }
    assert not found


def test_citation_is_complete():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "type", "license"} <= set(citation)
    assert citation["license"] == PROJECT["project"]["license"]
    assert citation["type"] == "software"
    assert all(author.get("name") or author.get("family-names") for author in citation["authors"])
    papers = {reference["identifiers"][0]["value"] for reference in citation["references"]}
    assert papers == {"arXiv:1905.11946", "arXiv:2104.00298"}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory) -> Path:
    """The wheel, built from the sdist as an index without wheels would have it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([*PIP, "wheel", *ALONE, "--wheel-dir", str(folder), str(sdist)], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with the installed wheel, far from the clone."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([*PIP, "install", *ALONE, "--target", str(folder), str(wheel)], check=True)
    return folder


def run_installed(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_every_file_of_the_package_and_every_lesson_and_no_other(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name and ".data/" not in name}
    package = {path.relative_to(ROOT).as_posix() for path in tracked() if ROOT / "effnet_edu" in path.parents}
    lessons = {f"effnet_edu/lessons/{path.name}" for path in tracked() if path.parent == ROOT / "lessons"}
    assert "effnet_edu/py.typed" in package
    assert any(name.endswith(".csv") for name in package)
    assert "effnet_edu/lessons/00_start_here.ipynb" in lessons
    assert held == package | lessons


def test_the_wheel_says_what_pyproject_says(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        headers = HeaderParser().parsestr(archive.read(metadata).decode())
        licenses = [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
    assert (headers["Name"], headers["Version"]) == (NAME, ee.__version__)
    assert SpecifierSet(headers["Requires-Python"]) == SpecifierSet(PYTHONS)
    assert headers["License-Expression"] == "Apache-2.0"
    assert licenses


def test_the_wheel_works_where_the_repository_is_not(installed, tmp_path):
    code = (
        "import effnet_edu as ee; print(ee.__file__); "
        "print(ee.cost('efficientnet_b0').parameters, len(ee.published.read('effnet_table2')) > 0, "
        "len(ee.list_weights()) > 0)"
    )
    done = run_installed(installed, tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    file, numbers = done.stdout.splitlines()
    assert Path(file).is_relative_to(installed)
    assert numbers == "5288548 True True"


def test_start_brings_the_lessons_out_of_the_wheel(installed, tmp_path):
    done = run_installed(installed, tmp_path, "-m", "effnet_edu", "start", "course", "--no-open")
    assert done.returncode == 0, done.stderr
    lessons = sorted((ROOT / "lessons").glob("*.ipynb"))
    for lesson in lessons:
        assert (tmp_path / "course" / lesson.name).read_bytes() == lesson.read_bytes()
    assert len(done.stdout.splitlines()) == len(lessons) + 1
    assert "lab course" in done.stdout.splitlines()[-1]
