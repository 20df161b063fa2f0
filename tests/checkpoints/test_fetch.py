"""Fetching, against a server on this machine: whole, once, checked, resumed, refused."""

import errno
import hashlib
import http.server
import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from effnet_edu.checkpoints.fetch import weights_file
from effnet_edu.checkpoints.registry import find_weights
from effnet_edu.ground import fetch
from effnet_edu.ground.cache import cache_folder
from effnet_edu.ground.fetch import FileTooLargeError, FileUnavailableError, HashMismatchError, open_https
from effnet_edu.ground.locks import file_lock

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT with ranges and an ETag; the server's `behaviour` spoils it."""

    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        if server.behaviour == "redirect":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")
            self.end_headers()
            return
        if server.behaviour == "missing":
            self.send_error(404)
            return
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        fresh = self.headers.get("If-Range", server.etag) == server.etag
        start = int(asked[1]) if asked and fresh and server.behaviour != "no ranges" else 0
        if start >= len(server.content):
            self.send_error(416)
            return
        body = server.content[start:]
        headers = {"Content-Length": str(len(body)), "ETag": server.etag}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(server.content) - 1}/{len(server.content)}"
        if server.behaviour == "no length":
            del headers["Content-Length"]
        self.send_response(server.status or (206 if start else 200))
        for name, value in (headers | server.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if server.breaks:
            server.breaks -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


@pytest.fixture
def server():
    server = _Server(("127.0.0.1", 0), _Handler)
    server.content, server.etag = CONTENT, '"one"'
    server.behaviour, server.breaks, server.requests = "", 0, []
    server.status, server.headers = 0, {}
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def weights(server):
    row = find_weights("efficientnet_b0", "torchvision/IMAGENET1K_V1")
    url = f"http://127.0.0.1:{server.server_port}/b0.pth"
    return replace(row, url=url, file="b0.pth", hashes=(f"sha256:{SHA256[:8]}",))


def open_plain(request):
    """Stand in for https where the server is this test's own."""
    return urllib.request.urlopen(request, timeout=10)  # noqa: S310


def get(weights, folder):
    return weights_file(weights, folder, open_plain, progress=False)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"b0.pth.lock"}


def test_a_file_arrives_whole_and_is_fetched_once(weights, server, tmp_path):
    folder = tmp_path / "new" / "cache"
    assert get(weights, folder).read_bytes() == CONTENT
    assert get(weights, folder) == folder / "b0.pth"
    assert len(server.requests) == 1
    assert names(folder) == {"b0.pth"}


def test_without_a_length_it_arrives_too(weights, server, tmp_path):
    server.behaviour = "no length"
    assert get(weights, tmp_path).read_bytes() == CONTENT


def test_a_broken_connection_is_taken_up_where_it_broke(weights, server, tmp_path):
    server.breaks = 2
    assert get(weights, tmp_path).read_bytes() == CONTENT
    half = len(CONTENT) // 2
    assert [headers.get("Range") for headers in server.requests] == [
        None,
        f"bytes={half}-",
        f"bytes={half + half // 2}-",
    ]


def test_the_next_call_goes_on_where_the_last_one_gave_up(weights, server, tmp_path):
    server.breaks = 3
    with pytest.raises(
        FileUnavailableError, match=r"is there a network\? If not, the course goes on without"
    ):
        get(weights, tmp_path)
    assert names(tmp_path) == {"b0.pth.part", "b0.pth.part.etag"}
    assert get(weights, tmp_path).read_bytes() == CONTENT
    assert server.requests[-1]["Range"] == f"bytes={len(CONTENT) * 7 // 8}-"


def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(weights, server, tmp_path):
    (tmp_path / "b0.pth.part").write_bytes(b"old" * 1000)
    (tmp_path / "b0.pth.part.etag").write_text('"an older one"')
    assert get(weights, tmp_path).read_bytes() == CONTENT
    assert server.requests[0]["If-Range"] == '"an older one"'


def test_a_server_without_ranges_starts_anew(weights, server, tmp_path):
    server.behaviour = "no ranges"
    (tmp_path / "b0.pth.part").write_bytes(CONTENT[:5000])
    assert get(weights, tmp_path).read_bytes() == CONTENT


def test_a_part_that_is_longer_than_the_file_starts_anew(weights, server, tmp_path):
    (tmp_path / "b0.pth.part").write_bytes(CONTENT + b"more")
    assert get(weights, tmp_path).read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_without_a_hash_nothing_unknown_is_taken_up(weights, server, tmp_path):
    server.content = save({"one": torch.ones(1000)})
    (tmp_path / "b0.safetensors.part").write_bytes(b"who knows")
    assert get(unhashed(weights), tmp_path).read_bytes() == server.content
    assert "Range" not in server.requests[0]


