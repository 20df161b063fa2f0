"""A training in several processes, as torchrun starts it: `python -m tests.training.in_processes FOLDER`.

With a further folder, which has pictures in train and test, they are read as a stream.
"""

import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import effnet_edu as ee
from effnet_edu.images.streamed import stream_folder
from tests.training.easy import TINY, quarters

if TYPE_CHECKING:
    from effnet_edu.images.image_set import ImageSet

#: Nothing random but weights and order, so that several processes do the same as one; batch norm as it is.
RECIPE = ee.Recipe(epochs=3, batch_size=32, dropout=0, drop_path_rate=0, ema_decay=0.9)

#: Side that pictures are read at; they are then resized to the network's.
STREAMED = 96


def train(folder: Path, accumulation: int = 1, pictures: Path | None = None) -> ee.training.TrainingRun:
    recipe = replace(RECIPE, accumulation=accumulation)
    sets: tuple[ImageSet, ...] = quarters(128, 0), quarters(50, 1)
    if pictures is not None:
        sets = tuple(stream_folder(pictures / part, STREAMED) for part in ("train", "test"))
    return ee.train(TINY, *sets, recipe, folder=folder, device="cpu", save_seconds=0)


if __name__ == "__main__":
    run = train(Path(sys.argv[1]), pictures=Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    # Every process ends with the same weights.
    total = sum(float(tensor.double().sum()) for tensor in run.network.state_dict().values())
    print(f"{run.processes} processes, {total!r}", flush=True)
    print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} KiB", flush=True)
