"""Checking a function that returns a tensor: shapes first, then values."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from effnet_edu.exercises.functions import WrongFunction
from effnet_edu.exercises.learner import stopped
from effnet_edu.exercises.outcome import Outcome, not_attempted


@dataclass(frozen=True)
class TensorCheck:
    """Checks a function that returns a tensor.

    Attributes:
        reference: The right function.
        inputs: Makes the arguments of every call.
        describe: Says in a few words what the arguments of a call are.
        mistakes: Functions that likely mistakes compute.
        tolerance: Largest difference, relative to the largest value, that still counts as right.
    """

    reference: Callable[..., Tensor]
    inputs: Callable[[], list[tuple[Any, ...]]]
    describe: Callable[..., str]
    mistakes: tuple[WrongFunction, ...] = ()
    tolerance: float = 1e-4

    def __call__(self, answer: Any) -> Outcome:
        """Return whether the function is right, and if not, the likely cause.

        Args:
            answer: The learner's function.
        """
        if answer is ...:
            return not_attempted("the function")
        if not callable(answer):
            return Outcome("wrong", "The check wants the function itself, without brackets after its name.")
        calls = self.inputs()
        results = []
        for given in calls:
            result = self._result(answer, given)
            if isinstance(result, Outcome):
                return result
            results.append(result)
        wrong = [n for n, given in enumerate(calls) if not self._near(results[n], self._right(given))]
        if not wrong:
            return Outcome("right", "")
        for mistake in self.mistakes:
            if all(
                self._near(result, mistake.function(*copy.deepcopy(given)))
                for result, given in zip(results, calls, strict=True)
            ):
                return Outcome("wrong", mistake.cause)
        return self._difference(calls[wrong[0]], results[wrong[0]])

    def _right(self, given: tuple[Any, ...]) -> Tensor:
        return self.reference(*copy.deepcopy(given))

    def _result(self, answer: Callable[..., Any], given: tuple[Any, ...]) -> Tensor | Outcome:
        """Return what the learner's function gives for one input, or the outcome if that is no tensor."""
        try:
            result = answer(*copy.deepcopy(given))
        except Exception as error:  # whatever a learner's code raises is shown with the input that caused it
            return stopped(error, self.describe(*given), "the function")
        if result is ...:
            return not_attempted("the function")
        if result is None:
            return Outcome("wrong", "It returns nothing: is there a `return` before the result?")
        if type(result) is not Tensor:  # a subclass could compare itself as it likes
            kind = type(result).__name__
            return Outcome(
                "wrong", f"With {self.describe(*given)} it returns a {kind}; a tensor is expected."
            )
        return result.detach()

    def _near(self, one: Tensor, other: Tensor) -> bool:
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        return bool((one - other).abs().max() <= self.tolerance * other.abs().max())

    def _difference(self, given: tuple[Any, ...], result: Tensor) -> Outcome:
        right, seen = self._right(given), self.describe(*given)
        if result.shape != right.shape:
            return Outcome(
                "wrong",
                f"With {seen} it returns the shape {tuple(result.shape)}; {tuple(right.shape)} is right.",
            )
        if result.dtype != right.dtype:
            return Outcome("wrong", f"With {seen} it returns {result.dtype}; {right.dtype} is right.")
        low, high, wanted_low, wanted_high = (
            float(edge) for tensor in (result, right) for edge in torch.aminmax(tensor)
        )
        off = float((result - right).abs().max())
        return Outcome(
            "wrong",
            f"With {seen} the shape is right and the values are not: they run from {low:.3g} to {high:.3g}, "
            f"where {wanted_low:.3g} to {wanted_high:.3g} is right, and are off by up to {off:.3g}.",
        )
