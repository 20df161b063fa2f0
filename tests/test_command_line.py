"""The command line: the same numbers as in the library, and one sentence for bad input."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import effnet_edu as ee
from effnet_edu.__main__ import main
from effnet_edu.serve import has_display, lab_command

ROOT = Path(__file__).parents[1]


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


def answers(address: str, end: float) -> bool:
    """Return whether the page is served before `end`; the address is printed a moment before it listens."""
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=20) as reply:  # noqa: S310
                return bool(reply.status == 200)
        except urllib.error.URLError:
            time.sleep(0.2)
    return False


def test_lab_prints_an_address_on_this_machine_that_serves_the_lesson() -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "effnet_edu", "lab", "lessons/00_start_here.ipynb"]
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert server.stderr is not None
        end, address = time.monotonic() + 60, None
        while address is None and time.monotonic() < end:
            address = re.search(r"http://127\.0\.0\.1:\S+", server.stderr.readline())
        assert address is not None
        assert "/lab/tree/00_start_here.ipynb?token=" in address[0]
        assert answers(address[0], end)
    finally:
        server.terminate()
        server.wait(20)
