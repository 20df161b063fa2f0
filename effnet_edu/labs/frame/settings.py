"""Settings that are numbers: within their range, read as people write them, and never NaN."""

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import traitlets

from effnet_edu.ground.checks import quoted


def _checked(trait: Any, value: Any, kind: str) -> Any:
    """Return the number if it lies in the range of its setting; NaN lies in none."""
    if not trait.min <= value <= trait.max:
        raise traitlets.TraitError(
            f"{trait.name} is {quoted(value)}; it must be a {kind} from {trait.min:g} to {trait.max:g}."
        )
    return value


class RoundedFloat(traitlets.Float):  # type: ignore[type-arg]
    """A setting of six decimals: 2.3 stays what a slider in a browser makes 2.3000000000000003."""

    def validate(self, obj: Any, value: Any) -> float:  # noqa: ARG002
        """Return the rounded number; raise TraitError where it is none or outside its range."""
        try:
            number = float(value) if isinstance(value, int | float) else math.nan
        except OverflowError:  # a whole number of 400 digits
            number = math.inf if value > 0 else -math.inf
        return round(float(_checked(self, number, "number")), 6)


class Whole(traitlets.Int):  # type: ignore[type-arg]
    """A setting that is a whole number."""

    def validate(self, obj: Any, value: Any) -> int:  # noqa: ARG002
        """Return the number; raise TraitError where it is none or outside its range."""
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole:
            raise traitlets.TraitError(
                f"{self.name} is {quoted(value)}; it must be a whole number from {self.min} to {self.max}."
            )
        return int(_checked(self, value, "whole number"))


class OneOf(traitlets.Enum):  # type: ignore[type-arg]
    """A setting that is one of some numbers, and that one itself: 2.0 is 2, and True is 1."""

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the one that is meant; raise TraitError where none is."""
        chosen = super().validate(obj, value)
        return next(one for one in self.values or () if one == chosen)


def read_number(name: str, words: str, ends: tuple[float, float], is_whole: bool) -> float | int:
    """Return what was typed into a field as the number of a setting.

    A comma is a decimal point where only one reading lies in the setting's range: "1,7" is 1.7.

    Args:
        name: What the field is called.
        words: What was typed.
        ends: The smallest and the largest number allowed.
        is_whole: Whether it must be a whole number.

    Raises:
        ValueError: It is no number, outside the range, or could be two numbers.
    """
    low, high = ends
    allowed = sorted({n for n in _readings(words.strip()) if low <= n <= high})
    found = [n for n in allowed if n.is_integer()] if is_whole else allowed
    if len(found) == 1:
        return int(found[0]) if is_whole else found[0]
    if found:
        both = " or ".join(f"{n:g}" for n in found)
        raise ValueError(f"{name} is {quoted(words)}, which could be {both}: write it without a comma.")
    kind = "whole number" if is_whole else "number"
    raise ValueError(f"{name} is {quoted(words)}; it must be a {kind} from {low:g} to {high:g}.")


def _readings(words: str) -> Iterator[float]:
    """Yield every number that somebody may have meant."""
    with suppress(ValueError):
        yield float(words)
    if re.fullmatch(r"[+-]?(\d+,\d*|,\d+)", words):
        yield float(words.replace(",", "."))
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", words):
        yield float(words.replace(",", ""))
    if re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d*", words):
        yield float(words.replace(".", "").replace(",", "."))