def unhashed(weights):
    return replace(weights, file="b0.safetensors", hashes=())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (CONTENT, "could not be read as weights"),
        (b"<!doctype html>", "is a web page; fetch the file behind it"),
        (save({"one": torch.ones(1000)})[:-1], "could not be read as weights"),
    ],
)
def test_without_a_hash_what_its_reader_cannot_open_is_not_kept(content, sentence, weights, server, tmp_path):
    server.content = content
    with pytest.raises(HashMismatchError, match=rf"{sentence}.*b0\.safetensors\.refused"):
        get(unhashed(weights), tmp_path)
    assert not (tmp_path / "b0.safetensors").exists()


@pytest.mark.parametrize(
    ("status", "headers", "sentence"),
    [
        (204, {}, "answers 204, where 200 was expected"),
        (203, {}, "answers 203, where 200 was expected"),
        (206, {"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"}, "answers 206, where 200"),
        (200, {"Content-Encoding": "gzip"}, "in the encoding 'gzip', which was not asked for"),
        (200, {"Content-Type": "text/html; charset=utf-8"}, "with a web page"),
        (200, {"Content-Length": "-5"}, "with the length '-5'"),
        (200, {"Content-Length": "0"}, "answers nothing"),
    ],
)
@pytest.mark.parametrize("hashed", [True, False])
def test_an_answer_that_is_not_the_file_is_refused(
    status, headers, sentence, hashed, weights, server, tmp_path
):
    server.status, server.headers = status, headers
    row = weights if hashed else unhashed(weights)
    with pytest.raises(FileUnavailableError, match=sentence):
        get(row, tmp_path)
    assert row.file not in names(tmp_path)
    assert server.requests[0]["Accept-Encoding"] == "identity"


HALF = len(CONTENT) // 2


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": '"two"'},
        {"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"},
        {"Content-Range": f"bytes {HALF}-{len(CONTENT) - 1}/{len(CONTENT) + 1}"},
        {"Content-Range": f"bytes {HALF}-{HALF}/*"},
        {"Content-Range": "bytes some"},
    ],
)
def test_a_part_of_another_file_is_not_put_to_what_is_there(headers, weights, server, tmp_path):
    (tmp_path / "b0.pth.part").write_bytes(CONTENT[:HALF])
    (tmp_path / "b0.pth.part.etag").write_text(server.etag)
    server.headers = headers
    with pytest.raises(FileUnavailableError, match=r"range|part of another file"):
        get(weights, tmp_path)
    assert "b0.pth" not in names(tmp_path)
    assert (tmp_path / "b0.pth.part").read_bytes() == CONTENT[:HALF]


