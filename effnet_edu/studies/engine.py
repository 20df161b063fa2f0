"""Performs a study: its runs in parallel processes, each kept when it is done, and one result at the end.

A study that is killed at any moment goes on where it was: finished runs are files, and the others resume
from the checkpoints of their training. A working folder belongs to one version of the code and one list of
runs, so that runs of two versions never end in one result.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from joblib import Parallel, cpu_count, delayed
from tqdm import tqdm

from effnet_edu.checkpoints.cache import cache_folder
from effnet_edu.model.checks import whole_number
from effnet_edu.profiling.device import as_device, exclusive
from effnet_edu.studies import record
from effnet_edu.studies.record import Kind, Provenance, Record
from effnet_edu.studies.registry import study
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.study import Place, Run, Study
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
        resume: Only go on with what an earlier start left, and do not begin anew.
        jobs: Runs at a time, 1 or more; as many as there are cores by default. Timed studies take 1.
        device: `"cpu"`, `"cuda"` and so on; the accelerator if there is one.
        results: Folder that the result is written to; by default one in the cache.
        show_progress: Whether to show a bar with the time left.

    Raises:
        ValueError: There is no such study, there is nothing to resume, or the same study runs already.
    """
    chosen = study(name)
    place = as_device(device)
    jobs = 1 if chosen.is_timed else whole_number("jobs", cpu_count() if jobs is None else jobs)
    work = _Work(chosen, quick, place, jobs)
    if resume and not work.folder.exists():
        raise ValueError(
            f"There is nothing to resume: no start of {name!r} was stopped with this code and on this device."
        )
    with work.opened():
        begun, before = time.monotonic(), work.seconds_before()
        with tqdm(
            total=100,
            disable=not show_progress,
            bar_format="{desc} {percentage:3.0f}%|{bar:20}| {elapsed}<{remaining}",
        ) as bar:
            progress = _Progress(bar, work.runs, work.finished())
            for _ in _performed(work, progress):
                work.note_seconds(before + time.monotonic() - begun)
        provenance = work.provenance.finished(before + time.monotonic() - begun, work.peak_memory())
        kind: Kind = "quick_study" if quick else "study"
        made = Record(kind, name, provenance, work.combined())
        folder = results or quick_results() if quick else results or cache_folder() / "studies" / "results"
        if chosen.weights_of is not None:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(work.weights(chosen.weights_of), folder / f"{name}.safetensors")
        record.write(made, folder)
        work.remove()
    return StudyResult(made)


def quick_results() -> Path:
    """Return the folder that short versions are written to, unless another is named."""
    return cache_folder() / "studies" / "quick"


