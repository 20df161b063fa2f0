"""The finished runs of a study, a small record each, in a folder beside the result that is to come.

They may be committed, and carried to another machine, which goes on with them. Accuracy does not depend on
the machine; where times are kept of a run, only runs of this device count as done.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch

from effnet_edu.ground.atomic import atomic_path
from effnet_edu.profiling.device import device_name
from effnet_edu.studies import record
from effnet_edu.studies.provenance import Provenance, begin
from effnet_edu.studies.record import Record, RecordError
from effnet_edu.studies.study import Run, Study

#: What may differ from run to run of one result.
_MADE = ("device", "driver", "system", "versions", "commit", "dirty", "note")


def _described(run: Run) -> Any:
    return json.loads(json.dumps(run.as_json()))


def _describes(kept: Any, value: Any) -> bool:
    """Whether what was kept describes this value; a field that came later must have its default."""
    if is_dataclass(value) and isinstance(kept, Mapping):
        default = {field.name: field.default for field in fields(value)}
        return kept.keys() <= default.keys() and all(
            _describes(kept[name], now) if name in kept else now == default[name]
            for name, now in ((name, getattr(value, name)) for name in default)
        )
    if isinstance(value, tuple) and isinstance(kept, list):
        return len(kept) == len(value) and all(map(_describes, kept, value))
    return bool(kept == value)


class FinishedRuns:
    """The runs of one study that are done."""

    def __init__(self, chosen: Study, runs: tuple[Run, ...], folder: Path, device: torch.device) -> None:
        self.study, self.runs, self.device = chosen, runs, device
        self.folder = folder / chosen.name

    def begin(self, run: Run) -> Provenance:
        """Return where the result of a run that starts now will have come from."""
        threads = torch.get_num_threads() if self.study.is_timed else 1
        alone = ("one run at a time, alone",) if self.study.is_timed else ()
        counted = (f"{threads} thread{'s' * (threads > 1)}",) if self.device.type == "cpu" else ()
        command = f"python -m effnet_edu study {self.study.name}"
        note = ", ".join((*alone, *counted))
        return begin(self.study.method, self.device, seeds=(run.seed,), command=command, note=note)

    def keep(self, run: Run, about: Provenance, found: Mapping[str, Any]) -> None:
        """Keep what a run found."""
        made = Record("run", run.name, about, {"described": _described(run), "found": found})
        record.write(made, self.folder)

    def keep_weights(self, run: Run, weights: Path) -> None:
        """Keep the weights of a run beside what it found."""
        with atomic_path(self.weights(run.name)) as copy:
            shutil.copyfile(weights, copy)

    def weights(self, run_name: str) -> Path:
        """Return where the weights of a run are kept."""
        return self.folder / f"{run_name}.safetensors"

    def get(self, run: Run) -> Record | None:
        """Return what a run found; None if it is not done, or was another run under the same name."""
        try:
            found = record.read(run.name, self.folder)
        except (FileNotFoundError, RecordError):
            return None
        about = found.provenance
        is_other = not _describes(found.data.get("described"), run) or about.method != self.study.method
        is_elsewhere = self.study.is_timed and about.device != device_name(self.device)
        is_bare = run.name == self.study.weights_of and not self.weights(run.name).is_file()
        return None if is_other or is_elsewhere or is_bare else found

    def training_name(self, run: Run) -> str:
        """Return the name of the folder of a run's training, which no other run goes on with."""
        key = json.dumps([self.study.method, torch.__version__, str(self.device), _described(run)])
        return f"{run.name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"

    def todo(self) -> list[Run]:
        """Return the runs that are not done."""
        return [run for run in self.runs if self.get(run) is None]

    def take(self, result: Record) -> None:
        """Take over the runs of an earlier result of the same method: a study that is given more seeds."""
        if result.provenance.method != self.study.method:
            return
        data, rows = result.data, {row["name"]: dict(row) for row in result.data["runs"]}
        for run in self.todo():
            row = rows.get(run.name)
            if row is None:
                continue
            described = {
                "name": row.pop("name"),
                "labels": row.pop("labels"),
                "seed": row.pop("seed"),
                "network": data["networks"][row.pop("network")],
                "recipe": data["recipes"][row.pop("recipe")],
                "images": data["images"][row.pop("images")],
            }
            if _describes(described, run):
                made = data["made"][row.pop("made")] if "made" in row else {}
                seconds = row.pop("wall_seconds", row["train_seconds"])
                about = replace(result.provenance, **made, seeds=(run.seed,), wall_seconds=seconds)
                self.keep(run, about, row)

    def combined(self, quick: bool) -> Record:
        """Return all runs as one result; what several have in common stands once."""
        done = [found for found in map(self.get, self.runs) if found is not None]
        networks: dict[str, Any] = {}
        shared: dict[str, list[Any]] = {"recipe": [], "images": [], "made": []}
        rows = []
        for run, found in zip(self.runs, done, strict=True):
            described, about = run.as_json(), found.provenance
            described["made"] = {key: getattr(about, key) for key in _MADE}
            networks[run.network.name] = described["network"]
            for key, values in shared.items():
                if described[key] not in values:
                    values.append(described[key])
            rows.append(
                {
                    "name": run.name,
                    "labels": dict(run.labels),
                    "seed": run.seed,
                    "network": run.network.name,
                    **{key: values.index(described[key]) for key, values in shared.items()},
                    **found.data["found"],
                    "wall_seconds": about.wall_seconds,
                }
            )
        made = [found.provenance for found in done]
        last = max(made, key=lambda about: about.started)
        provenance = replace(
            last,
            started=min(about.started for about in made),
            command=f"python -m effnet_edu study {self.study.name}{' --quick' if quick else ''}",
            device=" and ".join(dict.fromkeys(about.device for about in made)),
            dirty=any(about.dirty for about in made) if last.dirty is not None else None,
            seeds=tuple(sorted({run.seed for run in self.runs})),
            wall_seconds=round(sum(about.wall_seconds for about in made), 1),
            peak_memory_bytes=max(row["peak_memory_bytes"] for row in rows),
        )
        data = {
            "question": self.study.question,
            "networks": networks,
            "recipes": shared["recipe"],
            "images": shared["images"],
            "made": shared["made"],
            "runs": rows,
        }
        return Record("quick_study" if quick else "study", self.study.name, provenance, data)

    def remove(self) -> None:
        """Remove the folder: all of it stands in the result."""
        shutil.rmtree(self.folder)
