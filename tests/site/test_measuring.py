"""Networks timed in the reader's browser: real times, of the network on the screen, without a network."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect
from psutil import Process

import effnet_edu as ee
from tests.browser.jupyter import FLAGS, watched_page
from tests.cases import thorough_but_for
from tests.needs import where

pytestmark = pytest.mark.browser

FOUND = re.compile(
    r"^phi ([\d.]+): ([\d.]+) ms, (WASM|WebGPU) \(([\d.]+) to ([\d.]+) ms, (\d+) runs\), in Chrome"
)


#: In each lab: a setting that is timed soon, and a number whose greater value is some ten times the work,
#: so that no other program hides which takes longer.
LARGER: dict[str, tuple[str, str, str]] = {
    "mbconv_lab": ("#side=14", "side", "56"),
    "v2_lab": ("#network=B0&fused=1&side=32", "side", "160"),
    "scaling_problem_lab": ("#budget=0.4", "budget", "4"),
    "squeeze_excite_lab": ("#network=small", "network", "B1"),
    "benchmark_lab": ("#up_to=0.5", "batch_size", "8"),
}
TIME = re.compile(r"([\d.]+) ms, WASM \(([\d.]+) to ([\d.]+) ms, (\d+) runs\), in Chrome")


@contextmanager
def opened(
    chrome: Browser, address: str, link: str = "", blocked: str = "", lab: str = "phi_lab"
) -> Iterator[Page]:
    """A lab in a page that reaches the site alone, with its first time on the way."""
    with watched_page(chrome, 1280, 900) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        if blocked:
            page.context.route(blocked, lambda route: route.abort())
        page.goto(f"{address}/live/{lab}.html{link}")
        page.locator(".ee-lab[data-live=ready]").wait_for()
        # What counts comes first; when the lab is ready, its setting may have rested already.
        library = next(n for n, url in enumerate(asked) if url.endswith("effnet_edu.zip"))
        assert not any("onnxruntime" in url for url in asked[:library])
        assert page.evaluate("() => crossOriginIsolated") is False
        yield page
        assert page.outside == []  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def page(chrome: Browser, address: str) -> Iterator[Page]:
    with opened(chrome, address, "#phi=0.0") as page:
        yield page
        assert page.complaints == []  # type: ignore[attr-defined]


def time_at(page: Page, phi: float) -> tuple[float, float, float]:
    """Return the time in ms at a phi, and its interval, once it stands there."""
    expect(page.locator(".ee-time")).to_have_text(re.compile(rf"^phi {phi:g}: .* runs"))
    found = FOUND.match(page.locator(".ee-time").inner_text())
    assert found is not None
    return float(found[2]), float(found[4]), float(found[5])


def set_phi(page: Page, phi: float) -> None:
    field = page.get_by_role("textbox", name="phi")
    field.fill(f"{phi:g}")
    field.press("Enter")


def test_a_network_is_timed_where_it_is_read_and_more_work_takes_longer(page: Page) -> None:
    small, low, high = time_at(page, 0)
    assert low <= small <= high
    expect(page.locator(".ee-lab").get_by_text(re.compile("time a batch")).first).to_be_attached()
    set_phi(page, 3)
    expect(page.locator(".ee-time")).not_to_contain_text(" ms, ")  # nothing stale stands there
    expect(page.get_by_role("progressbar", name="measuring")).to_be_visible()
    _, _, longest = time_at(page, 3)
    growth = ee.cost(ee.compound(3)).macs / ee.cost(ee.compound(0)).macs
    assert growth > 7
    assert longest > low  # how many times as long depends on what else runs
    expect(page.get_by_role("progressbar", name="measuring")).to_be_hidden()
    set_phi(page, 0)
    assert time_at(page, 0)[0] == small  # not measured again


@pytest.mark.parametrize("lab", thorough_but_for(("mbconv_lab", "v2_lab"), LARGER))
def test_every_lab_times_here_what_it_shows_and_more_work_takes_longer(
    lab: str, chrome: Browser, address: str
) -> None:
    link, name, value = LARGER[lab]
    with opened(chrome, address, link, lab=lab) as page:
        soonest, _ = found_here(page)
        page.evaluate("() => Promise.all([...document.fonts].map((font) => font.load()))")
        page.context.set_offline(True)  # what runs networks is there by now, and so is each style of type
        assert page.locator("div.ee-numbers .ee-measured").count()
        field = page.locator(f"[data-setting={name}]").first
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
            field.press("Enter")
        expect(page.locator(".ee-time")).to_contain_text("here, with WASM")
        assert found_here(page)[1] > soonest
        if lab == "mbconv_lab":
            table = page.locator(".ee-all").text_content() or ""
            for role in ("expand", "depthwise", "SE", "project"):
                assert f"time, {role}" in table
            assert "arithmetic ceiling" in table
        assert page.complaints == []  # type: ignore[attr-defined]


def found_here(page: Page) -> tuple[float, float]:
    """Return the interval in ms that stands in the lab's words once nothing is left to time."""
    expect(page.locator(".ee-time")).to_have_text(TIME)
    expect(page.get_by_role("progressbar", name="measuring")).to_be_hidden()
    found = TIME.search(page.locator(".ee-time").inner_text())
    assert found is not None
    median, low, high = (float(one) for one in found.groups()[:3])
    assert low <= median <= high
    return low, high


