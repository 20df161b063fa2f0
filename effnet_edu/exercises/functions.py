"""Checking a function: it is tried on random inputs beside one that the library knows to be right."""

import copy
import math
import random
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from effnet_edu.exercises.learner import stopped, written
from effnet_edu.exercises.numbers import plain_number
from effnet_edu.exercises.outcome import Outcome, not_attempted

#: Below this, values are compared by their difference alone: what should be 0 is often 1e-17.
_SMALLEST = 1e-6


@dataclass(frozen=True)
class WrongFunction:
    """What a likely mistake computes.

    Attributes:
        function: The mistake, as a function of the same arguments.
        cause: The mistake, in a sentence.
    """

    function: Callable[..., Any]
    cause: str

    def example(self) -> Callable[..., Any]:
        """Return an answer with this mistake."""
        return self.function


@dataclass(frozen=True)
class FunctionCheck:
    """Checks a function of numbers that returns a number.

    The right values never come from the learner's function, and each call gets its own copy of the inputs.

    Attributes:
        reference: The right function.
        draw: Draws the arguments of one call.
        arguments: Names of the arguments.
        mistakes: Functions that likely mistakes compute.
        whole: Whether only whole numbers can be right.
        tries: How many inputs to try.
        tolerance: Largest relative difference that still counts as right.
        seed: Seed of the inputs.
    """

    reference: Callable[..., float]
    draw: Callable[[random.Random], tuple[Any, ...]]
    arguments: tuple[str, ...]
    mistakes: tuple[WrongFunction, ...]
    whole: bool = False
    tries: int = 60
    tolerance: float = 1e-6
    seed: int = 0

    def inputs(self) -> list[tuple[Any, ...]]:
        """Return the arguments of every call."""
        generator = random.Random(self.seed)  # noqa: S311 - inputs of an exercise, not a secret
        return [self.draw(generator) for _ in range(self.tries)]

    def same(self, one: float, other: float) -> bool:
        """Return whether two values count as equal.

        Args:
            one: A value.
            other: Another.
        """
        return abs(one - other) <= self.tolerance * max(_SMALLEST, abs(other))

    def _call(self, given: tuple[Any, ...]) -> str:
        return written(self.arguments, given)

    def __call__(self, answer: Any) -> Outcome:
        """Return whether the function is right, and if not, the likely cause.

        Args:
            answer: The learner's function.
        """
        if answer is ...:
            return not_attempted("the function")
        if not callable(answer):
            return Outcome(
                "wrong",
                "The check wants the function itself, without brackets after its name; it got "
                f"{reprlib.repr(answer)}.",
            )
        values = []
        for given in self.inputs():
            result = self._value(answer, given)
            if isinstance(result, Outcome):
                return result
            values.append(result)
        return self._judge(values)

    def _value(self, answer: Callable[..., Any], given: tuple[Any, ...]) -> float | Outcome:
        """Return what the learner's function gives for one input, or the outcome if that is no number."""
        try:
            result = answer(*copy.deepcopy(given))
        except Exception as error:  # whatever a learner's code raises is shown with the input that caused it
            return stopped(error, self._call(given), "the function")
        if result is ...:
            return not_attempted("the function")
        if result is None:
            return Outcome("wrong", "It returns nothing: is there a `return` before the result?")
        number = plain_number(result)
        if number is None:
            return Outcome(
                "wrong",
                f"With {self._call(given)} it returns a {type(result).__name__}, {reprlib.repr(result)}; one "
                "number is expected.",
            )
        if not math.isfinite(number):
            return Outcome("wrong", f"With {self._call(given)} it returns {number}; no such result is right.")
        if self.whole and number != int(number):
            return Outcome(
                "wrong",
                f"With {self._call(given)} it returns {number:.6g}; only a whole number can be right here.",
            )
        return number

    def _judge(self, values: list[float]) -> Outcome:
        inputs = self.inputs()
        right = [self.reference(*copy.deepcopy(given)) for given in inputs]
        missed = [index for index, value in enumerate(values) if not self.same(value, right[index])]
        if not missed:
            return Outcome("right", "")
        for mistake in self.mistakes:
            wrong = [mistake.function(*copy.deepcopy(given)) for given in inputs]
            if all(self.same(value, other) for value, other in zip(values, wrong, strict=True)):
                return Outcome("wrong", mistake.cause)
        first = missed[0]
        return Outcome(
            "wrong",
            f"With {self._call(inputs[first])} it returns {values[first]:.6g}; {right[first]:.6g} is right. "
            f"It agrees on {len(values) - len(missed)} of {len(values)} random inputs.",
        )
