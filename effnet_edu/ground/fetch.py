"""Published files onto this machine: over https, resumable, checked, once."""

import contextlib
import hashlib
import io
import os
import re
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

from filelock import BaseFileLock, Timeout
from tqdm.auto import tqdm

from effnet_edu.ground.checks import quoted
from effnet_edu.ground.locks import file_lock

#: Opens a request and returns the answer, with `status`, `headers` and `read` (or better `read1`).
OpenUrl = Callable[[urllib.request.Request], Any]

_TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 2**18
_ATTEMPTS = 3
#: Over so long a time, a server sends at least so much; or nobody waits for it any longer.
_PATIENCE_SECONDS, _SLOWEST_BYTES_PER_SECOND = 30.0, 1000


class HashMismatchError(ValueError):
    """A file that is not the one that was published."""


class FileUnavailableError(OSError):
    """A published file that could not be fetched, by no fault of the caller's."""


class FileTooLargeError(ValueError):
    """A file that is larger than this one can be, or than the disk has room for."""


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to https and refuses any other."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        _check_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_https(request: urllib.request.Request) -> Any:
    """Open a request over https and nothing else; certificates are checked."""
    _check_https(request.full_url)
    return urllib.request.build_opener(_HttpsRedirects).open(request, timeout=_TIMEOUT_SECONDS)


def _check_https(url: str) -> None:
    if urlsplit(url).scheme != "https":
        raise ValueError(f"{quoted(url)} is not an https address; files are fetched over https alone.")


@dataclass(frozen=True)
class PublishedFile:
    """A file that is published at an address.

    Attributes:
        name: What a sentence calls it.
        url: Where it is, over https.
        file: How it is called on this machine.
        hashes: Accepted hashes as `algorithm:hex`.
        max_bytes: The largest size that it can have.
    """

    name: str
    url: str
    file: str
    hashes: tuple[str, ...]
    max_bytes: int


