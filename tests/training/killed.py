"""A training that is killed again and again, as a program: `python -m tests.training.killed FOLDER`.

This process never trains, it forks children that do: what they need is imported once, and a fork of a process
in which a backward pass has run could not train.
"""

import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import kornia.augmentation  # noqa: F401 - here once, and not in every child
import torch
import torch._dynamo  # the first optimizer of a process imports it, which takes seconds

import effnet_edu as ee
from tests.training.easy import RANDOM_RECIPE, TINY, quarters

KILLS = 21
MOST_STEPS = 3  # that a child may take before it is killed; of 68, so that none comes to the end
TRAIN, TEST = quarters(16 * 17, 0), quarters(32, 1)


def train(folder: Path, told: Callable[[object], None] = lambda _row: None) -> None:
    ee.train(
        TINY,
        TRAIN,
        TEST,
        RANDOM_RECIPE,
        folder=folder,
        save_seconds=0,
        progress=told,
        device="cpu",
    )


def forked(work: Callable[[], None]) -> int:
    """Run work in a child and return its process id."""
    child = os.fork()
    if child:
        return child
    try:
        torch.set_num_threads(1)
        work()
        os._exit(0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_once(folder: Path, chance: random.Random) -> int:
    """Start the training, kill it at a random moment, and return how its process ended."""
    read, write = os.pipe()
    child = forked(lambda: train(folder, lambda _row: os.write(write, b".") and None))
    os.close(write)
    for _ in range(chance.randint(0, MOST_STEPS)):
        os.read(read, 1)
    time.sleep(chance.random() * 0.02)
    os.kill(child, signal.SIGKILL)
    os.close(read)
    return exit_code(child)


def fill_disk(folder: Path) -> None:
    """Train where no file may be larger than half a state."""
    size = max(file.stat().st_size for file in folder.glob("step-*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
    train(folder)


def main(folder: Path) -> None:
    """Print how the children ended, as JSON."""
    chance = random.Random(0)  # noqa: S311
    plain = exit_code(forked(lambda: train(folder / "plain")))
    ends = [killed_once(folder / "killed", chance) for _ in range(KILLS)]
    full = exit_code(forked(lambda: fill_disk(folder / "killed")))
    last = exit_code(forked(lambda: train(folder / "killed")))
    print(json.dumps({"plain": plain, "ends": ends, "full": full, "last": last}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
