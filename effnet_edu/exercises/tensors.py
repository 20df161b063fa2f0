"""Checking a function that returns a tensor: shapes first, then values."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from effnet_edu.exercises.functions import AnswerCheck, refuse_nothing, wrong
from effnet_edu.exercises.learner import Runner


def plain_tensor(result: Any, seen: str) -> Tensor:
    """Return a tensor on the CPU; refuse what is none. A subclass could compare itself as it likes."""
    if type(result) is not Tensor:
        raise wrong(f"With {seen} it returns a {type(result).__name__}; a tensor is expected.")
    if result.device.type != "cpu" or result.layout != torch.strided or result.is_quantized:
        kind = str(result.layout).removeprefix("torch.")
        raise wrong(
            f"With {seen} it returns a tensor ({kind}) on the device {str(result.device)!r}; the input is on "
            "'cpu', and a plain tensor on the same device is expected."
        )
    return result.detach()


def near(one: Tensor, other: Tensor, tolerance: float) -> bool:
    """Return whether two tensors agree in shape, type and, relative to the largest value, in their values."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return bool((one - other).abs().max() <= tolerance * other.abs().max()) if other.numel() else True


@dataclass(frozen=True)
class TensorCheck(AnswerCheck):
    """Checks a function that returns a tensor.

    Attributes:
        reference: The right function.
        inputs: Makes the arguments of every call.
        describe: Says in a few words what the arguments of a call are.
        mistakes: What a likely mistake computes, and its cause in a sentence.
        tolerance: Largest difference, relative to the largest value, that still counts as right.
    """

    reference: Callable[..., Tensor]
    inputs: Callable[[], list[tuple[Any, ...]]]
    describe: Callable[..., str]
    mistakes: tuple[tuple[Callable[..., Tensor], str], ...] = ()
    tolerance: float = 1e-4

    def judge(self, answer: Callable[..., Any], run: Runner) -> None:
        """Raise Refused unless the function is right."""
        calls = self.inputs()
        found = [self._result(answer, given, run) for given in calls]

        def agree(function: Callable[..., Tensor]) -> Iterator[bool]:
            for result, given in zip(found, calls, strict=True):
                yield near(result, function(*copy.deepcopy(given)), self.tolerance)

        agreed = list(agree(self.reference))
        if all(agreed):
            return
        for mistake, cause in self.mistakes:
            if all(agree(mistake)):
                raise wrong(cause)
        first = agreed.index(False)
        raise wrong(self._difference(calls[first], found[first]))

    def _result(self, answer: Callable[..., Any], given: tuple[Any, ...], run: Runner) -> Tensor:
        """Return what the learner's function gives for one input; refuse what is no tensor."""
        seen = self.describe(*given)
        result = run(answer, *copy.deepcopy(given), given=seen, where="the function")
        refuse_nothing(result)
        return plain_tensor(result, seen)

    def _difference(self, given: tuple[Any, ...], result: Tensor) -> str:
        right, seen = self.reference(*copy.deepcopy(given)), self.describe(*given)
        if result.shape != right.shape:
            return f"With {seen} it returns the shape {tuple(result.shape)}; {tuple(right.shape)} is right."
        if result.dtype != right.dtype:
            return f"With {seen} it returns {result.dtype}; {right.dtype} is right."
        low, high, wanted_low, wanted_high = (
            float(edge) for tensor in (result, right) for edge in torch.aminmax(tensor)
        )
        off = float((result - right).abs().max())
        return (
            f"With {seen} the shape is right and the values are not: they run from {low:.3g} to {high:.3g}, "
            f"where {wanted_low:.3g} to {wanted_high:.3g} is right, and are off by up to {off:.3g}."
        )
