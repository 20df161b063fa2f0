"""Checking a number, written the way a sensible person would write it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from effnet_edu.exercises.outcome import Outcome, not_attempted
from effnet_edu.ground.written_numbers import parse_number


@dataclass(frozen=True)
class NumberCheck:
    """Checks a number against one that the library computes.

    Attributes:
        value: Computes the right number.
        variable: Name of the learner's variable.
        unit: Its unit, such as `"MACs"`, `"ms"`, `"MiB"`, `"%"` or `"times"`; empty for a pure number.
        tolerance: Largest relative difference that still counts as right.
        mistakes: What computes the number of a likely mistake, and its cause in a sentence.
    """

    value: Callable[[], float]
    variable: str
    unit: str = ""
    tolerance: float = 0.01
    mistakes: tuple[tuple[Callable[[], float], str], ...] = ()

    def _near(self, number: float, other: float) -> bool:
        return abs(number - other) <= self.tolerance * abs(other)

    def __call__(self, answer: Any) -> Outcome:
        """Return whether a number, or text that holds one, is right, and if not, the likely cause."""
        if answer is ...:
            return not_attempted(f"`{self.variable}`")
        if callable(answer):
            return Outcome("wrong", f"This is a function; call it and give the number to `{self.variable}`.")
        try:
            number = parse_number(answer, self.unit)
        except ValueError as error:
            kind = f"`{self.variable}` holds an object of type `{type(answer).__name__}`."
            said = error if isinstance(answer, str) else kind
            return Outcome(
                "wrong", f"{said} A number is expected here{f', in {self.unit}' * bool(self.unit)}."
            )
        if not math.isfinite(number):
            return Outcome("wrong", f"{number} is not a number that anything can cost.")
        right = self.value()
        if self._near(number, right):
            return Outcome("right", "")
        for mistake, cause in self.mistakes:
            if self._near(number, mistake()):
                return Outcome("wrong", cause)
        if self.unit == "%" and self._near(100 * number, right):
            return Outcome("wrong", f"{number:g} alone means {number:g} %. Write `{100 * number:g}`.")
        for power, word in ((3, "thousand"), (6, "million"), (9, "billion")):
            if self.unit and self._near(number * 10**power, right):
                return Outcome(
                    "wrong",
                    f"The digits are right, but {number:g} alone means {number:g} {self.unit}. Say that you "
                    f"mean {word}s: `{number:g}e{power}`, or text such as `'{number:g} {word}'`.",
                )
        side = "more" if number < right else "less"
        return Outcome("wrong", f"{number:,.6g} is not it: the right number is {side} than that.")
