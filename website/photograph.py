"""Your photograph: networks with their published weights, for the reader's browser."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

import numpy as np
import torch
from torch import Tensor

import effnet_edu as ee
from effnet_edu.checkpoints.registry import PublishedWeights, find_weights
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.images.classify import imagenet_classes
from effnet_edu.images.mismatch import LITE0
from effnet_edu.images.photographs import PHOTOGRAPHS, photograph
from effnet_edu.images.preprocess import preprocess
from effnet_edu.images.reader import read_picture
from website import measuring
from website.results import raw

HERE = Path(__file__).parent
PAGE = HERE / "pages" / "live" / "photograph.md"
#: Pictures of scikit-image that int8 is calibrated with; no sample of the page is among them.
CALIBRATION = (
    *("motorcycle_left.png", "motorcycle_right.png", "retina.jpg", "ihc.png", "brick.png", "grass.png"),
    *("gravel.png", "camera.png", "coins.png", "horse.png", "moon.png", "page.png"),
)
#: Cuttings of each sample on which int8 is compared with float32, beside the sample itself.
CUTTINGS = 4


@dataclass(frozen=True)
class Offer:
    """A network that the page offers.

    Attributes:
        network: The network's name.
        kind: How its numbers are kept.
    """

    network: str
    kind: Literal["int8", "float32"]

    @property
    def weights(self) -> PublishedWeights:
        """The weights that it comes with."""
        return find_weights(self.network, LITE0[1])

    @property
    def short(self) -> str:
        """Its name as people write it."""
        return self.network.removeprefix("efficientnet_").capitalize()

    @property
    def title(self) -> str:
        """What the page calls it."""
        return f"{self.short} in {self.kind}"

    @property
    def file(self) -> str:
        """Its file's name beside the page."""
        return f"{self.network}_{self.kind}.onnx"


#: The first is what a reader gets who chooses nothing. One in float32 shows what 8 bits change.
OFFERS = (
    *(Offer(f"efficientnet_lite{number}", "int8") for number in range(3)),
    Offer("efficientnet_lite0", "float32"),
)


def page() -> str:
    """Return the page as Markdown."""
    text = PAGE.read_text(encoding="utf-8")
    return text.replace("<!-- photograph -->", raw(_body())).replace("<!-- networks -->", _table())


def ways(right: Preprocessing) -> Iterator[tuple[str, Preprocessing]]:
    """Yield ways to prepare a photograph, the right one first, then mistakes that give no error."""
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
def graph(offer: Offer) -> bytes:
    """Return a network with its weights and class maps as an ONNX file.

    Raises:
        FileNotFoundError: The extra `photos`, which brings the weights, is not installed.
        ModuleNotFoundError: The extra `ship`, which makes int8, is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, offer.file)
        net = ee.create(offer.network, weights=offer.weights.name)
        images = _calibration(offer.weights.preprocessing) if offer.kind == "int8" else None
        ee.export_onnx(net, file, class_maps=True, int8=images)
        return file.read_bytes()


def _calibration(how: Preprocessing) -> Tensor:
    """Return the pictures that the maps' ranges are found on."""
    folder = files("skimage").joinpath("data")
    return preprocess([read_picture(folder.joinpath(name).read_bytes()) for name in CALIBRATION], how)


@dataclass(frozen=True)
class Agreement:
    """What int8 does to the first answers of a network.

    Attributes:
        samples: For how many of the samples float32 and int8 have the same first answer.
        cuttings: For how many of their cuttings.
        off: By how much the probability of float32's first answer is off, in the mean over both.
    """

    samples: int
    cuttings: int
    off: float


@cache
def agreement(network: str) -> Agreement:
    """Return how the int8 file of a network answers beside torch in float32, on samples and their cuttings.

    Args:
        network: One of the offered networks.
    """
    import onnxruntime

    offer, chance = Offer(network, "int8"), np.random.default_rng(0)
    samples = [photograph(name) for name in PHOTOGRAPHS]
    pictures = list(samples)
    for sample in samples:
        for share in chance.uniform(0.4, 1, CUTTINGS):
            side = int(share * min(sample.size))
            left, top = (int(chance.integers(length - side + 1)) for length in sample.size)
            pictures.append(sample.crop((left, top, left + side, top + side)))
    images = preprocess(pictures, offer.weights.preprocessing)
    session = onnxruntime.InferenceSession(graph(offer), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = ee.create(network, weights=offer.weights.name)(images).softmax(1)
    found = torch.cat(
        [torch.from_numpy(session.run(["logits"], {"images": one.numpy()})[0]) for one in images.split(1)]
    ).softmax(1)
    likeliest = expected.argmax(1)
    same = found.argmax(1) == likeliest
    off = (found - expected).abs()[torch.arange(len(pictures)), likeliest]
    return Agreement(int(same[: len(samples)].sum()), int(same[len(samples) :].sum()), float(off.mean()))


def _table() -> str:
    """Return what the networks cost and how well they do, as Markdown."""
    rows = []
    for offer in (offer for offer in OFFERS if offer.kind == "int8"):
        counted, found, row = ee.cost(offer.network), agreement(offer.network), offer.weights
        rows.append(
            f"| {offer.short} | {row.preprocessing.resolution}&nbsp;px | {counted.macs / 1e6:,.0f}&nbsp;M "
            f"| {counted.parameters / 1e6:.1f}&nbsp;M | {row.top1:.1f}% "
            f"| {len(graph(offer)) / 1e6:.1f}&nbsp;MB | {found.samples} of {len(PHOTOGRAPHS)} "
            f"| {found.cuttings} of {CUTTINGS * len(PHOTOGRAPHS)} "
            f"| {100 * found.off:.0f} points |"
        )
    return "\n".join(
        [
            "| | side | MACs | parameters | top-1, published | int8 file | same first answer, samples "
            "| cuttings | probability off by |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
            *rows,
        ]
    )


def _body() -> str:
    samples = "\n".join(
        f'<button type="button" data-sample="{row.name}" title="{escape(row.credit)}">'
        f"{escape(row.shows)}</button>"
        for row in PHOTOGRAPHS.values()
    )
    mistakes = "\n".join(
        f'<button type="button" aria-pressed="false" data-way="{index}">'
        f"{escape(name.removeprefix('wrongly: '))}</button>"
        for index, (name, _) in enumerate(ways(OFFERS[0].weights.preprocessing))
        if index
    )
    options = "".join(
        f"<option>{escape(offer.title)}, {len(graph(offer)) / 1e6:.1f} MB</option>" for offer in OFFERS
    )
    return Template((HERE / "photograph.html").read_text(encoding="utf-8")).substitute(
        runtime=f"{measuring.wasm_bytes() / 1e6:.1f}",
        networks=options,
        samples=samples,
        mistakes=mistakes,
    )


def add_files(site: Path) -> None:
    """Put the networks, the names of their classes and the photographs beside the page.

    Args:
        site: The folder of the made site.
    """
    folder = site / "_static" / "photograph"
    folder.mkdir()
    networks = []
    for offer in OFFERS:
        (folder / offer.file).write_bytes(graph(offer))
        prepared = [{"name": name, **asdict(how)} for name, how in ways(offer.weights.preprocessing)]
        networks.append(
            {"title": offer.title, "file": offer.file, "bytes": len(graph(offer)), "ways": prepared}
        )
    about = {"classes": imagenet_classes(), "networks": networks}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
    for name in PHOTOGRAPHS:
        photograph(name).save(folder / f"{name}.png")
