"""The commands of `python -m effnet_edu`: the course without a notebook, from `list` to `lab`."""

import argparse
import math
import os
import shlex
import sys
from typing import Any

from effnet_edu.ground.arguments import some_path
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.watch import MeasurementError, Watch
from effnet_edu.model.cost import cost
from effnet_edu.model.specs import resolve
from effnet_edu.model.variants import list_variants, spec
from effnet_edu.profiling.commands import add_commands as add_profiling_commands

#: Exit status of a program that Ctrl-C ended, as shells have it: 128 and the number of SIGINT.
INTERRUPTED = 130
STOPPED = "effnet_edu: stopped."


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
    from effnet_edu.profiling.forward import profile

    measured = profile(
        arguments.name,
        batch_size=arguments.batch_size,
        resolution=arguments.resolution,
        precision=arguments.precision,
        device=arguments.device,
        engine=arguments.engine,
        seconds=arguments.seconds,
        watch=Watch(waiting=lambda sentence: print(sentence, file=sys.stderr)),
    )
    print(measured)
    for line in measured.details:
        print(f"  {line}")
    return 0


def _lab(arguments: argparse.Namespace) -> int:
    from effnet_edu.course.serve import open_lab

    return open_lab(arguments.lesson, arguments.ip, arguments.port)


def _start(arguments: argparse.Namespace) -> int:
    from effnet_edu.course.serve import open_lab
    from effnet_edu.course.start import FIRST_LESSON, put_lessons

    for placed in put_lessons(arguments.folder, arguments.renew):
        print(placed)
    first = arguments.folder / FIRST_LESSON
    if arguments.no_open:
        print(f"Open them with: python -m effnet_edu lab {shlex.quote(str(first))}")
        return 0
    return open_lab(first)


def _demo(arguments: argparse.Namespace) -> int:
    from effnet_edu.course.demo import open_demo

    return open_demo(arguments.visitors, arguments.port)


def _number(name: str, maximum: float = math.inf) -> Any:
    """Return an argparse type that takes whole numbers from 1 to `maximum` and says so."""
    allowed = "of 1 or more" if maximum == math.inf else f"from 1 to {maximum}"

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = 0
        if not 1 <= number <= maximum:
            raise argparse.ArgumentTypeError(
                f"{name} is {quoted(text)}; it must be a whole number {allowed}."
            )
        return number

    return parse


def _said(error: Exception) -> str:
    """Return an error as one line without what would move a terminal's cursor: names may hold anything."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        name = str(error.filename or "")
        text = error.strerror + (f": {quoted(name)}" if name else "")
    words = " ".join(text.split())
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in words)


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
    measuring.add_argument(
        "--engine", default="torch", help="torch, optimised, compiled, onnxruntime or openvino"
    )
    measuring.add_argument("--seconds", type=float, default=1.0, help="how long to time (default 1)")
    measuring.set_defaults(run=_profile)

    opening = commands.add_parser("lab", help="open JupyterLab on a lesson")
    opening.add_argument("lesson", metavar="LESSON", nargs="?", default="lessons/00_start_here.ipynb")
    opening.add_argument("--ip", default="127.0.0.1", help="where to listen (default: this machine alone)")
    opening.add_argument(
        "--port", type=_number("port", 65535), help="default: the first free one from 8888 on"
    )
    opening.set_defaults(run=_lab)

    starting = commands.add_parser("start", help="put the lessons into a folder of your own and open them")
    starting.add_argument("folder", metavar="FOLDER", type=some_path)
    starting.add_argument("--no-open", action="store_true", help="only put them there")
    starting.add_argument(
        "--renew", action="store_true", help="replace lessons that you changed; yours are kept beside them"
    )
    starting.set_defaults(run=_start)

    showing = commands.add_parser("demo", help="all labs as one page without code, on this machine")
    showing.add_argument(
        "--visitors", type=_number("visitors"), default=4, help="pages open at a time (default 4)"
    )
    showing.add_argument(
        "--port", type=_number("port", 65535), help="default: the first free one from 8866 on"
    )
    showing.set_defaults(run=_demo)

    measures = add_profiling_commands(commands)
    if command == "measure" or command not in commands.choices:
        from effnet_edu.course.report import add_device_command

        add_device_command(measures)
    if command not in commands.choices:
        from effnet_edu.checkpoints.commands import add_commands as add_checkpoint_commands
        from effnet_edu.course.fine_tuning import add_commands as add_fine_tuning_commands
        from effnet_edu.course.grading import add_commands as add_grading_commands
        from effnet_edu.course.report import add_commands as add_report_commands
        from effnet_edu.exercises.commands import add_commands as add_exercise_commands
        from effnet_edu.images.commands import add_commands as add_image_commands
        from effnet_edu.studies.commands import add_commands as add_study_commands
        from effnet_edu.training.commands import add_commands as add_training_commands

        add_image_commands(commands)
        add_checkpoint_commands(commands)
        add_training_commands(commands)
        add_fine_tuning_commands(commands)
        add_study_commands(commands)
        add_report_commands(commands)
        add_exercise_commands(commands)
        add_grading_commands(commands)
    return main_parser


def run(chosen: argparse.Namespace) -> int:
    """Run the command that was chosen and return its exit status; bad input ends as one sentence."""
    try:
        status: int = chosen.run(chosen)
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has read enough. What Python would still write when it ends goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        return INTERRUPTED
    except (ValueError, MemoryError, OSError, MeasurementError, ModuleNotFoundError) as error:
        print(f"effnet_edu: {_said(error)}", file=sys.stderr)
        return 2
    return status
