"""How a measurement ends early: because somebody asked, or because the device or the network failed."""

from collections.abc import Callable

IsCancelled = Callable[[], bool]


class Cancelled(Exception):  # noqa: N818 - being asked to stop is not an error
    """The measurement was stopped before it was done; nothing was measured."""


class MeasurementError(RuntimeError):
    """The device failed or the network computed no numbers; the message is one sentence with advice."""


def never() -> bool:
    """Return False: nobody cancels."""
    return False
