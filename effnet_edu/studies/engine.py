"""Performs a study: its runs in parallel processes, each kept when it is done, and one result at the end.

A study that is killed at any moment goes on where it was: finished runs are files beside the result that is
to come, and the others resume from the checkpoints of their training, which lie in the cache.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import Timeout
from joblib import Parallel, cpu_count, delayed
from tqdm import tqdm

from effnet_edu.ground.cache import cache_folder
from effnet_edu.ground.checks import quoted, whole_number
from effnet_edu.ground.locks import file_lock
from effnet_edu.ground.watch import Watch
from effnet_edu.profiling.device import as_device, exclusive
from effnet_edu.profiling.threads import computing_with
from effnet_edu.studies import record
from effnet_edu.studies.finished import FinishedRuns
from effnet_edu.studies.registry import study
from effnet_edu.studies.result import StudyResult, as_result
from effnet_edu.studies.step_times import step_times
from effnet_edu.studies.study import Place, Run
from effnet_edu.training.rows import Row


def run(
    name: str,
    quick: bool = False,
    *,
    resume: bool = False,
    jobs: int | None = None,
    device: str | None = None,
    results: Path | None = None,
    show_progress: bool = True,
) -> StudyResult:
    """Perform a study and return its result; go on where an earlier start was stopped.

    Args:
        name: One of `list_studies()`.
        quick: Perform its short version, in less than a minute on two cores.
        resume: Only go on: with the runs that an earlier start left, and with those of an earlier result of
            the same method, which a study with more seeds needs not perform again.
        jobs: Runs at a time, 1 or more; as many as there are cores by default. Timed studies take 1.
        device: `"cpu"`, `"cuda"` and so on; the accelerator if there is one.
        results: Folder of the result, and of finished runs until then; by default one in the cache.
        show_progress: Whether to show a bar with the time left.

    Raises:
        ValueError: There is no such study, there is nothing to resume, or the same study runs already.
    """
    chosen = study(name)
    place = as_device(device)
    jobs = 1 if chosen.is_timed else whole_number("jobs", cpu_count() if jobs is None else jobs)
    folder = results or (quick_results() if quick else cache_folder() / "studies" / "results")
    done = FinishedRuns(chosen, chosen.runs(quick), folder, place)
    with _held(done, quick) as training:
        if resume and name in record.list_records(folder):
            done.take(record.read(name, folder))
        if resume and not done.folder.exists() and not training.exists():
            raise ValueError(f"There is nothing to resume: no start of {quoted(name)} left a finished run.")
        with tqdm(
            total=100,
            disable=not show_progress,
            bar_format="{desc} {percentage:3.0f}%|{bar:20}| {elapsed}<{remaining}",
        ) as bar:
            _perform_all(done, training, jobs, bar)
        found = done.combined(quick)
        if chosen.times_steps:
            found = replace(found, data={**found.data, "step_times": step_times(done.runs, place)})
        record.write(found, folder)
        if chosen.weights_of is not None:
            done.weights(chosen.weights_of).replace(folder / f"{name}.safetensors")
        done.remove()
        shutil.rmtree(training, ignore_errors=True)
    return as_result(found)


def quick_results() -> Path:
    """Return the folder that short versions are written to, unless another is named."""
    return cache_folder() / "studies" / "quick"


@contextmanager
def _held(done: FinishedRuns, quick: bool) -> Iterator[Path]:
    """Hold the right to perform a study, and yield the folder of trainings that are not finished."""
    folder = cache_folder() / "studies" / "work" / f"{done.study.name}{'_quick' if quick else ''}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = file_lock(folder.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(
            f"Another process performs the study {quoted(done.study.name)}; wait for it."
        ) from None
    try:
        yield folder
    finally:
        lock.release()


class _Progress:
    """A bar over the work of all runs, and the time that is left."""

    def __init__(self, bar: "tqdm[None]", runs: tuple[Run, ...], finished: list[Run]) -> None:
        self.bar, self.count, self.done = bar, len(runs), len(finished)
        self.total = sum(run.work for run in runs)
        self.work = sum(run.work for run in finished)
        bar.initial = bar.n = self._percent(self.work)
        self._show(0.0)

    def _percent(self, work: float) -> float:
        return round(100 * work / self.total, 2)

    def _show(self, partial: float) -> None:
        self.bar.set_description_str(f"{self.done} of {self.count} runs", refresh=False)
        self.bar.update(self._percent(self.work + partial) - self.bar.n)

    def inside(self, run: Run, row: Row) -> None:
        """Show how far a run is that is performed in this process."""
        self._show(run.work * row.step / row.steps)

    def finished(self, run: Run) -> None:
        """Show that a run is done."""
        self.done, self.work = self.done + 1, self.work + run.work
        self._show(0.0)


def _perform_all(done: FinishedRuns, training: Path, jobs: int, bar: "tqdm[None]") -> None:
    """Perform the runs that are not done."""
    todo = done.todo()
    progress = _Progress(bar, done.runs, [run for run in done.runs if run not in todo])
    # A seed after the other: what is done when it is stopped can be compared. Of a seed the longest first, so
    # that the last ones to end are short, and no core waits for long.
    todo.sort(key=lambda run: (run.seed, -run.work))
    if done.study.is_timed:
        with exclusive(done.device, Watch(waiting=bar.write)):
            for run in todo:
                _perform(done, training, run, progress)
                progress.finished(run)
        return
    # In one process too, so that the number of jobs changes no bit of any result: always one thread.
    with Parallel(n_jobs=min(jobs, max(len(todo), 1)), return_as="generator_unordered") as parallel:
        for run in parallel(delayed(_perform_with_one_thread)(done, training, run) for run in todo):
            progress.finished(run)


def _perform_with_one_thread(done: FinishedRuns, training: Path, run: Run) -> Run:
    with computing_with(1):
        return _perform(done, training, run)


def _perform(done: FinishedRuns, training: Path, run: Run, progress: _Progress | None = None) -> Run:
    """Perform one run, keep its result, and remove the state of its training."""
    folder, begun, about = training / done.training_name(run), time.monotonic(), done.begin(run)
    place = Place(folder, done.device)
    if progress is not None:
        place = replace(place, progress=lambda row: progress.inside(run, row))
    found = done.study.perform(run, place)
    if run.name == done.study.weights_of:
        done.keep_weights(run, folder / "network.safetensors")
    seconds = round(time.monotonic() - begun, 1)
    done.keep(run, about.finished(seconds, found["peak_memory_bytes"]), found)
    shutil.rmtree(folder)
    return run
