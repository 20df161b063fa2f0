"""Servers that the course starts: hostile messages, configuration that would open them, killed parents."""

import asyncio
import json
import os
import re
import signal
import struct
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import psutil
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from effnet_edu.course.demo import page
from effnet_edu.course.guard import OPEN, UNREADABLE, V1, is_framed
from tests.test_served import ROOT, SECRET, status
from tests.waiting import wait_until

GIB = 2**30


def v1(*parts: bytes) -> bytes:
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    numbers = [len(offsets), *offsets]
    return struct.pack(f"<{len(numbers)}Q", *numbers) + b"".join(parts)


def legacy(*parts: bytes) -> bytes:
    offsets = [4 * (len(parts) + 1)]
    for part in parts[:-1]:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f">{len(parts) + 1}I", len(parts), *offsets) + b"".join(parts)


HOSTILE = {
    "2**40 parts": ((2**40).to_bytes(8, "little"), V1),
    "2**63 parts and a tail": (b"\xff" * 64, V1),
    "parts behind the end": (struct.pack("<4Q", 3, 32, 40, 10**12) + bytes(8), V1),
    "parts before each other": (struct.pack("<4Q", 3, 40, 32, 40) + bytes(8), V1),
    "a million parts of nothing": (struct.pack("<Q", 10**6) + struct.pack("<Q", 8 * 10**6 + 8) * 10**6, V1),
    "legacy: a million": (struct.pack(">I", 10**6) + struct.pack(">I", 4 * 10**6 + 4) * 10**6, ""),
    "no parts": (bytes(8), V1),
    "nothing": (b"", V1),
    "legacy: 2**31 - 1 parts": (b"\x7f\xff\xff\xff", ""),
    "legacy: minus one part": (b"\xff\xff\xff\xff", ""),
    "legacy: behind the end": (struct.pack(">2I", 1, 10**6), ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_message_whose_parts_are_not_inside_it_is_not_framed(name: str) -> None:
    message, protocol = HOSTILE[name]
    assert not is_framed(message, protocol == V1)


def test_what_pages_send_is_framed() -> None:
    parts = (b"shell", b"{}", b"{}", b"{}", b"{}", b"", bytes(1000))
    assert is_framed(v1(*parts), v1=True)
    assert is_framed(legacy(b"{}", b"picture"), v1=False)


def lab(lesson: Path) -> list[str]:
    return [sys.executable, "-m", "effnet_edu", "lab", str(lesson)]


def demo(notebook: Path) -> list[str]:
    from effnet_edu.course.demo import demo_command

    return demo_command(notebook, visitors=2)


@contextmanager
def serving(
    command: list[str], folder: Path, token: str = SECRET, **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """A server in a folder with Jupyter's own folders below it: its process, its address, its log."""
    kept = {
        name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    environment = {**os.environ, **kept, "JUPYTER_TOKEN": token, "PYTHONPATH": str(ROOT), **variables}
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until(
            lambda: re.search(r"http://[\w.-]+:\d+", log.read_text()) or server.poll() is not None, "address"
        )
        found = re.search(r"(http)://[\w.-]+:(\d+)", log.read_text())
        assert found, log.read_text()
        yield server, f"http://127.0.0.1:{found[2]}", log
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """The lab, where a configuration of the user asks for an empty token and another cookie secret."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "JUPYTER_CONFIG_DIR").mkdir()
    (folder / "JUPYTER_CONFIG_DIR" / "jupyter_server_config.py").write_text(
        "c.ServerApp.token = ''\nc.IdentityProvider.token = ''\nc.ServerApp.password = ''\n"
    )
    with serving(lab(ROOT / "lessons" / "00_start_here.ipynb"), folder) as found:
        yield found


def test_a_configuration_with_an_empty_token_does_not_open_the_lab(served) -> None:
    _, address, _ = served
    wait_until(lambda: status(f"{address}/api") == 200, "answer")
    assert status(f"{address}/api/contents") == 403
    assert status(f"{address}/api/contents?token={SECRET}") == 200


def test_a_lab_without_a_chosen_token_makes_one_and_shows_it(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "JUPYTER_CONFIG_DIR").mkdir()
    (tmp_path / "JUPYTER_CONFIG_DIR" / "jupyter_server_config.py").write_text("c.IdentityProvider.token = ''")
    command = lab(ROOT / "lessons" / "00_start_here.ipynb")
    with serving(command, tmp_path, "", JUPYTER_TOKEN_FILE=str(tmp_path / "empty")) as (_, address, log):
        assert status(f"{address}/api/contents") == 403
        shown = re.search(r"\?token=(\w+)", log.read_text())
        assert shown
        assert status(f"{address}/api/contents?token={shown[1]}") == 200


@pytest.mark.thorough
def test_a_configuration_that_knows_everybody_ends_the_lab(tmp_path: Path) -> None:
    (tmp_path / "JUPYTER_CONFIG_DIR").mkdir()
    (tmp_path / "JUPYTER_CONFIG_DIR" / "jupyter_server_config.py").write_text(
        "from jupyter_server.auth import IdentityProvider, User\n"
        "class Open(IdentityProvider):\n"
        "    def get_user(self, handler):\n"
        "        return User('anybody')\n"
        "c.ServerApp.identity_provider_class = Open\n"
    )
    with serving(lab(ROOT / "lessons" / "00_start_here.ipynb"), tmp_path) as (server, _, log):
        wait_until(lambda: server.poll() is not None, "end of the server")
        assert OPEN in log.read_text()


def test_hostile_messages_close_their_connection_and_nothing_else(served) -> None:
    process, address, _ = served
    assert status(f"{address}/api") == 200
    asked = urllib.request.Request(f"{address}/api/kernels?token={SECRET}", b"{}", method="POST")  # noqa: S310
    with urllib.request.urlopen(asked, timeout=120) as reply:  # noqa: S310
        kernel = json.load(reply)["id"]
    socket = f"{address.replace('http', 'ws')}/api/kernels/{kernel}/channels?token={SECRET}"

    async def send(message: bytes, protocol: str) -> int | None:
        connection = await websocket_connect(
            HTTPRequest(socket, request_timeout=60), subprotocols=[protocol] if protocol else None
        )
        await connection.write_message(message, binary=True)
        while await connection.read_message() is not None:
            pass
        return connection.close_code

    for name, (message, protocol) in HOSTILE.items():
        assert asyncio.run(asyncio.wait_for(send(message, protocol), 120)) == UNREADABLE, name
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
    assert max(each.memory_info().rss for each in family) < GIB
    assert status(f"{address}/api/contents?token={SECRET}") == 200


def test_a_configuration_of_the_folder_does_not_open_the_demo(tmp_path: Path) -> None:
    (tmp_path / "voila.json").write_text(json.dumps({"Voila": {"token": "", "auto_token": False}}))
    notebook = tmp_path / "labs.ipynb"
    notebook.write_text(json.dumps(page()))
    with (
        serving(demo(notebook), tmp_path) as (_, address, _log),
        urllib.request.urlopen(address, timeout=60) as reply,  # noqa: S310
    ):
        assert "/login?" in reply.url


@pytest.mark.thorough
def test_a_cookie_of_an_earlier_start_opens_nothing(served, tmp_path: Path) -> None:
    _, first, _ = served
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    with opener.open(f"{first}/api/contents?token={SECRET}", timeout=60):
        pass
    with opener.open(f"{first}/api/contents", timeout=60) as reply:
        assert reply.status == 200  # the cookie is enough
    ((name, value),) = [(cookie.name, cookie.value) for cookie in jar if "xsrf" not in cookie.name]
    with serving(lab(ROOT / "lessons" / "00_start_here.ipynb"), tmp_path) as (_, second, _log):
        named = name.replace(first.rpartition(":")[2], second.rpartition(":")[2])
        asked = urllib.request.Request(f"{second}/api/contents", headers={"Cookie": f"{named}={value}"})  # noqa: S310
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(asked, timeout=60)  # noqa: S310


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_server_ends_when_its_parent_was_killed(tmp_path: Path) -> None:
    kept = {
        name: str(tmp_path / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    environment = {**os.environ, **kept, "JUPYTER_TOKEN": SECRET, "PYTHONPATH": str(ROOT)}
    log = tmp_path / "log"
    with log.open("wb") as output:
        parent = subprocess.Popen(
            lab(ROOT / "lessons" / "00_start_here.ipynb"),
            env=environment, cwd=tmp_path, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    wait_until(lambda: "http://" in log.read_text(), "address")
    children = psutil.Process(parent.pid).children(recursive=True)
    assert children
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=120)
    assert alive == []
