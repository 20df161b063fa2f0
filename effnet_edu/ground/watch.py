"""How something that takes time is watched: its progress, whether to stop, and whom it waits for."""

from collections.abc import Callable
from dataclasses import dataclass, replace

IsCancelled = Callable[[], bool]


class Cancelled(Exception):  # noqa: N818 - being asked to stop is not an error
    """It was stopped before it was done; nothing was measured."""


class MeasurementError(RuntimeError):
    """The device failed or the network computed no numbers; the message is one sentence with advice."""


def never() -> bool:
    """Return False: nobody cancels."""
    return False


def _ignore(_told: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Watch:
    """How what takes time and whoever asked for it talk to each other; by default nobody listens.

    Attributes:
        is_cancelled: Asked often; at a yes, what runs raises Cancelled.
        progress: Told the share done, 0 to 1.
        waiting: Told in a sentence that somebody else has the device.
        doing: Told in a few words which of many parts is being measured.
    """

    is_cancelled: IsCancelled = never
    progress: Callable[[float], None] = _ignore
    waiting: Callable[[str], None] = _ignore
    doing: Callable[[str], None] = _ignore

    def check(self) -> None:
        """Raise Cancelled if somebody asked to stop."""
        if self.is_cancelled():
            raise Cancelled

    def part(self, begin: float, share: float) -> "Watch":
        """Return a watch for one part of the work, which begins at `begin` and is `share` of the whole."""
        return replace(self, progress=lambda done: self.progress(begin + share * done))