class _Work:
    """The working folder of one study: what it will have come from, and the runs that are done."""

    def __init__(self, chosen: Study, quick: bool, device: torch.device, jobs: int) -> None:
        self.study, self.quick, self.device, self.jobs = chosen, quick, device, jobs
        self.runs = chosen.runs(quick)
        self.provenance = self._new_provenance()
        what = json.dumps(
            [self.provenance.code_sha256, self.provenance.versions, str(device)]
            + [run.as_json() for run in self.runs],
            sort_keys=True,
        )
        key = hashlib.sha256(what.encode()).hexdigest()[:12]
        short = "_quick" if quick else ""
        self.folder = cache_folder() / "studies" / "work" / f"{chosen.name}{short}-{key}"

    def _new_provenance(self) -> Provenance:
        threads = f"{torch.get_num_threads()} threads" if self.study.is_timed else "1 thread each"
        at_once = "one run at a time, alone" if self.study.is_timed else f"{self.jobs} runs at a time"
        return record.begin(
            self.study.start,
            self.device,
            seeds=sorted({run.seed for run in self.runs}),
            command=f"python -m effnet_edu study {self.study.name}{' --quick' if self.quick else ''}",
            note=f"{at_once}, {threads}" if self.device.type == "cpu" else at_once,
        )

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder, and take the provenance of its first start."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder.with_suffix(".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(
                f"Another process performs the study {self.study.name!r}; wait for it."
            ) from None
        try:
            started = self.folder / "started.json"
            if started.exists():
                first = json.loads(started.read_text(encoding="utf-8"))
                self.provenance = replace(
                    self.provenance, **{name: first[name] for name in ("started", "commit", "dirty")}
                )
            else:
                record.write_json(started, asdict(self.provenance))
            yield
        finally:
            lock.release()

    def result_of(self, run: Run) -> Path:
        """Return where the result of a run is, or will be."""
        return self.folder / "finished" / f"{run.name}.json"

    def finished(self) -> list[Run]:
        """Return the runs that are done."""
        return [run for run in self.runs if self.result_of(run).exists()]

    def seconds_before(self) -> float:
        """Return how long earlier starts took, up to their last finished run."""
        spent = self.folder / "seconds.json"
        return float(json.loads(spent.read_text())) if spent.exists() else 0.0

    def note_seconds(self, seconds: float) -> None:
        """Keep how long it took so far."""
        record.write_json(self.folder / "seconds.json", seconds)

    def weights(self, run_name: str) -> Path:
        """Return the trained weights of a run."""
        return self.folder / "training" / run_name / "network.safetensors"

    def _results(self) -> list[dict[str, Any]]:
        return [json.loads(self.result_of(run).read_text(encoding="utf-8")) for run in self.runs]

    def peak_memory(self) -> int:
        """Return the highest peak of all runs in bytes."""
        return max(int(found["peak_memory_bytes"]) for found in self._results())

    def combined(self) -> dict[str, Any]:
        """Return all runs as one result; what several have in common stands once."""
        networks: dict[str, Any] = {}
        recipes: list[Any] = []
        images: list[Any] = []
        rows = []
        for run, found in zip(self.runs, self._results(), strict=True):
            described = run.as_json()
            networks[run.network.name] = described["network"]
            for shared, key in ((recipes, "recipe"), (images, "images")):
                if described[key] not in shared:
                    shared.append(described[key])
            rows.append(
                {
                    "name": run.name,
                    "labels": dict(run.labels),
                    "seed": run.seed,
                    "network": run.network.name,
                    "recipe": recipes.index(described["recipe"]),
                    "images": images.index(described["images"]),
                    **found,
                }
            )
        return {
            "question": self.study.question,
            "networks": networks,
            "recipes": recipes,
            "images": images,
            "runs": rows,
        }

    def remove(self) -> None:
        """Remove the folder: the result is written."""
        shutil.rmtree(self.folder)


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


def _performed(work: _Work, progress: _Progress) -> Iterator[Run]:
    """Perform the runs that are not done, and yield each when it is."""
    todo = [run for run in work.runs if not work.result_of(run).exists()]
    # The longest first: the last ones to end are then short, and no core waits for long.
    todo.sort(key=lambda run: -run.work)
    if work.study.is_timed:
        with exclusive(work.device, waiting=progress.bar.write):
            for run in todo:
                _perform(work, run, progress)
                progress.finished(run)
                yield run
        return
    # In one process too, so that the number of jobs changes no bit of any result: always one thread.
    with Parallel(n_jobs=min(work.jobs, max(len(todo), 1)), return_as="generator_unordered") as parallel:
        for run in parallel(delayed(_perform_with_one_thread)(work, run) for run in todo):
            progress.finished(run)
            yield run


def _perform_with_one_thread(work: _Work, run: Run) -> Run:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _perform(work, run)
    finally:
        torch.set_num_threads(threads)


def _perform(work: _Work, run: Run, progress: _Progress | None = None) -> Run:
    """Perform one run, keep its result, and remove the state of its training."""
    folder = work.folder / "training" / run.name
    place = Place(folder, work.device)
    if progress is not None:
        place = replace(place, progress=lambda row: progress.inside(run, row))
    found = work.study.perform(run, place)
    record.write_json(work.result_of(run), found)
    if run.name != work.study.weights_of:
        shutil.rmtree(folder)
    return run
