"""The lessons in a learner's own folder: put there once, and never over the learner's work."""

from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from effnet_edu.__main__ import main
from effnet_edu.course import serve, start
from effnet_edu.course.start import FIRST_LESSON, lessons_folder, put_lessons

LESSONS = sorted(path.name for path in lessons_folder().glob("*.ipynb"))


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(["start", *words])
    captured = capsys.readouterr()
    return status, captured.out + captured.err


def test_all_lessons_come_into_a_folder_that_is_made(tmp_path: Path) -> None:
    placed = list(put_lessons(tmp_path / "a" / "course"))
    assert [found.name for found in placed] == LESSONS
    assert {found.state for found in placed} == {"new"}
    for name in LESSONS:
        assert (tmp_path / "a" / "course" / name).read_bytes() == (lessons_folder() / name).read_bytes()


def test_what_a_learner_wrote_stays_and_the_program_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, str(tmp_path), "--no-open")[0] == 0
    (tmp_path / FIRST_LESSON).write_text("my work")
    (tmp_path / "notes.txt").write_text("mine")
    status, said = run(capsys, str(tmp_path), "--no-open")
    assert status == 0
    assert f"{FIRST_LESSON}: kept as you left it" in said
    assert said.count("there already") == len(LESSONS) - 1
    assert (tmp_path / FIRST_LESSON).read_text() == "my work"
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_renew_moves_the_learners_lesson_aside_and_never_over_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n, own in enumerate(("00_start_here_mine.ipynb", "00_start_here_mine_2.ipynb")):
        (tmp_path / FIRST_LESSON).write_text(f"my work {n}")
        said = run(capsys, str(tmp_path), "--no-open", "--renew")[1]
        assert f"yours is {own} now" in said
    assert (tmp_path / "00_start_here_mine.ipynb").read_text() == "my work 0"
    assert (tmp_path / "00_start_here_mine_2.ipynb").read_text() == "my work 1"
    assert (tmp_path / FIRST_LESSON).read_bytes() == (lessons_folder() / FIRST_LESSON).read_bytes()


def test_a_link_of_the_learners_is_not_written_through(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.ipynb"
    elsewhere.write_text("my work")
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / FIRST_LESSON).symlink_to(elsewhere)
    assert next(iter(put_lessons(folder))).state == "kept"
    assert next(iter(put_lessons(folder, renew=True))).state == "renewed"
    assert elsewhere.read_text() == "my work"


def test_a_file_in_place_of_the_folder_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    status, said = run(capsys, str(tmp_path / "file"))
    assert status == 2
    assert said == f"effnet_edu: {str(tmp_path / 'file')!r} is a file; name a folder for the lessons.\n"


def test_the_first_lesson_is_opened_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[list[str]] = []
    monkeypatch.setattr(serve, "serve_until_stopped", lambda command: opened.append(command) or 0)
    assert run(capsys, str(tmp_path), "--no-open")[0] == 0
    assert opened == []
    assert run(capsys, str(tmp_path))[0] == 0
    assert f"--LabApp.default_url=/lab/tree/{FIRST_LESSON}" in opened[0]
    assert f"--ServerApp.root_dir={tmp_path}" in opened[0]


def test_lessons_are_not_trusted_before_the_learner_runs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    list(put_lessons(tmp_path / "course"))
    notary = NotebookNotary()
    book = nbformat.read(tmp_path / "course" / FIRST_LESSON, as_version=4)
    assert not notary.check_signature(book)
    notary.sign(book)
    assert notary.check_signature(book)


def test_an_installation_without_lessons_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "__file__", str(tmp_path / "effnet_edu" / "start.py"))
    with pytest.raises(FileNotFoundError, match="Install effnet-edu again"):
        list(put_lessons(tmp_path / "course"))


def test_a_folder_without_a_name_and_a_link_to_nothing_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["start", "", "--no-open"])
    assert "FOLDER: it is empty; name a file or a folder." in capsys.readouterr().err
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    status, said = run(capsys, str(tmp_path / "link"), "--no-open")
    assert status == 2
    assert "is a link to nothing" in said
    assert [path.name for path in tmp_path.iterdir()] == ["link"]
