"""What tests need beside Python: found, brought where that is allowed, or told in one sentence."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests import needs

MAKEFILE = (Path(__file__).parents[1] / "Makefile").read_text(encoding="utf-8")


class Bench:
    """A thing that is found once the command that brings it was run; notes all commands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, brought_by: str = "", root: bool = True) -> None:
        self.brought_by = brought_by
        self.ran: list[str] = []
        self.need = needs.Need("A saw", self.find, "fetch saw", ("python3 -m old saw", "apt-get install saw"))
        monkeypatch.setattr(needs, "run", self.ran.append)
        monkeypatch.setattr(needs, "may_install", lambda: root)
        monkeypatch.setattr(needs.shutil, "which", lambda name: f"/bin/{name}")
        needs._update.cache_clear()

    def find(self) -> str | None:
        return "/bin/saw" if not self.brought_by or self.brought_by in self.ran else None


@pytest.mark.parametrize(
    ("brought_by", "ran"),
    [
        ("", []),
        ("fetch saw", ["fetch saw"]),
        ("python3 -m old saw", ["fetch saw", "python3 -m old saw"]),
        (
            "apt-get install saw",
            ["fetch saw", "python3 -m old saw", "apt-get update -qq", "apt-get install saw"],
        ),
    ],
)
def test_the_first_way_that_helps_is_the_last_one_taken(monkeypatch, brought_by, ran):
    bench = Bench(monkeypatch, brought_by)
    assert needs.get(bench.need) == "/bin/saw"
    assert bench.ran == ran


def test_nothing_is_installed_on_somebodys_own_machine_and_the_line_is_printed(monkeypatch, capsys):
    bench = Bench(monkeypatch, "apt-get install saw", root=False)
    monkeypatch.setattr(needs, "NEEDS", {"saw": bench.need})
    assert needs.main(["saw"]) == 1
    assert bench.ran == ["fetch saw"]
    assert capsys.readouterr().out == (
        "A saw is needed by the tests and could not be had here; this gets it: "
        "`fetch saw` or `sudo python3 -m old saw` or `sudo apt-get install saw`\n"
    )


def test_a_manager_that_is_not_here_is_neither_called_nor_named(monkeypatch):
    bench = Bench(monkeypatch, "never")
    monkeypatch.setattr(needs.shutil, "which", lambda name: None if name == "apt-get" else name)
    assert needs.get(bench.need) is None
    assert bench.ran == ["fetch saw", "python3 -m old saw"]
    assert "apt-get" not in needs.sentence(bench.need)


def test_a_test_that_needs_what_is_missing_says_what_mends_it(monkeypatch):
    bench = Bench(monkeypatch, "never")
    monkeypatch.setattr(
        needs, "NEEDS", {"saw": replace(bench.need, fetch="", install=("apt-get install saw",))}
    )
    with pytest.raises(RuntimeError, match=r"A saw is needed .*: `sudo apt-get install saw`$"):
        needs.where("saw")


def test_a_browser_that_shows_no_page_is_none(tmp_path, monkeypatch):
    stub = tmp_path / "chromium"
    stub.write_text("#!/bin/sh\necho 'Install the snap.'\n")
    stub.chmod(0o755)
    monkeypatch.setenv("COURSE_CHROMIUM", str(stub))
    assert needs.find_chromium() is None


def test_fashion_mnist_is_there_when_all_of_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(needs, "DEBIAN_FOLDER", tmp_path / "none")
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path))
    folder = tmp_path / "fashion_mnist"
    folder.mkdir()
    for name in needs.FASHION_MNIST:
        assert needs.find_fashion_mnist() is None
        (folder / name).touch()
    assert needs.find_fashion_mnist() == str(folder)


@pytest.mark.parametrize(
    ("user", "first", "ci", "may"),
    [
        (0, "bash", "", True),
        (0, "systemd", "", False),
        (0, "systemd", "true", True),
        (1000, "bash", "true", False),
    ],
)
def test_only_root_in_a_container_or_on_ci_installs(tmp_path, monkeypatch, user, first, ci, may):
    (tmp_path / "comm").write_text(f"{first}\n")
    monkeypatch.setattr(needs, "FIRST_PROCESS", tmp_path / "comm")
    monkeypatch.setattr(needs, "DOCKER", tmp_path / "none")
    monkeypatch.setattr(needs.os, "geteuid", lambda: user, raising=False)
    monkeypatch.setenv("CI", ci)
    assert needs.may_install() is may


def test_make_looks_before_a_test_runs():
    recipes = dict(re.findall(r"^([a-z-]+):[^=\n]*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE))
    prerequisites = dict(re.findall(r"^([a-z-]+):([^=#\n]*)", MAKEFILE, re.MULTILINE))
    assert prerequisites["test"].split()[0] == "needs"
    for stage, told in {
        "needs": ["chromium", "fashion-mnist"],
        "unit": ["fashion-mnist"],
        "browser": ["chromium"],
        "test-thorough": [],
    }.items():
        (words,) = re.findall(r"-m tests\.needs(.*)", recipes[stage].splitlines()[0])
        assert words.split() == told
