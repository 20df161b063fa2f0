"""How a measurement is stopped from outside."""

from collections.abc import Callable

IsCancelled = Callable[[], bool]


class Cancelled(Exception):  # noqa: N818 - being asked to stop is not an error
    """The measurement was stopped before it was done; nothing was measured."""


def never() -> bool:
    """Return False: nobody cancels."""
    return False
