"""One page about one device, and one table about several: what was measured, and how to measure it again."""

import argparse
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from effnet_edu import figures
from effnet_edu.figures.picture import Picture
from effnet_edu.profiling.device import as_device
from effnet_edu.published.tables import read as read_table
from effnet_edu.studies.device import EXPERIMENTS, extent
from effnet_edu.studies.device_records import measure_device, read_device
from effnet_edu.studies.record import Record, write_text

Records = Mapping[str, Record]
PAGE = "report.html"

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --faint: #d9d9d9; --grey: #595959 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --paper: #16181b; --faint: #44484d; --grey: #b3b3b3 }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 900px; margin: 2rem auto; padding: 0 1rem }
h1 { line-height: 1.2 } h2 { margin-top: 2.5rem } figcaption, .note { color: var(--grey); font-size: 0.9rem }
figure img { background: #ffffff; border-radius: 6px; height: auto }
div.wide { overflow-x: auto } table { border-collapse: collapse; font-size: 0.9rem }
th, td { text-align: left; padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid var(--faint) }
code { font: 0.9rem ui-monospace, monospace; overflow-wrap: anywhere } summary { cursor: pointer }
"""


@dataclass(frozen=True)
class Section:
    """One heading of the page.

    Attributes:
        experiment: Whose numbers it shows.
        title: The heading.
        sentence: What to look for.
        pictures: From the record, the pictures.
    """

    experiment: str
    title: str
    sentence: str
    pictures: Callable[[Record], Sequence[Picture]]


def _rows(record: Record) -> list[dict[str, Any]]:
    rows = record.data["rows"]
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"The record {record.name!r} holds no rows.")
    return rows


def _device(record: Record) -> str:
    return record.provenance.device


SECTIONS = (
    Section(
        "networks",
        "Networks: MACs are not time",
        "If time followed multiply-adds, every mark would lie on a line of the dashed one's slope.",
        lambda record: [figures.network_times(_rows(record), _device(record))],
    ),
    Section(
        "resnet50",
        "B0 against ResNet-50",
        "Ten times fewer multiply-adds; how many times faster depends on the device, the batch and the "
        "memory format.",
        lambda record: [
            figures.against_resnet50(_rows(record), read_table("timm_speed_against_macs"), _device(record))
        ],
    ),
    Section(
        "batch_sizes",
        "Batch size against throughput",
        "Larger batches fill the device, until it is full or out of memory.",
        lambda record: [figures.throughput_against_batch(_rows(record), _device(record))],
    ),
    Section(
        "memory_formats",
        "Memory format",
        "The same numbers in another order in memory.",
        lambda record: [figures.memory_formats(_rows(record), _device(record))],
    ),
    Section(
        "fused_blocks",
        "Fused-MBConv against MBConv, stage by stage",
        "Fusing multiplies the MACs, and pays where few channels meet a large map.",
        lambda record: [figures.fused_blocks(_rows(record), _device(record))],
    ),
    Section(
        "fused_networks",
        "How many stages to fuse",
        "The question of the EfficientNetV2 paper's table 3, asked of this device.",
        lambda record: [
            figures.fused_networks(_rows(record), read_table("v2_table3_fused"), _device(record))
        ],
    ),
)


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body><main>\n{body}\n</main></body>\n</html>\n"
    )


def device_page(records: Records) -> str:
    """Return the page about one device as one file of HTML that needs nothing else.

    Args:
        records: Its records by experiment.

    Raises:
        ValueError: There is no record, or they are of several devices.
    """
    devices = sorted({_device(record) for record in records.values()})
    if len(devices) != 1:
        raise ValueError(f"A page is about one device; these records are of {len(devices)}: {devices}.")
    title = f"EfficientNet on {devices[0]}"
    parts = [f"<h1>{html.escape(title)}</h1>", _about(records)]
    for section in SECTIONS:
        if section.experiment not in records:
            continue
        record = records[section.experiment]
        parts.append(f"<h2>{html.escape(section.title)}</h2><p>{html.escape(section.sentence)}</p>")
        parts += [f'<div class="wide">{picture._repr_html_()}</div>' for picture in section.pictures(record)]
        parts.append(_source(record))
    return _page(title, "\n".join(parts))


def _about(records: Records) -> str:
    first = next(iter(records.values())).provenance
    versions = ", ".join(f"{name} {version}" for name, version in first.versions.items())
    driver = f", driver {first.driver}" if first.driver else ""
    return (
        f"<p>Measured on {html.escape(first.device)}{html.escape(driver)} ({html.escape(first.system)}), "
        f"{html.escape(first.started[:10])}, with {html.escape(versions)}. Computed numbers are exact; "
        "measured ones are medians with the 95% interval of the median; published ones carry their source. "
        "All networks have random weights.</p>"
    )


def _source(record: Record) -> str:
    about = record.provenance
    noisy = [row for row in _rows(record) if row.get("noisy")]
    warning = f" {len(noisy)} of its measurements were noisy." if noisy else ""
    return (
        f'<p class="note">Measured {html.escape(about.started)} in {about.wall_seconds:.0f} s by '
        f"<code>{html.escape(about.command)}</code>.{warning}</p>"
    )
