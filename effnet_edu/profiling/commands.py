"""The command `measure`: where the time of a network goes on this device."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from effnet_edu.ground.watch import Watch

if TYPE_CHECKING:
    from effnet_edu.profiling.layers import LayerProfile

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_commands(commands: "Commands") -> "Commands":
    """Add `measure layers`, `roofline`, `engines`, `audit` and `training`; return where more are added."""
    measure = commands.add_parser("measure", help="where the time of a network goes on this device")
    kinds = measure.add_subparsers(required=True, metavar="WHAT")

    layers = kinds.add_parser("layers", help="time of every layer of a network on this device")
    _add_arguments(layers, batch_size=1)
    layers.add_argument("--precision", default="fp32", help="fp32, bf16 or fp16")
    layers.add_argument("--all", action="store_true", help="a line for each layer, before the sums")
    layers.set_defaults(run=_layers)

    roofline = kinds.add_parser("roofline", help="every layer under the measured ceilings of this device")
    _add_arguments(roofline, batch_size=1)
    roofline.add_argument("--precision", default="fp32", help="fp32, bf16 or fp16")
    roofline.add_argument("--refresh", action="store_true", help="measure the ceilings anew")
    roofline.set_defaults(run=_roofline)

    engines = kinds.add_parser("engines", help="which engine runs a network fastest on this CPU")
    _add_arguments(engines, batch_size=1, device=False)
    engines.add_argument(
        "--engine",
        action="append",
        help="measure this one beside torch (can be given again); default: all installed",
    )
    engines.set_defaults(run=_engines)

    audited = kinds.add_parser("audit", help="why a network is slow, and what is proved to help")
    _add_arguments(audited, batch_size=1)
    audited.set_defaults(run=_audit)

    training = kinds.add_parser("training", help="time and memory of a training step on this device")
    _add_arguments(training, batch_size=2)
    training.set_defaults(run=_training)
    return kinds


def _add_arguments(parser: argparse.ArgumentParser, batch_size: int, device: bool = True) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--batch-size", type=int, default=batch_size, help=f"images at once (default {batch_size})"
    )
    parser.add_argument("--resolution", type=int, help="side of the input in pixels")
    if device:
        parser.add_argument("--device", help="cpu, cuda, mps; the accelerator if there is one")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to time (default 2)")


def _wait(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _chosen(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("batch_size", "resolution", "device", "seconds")
    given = {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}
    return {**given, "watch": Watch(waiting=_wait)}


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
    from effnet_edu.profiling.roofs import roofline

    measured = _measured(arguments)
    ceilings = measure_ceilings(arguments.device, refresh=arguments.refresh, watch=Watch(waiting=_wait))
    sys.stdout.write(f"{ceilings}\n\n{roofline(measured, ceilings)}\n")
    return 0


def _engines(arguments: argparse.Namespace) -> int:
    from effnet_edu.profiling.fastest import fastest

    engines = tuple(arguments.engine) if arguments.engine else None
    sys.stdout.write(f"{fastest(arguments.name, engines=engines, **_chosen(arguments))}\n")
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    from effnet_edu.profiling.audits import audit
    from effnet_edu.profiling.workload import as_workload, ready_network

    chosen = _chosen(arguments)
    watch, seconds = chosen.pop("watch"), chosen["seconds"]
    work = as_workload(arguments.name, precision="fp32", **chosen)
    with ready_network(work, seed=0) as net:
        sys.stdout.write(f"{audit(net, work.inputs(seed=0)[0], seconds=seconds, watch=watch)}\n")
    return 0


def _training(arguments: argparse.Namespace) -> int:
    from effnet_edu.profiling.training_cost import profile_training

    sys.stdout.write(f"{profile_training(arguments.name, **_chosen(arguments))}\n")
    return 0
