"""Runs pieces one after the other, each in a process of its own, and remembers which are done.

A machine with a GPU is often lent for minutes at a time. Every piece therefore ends within its limit, leaves
its results where they are committed from, and is not run again until the code changes.
"""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

#: Seconds that one piece may take: under ten minutes, with room for the start.
LIMIT = 570


@dataclass(frozen=True)
class Piece:
    """Something that is run at one go.

    `command` runs in the root of the repository, for `limit` seconds. A piece that `resumes` saves what it
    does as it goes: stopped at its limit, it goes on at its next turn. Any other has failed then.
    """

    name: str
    command: tuple[str, ...]
    limit: float = LIMIT
    resumes: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a piece ended: `done`, `again` (it made progress and has more to do), `failed` or `too long`."""

    name: str
    status: str
    seconds: float
    fingerprint: str
    device: str


#: Exit status when there is more to do.
AGAIN = 75


def finished(log: Path, fingerprint: str, device: str) -> set[str]:
    """Return the names of the pieces that this code has already done on this device."""
    if not log.exists():
        return set()
    outcomes = [Outcome(**json.loads(line)) for line in log.read_text(encoding="utf-8").splitlines()]
    return {
        outcome.name
        for outcome in outcomes
        if (outcome.status, outcome.fingerprint, outcome.device) == ("done", fingerprint, device)
    }


def run_piece(piece: Piece, output: Path, root: Path) -> tuple[str, float]:
    """Run one piece, its output in a file, and return how it ended and after how many seconds."""
    begun = time.monotonic()
    with output.open("ab") as file:
        process = subprocess.Popen(piece.command, cwd=root, stdout=file, stderr=subprocess.STDOUT)
        try:
            status = "failed" if process.wait(timeout=piece.limit) else "done"
        except subprocess.TimeoutExpired:
            # Children as well, so that none goes on using the device.
            for one in (*psutil.Process(process.pid).children(recursive=True), process):
                one.kill()
            process.wait()
            status = "again" if piece.resumes else "too long"
    return status, time.monotonic() - begun


def run_pieces(
    pieces: Sequence[Piece], folder: Path, root: Path, fingerprint: str, device: str, budget: float
) -> int:
    """Run what is not done yet, as long as a whole piece still fits into the budget of seconds.

    Returns 0 if all is done, 1 if a piece failed, and AGAIN if there is more to do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "done.jsonl"
    done, begun = finished(log, fingerprint, device), time.monotonic()
    endings = set()
    for piece in pieces:
        if piece.name in done:
            print(f"{piece.name:<28} done before", flush=True)
            continue
        if time.monotonic() - begun + piece.limit > budget:
            print(f"{piece.name:<28} waits: the time left is less than its limit", flush=True)
            endings.add("again")
            continue
        status, seconds = run_piece(piece, folder / f"{piece.name}.log", root)
        outcome = Outcome(piece.name, status, round(seconds, 1), fingerprint, device)
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")
        endings.add(status)
        print(f"{piece.name:<28} {status} after {seconds:.0f} s", flush=True)
    if endings & {"failed", "too long"}:
        return 1
    return AGAIN if "again" in endings else 0
