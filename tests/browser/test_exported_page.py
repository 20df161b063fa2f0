"""The page that an export writes: opened from a file, without a network, it answers as the library does."""

import shutil
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import effnet_edu as ee
from effnet_edu.ground.onnxruntime_web import FILES, VERSION
from effnet_edu.training.export_run import export_run
from tests.browser.jupyter import watched_page
from tests.cases import thorough_but_for
from tests.training.easy import TINY, quarters

PACKAGE = Path(__file__).parents[2] / "website" / "node_modules" / "onnxruntime-web" / "dist"
#: A folder may have any name; none of it may run in the page.
NAMES = ("</script><b>a", "b & co", "c", "d")


def exported(folder: Path, channels: int, **options: bool) -> tuple[ee.EfficientNet, Path]:
    """Return a fine-tuned network and its page; onnxruntime-web lies in the cache already."""
    kept = folder / f"onnxruntime-web-{VERSION}"
    kept.mkdir()
    for name in FILES:
        shutil.copyfile(PACKAGE / name, kept / name)
    net = ee.create(replace(TINY, resolution=32), 4, in_channels=channels)
    run = ee.fine_tune(net, replace(quarters(96, 0, channels, 32), class_names=NAMES), device="cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EFFNET_EDU_CACHE", str(folder))
        export_run(run, folder / "tiny.onnx", **options)
    return run.network, folder / "tiny.html"


def opened(chrome: Page, page: Path) -> None:
    chrome.context.set_offline(True)
    chrome.goto(page.as_uri())
    expect(chrome.get_by_role("status")).to_have_text("Ready: choose a picture.")


def answered(page: Page) -> dict[str, float]:
    rows = page.locator("li").all()
    return {
        row.locator("span").first.inner_text(): float(row.get_attribute("data-probability") or "nan")
        for row in rows
    }


@pytest.mark.browser
@pytest.mark.parametrize("channels", thorough_but_for([3], [3, 1]))
def test_the_page_answers_as_the_library_does(chrome: Browser, tmp_path: Path, channels: int) -> None:
    net, file = exported(tmp_path, channels)
    with watched_page(chrome, 390, 800) as page:
        opened(page, file)
        for name in ("coffee", "chelsea"):
            picture = ee.images.photograph(name)
            picture.save(tmp_path / f"{name}.png")
            page.get_by_label("Choose a picture").set_input_files(tmp_path / f"{name}.png")
            best, *others = ee.classify(net, picture)
            expect(page.get_by_role("status")).to_contain_text(f"{name}.png: {best.label}, ")
            expected = {row.label: row.probability for row in (best, *others)}
            assert answered(page) == pytest.approx(expected, abs=1e-3)
            assert list(answered(page)) == list(expected)
            assert best.probability - others[-1].probability > 0.02  # what is compared tells classes apart
        expect(page.locator(".took")).to_contain_text("ms, WASM, in Chrome")
        (tmp_path / "no.png").write_text("nothing")
        page.get_by_label("Choose a picture").set_input_files(tmp_path / "no.png")
        expect(page.get_by_role("status")).to_have_text("no.png could not be read as a picture.")
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390
        assert (page.outside, page.complaints) == ([], [])  # type: ignore[attr-defined]


@pytest.mark.browser
def test_in_8_bits_a_dropped_picture_is_answered_and_nothing_bars_the_way(
    chrome: Browser, tmp_path: Path
) -> None:
    _, file = exported(tmp_path, 3, int8=True)
    with watched_page(chrome) as page:
        opened(page, file)
        page.evaluate(
            """async () => {
            const canvas = new OffscreenCanvas(60, 40);
            canvas.getContext("2d").fillRect(0, 0, 30, 20);
            const held = new DataTransfer();
            held.items.add(new File([await canvas.convertToBlob()], "drawn.png"));
            const dropped = { dataTransfer: held, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new DragEvent("drop", dropped));
            }"""
        )
        expect(page.get_by_role("status")).to_contain_text("drawn.png: ")
        assert sum(answered(page).values()) == pytest.approx(1)
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate("() => axe.run({ resultTypes: ['violations'] })")
            assert [problem["id"] for problem in found["violations"]] == []
        forbidden = """() => new Promise(said => {
            document.addEventListener("securitypolicyviolation", event => said(event.violatedDirective));
            fetch("http://127.0.0.1:9/").catch(() => {});
        })"""
        assert page.evaluate(forbidden) == "connect-src"
