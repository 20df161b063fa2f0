"""Everything that wants a GPU, in pieces of under ten minutes: `make gpu`, again and again until all is done.

It needs python, torch and what the pieces import, no network and no installed course. Results go where they
are committed from: effnet_edu/studies/results/ and tests/bench/. `--rehearse` runs the same pieces in a tiny
setting on whatever there is, with every result in the working folder.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from effnet_edu.profiling.device import default_device, device_name
from effnet_edu.studies.devices.records import DEVICES, folder_name
from effnet_edu.studies.registry import DEVICE_EXPERIMENTS, list_studies, study
from tests.gpu.bench import PIECES
from tests.gpu.runner import Piece, run_pieces

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "tests" / "bench"
#: Lessons look into the weights that are kept beside a result, so those are not trained anew elsewhere.
STUDIES = tuple(name for name in list_studies() if study(name).weights_of is None)


def fingerprint() -> str:
    """Return a hash of all code: what it has done need not be done again until it changes."""
    digest = hashlib.sha256()
    for path in sorted([*(ROOT / "effnet_edu").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def all_pieces(folder: Path, device: str, rehearse: bool) -> list[Piece]:
    """Return the pieces: first what the lessons show, then the benchmark, the tests and the long studies.

    A rehearsal only collects the tests, and leaves out graphs, which no CPU records.
    """
    python = (sys.executable, "-m")
    quick, collect = (("--quick",), ("--collect-only",)) if rehearse else ((), ())
    own = folder_name(device)
    measured = folder / "devices" / own if rehearse else DEVICES / own
    benched = (folder if rehearse else BENCH) / "devices" / own
    measure = (*python, "effnet_edu", "measure", "device", "--folder", str(measured))
    return [
        *(
            Piece(f"measure-{experiment}", (*measure, experiment, *quick))
            for experiment in DEVICE_EXPERIMENTS
        ),
        *(
            Piece(f"bench-{piece}", (*python, "tests.gpu.bench", piece, str(benched), *quick))
            for piece in PIECES
            if not (rehearse and piece.endswith("graphs"))
        ),
        Piece("tests", (*python, "pytest", "-q", "-m", "gpu", "tests/gpu", *collect)),
        *(
            Piece(f"study-{name}", (*python, "effnet_edu", "study", name, *quick), resumes=True)
            for name in STUDIES
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is left; 0 if all is done, 1 if something failed, 75 if something still waits."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="PIECE", help="names of pieces; all by default")
    parser.add_argument("--folder", type=Path, default=ROOT / "gpu-run", help="logs, and what is done")
    parser.add_argument("--budget", type=float, default=float("inf"), help="seconds that this call may take")
    parser.add_argument("--rehearse", action="store_true", help="a tiny setting, on the CPU if need be")
    parser.add_argument("--list", action="store_true", help="print the pieces and stop")
    chosen = parser.parse_args(arguments)
    device = default_device()
    if device.type == "cpu" and not chosen.rehearse and not chosen.list:
        parser.error("there is no accelerator here; --rehearse runs the same pieces in a tiny setting.")
    name = device_name(device)
    folder = chosen.folder.resolve()
    pieces = all_pieces(folder, name, chosen.rehearse)
    unknown = sorted(set(chosen.only) - {piece.name for piece in pieces})
    if unknown:
        parser.error(f"there is no piece {unknown[0]!r}; --list prints them.")
    pieces = [piece for piece in pieces if not chosen.only or piece.name in chosen.only]
    if chosen.list:
        print("\n".join(piece.name for piece in pieces))
        return 0
    print(f"{len(pieces)} pieces on {name}, logs in {folder.name}/", flush=True)
    return run_pieces(pieces, folder, ROOT, fingerprint(), name, chosen.budget)


if __name__ == "__main__":
    sys.exit(main())
