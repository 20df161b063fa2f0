"""Checking a function from one's own keys to the names that a published file has for the same tensors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from effnet_edu.checkpoints.layouts import find_layout
from effnet_edu.exercises.functions import AnswerCheck, refuse_nothing, wrong
from effnet_edu.exercises.learner import Refused, Runner
from effnet_edu.exercises.outcome import not_attempted
from effnet_edu.ground.checks import quoted
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


def renamed(parts: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function that gives parts of blocks other names than the file: `_bn0` -> `_bn1`, say."""

    def name(key: str) -> str:
        right = file_names()[key]
        block, part, tensor = right.rsplit(".", 2) if right.startswith("_blocks") else ("", "", right)
        return f"{block}.{parts.get(part, part)}.{tensor}" if block else right

    return name


@dataclass(frozen=True)
class NameCheck(AnswerCheck):
    """Checks a function from the own network's keys to the names in the file.

    Attributes:
        mistakes: The function that a likely mistake makes, and its cause in a sentence.
    """

    mistakes: tuple[tuple[Callable[[str], str], str], ...]

    def judge(self, answer: Callable[..., Any], run: Runner) -> None:
        """Raise Refused unless the function is right."""
        right = file_names()
        found = {key: self._name(answer, key, run) for key in right}
        missed = [key for key in right if found[key] != right[key]]
        if not missed:
            return
        for mistake, cause in self.mistakes:
            if all(found[key] == mistake(key) for key in found):
                raise wrong(cause)
        raise wrong(
            f"With key={missed[0]!r} it returns {quoted(found[missed[0]])}; the file says "
            f"{right[missed[0]]!r}. {len(found) - len(missed)} of {len(found)} names are right."
        )

    def _name(self, answer: Callable[..., Any], key: str, run: Runner) -> str:
        name = run(answer, key, given=f"key={key!r}", where="the function")
        refuse_nothing(name)
        if type(name) is not str:
            raise wrong(f"With key={key!r} it returns a {type(name).__name__}; a string is expected.")
        if "Ellipsis" in name:
            raise Refused(not_attempted("the function"))
        return name
