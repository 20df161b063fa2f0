"""onnxruntime for browsers: out of npm's package once, then kept; as the site's lock has it."""

import hashlib
import io
import json
import tarfile
from base64 import b64encode
from pathlib import Path
from types import MappingProxyType
from urllib.request import Request

import pytest

from effnet_edu.ground import onnxruntime_web as module
from effnet_edu.ground.fetch import FileUnavailableError, HashMismatchError
from effnet_edu.ground.onnxruntime_web import FILES, INTEGRITY, VERSION, onnxruntime_web, package

LOCK = Path(__file__).parents[2] / "website" / "package-lock.json"
CONTENT = dict(zip(FILES, (b"script", b"wasm"), strict=True))


class Answer(io.BytesIO):
    status, headers = 200, MappingProxyType({})


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A package with other content, which is taken for the published one."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as opened:
        for name, content in CONTENT.items():
            entry = tarfile.TarInfo(f"package/dist/{name}")
            entry.size = len(content)
            opened.addfile(entry, io.BytesIO(content))
    digest = b64encode(hashlib.sha512(made.getvalue()).digest()).decode()
    monkeypatch.setattr(module, "INTEGRITY", f"sha512-{digest}")
    hashes = {name: f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in CONTENT.items()}
    monkeypatch.setattr(module, "FILES", hashes)
    return made.getvalue()


def unreachable(_request: Request) -> Answer:
    raise OSError("no network")


def test_it_is_the_package_of_the_sites_lock() -> None:
    locked = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]["node_modules/onnxruntime-web"]
    assert (locked["version"], locked["integrity"]) == (VERSION, INTEGRITY)


def test_it_is_fetched_once_and_only_what_is_needed_is_kept(archive: bytes, tmp_path: Path) -> None:
    asked: list[str] = []

    def published(request: Request) -> Answer:
        asked.append(request.full_url)
        return Answer(archive)

    assert onnxruntime_web(tmp_path, published, progress=False) == (b"script", b"wasm")
    assert asked == [package().url]
    assert onnxruntime_web(tmp_path, unreachable) == (b"script", b"wasm")
    kept = tmp_path / f"onnxruntime-web-{VERSION}"
    assert {path.name for path in tmp_path.rglob("*") if path.suffix != ".lock"} - {".lock"} == {
        kept.name,
        *CONTENT,
    }
    (kept / next(iter(CONTENT))).write_bytes(b"damaged")
    assert onnxruntime_web(tmp_path, published, progress=False) == (b"script", b"wasm")


def test_another_package_and_no_network_are_named(archive: bytes, tmp_path: Path) -> None:
    with pytest.raises(HashMismatchError, match="has the hash sha512:"):
        onnxruntime_web(tmp_path, lambda _request: Answer(archive + b"x"), progress=False)
    with pytest.raises(FileUnavailableError, match=r"could not be fetched \(no network\)"):
        onnxruntime_web(tmp_path, unreachable, progress=False)
