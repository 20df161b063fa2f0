"""Checking a function from one's own keys to the names that a published file has for the same tensors."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from effnet_edu.checkpoints.layouts import find_layout
from effnet_edu.exercises.learner import stopped
from effnet_edu.exercises.outcome import Outcome, not_attempted
from effnet_edu.model.variants import spec


@cache
def file_names() -> dict[str, str]:
    """Return the name in the file for each tensor of the own network, for B0, which has every kind of part.

    The own network numbers its blocks from the first to the last, whatever their stage.
    """
    network = spec("efficientnet_b0")
    starts = [sum(stage.layers for stage in network.stages[:index]) for index in range(len(network.stages))]
    names = {}
    for row in find_layout("efficientnet_pytorch").rows(network):
        parts = row.ours.split(".")
        if parts[0] == "stages":
            parts[:3] = ["blocks", str(starts[int(parts[1])] + int(parts[2]))]
        names[".".join(parts)] = row.theirs
    return names


@dataclass(frozen=True)
class WrongName:
    """What a likely mistake returns.

    Attributes:
        wrong: A part of the right name, and what stands there instead.
        cause: The mistake, in a sentence.
    """

    wrong: dict[str, str]
    cause: str

    def name_of(self, key: str) -> str:
        """Return the wrong name of one of our keys.

        Args:
            key: A key of the own network.
        """
        part, _, tensor = file_names()[key].rpartition(".")
        for right, wrong in self.wrong.items():
            if part.startswith("_blocks") and part.endswith(right):
                return f"{part.removesuffix(right)}{wrong}.{tensor}"
        return f"{part}.{tensor}"

    def example(self) -> Callable[[str], str]:
        """Return an answer with this mistake."""
        return self.name_of


@dataclass(frozen=True)
class NameCheck:
    """Checks a function from the own network's keys to the names in the file.

    Attributes:
        mistakes: Names that likely mistakes return.
    """

    mistakes: tuple[WrongName, ...]

    def __call__(self, answer: Any) -> Outcome:
        """Return whether the function is right, and if not, the likely cause.

        Args:
            answer: The learner's function.
        """
        if answer is ...:
            return not_attempted("the function")
        if not callable(answer):
            return Outcome("wrong", "The check wants the function itself, without brackets after its name.")
        found = {}
        for key in file_names():
            try:
                found[key] = answer(key)
            except (
                Exception
            ) as error:  # whatever a learner's code raises is shown with the input that caused it
                return stopped(error, f"key={key!r}", "the function")
            if found[key] is ... or "Ellipsis" in str(found[key]):
                return not_attempted("the function")
            if type(found[key]) is not str:
                kind = type(found[key]).__name__
                return Outcome("wrong", f"With key={key!r} it returns a {kind}; a string is expected.")
        missed = [key for key, right in file_names().items() if found[key] != right]
        if not missed:
            return Outcome("right", "")
        for mistake in self.mistakes:
            if all(found[key] == mistake.name_of(key) for key in found):
                return Outcome("wrong", mistake.cause)
        return Outcome(
            "wrong",
            f"With key={missed[0]!r} it returns {found[missed[0]]!r}; the file says "
            f"{file_names()[missed[0]]!r}. {len(found) - len(missed)} of {len(found)} names are right.",
        )
