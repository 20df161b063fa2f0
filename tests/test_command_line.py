"""The command line: the same numbers as in the library, and one sentence for bad input."""

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import effnet_edu as ee
from effnet_edu.__main__ import main
from effnet_edu.course.serve import has_display, lab_command
from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[1]
BASH = shutil.which("bash") or "bash"


def test_list_names_every_network_with_its_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ee.list_variants()
    b0 = next(line for line in lines if line.startswith("efficientnet_b0 "))
    assert b0.split()[1:] == ["224", "16", "5,288,548", "385,814,752"]


def test_what_needs_no_torch_does_not_wait_for_it() -> None:
    code = (
        "import sys; from effnet_edu.__main__ import main; "
        "main(['list']); main(['cost', 'efficientnet_b0']); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_the_help_names_the_commands_of_all_rooms(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(f"\n    {name} " in out for name in ("list", "cost", "profile", "classify", "weights", "lab"))


def test_cost_shows_blocks_and_roles(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "efficientnet_b0", "--resolution", "225", "--classes", "10"]) == 0
    out = capsys.readouterr().out
    counted = ee.cost("efficientnet_b0", 225, num_classes=10)
    assert f"{counted.parameters:,} parameters, {counted.macs:,} MACs" in out
    for block in ee.resolve(ee.spec("efficientnet_b0"), 225):
        assert str(block) in out
    assert f"{counted.by_role()['depthwise']:,}" in out


def test_profile_measures(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["profile", "efficientnet_lite0", "--resolution", "64", "--device", "cpu", "--seconds", "0.1"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert re.match(r"efficientnet_lite0, 64 px, batch 1, fp32 on .*: \d+\.\d ms .* images/s, \d+ MiB", out)
    assert re.search(r"\n  measured 2\d{3}-\d\d-\d\dT\S+ with torch \d", out)
    again = re.search(r"\n  again: python -m effnet_edu (.*)\n", out)
    assert again is not None
    assert main(again[1].split()) == 0
    assert again[0] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cost", "efficientnet_b9"], "There is no network named 'efficientnet_b9'. Near it: efficientnet_b"),
        (["cost", "efficientnet_b0", "--resolution", "8"], "resolution is 8"),
        (["profile", "efficientnet_b0", "--precision", "fp4"], "precision is 'fp4'"),
        (["profile", "efficientnet_b0", "--seconds", "0"], "seconds is 0.0"),
        (["lab", "lessons/no_such_lesson.ipynb"], "There is no lesson at 'lessons/no_such_lesson.ipynb'"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_a_number_that_is_none_is_refused_by_the_parser(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["profile", "efficientnet_b0", "--batch-size", "none"])
    assert "batch size is 'none'; it must be a whole number of 1 or more." in capsys.readouterr().err


def test_without_a_display_no_browser_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not has_display()
    lesson = ROOT / "lessons" / "00_start_here.ipynb"
    assert "--no-browser" in lab_command(lesson, browser=False)
    assert "--no-browser" not in lab_command(lesson, browser=True)


@pytest.mark.parametrize("name", ["a#1 ?x%20.ipynb", "größe 5;6&7.ipynb"])
def test_a_lesson_may_be_called_what_an_address_reads_otherwise(name: str, tmp_path: Path) -> None:
    option = "--LabApp.default_url="
    (address,) = (word for word in lab_command(tmp_path / name, browser=False) if word.startswith(option))
    parts = urlsplit(address.removeprefix(option))
    assert (unquote(parts.path), parts.query, parts.fragment) == (f"/lab/tree/{name}", "", "")


def status(address: str) -> int | None:
    """Return the status of a page, or None: the address is printed a moment before the server listens."""
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as reply:  # noqa: S310
            return int(reply.status)
    except urllib.error.URLError:
        return None


@pytest.fixture
def taken_port() -> Iterator[None]:
    """Somebody else is at 8888: this test, or whoever was there before."""
    try:
        other = socket.create_server(("127.0.0.1", 8888))
    except OSError:
        yield
    else:
        with other:
            yield


@pytest.mark.parametrize(
    ("screen", "words"),
    [
        ({}, "Open this in a browser:"),
        pytest.param({"DISPLAY": ":0", "BROWSER": "true"}, "Your browser opens", marks=pytest.mark.thorough),
    ],
)
def test_lab_says_at_which_address_of_this_machine_the_lesson_is(
    screen: dict[str, str], words: str, taken_port: None
) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    server = subprocess.Popen(
        [sys.executable, "-m", "effnet_edu", "lab", "lessons/00_start_here.ipynb"],
        cwd=ROOT,
        env=environment | screen,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert server.stdout is not None
        said = server.stdout.readline()
        assert said.startswith(words)
        address = re.search(r"http://127\.0\.0\.1:(\d+)/lab/tree/00_start_here\.ipynb\?token=\w+", said)
        assert address is not None
        assert int(address[1]) > 8888
        assert wait_until(lambda: status(address[0]), "page") == 200
    finally:
        server.terminate()
        server.wait(PATIENCE)


@pytest.mark.parametrize("command", ["list", "answers"])
def test_a_reader_that_has_read_enough_ends_a_command_without_a_word(command: str) -> None:
    words = f"{sys.executable} -m effnet_edu {command} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run([BASH, "-c", words], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


def test_a_closed_output_is_no_fault() -> None:
    words = f"{sys.executable} -m effnet_edu answers >&-"
    done = subprocess.run([BASH, "-c", words], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("port", ["0", "65536", "99999", "-1", "x"])
def test_a_port_that_cannot_be_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("lab", "demo"):
        with pytest.raises(SystemExit):
            main([command, "--port", port])
        assert f"port is '{port}'; it must be a whole number from 1 to 65535." in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["grade", ""],
        ["export-assignments", "--to", "otter", ""],
        ["report", "--merge", ""],
        ["train", "efficientnet_lite0", "--folder", ""],
        ["export", "", "--onnx", "net.onnx"],
    ],
)
def test_an_empty_path_is_not_the_present_folder(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(arguments)
    assert "it is empty; name a file or a folder." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_names_that_would_move_the_cursor_are_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "none\n\x1b[31m.ipynb"]) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert said.count("\n") == 1


def test_a_name_of_any_length_is_quoted_in_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["start", str(tmp_path / ("a" * 5000)), "--no-open"]) == 2
    assert len(capsys.readouterr().err) < 300


@pytest.mark.parametrize("place", ["effnet_edu.course.command_line", "effnet_edu.checkpoints.commands"])
def test_ctrl_c_while_modules_load_ends_a_command_in_one_line(place: str, tmp_path: Path) -> None:
    hook = tmp_path / "sitecustomize.py"
    hook.write_text(
        "import os, signal, sys\n"
        # What runs in the background of a shell ignores Ctrl-C, and so would its children.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {place!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    done = subprocess.run(
        [sys.executable, "-m", "effnet_edu", "weights"],
        capture_output=True, text=True, cwd=ROOT, env=environment, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "effnet_edu: stopped.\n")


def test_ctrl_c_while_a_command_works_ends_it_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("effnet_edu.course.command_line.list_variants", interrupted)
    assert main(["list"]) == 130
    assert capsys.readouterr().err == "effnet_edu: stopped.\n"
