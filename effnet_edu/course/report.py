"""One page about one device, and one table about several: what was measured, and how to measure it again."""

import argparse
import html
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from effnet_edu import figures
from effnet_edu.figures.picture import Picture
from effnet_edu.ground.arguments import some_path
from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.checks import choice, quoted
from effnet_edu.model.variants import spec
from effnet_edu.profiling.ceilings import ceilings_from
from effnet_edu.profiling.device import as_device
from effnet_edu.profiling.engines import check_engine
from effnet_edu.profiling.names import ENGINES
from effnet_edu.profiling.roofs import distrust, roofline
from effnet_edu.profiling.time_model import fit_times, timed_engines
from effnet_edu.published.tables import read as read_table
from effnet_edu.studies.devices.experiments import extent, layer_profile
from effnet_edu.studies.devices.records import IN_ENGINES, engine_of, measure_device, read_device
from effnet_edu.studies.record import Record
from effnet_edu.studies.registry import DEVICE_EXPERIMENTS

Records = Mapping[str, Record]
Draw = Callable[[Records], Sequence[Picture | str]]
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
th, td { text-align: left; white-space: nowrap; padding: 0.2rem 0.8rem 0.2rem 0;
         border-bottom: 1px solid var(--faint) }
code { font: 0.9rem ui-monospace, monospace; overflow-wrap: anywhere } summary { cursor: pointer }
"""


@dataclass(frozen=True)
class Section:
    """One heading of the page.

    Attributes:
        experiment: Whose numbers it shows.
        title: The heading.
        sentence: What to look for.
        pictures: From the records of the device, the pictures, or a sentence on why there is none.
    """

    experiment: str
    title: str
    sentence: str
    pictures: Draw

    def in_html(self, records: Records) -> list[str]:
        """Return the pictures, and sentences in place of some, as pieces of a page."""
        return [
            f'<p class="note">{html.escape(shown)}</p>'
            if isinstance(shown, str)
            else f'<div class="wide">{shown._repr_html_()}</div>'
            for shown in self.pictures(records)
        ]


def _rows(records: Records, experiment: str) -> list[dict[str, Any]]:
    rows = records[experiment].data.get("rows")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"The record {quoted(experiment)} holds no rows.")
    return rows


def _name(records: Records) -> str:
    return next(iter(records.values())).provenance.device


def _layers(records: Records) -> list[Picture | str]:
    """Return, for every layered network, shares of MACs beside shares of time, and its roofline.

    Where other programs disturbed the measurement too much for a roofline, a sentence stands in its place.
    """
    profiles = [layer_profile(row) for row in _rows(records, "layers")]
    drawn: list[Picture | str] = [figures.macs_against_time(profile) for profile in profiles]
    if "ceilings" in records:
        ceilings = ceilings_from(_rows(records, "ceilings")[0])
        for profile in profiles:
            if reason := distrust(profile, ceilings):
                drawn.append(f"{profile.network}, batch {profile.batch_size}, has no roofline. {reason}")
            else:
                drawn.append(figures.roofline(roofline(profile, ceilings)))
    return drawn


def _resnet50(records: Records) -> list[Picture]:
    published = read_table("timm_speed_against_macs")
    return [figures.against_resnet50(_rows(records, "resnet50"), published, _name(records))]


def _fused_networks(records: Records) -> list[Picture]:
    published = read_table("v2_table3_fused")
    return [figures.fused_networks(_rows(records, "fused_networks"), published, _name(records))]


def _random_networks(records: Records) -> list[Picture]:
    """Return a picture an engine, as far as it ran enough networks."""
    record = records["random_networks"]
    models = [fit_times(record, engine) for engine in timed_engines(record)]
    return [figures.time_predictors(model, _name(records)) for model in models]


def _plain(experiment: str, draw: Callable[[list[dict[str, Any]], str], Picture]) -> Draw:
    return lambda records: [draw(_rows(records, experiment), _name(records))]


SECTIONS = (
    Section(
        "networks",
        "Networks: MACs are not time",
        "If time followed multiply-adds, every mark would lie on a line of the dashed one's slope.",
        _plain("networks", figures.network_times),
    ),
    Section(
        "layers",
        "Layers: who spends the MACs, who spends the time",
        "First the shares of each role, then every layer under what this device can do at most.",
        _layers,
    ),
    Section(
        "resnet50",
        "B0 against ResNet-50",
        "Ten times fewer multiply-adds; how many times faster depends on the device, the batch and the "
        "memory format.",
        _resnet50,
    ),
    Section(
        "batch_sizes",
        "Batch size against throughput",
        "Larger batches fill the device, until it is full or out of memory.",
        _plain("batch_sizes", figures.throughput_against_batch),
    ),
    Section(
        "engines",
        "Engines: does the order of networks stay?",
        "An engine that has the whole graph can join layers; what that gains depends on the network.",
        _plain("engines", figures.network_engines),
    ),
    Section(
        "memory_formats",
        "Memory format",
        "The same numbers in another order in memory.",
        _plain("memory_formats", figures.memory_formats),
    ),
    Section(
        "fused_blocks",
        "Fused-MBConv against MBConv, stage by stage",
        "Fusing multiplies the MACs; it can pay where few channels meet a large map.",
        _plain("fused_blocks", figures.fused_blocks),
    ),
    Section(
        "fused_networks",
        "How many stages to fuse",
        "The question of the EfficientNetV2 paper's table 3, asked of this device.",
        _fused_networks,
    ),
    Section(
        "random_networks",
        "What predicts time",
        "The times of random networks, predicted from exact counts by fits that had not seen them.",
        _random_networks,
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
    devices = sorted({record.provenance.device for record in records.values()})
    if len(devices) != 1:
        raise ValueError(f"A page is about one device; these records are of {len(devices)}: {devices}.")
    title = f"EfficientNet on {devices[0]}"
    parts = [f"<h1>{html.escape(title)}</h1>", _about(records)]
    for section in SECTIONS:
        if section.experiment not in records:
            continue
        parts.append(f"<h2>{html.escape(section.title)}</h2><p>{html.escape(section.sentence)}</p>")
        parts += section.in_html(records)
        parts.append(_source(records, section.experiment))
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


def _source(records: Records, experiment: str) -> str:
    about = records[experiment].provenance
    noisy = [row for row in _rows(records, experiment) if row.get("noisy")]
    warning = f" {len(noisy)} of its measurements were noisy." if noisy else ""
    if engine := _engine(records, experiment):
        warning += f" The networks ran in {engine}."
    return (
        f'<p class="note">Measured {html.escape(about.started)} in {about.wall_seconds:.0f} s by '
        f"<code>{html.escape(about.command)}</code>.{warning}</p>"
    )


def _engine(records: Records, experiment: str) -> str:
    """Return what ran the networks of an experiment, where it was not torch as it is; else nothing."""
    record = records.get(experiment)
    engine = "torch" if record is None or experiment not in IN_ENGINES else engine_of(record)
    return "" if engine == "torch" else engine


#: A day: no measurement of the course takes as long.
_LONGEST_MS = 86_400_000
_FIRST = {"batch_size": 1, "precision": "fp32"}
#: One column of the class's table: its heading, the experiment, how it is read off the rows, and its format.
_COLUMNS: tuple[tuple[str, str, Callable[[list[dict[str, Any]]], float], str], ...] = (
    ("peak fp32, GMACs/s", "ceilings", lambda rows: _peak(rows[0], "fp32") / 1e9, ",.0f"),
    ("memory, GB/s", "ceilings", lambda rows: float(rows[0]["memory"]["per_second"]) / 1e9, ",.1f"),
    ("B0, batch 1, ms", "networks", lambda rows: _time_of(rows, "efficientnet_b0", **_FIRST), ".3g"),
    ("V2-S, batch 1, ms", "networks", lambda rows: _time_of(rows, "efficientnetv2_s", **_FIRST), ".3g"),
    ("best B0 images/s", "batch_sizes", lambda rows: max(map(_rate, rows)), ",.0f"),
    ("B0 over ResNet-50, times as fast", "resnet50", lambda rows: _resnet_ratio(rows), ".2f"),
)


def _peak(row: Mapping[str, Any], precision: str) -> float:
    return float(row["arithmetic"][precision]["per_second"])


def _rate(row: Mapping[str, Any]) -> float:
    return 1000 * float(row["batch_size"]) / float(row["median_ms"])


def _time_of(rows: Sequence[Mapping[str, Any]], network: str, **labels: Any) -> float:
    """Return the shortest median of a network in the rows with these labels, in milliseconds."""
    wanted = {"network": network, **labels}
    found = [float(row["median_ms"]) for row in rows if all(row[name] == wanted[name] for name in wanted)]
    if not found:
        raise LookupError(network)
    return min(found)


def _resnet_ratio(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return how many times as fast B0 is, each network in its better memory format."""
    return _time_of(rows, "resnet50", batch_size=16) / _time_of(rows, "efficientnet_b0", batch_size=16)


