"""Work in the background where only the newest request counts."""

import atexit
import threading
import time
from collections.abc import Callable
from functools import partial

Job = Callable[[Callable[[], bool]], None]

#: Workers whose thread runs.
_running: set["NewestWins"] = set()


@atexit.register
def stop_all() -> None:
    """Stop what runs and wait for it: an interpreter that ends under a thread inside torch aborts."""
    for worker in tuple(_running):
        worker.cancel()
        worker.wait(None)


class NewestWins:
    """Runs one job at a time in a thread; a newer one makes the running one stale.

    A job is called with a function that says whether it has become stale, asks it often, and returns early if
    so. The thread ends when nothing is left to do, so that a closed lab leaves none behind.

    Args:
        name: Name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._generation = 0
        self._job: Job | None = None
        self._due = 0.0
        self._thread: threading.Thread | None = None

    def submit(self, job: Job, delay: float = 0.0) -> None:
        """Run the job after `delay` seconds in which nothing newer came."""
        with self._changed:
            self._generation += 1
            self._job, self._due = job, time.monotonic() + delay
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                _running.add(self)
                self._thread.start()
            self._changed.notify_all()

    def cancel(self) -> None:
        """Drop a waiting job and make a running one stale."""
        with self._changed:
            self._generation += 1
            self._job = None
            self._changed.notify_all()

    def wait(self, timeout: float | None) -> bool:
        """Return whether everything was done within `timeout` seconds; None waits for as long as it takes."""
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, timeout)

    def _loop(self) -> None:
        while (taken := self._next()) is not None:
            job, generation = taken
            job(partial(self._is_stale, generation))

    def _is_stale(self, generation: int) -> bool:
        return self._generation != generation

    def _next(self) -> tuple[Job, int] | None:
        """Return the next job when it is due, or None, and end the thread, when there is none."""
        with self._changed:
            while self._job is not None:
                left = self._due - time.monotonic()
                if left <= 0:
                    job, self._job = self._job, None
                    return job, self._generation
                self._changed.wait(left)
            self._thread = None
            _running.discard(self)
            self._changed.notify_all()
            return None
