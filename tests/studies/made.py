"""Results of studies that were never performed, with whatever numbers a test needs."""

from dataclasses import replace

from effnet_edu.studies.provenance import Provenance
from effnet_edu.studies.record import Record
from effnet_edu.studies.registry import study
from effnet_edu.studies.result import StudyResult

PROVENANCE = Provenance(
    "2026-01-01T00:00:00+00:00", "", 1, None, None, "a device", None, "", {}, (0, 1, 2), 1.0, 1
)


def made_result(name, found, seeds=(0, 1, 2), **more):
    """Return a study that was never performed, with what `found(run)` says of each of its runs."""
    runs = [
        {
            "name": run.name,
            "labels": dict(run.labels),
            "seed": run.seed,
            "network": run.network.name,
            "recipe": 0,
            "images": 0,
            "macs": run.macs,
            **found(run),
        }
        for run in study(name).runs(False)
    ]
    about = replace(PROVENANCE, seeds=tuple(seeds))
    return StudyResult(Record("study", name, about, {"question": "?", "runs": runs, **more}))


def made(accuracy):
    """Return a study of scaling in which `accuracy(way, level, seed)` was measured."""

    def found(run):
        curve = {"train_accuracy": [0.5, 0.9]}
        return {"accuracy": accuracy(run.labels["way"], run.labels["level"], run.seed), "curve": curve}

    return made_result("scaling", found, recipes=[{"epochs": 1}], images=[{"train": 100}])


def made_gates():
    """Return a study of three classes in which the gates of later blocks differ more between classes."""
    gates = [
        {
            "block": f"stages.{block}.0",
            "channels": 4,
            "mean": 0.5,
            "deviation": 0.1,
            "between_class_share": 0.1 * block,
            "class_means": [[0.5 + 0.1 * block * (label - 1)] * 4 for label in range(3)],
        }
        for block in range(4)
    ]
    run = {"labels": {"seed": 0}, "seed": 0, "class_names": ["O", "E", "P"], "gates": gates}
    return StudyResult(Record("study", "small_network", PROVENANCE, {"question": "?", "runs": [run]}))
