"""The folder of one training: checkpoints that survive a kill and a full disk, and the results as rows."""

import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from effnet_edu.training.rows import Row
from effnet_edu.training.state import TrainingState

#: The newest, and the one before it for the case that the newest is damaged.
_KEPT = 2


class RunFolder:
    """Where one training keeps its state and its results.

    Files: `step-00000123.safetensors` (the last two states), `rows.jsonl` and `rows.csv` (an epoch a line),
    `configuration.json`, and at the end `network.safetensors` (the trained weights alone).

    A state is one file of tensors with its position as JSON and a checksum in its header. It is written under
    another name, flushed to the disk and then renamed, so that a file with its name is always whole; should
    the disk lose a part of it nevertheless, the checksum tells, and the state before it is used.

    Args:
        path: The folder; it is made if it is not there. None keeps nothing.
        configuration: Returns what this training is: recipe, network, images, seed; made of JSON's types.
        writes: Whether this process writes; of several processes, one does.
    """

    def __init__(
        self, path: Path | str | None, configuration: Callable[[], dict[str, Any]], writes: bool = True
    ) -> None:
        self.path = Path(path or "")
        self.configuration = configuration
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
            for left_over in self.path.glob("*.part"):
                left_over.unlink()
            self._check_configuration()
            yield
        finally:
            lock.release()

    def _check_configuration(self) -> None:
        file, configuration = self.path / "configuration.json", self.configuration()
        if not file.exists():
            self._write(file, json.dumps(configuration, indent=1).encode())
            return
        kept = json.loads(file.read_text(encoding="utf-8"))
        differences = [
            f"{name} {json.dumps(there)} (this one has {json.dumps(here)})"
            for name, there, here in _differences(kept, configuration)
        ]
        if differences:
            more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
            raise ValueError(
                f"{self.path} holds a training with {', '.join(differences[:3])}{more}; "
                "name another folder, or make both the same."
            )

    def save(self, state: TrainingState, step: int) -> None:
        """Keep a state and its rows, and remove the states that are older than the last two.

        Args:
            state: Where the training is.
            step: Steps since it began.

        Raises:
            OSError: The disk is full, say; the last good state is still there.
        """
        if not self.writes:
            return
        if state.step == 0:  # first, so that no kill leaves a finished training without its last row
            self._save_rows(state.rows)
        tensors, position = state.to_tensors()
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        header = {"position": json.dumps(position), "checksum": _checksum(tensors, position)}
        file = self.path / f"step-{step:08d}.safetensors"
        try:
            self._write(file, save(tensors, header))
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

    def newest(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the newest state that is whole, or None if there is none."""
        for file in self._states() if self.reads else ():
            try:
                return _read(file)
            except (SafetensorError, ValueError, KeyError, OSError):
                continue  # damaged: the one before it will do
        return None

    def _save_rows(self, rows: Sequence[Row]) -> None:
        """Write the results anew, so that they fit the state whatever happened before."""
        lines = [json.dumps(asdict(row)) + "\n" for row in rows]
        self._write(self.path / "rows.jsonl", "".join(lines).encode())
        table = io.StringIO()
        writer = csv.DictWriter(table, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
        self._write(self.path / "rows.csv", table.getvalue().encode())

    def save_network(self, tensors: Mapping[str, Tensor]) -> None:
        """Write the trained weights alone.

        Args:
            tensors: The state dict.
        """
        if self.writes:
            content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
            self._write(self.path / "network.safetensors", content)

    def _states(self) -> Iterator[Path]:
        yield from sorted(self.path.glob("step-*.safetensors"), reverse=True)

    def _write(self, file: Path, content: bytes) -> None:
        """Write a file so that under its name there is always the old content or the new, and never half."""
        part = file.with_name(file.name + ".part")
        try:
            with part.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(file)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        _flush_folder(self.path)


def _flush_folder(path: Path) -> None:
    """Make the disk keep a new name; where folders cannot be opened (Windows), it does so by itself."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(file, "pt") as opened:
        header = opened.metadata()
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no dictionary
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
