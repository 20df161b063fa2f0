"""onnxruntime for browsers: two files out of a package of npm, fetched once, checked, kept. No torch."""

import base64
import tarfile
from pathlib import Path

from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.cache import cache_folder
from effnet_edu.ground.fetch import (
    HashMismatchError,
    OpenUrl,
    PublishedFile,
    check_hash,
    fetch_file,
    open_https,
)
from effnet_edu.ground.locks import file_lock

#: The version and the hash of its package, as website/package-lock.json has them, and its size.
VERSION = "1.30.0"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
PACKAGE_BYTES = 33_106_585
#: A module of JavaScript, and the engine itself for one thread of a processor (MIT licence).
FILES = {
    "ort.wasm.bundle.min.mjs": "sha256:11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    "ort-wasm-simd-threaded.wasm": "sha256:3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}


def package() -> PublishedFile:
    """Return the package as npm publishes it."""
    algorithm, _, digest = INTEGRITY.partition("-")
    return PublishedFile(
        name="onnxruntime for browsers",
        url=f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz",
        file=f"onnxruntime-web-{VERSION}.tgz",
        hashes=(f"{algorithm}:{base64.b64decode(digest).hex()}",),
        max_bytes=PACKAGE_BYTES,
    )


def onnxruntime_web(
    folder: Path | None = None, open_url: OpenUrl = open_https, progress: bool = True
) -> tuple[bytes, bytes]:
    """Return the module of JavaScript and the engine; the package is fetched where one is not kept.

    Args:
        folder: Where they are kept, in `onnxruntime-web-VERSION`; `cache_folder()` by default.
        open_url: Opens a request.
        progress: Show a bar.

    Raises:
        FileUnavailableError: The package could not be fetched.
        ValueError: It is not the published one.
        OSError: The files could not be kept.
    """
    folder = folder or cache_folder()
    kept, published = folder / f"onnxruntime-web-{VERSION}", package()
    found = _kept(kept)
    if found is None:
        kept.mkdir(parents=True, exist_ok=True)
        with file_lock(kept / ".lock"):
            found = _kept(kept)  # another program may have been faster
            if found is None:
                archive = fetch_file(published, folder, open_url, progress)
                with tarfile.open(archive) as opened:
                    for name in FILES:
                        member = opened.extractfile(f"package/dist/{name}")
                        assert member is not None  # noqa: S101 - the hash of the whole was checked
                        write_atomically(kept / name, member.read())
                archive.unlink()
                found = _kept(kept)
                assert found is not None  # noqa: S101 - as above
    return found


def _kept(folder: Path) -> tuple[bytes, bytes] | None:
    """Return both files, or None where one is missing or damaged."""
    try:
        script, wasm = ((folder / name).read_bytes() for name in FILES)
        for content, (name, digest) in zip((script, wasm), FILES.items(), strict=True):
            check_hash(content, (digest,), name)
    except (OSError, HashMismatchError):
        return None
    return script, wasm
