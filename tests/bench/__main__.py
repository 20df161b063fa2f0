"""Speed against the peers in one interleaved run: `make bench` prints a table and writes results.csv.

Every round runs ours and each peer once, in turn, so that a busy moment of the machine meets all of them.
What counts is the ratio within a round: its median, and the middle half of the rounds.
"""

import csv
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import efficientnet_pytorch
import torch
import torchinfo

import effnet_edu as ee
from effnet_edu.profiling.device import device_name
from tests.peers import import_torchvision

torchvision = import_torchvision()
import timm  # noqa: E402 - it imports torchvision itself

RESULTS = Path(__file__).with_name("results.csv")
Run = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """Ours against peers; `bar` is the largest allowed ratio of ours to the fastest peer."""

    name: str
    bar: float
    ours: Run
    peers: dict[str, Run]
    rounds: int


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    case: str
    ours_ms: float
    fastest_peer: str
    fastest_peer_ms: float
    ratio: float
    ratio_low: float
    ratio_high: float
    bar: str
    met: bool


def on_meta(build: Run) -> Run:
    def run() -> object:
        with torch.device("meta"):
            return build()

    return run


def cases() -> list[Case]:
    torch.manual_seed(0)
    theirs = torchvision.models.efficientnet_b0().eval()
    ours = ee.create("efficientnet_b0", conventions="torchvision").eval()
    ee.load_checkpoint(ours, theirs.state_dict(), layout="torchvision")
    images = torch.randn(16, 3, 224, 224)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-4)
    b7, b7_meta = ee.spec("efficientnet_b7"), ee.create("efficientnet_b7", device="meta")

    def forward(net: torch.nn.Module) -> Run:
        def run() -> object:
            with torch.inference_mode():
                return net(images)

        return run

    return [
        Case(
            "build B0 on meta",
            1.0,
            lambda: ee.create("efficientnet_b0", device="meta"),
            {
                "torchvision": on_meta(torchvision.models.efficientnet_b0),
                "timm": on_meta(lambda: timm.create_model("efficientnet_b0")),
                "efficientnet_pytorch": on_meta(
                    lambda: efficientnet_pytorch.EfficientNet.from_name("efficientnet-b0")
                ),
            },
            30,
        ),
        Case(
            "count B7",
            0.01,
            lambda: ee.cost(b7).macs,
            {
                "torchinfo.summary on meta": lambda: torchinfo.summary(
                    b7_meta, (1, 3, 600, 600), device="meta", verbose=0, cache_forward_pass=False
                )
            },
            7,
        ),
        Case(
            "forward B0, 224 px, batch 16, same weights",
            1.0,
            forward(ours),
            {"torchvision": forward(theirs)},
            15,
        ),
    ]


def measure(case: Case) -> Row:
    """Run the rounds of a case after one round that warms up."""
    runs = {"ours": case.ours, **case.peers}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(case.rounds + 1):
        names = list(runs) if turn % 2 else list(reversed(runs))
        for name in names:
            start = time.perf_counter()
            runs[name]()
            if turn:
                times[name].append(1000 * (time.perf_counter() - start))
    medians = {name: statistics.median(values) for name, values in times.items()}
    peer = min(case.peers, key=medians.__getitem__)
    ratios = [ours / theirs for ours, theirs in zip(times["ours"], times[peer], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Row(
        case.name, round(medians["ours"], 3), peer, round(medians[peer], 3),
        round(middle, 4), round(low, 4), round(high, 4), f"ratio {case.bar:g}", middle <= case.bar,
    )  # fmt: skip


IMPORTS = """
import time
start = time.perf_counter()
import torch
middle = time.perf_counter()
import effnet_edu
print(1000 * (middle - start), 1000 * (time.perf_counter() - middle))
"""
IMPORT_BAR_MS = 50


def measure_import(rounds: int = 7) -> Row:
    """Time `import effnet_edu` in fresh processes that have just imported torch."""
    times = []
    for _ in range(rounds + 1):  # the first fills the disk cache
        command = [sys.executable, "-c", IMPORTS]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        times.append(tuple(map(float, printed.split())))
    torch_ms = statistics.median(both[0] for both in times[1:])
    ours_ms = statistics.median(both[1] for both in times[1:])
    ratios = [(both[0] + both[1]) / both[0] for both in times[1:]]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Row(
        "import effnet_edu after torch", round(ours_ms, 3), "import torch", round(torch_ms, 3),
        round(middle, 4), round(low, 4), round(high, 4), f"{IMPORT_BAR_MS} ms", ours_ms <= IMPORT_BAR_MS,
    )  # fmt: skip


def main() -> int:
    rows = []
    print(f"{'case':<44}{'ours':>10}  {'fastest peer':<38}{'ratio':>8}{'middle half':>18}{'bar':>11}")
    for row in [*map(measure, cases()), measure_import()]:
        rows.append(row)
        peer = f"{row.fastest_peer}: {row.fastest_peer_ms:,.1f} ms"
        spread = f"{row.ratio_low:.3f} to {row.ratio_high:.3f}"
        print(
            f"{row.case:<44}{row.ours_ms:>7,.1f} ms  {peer:<38}{row.ratio:>8.3f}{spread:>18}{row.bar:>11}"
            f"  {'met' if row.met else 'MISSED'}"
        )
    about = {
        "date": datetime.now(UTC).date().isoformat(),
        "device": device_name(torch.device("cpu")),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "torchvision", "timm", "torchinfo")},
    }
    partial = RESULTS.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*asdict(rows[0]), *about], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) | about for row in rows)
    partial.replace(RESULTS)
    print(f"{about['device']}, torch {about['torch']}, {about['date']}; written to {RESULTS.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
