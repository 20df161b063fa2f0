"""The course without a notebook: `python -m effnet_edu list | cost | profile | classify | weights | lab`."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from effnet_edu.model.checks import whole_number
from effnet_edu.model.cost import cost
from effnet_edu.model.specs import resolve
from effnet_edu.model.variants import list_variants, spec
from effnet_edu.profiling.cancel import MeasurementError


def _list(_arguments: argparse.Namespace) -> int:
    print(f"{'name':<20}{'px':>5}{'blocks':>8}{'parameters':>14}{'MACs':>18}")
    for name in list_variants():
        network = spec(name)
        counted = cost(network)
        print(
            f"{name:<20}{network.resolution:>5}{network.layers:>8}{counted.parameters:>14,}{counted.macs:>18,}"
        )
    return 0


def _cost(arguments: argparse.Namespace) -> int:
    network = spec(arguments.name)
    counted = cost(network, arguments.resolution, arguments.classes)
    print(counted)
    print(f"\n{'blocks':<10}channels in -> out, squeeze width, side in -> out")
    for block in resolve(network, arguments.resolution):
        print(f"  {block.stage}.{block.index:<6}{block}")
    macs, parameters = counted.by_role(), counted.by_role(lambda row: row.parameters)
    print(f"\n{'role':<16}{'MACs':>18}{'share':>8}{'parameters':>14}{'share':>8}")
    for role in macs:
        print(
            f"{role:<16}{macs[role]:>18,}{macs[role] / counted.macs:>8.1%}"
            f"{parameters[role]:>14,}{parameters[role] / counted.parameters:>8.1%}"
        )
    return 0


def _profile(arguments: argparse.Namespace) -> int:
    from effnet_edu.profiling.profile import profile

    measured = profile(
        arguments.name,
        batch_size=arguments.batch_size,
        resolution=arguments.resolution,
        precision=arguments.precision,
        device=arguments.device,
        seconds=arguments.seconds,
        waiting=lambda sentence: print(sentence, file=sys.stderr),
    )
    print(measured)
    for line in measured.details:
        print(f"  {line}")
    return 0


def _lab(arguments: argparse.Namespace) -> int:
    from effnet_edu.serve import open_lab

    return open_lab(arguments.lesson)


def _number(name: str) -> Any:
    """Return an argparse type that takes whole numbers of 1 or more and says so."""

    def parse(text: str) -> int:
        try:
            return whole_number(name, int(text))
        except ValueError as error:
            reason = f"{name} is {text!r}; it must be a whole number of 1 or more."
            raise argparse.ArgumentTypeError(reason) from error

    return parse


def parser(command: str = "") -> argparse.ArgumentParser:
    """Return the command line's parser, with every command that the rooms add to it.

    Args:
        command: The command that is called; the rooms, which bring torch along, are left out if it is here.
    """
    main_parser = argparse.ArgumentParser(
        prog="python -m effnet_edu", description="EfficientNet: counted, measured and shown."
    )
    commands = main_parser.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="every published network with its exact counts")
    listing.set_defaults(run=_list)

    counting = commands.add_parser("cost", help="exact parameters and MACs of a network, block by block")
    counting.add_argument("name", metavar="NAME")
    counting.add_argument("--resolution", type=_number("resolution"), help="side of the input in pixels")
    counting.add_argument("--classes", type=_number("classes"), default=1000, help="outputs (default 1000)")
    counting.set_defaults(run=_cost)

    measuring = commands.add_parser("profile", help="time and memory of a network on this device")
    measuring.add_argument("name", metavar="NAME")
    measuring.add_argument("--batch-size", type=_number("batch size"), default=1, help="images at once")
    measuring.add_argument("--resolution", type=_number("resolution"), help="side of the input in pixels")
    measuring.add_argument("--precision", default="fp32", help="fp32, bf16 or fp16")
    measuring.add_argument("--device", help="cpu, cuda, mps; the accelerator if there is one")
    measuring.add_argument("--seconds", type=float, default=1.0, help="how long to time (default 1)")
    measuring.set_defaults(run=_profile)

    opening = commands.add_parser("lab", help="open JupyterLab on a lesson")
    opening.add_argument("lesson", metavar="LESSON", nargs="?", default="lessons/00_start_here.ipynb")
    opening.set_defaults(run=_lab)

    if command not in commands.choices:
        from effnet_edu.checkpoints.commands import add_commands as add_checkpoint_commands
        from effnet_edu.images.commands import add_commands as add_image_commands

        add_image_commands(commands)
        add_checkpoint_commands(commands)
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; bad input ends as one sentence.

    Args:
        arguments: The words after the program's name; those of this process if None.
    """
    words = sys.argv[1:] if arguments is None else arguments
    chosen = parser(words[0] if words else "").parse_args(words)
    try:
        status: int = chosen.run(chosen)
    except BrokenPipeError:
        return 0
    except (ValueError, MemoryError, OSError, MeasurementError) as error:
        print(f"effnet_edu: {error}", file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
