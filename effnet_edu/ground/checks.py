"""One clear sentence for bad input: the value, and what is allowed."""

import math
import operator
import reprlib
from pathlib import Path
from typing import Any

#: The most characters of anything that a message quotes.
QUOTED = 200
_LONGEST_PATH, _LONGEST_PART = 4096, 255
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 3, QUOTED, QUOTED
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxdict = 20


def quoted(value: Any) -> str:
    """Return what stands for a value in a message: its repr in one line, of at most 200 characters.

    Args:
        value: Anything, however large; of a collection only the first members are looked at.
    """
    try:
        text = _SHORT.repr(value)
    except ValueError:  # Python writes none of more than 4300 digits
        return "a whole number of thousands of digits"
    if not isinstance(value, str):
        text = " ".join(text.split())
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 3]}..."


def as_path(name: Any) -> Path:
    """Return a path, after making sure that a system could have it: otherwise its message would quote it all.

    Args:
        name: A path as text or as an object.

    Raises:
        FileNotFoundError: It is longer than a path, or a part of one, can be.
    """
    path = Path(name)
    if len(str(path)) > _LONGEST_PATH or any(len(part) > _LONGEST_PART for part in path.parts):
        raise FileNotFoundError(f"There is no file {quoted(str(path))}; its name is longer than any can be.")
    return path


def whole_number(name: str, value: Any, minimum: int = 1) -> int:
    """Return `value` as an int of at least `minimum`.

    Args:
        name: What the number is, as the caller knows it.
        value: An int, or something that stands for one exactly (a NumPy integer, say).
        minimum: The smallest allowed value.

    Raises:
        ValueError: `value` is not a whole number, or is smaller than `minimum`.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(
            f"{name} is {quoted(value)}; it must be a whole number of {minimum} or more."
        ) from None
    if number < minimum or isinstance(value, bool):
        raise ValueError(f"{name} is {quoted(value)}; it must be a whole number of {minimum} or more.")
    return number


def real_number(name: str, value: Any, minimum: float, maximum: float) -> float:
    """Return `value` as a float between `minimum` and `maximum`, both included.

    Args:
        name: What the number is, as the caller knows it.
        value: Any real number.
        minimum: The smallest allowed value.
        maximum: The largest allowed value.

    Raises:
        ValueError: `value` is no number, NaN, or outside the range.
    """
    number = _float(value)
    if not minimum <= number <= maximum:
        raise ValueError(f"{name} is {quoted(value)}; it must be a number from {minimum:g} to {maximum:g}.")
    return number


def rate_below_one(name: str, value: Any) -> float:
    """Return `value` as a float from 0 to below 1.

    Args:
        name: What the rate is, as the caller knows it.
        value: Any real number.

    Raises:
        ValueError: `value` is no number, NaN, or outside the range.
    """
    number = _float(value)
    if not 0 <= number < 1:
        raise ValueError(f"{name} is {quoted(value)}; it must be a number from 0 to below 1.")
    return number


def _float(value: Any) -> float:
    """Return the number, or NaN for what is none; text is none, even where Python could read it."""
    if isinstance(value, str):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        return math.nan


def choice(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """Return `value` if it is one of `allowed`.

    Args:
        name: What is chosen, as the caller knows it.
        value: The choice.
        allowed: Every possible choice.

    Raises:
        ValueError: `value` is none of them.
    """
    if value not in allowed:
        raise ValueError(f"{name} is {quoted(value)}; it must be one of {', '.join(map(repr, allowed))}.")
    return str(value)
