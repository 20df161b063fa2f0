"""`export_run`: the network of a run as an ONNX file, its labels, a model card, and a page that runs it."""

import os
import sys
import tempfile
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.fetch import FileUnavailableError
from effnet_edu.ground.onnxruntime_web import onnxruntime_web
from effnet_edu.ground.preprocessing import Preprocessing, TrainedOn
from effnet_edu.ground.watch import Watch
from effnet_edu.images.preprocess import normalise
from effnet_edu.model.export import export_onnx
from effnet_edu.profiling.device import device_name, exclusive
from effnet_edu.profiling.timing import time_repeats
from effnet_edu.training.browser_page import browser_page
from effnet_edu.training.evaluation import Evaluation
from effnet_edu.training.run import TrainingRun
from effnet_edu.training.share import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Callable

_CPU = torch.device("cpu")
_SECONDS = 1.0
#: How the names of files end that are written beside the network.
_BESIDE = (".txt", ".md", ".html")


@dataclass(frozen=True)
class FileFigures:
    """What a file of a network costs and answers, measured with onnxruntime on the CPU.

    Attributes:
        kind: `"float32"` or `"int8"`.
        mebibytes: Its size.
        correct: How many held-out pictures it classifies correctly.
        agreeing: For how many its first answer is that of the float32 file.
        milliseconds: Median time of one picture at a time.
    """

    kind: str
    mebibytes: float
    correct: int
    agreeing: int
    milliseconds: float

    def __str__(self) -> str:
        return (
            f"{self.kind}: {self.correct:,} right, {self.agreeing:,} as float32 has them, "
            f"{self.mebibytes:.1f} MiB, {self.milliseconds:.1f} ms for a picture"
        )


def _tell(sentence: str) -> None:
    tqdm.write(sentence, file=sys.stderr)


def export_run(
    run: TrainingRun,
    file: str | os.PathLike[str],
    *,
    int8: bool = False,
    page: bool = True,
    watch: Watch = Watch(waiting=_tell),
) -> tuple[FileFigures, ...]:
    """Write a fine-tuned network as an ONNX file, and beside it its labels, a model card and a page.

    For `pets.onnx`, `pets.labels.txt` has a class a line in the order of the outputs, and `pets.md` says what
    the network was made from, how pictures go in, how many held-out pictures it classifies correctly, and for
    int8 what that lost and gained, measured here. `pets.html` classifies pictures in a browser, by itself: a
    double click opens it, and it needs no network. It holds onnxruntime-web, which is fetched once (33 MB);
    where that cannot be had, a warning says so, and the rest is written.

    Args:
        run: What `fine_tune` or `load_run` returned.
        file: Where to write; older files are replaced.
        int8: Whether weights and maps have 8 bits: a quarter of the size. It is calibrated with pictures that
            the run kept.
        page: Whether to write the page.
        watch: Told of waiting for the device, in a line of stderr by default; asked often whether to stop.

    Returns:
        With int8, what the float32 file and the int8 file cost and answer; otherwise nothing.

    Raises:
        ValueError: The run is not one of `fine_tune`, its network cannot be written, or `file` is named as
            one of the others.
        ModuleNotFoundError: int8 needs onnx and onnxruntime, and one is not installed.
        OSError: A file cannot be written.
        Cancelled: `watch` said so.
    """
    evaluation, trained_on = run.evaluation, run.network.trained_on
    if evaluation is None or not isinstance(trained_on, TrainedOn):
        raise ValueError(
            "This run kept no held-out pictures, which fine_tune does; ee.export_onnx(run.network, file) "
            "writes its network alone."
        )
    path, how = Path(file), trained_on.preprocessing
    if path.suffix in _BESIDE:
        raise ValueError(
            f"The file is {quoted(path.name)}; let it end in .onnx: others end in {path.suffix}."
        )
    figures: tuple[FileFigures, ...] = ()
    calibration = normalise(evaluation.calibration, how) if int8 else None
    side: dict[str, Any] = {"side": run.resolution, "batch_size": None}
    export_onnx(run.network, path, **side, int8=calibration)
    if int8:
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder, "float32.onnx")
            export_onnx(run.network, whole, **side)
            figures = _measured({"float32": whole, "int8": path}, evaluation, how, watch)
    write_atomically(path.with_suffix(".labels.txt"), "".join(f"{name}\n" for name in trained_on.class_names))
    write_atomically(path.with_suffix(".md"), model_card(run, evaluation, how, path.name, figures))
    if page:
        correct = figures[-1].correct if figures else evaluation.correct
        _write_page(run, path, trained_on, _title(run, evaluation), _accuracy(correct, evaluation))
    return figures


def _write_page(run: TrainingRun, path: Path, trained_on: TrainedOn, title: str, accuracy: str) -> None:
    """Write the page beside an ONNX file; where it cannot be made, warn, and leave no older one."""
    page = path.with_suffix(".html")
    try:
        runtime = onnxruntime_web()
        made = browser_page(title, accuracy, trained_on, run.network.in_channels, path.read_bytes(), runtime)
    except (OSError, ValueError) as error:
        page.unlink(missing_ok=True)
        mended = " Export again with a network to get it." if isinstance(error, FileUnavailableError) else ""
        warnings.warn(f"{page.name} was not made: {error}{mended}", RuntimeWarning, stacklevel=3)
    else:
        write_atomically(page, made)


