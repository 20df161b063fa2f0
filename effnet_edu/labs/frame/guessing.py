"""Guess first: what a learner guesses before it is measured, and how a chart takes and shows the guess."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from effnet_edu.ground.checks import quoted
from effnet_edu.ground.guesses import Verdict, in_three_digits, judged
from effnet_edu.ground.written_numbers import parse_number
from effnet_edu.pictures.axis import Axis
from effnet_edu.pictures.labels import Box, words_box
from effnet_edu.pictures.scene import Drag, Mark, text

if TYPE_CHECKING:
    from effnet_edu.labs.frame.logic import LabLogic

SettingT = TypeVar("SettingT")

#: What can be guessed, in any unit.
LEAST, MOST = 1e-3, 1e6
#: What an arrow key does to a guess: a factor where the axis is logarithmic, or else a share of the axis.
_FACTOR, _SHARE = 1.05, 0.01
_BUTTON_HEIGHT, _LOW_BUTTON, _CHARACTER, _BOLD = 24.0, 16.0, 7.0, 7.8
#: From so many pixels of height on, words stand beside a guess.
_ROOM_FOR_WORDS = 60.0


@dataclass(frozen=True)
class Guess(Generic[SettingT]):
    """What a learner guessed at a setting, in the unit of what was asked."""

    setting: SettingT
    value: float


@dataclass(frozen=True)
class Guessed:
    """What is guessed of a measurement.

    Attributes:
        question: Asks for it, without its unit.
        unit: Of the guess, such as `"ms"` or `"times"`.
        truth: What was measured, or None.
    """

    question: str
    unit: str
    truth: float | None

    def said(self, value: float) -> str:
        """Return a guess with its unit, such as `45 ms`."""
        return in_three_digits(value, self.unit)

    def read(self, written: Any) -> float:
        """Return a guess that somebody wrote or dragged, in three digits.

        Raises:
            ValueError: It is no number of this unit, or none that anything can take.
        """
        try:
            number = parse_number(written, self.unit)
        except ValueError as error:
            raise ValueError(f"{error} A number in {self.unit} is expected.") from None
        if not LEAST <= number <= MOST:
            allowed = f"a number from {LEAST:g} to {MOST:,.0f} {self.unit}"
            raise ValueError(f"The guess is {quoted(written)}; it must be {allowed}.")
        return float(f"{number:.3g}")

    def judge(self, guess: float) -> Verdict | None:
        """Return how far off a guess is, or None while nothing was measured."""
        return None if self.truth is None else judged(self.truth, guess, guess, self.said(self.truth))


def guess_marks(
    logic: "LabLogic[Any, Any]",
    axis: Axis,
    at: float,
    across: tuple[float, float],
    *,
    upright: bool = True,
    among: Iterable[Mark] = (),
) -> Iterator[Mark]:
    """Yield a place for the guess along an axis of a chart, or the guess; nothing where none is taken.

    Args:
        logic: The lab.
        axis: Of what is guessed.
        at: Where the present setting stands on the other axis, in pixels.
        across: Both ends of the other axis, or of the row, in pixels.
        upright: Whether the axis of what is guessed runs up and down.
        among: What the chart shows already; words in it stay readable, if there is any room beside them.
    """
    if not logic.predicts or (what := logic.guessed(logic.setting)) is None:
        return
    chart = _Chart(axis, at, (min(across), max(across)), upright)
    if logic.asks:
        chart = replace(chart, words=tuple(words_box(mark) for mark in among if mark.text))
        yield from _asked(logic.guess, what, chart)
    elif (guess := logic.committed) is not None:
        yield from _answered(guess, what, chart)


def ring_said(logic: "LabLogic[Any, Any]") -> str:
    """Return what explains the ring of a guess where there is no room beside it; empty without one."""
    return "   ring: guess" if logic.predicts and logic.committed is not None else ""


def axis_with_room(
    logic: "LabLogic[Any, Any]", longest: float, ends: tuple[float, float], at_first: float
) -> Axis:
    """Return an axis from 0 that reaches what is measured, and has room for a guess where one is taken.

    Args:
        logic: The lab.
        longest: The largest number that is measured, 0 where none is.
        ends: Of the axis, in pixels.
        at_first: To where it goes for a guess while nothing is measured.
    """
    if logic.asks:
        longest = 2 * longest or at_first
    elif logic.predicts:
        longest = max(longest, logic.committed or 0.0)
    return Axis(0, longest or 1.0, *ends)


@dataclass(frozen=True)
class _Chart:
    """Where a guess goes: the axis of its values, and the place and the ends of the other one."""

    axis: Axis
    at: float
    across: tuple[float, float]
    upright: bool
    words: tuple[Box, ...] = ()

    def place(self, along: float, other: float) -> tuple[float, float]:
        """Return x and y of a pixel along the axis and one on the other."""
        return (other, along) if self.upright else (along, other)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """All of it: corner, width and height."""
        low, high = sorted((self.axis.start, self.axis.end))
        left, top = self.place(low, self.across[0])
        right, bottom = self.place(high, self.across[1])
        return left, top, right - left, bottom - top

    def beside(self, x: float, y: float, width: float, height: float) -> tuple[float, float]:
        """Return the corner of a box beside a point: right of it where there is room, inside in any case."""
        left, top, wide, high = self.box
        corner = x + 16 if x + 16 + width <= left + wide else x - 16 - width
        held = min(max(corner, left), max(left + wide - width, left))
        upper = y - height / 2 if held == corner else y + 16 if y < top + high / 2 else y - 16 - height
        return held, min(max(upper, top), top + high - height) if high >= _ROOM_FOR_WORDS else upper

    def off(self, x: float, y: float, width: float, height: float) -> tuple[float, float]:
        """Return the corner of a box that no hand lies on which has just pressed at the value of a point."""
        left, top, wide, high = self.box
        if self.is_row:  # what is written behind a bar has as much room
            right_of, left_of = x + 14, x - 14 - width
            return right_of if right_of <= left + wide else left_of, y - height / 2
        held, upper = self.beside(x, y, width, height)
        if self.upright:
            upper = y + 16 if y < top + high / 2 else y - 16 - height
        elif held < x + 16 and held + width > x - 16:
            upper = top - 2 - height
        return held, upper

    def free(self, x: float, y: float, width: float, height: float) -> tuple[float, float]:
        """Return the corner of a box that `off` allows, or a corner of the chart if words lie there."""
        left, top, wide, high = self.box
        lefts, tops = (left + 3, left + wide - width - 3), (top + 3, top + high - height - 3)
        corners = [] if self.is_row else [(one, other) for other in tops for one in lefts]
        far = [
            (a, b) for a, b in corners if not (a - 16 < x < a + width + 16 and b - 16 < y < b + height + 16)
        ]
        return min((self.off(x, y, width, height), *far), key=lambda one: self.covered((*one, width, height)))

    def covered(self, box: Box) -> float:
        """Return how much of the chart's words lies under a box of a corner, width and height."""
        left, top, width, height = box
        sides = (
            (min(left + width, right) - max(left, start), min(top + height, low) - max(top, high))
            for start, high, right, low in self.words
        )
        return sum(max(0.0, across) * max(0.0, up) for across, up in sides)

    def clear_of_words(self, along: float) -> tuple[float, float]:
        """Return the ends of a line through a guess that runs across the chart until it meets words."""
        first, last = self.across
        for left, top, right, bottom in self.words:
            low, high, start, end = (top, bottom, left, right) if self.upright else (left, right, top, bottom)
            if low - 1 <= along <= high + 1:
                if start > self.at:
                    last = min(last, start - 3)
                elif end < self.at:
                    first = max(first, end + 3)
        return first, max(first, last)

    @property
    def is_row(self) -> bool:
        """Whether it is one row of several: what is higher covers the others."""
        return not self.upright and self.box[3] < 1.5 * _ROOM_FOR_WORDS


