"""The time of a training step of every arm, measured apart from accuracy: arms take turns, one at a time."""

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from effnet_edu.profiling.device import device_name, exclusive
from effnet_edu.studies.statistics import estimate
from effnet_edu.studies.study import Place, Run, performed

ROUNDS = 5
#: Steps of each epoch, and epochs at most; a recipe with stages of several sizes has all of them in these.
STEPS, EPOCHS = 6, 8


def step_times(
    runs: Sequence[Run], device: torch.device, rounds: int = ROUNDS, steps: int = STEPS
) -> dict[str, Any]:
    """Return the seconds of a step of every arm at every size, and what the steps of a whole run take.

    Each round trains every arm for a few steps of each of its epochs, one arm after the other, so that a
    device that slows down meanwhile favours none. The first epoch of a size warms up, where it has others.
    """
    arms: dict[str, Run] = {}
    for run in runs:
        labels = {name: value for name, value in run.labels.items() if name != "seed"}
        arms.setdefault(", ".join(f"{name} {value}" for name, value in labels.items()), run)
    found: dict[str, dict[int, list[float]]] = {arm: defaultdict(list) for arm in arms}
    with exclusive(device):
        for _ in range(rounds):
            for arm, run in arms.items():
                for side, seconds in _one_round(run, device, steps).items():
                    found[arm][side].append(seconds)
    rows = [_row(arm, arms[arm], sides) for arm, sides in found.items()]
    return {"device": device_name(device), "threads": torch.get_num_threads(), "rounds": rounds, "arms": rows}


def _one_round(run: Run, device: torch.device, steps: int) -> dict[int, float]:
    """Return the median seconds of a step at each size."""
    batch = run.recipe.batch_size
    images = replace(run.images, train=steps * batch, test=min(run.images.test, 10 * run.images.num_classes))
    recipe = replace(run.recipe, epochs=min(run.recipe.epochs, EPOCHS))
    with tempfile.TemporaryDirectory() as folder:
        done = performed(replace(run, images=images, recipe=recipe), Place(Path(folder) / "run", device))
    seconds: dict[int, list[float]] = defaultdict(list)
    for row in done.rows:
        seconds[row.side].append(batch / row.images_per_second)
    return {side: statistics.median(each[1:] or each) for side, each in seconds.items()}


def _row(arm: str, run: Run, sides: dict[int, list[float]]) -> dict[str, Any]:
    steps_an_epoch = run.images.train // run.recipe.batch_size
    epochs = [
        run.recipe.stage(epoch, run.network.resolution, run.network.dropout).side
        for epoch in range(run.recipe.epochs)
    ]
    in_rounds = [
        sum(steps_an_epoch * seconds[side] for side in epochs)
        for seconds in (dict(zip(sides, each, strict=True)) for each in zip(*sides.values(), strict=True))
    ]
    whole = estimate(in_rounds)
    return {
        "arm": arm,
        "labels": {name: value for name, value in run.labels.items() if name != "seed"},
        "steps": steps_an_epoch * run.recipe.epochs,
        "step_seconds": {str(side): each for side, each in sides.items()},
        "train_seconds": {
            "mean": whole.mean,
            "low": whole.low,
            "high": whole.high,
            "rounds": in_rounds,
        },
    }
