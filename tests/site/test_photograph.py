"""A photograph in the reader's browser: the same pixels, the same logits, and nothing leaves the page."""

import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import effnet_edu as ee
from effnet_edu.checkpoints.registry import find_weights
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
RIGHT = find_weights(*LITE0).preprocessing
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
    hows = [how for _, how in photograph.ways(RIGHT)] + [replace(RIGHT, interpolation="bilinear", resize=255)]
    cases = [
        (random.integers(0, 256, (height, width, 3), np.uint8), how)
        for (width, height), how in product(SIZES, hows)
    ]
    for made, (pixels, how) in zip(in_javascript(cases), cases, strict=True):
        expected = preprocess(pixels, how)[0].numpy()
        assert np.array_equal(made, expected), (pixels.shape, how)


def test_the_first_way_is_the_right_one_and_all_others_say_that_they_are_wrong() -> None:
    for offer in photograph.OFFERS:
        (first, right), *others = photograph.ways(offer.weights.preprocessing)
        assert first == "as its weights expect"
        assert right == ee.create(offer.network, weights=offer.weights.name).published.preprocessing
        assert all(name.startswith("wrongly: ") for name, _ in others)
        assert len({right, *(how for _, how in others)}) == 1 + len(others)


def test_int8_is_small_and_seldom_says_something_else() -> None:
    """Counted again with torch and the file that the page fetches; most cuttings keep their first answer."""
    for offer in photograph.OFFERS[:3]:
        assert offer.kind == "int8"
        parameters = ee.cost(offer.network).parameters
        assert parameters < len(photograph.graph(offer)) < 1.15 * parameters
        found = photograph.agreement(offer.network)
        assert found.samples >= 4
        assert found.cuttings >= 0.6 * len(PHOTOGRAPHS) * photograph.CUTTINGS
        assert 0 < found.off < 0.06


@pytest.fixture(scope="module")
def page(chrome: Browser, address: str) -> Iterator[Page]:
    with watched_page(chrome, 1280, 900) as page:
        asked: list[tuple[str, str]] = []
        page.on("request", lambda request: asked.append((request.method, request.url)))
        page.goto(f"{address}/live/photograph.html")
        page.get_by_role("button", name="Fetch Lite0 in int8 (5.0 MB)").wait_for()
        assert not any(url.endswith((".onnx", ".wasm")) for _, url in asked)
        page.get_by_role("button", name="Fetch Lite0 in int8").click()
        page.locator(".ee-sight[data-live=ready]").wait_for()
        assert [url.rpartition("/")[2] for _, url in asked if url.endswith(".onnx")] == [
            "efficientnet_lite0_int8.onnx"
        ]
        yield page
        assert page.outside == []  # type: ignore[attr-defined]
        assert page.complaints == []  # type: ignore[attr-defined]
        assert {method for method, _ in asked} == {"GET"}


def logits(page: Page) -> torch.Tensor:
    page.locator(".ee-sight[data-live=ready]").wait_for()
    return torch.tensor(page.evaluate("() => [...document.querySelector('.ee-sight').found.logits]"))


@pytest.mark.browser
@pytest.mark.parametrize("offer", photograph.OFFERS[1:3], ids=lambda offer: offer.title)
def test_int8_answers_as_its_file_does_elsewhere(page: Page, offer: photograph.Offer) -> None:
    """In another engine, on the same pixels; a rounding that falls otherwise moves a logit by a step."""
    fetched(page, offer)
    session = onnxruntime.InferenceSession(photograph.graph(offer), providers=["CPUExecutionProvider"])
    page.get_by_role("button", name="a tabby cat").click()
    expect(page.locator(".ee-took")).to_contain_text(f"{offer.title} took ")
    images = preprocess(ee.images.photograph("chelsea"), offer.weights.preprocessing)
    expected = torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0][0])
    found = logits(page)
    assert (found - expected).abs().max() < 0.1 * (expected.max() - expected.min())
    assert found.argmax() == expected.argmax()


@pytest.mark.browser
def test_the_camera_is_asked_when_wanted_and_let_go(page: Page) -> None:
    """With the picture of a camera that Chromium makes up."""
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="from the camera").click()
    page.get_by_role("button", name="Take it").click()
    expect(page.locator(".ee-said")).to_contain_text("what the camera saw: ")
    assert page.locator("video").evaluate("video => video.srcObject") is None
    expect(page.locator(".ee-camera")).to_be_hidden()


