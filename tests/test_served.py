"""A served course: nobody comes in without the token, no log says it, other machines do not reach it."""

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from effnet_edu.__main__ import main
from effnet_edu.course.serve import lab_command
from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[1]
SECRET = "a-secret-of-many-letters"  # noqa: S105
IMAGE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """A server as the command `lab` starts it: its process, its address, and its log."""
    folder = tmp_path_factory.mktemp("served")
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    environment = {**os.environ, **{name: str(folder / name) for name in folders}, "JUPYTER_TOKEN": SECRET}
    log = folder / "log"
    command = lab_command(ROOT / "lessons" / "00_start_here.ipynb", browser=False)
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        found = wait_until(
            lambda: re.search(r"http://127\.0\.0\.1:\d+", log.read_text()) or server.poll() is not None,
            "address of the server",
        )
        assert isinstance(found, re.Match), log.read_text()
        yield server, found[0], log
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _status(address: str) -> int | None:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as reply:  # noqa: S310
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:  # the address is printed a moment before the server listens
        return None


def status(address: str) -> int:
    return wait_until(lambda: _status(address), "answer")


def test_only_who_knows_the_token_comes_in_and_no_log_says_it(served):
    _, address, log = served
    assert status(f"{address}/api/contents") == 403
    assert status(f"{address}/api/contents?token=a-guess") == 403
    assert status(f"{address}/api/contents?token={SECRET}") == 200
    # Failures are logged with their address, a moment after they were answered.
    assert status(f"{address}/api/no_such_thing?token={SECRET}") == 404
    wait_until(lambda: "no_such_thing" in log.read_text(), "line about it in the log")
    assert SECRET not in log.read_text()


def test_health_is_told_without_a_token(served):
    assert status(f"{served[1]}/api") == 200


def test_the_server_listens_on_this_machine_alone(served):
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(served[0].pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


@pytest.mark.parametrize("token", ["", "short"])
def test_other_machines_are_let_in_only_with_a_secret(token, monkeypatch, capsys):
    monkeypatch.setenv("JUPYTER_TOKEN", token)
    assert main(["lab", "lessons/00_start_here.ipynb", "--ip", "0.0.0.0"]) == 2  # noqa: S104
    assert "Set the environment variable JUPYTER_TOKEN to a secret" in capsys.readouterr().err


def instructions(word: str) -> list[str]:
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", IMAGE, flags=re.MULTILINE))
    return re.findall(rf"^{word} (.+)$", joined, re.MULTILINE)


def test_the_image_runs_the_same_server_as_somebody_who_is_not_root():
    assert instructions("USER") == ["1000"]
    assert IMAGE.index("USER 1000") < IMAGE.index("HEALTHCHECK") < IMAGE.index("CMD [", IMAGE.index("EXPOSE"))
    words = re.findall(r'"([^"]+)"', instructions("CMD")[0])
    assert words[:3] == ["python", "-m", "effnet_edu"]
    done = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "JUPYTER_TOKEN"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "There is no lesson at 'course/00_start_here.ipynb'" in done.stderr
    assert not re.search(
        r"(?i)(token|password|secret)\s*=", "".join(instructions("ENV") + instructions("ARG"))
    )


def test_the_image_is_made_of_files_that_exist_and_the_lock():
    copied = [name for line in instructions("COPY") if "--from" not in line for name in line.split()[:-1]]
    assert {"constraints.txt", "pyproject.toml", "effnet_edu", "lessons"} <= {
        name.strip("./") for name in copied
    }
    allowed = (ROOT / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in allowed
    assert "-c constraints.txt" in IMAGE