def _drag(axis: Axis, value: float | None, what: Guessed, *, upright: bool) -> Drag:
    said = "no guess yet" if value is None else what.said(value)
    low, high, step = axis.low, axis.high, _FACTOR
    middle = math.sqrt(low * high) if axis.logarithmic else (low + high) / 2
    if not axis.logarithmic:
        step = _SHARE * (high - low)
        low = max(low, step)  # nothing takes no time at all
    reached = Axis(low, high, axis(low), axis.end, axis.logarithmic)
    present = min(max(value or middle, low), high)
    return Drag("guess", reached, present, step, upright, by_factor=axis.logarithmic, said=said)


def _asked(value: float | None, what: Guessed, chart: _Chart) -> Iterator[Mark]:
    """Yield what takes a guess: the whole chart can be pressed, and a button commits what was chosen."""
    axis = chart.axis
    told = f"Your guess, in {what.unit}\nPress or drag; Enter commits"
    if value is None:
        left, top, width, height = chart.box
        every = ("guess: press where it will be", "press to guess", "guess")
        said = next((one for one in every if _BOLD * len(one) < width), every[-1])
        wide, middle = _BOLD * len(said), left + width / 2
        tries = [chart.at + 4] if chart.is_row else [top + 14 + 15 * n for n in range(int(height / 15))]
        best = min(tries, key=lambda y: chart.covered((middle - wide / 2, y - 10, wide, 13)))
        yield text("guess/how", middle, best, said, style="words bold middle over")
    else:
        along = axis(value)
        x, y = chart.place(along, chart.at)
        first, last = chart.clear_of_words(along)
        yield Mark("guess/line", "line", (*chart.place(along, first), *chart.place(along, last)), "here")
        yield Mark("guess/halo", "circle", (x, y, 13), "halo")
        yield Mark("guess/mark", "circle", (x, y, 7), "guess")
    drag = (_drag(axis, value, what, upright=chart.upright),)
    commit = {"commit": True}
    way = (0.0, 1.0) if chart.upright else (1.0, 0.0)
    leads = {"guess/line": way * 2, "guess/halo": way, "guess/mark": way}
    yield Mark(
        "guess/touch",
        "box",
        chart.box,
        "touch",
        words=told,
        sets=commit,
        drag=drag,
        with_=("guess",),
        leads=leads,
    )
    if value is not None:
        words = f"Commit {what.said(value)}"
        said, height = ("Commit", _LOW_BUTTON) if chart.is_row else (words, _BUTTON_HEIGHT)
        width = _CHARACTER * len(said) + (8 if chart.is_row else 16)
        # Not below a hand that has just placed the guess: what it presses twice must not be committed.
        x, y = chart.free(*chart.place(axis(value), chart.at), width, height)
        box = (x, y, width, height)
        yield Mark("guess/commit", "box", box, "chosen-button")
        style = f"words bold middle{' small' if chart.is_row else ''}"
        yield text("guess/commit said", x + width / 2, y + height / 2 + 4, said, style=style)
        yield Mark("guess/commit touch", "box", box, "touch", words=words, sets=commit)


def _answered(guess: float, what: Guessed, chart: _Chart) -> Iterator[Mark]:
    """Yield the guess and, as soon as there is one, how far the truth lies from it."""
    x, y = chart.place(chart.axis(guess), chart.at)
    if what.truth is not None:
        to = chart.place(chart.axis(what.truth), chart.at)
        yield Mark("guess/off", "line", (x, y, *to), "guess-off")
    words, has_room = f"guess {what.said(guess)}", chart.box[3] >= _ROOM_FOR_WORDS
    radius = 7 if has_room else 5
    yield Mark("guess/mark", "circle", (x, y, radius), "guess", words=f"Your guess: {what.said(guess)}")
    if has_room:
        left, top = chart.beside(x, y, _CHARACTER * len(words), 14)
        yield text("guess/said", left, top + 11, words, style="words bold over")