@pytest.mark.browser
def test_a_camera_that_starts_slowly_can_be_closed_before_it_shows_anything(page: Page) -> None:
    page.context.grant_permissions(["camera"])
    page.evaluate(
        """() => { HTMLMediaElement.prototype.play = () => new Promise((_shows, fails) => {
            window.fails = () => fails(new DOMException('', 'AbortError'));
        }) }"""
    )
    page.get_by_role("button", name="from the camera").click()
    expect(page.get_by_role("button", name="Take it")).to_be_disabled()
    said = page.locator(".ee-said").inner_text()
    page.get_by_role("button", name="Close").click()
    page.evaluate("() => window.fails()")
    expect(page.locator(".ee-camera")).to_be_hidden()
    assert page.locator(".ee-said").inner_text() == said


@pytest.mark.browser
def test_logits_of_the_samples_are_those_of_torch(page: Page) -> None:
    fetched(page, photograph.OFFERS[3])
    net = ee.create(LITE0[0], weights=LITE0[1]).eval()
    for row in PHOTOGRAPHS.values():
        page.get_by_role("button", name=row.shows).click()
        best = ee.classify(net, ee.images.photograph(row.name))[0]
        expect(page.locator(".ee-said")).to_contain_text(f"{row.shows}: {best.label}, ")
        with torch.no_grad():
            expected = net(preprocess(ee.images.photograph(row.name), RIGHT))[0]
        assert (logits(page) - expected).abs().max() < 1e-4


def fetched(page: Page, offer: photograph.Offer) -> None:
    """Fetch a network that is not there yet."""
    page.locator(".ee-network").select_option(index=photograph.OFFERS.index(offer))
    button = page.get_by_role("button", name=f"Fetch {offer.title}")
    if button.is_visible():
        button.click()
        expect(button).to_be_hidden()
    page.locator(".ee-sight[data-live=ready]").wait_for()


# Notes, whenever the words above the answers change, whether the answers below are marked as those of before.
NOTE_BUSY = """() => {
    window.noted = [];
    const said = document.querySelector('.ee-said'), seen = document.querySelector('.ee-seen');
    new MutationObserver(() => noted.push([said.textContent, seen.ariaBusy,
        document.querySelector('.ee-answers').disabled, document.querySelector('.ee-took').textContent]))
        .observe(said, {childList: true}) }"""


@pytest.mark.browser
def test_an_old_answer_is_marked_as_one_while_the_network_looks(page: Page) -> None:
    page.get_by_role("button", name="a tabby cat").click()
    expect(page.locator(".ee-said")).to_contain_text("a tabby cat: ")
    expect(page.locator(".ee-seen")).to_have_attribute("aria-busy", "false")
    page.evaluate(NOTE_BUSY)
    other = next(row.shows for row in PHOTOGRAPHS.values() if row.shows != "a tabby cat")
    page.get_by_role("button", name="a tabby cat").click()
    page.get_by_role("button", name=other).click()
    expect(page.locator(".ee-said")).to_contain_text(f"{other}: ")
    expect(page.locator(".ee-seen")).to_have_attribute("aria-busy", "false")
    looks = [rest for said, *rest in page.evaluate("() => noted") if said.startswith("The network looks at")]
    assert looks
    assert all(rest == ["true", True, ""] for rest in looks)
    assert not any(said.startswith(f"{other}: ") for said, *_ in page.evaluate("() => noted.slice(0, -1)"))


@pytest.mark.browser
def test_a_mistake_gives_another_answer_and_no_error(page: Page) -> None:
    net, cat = ee.create(LITE0[0], weights=LITE0[1]), ee.images.photograph("chelsea")
    name, how = list(photograph.ways(RIGHT))[1]
    fetched(page, photograph.OFFERS[3])
    right, wrong = ee.classify(net, cat)[0], ee.classify(net, cat, preprocessing=how)[0]
    assert right.label != wrong.label
    page.get_by_role("button", name="a tabby cat").click()
    button = page.get_by_role("button", name=name.removeprefix("wrongly: "))
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".ee-said")).to_contain_text(
        f"prepared {name}: {wrong.label}, {wrong.probability:.0%}. Prepared correctly: {right.label}, "
    )
    button.click()
    expect(page.locator(".ee-said")).to_contain_text(f"a tabby cat: {right.label}, ")


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
    fetched(page, photograph.OFFERS[3])
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
