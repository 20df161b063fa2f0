"""Checking a number, written the way a sensible person would write it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from effnet_edu.exercises.outcome import Outcome, not_attempted

_SCALES = {
    "": 1.0, "k": 1e3, "thousand": 1e3, "m": 1e6, "mio": 1e6, "million": 1e6, "millions": 1e6,
    "g": 1e9, "b": 1e9, "billion": 1e9, "billions": 1e9, "t": 1e12, "trillion": 1e12,
}  # fmt: skip
_WRITTEN = re.compile(r"([+-]?[\d,_]*\.?\d+(?:e[+-]?\d+)?)\s*([a-z]*)\s*([a-z]*)")


def plain_number(value: Any) -> float | None:
    """Return an int, a float, or a NumPy or torch scalar as a float; None for anything else.

    Args:
        value: Whatever a learner gave or a learner's function returned.
    """
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def parse_number(value: Any, unit: str) -> float:
    """Return the number that somebody wrote.

    Args:
        value: A number, or text such as `"385 M"`, `"0.385 GMACs"`, `"385,195,456"` or `"385 million MACs"`.
        unit: The unit that may follow, such as `"MACs"`; empty for a pure number.

    Raises:
        ValueError: It cannot be read as a number of this unit.
    """
    number = plain_number(value)
    if number is not None:
        return number
    found = _WRITTEN.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} cannot be read as a number.")
    digits, first, second = found.groups()
    known = unit.lower()
    singular = known.removesuffix("s")
    if not second and first not in _SCALES:
        for name in (known, singular):
            if name and first.endswith(name) and first.removesuffix(name) in _SCALES:
                first, second = first.removesuffix(name), name
                break
    if first not in _SCALES or second not in {"", known, singular}:
        raise ValueError(f"{value!r} is not in {unit or 'plain numbers'}.")
    return float(digits.replace(",", "").replace("_", "")) * _SCALES[first]


@dataclass(frozen=True)
class WrongNumber:
    """A number that a likely mistake gives.

    Attributes:
        value: Computes it.
        cause: The mistake, in a sentence.
    """

    value: Callable[[], float]
    cause: str


@dataclass(frozen=True)
class NumberCheck:
    """Checks a number against one that the library computes.

    Attributes:
        value: Computes the right number.
        variable: Name of the learner's variable.
        unit: Its unit, such as `"MACs"`; empty for a pure number.
        tolerance: Largest relative difference that still counts as right.
        mistakes: Numbers that likely mistakes give.
    """

    value: Callable[[], float]
    variable: str
    unit: str = ""
    tolerance: float = 0.01
    mistakes: tuple[WrongNumber, ...] = ()

    def _near(self, number: float, other: float) -> bool:
        return abs(number - other) <= self.tolerance * abs(other)

    def __call__(self, answer: Any) -> Outcome:
        """Return whether the number is right, and if not, the likely cause.

        Args:
            answer: A number, or text that holds one.
        """
        if answer is ...:
            return not_attempted(f"`{self.variable}`")
        if callable(answer):
            return Outcome("wrong", f"This is a function; call it and give the number to `{self.variable}`.")
        try:
            number = parse_number(answer, self.unit)
        except ValueError as error:
            return Outcome(
                "wrong", f"{error} A number is expected here{f', in {self.unit}' * bool(self.unit)}."
            )
        right = self.value()
        if self._near(number, right):
            return Outcome("right", "")
        for mistake in self.mistakes:
            if self._near(number, mistake.value()):
                return Outcome("wrong", mistake.cause)
        for power, word in ((3, "thousand"), (6, "million"), (9, "billion")):
            if self.unit and self._near(number * 10**power, right):
                return Outcome(
                    "wrong",
                    f"The digits are right, but {number:g} alone means {number:g} {self.unit}. Say that you "
                    f"mean {word}s: `{number:g}e{power}`, or text such as `'{number:g} {word}'`.",
                )
        side = "more" if number < right else "less"
        return Outcome("wrong", f"{number:,.6g} is not it: the right number is {side} than that.")
