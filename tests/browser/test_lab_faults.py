"""What may go wrong around a lab: kernels that stop, notebooks that close, two labs at once."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cases import LABS, Case, measure
from tests.browser.jupyter import Notebook, write_notebook

Served = tuple[str, Path]
pytestmark = pytest.mark.browser

BUSY = re.compile("^(Building|Measuring)")


@pytest.fixture(params=LABS, ids=lambda case: case.lab)
def lab(notebook: Notebook, page: Page, served: Served, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """A notebook of its own with a lab that measures."""
    case: Case = request.param
    name = re.sub(r"\W+", "-", request.node.name) + ".ipynb"
    write_notebook(served[1] / name, *case.cells)
    notebook.open(name)
    notebook.run_all()
    page.locator(".ee-button-measure").click()
    expect(page.locator(".ee-status")).to_have_text(BUSY, timeout=30_000)
    yield notebook
    assert page.get_by_text("model not found").count() == 0


def test_a_restart_in_mid_measurement(lab: Notebook, page: Page) -> None:
    lab.restart()
    assert lab.errors() == []
    lab.run_all()
    expect(page.locator(".ee-lab")).to_have_count(1)
    measure(page)


def test_an_interrupt_in_mid_measurement(lab: Notebook, page: Page) -> None:
    lab.interrupt()
    expect(page.locator(".ee-status")).to_contain_text("Measured ", timeout=90_000)
    assert lab.errors() == []


def test_a_notebook_closed_in_mid_measurement(
    lab: Notebook, page: Page, request: pytest.FixtureRequest
) -> None:
    name = re.sub(r"\W+", "-", request.node.name) + ".ipynb"
    lab.leave()
    lab.open(name)
    expect(page.locator(".ee-lab .ee-status")).to_contain_text("Measured ", timeout=90_000)
    said, _ = lab.run_in_kernel(
        "import threading; print([t.name for t in threading.enumerate() if 'effnet' in t.name])"
    )
    assert said == "[]\n"


@pytest.mark.parametrize("case", LABS, ids=lambda case: case.lab)
def test_two_labs_measure_in_turn(notebook: Notebook, page: Page, served: Served, case: Case) -> None:
    name = f"two-{case.lab}.ipynb"
    code = f"first = {case.code}\ndisplay(first)\nsecond = {case.code}\ndisplay(second)"
    write_notebook(served[1] / name, "import effnet_edu as ee", code)
    notebook.open(name)
    notebook.run_all()
    notebook.run_in_kernel("first.logic.measure(); second.logic.measure()")
    statuses = page.locator(".ee-status")
    expect(statuses.filter(has_text="this one waits for it")).to_have_count(1, timeout=30_000)
    for n in range(2):
        expect(statuses.nth(n)).to_contain_text("Measured ", timeout=90_000)
