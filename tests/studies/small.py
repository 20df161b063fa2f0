"""Studies in the same shape, so small that all of them run in seconds."""

import sys
from dataclasses import replace
from pathlib import Path

from effnet_edu.studies import engine
from effnet_edu.studies.registry import study
from effnet_edu.studies.study import Images, Run, Study

IMAGES = Images("glyphs", train=48, test=24, classes="OE")


def small(name: str, most: int = 99) -> Study:
    """Return the short version of a study with few images and no more than `most` runs."""
    whole = study(name)

    def runs(_quick: bool) -> tuple[Run, ...]:
        epochs = 4 if name == "progressive" else 2
        return tuple(
            replace(run, images=IMAGES, recipe=replace(run.recipe, epochs=epochs)) for run in whole.runs(True)
        )[:most]

    return replace(whole, runs=runs)


if __name__ == "__main__":
    engine.study = small
    engine.run(sys.argv[1], quick=True, jobs=1, results=Path(sys.argv[2]), show_progress=False)
