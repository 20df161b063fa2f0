"""Numbers the way a sensible person writes them: with units, millions, decimal commas."""

import numbers
import re
from decimal import Decimal
from typing import Any

from effnet_edu.ground.checks import quoted

_SCALES = {
    "": 1.0, "k": 1e3, "thousand": 1e3, "m": 1e6, "mio": 1e6, "million": 1e6, "millions": 1e6, "mega": 1e6,
    "g": 1e9, "b": 1e9, "bn": 1e9, "billion": 1e9, "billions": 1e9, "giga": 1e9, "t": 1e12, "trillion": 1e12,
}  # fmt: skip
#: Units that can be turned into each other: spelling -> how many of the first it is.
_FAMILIES: tuple[dict[str, float], ...] = (
    {
        "s": 1, "sec": 1, "second": 1, "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "us": 1e-6, "µs": 1e-6,
        "microsecond": 1e-6, "ns": 1e-9, "nanosecond": 1e-9, "min": 60, "minute": 60, "h": 3600, "hour": 3600,
    },
    {
        "byte": 1, "b": 1, "kb": 1e3, "kilobyte": 1e3, "mb": 1e6, "megabyte": 1e6, "gb": 1e9, "gigabyte": 1e9,
        "kib": 2**10, "mib": 2**20, "gib": 2**30,
    },
)  # fmt: skip
#: Other spellings of units that are counted, in which words and letters for a million may stand before them.
_SPELLINGS = {
    "macs": ("multiply-add", "multiply-accumulate"),
    "parameters": ("param", "weight"),
    "pixels": ("px",),
    "times": ("x", "fold", "-fold"),
    "%": ("percent", "per cent", "percentage point", "point"),
    "images/s": ("images per second", "image/s", "img/s", "imgs/s", "images/second"),
}
_ABOUT = re.compile(r"^(?:about|around|roughly|approximately|approx\.?|ca\.?|nearly|~|≈|=)\s*")
_POWER = re.compile(r"\s*(?:x|\*|·)\s*10\s*(?:\^|\*\*)\s*([+-]?\d+)")
_WRITTEN = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<digits>[1-9]\d{0,2}(?:(?P<mark>[ ,_'])\d{3})(?:(?P=mark)\d{3})*(?!\d)(?:\.\d+)?"
    r"|\d+(?:[.,]\d+)?|\.\d+)(?P<exponent>e[+-]?\d+)?\s*(?P<unit>.*)"
)


def plain_number(value: Any) -> float | None:
    """Return a number, a truth value, or a NumPy or torch scalar as a float; None for anything else."""
    try:
        if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
            value = value.item()
        if isinstance(value, numbers.Real | Decimal):
            return float(value)
    except Exception:  # an object of the learner's own may do anything
        return None
    return None


def parse_number(value: Any, unit: str) -> float:
    """Return the number that somebody wrote: a number, or text such as `"385 M"` or `"385,195,456 MACs"`.

    The unit that may follow is one such as `"MACs"`, `"ms"` or `"%"`; empty for a pure number.

    Raises:
        ValueError: It cannot be read as a number of this unit.
    """
    number = plain_number(value)
    if number is not None:
        return number
    found = _WRITTEN.fullmatch(_plain_text(value)) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{quoted(value)} cannot be read as a number.")
    factor = _factor(found["unit"].rstrip(" ."), unit.lower())
    if factor is None and "flop" in found["unit"]:
        raise ValueError(f"{quoted(value)} can mean one operation or two for each MAC.")
    if factor is None:
        raise ValueError(f"{quoted(value)} is not in {unit or 'plain numbers'}.")
    digits = found["digits"]
    digits = re.sub(r"[ ,_']", "", digits) if found["mark"] else digits.replace(",", ".")
    return float(found["sign"] + digits + (found["exponent"] or "")) * factor


def _plain_text(text: str) -> str:
    """Return text in small letters, with one kind of space, minus and power of ten."""
    text = re.sub(r"\s+", " ", text.strip().lower()).replace("\N{MINUS SIGN}", "-").replace("×", "x")
    text = text.replace("\N{GREEK SMALL LETTER MU}", "µ")
    return _POWER.sub(r"e\1", re.sub(r"(?<=\d)_(?=\d)", "", _ABOUT.sub("", text)))


def _factor(said: str, unit: str) -> float | None:
    """Return how many of a unit one of what was said is; None if it is no such unit."""
    for family in _FAMILIES:
        if (one := family.get(unit.removesuffix("s") or unit, family.get(unit))) is not None:
            spelled = family.get(said, family.get(said.removesuffix("s")))
            return 1.0 if not said else None if spelled is None else spelled / one
    names = {unit, unit.removesuffix("s")} if unit else {""}
    for other in _SPELLINGS.get(unit, ()):
        names |= {other, f"{other}s"}
    if said in names:
        return 1.0
    for scale, factor in _SCALES.items():
        if said == scale or said in {scale + name for name in names} | {f"{scale} {name}" for name in names}:
            return factor
    return None
