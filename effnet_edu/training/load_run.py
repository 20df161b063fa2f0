"""`load_run`: what a training left in its folder, read back."""

import copy
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from torch import nn

from effnet_edu.checkpoints.files import read_tensors
from effnet_edu.checkpoints.registry import max_checkpoint_bytes
from effnet_edu.ground.checks import as_path, quoted
from effnet_edu.ground.preprocessing import Preprocessing, TrainedOn
from effnet_edu.ground.reading import read_at_most
from effnet_edu.model.cost import cost
from effnet_edu.model.network import build
from effnet_edu.model.specs import Conventions, NetworkSpec, StageSpec
from effnet_edu.training.evaluation import read_evaluation
from effnet_edu.training.folder import MEASURED, MOST_BYTES, read_json
from effnet_edu.training.progressive import ProgressiveSchedule, Stage
from effnet_edu.training.recipe import FineTuning, Recipe
from effnet_edu.training.rows import Row
from effnet_edu.training.run import TrainingRun

_WRONG = (TypeError, KeyError, ValueError, AttributeError, RecursionError)


def load_run(folder: Path | str, classifier: nn.Module | None = None) -> TrainingRun:
    """Return what `train(..., folder=folder)` or `fine_tune` returned, from its files alone.

    Its network knows its classes and how its pictures are prepared: `ee.classify(run.network, "photo.jpg")`.

    Args:
        folder: The folder of a training that has come to its end.
        classifier: A module as the network's own classifier was, where that was more than one linear layer,
            which no file describes; its weights come from the folder.

    Raises:
        FileNotFoundError: There is no finished training in the folder.
        ValueError: A file is damaged, or the network had parts that no file describes.
    """
    path = as_path(folder)
    weights = path / "network.safetensors"
    for file in (path / "configuration.json", path / "rows.jsonl", path / "run.json", weights):
        if not file.is_file():
            raise FileNotFoundError(
                f"{path} holds no training that has come to its end; there is no {file.name}."
            )
    evaluated = path / "evaluation.safetensors"
    configuration = read_json(path / "configuration.json")
    try:
        spec = _spec(configuration["network"])
        conventions = Conventions(**configuration["conventions"])
        recipe = _recipe(configuration["recipe"])
        trained_on = TrainedOn(
            tuple(map(str, configuration["class_names"])), _preprocessing(configuration["preprocessing"])
        )
        channels, classes = int(configuration["in_channels"]), len(trained_on.class_names)
        resolution, seed = int(configuration["resolution"]), int(configuration["seed"])
        network = build(spec, classes, conventions, "cpu", channels)
    except _WRONG as error:
        raise ValueError(
            f"{path / 'configuration.json'} describes no training ({quoted(str(error))})."
        ) from error
    tensors = read_tensors(weights, max_checkpoint_bytes(cost(spec, num_classes=classes).parameters))
    if classifier is not None:
        network.classifier = copy.deepcopy(classifier).cpu()
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(
            f"{weights} does not fit the network in configuration.json: one of them is damaged, or the "
            "network had a classifier of its own, which load_run(folder, classifier=...) takes."
        ) from error
    network.trained_on = trained_on
    return TrainingRun(
        rows=_rows(path / "rows.jsonl"),
        network=network.eval(),
        recipe=recipe,
        resolution=resolution,
        seed=seed,
        **_measured(path / "run.json"),
        evaluation=read_evaluation(evaluated) if evaluated.is_file() else None,
    )


def _spec(row: dict[str, Any]) -> NetworkSpec:
    stages = tuple(StageSpec(**stage) for stage in row["stages"])
    named = {name: Conventions(**row[name]) for name in ("tensorflow", "torchvision")}
    return NetworkSpec(**{**row, **named, "stages": stages})


def _recipe(row: dict[str, Any]) -> Recipe:
    progressive = row["progressive"]
    if progressive is not None:
        stages = tuple(Stage(**stage) for stage in progressive["stages"])
        progressive = ProgressiveSchedule(stages, progressive["source"])
    kind = FineTuning if "layer_decay" in row else Recipe
    return kind(**{**row, "progressive": progressive})


def _preprocessing(row: dict[str, Any]) -> Preprocessing:
    mean, std = (tuple(map(float, row[name])) for name in ("mean", "std"))
    return Preprocessing(**{**row, "mean": mean, "std": std})


def _rows(file: Path) -> tuple[Row, ...]:
    try:
        lines = read_at_most(file, MOST_BYTES).decode("utf-8").splitlines()
        rows = tuple(Row(**json.loads(line)) for line in lines)
        numbers = [getattr(row, field.name) for row in rows for field in fields(Row)]
        if not rows or not all(value is None or isinstance(value, int | float) for value in numbers):
            raise ValueError("a row is missing or of another kind")
    except _WRONG as error:
        raise ValueError(f"{file} holds no rows of a training ({quoted(str(error))}).") from error
    return rows


def _measured(file: Path) -> dict[str, Any]:
    found = read_json(file)
    for name, kind in MEASURED.items():
        if not isinstance(found.get(name), kind):
            raise ValueError(f"{file} has {name} {quoted(found.get(name))}; it is damaged.")
    return {name: found[name] for name in MEASURED}
