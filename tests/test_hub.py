"""The values for a hub on a cluster: keys that the chart documents, and what they promise of the image."""

import csv
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from effnet_edu.course.start import lessons_folder
from effnet_edu.ground.cache import MEASURED

ROOT = Path(__file__).parents[1]
VALUES = yaml.safe_load((ROOT / "docker" / "hub_values.yaml").read_text(encoding="utf-8"))
IMAGE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
USER = VALUES["singleuser"]

#: What the schema of the chart (jupyterhub, version 4) allows of what is set here; it refuses any other key.
DOCUMENTED = {
    "singleuser.image.name": str,
    "singleuser.image.tag": str,
    "singleuser.uid": int,
    "singleuser.defaultUrl": str,
    "singleuser.memory.guarantee": (int, float, str),
    "singleuser.memory.limit": (int, float, str),
    "singleuser.cpu.guarantee": (int, float),
    "singleuser.extraEnv": dict,
    "singleuser.storage.homeMountPath": str,
    "singleuser.storage.capacity": str,
    "singleuser.storage.extraVolumes": list,
    "singleuser.storage.extraVolumeMounts": list,
    "singleuser.initContainers": list,
    "singleuser.lifecycleHooks.postStart": dict,
    "cull.enabled": bool,
    "cull.timeout": int,
}


def leaves(held: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what is documented, and whatever else there is, with its place."""
    for name, value in held.items():
        place = f"{path}.{name}".lstrip(".")
        if place not in DOCUMENTED and isinstance(value, dict):
            yield from leaves(value, place)
        else:
            yield place, value


def mebibytes(text: str) -> float:
    """Return an amount as Kubernetes or the spawner writes it."""
    number, unit = re.fullmatch(r"(\d+)([MG])", text).groups()  # type: ignore[union-attr]
    return int(number) * {"M": 1, "G": 1024}[unit]


def test_the_chart_documents_every_key_that_is_set() -> None:
    for place, value in leaves(VALUES):
        assert place in DOCUMENTED, place
        assert isinstance(value, DOCUMENTED[place]), (place, value)  # type: ignore[arg-type]


def test_the_values_are_those_of_the_image() -> None:
    assert str(USER["uid"]) in re.findall(r"^USER (\d+)$", IMAGE, re.MULTILINE)
    assert USER["storage"]["homeMountPath"] in re.findall(r"^WORKDIR (.+)$", IMAGE, re.MULTILINE)
    (init,) = USER["initContainers"]
    assert init["image"] == f"{USER['image']['name']}:{USER['image']['tag']}"
    assert (lessons_folder() / USER["defaultUrl"].removeprefix("/lab/tree/course/")).is_file()


def test_learners_of_a_node_share_turns_and_what_they_measured() -> None:
    volumes = {one["name"]: one["hostPath"]["path"] for one in USER["storage"]["extraVolumes"]}
    mounted = {one["mountPath"]: one["name"] for one in USER["storage"]["extraVolumeMounts"]}
    assert set(mounted.values()) == set(volumes)
    assert "/tmp" in mounted  # noqa: S108 - where `turn.py` looks
    assert USER["extraEnv"] == {MEASURED: "/measured"}
    assert "/measured" in mounted
    (init,) = USER["initContainers"]
    for mount in init["volumeMounts"]:
        assert mount["name"] in volumes
        assert re.search(rf"chmod 1?777 {mount['mountPath']}\b", init["command"][-1])


def test_a_learner_has_the_memory_that_a_lab_takes_and_is_told_of() -> None:
    rows = {
        row["lab"]: row
        for row in csv.DictReader((ROOT / "docs" / "memory_per_learner.csv").open(encoding="utf-8"))
    }
    (server,) = (row for name, row in rows.items() if name.startswith("JupyterLab's server"))
    labs = [row for name, row in rows.items() if name.endswith("Lab")]
    own = max(int(row["own_mib"]) for row in labs) + int(server["own_mib"])
    assert own <= mebibytes(USER["memory"]["guarantee"])
    heaviest = max(int(row["peak_mib"]) for row in rows.values()) + int(server["peak_mib"])
    assert heaviest < 1.3 * 1024
    assert heaviest + own <= mebibytes(USER["memory"]["limit"])


def test_a_new_learner_finds_the_lessons_and_an_old_one_keeps_them(tmp_path: Path) -> None:
    python, *words = USER["lifecycleHooks"]["postStart"]["exec"]["command"]
    assert python == "python"
    here = [word.replace("/learner", str(tmp_path)) for word in words]
    first = tmp_path / "course" / "00_start_here.ipynb"
    for content in (None, "mine"):
        if content:
            first.write_text(content)
        subprocess.run([sys.executable, *here], cwd=ROOT, check=True, capture_output=True)
    assert first.read_text() == "mine"
    assert len(list(first.parent.glob("*.ipynb"))) == len(list(lessons_folder().glob("*.ipynb")))
