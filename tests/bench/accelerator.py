"""The benchmark on an accelerator, in pieces of under ten minutes that can be resumed.

A piece is one network in one precision, run in one mode. Both peers' eager runs stand in every piece, so that
each ratio comes from contestants that took turns. `run_piece` writes one JSON file, and measures nothing
where that file is already there.
"""

import copy
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import effnet_edu as ee
from effnet_edu.ground.atomic import write_atomically
from tests.bench.cases import Case, evaluate
from tests.bench.networks import OURS, same_weights
from tests.bench.report import about
from tests.bench.runner import time_case
from tests.bench.verdict import verdict

NETWORKS = ("efficientnet_b0", "efficientnet_b4", "efficientnet_b7", "efficientnetv2_s", "efficientnetv2_l")
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
MODES = ("eager", "compiled", "graphs")
PEERS = ("torchvision", "timm")

#: Ours against the fastest peer's eager run: eager no slower, optimised at least 1.5 times as fast.
BARS = {"eager": 1.0, "compiled": 1 / 1.5, "graphs": 1 / 1.5}
#: Which of our contestants a piece holds to its bar; the best of them counts.
HELD = {
    "eager": (f"{OURS}, eager",),
    "compiled": (f"{OURS}, compiled",),
    "graphs": (f"{OURS}, graphs", f"{OURS}, compiled and graphs"),
}


@dataclass(frozen=True)
class Piece:
    """One file of results.

    Attributes:
        network: A published network.
        precision: `"fp32"` or `"bf16"`.
        mode: `"eager"`, `"compiled"` or `"graphs"`.
        resolution: Side of the images in pixels; the network's own by default.
        largest_batch: Where doubling the batch ends, if memory does not end it before.
        rounds: Turns of each contestant at each batch.
        seconds: No larger batch is begun after this long.
    """

    network: str
    precision: str
    mode: str
    resolution: int | None = None
    largest_batch: int = 1024
    rounds: int = 20
    seconds: float = 300.0

    @property
    def name(self) -> str:
        """The stem of its file."""
        return f"{self.network}_{self.precision}_{self.mode}"


def pieces() -> list[Piece]:
    """Return all pieces, in the order in which they are worth having."""
    return [
        Piece(network, precision, mode) for network in NETWORKS for precision in PRECISIONS for mode in MODES
    ]


def tiny(piece: Piece) -> Piece:
    """Return the same piece with as little work as shows that it runs."""
    return replace(piece, resolution=64, largest_batch=2, rounds=2, seconds=0.0)


def run_piece(piece: Piece, folder: Path, device: torch.device) -> Path:
    """Measure a piece unless its file is there, and return the file.

    Args:
        piece: What to measure.
        folder: Where the file goes.
        device: An accelerator; the CPU for a rehearsal.
    """
    path = folder / f"{piece.name}.json"
    if path.exists():
        return path
    rows, ended_by = measure(piece, device)
    record = {"piece": asdict(piece), "about": about(device), "ended_by": ended_by, "rows": rows}
    write_atomically(path, json.dumps(record, indent=1) + "\n")
    return path


def contestants(piece: Piece, device: torch.device) -> dict[str, nn.Module]:
    """Return the networks of a piece, ready to run: names say library and mode."""
    dtype = PRECISIONS[piece.precision]
    networks = same_weights(piece.network, PEERS)
    plain = {
        name: net.to(device=device, dtype=dtype, memory_format=torch.channels_last)
        for name, net in networks.items()
    }
    ready = {f"{name}, eager": net for name, net in plain.items()}
    optimise = partial(ee.optimize_for_inference, plain[OURS], precision=piece.precision)
    if piece.mode == "eager":
        ready[f"{OURS}, optimised"] = optimise()
    elif piece.mode == "compiled":
        ready[f"{OURS}, compiled"] = optimise(compile=True)
        for peer in PEERS:
            ready[f"{peer}, compiled"] = copy.deepcopy(plain[peer])
            ready[f"{peer}, compiled"].compile()
    else:
        ready[f"{OURS}, graphs"] = optimise(graphs=True)
        ready[f"{OURS}, compiled and graphs"] = optimise(graphs=True, compile=True)
    return ready


def batches(piece: Piece) -> Iterator[int]:
    batch = 1
    while batch <= piece.largest_batch:
        yield batch
        batch *= 2


def measure(piece: Piece, device: torch.device) -> tuple[list[dict[str, object]], str]:
    """Return a row a contestant and batch, and what ended the doubling: memory, time or the largest batch."""
    started, rows = time.monotonic(), []
    networks = contestants(piece, device)
    for batch in batches(piece):
        if batch > 1 and time.monotonic() - started > piece.seconds:
            return rows, "time"
        times = times_at(piece, networks, batch, device)
        if times is None:
            return rows, "memory"
        rows += [
            {
                "batch": batch,
                "contestant": name,
                "median_ms": 1000 * statistics.median(seconds),
                "images_per_second": batch / statistics.median(seconds),
                **against_fastest_peer(times, name),
            }
            for name, seconds in times.items()
        ]
    return rows, "largest batch"


def times_at(
    piece: Piece, networks: dict[str, nn.Module], batch: int, device: torch.device
) -> dict[str, list[float]] | None:
    """Return the seconds of each contestant in each round, or None where the batch does not fit."""
    try:
        images = images_of(piece, batch, device)
        runs: dict[str, Callable[[], object]] = {
            name: partial(evaluate, net, images) for name, net in networks.items()
        }
        return time_case(Case(f"batch {batch}", runs, piece.rounds, warm_ups=2), device)
    except torch.OutOfMemoryError:
        return None


def images_of(piece: Piece, batch: int, device: torch.device) -> Tensor:
    side = piece.resolution or ee.spec(piece.network).resolution
    images = torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(batch))
    return images.to(device, PRECISIONS[piece.precision]).contiguous(memory_format=torch.channels_last)


def against_fastest_peer(times: dict[str, list[float]], name: str) -> dict[str, object]:
    """Return the ratio to the peer whose eager run was fastest, and the middle half of the rounds."""
    peer = min((f"{peer}, eager" for peer in PEERS), key=lambda peer: statistics.median(times[peer]))
    ratios = [ours / theirs for ours, theirs in zip(times[name], times[peer], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return {"fastest_peer": peer, "ratio": middle, "ratio_low": low, "ratio_high": high}


def judge_piece(record: dict[str, Any]) -> dict[str, str]:
    """Return the verdict on ours at batch 1 and at the batch of the highest throughput.

    Args:
        record: What `run_piece` wrote.

    Returns:
        For "batch 1" and "best batch", the word of the best of our contestants that are held to the bar.
    """
    mode, rows = record["piece"]["mode"], record["rows"]
    held = [row for row in rows if row["contestant"] in HELD[mode]]
    peers = [row for row in rows if row["contestant"] in {f"{peer}, eager" for peer in PEERS}]

    def word(row: dict[str, float], scale: float = 1.0) -> str:
        return verdict(scale * row["ratio_low"], scale * row["ratio_high"], BARS[mode])

    first = min((row for row in held if row["batch"] == 1), key=lambda row: row["ratio"])
    best = max(held, key=lambda row: row["images_per_second"])
    # The peers' own best batch may be another than ours.
    theirs = max(row["images_per_second"] for row in peers)
    scale = theirs / best["images_per_second"] / best["ratio"]
    return {"batch 1": word(first), "best batch": word(best, scale)}
