"""A training in several processes, as torchrun starts it: `python -m tests.training.in_processes FOLDER`."""

import sys
from dataclasses import replace
from pathlib import Path

import effnet_edu as ee
from tests.training.easy import TINY, quarters

#: Nothing random but weights and order, so that several processes do the same as one; batch norm as it is.
RECIPE = ee.Recipe(epochs=3, batch_size=32, dropout=0, drop_path_rate=0, ema_decay=0.9)


def train(folder: Path, accumulation: int = 1) -> ee.training.TrainingRun:
    recipe = replace(RECIPE, accumulation=accumulation)
    return ee.train(
        TINY, quarters(128, 0), quarters(50, 1), recipe, folder=folder, device="cpu", save_seconds=0
    )


if __name__ == "__main__":
    run = train(Path(sys.argv[1]))
    # Every process ends with the same weights.
    total = sum(float(tensor.double().sum()) for tensor in run.network.state_dict().values())
    print(f"{run.processes} processes, {total!r}", flush=True)
