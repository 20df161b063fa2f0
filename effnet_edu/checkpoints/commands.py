"""The command `weights`: list, fetch and describe published weights."""

import argparse
import csv
import sys
from typing import TYPE_CHECKING

from effnet_edu.checkpoints.fetch import weights_file
from effnet_edu.checkpoints.registry import PublishedWeights, find_weights, list_weights
from effnet_edu.ground.cache import cache_folder

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_commands(commands: "Commands") -> None:
    """Add `weights` to the command line."""
    parser = commands.add_parser("weights", help="published weights: list, describe, fetch")
    parser.add_argument("network", metavar="NETWORK", nargs="?", help="only those of one network")
    parser.add_argument("name", metavar="WEIGHTS", nargs="?", help="describe these, publisher/name")
    parser.add_argument("--fetch", action="store_true", help="fetch them into the cache")
    parser.add_argument("--csv", action="store_true", help="write the list as csv")
    parser.set_defaults(run=_weights)


def _weights(arguments: argparse.Namespace) -> int:
    if arguments.name:
        row = find_weights(arguments.network, arguments.name)
        sys.stdout.write(describe(row))
        if arguments.fetch:
            sys.stdout.write(f"{'file':<15}{weights_file(row)}\n")
        return 0
    if arguments.fetch:
        raise ValueError("--fetch needs to know which: python -m effnet_edu weights NETWORK WEIGHTS --fetch")
    rows = list_weights(arguments.network)
    if arguments.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("network", "weights", "resolution", "top1", "licence"))
        writer.writerows((r.network, r.name, r.preprocessing.resolution, r.top1, r.licence) for r in rows)
        return 0
    sys.stdout.write(f"{'network':<20}{'weights':<46}{'px':>4}{'top-1':>8}  licence\n")
    for row in rows:
        top1 = "-" if row.top1 is None else f"{row.top1:.2f}"
        sys.stdout.write(
            f"{row.network:<20}{row.name:<46}{row.preprocessing.resolution:>4}{top1:>8}  {row.licence}\n"
        )
    sys.stdout.write(
        f"{len(rows)} published checkpoints; top-1 in percent as reported. "
        f"They are kept in {cache_folder()}.\n"
    )
    return 0


def describe(row: PublishedWeights) -> str:
    """Return everything that travels with published weights, a line each."""
    how, own = row.preprocessing, row.conventions
    lines = {
        "network": row.network,
        "weights": row.name,
        "from": row.url or f"the package {row.package}",
        "size": f"{row.mebibytes:.1f} MiB" if row.mebibytes else "not published",
        "hash": " or ".join(row.hashes) or "not published",
        "licence": row.licence,
        "classes": f"{row.num_classes} ({row.classes})",
        "conventions": f"padding {own.padding}, eps {own.norm_eps:g}, momentum {own.norm_momentum:g}",
        "activation": row.activation,
        "photographs": (
            f"{how.interpolation}, {how.fit} {how.resize} to {how.resolution} px, "
            f"minus {_triple(how.mean)}, over {_triple(how.std)}, from 0 to {how.value_range}"
        ),
        "top-1": "not reported" if row.top1 is None else f"{row.top1:.2f} % (reported)",
        "source": row.source,
        "note": row.note,
    }
    return "".join(f"{name:<15}{value}\n" for name, value in lines.items() if value)


def _triple(values: tuple[float, ...]) -> str:
    return f"{values[0]:g}" if len(set(values)) == 1 else " ".join(f"{value:g}" for value in values)
