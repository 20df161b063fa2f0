"""The commands `layers`, `roofline` and `training`: where the time of a network goes on this device."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from effnet_edu.profiling.layers import LayerProfile

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_commands(commands: "Commands") -> None:
    """Add `layers`, `roofline` and `training` to the command line.

    Args:
        commands: The subparsers of the program.
    """
    layers = commands.add_parser("layers", help="time of every layer of a network on this device")
    _add_arguments(layers, batch_size=1)
    layers.add_argument("--precision", default="fp32", help="fp32, bf16 or fp16")
    layers.add_argument("--all", action="store_true", help="a line for each layer, before the sums")
    layers.set_defaults(run=_layers)

    roofline = commands.add_parser("roofline", help="every layer under the measured ceilings of this device")
    _add_arguments(roofline, batch_size=1)
    roofline.add_argument("--precision", default="fp32", help="fp32, bf16 or fp16")
    roofline.add_argument("--refresh", action="store_true", help="measure the ceilings anew")
    roofline.set_defaults(run=_roofline)

    training = commands.add_parser("training", help="time and memory of a training step on this device")
    _add_arguments(training, batch_size=2)
    training.set_defaults(run=_training)


def _add_arguments(parser: argparse.ArgumentParser, batch_size: int) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--batch-size", type=int, default=batch_size, help=f"images at once (default {batch_size})"
    )
    parser.add_argument("--resolution", type=int, help="side of the input in pixels")
    parser.add_argument("--device", help="cpu, cuda, mps; the accelerator if there is one")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to time (default 2)")


def _wait(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _chosen(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("batch_size", "resolution", "device", "seconds")
    return {**{name: getattr(arguments, name) for name in names}, "waiting": _wait}


def _measured(arguments: argparse.Namespace) -> "LayerProfile":
    from effnet_edu.profiling.layers import profile_layers

    return profile_layers(arguments.name, precision=arguments.precision, **_chosen(arguments))


def _layers(arguments: argparse.Namespace) -> int:
    measured = _measured(arguments)
    if arguments.all:
        sys.stdout.write(f"{measured.table()}\n\n")
    sys.stdout.write(f"{measured}\n")
    return 0


def _roofline(arguments: argparse.Namespace) -> int:
    from effnet_edu.profiling.ceilings import measure_ceilings
    from effnet_edu.profiling.roofline import roofline

    measured = _measured(arguments)
    ceilings = measure_ceilings(arguments.device, refresh=arguments.refresh, waiting=_wait)
    sys.stdout.write(f"{ceilings}\n\n{roofline(measured, ceilings)}\n")
    return 0


def _training(arguments: argparse.Namespace) -> int:
    from effnet_edu.profiling.training_cost import profile_training

    sys.stdout.write(f"{profile_training(arguments.name, **_chosen(arguments))}\n")
    return 0