@pytest.mark.parametrize("damaged", [b"\xff\xfe", b"", b'"one"\r\nHost: elsewhere', b'W/"weak"'])
def test_a_damaged_validator_heals_itself(damaged, weights, server, tmp_path):
    (tmp_path / "b0.pth.part").write_bytes(CONTENT[:HALF])
    (tmp_path / "b0.pth.part.etag").write_bytes(damaged)
    assert get(weights, tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == {"b0.pth"}


def test_a_server_that_sends_next_to_nothing_is_not_waited_for(weights, server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(fetch, "_SLOWEST_BYTES_PER_SECOND", 1e12)
    with pytest.raises(FileUnavailableError, match=r"bytes in 0 s, too slowly to wait"):
        get(weights, tmp_path)
    assert len(server.requests) == 1


def test_who_waits_for_another_program_says_so(weights, server, tmp_path, capfd):
    with file_lock(tmp_path / "b0.pth.lock"):
        waiting = threading.Thread(target=get, args=(weights, tmp_path))
        waiting.start()
        said = ""
        while "this one waits for it" not in said:
            said += capfd.readouterr().err
            time.sleep(0.01)
        assert not server.requests
    waiting.join()
    assert "Another program is fetching b0.pth into" in said
    assert (tmp_path / "b0.pth").read_bytes() == CONTENT


def test_a_kept_file_is_served_from_a_folder_that_cannot_be_written_to(
    weights, server, tmp_path, monkeypatch
):
    (tmp_path / "b0.pth").write_bytes(CONTENT)

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(fetch, "file_lock", refuse)
    assert get(weights, tmp_path).read_bytes() == CONTENT
    assert not server.requests
    (tmp_path / "b0.pth").unlink()
    with pytest.raises(FileUnavailableError, match=r"could not be kept in .* \(Permission denied\)"):
        get(weights, tmp_path)


def test_a_disk_that_fills_up_is_not_called_a_network(weights, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch.os, "fsync", full)
    with pytest.raises(FileUnavailableError, match=r"\(No space left on device\); make room") as refused:
        get(weights, tmp_path)
    assert "network" not in str(refused.value)


def test_another_hash_is_refused_with_both_and_the_file_kept(weights, server, tmp_path):
    server.content = CONTENT[::-1]
    found = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(HashMismatchError) as refused:
        get(weights, tmp_path)
    sentence = str(refused.value)
    assert found in sentence
    assert SHA256[:8] in sentence
    assert "ee.load_checkpoint(net, file, sha256=...)" in sentence
    assert names(tmp_path) == {"b0.pth.refused"}
    assert (tmp_path / "b0.pth.refused").read_bytes() == server.content


def test_any_of_several_hashes_will_do(weights, tmp_path):
    many = replace(weights, hashes=("sha256:3dd342df", f"md5:{hashlib.md5(CONTENT).hexdigest()}"))  # noqa: S324
    assert get(many, tmp_path).read_bytes() == CONTENT


def test_a_file_damaged_in_the_cache_is_fetched_anew(weights, server, tmp_path):
    get(weights, tmp_path).write_bytes(b"damaged")
    assert get(weights, tmp_path).read_bytes() == CONTENT
    assert (tmp_path / "b0.pth.refused").read_bytes() == b"damaged"
    assert len(server.requests) == 2


def test_what_is_too_large_is_not_read(weights, server, tmp_path, monkeypatch):
    monkeypatch.setattr("effnet_edu.checkpoints.registry.max_checkpoint_bytes", lambda _: 1000)
    with pytest.raises(FileTooLargeError, match="more than 1,000 bytes"):
        get(weights, tmp_path)
    server.behaviour = "no length"
    with pytest.raises(FileTooLargeError, match="more than 1,000 bytes"):
        get(weights, tmp_path)
    assert "b0.pth" not in names(tmp_path)


def test_a_full_disk_is_seen_before(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(FileTooLargeError, match=r"needs 1,048,576 bytes more .* EFFNET_EDU_CACHE"):
        get(weights, tmp_path)


def test_a_missing_file_is_a_sentence(weights, server, tmp_path):
    server.behaviour = "missing"
    with pytest.raises(FileUnavailableError, match="answers 404"):
        get(weights, tmp_path)
    assert len(server.requests) == 1


def test_no_network_is_a_sentence(weights, tmp_path):
    nowhere = replace(weights, url="http://127.0.0.1:9/b0.pth")
    with pytest.raises(
        FileUnavailableError, match=r"could not be fetched .*the course goes on without torchv"
    ):
        get(nowhere, tmp_path)


def test_without_a_test_opener_only_https_is_opened(weights, server, tmp_path):
    with pytest.raises(ValueError, match="over https alone"):
        weights_file(weights, tmp_path, progress=False)
    assert not server.requests


def test_a_redirect_away_from_https_is_refused(server):
    server.behaviour = "redirect"
    opener = urllib.request.build_opener(fetch._HttpsRedirects)
    with pytest.raises(ValueError, match="over https alone"):
        opener.open(f"http://127.0.0.1:{server.server_port}/", timeout=10)
    assert len(server.requests) == 1


def test_an_address_without_a_scheme_is_refused():
    with pytest.raises(ValueError, match="not an https address"):
        open_https(urllib.request.Request("ftp://127.0.0.1/b0.pth"))  # noqa: S310


def test_progress_is_shown(weights, tmp_path, capsys):
    weights_file(weights, tmp_path, open_plain, progress=True)
    assert "b0.pth" in capsys.readouterr().err


def _get_in_process(arguments):
    weights, folder = arguments
    return weights_file(weights, folder, open_plain, progress=False).read_bytes() == CONTENT


def test_several_processes_fetch_once(weights, server, tmp_path):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.map(_get_in_process, [(weights, tmp_path)] * 6, chunksize=1) == [True] * 6
    assert len(server.requests) == 1


KILLED = """
import sys
from pathlib import Path
from dataclasses import replace
from tests.checkpoints.test_fetch import open_plain, find_weights
from effnet_edu.checkpoints.fetch import weights_file
row = replace(find_weights("efficientnet_b0", "torchvision/IMAGENET1K_V1"), url=sys.argv[1], file="b0.pth",
              hashes=("sha256:" + sys.argv[3],))
class Slow:
    def __init__(self, answer): self.answer, self.count = answer, 0
    def __getattr__(self, name): return getattr(self.answer, name)
    def read1(self, size):
        self.count += 1
        if self.count == 3:
            print("half", flush=True)
            import time; time.sleep(60)
        return self.answer.read1(size)
weights_file(row, Path(sys.argv[2]), lambda request: Slow(open_plain(request)), progress=False)
"""


def test_a_killed_download_leaves_nothing_that_looks_complete(weights, server, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, weights.url, str(tmp_path), SHA256], stdout=subprocess.PIPE
    )
    assert process.stdout.readline().strip() == b"half"
    process.kill()
    process.wait()
    process.stdout.close()
    assert "b0.pth" not in names(tmp_path)
    assert get(weights, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"EFFNET_EDU_CACHE": "/a", "TORCH_HOME": "/b", "XDG_CACHE_HOME": "/c"}, "/a"),
        ({"TORCH_HOME": "/b", "XDG_CACHE_HOME": "/c"}, "/b/effnet_edu"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/effnet_edu"),
        ({}, "~/.cache/effnet_edu"),
    ],
)
def test_the_cache_is_where_the_environment_says(variables, folder, monkeypatch):
    for name in ("EFFNET_EDU_CACHE", "TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(os.path.expanduser(folder))  # noqa: PTH111
