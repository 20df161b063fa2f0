"""Many independent runs, on one machine or on a cluster, through joblib."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

R = TypeVar("R")


def sweep(
    function: Callable[..., R], settings: Iterable[Mapping[str, Any]], jobs: int | None = None
) -> list[R]:
    """Call a function once for each setting, several at a time, and return the results in order.

    Where they run is joblib's: in this process, in `jobs` processes of this machine, or on a Dask cluster
    inside `with joblib.parallel_config(backend="dask"):`. The function, the settings and the results travel
    between processes, so they must be picklable; a function of a module is, and of a notebook cell, too.

    Args:
        function: Called with a setting's entries as keyword arguments.
        settings: One mapping a run.
        jobs: Processes on this machine, -1 for one a core; None for what joblib is configured to, which is
            this process alone unless somebody said otherwise.

    Raises:
        Exception: What the function raised, with a note that names the setting; runs that had not begun are
            given up.
    """
    from joblib import Parallel, delayed

    results: list[R] = Parallel(n_jobs=jobs)(delayed(_run)(function, dict(setting)) for setting in settings)
    return results


def _run(function: Callable[..., R], setting: dict[str, Any]) -> R:
    try:
        return function(**setting)
    except Exception as error:
        error.add_note(f"This was the run with {setting}.")
        raise