class Published(Protocol):
    """What fetching needs to know of a file; `PublishedFile`, or a row of a registry."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as in PublishedFile
    @property
    def url(self) -> str: ...  # noqa: D102
    @property
    def file(self) -> str: ...  # noqa: D102
    @property
    def hashes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def max_bytes(self) -> int: ...  # noqa: D102


def check_hash(source: Path | bytes, hashes: Collection[str], name: str) -> None:
    """Raise unless a file, or what was read of it, has an accepted hash, whole or its first digits."""
    found = {}
    for algorithm in {accepted.partition(":")[0] for accepted in hashes}:
        with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
            found[algorithm] = f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"
    if hashes and not any(
        found[accepted.partition(":")[0]].startswith(accepted.lower()) for accepted in hashes
    ):
        raise HashMismatchError(
            f"{name} has the hash {' and '.join(found.values())}, where {' or '.join(hashes)} is expected."
        )


def fetch_file(
    published: Published,
    folder: Path,
    open_url: OpenUrl = open_https,
    progress: bool = True,
    check: Callable[[Path], object] | None = None,
) -> Path:
    """Return the checked file that is published at an address; fetch it first where it is not in the folder.

    Several processes may ask at once, and one fetches. What a killed process leaves behind ends in `.part`
    and is taken up again. A file with the wrong hash is kept aside, with a name that ends in `.refused`.

    Args:
        published: What to fetch.
        folder: Where fetched files are kept; it is made. One that already holds the file may be read-only.
        open_url: Opens a request.
        progress: Show a bar.
        check: Raises a ValueError where a file that just came is not what it should be; for files without a
            published hash.

    Raises:
        FileUnavailableError: It could not be fetched, or not be kept.
        HashMismatchError: The file is not the published one.
        FileTooLargeError: It is larger than it can be, or than the disk has room for.
    """
    path = folder / published.file
    if _is_kept(path, published):
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = file_lock(folder / f"{published.file}.lock")
        with _held(lock, published, folder):
            if not _is_kept(path, published):
                _fetch_and_check(published, path, open_url, progress, check)
    except FileUnavailableError:
        raise
    except OSError as error:
        raise FileUnavailableError(
            f"{published.file} could not be kept in {folder} ({error.strerror or error}); make room or name "
            f"another folder in EFFNET_EDU_CACHE. If not, {_go_on(published)}"
        ) from error
    return path


def _is_kept(path: Path, published: Published) -> bool:
    if not path.is_file():
        return False
    try:
        check_hash(path, published.hashes, path.name)
    except HashMismatchError:  # damaged on this disk
        return False
    return True


@contextlib.contextmanager
def _held(lock: BaseFileLock, published: Published, folder: Path) -> Iterator[None]:
    """Hold the lock; where another program has it, say for what this one waits."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        said = f"Another program is fetching {published.file} into {folder}; this one waits for it."
        tqdm.write(said, file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch_and_check(
    published: Published,
    path: Path,
    open_url: OpenUrl,
    progress: bool,
    check: Callable[[Path], object] | None,
) -> None:
    part, refused = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.refused")
    if path.exists():
        path.replace(refused)
    _fetch(published, part, open_url, progress)
    try:
        check_hash(part, published.hashes, part.name)
        if check is not None:
            check(part)
    except ValueError as error:
        part.replace(refused)
        _validator(part).unlink(missing_ok=True)
        raise HashMismatchError(
            f"{error} The file is kept as {refused}. Perhaps the publisher replaced it, or something on "
            "the way changed it."
        ) from None
    part.replace(path)
    _validator(part).unlink(missing_ok=True)


class _NetworkError(Exception):
    """The connection failed; another attempt may do better."""


def _fetch(published: Published, part: Path, open_url: OpenUrl, progress: bool) -> None:
    """Fill `part` with the whole file, going on where an earlier attempt ended."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _fetch_once(published, part, open_url, progress)
            return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # what we have is not a beginning of what is there
                part.unlink(missing_ok=True)
            if attempt == _ATTEMPTS or (error.code < 500 and error.code != 416):
                raise _unusable(published, f"{error.code} ({error.reason})") from error
        except _NetworkError as error:
            if attempt == _ATTEMPTS:
                raise FileUnavailableError(
                    f"{published.url} could not be fetched ({error}); is there a network? "
                    f"If not, {_go_on(published)}"
                ) from error


def _go_on(published: Published) -> str:
    return f"the course goes on without {published.name}, and the next try takes up what was fetched."


def _unusable(published: Published, what: str) -> FileUnavailableError:
    host = urlsplit(published.url).netloc
    return FileUnavailableError(f"{host} answers {what} for {published.url}; {_go_on(published)}")


@contextlib.contextmanager
def _network() -> Iterator[None]:
    """Tell what fails on the way from what fails on this disk."""
    try:
        yield
    except urllib.error.HTTPError:
        raise
    except (OSError, HTTPException) as error:
        raise _NetworkError(getattr(error, "reason", None) or error) from error


def _fetch_once(published: Published, part: Path, open_url: OpenUrl, progress: bool) -> None:
    request = urllib.request.Request(published.url, headers={"User-Agent": "effnet-edu"})  # noqa: S310
    request.add_header("Accept-Encoding", "identity")
    known = _known_tag(part)
    have = part.stat().st_size if part.exists() and (known or published.hashes) else 0
    if have:
        request.add_header("Range", f"bytes={have}-")
        if known:
            request.add_header("If-Range", known)
    with _network():
        opened = contextlib.closing(open_url(request))
    with opened as answer:
        have, whole = _promised(answer, have, known, published)
        _check_size(published, whole or 0)
        _check_room(published, (whole or 0) - have, part.parent)
        tag = answer.headers.get("ETag")
        if tag and not tag.startswith("W/"):
            _validator(part).write_text(tag, encoding="utf-8")
        else:
            _validator(part).unlink(missing_ok=True)
        with (
            part.open("r+b" if have else "wb") as file,
            tqdm(
                total=whole,
                initial=have,
                desc=published.file,
                unit="B",
                unit_scale=True,
                disable=not progress,
            ) as bar,
        ):
            file.seek(have)
            for chunk in _chunks(answer, published):
                have += len(chunk)
                _check_size(published, have)
                file.write(chunk)
                bar.update(len(chunk))
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
    if whole is not None and have < whole:
        raise _NetworkError(f"the connection ended after {have:,} of {whole:,} bytes")
    if not have:
        raise _unusable(published, "nothing")


def _promised(answer: Any, have: int, known: str, published: Published) -> tuple[int, int | None]:
    """Return where the answer begins in the file, and how long the file is; refuse what is not the file."""
    headers = answer.headers
    encoding, kind = headers.get("Content-Encoding") or "identity", str(headers.get("Content-Type") or "")
    if encoding.lower() != "identity":
        raise _unusable(published, f"in the encoding {quoted(encoding)}, which was not asked for,")
    if kind.lower().startswith("text/html"):
        raise _unusable(published, "with a web page")
    length = headers.get("Content-Length")
    if length is not None and not str(length).isdecimal():
        raise _unusable(published, f"with the length {quoted(length)}")
    if answer.status == 200:
        return 0, None if length is None else int(length)
    if answer.status != 206 or not have:
        raise _unusable(published, f"{answer.status}, where 200 was expected,")
    sent = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", str(headers.get("Content-Range", "")))
    first, last = (int(sent[1]), int(sent[2])) if sent else (-1, -1)
    whole = last + 1
    if sent is None or first != have or last < first or sent[3] not in ("*", str(whole)):
        raise _unusable(published, f"the range {quoted(headers.get('Content-Range'))} to bytes={have}-")
    if length is not None and int(length) != whole - have:
        raise _unusable(published, f"{int(length):,} bytes for a range of {whole - have:,}")
    if known and headers.get("ETag") not in (None, known):
        raise _unusable(published, "with a part of another file")
    return have, whole


def _chunks(answer: Any, published: Published) -> Iterator[bytes]:
    """Yield what arrives, as it arrives; give up where it is too little to wait for."""
    # `read` alone would wait until a whole chunk is there.
    read = getattr(answer, "read1", answer.read)
    begun, arrived = time.monotonic(), 0
    while True:
        with _network():
            chunk = read(_CHUNK_BYTES)
        if not chunk:
            return
        yield chunk
        arrived += len(chunk)
        seconds = time.monotonic() - begun
        if seconds > _PATIENCE_SECONDS:
            if arrived < _SLOWEST_BYTES_PER_SECOND * seconds:
                raise _unusable(published, f"with {arrived:,} bytes in {seconds:,.0f} s, too slowly to wait,")
            begun, arrived = time.monotonic(), 0


def _check_size(published: Published, size: int) -> None:
    if size > published.max_bytes:
        raise FileTooLargeError(
            f"{published.url} is more than {published.max_bytes:,} bytes long; this file cannot be."
        )


def _check_room(published: Published, more: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if more > free:
        raise FileTooLargeError(
            f"{published.file} needs {more:,} bytes more and {folder} has {free:,} free; make room, or name "
            "another folder in EFFNET_EDU_CACHE."
        )


def _validator(part: Path) -> Path:
    """Return the file that says which version of the publisher's file `part` is a beginning of."""
    return part.with_name(f"{part.name}.etag")


def _known_tag(part: Path) -> str:
    """Return what the validator holds; nothing where there is none or it is damaged."""
    try:
        tag = _validator(part).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
    return tag if re.fullmatch(r'"[ !#-~]*"', tag) else ""