def class_page(devices: Sequence[Records]) -> str:
    """Return one table of several devices as one file of HTML that needs nothing else.

    Args:
        devices: The records of each, by experiment.

    Raises:
        ValueError: A record holds something that no measurement gives.
    """
    head = _line("th", ["device", "date", "torch", *(column[0] for column in _COLUMNS)])
    lines = "".join(map(_device_line, devices))
    table = f'<div class="wide"><table><thead>{head}</thead><tbody>{lines}</tbody></table></div>'
    title = f"EfficientNet on {len(devices)} devices"
    note = "<p>Every number was measured on its own device by <code>python -m effnet_edu report</code>.</p>"
    return _page(title, f"<h1>{title}</h1>{note}{table}")


def _device_line(records: Records) -> str:
    about = next(iter(records.values())).provenance
    engines = sorted({_engine(records, experiment) for experiment in IN_ENGINES} - {""})
    named = f"{about.device}, networks in {', '.join(engines)}" if engines else about.device
    cells = [named, about.started[:10], about.versions.get("torch", "")]
    return _line("td", cells + [_cell(records, *column[1:]) for column in _COLUMNS])


def _cell(
    records: Records, experiment: str, value: Callable[[list[dict[str, Any]]], float], digits: str
) -> str:
    """Return what stands in the table; a dash where a device was not measured, or not that far."""
    if experiment not in records:
        return "–"
    rows = _rows(records, experiment)
    for median in (row["median_ms"] for row in rows if "median_ms" in row):
        if type(median) not in (int, float) or not 0 < median < _LONGEST_MS:
            raise ValueError(f"{experiment} holds {quoted(median)} where a time in milliseconds should be")
    try:
        number = value(rows)
    except LookupError:
        return "–"
    except (TypeError, AttributeError, ArithmeticError, ValueError) as error:
        raise ValueError(f"{experiment} holds no usable numbers ({quoted(error)})") from None
    if not 0 < number < math.inf:
        raise ValueError(f"{experiment} holds {number:g} where a measurement is above 0 and finite")
    return f"{number:{digits}}"


