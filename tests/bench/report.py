"""The results as csv, as a table to read, and as a picture; all with device and versions."""

import csv
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch
from matplotlib.figure import Figure

from effnet_edu.figures.style import new_figure, plain_log_axis, styled
from effnet_edu.ground.atomic import atomic_path, write_atomically
from effnet_edu.ground.palette import FAINT, GREY, INK, RESOLUTION, WIDTH
from effnet_edu.profiling.device import device_name
from tests.bench.verdict import Result

PACKAGES = (
    *("torch", "torchvision", "timm", "geffnet", "efficientnet_pytorch", "torchinfo", "fvcore"),
    *("onnxruntime", "openvino"),
)
COLOURS = {"met": RESOLUTION, "tie": GREY, "MISSED": WIDTH}
MARKERS = {"met": "o", "tie": "s", "MISSED": "X"}


def about(device: torch.device) -> dict[str, str]:
    """Return where and with what it was measured."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "device": device_name(device),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def write(folder: Path, results: list[Result], where: dict[str, str]) -> None:
    """Write results.csv, results.md and results.png."""
    rows = [rounded(result) | where for result in results]
    with atomic_path(folder / "results.csv") as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    text = markdown(results, where)
    write_atomically(folder / "results.md", text)
    picture = draw(results, where)
    with atomic_path(folder / "results.png") as path:
        picture.savefig(path, format="png", dpi=120)


def rounded(result: Result) -> dict[str, object]:
    return {
        key: float(f"{value:.5g}") if isinstance(value, float) else value
        for key, value in asdict(result).items()
    }


def table(results: list[Result]) -> list[list[str]]:
    lines = [["case", "ours", "ms", "fastest peer", "ms", "ratio", "interval", "bar", ""]]
    lines += [
        [
            result.case, result.ours, f"{result.ours_ms:,.1f}", result.fastest_peer,
            f"{result.fastest_peer_ms:,.1f}", f"{result.ratio:.3f}",
            f"{result.ratio_low:.3f} to {result.ratio_high:.3f}", f"{result.bar:g}", result.verdict,
        ]
        for result in results
    ]  # fmt: skip
    return lines


def text_table(results: list[Result]) -> str:
    lines = table(results)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )


def markdown(results: list[Result], where: dict[str, str]) -> str:
    head, *body = ("| " + " | ".join(line) + " |" for line in table(results))
    rule = "|" + " --- |" * len(table(results)[0])
    facts = "; ".join(f"{name} {value}" for name, value in where.items())
    return (
        "# Speed against the peers, measured\n\n"
        "Same weights, same inputs, contestants in turn. The ratio is ours over the fastest peer; its\n"
        "interval reaches over fresh processes. *met*: all of it is within the bar; *tie*: the bar lies in\n"
        f"it.\n\n{facts}\n\n" + "\n".join([head, rule, *body]) + "\n"
    )


@styled
def draw(results: list[Result], where: dict[str, str]) -> Figure:
    """Draw every ratio over its bar, with its interval; left of the line is faster than the bar asks."""
    figure, (axes,) = new_figure(1.2 + 0.3 * len(results))
    for place, result in enumerate(results):
        scaled = [value / result.bar for value in (result.ratio_low, result.ratio, result.ratio_high)]
        colour = COLOURS[result.verdict]
        axes.plot([scaled[0], scaled[2]], [place, place], color=colour)
        axes.plot(scaled[1], place, MARKERS[result.verdict], color=colour)
    axes.axvline(1, color=INK, linewidth=1.2)
    labels = [
        f"{result.case}: {result.ours.removeprefix('optimize_for_inference, ')}"
        + (f" (bar {result.bar:g})" if result.bar != 1 else "")
        for result in results
    ]
    axes.set_yticks(range(len(results)), labels)
    axes.invert_yaxis()
    axes.grid(axis="y", color=FAINT, linewidth=0.4)
    plain_log_axis(axes, "x", [0.03125, 0.125, 0.25, 0.5, 1, 2], ["1/32", "1/8", "1/4", "1/2", "1", "2"])
    lowest = min(result.ratio_low / result.bar for result in results)
    highest = max(result.ratio_high / result.bar for result in results)
    axes.set_xlim(0.9 * min(0.5, lowest), 1.1 * max(2, highest))
    axes.set_xlabel(
        "measured: time of ours over that of the fastest peer, over the bar\n"
        f"{where['device']}, torch {where['torch']}"
    )
    for word, marker in MARKERS.items():
        axes.plot([], [], marker, color=COLOURS[word], label=word)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.08), ncols=3)
    return figure
