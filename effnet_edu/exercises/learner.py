"""Running a learner's code: within a limit of time, and what it raises becomes a sentence."""

import linecache
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

from effnet_edu.exercises.outcome import Outcome, not_attempted
from effnet_edu.ground.checks import QUOTED

#: Seconds that all calls of one check may take together, if this program was busy for half of them: where
#: others have the cores, a right answer takes longer. After the last of them it is stopped in any case.
LIMIT_SECONDS, _BUSY_SECONDS, _LAST_SECONDS = 20.0, 10.0, 120.0
#: Characters of one argument in a message.
_GLANCE = 60


class Refused(Exception):  # noqa: N818 - the answer is at fault, not the program
    """Carries the outcome of an answer that is not right out of a check."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


class Stopped(Refused):
    """The learner's code raised an ordinary exception, which a likely mistake may raise as well."""

    def __init__(self, outcome: Outcome, error: Exception) -> None:
        super().__init__(outcome)
        self.error = error


class _OutOfTime(BaseException):
    """Raised inside a learner's code that does not end; no `except Exception` holds it up."""


class Runner:
    """Calls a learner's code; all calls of one check share one limit of time."""

    def __init__(self) -> None:
        self._seconds, self._busy = 0.0, 0.0

    def __call__(self, function: Callable[..., Any], *arguments: Any, given: str, where: str) -> Any:
        """Return what a learner's code returns, or raise Refused with a sentence on how it stopped.

        `given` says what it was called with, and `where` what to replace if three dots were the reason.
        """
        seconds, busy = self._seconds - time.perf_counter(), self._busy - time.process_time()

        def is_over() -> bool:
            self._seconds, self._busy = seconds + time.perf_counter(), busy + time.process_time()
            enough = self._seconds > LIMIT_SECONDS and self._busy > _BUSY_SECONDS
            return enough or self._seconds > _LAST_SECONDS

        try:
            return _limited(is_over, function, *arguments)
        except Refused:
            raise
        except _OutOfTime as error:
            is_over()
            raise Refused(
                Outcome(
                    "wrong",
                    f"With {given} it was stopped after {self._seconds:.0f} seconds{_own_line(error)}. Does "
                    "every loop in it come to an end?",
                )
            ) from None
        except BaseException as error:  # SystemExit and interrupts must not end the cell
            outcome = stopped(error, given, where)
            if isinstance(error, Exception) and outcome.state == "wrong":
                raise Stopped(outcome, error) from None
            raise Refused(outcome) from None
        finally:
            is_over()


def _limited(is_over: Callable[[], bool], function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function, and raise _OutOfTime inside it when its time is over.

    A second thread asks and raises. An alarm signal would not exist on Windows nor work outside of the main
    thread, and a trace function would slow down all code and switch off debuggers. One long call into C is
    stopped only when it returns. Where there are no threads, as in Pyodide, there is no limit.
    """
    caller, has_ended, lock, wake = threading.get_ident(), [False], threading.Lock(), threading.Event()

    def watch() -> None:
        wait = 0.5
        while not wake.wait(wait) and not has_ended[0]:
            with lock:
                if is_over() and not has_ended[0]:
                    _raise_in(caller, _OutOfTime)
                    wait = 5.0  # once more, should the code catch everything

    def end() -> None:
        has_ended[0] = True
        with lock:  # a watcher that is just about to raise has done so after this
            pass
        _raise_in(caller, None)
        wake.set()

    try:
        threading.Thread(target=watch, daemon=True).start()
    except RuntimeError:
        return function(*arguments)
    try:
        try:
            return function(*arguments)
        finally:
            end()
    except _OutOfTime:
        end()  # it may have come within `end` itself
        raise


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raise an exception in a thread as soon as it runs Python code; with None, forget one not yet raised."""
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )


def stopped(error: BaseException, given: str, where: str) -> Outcome:
    """Return the outcome of an answer that raised, with its input and the learner's own line."""
    at = _own_line(error)
    if isinstance(error, KeyboardInterrupt):
        return Outcome("not attempted", "The check was interrupted before it was done.")
    if isinstance(error, SystemExit):
        return Outcome("wrong", f"With {given} it leaves Python by `exit`{at}. An answer ends with `return`.")
    try:
        said = str(error)
    except Exception:  # an exception of the learner's own may fail to describe itself
        said = ""
    if "ellipsis" in said:  # the name of their type: somebody computed with the dots
        return not_attempted(where)
    said = f": {cut(said).rstrip('.')}" if said else ""
    missing = f" Run `import {error.name}` first." if _is_missing_module(error) else ""
    return Outcome("wrong", f"With {given} it stops with {type(error).__name__}{said}{at}.{missing}")


def _is_missing_module(error: BaseException) -> TypeGuard[NameError]:
    """Return whether a name is unknown that is a module of Python's, such as `math`."""
    return type(error) is NameError and error.name in sys.stdlib_module_names


def cut(text: str) -> str:
    """Return text of at most as many characters as a message quotes."""
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 3]}..."


def _own_line(error: BaseException) -> str:
    """Return where it stopped: the last line that was written in a notebook, not in a package."""
    line, traceback = "", error.__traceback__
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if "ipykernel" in name or name.startswith("<"):
            line = linecache.getline(name, traceback.tb_lineno).strip() or line
        traceback = traceback.tb_next
    return f", in the line `{cut(line)}`" if line else ""


def written(arguments: Iterable[str], given: Iterable[Any]) -> str:
    """Return a call's arguments as a learner would write them."""
    return ", ".join(f"{name}={_value(value)}" for name, value in zip(arguments, given, strict=True))


def _value(value: Any) -> str:
    """Return a value in at most as many characters as a reader takes in at a glance."""
    if isinstance(value, type):
        return value.__name__
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _GLANCE else f"{text[: _GLANCE - 3]}..."
