"""Checking a function: it is tried on many inputs beside one that the library knows to be right."""

import copy
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from effnet_edu.exercises.learner import Refused, Runner, Stopped, written
from effnet_edu.exercises.outcome import Outcome, not_attempted
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.written_numbers import plain_number

#: Below this, values are compared by their difference alone: what should be 0 is often 1e-17.
_SMALLEST = 1e-6


class AnswerCheck:
    """Judges an answer that is called: a function or a class."""

    kind = "function"

    def __call__(self, answer: Any) -> Outcome:
        """Return whether the answer is right, and if not, the likely cause."""
        if answer is ...:
            return not_attempted(f"the {self.kind}")
        try:
            if not callable(answer):
                raise wrong(
                    f"The check wants the {self.kind} itself, without brackets after its name; it got "
                    f"{quoted(answer)}."
                )
            self.judge(answer, Runner())
        except Refused as refused:
            return refused.outcome
        return Outcome("right", "")

    def judge(self, answer: Callable[..., Any], run: Runner) -> None:
        """Raise Refused unless the answer is right."""
        raise NotImplementedError

    def plain(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        """Return a right answer in a form that can be computed with."""
        return answer


def wrong(message: str) -> Refused:
    """Return what refuses a wrong answer with these sentences."""
    return Refused(Outcome("wrong", message))


def refuse_nothing(result: Any) -> None:
    """Refuse three dots, and a function that returns nothing."""
    if result is ...:
        raise Refused(not_attempted("the function"))
    if result is None:
        raise wrong("It returns nothing: is there a `return` before the result?")


@dataclass(frozen=True)
class FunctionCheck(AnswerCheck):
    """Checks a function of numbers that returns a number.

    The right values never come from the learner's function, and each call gets its own copy of the inputs.

    Attributes:
        reference: The right function.
        draw: Draws the arguments of one call.
        arguments: Names of the arguments.
        mistakes: What a likely mistake computes, and its cause in a sentence.
        edges: Arguments that are tried as well: boundaries, whole numbers, nothing at all.
        whole: Whether only whole numbers can be right.
        tries: How many inputs to draw.
        tolerance: Largest relative difference that still counts as right; a result in float32 must pass.
        seed: Seed of the inputs.
    """

    reference: Callable[..., float]
    draw: Callable[[random.Random], tuple[Any, ...]]
    arguments: tuple[str, ...]
    mistakes: tuple[tuple[Callable[..., Any], str], ...] = ()
    edges: tuple[tuple[Any, ...], ...] = ()
    whole: bool = False
    tries: int = 60
    tolerance: float = 1e-5
    seed: int = 0

    def inputs(self) -> list[tuple[Any, ...]]:
        """Return the arguments of every call."""
        generator = random.Random(self.seed)  # noqa: S311 - inputs of an exercise, not a secret
        return [*(self.draw(generator) for _ in range(self.tries)), *self.edges]

    def judge(self, answer: Callable[..., Any], run: Runner) -> None:
        """Raise Refused unless the function is right."""
        inputs = self.inputs()
        found = [_tried(self._value, answer, given, run) for given in inputs]
        right = [self.reference(*copy.deepcopy(given)) for given in inputs]
        missed = [n for n, value in enumerate(found) if not self._same(value, right[n])]
        if not missed:
            return
        for mistake, cause in self.mistakes:
            made = (_tried(mistake, *copy.deepcopy(given)) for given in inputs)
            if all(map(self._same, found, made)):
                raise wrong(cause)
        for value in found:
            if isinstance(value, Refused):
                raise value
        first = missed[0]
        raise wrong(
            f"With {written(self.arguments, inputs[first])} it returns {self._said(found[first])}; "
            f"{self._said(right[first])} is right. It agrees on {len(found) - len(missed)} of {len(found)} "
            "inputs."
        )

    def plain(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with an int or a float as its result; a Decimal takes no float beside it."""

        def function(*given: Any) -> float | None:
            number = plain_number(answer(*given))
            return int(number) if self.whole and number is not None else number

        return function

    def _said(self, value: float) -> str:
        """Return a value in six digits, but a count with all that it has."""
        return f"{value:,.0f}" if self.whole else f"{value:.6g}"

    def _same(self, one: Any, other: Any) -> bool:
        """Return whether two values count as equal, or two exceptions are of one kind."""
        if isinstance(one, Exception) or isinstance(other, Exception):
            return type(getattr(one, "error", one)) is type(other)
        return bool(abs(one - other) <= self.tolerance * max(_SMALLEST, abs(other)))

    def _value(self, answer: Callable[..., Any], given: tuple[Any, ...], run: Runner) -> float:
        """Return what the learner's function gives for one input; refuse what is no number."""
        call = written(self.arguments, given)
        result = run(answer, *copy.deepcopy(given), given=call, where="the function")
        refuse_nothing(result)
        number = plain_number(result)
        if number is None:
            raise wrong(
                f"With {call} it returns a {type(result).__name__}, {quoted(result)}; one number is expected."
            )
        if not math.isfinite(number):
            raise wrong(f"With {call} it returns {number}; no such result is right.")
        if self.whole and number != int(number):
            raise wrong(f"With {call} it returns {number:.6g}; only a whole number can be right here.")
        return number


def _tried(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function computes, or the exception that it raises; refuse what is no number at once."""
    try:
        return function(*arguments)
    except Refused as refused:
        if isinstance(refused, Stopped):  # a likely mistake may raise the same
            return refused
        raise
    except Exception as error:
        return error
