"""The site in a browser: whole, without a network, on a phone, for everybody, and alive."""

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlparse

import pytest
from playwright.sync_api import Browser, Page, expect

import effnet_edu as ee
from effnet_edu.labs.phi.numbers import giga, mega
from tests.browser.jupyter import watched_page
from tests.cases import thorough_but_for
from website.lessons import LIVE, lessons

pytestmark = pytest.mark.browser

#: One page of each kind, the shorter where there is a choice: axe looks at each word.
KINDS = (
    *("index", "lessons/05_efficientnet_v2", "live/v2_lab", "api/published", "results/scaling"),
    *("docs/class", "search", "live/photograph"),
)
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE = (390, 844)
LIVE_CLASS = {page: getattr(ee.labs, lab) for lab, page in LIVE.items()}


@contextmanager
def offline(chrome: Browser, address: str, size: tuple[int, int] = (1280, 900)) -> Iterator[Page]:
    """A page that reaches the site alone; afterwards it asked for nothing else, and complained of nothing."""
    with watched_page(chrome, *size) as page:
        page.context.route("**/*", lambda route: _pass(route, address))
        yield page
        assert page.outside == []  # type: ignore[attr-defined]
        assert page.complaints == []  # type: ignore[attr-defined]


def _pass(route: Any, address: str) -> None:
    if route.request.url.startswith((address, "data:", "blob:")):
        route.continue_()
    else:
        route.abort()