def _title(run: TrainingRun, evaluation: Evaluation) -> str:
    return f"{run.network.spec.name} for {evaluation.pictures.name}"


def _accuracy(correct: int, evaluation: Evaluation) -> str:
    count = len(evaluation.pictures)
    low, high = wilson_interval(correct, count)
    return (
        f"{correct:,} of {count:,} held-out pictures are classified correctly: {correct / count:.1%} "
        f"(95% interval {low:.1%} to {high:.1%})."
    )


def _measured(
    files: dict[str, Path], evaluation: Evaluation, how: Preprocessing, watch: Watch
) -> tuple[FileFigures, ...]:
    """Return the figures of each file; the first is what the others must agree with."""
    import onnxruntime

    images = evaluation.pictures.images
    expected: Tensor | None = None
    found = []
    for kind, file in files.items():
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

        def answer(batch: Tensor, run: "Callable[..., Any]" = session.run) -> Tensor:
            return torch.from_numpy(run(None, {"images": batch.numpy()})[0])

        parts = []
        for batch in torch.split(images, 16):
            watch.check()
            parts.append(answer(normalise(batch, how)).argmax(1))
        answers = torch.cat(parts)
        expected = answers if expected is None else expected
        one = normalise(images[:1], how)
        with exclusive(_CPU, watch):
            timing = time_repeats(lambda: answer(one), _SECONDS, _CPU, watch)  # noqa: B023 - called at once
        found.append(
            FileFigures(
                kind=kind,
                mebibytes=file.stat().st_size / 2**20,
                correct=int((answers == evaluation.pictures.labels).sum()),
                agreeing=int((answers == expected).sum()),
                milliseconds=1000 * timing.median,
            )
        )
    return tuple(found)


def model_card(
    run: TrainingRun,
    evaluation: Evaluation,
    how: Preprocessing,
    file_name: str,
    figures: tuple[FileFigures, ...] = (),
) -> str:
    """Return a model card in Markdown: what it is, how well it does, how to use it, what it is made from.

    Args:
        run: The run.
        evaluation: Its evaluation.
        how: What pictures go through.
        file_name: Name of the ONNX file.
        figures: Of the float32 file and the int8 file, where they were measured.
    """
    pictures = evaluation.pictures
    count, names = len(pictures), pictures.class_names
    rows = [
        f"| {name} | {sum(row)} | {row[label]} |"
        for label, (name, row) in enumerate(zip(names, evaluation.confusion.tolist(), strict=True))
    ]
    measured: list[str] = []
    if figures:
        measured = [
            "",
            f"## What int8 lost and gained, on {count:,} held-out pictures",
            "",
            "| | right | 95% interval | same answer as float32 | MiB | ms for a picture |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
            *(_line(row, count) for row in figures),
            "",
            f"Times are medians on {device_name(_CPU)} with onnxruntime {version('onnxruntime')}, "
            "one picture at a time.",
        ]
    value = "0 to 255" if how.value_range == 255 else "0 to 1"
    lines = [
        f"# {_title(run, evaluation)}",
        "",
        f"An image classifier for {len(names)} classes, in {file_name}. It knows no others: whatever a "
        "picture shows, it names one of these.",
        "",
        "## Accuracy",
        "",
        f"{_accuracy(evaluation.correct, evaluation)} Measured with torch in float32. "
        "The network did not learn from these pictures, but they come from where its own came from, and "
        + ("chose the epoch." if run.recipe.patience is not None else "may be easier than yours."),
        "",
        "| class | held out | right |",
        "| --- | ---: | ---: |",
        *rows,
        *measured,
        "",
        "## Use",
        "",
        f"- Input `images`: float32, (batch, {run.network.in_channels}, {how.resolution}, {how.resolution}), "
        f"RGB. Shorter side resized to {how.resize} px ({how.interpolation}), centre cropped.",
        f"- Pixels from {value}, minus mean {_numbers(how.mean)}, divided by {_numbers(how.std)}.",
        "- Output `logits`: (batch, classes), in the order of the lines of the labels file; softmax makes "
        "probabilities.",
        "",
        "## Made from",
        "",
        f"- Weights to start from: {evaluation.origin or 'none that were published'}.",
        f"- Pictures: {pictures.name}. Their licence is for their owner to add here.",
        f"- {len(run.rows)} {'epoch' if len(run.rows) == 1 else 'epochs'} at {run.resolution} px with torch "
        f"{run.torch_version}, seed {run.seed}.",
    ]
    return "\n".join(lines) + "\n"


def _line(row: FileFigures, count: int) -> str:
    low, high = wilson_interval(row.correct, count)
    return (
        f"| {row.kind} | {row.correct:,} ({row.correct / count:.1%}) | {low:.1%} to {high:.1%} | "
        f"{row.agreeing:,} ({row.agreeing / count:.1%}) | {row.mebibytes:.1f} | {row.milliseconds:.1f} |"
    )


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