def merged(folders: Sequence[Path], say: Callable[[str], None]) -> str:
    """Return one table of the devices in folders; one that cannot be read is told of and left out.

    Args:
        folders: Of reports, a device each.
        say: Told in a line why a folder was left out.

    Raises:
        ValueError: No folder can be read.
    """
    devices = []
    for folder in folders:
        try:
            records = _records(folder)
            _device_line(records)
        except (ValueError, TypeError, OSError, RecursionError) as error:
            say(f"left out {quoted(str(folder))}: {error}")
        else:
            devices.append(records)
    if not devices:
        raise ValueError(f"None of the {len(folders)} folders holds a report that can be read.")
    return class_page(devices)


def _line(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _say(line: str, stream: TextIO | None = None) -> None:
    print(line, file=stream, flush=True)


def _measure(arguments: argparse.Namespace) -> int:
    device = as_device(arguments.device)
    choice("engine", arguments.engine, tuple(ENGINES))
    check_engine(arguments.engine, spec("efficientnet_b0"), "fp32", device)
    how = replace(extent(device, arguments.quick), engine=arguments.engine)
    measure_device(how, arguments.folder, arguments.experiment or DEVICE_EXPERIMENTS, _say)
    return 0


def _report(arguments: argparse.Namespace) -> int:
    if arguments.merge:
        page = merged(arguments.merge, lambda line: _say(line, sys.stderr))
    else:
        _measure(arguments)
        page = device_page(read_device(arguments.folder))
    path = arguments.folder / PAGE
    write_atomically(path, page)
    _say(f"written: {path}")
    return 0


def _records(folder: Path) -> Records:
    found = read_device(folder)
    if not found:
        raise ValueError("it holds no measurements; `python -m effnet_edu report` makes them.")
    return found


def add_device_command(measures: Any) -> None:
    """Add `measure device` to the command line."""
    measuring = measures.add_parser("device", help="the course's experiments on this device, kept as records")
    _add_arguments(measuring)
    measuring.set_defaults(run=_measure)


def add_commands(commands: Any) -> None:
    """Add `report` to the command line."""
    reporting = commands.add_parser("report", help="measure this device and write one page about it")
    _add_arguments(reporting)
    reporting.add_argument(
        "--merge",
        nargs="+",
        type=some_path,
        metavar="FOLDER",
        help="one table of these folders, nothing measured",
    )
    reporting.set_defaults(run=_report)


def _add_arguments(command: Any) -> None:
    command.add_argument("--folder", type=some_path, default=Path("device-report"), help="where results go")
    command.add_argument("--device", help="cpu, cuda, mps; the accelerator if there is one")
    command.add_argument("--quick", action="store_true", help="a short version on small inputs")
    command.add_argument("--engine", default="torch", help=f"what runs whole networks: {', '.join(ENGINES)}")
    command.add_argument(
        "experiment",
        nargs="*",
        metavar="EXPERIMENT",
        help=f"of {', '.join(DEVICE_EXPERIMENTS)}; all by default",
    )
