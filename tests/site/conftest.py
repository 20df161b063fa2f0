"""The site as `make site` makes it, once for all workers, and a server that has nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.site.served import serve_folder
from website.build import build


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of the site, made without a warning by the worker that needs it first."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "website" / "site"
    made = folder.with_name("made")
    with FileLock(folder.with_name("website.lock")):
        if not made.exists():
            assert build(folder) == 0
            made.touch()
    return folder


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    with serve_folder(site) as served:
        yield served
