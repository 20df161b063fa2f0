"""The labs that every browser test goes through, each as its folder says."""

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

import effnet_edu as ee
from effnet_edu.labs.frame.page import exact
from tests.cases import thorough_but_for

#: The two pictures of a lab.
PICTURES, COUNT = ".ee-lab svg.ee-scene", 2
#: What the status line says while a measurement runs.
BUSY = re.compile("^(Building|Measuring)")


@dataclass(frozen=True)
class Case:
    """A lab as the tests drive it.

    Attributes:
        lab: Name of the class.
        start: Its settings at the start, quick to measure, as code.
        slider: Class of the slider that is moved; from `start` the right arrow key moves it 40 times.
    """

    lab: str
    start: str
    slider: str

    @property
    def code(self) -> str:
        """The line that makes it."""
        return f"ee.labs.{self.lab}({self.start})"

    @property
    def cells(self) -> tuple[str, ...]:
        """A notebook with nothing but this lab."""
        return ("import effnet_edu as ee", f"lab = {self.code}\nstart = lab.logic.setting\nlab")


def case(lab: str) -> Case:
    """Return how a lab is driven, as its own folder says."""
    logic = exact(lab)
    start = ", ".join(f"{name}={value!r}" for name, value in logic.QUICK.items())
    return Case(lab, start, f"ee-{logic.MAIN.replace('_', '-')}")


LABS = tuple(map(case, ee.labs.LABS))


def of_the_frame(*quick: str) -> pytest.MarkDecorator:
    """Mark what the frame does alike in each lab: `make test` tries it in the named ones."""
    some = [case for case in LABS if case.lab in quick]
    return pytest.mark.parametrize(
        "opened", thorough_but_for(some, LABS), indirect=True, ids=lambda case: case.lab
    )


def measure(page: Page) -> None:
    """Press Measure in the only lab of the page, and wait until it is done."""
    page.locator(".ee-lab .ee-button-measure").click()
    wait_until_measured(page)


def be_measured(page: Page) -> None:
    """Measure unless the present setting was measured before."""
    if not page.locator(".ee-lab .ee-measured:not(.ee-stale)").count():
        measure(page)


def start_measuring(page: Page) -> None:
    """Press Measure in the only lab of the page, and wait until it has begun."""
    page.locator(".ee-button-measure").click()
    expect(page.locator(".ee-status")).to_have_text(BUSY)


def wait_until_measured(page: Page) -> None:
    expect(page.locator(".ee-lab .ee-status")).to_contain_text("Measured ")


def numbers(page: Page) -> str:
    """Return what the numbers of the only lab say, without tables that it shows beside them."""
    return "\n".join(page.locator(".ee-lab .ee-numbers:not(.ee-also)").all_inner_texts())
