"""The commands `fine-tune` and `export`: a folder of pictures becomes a network, and that a file."""

import argparse
import html
import sys
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from effnet_edu.checkpoints.create import create
from effnet_edu.figures.fine_tuning import confusion, mistakes
from effnet_edu.figures.training import training_curves
from effnet_edu.ground.arguments import some_path
from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.training.commands import NETWORK, WEIGHTS, asked_to_stop
from effnet_edu.training.export_run import export_run
from effnet_edu.training.fine_tuning import fine_tune
from effnet_edu.training.load_run import load_run
from effnet_edu.training.progress import ProgressBar
from effnet_edu.training.recipe import FineTuning
from effnet_edu.training.run import TrainingRun

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_commands(commands: "Commands") -> None:
    """Add `fine-tune` and `export` to the command line.

    Args:
        commands: The subparsers of the program.
    """
    recipe = FineTuning()
    tuning = commands.add_parser("fine-tune", help="teach published weights the classes of your own pictures")
    tuning.add_argument("pictures", metavar="FOLDER", type=some_path, help="holds CLASS/*.jpg for each class")
    tuning.add_argument(
        "--run",
        type=some_path,
        dest="folder",
        required=True,
        help="keeps the result; goes on where it was stopped",
    )
    tuning.add_argument("--network", default=NETWORK, help=f"default: {NETWORK}")
    tuning.add_argument("--weights", default=WEIGHTS, help=f"one of `weights NETWORK`; default: {WEIGHTS}")
    tuning.add_argument("--resolution", type=int, help="side in pixels (default: that of the weights)")
    tuning.add_argument(
        "--epochs", type=int, default=recipe.epochs, help=f"at most so many (default {recipe.epochs})"
    )
    tuning.add_argument(
        "--held-out",
        type=float,
        default=0.2,
        help="share of each class that is not learned from (default 0.2)",
    )
    tuning.add_argument(
        "--seed", type=int, default=0, help="of what is held out and of the order (default 0)"
    )
    tuning.add_argument("--device", help="cpu, cuda, mps; the accelerator if there is one")
    tuning.add_argument("--skip-broken", action="store_true", help="leave out pictures that cannot be read")
    tuning.set_defaults(run=_fine_tune)

    exporting = commands.add_parser(
        "export", help="write a fine-tuned network for other engines, with a card and a page that runs it"
    )
    exporting.add_argument("folder", metavar="RUN", type=some_path, help="the folder of a `fine-tune`")
    exporting.add_argument("--onnx", metavar="FILE", type=some_path, required=True, help="where to write")
    exporting.add_argument("--int8", action="store_true", help="8 bits: a quarter of the size")
    exporting.set_defaults(run=_export)


def _fine_tune(arguments: argparse.Namespace) -> int:
    bar = ProgressBar()
    recipe = replace(FineTuning(), epochs=arguments.epochs)
    net = create(arguments.network, weights=arguments.weights)
    with asked_to_stop() as stop:
        try:
            run = fine_tune(
                net,
                arguments.pictures,
                held_out=arguments.held_out,
                recipe=recipe,
                resolution=arguments.resolution,
                device=arguments.device,
                seed=arguments.seed,
                folder=arguments.folder,
                skip_broken=arguments.skip_broken,
                progress=bar,
                watch=Watch(is_cancelled=stop.is_set),
            )
        except Cancelled:
            sys.stderr.write("\neffnet_edu: Stopped. The same command goes on from here.\n")
            return 130
        except ValueError as error:
            raise ValueError(str(error).replace("skip_broken=True", "--skip-broken")) from error
        finally:
            bar.close()
    assert run.evaluation is not None  # noqa: S101 - fine_tune always has one
    page = arguments.folder / "report.html"
    write_atomically(page, report_page(run))
    sys.stdout.write(f"{run}\n{run.evaluation}\n\n{run.evaluation.confusion_table()}\n")
    for mistake in run.evaluation.worst_mistakes(5):
        sys.stdout.write(f"  {mistake}\n")
    sys.stdout.write(f"\nPictures of the mistakes: {page}\n")
    sys.stdout.write(f"Ask it: python -m effnet_edu classify --run {arguments.folder} PHOTO\n")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    file, run = arguments.onnx, load_run(arguments.folder)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", RuntimeWarning)
        figures = export_run(run, file, int8=arguments.int8)
    for row in figures:
        sys.stdout.write(f"{row}\n")
    page = file.with_suffix(".html")
    for written in (file, file.with_suffix(".labels.txt"), file.with_suffix(".md")):
        sys.stdout.write(f"{written}\n")
    if page.exists():
        size = page.stat().st_size / 1e6
        sys.stdout.write(f"{page} ({size:,.1f} MB): a double click opens it, and it needs no network.\n")
    for warning in said:
        sys.stderr.write(f"{warning.message}\n")
    return 0


def report_page(run: TrainingRun) -> str:
    """Return a page without references: accuracy, confusion matrix, worst mistakes, curves.

    Args:
        run: What `fine_tune` or `load_run` returned.
    """
    if run.evaluation is None:
        raise ValueError("The run has no evaluation; `fine_tune` makes one.")
    title = html.escape(f"{run.network.spec.name}, fine-tuned on {run.evaluation.pictures.name}")
    shown = (confusion(run.evaluation), mistakes(run.evaluation), training_curves({"fine-tuning": run.rows}))
    figures = "\n".join(f"<section>{picture._repr_html_()}</section>" for picture in shown)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><style>body{font:16px/1.5 system-ui,sans-serif;'
        "max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}"
        "section{margin:2rem 0}td,th{text-align:left;padding:0 1rem 0 0}</style></head>"
        f"<body><h1>{title}</h1><p>{html.escape(str(run))}</p><p>{html.escape(str(run.evaluation))}</p>\n"
        f"{figures}</body></html>\n"
    )
