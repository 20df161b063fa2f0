"""The folder of one training: checkpoints that survive a kill and a full disk, and the results as rows."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from effnet_edu.ground.atomic import remove_leftovers, write_atomically
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.reading import read_at_most
from effnet_edu.ground.safetensors_file import notes_of, tensors_and_notes
from effnet_edu.training.rows import Row
from effnet_edu.training.run import TrainingRun
from effnet_edu.training.state import TrainingState

#: The newest, and the one before it for the case that the newest is damaged.
_KEPT = 2
#: What readers of damaged files raise.
_DAMAGED = (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OSError)


class RunFolder:
    """Where one training keeps its state and its results.

    Files: `step-00000123.safetensors` (the last two states), `rows.jsonl` and `rows.csv` (an epoch a line),
    `configuration.json`, and at the end `network.safetensors` (the trained weights alone) and `run.json`.
    Fine-tuning adds `classifier.safetensors` before and `evaluation.safetensors` after.

    A state is one file of tensors with its position, its configuration and a checksum in its header. It is
    written under another name, flushed to the disk and then renamed, so that a file with its name is always
    whole; should the disk lose a part of it nevertheless, the checksum tells, and the one before it is used.

    Args:
        path: The folder; it is made if it is not there. None keeps nothing.
        configuration: Returns what this training is: recipe, network, images, seed; made of JSON's types.
        writes: Whether this process writes; of several processes, one does.
    """

    def __init__(
        self, path: Path | str | None, configuration: Callable[[], dict[str, Any]], writes: bool = True
    ) -> None:
        self.path = Path(path or "")
        self.make_configuration = configuration
        self.configuration: dict[str, Any] = {}
        self.reads = path is not None
        self.writes = self.reads and writes

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder for this training alone.

        Raises:
            ValueError: Another training is in it, or it holds one with another configuration.
        """
        if not self.writes:
            yield
            return
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(
                f"Another process is training in {self.path}; wait for it, or name another folder."
            ) from None
        try:
            remove_leftovers(self.path)
            self.configuration = self.make_configuration()
            self._check_configuration()
            yield
        finally:
            lock.release()

    def _check_configuration(self) -> None:
        """Raise if the file, or a state, was written by another training than this one."""
        file = self.path / "configuration.json"
        if file.exists():
            self._check_same(read_json(file))
        for state in self._states():
            try:
                kept = json.loads(notes_of(state)["configuration"])
            except _DAMAGED:
                continue  # the checksum will tell
            self._check_same(kept)
        if not file.exists():
            write_atomically(file, json.dumps(self.configuration, indent=1))

    def _check_same(self, kept: dict[str, Any]) -> None:
        differences = [
            f"{name} {quoted(there)} (this one has {quoted(here)})"
            for name, there, here in _differences(kept, self.configuration)
        ]
        if differences:
            more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
            raise ValueError(
                f"{self.path} holds a training with {', '.join(differences[:3])}{more}; "
                "name another folder, or make both the same."
            )

    def save(self, state: TrainingState, step: int) -> None:
        """Keep a state and its rows, and remove the states that are older than the last two.

        Raises:
            OSError: The disk is full, say; the last good state is still there.
        """
        if not self.writes:
            return
        if state.step == 0:  # first, so that no kill leaves a finished training without its last row
            self._save_rows(state.rows)
        tensors, position = state.to_tensors()
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        header = {
            "position": json.dumps(position),
            "configuration": json.dumps(self.configuration),
            "checksum": _checksum(tensors, position),
        }
        try:
            write_atomically(self.path / f"step-{step:08d}.safetensors", save(tensors, header))
        except OSError as error:
            last = next(self._states(), None)
            kept = f"the state in {last.name} is whole" if last else "no state was kept before"
            raise OSError(
                error.errno,
                f"The state of step {step} could not be written to {self.path} ({error.strerror}); {kept}. "
                "Make room and start the same training again: it goes on from there",
            ) from error
        for older in list(self._states())[_KEPT:]:
            older.unlink()

    def load(self, state: TrainingState) -> None:
        """Go on from the newest state that is whole; without one, a training begins.

        Raises:
            ValueError: There are states, and none of them is whole.
        """
        states = list(self._states()) if self.reads else []
        for file in states:
            try:
                kept = _read(file)
            except _DAMAGED:
                continue  # the one before it will do
            try:
                state.load(*kept)
            except (*_DAMAGED, RuntimeError) as error:
                raise ValueError(
                    f"{file} holds no state of this training ({quoted(str(error))}); remove it."
                ) from error
            return
        if states:
            raise ValueError(
                f"No state in {self.path} is whole: {', '.join(file.name for file in states)}; remove them "
                "to begin anew."
            )

    def _save_rows(self, rows: Sequence[Row]) -> None:
        """Write the results anew, so that they fit the state whatever happened before."""
        write_atomically(self.path / "rows.jsonl", "".join(json.dumps(asdict(row)) + "\n" for row in rows))
        table = io.StringIO()
        writer = csv.DictWriter(table, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
        write_atomically(self.path / "rows.csv", table.getvalue())

    def finish(self, run: TrainingRun) -> None:
        """Keep the trained weights alone, and what `load_run` needs beside them."""
        if self.writes:
            weights = {name: tensor.contiguous() for name, tensor in run.network.state_dict().items()}
            write_atomically(self.path / "network.safetensors", save(weights))
            measured = {name: getattr(run, name) for name in MEASURED}
            write_atomically(self.path / "run.json", json.dumps(measured, indent=1))

    def _states(self) -> Iterator[Path]:
        yield from sorted(self.path.glob("step-*.safetensors"), reverse=True)


#: Of a configuration or of all rows: ours have some ten kB.
MOST_BYTES = 2**25
#: Fields of a TrainingRun that neither its configuration nor its rows know, and their types.
MEASURED = {
    "seconds": float,
    "peak_memory_bytes": int,
    "device": str,
    "device_name": str,
    "torch_version": str,
    "processes": int,
}


def read_json(file: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or raise a sentence that names the file."""
    try:
        found = json.loads(read_at_most(file, MOST_BYTES).decode("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"{file} is empty, damaged or of another kind; it should hold a JSON object.")
    return found


def _read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors, header = tensors_and_notes(file)
    position = json.loads(header["position"])
    if _checksum(tensors, position) != header["checksum"]:
        raise ValueError(f"{file} is damaged: its checksum is another.")
    return tensors, position


def _checksum(tensors: Mapping[str, Tensor], position: Mapping[str, Any]) -> str:
    digest = hashlib.blake2b(json.dumps(position).encode(), digest_size=16)
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].flatten().numpy().tobytes())
    return digest.hexdigest()


def _differences(there: Any, here: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the name and both values of everything that differs between two trees of JSON."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted(there.keys() | here.keys()):
            yield from _differences(there.get(key), here.get(key), f"{name}.{key}" if name else key)
    elif there != here:
        yield name, there, here
