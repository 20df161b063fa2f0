"""How fast a stream trains against the same images in memory: `python -m tests.training.stream_speed`.

Epochs in memory and of the stream take turns, in pairs; the ratio of throughputs is the median of the pairs.
Where other programs hold the cores, the ratio of CPU times says what it would be if they did not.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import effnet_edu as ee
from effnet_edu.images.image_set import ImageSet

STEPS = 5


def write_photographs(folder: Path, count: int, width: int) -> None:
    """Write parts of the course's photographs as JPEGs of 4 : 3."""
    chance = random.Random(0)  # noqa: S311
    photographs = [ee.images.photograph(name) for name in ee.images.PHOTOGRAPHS]
    for index in range(count):
        whole = photographs[index % len(photographs)]
        side = chance.randint(whole.height // 2, whole.height * 3 // 4)
        left, top = chance.randint(0, whole.width - side), chance.randint(0, whole.height - side)
        part = whole.crop((left, top, left + side, top + side * 3 // 4)).resize((width, width * 3 // 4))
        file = folder / f"class {index % 2}" / f"{index}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        part.convert("RGB").save(file, quality=90)


def epoch(images: ImageSet, test: ImageSet, network: ee.NetworkSpec) -> tuple[float, float]:
    """Train for an epoch; return images/s and the seconds of CPU for an image."""
    before = time.process_time()
    run = ee.train(network, images, test, ee.Recipe(epochs=1, batch_size=16), resolution=160, device="cpu")
    return run.rows[-1].images_per_second, (time.process_time() - before) / len(images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="efficientnet_b0")
    parser.add_argument(
        "--width", type=int, default=500, help="of the JPEGs, in pixels; ImageNet's are like 500"
    )
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    network = ee.spec(arguments.network)
    with tempfile.TemporaryDirectory() as name:
        write_photographs(Path(name), 16 * STEPS, arguments.width)
        memory, stream = ee.images.image_folder(name, 160), ee.images.stream_folder(name, 160)
        before = time.thread_time()
        for index in range(len(stream)):
            stream.read(index)
        decoding = (time.thread_time() - before) / len(stream)
        test = memory.subset(2)
        epoch(memory, test, network)
        pairs = [(epoch(memory, test, network), epoch(stream, test, network)) for _ in range(arguments.pairs)]
    wall = statistics.median(streamed[0] / held[0] for held, streamed in pairs)
    cpu = statistics.median(held[1] / streamed[1] for held, streamed in pairs)
    held = statistics.median(held[1] for held, _ in pairs)
    print(f"{arguments.network} at 160 px, JPEGs {arguments.width} px wide, load {os.getloadavg()[0]:.1f}")
    print(f"throughput of the stream / in memory: {wall:.3f} by the clock, {cpu:.3f} by CPU time")
    print(f"CPU time of an image: {1e3 * decoding:.1f} ms to read it, {1e3 * held:.0f} ms to train on it")


if __name__ == "__main__":
    main()
