"""One piece of the benchmark on this device: `python -m tests.gpu.bench NAME FOLDER [--quick]`."""

import argparse
from pathlib import Path

from effnet_edu.profiling.device import default_device, exclusive
from tests.bench.accelerator import pieces, run_piece, tiny

PIECES = {piece.name: piece for piece in pieces()}


def main() -> None:
    """Measure the piece, its file in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(PIECES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="as little work as shows that it runs")
    chosen = parser.parse_args()
    piece, device = PIECES[chosen.name], default_device()
    with exclusive(device):
        print(run_piece(tiny(piece) if chosen.quick else piece, chosen.folder, device))


if __name__ == "__main__":
    main()
