"""The site as `make site` makes it, once, and a server of this machine that has nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site.served import serve_folder
from website.build import build


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, made without a warning."""
    folder = tmp_path_factory.mktemp("website") / "site"
    assert build(folder) == 0
    return folder


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    with serve_folder(site) as served:
        yield served
