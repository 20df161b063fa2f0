"""A photograph in the reader's browser: the same pixels, the same logits, and nothing leaves the page."""

import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import effnet_edu as ee
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.images.mismatch import LITE0
from effnet_edu.images.photographs import PHOTOGRAPHS
from effnet_edu.images.preprocess import preprocess
from tests.browser.jupyter import watched_page
from tests.needs import NODE
from website import photograph

SCRIPTS = Path(ee.images.__file__).parent
#: Width and height: both ways up, odd, smaller than the network's side, larger by far.
SIZES = ((256, 256), (301, 225), (97, 160), (40, 41), (1201, 640))
RIGHT = next(photograph.ways())[1]
PREPARED = """
import { prepared } from "./pixels.js";
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { cases } = JSON.parse(Buffer.concat(chunks));
console.log(JSON.stringify(cases.map(({ width, height, data, how }) => {
  const pixels = Uint8ClampedArray.from(Buffer.from(data, "base64"));
  const { input } = prepared({ width, height, data: pixels }, how);
  return Buffer.from(input.buffer).toString("base64");
})));
"""


def in_javascript(cases: list[tuple[np.ndarray, Preprocessing]]) -> list[np.ndarray]:
    """Return what the page's code makes of pictures (H, W, 3)."""
    sent = [
        {
            "width": pixels.shape[1],
            "height": pixels.shape[0],
            "data": base64.b64encode(np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])).decode(),
            "how": asdict(how),
        }
        for pixels, how in cases
    ]
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-e", PREPARED],
        input=json.dumps({"cases": sent}),
        capture_output=True,
        text=True,
        check=True,
        cwd=SCRIPTS,
    )
    return [
        np.frombuffer(base64.b64decode(made), np.float32).reshape(3, how.resolution, how.resolution)
        for made, (_, how) in zip(json.loads(done.stdout), cases, strict=True)
    ]


def test_pixels_are_prepared_to_the_last_bit_as_the_library_does_it() -> None:
    random = np.random.default_rng(0)
    hows = [how for _, how in photograph.ways()] + [replace(RIGHT, interpolation="bilinear", resize=255)]
    cases = [
        (random.integers(0, 256, (height, width, 3), np.uint8), how)
        for (width, height), how in product(SIZES, hows)
    ]
    for made, (pixels, how) in zip(in_javascript(cases), cases, strict=True):
        expected = preprocess(pixels, how)[0].numpy()
        assert np.array_equal(made, expected), (pixels.shape, how)


def test_the_first_way_is_the_right_one_and_all_others_say_that_they_are_wrong() -> None:
    net = ee.create(LITE0[0], weights=LITE0[1])
    names = [name for name, _ in photograph.ways()]
    assert names[0] == "as its weights expect"
    assert net.published.preprocessing == RIGHT
    assert all(name.startswith("wrongly: ") for name in names[1:])
    assert len({how for _, how in photograph.ways()}) == len(names)


@pytest.fixture(scope="module")
def page(chrome: Browser, address: str) -> Iterator[Page]:
    with watched_page(chrome, 1280, 900) as page:
        asked: list[tuple[str, str]] = []
        page.on("request", lambda request: asked.append((request.method, request.url)))
        page.goto(f"{address}/live/photograph.html")
        page.get_by_role("button", name="Fetch the network (18.5 MB)").wait_for()
        assert not any(url.endswith((".onnx", ".wasm")) for _, url in asked)
        page.get_by_role("button", name="Fetch the network").click()
        page.locator(".ee-sight[data-live=ready]").wait_for()
        yield page
        assert page.outside == []  # type: ignore[attr-defined]
        assert page.complaints == []  # type: ignore[attr-defined]
        assert {method for method, _ in asked} == {"GET"}


def logits(page: Page) -> torch.Tensor:
    page.locator(".ee-sight[data-live=ready]").wait_for()
    return torch.tensor(page.evaluate("() => [...document.querySelector('.ee-sight').found.logits]"))


@pytest.mark.browser
def test_logits_of_the_samples_are_those_of_torch(page: Page) -> None:
    net = ee.create(LITE0[0], weights=LITE0[1]).eval()
    for row in PHOTOGRAPHS.values():
        page.get_by_role("button", name=row.shows).click()
        best = ee.classify(net, ee.images.photograph(row.name))[0]
        expect(page.locator(".ee-said")).to_contain_text(f"{row.shows}: {best.label}, ")
        with torch.no_grad():
            expected = net(preprocess(ee.images.photograph(row.name), RIGHT))[0]
        assert (logits(page) - expected).abs().max() < 1e-4


@pytest.mark.browser
def test_a_mistake_gives_another_answer_and_no_error(page: Page) -> None:
    net, cat = ee.create(LITE0[0], weights=LITE0[1]), ee.images.photograph("chelsea")
    name, how = list(photograph.ways())[1]
    right, wrong = ee.classify(net, cat)[0], ee.classify(net, cat, preprocessing=how)[0]
    assert right.label != wrong.label
    page.get_by_role("button", name="a tabby cat").click()
    page.get_by_label("prepared").select_option(name)
    expect(page.locator(".ee-said")).to_contain_text(
        f"prepared {name}: {wrong.label}, {wrong.probability:.0%}. Prepared rightly: {right.label}, "
    )
    page.get_by_label("prepared").select_option(index=0)


@pytest.mark.browser
def test_a_file_of_the_readers_own_is_read_upright_and_on_white(page: Page, tmp_path: Path) -> None:
    cat = ee.images.photograph("chelsea")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    cat.rotate(90, expand=True).save(tmp_path / "turned.png", exif=exif)
    holes = cat.convert("RGBA")
    holes.paste((0, 0, 0, 0), (0, 0, 200, 300))
    holes.save(tmp_path / "holes.png")
    (tmp_path / "no.png").write_text("nothing")
    net = ee.create(LITE0[0], weights=LITE0[1]).eval()
    for file in ("turned.png", "holes.png"):
        page.locator("[type=file]").set_input_files(tmp_path / file)
        expect(page.locator(".ee-said")).to_contain_text(f"{file}: ")
        with torch.no_grad():
            expected = net(preprocess(tmp_path / file, RIGHT))[0]
        assert (logits(page) - expected).abs().max() < 1e-4
    page.locator("[type=file]").set_input_files(tmp_path / "no.png")
    expect(page.locator(".ee-said")).to_have_text("no.png could not be read as a picture.")


@pytest.mark.browser
def test_the_map_is_of_the_class_that_is_chosen(page: Page) -> None:
    page.get_by_role("button", name="a cup of espresso").click()
    expect(page.locator(".ee-said")).to_contain_text("a cup of espresso: ")
    drawn = "() => document.querySelector('.ee-sight canvas').toDataURL()"
    label = page.locator(".ee-sight canvas").get_attribute("aria-label")
    first = page.evaluate(drawn)
    page.locator(".ee-answers input").nth(4).check()
    assert page.evaluate(drawn) != first
    assert page.locator(".ee-sight canvas").get_attribute("aria-label") != label
    page.get_by_label("where it looked").uncheck()
    assert page.evaluate(drawn) != first