class Html(HTMLParser):
    """What a page links to, what it loads, and the places in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if place := found.get("id"):
            self.places.add(place)
        if tag == "a" and (target := found.get("href")):
            self.links.append(target)
        if tag in ("img", "script", "link", "iframe", "source") and (
            target := found.get("src") or found.get("href")
        ):
            self.loads.append(target)


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Html]:
    return {
        path.relative_to(site).as_posix(): Html(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.parts
    }


def test_every_lesson_is_there_and_the_first_page_leads_to_it(pages: dict[str, Html]) -> None:
    for lesson in lessons():
        name = f"lessons/{lesson.path.stem}.html"
        assert name in pages
        assert name in pages["index.html"].links


def test_no_link_is_broken_and_nothing_is_loaded_from_outside(site: Path, pages: dict[str, Html]) -> None:
    broken = []
    for name, page in pages.items():
        for target in [*page.links, *page.loads]:
            if target.startswith(("data:", "mailto:")):
                continue
            if urlparse(target).scheme or target.startswith("//"):
                assert target not in page.loads, f"{name} loads {target}"
                continue
            path, _, place = urljoin(name, target).partition("#")
            path = unquote(path.partition("?")[0])
            is_there = (site / path).is_file()
            is_place = place and "=" not in place  # settings of a lab are none
            if not is_there or (is_place and path in pages and unquote(place) not in pages[path].places):
                broken.append((name, target))
    assert broken == []


def test_every_public_name_has_an_entry(pages: dict[str, Html]) -> None:
    places = set().union(*(page.places for name, page in pages.items() if name.startswith("api/")))
    missing = [
        name
        for name in ee.__all__
        if not inspect.ismodule(getattr(ee, name)) and f"effnet_edu.{name}" not in places
    ]
    assert missing == []


def test_no_page_is_wider_than_a_phone(chrome: Browser, address: str, pages: dict[str, Html]) -> None:
    wide = []
    with offline(chrome, address, PHONE) as page:
        for name in pages:
            if name.startswith("slides/"):
                continue
            page.goto(f"{address}/{name}")
            over = page.evaluate(
                "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if over > 0:
                wide.append((name, over))
    assert wide == []


@pytest.mark.parametrize("theme", thorough_but_for(("light",), ("light", "dark")))
def test_axe_finds_nothing_serious(chrome: Browser, address: str, theme: str) -> None:
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text()
    found = {}
    with offline(chrome, address) as page:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        for name in KINDS if theme == "light" else KINDS[:4]:  # in the dark, contrast alone differs
            page.goto(f"{address}/{name}.html")
            if name.endswith("_lab"):
                page.locator(".ee-lab[data-live=ready]").wait_for()
            page.evaluate(axe)
            page.evaluate(
                """tags => { window.found = null;
                axe.run('body', {runOnly: tags, resultTypes: ['violations'], iframes: false})
                .then(result => { window.found = result.violations }) }""",
                STANDARDS if theme == "light" else ["color-contrast", "link-in-text-block"],
            )
            page.wait_for_function("() => window.found !== null")
            violations = page.evaluate(
                "() => found.filter(v => ['serious', 'critical'].includes(v.impact))"
                ".map(v => [v.id, v.nodes.map(n => n.html.slice(0, 120)).slice(0, 3)])"
            )
            if violations:
                found[name] = violations
    assert found == {}


def test_formulas_are_drawn_by_the_browser(chrome: Browser, address: str) -> None:
    with offline(chrome, address) as page:
        page.goto(f"{address}/lessons/02_compound_scaling.html")
        formulas = page.locator("math")
        assert formulas.count() >= 4
        assert all(
            (formulas.nth(n).bounding_box() or {"width": 0})["width"] > 5 for n in range(formulas.count())
        )
        assert "$" not in page.locator("article").evaluate(
            "article => [...article.querySelectorAll('p, li')].map(part => part.textContent).join(' ')"
        )


def test_the_search_finds_a_lesson_and_a_name_of_the_library(chrome: Browser, address: str) -> None:
    with offline(chrome, address) as page:
        for words, expected in (
            ("rounding channels", "02 Compound scaling"),
            ("profile_layers", "profile_layers"),
        ):
            page.goto(f"{address}/search.html?q={words}")
            expect(page.locator("ul.search li a").first).to_be_visible()
            assert any(expected in title for title in page.locator("ul.search li a").all_inner_texts())


def test_theme_is_switched_and_kept(chrome: Browser, address: str) -> None:
    with offline(chrome, address) as page:
        page.emulate_media(color_scheme="light")
        page.goto(f"{address}/index.html")
        paper = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        for _ in range(2):  # the order is automatic, light, dark, or the other way round
            page.locator("button.theme-toggle:visible").first.click()
            if page.evaluate("() => getComputedStyle(document.body).backgroundColor") != paper:
                break
        dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert dark != paper
        page.goto(f"{address}/api/index.html")
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == dark


# Live


@contextmanager
def live(chrome: Browser, address: str, name: str) -> Iterator[Page]:
    with offline(chrome, address) as page:
        page.goto(f"{address}/live/{name}.html")
        page.locator(".ee-lab[data-live=ready]").wait_for()
        yield page


@pytest.fixture(scope="module")
def opened_phi(chrome: Browser, address: str) -> Iterator[Page]:
    with live(chrome, address, "phi_lab") as page:
        yield page


@pytest.fixture
def phi(opened_phi: Page) -> Page:
    """The phi lab as a reader finds it; it is loaded once, and one that a failed test left is put right."""
    opened_phi.keyboard.press("Escape")
    opened_phi.get_by_role("button", name="Reset").click()
    expect(opened_phi.locator(".ee-code")).to_have_text("ee.labs.PhiLab(phi=1.0)")
    return opened_phi


def shown(page: Page) -> dict[str, str]:
    """Return all numbers of the lab with their units, by name."""
    if page.locator(".ee-lab details.ee-all").count():
        page.locator(".ee-lab details.ee-all").evaluate("all => { all.open = true }")
        rows = [row.split("\t") for row in page.locator(".ee-lab table.ee-full tr").all_inner_texts()]
        return {name: f"{value} {unit}".strip() for name, value, unit, *_ in rows}
    rows = page.locator(".ee-lab table.ee-numbers tr").all_inner_texts()
    return dict(row.split("\t")[:2] for row in rows if "\t" in row)


def test_the_first_page_plays_until_it_is_touched(chrome: Browser, address: str) -> None:
    with offline(chrome, address) as page:
        page.goto(f"{address}/index.html")
        said = page.locator(".front output")
        expect(said).to_contain_text("phi 1:")
        page.get_by_role("slider", name="phi").focus()
        page.keyboard.press("End")
        largest = ee.cost(ee.compound(7))
        expect(said).to_have_text(f"phi 7: {giga(largest.macs)} MACs, {mega(largest.parameters)} parameters")
        page.wait_for_timeout(2000)  # longer than one step of the play
        expect(said).to_contain_text("phi 7:")


def test_the_first_page_is_still_where_motion_is_reduced(chrome: Browser, address: str) -> None:
    with offline(chrome, address) as page:
        page.emulate_media(reduced_motion="reduce")
        page.goto(f"{address}/index.html")
        expect(page.get_by_role("slider", name="phi")).to_be_enabled()
        page.wait_for_timeout(2000)
        expect(page.locator(".front output")).to_contain_text("phi 0:")


def test_a_reader_moves_phi_by_keyboard_and_the_numbers_are_those_of_the_library(phi: Page) -> None:
    phi.get_by_role("slider", name="phi", exact=True).focus()
    for key, value in (("ArrowRight", 1.1), ("End", 7.0), ("Home", 0.0)):
        phi.keyboard.press(key)
        expect(phi.locator(".ee-code")).to_have_text(
            f"ee.labs.PhiLab(phi={value})" if value else "ee.labs.PhiLab()"
        )
        counted = ee.cost(ee.compound(value))
        assert shown(phi)["MACs"] == giga(counted.macs)
        assert shown(phi)["parameters"] == mega(counted.parameters)
        expect(phi.locator(".ee-status")).to_contain_text(f"{giga(counted.macs)} MACs")
        assert f"{ee.compound(value).resolution} px" in shown(phi)["input side"]
        assert giga(counted.macs) in (phi.locator(".ee-lab svg").last.get_attribute("aria-label") or "")


def test_a_presenter_shows_picture_control_and_number_by_keyboard(phi: Page) -> None:
    phi.set_viewport_size({"width": 1280, "height": 720})
    phi.get_by_role("slider", name="phi", exact=True).focus()
    phi.keyboard.press("p")
    expect(phi.locator(".ee-lab.ee-large .ee-hero svg")).to_be_visible()
    expect(phi.locator(".ee-lab .ee-control:visible")).to_have_count(1)
    expect(phi.locator(".ee-lab .ee-figure:visible")).to_have_count(1)
    expect(phi.get_by_role("button", name="Normal text")).to_be_visible()
    tops = phi.evaluate(  # in one piece: an answer of the lab writes the finding anew
        "() => ['.ee-finding', '.ee-button-size'].map("
        "name => document.querySelector(`.ee-lab ${name}`).getBoundingClientRect().top)"
    )
    assert abs(tops[0] - tops[1]) < 24
    assert phi.locator(".ee-lab").evaluate("lab => lab.scrollHeight <= lab.clientHeight + 1")
    phi.keyboard.press("Escape")
    expect(phi.locator(".ee-lab.ee-large")).to_have_count(0)
    expect(phi.get_by_role("button", name="Present")).to_have_attribute("aria-pressed", "false")


# What looks untidy in a live lab: blocks that touch, unlike cards in a row, a list below its name.
UNTIDY = """() => {
    const found = [], boxes = name => [...document.querySelectorAll(`.ee-lab ${name}`)]
        .map(one => one.getBoundingClientRect()).filter(box => box.height);
    const blocks = ['.ee-hero', '.ee-control', '> .ee-numbers', '.ee-charts'].map(boxes);
    for (let n = 1; n < blocks.length; n += 1) {
        const above = Math.max(...blocks[n - 1].map(box => box.bottom));
        const gap = Math.min(...blocks[n].map(box => box.top)) - above;
        if (gap < 4) found.push(`block ${n} begins ${gap} px below the last`);
    }
    const cards = boxes('.ee-control:has([type=range])');
    for (const one of cards) for (const other of cards)
        if (one.bottom > other.top && other.bottom > one.top && Math.abs(one.height - other.height) > 1)
            found.push(`cards of ${one.height} and ${other.height} px in a row`);
    for (const list of document.querySelectorAll('.ee-lab .ee-control select')) {
        const name = list.labels[0].getBoundingClientRect(), box = list.getBoundingClientRect();
        if (box.height && box.top > name.bottom) found.push(`${list.labels[0].textContent} above its list`);
    }
    return found }"""


@pytest.mark.parametrize("width", thorough_but_for([390, 1280], [390, 800, 1280, 1920]))
def test_rows_of_a_lab_are_tidy(chrome: Browser, address: str, width: int) -> None:
    with offline(chrome, address, (width, 900)) as page:
        for lab in LIVE.values():
            page.goto(f"{address}/live/{lab}.html")
            assert page.evaluate(UNTIDY) == [], lab


def test_a_burst_of_keys_ends_at_the_last_one(phi: Page) -> None:
    phi.get_by_role("slider", name="phi", exact=True).focus()
    for _ in range(30):
        phi.keyboard.press("ArrowRight")
    expect(phi.locator(".ee-code")).to_have_text("ee.labs.PhiLab(phi=4.0)")
    assert shown(phi)["MACs"] == giga(ee.cost(ee.compound(4.0)).macs)


def test_a_published_network_takes_its_own_numbers_and_two_stand_beside_each_other(phi: Page) -> None:
    phi.get_by_role("button", name="Pin as A").click()
    expect(phi.locator(".ee-aside")).to_contain_text("B is still A")
    phi.get_by_label("network", exact=True).select_option("B4")
    expect(phi.locator(".ee-aside")).to_contain_text("becomes published B4")
    expect(phi.locator("table.ee-compared caption")).to_contain_text("B: published B4")
    phi.get_by_role("button", name="Forget A").click()
    expect(phi.locator("table.ee-compared")).to_have_count(0)
    assert shown(phi)["parameters"] == mega(ee.cost("efficientnet_b4").parameters)
    assert shown(phi)["MACs, paper"]


def test_a_typed_number_is_read_as_people_write_it_and_refused_in_a_sentence(phi: Page) -> None:
    field = phi.get_by_role("textbox", name="phi")
    for words, value in (("1,7", 1.7), ("99", 1.7), ("nan", 1.7), ("2.5", 2.5)):
        field.fill(words)
        field.press("Enter")
        expect(field).to_have_value(f"{value}")
        expect(phi.locator(".ee-code")).to_have_text(f"ee.labs.PhiLab(phi={value})")
        if words in ("99", "nan"):
            said = f"phi is '{words}'; it must be a number from 0 to 7."
            expect(phi.locator(".ee-status")).to_have_text(said)


def test_times_are_those_of_the_recorded_run(phi: Page) -> None:
    record = next(iter(ee.studies.recorded_devices().values()))["networks"]
    expect(phi.locator(".ee-aside")).to_contain_text(record.provenance.device, use_inner_text=True)
    expect(phi.locator(".ee-lab polygon.measured")).to_have_count(
        sum(row["network"].startswith("efficientnet_b") for row in record.data["rows"])
    )


def spend_more(page: Page) -> dict[str, Any]:
    page.get_by_role("slider", name="budget", exact=True).press("ArrowRight")
    return {"budget": 2.0}


def expand_less(page: Page) -> dict[str, Any]:
    page.get_by_role("slider", name="expand").press("ArrowLeft")
    page.get_by_label("kernel", exact=True).select_option("5")
    return {"expansion": 5, "kernel": 5}


def look_at_an_early_block(page: Page) -> dict[str, Any]:
    page.get_by_label("block", exact=True).select_option("stages.0.0")
    return {"block": "stages.0.0"}


def fuse_two(page: Page) -> dict[str, Any]:
    for stage in ("stage 2", "stage 1"):
        page.get_by_role("checkbox", name=stage).press("Space")
    return {"fused": (1, 2)}


def compare_by_macs(page: Page) -> dict[str, Any]:
    page.get_by_label("compare", exact=True).select_option("MACs")
    expect(page.locator(".ee-code")).to_contain_text("across='MACs'")  # by then it is another slider
    page.get_by_role("slider", name="budget", exact=True).press("ArrowRight")
    return {"across": "MACs", "most_macs": 2.1}


@pytest.mark.parametrize(
    ("name", "move"),
    [
        ("v2_lab", fuse_two),
        ("benchmark_lab", compare_by_macs),
        pytest.param("scaling_problem_lab", spend_more, marks=pytest.mark.thorough),
        pytest.param("mbconv_lab", expand_less, marks=pytest.mark.thorough),
        pytest.param("squeeze_excite_lab", look_at_an_early_block, marks=pytest.mark.thorough),
    ],
)
def test_a_lab_is_alive_without_a_server_and_says_what_the_library_says(
    chrome: Browser, address: str, name: str, move: Callable[[Page], dict[str, Any]]
) -> None:
    with live(chrome, address, name) as page:
        settings = move(page)
        logic = LIVE_CLASS[name].LOGIC
        lab = logic(device="cpu", **logic.START, **settings)
        expect(page.locator(".ee-code")).to_have_text(lab.code())
        said = {n.name: str(n) for part in lab.numbers(lab.setting) for n in part.numbers if not n.is_detail}
        found = {number: value for number, value in shown(page).items() if number in said}
        assert len(found) >= 5
        assert found == {number: said[number] for number in found}
        page.get_by_role("button", name="Reset").click()
        expect(page.locator(".ee-code")).to_have_text(logic(device="cpu", **logic.START).code())


def test_without_python_the_still_picture_stays(chrome: Browser, address: str) -> None:
    with watched_page(chrome) as page:
        page.context.route("**/worker.js", lambda route: route.abort())
        page.goto(f"{address}/live/phi_lab.html")
        page.locator(".ee-lab[data-live=still]").wait_for()
        expect(page.locator(".ee-status")).to_contain_text("the picture stays still")
        expect(page.locator(".ee-lab svg[role=img]")).to_have_count(2)
        assert shown(page)["MACs"] == giga(ee.cost(ee.compound(1.0)).macs)
        expect(page.get_by_role("slider", name="phi", exact=True)).to_be_disabled()


# Slides


@pytest.mark.parametrize(
    "lesson", thorough_but_for(lessons()[2:3], lessons()), ids=lambda lesson: lesson.path.stem
)
def test_a_deck_opens_from_its_file_alone(chrome: Browser, site: Path, lesson: Any) -> None:
    """Each slide fits, and the speaker has something to say."""
    with watched_page(chrome, 1280, 720) as page:
        page.context.route("http*://**", lambda route: route.abort())
        page.goto((site / "slides" / f"{lesson.path.stem}.html").as_uri())
        page.wait_for_function("() => window.Reveal?.isReady()")
        assert page.evaluate("() => Reveal.getTotalSlides()") >= 10
        assert lesson.claim[:40] in page.locator("section.present").inner_text()
        over = page.evaluate(
            """() => Reveal.getSlides().map((slide, n) => {
                Reveal.slide(n);
                const title = slide.querySelector('h1, h2, p')?.textContent.slice(0, 40);
                return [n + 1, title, slide.scrollHeight - slide.clientHeight];
            }).filter(slide => slide[2] > 0)"""
        )
        assert over == []
        notes = page.evaluate(
            "() => Reveal.getSlides().map(slide => Reveal.getSlideNotes(slide).trim().length)"
        )
        assert sum(length > 0 for length in notes) >= len(notes) / 3
        assert page.outside == []  # type: ignore[attr-defined]
        assert page.complaints == []  # type: ignore[attr-defined]


def test_exercises_and_their_solutions_are_on_no_slide(site: Path) -> None:
    for lesson in lessons():
        deck = (site / "slides" / f"{lesson.path.stem}.html").read_text(encoding="utf-8")
        text = re.sub(r"<[^>]+>", "", deck)
        assert "Not attempted" not in text
        assert "ee.exercises.get(" not in text


def test_a_lab_moves_on_its_slide(chrome: Browser, address: str) -> None:
    with offline(chrome, address) as page:
        page.goto(f"{address}/slides/02_compound_scaling.html")
        page.wait_for_function("() => window.Reveal?.isReady()")
        page.evaluate("() => Reveal.slide(Reveal.getSlides().findIndex(n => n.querySelector('.ee-embed')))")
        page.get_by_role("button", name="Move it here").click()
        lab = page.frame_locator(".ee-embed iframe").locator(".ee-lab[data-live=ready]")
        lab.wait_for()
        over = lab.evaluate(
            "lab => lab.getBoundingClientRect().bottom - lab.ownerDocument.defaultView.innerHeight"
        )
        assert over <= 0
