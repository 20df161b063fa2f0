"""The labs that every browser test goes through: a line a lab."""

import re
from dataclasses import dataclass

from playwright.sync_api import Page, expect

#: What the status line says while a measurement runs.
BUSY = re.compile("^(Building|Measuring)")


@dataclass(frozen=True)
class Case:
    """A lab as the tests drive it.

    Attributes:
        lab: Name of the class.
        start: Its settings at the start, quick to measure, as code.
        slider: Class of the slider that is moved; the arrow keys move it 40 times either way from `start`.
        pictures: How many pictures it shows.
    """

    lab: str
    start: str
    slider: str
    pictures: int

    @property
    def code(self) -> str:
        """The line that makes it."""
        return f"ee.labs.{self.lab}({self.start})"

    @property
    def cells(self) -> tuple[str, ...]:
        """A notebook with nothing but this lab."""
        return ("import effnet_edu as ee", f"lab = {self.code}\nstart = lab.logic.setting\nlab")


LABS = (
    Case("PhiLab", "phi=1.0", "ee-phi", 2),
    Case("MBConvLab", "side=28", "ee-side", 2),
    Case("SqueezeExciteLab", "network='small', gates='one by hand', gate=0.5", "ee-gate", 2),
    Case(
        "V2Lab",
        'part="progressive learning", network="B0", stages=2, first_side=64, side=200, batch_size=2',
        "ee-side",
        2,
    ),
    Case("BenchmarkLab", "up_to=0.5", "ee-most-ms", 2),
    Case("ScalingProblemLab", "budget=1.0", "ee-budget", 3),
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
    expect(page.locator(".ee-status")).to_have_text(BUSY, timeout=30_000)


def wait_until_measured(page: Page) -> None:
    expect(page.locator(".ee-lab .ee-status")).to_contain_text("Measured ", timeout=90_000)


def numbers(page: Page) -> str:
    """Return what the numbers of the only lab say, without tables that it shows beside them."""
    return "\n".join(page.locator(".ee-lab table.ee-numbers:not(.ee-also)").all_inner_texts())
