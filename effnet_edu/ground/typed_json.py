"""Dataclasses out of JSON that anybody may have written: each value has its declared type. No torch."""

import math
from dataclasses import is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from effnet_edu.ground.checks import quoted

#: The largest number, and the most characters of a text.
LARGEST, LONGEST = 1e18, 1000


def typed(kind: Any, value: Any, others: tuple[type, ...] = ()) -> Any:
    """Return a value of a declared type, made from what `json.loads` returned.

    Args:
        kind: A dataclass, a NamedTuple, a `tuple[X, ...]`, a `dict[str, X]`, a Literal, a union, `float`,
            `int`, `str`, `bool` or None.
        value: What stands for it: an object with exactly the fields of a dataclass, a list for a tuple.
        others: Classes that annotations name and their module does not import while it runs.

    Raises:
        ValueError: It is not of this type, or is a number that is not finite.
        TypeError: There is no such kind of type here.
    """
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _one_of(inside, value, others)
    if origin is Literal:
        return _checked(kind, value, value in [one for one in inside if type(one) is type(value)])
    if is_dataclass(kind):
        made: Any = kind
        hints = _hints(made, others)
        _checked(kind, value, isinstance(value, dict) and set(value) == set(hints))
        return made(**{name: typed(of, value[name], others) for name, of in hints.items()})
    if isinstance(kind, type) and issubclass(kind, tuple):
        of = tuple(_hints(kind, others).values())
        _checked(kind, value, isinstance(value, list) and len(value) == len(of))
        return kind(*(typed(one, part, others) for one, part in zip(of, value, strict=True)))
    if origin is tuple and inside[1:] == (...,):
        _checked(kind, value, isinstance(value, list))
        return tuple(typed(inside[0], part, others) for part in value)
    if origin is dict and inside[0] is str:
        _checked(kind, value, isinstance(value, dict))
        return {name: typed(inside[1], part, others) for name, part in value.items()}
    return _plain(kind, value)


def _one_of(kinds: tuple[Any, ...], value: Any, others: tuple[type, ...]) -> Any:
    for kind in kinds:
        try:
            return typed(kind, value, others)
        except ValueError:
            continue
    raise ValueError(f"{quoted(value)} is none of {', '.join(map(str, kinds))}.")


def _plain(kind: Any, value: Any) -> Any:
    if kind in (None, NoneType):
        return _checked(kind, value, value is None)
    if kind is bool:
        return _checked(kind, value, isinstance(value, bool))
    if kind is str:
        return _checked(kind, value, isinstance(value, str) and len(value) <= LONGEST)
    if kind is int:
        return _checked(kind, value, type(value) is int and abs(value) <= LARGEST)
    if kind is float:
        is_number = type(value) in (int, float) and math.isfinite(value) and abs(value) <= LARGEST
        return float(_checked(kind, value, is_number))
    raise TypeError(f"No value is made of {kind}.")


def _checked(kind: Any, value: Any, is_right: bool) -> Any:
    if not is_right:
        raise ValueError(f"{quoted(value)} is no {getattr(kind, '__name__', kind)}.")
    return value


@cache
def _hints(kind: Any, others: tuple[type, ...]) -> dict[str, Any]:
    """Return the type of each field."""
    return get_type_hints(kind, None, {one.__name__: one for one in others})