#: Moves a control at the moment at which a time arrives, so that the answer under way does not know it yet.
MEANWHILE = """const Plain = Worker;
window.Worker = class extends Plain {
  constructor(...of) {
    super(...of);
    this.addEventListener("message", ({ data }) => {
      if (!data.seconds) return;
      const field = document.querySelector("[data-setting=images]");
      field.value = [...field.options].find(option => option.value !== field.value).value;
      field.dispatchEvent(new Event("input"));
    });
  }
};"""


def test_a_time_stands_that_arrives_while_another_question_is_under_way(
    chrome: Browser, address: str
) -> None:
    with watched_page(chrome, 1280, 900) as page:
        page.add_init_script(MEANWHILE)
        page.goto(f"{address}/live/scaling_problem_lab.html#budget=0.4")
        images = page.locator("[data-setting=images]").input_value()
        expect(page.locator(".ee-time")).to_have_text(re.compile(f"{TIME.pattern}|Not measured"))
        page.wait_for_timeout(500)
        found_here(page)
        assert page.locator("[data-setting=images]").input_value() != images


def test_what_runs_is_cancelled_and_the_newest_setting_wins(page: Page) -> None:
    set_phi(page, 6)
    expect(page.locator(".ee-time")).to_contain_text("Measuring phi 6 here, with WASM")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".ee-time")).to_have_text("Cancelled. Measure begins again.")
    page.get_by_role("button", name="Measure").click()
    expect(page.locator(".ee-time")).to_contain_text("Measuring phi 6 here, with WASM")
    for phi in (5, 4, 0.2):
        set_phi(page, phi)
    time_at(page, 0.2)
    page.wait_for_timeout(1500)  # a worker that was stopped says nothing afterwards
    known, *_ = time_at(page, 0.2)
    page.get_by_role("button", name="Measure").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".ee-time")).to_contain_text(f"Cancelled. phi 0.2: {known:g} ms, WASM")


def test_a_time_that_arrives_leaves_alone_what_is_being_written(page: Page) -> None:
    set_phi(page, 0.6)
    field = page.get_by_role("textbox", name="phi")
    field.fill("0.4")
    time_at(page, 0.6)
    expect(field).to_have_value("0.4")
    field.press("Enter")
    time_at(page, 0.4)
    field.fill("99")
    field.press("Enter")
    expect(field).to_have_value("0.4")


