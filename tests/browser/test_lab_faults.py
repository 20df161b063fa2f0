"""What may go wrong around a lab: faults in a measurement, two at once, closed notebooks, stopped kernels."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cases import Case, measure, of_the_frame, start_measuring, wait_until_measured
from tests.browser.jupyter import Notebook
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.browser, of_the_frame("PhiLab")]


@pytest.fixture(autouse=True)
def nothing_in_the_learners_face(lab: Notebook, page: Page) -> Iterator[None]:
    yield
    assert lab.errors() == []
    expect(page.get_by_text("model not found")).to_have_count(0)


def test_a_fault_while_measuring_ends_as_a_sentence(lab: Notebook, page: Page) -> None:
    for error, sentence in (
        ("MemoryError('It does not fit.')", "It does not fit."),
        ("RuntimeError('shapes differ')", "the network stopped with RuntimeError: shapes differ"),
    ):
        lab.run_in_kernel(f"def fail(*_): raise {error}\nlab.logic.measure = fail")
        page.locator(".ee-button-measure").click()
        expect(page.locator(".ee-status")).to_have_text(f"Not measured: {sentence}")
    lab.run_in_kernel("del lab.logic.measure")
    measure(page)


def test_two_labs_measure_in_turn(lab: Notebook, page: Page, case: Case) -> None:
    # The device is held until one of the two has come to it: otherwise one may end before the other begins.
    said = lab.run_in_kernel(
        "import time\n"
        "from effnet_edu.profiling.device import as_device, exclusive\n"
        f"other = {case.code}\n"
        "def waits(): return any(\n"
        "    'this one waits for it' in one.logic.status.message for one in (lab, other))\n"
        "with exclusive(as_device('cpu')):\n"
        f"    other.logic.request(); lab.logic.request(); end = time.monotonic() + {PATIENCE}\n"
        "    while not (seen := waits()) and time.monotonic() < end: time.sleep(0.01)\n"
        "print(seen)"
    )
    assert said == "True\n"
    wait_until_measured(page)
    said = lab.run_in_kernel(
        "print(other.logic.wait(60), other.logic.status.state, lab.logic.status.state); other.close()"
    )
    assert said == "True measured measured\n"


def test_an_interrupt_in_mid_measurement(lab: Notebook, page: Page) -> None:
    start_measuring(page)
    lab.interrupt()
    wait_until_measured(page)


def test_a_notebook_closed_in_mid_measurement(lab: Notebook, page: Page) -> None:
    start_measuring(page)
    lab.reopen()
    wait_until_measured(page)
    said = lab.run_in_kernel(
        "import threading; print([t.name for t in threading.enumerate() if 'effnet' in t.name])"
    )
    assert said == "[]\n"


def test_a_restart_in_mid_measurement(lab: Notebook, page: Page) -> None:
    start_measuring(page)
    lab.restart()
    lab.run_all()
    expect(page.locator(".ee-lab")).to_have_count(1)
    measure(page)
