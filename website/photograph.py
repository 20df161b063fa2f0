"""Your photograph: a network with its published weights, for the reader's browser."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from html import escape
from pathlib import Path
from string import Template

import effnet_edu as ee
from effnet_edu.checkpoints.registry import find_weights
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.images.classify import imagenet_classes
from effnet_edu.images.mismatch import LITE0
from effnet_edu.images.photographs import PHOTOGRAPHS, photograph
from website import measuring
from website.results import raw

HERE = Path(__file__).parent
PAGE = HERE / "pages" / "live" / "photograph.md"


def page() -> str:
    """Return the page as Markdown."""
    return PAGE.read_text(encoding="utf-8").replace("<!-- photograph -->", raw(_body()))


def ways() -> Iterator[tuple[str, Preprocessing]]:
    """Yield ways to prepare a photograph, the right one first, then mistakes that give no error."""
    right = find_weights(*LITE0).preprocessing
    plain = replace(right, mean=(0, 0, 0), std=(1, 1, 1))
    imagenet = find_weights("efficientnet_b0", "torchvision/IMAGENET1K_V1").preprocessing
    yield "as its weights expect", right
    yield "wrongly: 0 to 255 as they are", plain
    yield "wrongly: 0 to 1, not normalised", replace(plain, value_range=1)
    yield (
        "wrongly: mean and std of ImageNet",
        replace(right, mean=imagenet.mean, std=imagenet.std, value_range=imagenet.value_range),
    )
    yield "wrongly: squashed, no crop", replace(right, resize=right.resolution, fit="squash")
    yield "wrongly: nearest pixel", replace(right, interpolation="nearest")


@cache
def graph() -> bytes:
    """Return the network with its weights and class maps as an ONNX file.

    Raises:
        FileNotFoundError: The extra `photos`, which brings the weights, is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "lite0.onnx")
        ee.export_onnx(ee.create(LITE0[0], weights=LITE0[1]), file, class_maps=True)
        return file.read_bytes()


def _body() -> str:
    samples = "\n".join(
        f'<button type="button" data-sample="{row.name}" title="{escape(row.credit)}">'
        f"{escape(row.shows)}</button>"
        for row in PHOTOGRAPHS.values()
    )
    options = "".join(f"<option>{escape(name)}</option>" for name, _ in ways())
    return Template((HERE / "photograph.html").read_text(encoding="utf-8")).substitute(
        size=f"{len(graph()) / 1e6:.1f}",
        runtime=f"{measuring.wasm_bytes() / 1e6:.1f}",
        samples=samples,
        ways=options,
    )


def add_files(site: Path) -> None:
    """Put the network, the names of its classes and the photographs beside the page.

    Args:
        site: The folder of the made site.
    """
    folder = site / "_static" / "photograph"
    folder.mkdir()
    (folder / "lite0.onnx").write_bytes(graph())
    about = {
        "bytes": len(graph()),
        "classes": imagenet_classes(),
        "ways": [asdict(how) for _, how in ways()],
    }
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
    for name in PHOTOGRAPHS:
        photograph(name).save(folder / f"{name}.png")