def test_a_guess_comes_before_the_time_and_is_judged_by_it(page: Page) -> None:
    time, row = page.locator(".ee-time"), page.locator("form.ee-asking")
    set_phi(page, 0.2)
    time_at(page, 0.2)
    expect(row).to_be_hidden()
    page.get_by_role("button", name="Guess first").click()
    expect(page.get_by_role("button", name="Stop guessing")).to_be_visible()
    expect(row).to_be_hidden()  # this one was shown already
    set_phi(page, 0.7)
    expect(row).to_be_visible()
    expect(time).to_contain_text("Your guess first")
    expect(page.get_by_role("button", name="Measure")).to_be_disabled()
    expect(page.locator(".ee-figure.ee-measured:not(.ee-stale)")).to_have_count(0)
    field = page.get_by_role("textbox", name="How long does an image take here?")
    field.fill("soon")
    field.press("Enter")
    expect(page.locator(".ee-status")).to_contain_text("'soon' cannot be read as a number")
    handle = page.get_by_role("slider", name="Your guess, in ms")
    handle.focus()
    for _ in range(3):
        handle.press("PageDown")
    expect(handle).to_have_attribute("aria-valuetext", re.compile(r"^[\d.]+ ms$"))
    handle.press("Enter")
    expect(row).to_be_hidden()
    time_at(page, 0.7)
    verdict = page.locator(".ee-verdict")
    said = re.compile(r"It is [\d,.]+ ms; your guess is [\d.,]+( times|%) too (low|high)\.")
    expect(verdict).to_have_text(said)
    assert verdict.inner_text().removeprefix("○ ").removeprefix("✓ ") in time.inner_text()
    set_phi(page, 0.8)
    expect(row).to_be_visible()
    expect(verdict).to_have_count(0)
    expect(field).to_have_value("")
    page.get_by_role("button", name="Stop guessing").click()
    time_at(page, 0.8)
    expect(row).to_be_hidden()
    expect(verdict).to_have_count(0)


def test_the_address_leads_to_the_setting_on_the_screen(page: Page) -> None:
    page.get_by_label("network", exact=True).select_option("B1")
    expect(page).to_have_url(re.compile("#.*variant=B1"))
    asked = page.url
    set_phi(page, 0.1)
    expect(page).to_have_url(re.compile("#phi=0.1$"))
    page.goto(asked)  # as if the link were followed: the page begins anew
    expect(page.get_by_label("network", exact=True)).to_have_value("B1")
    expect(page.locator(".ee-code")).to_contain_text("variant='B1'")


def test_where_onnxruntime_cannot_be_had_the_page_says_so_and_keeps_the_recorded_run(
    chrome: Browser, address: str
) -> None:
    with opened(chrome, address, blocked="**/onnxruntime/*") as page:
        expect(page.locator(".ee-time")).to_contain_text("Not measured here: ")
        expect(page.locator(".ee-time")).to_contain_text("The recorded times stay.")
        record = next(iter(ee.studies.recorded_devices().values()))["networks"]
        expect(page.locator(".ee-lab")).to_contain_text(record.provenance.device, use_inner_text=True)
        set_phi(page, 2)
        expect(page.locator(".ee-code")).to_have_text("ee.labs.PhiLab(phi=2.0)")


@pytest.mark.thorough
@pytest.mark.timeout(3600)  # 121 measurements, and other programs may run beside them
def test_memory_is_flat_after_a_hundred_changes(chrome: Browser, page: Page) -> None:
    def used() -> float:
        """Return the memory of pages and workers in MiB."""
        found = chrome.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        return sum(
            Process(process["id"]).memory_info().rss / 2**20
            for process in found
            if process["type"] == "renderer"
        )

    used_at = {}
    for n in range(121):
        set_phi(page, n / 100)
        time_at(page, n / 100)
        if n in (20, 120):
            used_at[n] = used()
    assert used_at[120] < 1.2 * used_at[20]


@pytest.mark.thorough
def test_webgpu_is_an_engine_where_the_browser_has_it(chrome: Browser, address: str) -> None:
    flags = [flag for flag in FLAGS if flag != "--disable-gpu"]
    flags += ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
    with (
        chrome.browser_type.launch(executable_path=where("chromium"), args=flags) as with_gpu,
        opened(with_gpu, address, "#phi=0.0&device=WebGPU") as page,
    ):
        # Here a processor plays the GPU: a run takes some ten seconds.
        expect(page.locator(".ee-time")).to_contain_text(re.compile(r"[\d.]+ ms, WebGPU"), timeout=900_000)
        expect(page.get_by_label("engine")).to_have_value("WebGPU")


def test_without_webgpu_the_choice_is_closed_and_says_why(page: Page) -> None:
    option = page.get_by_label("engine").locator("option", has_text="WebGPU")
    expect(option).to_be_disabled()
    expect(option).to_have_attribute("label", "WebGPU (not in this browser)")
