"""Waiting for an event in a test, however busy the machine is."""

import time
from collections.abc import Callable
from typing import TypeVar

#: Seconds after which something hangs. No verdict on speed: a machine with other work is slow, and not wrong.
PATIENCE = 300.0

T = TypeVar("T")


def wait_until(ask: Callable[[], T | None], what: str) -> T:
    """Ask until the answer is true, and return it.

    Args:
        ask: What to ask.
        what: What never came, in words.
    """
    end = time.monotonic() + PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < end, f"in {PATIENCE:.0f} s there was no {what}"
        time.sleep(0.05)
    return answer
