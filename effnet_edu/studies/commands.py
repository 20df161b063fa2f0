"""The command `study`: perform a study, print what was found before, or say which results are outdated."""

import argparse
import sys
from typing import TYPE_CHECKING

from effnet_edu.studies.registry import list_studies

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_commands(commands: "Commands") -> None:
    """Add `study` to the command line."""
    parser = commands.add_parser("study", help="perform one of the experiments behind the lessons")
    parser.add_argument("name", metavar="NAME", nargs="?", help=", ".join(list_studies()))
    parser.add_argument(
        "--quick", action="store_true", help="its short version, less than a minute on two cores"
    )
    parser.add_argument(
        "--resume", action="store_true", help="only go on with what was stopped (a plain start does so too)"
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="runs at a time (default: one a core)")
    parser.add_argument("--device", help="cpu, cuda, mps; the accelerator if there is one")
    parser.add_argument("--show", action="store_true", help="print the recorded result and perform nothing")
    parser.add_argument(
        "--check",
        action="store_true",
        help="say which results are damaged or older than their method",
    )
    parser.set_defaults(run=_study)


def _study(arguments: argparse.Namespace) -> int:
    if arguments.check:
        return _check()
    if arguments.name is None:
        raise ValueError(f"Which study? One of {', '.join(list_studies())}; or --check.")
    if arguments.show:
        from effnet_edu.studies.result import read

        sys.stdout.write(f"{read(arguments.name)}\n")
        return 0
    from effnet_edu.studies import record
    from effnet_edu.studies.engine import run

    found = run(
        arguments.name,
        arguments.quick,
        resume=arguments.resume,
        jobs=arguments.jobs,
        device=arguments.device,
        results=None if arguments.quick else record.RESULTS,
    )
    sys.stdout.write(f"{found}\n")
    return 0


def _check() -> int:
    from effnet_edu.studies.check import verdicts

    found = verdicts()
    for verdict in found:
        sys.stdout.write(f"{verdict.name}: {verdict.sentence}\n")
    return int(any(verdict.is_damaged for verdict in found))
