"""What a study computed when its method number was set: two short runs, and the size of the full study.

`python -m tests.studies.golden_runs NAME ...` writes it anew, after METHOD was raised.
"""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from effnet_edu.profiling.threads import computing_with
from effnet_edu.studies import record
from effnet_edu.studies.registry import study
from effnet_edu.studies.study import Place
from tests.studies.small import IMAGES

GOLDEN = Path(__file__).parent / "golden"


def computed(name: str) -> dict[str, Any]:
    """Return what the code of today computes, with one thread: runs of seconds, full of random choices."""
    found = study(name)
    quick, full = found.runs(True), found.runs(False)
    ends = {
        one.name: replace(one, images=IMAGES, recipe=replace(one.recipe, epochs=4))
        for one in (quick[0], quick[-1])
    }
    return {
        "method": found.method,
        "full": {
            "runs": len(full),
            "seeds": sorted({one.seed for one in full}),
            "macs": sum(one.macs for one in full),
            "parameters": sum(one.parameters for one in full),
            "work": sum(one.work for one in full),
        },
        "short": {key: _losses(name, one) for key, one in ends.items()},
    }


def _losses(name: str, one: Any) -> dict[str, Any]:
    with computing_with(1), tempfile.TemporaryDirectory() as folder:
        kept = study(name).perform(one, Place(Path(folder) / "run", torch.device("cpu")))
    shown = {key: kept["curve"][key] for key in ("side", "train_loss", "test_loss")}
    shares = [row["between_class_share"] for row in kept.get("gates", ())]
    return {"macs": kept["macs"], "parameters": kept["parameters"], **shown, "gates": shares}


def stored(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    for chosen in sys.argv[1:]:
        record.write_json(GOLDEN / f"{chosen}.json", computed(chosen))
