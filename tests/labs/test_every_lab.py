"""What holds of every lab, found by the one list of them: their controls, their ends, and what they leave."""

import gc
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import traitlets
from jupyter_client.manager import start_new_kernel
from matplotlib.font_manager import FontProperties, findfont
from PIL import ImageFont

import effnet_edu as ee
from effnet_edu.labs.frame.controls import Choice, OnlyWhile, Several, Slider, Toggle
from effnet_edu.labs.frame.in_page import MOST_BYTES
from effnet_edu.labs.frame.layout import LOW, is_low
from effnet_edu.labs.frame.page import Page, exact
from effnet_edu.pictures.scene import Mark, Scene
from effnet_edu.pictures.styles import STYLES
from tests.cases import thorough_but_for

ROOT = Path(__file__).parents[2]
LABS = tuple(ee.labs.LABS)
#: Plain and bold, of 100 pixels; matplotlib brings them.
TYPEFACES = [
    ImageFont.truetype(findfont(FontProperties(family="DejaVu Sans", weight=weight)), 100)
    for weight in ("normal", "bold")
]


def controls(held: Any) -> Iterator[Any]:
    """Yield the single controls in a list of them, taken out of what groups or wraps them."""
    for control in held:
        inside = (control.control,) if isinstance(control, OnlyWhile) else getattr(control, "parts", ())
        yield from controls(inside) if inside else (control,)


def ends(control: Any, logic: Any) -> tuple[Any, ...]:
    """Return what a control can be moved to: both ends of a slider, every choice of a short list."""
    trait = logic.traits()[control.name]
    if isinstance(control, Slider):
        return logic.ends(control.name)
    if isinstance(control, Toggle):
        return False, True
    if isinstance(control, Several):
        return (), tuple(control.options)
    assert isinstance(control, Choice)
    given = control.options() if callable(control.options) else control.options
    options = [one for one in given or trait.values if one not in logic.barred().get(control.name, ())]
    return options[0], options[-1]


def move(logic: Any, control: Any, value: Any) -> None:
    barred = logic.barred().get(control.name, ())
    setattr(logic, control.name, tuple(n for n in value if n not in barred) if barred and value else value)


def most_held(logic: Any) -> int:
    """Return the bytes of weights and of the largest layer's maps of the networks that a page would time."""
    networks = (graph.arguments for graph in logic.timed_graphs(logic.setting))
    return max(
        (
            4 * (cost.parameters + batch_size * max(row.elements_in + row.activations for row in cost.layers))
            for cost, batch_size in ((ee.cost(of[0]), of[1]) for of in networks if len(of) == 3)
        ),
        default=0,
    )


def test_what_is_too_large_for_a_page_is_told_and_not_timed() -> None:
    page = Page("PhiLab").logic
    assert page.waiting()
    page.phi, page.gamma = 7.0, 1.5
    assert not page.waiting()
    assert "weights and the largest maps take 5.5 GiB, and a page may hold 2." in page.untimed(page.setting)
    page = Page("BenchmarkLab").logic
    every = len(page.waiting())
    page.batch_size = 256
    assert 0 < len(page.waiting()) < every
    page.batch_size = 1024
    assert not page.waiting()
    assert page.untimed(page.setting).startswith("Too large to be timed here")


@pytest.mark.parametrize("name", LABS)
def test_no_control_reaches_what_numbers_and_picture_cannot(name: str, unmeasured: None) -> None:
    """Every control at both ends, and every two of them, as the hand does it: one after the other."""
    lab_class = getattr(ee.labs, name)
    made = {control.name: control for control in controls(lab_class.CONTROLS) if control.name != "device"}
    base = lab_class.LOGIC(device="cpu").setting
    for logic in (lab_class.LOGIC(device="cpu"), Page(name).logic):
        seen = set()
        held = [one for one in made.values() if logic.MEASURES or one.name not in logic.MEASURED_ONLY]
        for first, second in itertools.combinations(held, 2):
            for one, other in itertools.product((0, 1), repeat=2):
                with logic.together():
                    for setting in filter(lambda name: name != "device", logic.names()):
                        setattr(logic, setting, getattr(base, setting))
                move(logic, first, ends(first, logic)[one])
                move(logic, second, ends(second, logic)[other])
                assert logic.setting == logic._chosen()
                if logic.setting not in seen:
                    seen.add(logic.setting)
                    assert logic.numbers(logic.setting)
                    screen = logic.screen()
                    assert screen.finding
                    assert screen.whole.marks
                    assert logic.in_words()
                    assert logic.MEASURES or most_held(logic) <= MOST_BYTES
        assert len(seen) > 2 * len(held)


def _movable(lab_class: Any, logic: Any) -> list[Any]:
    """Return the controls that a notebook or a page has, but for the choice of a device."""
    left_out = {"device", *(() if logic.MEASURES else logic.MEASURED_ONLY)}
    return [control for control in controls(lab_class.CONTROLS) if control.name not in left_out]


def _set_back(logic: Any, base: Any) -> None:
    with logic.together():
        for setting in filter(lambda name: name != "device", logic.names()):
            setattr(logic, setting, getattr(base, setting))


def _looks(style: str) -> dict[str, Any]:
    """Return the properties of a mark's styles; a later one of the style sheet wins, as on a page."""
    return {k: v for name in STYLES if name in style.split() for k, v in STYLES[name].items()}


def written(scene: Scene) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Yield all words of a picture, and left, top, right and bottom, in a font that is wider than most."""
    for mark in (mark for mark in scene.marks if mark.shape == "text" and "on-lit" not in mark.style):
        rule = _looks(mark.style)
        width, size = 0.0, rule.get("font-size", 12)
        for words, style in mark.text:
            of_piece = rule | _looks(style)
            is_bold = of_piece.get("font-weight", 400) >= 600
            width += of_piece.get("font-size", 12) * TYPEFACES[is_bold].getlength(words) / 100
        left = mark.place[0] - width * {"middle": 0.5, "end": 1}.get(rule.get("text-anchor", ""), 0)
        if width and not {"while-still", "while-playing"} & {*mark.style.split()}:
            box = (left, mark.place[1] - 0.73 * size, left + width, mark.place[1] + 0.2 * size)
            yield "".join(words for words, _ in mark.text), box


def misplaced(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield the words that stand partly beyond their picture, and pairs that stand on each other."""
    boxes = list(written(scene))
    for words, (left, _, right, _) in boxes:
        if max(-left, right - scene.width) > 8:
            yield words, "beyond the picture"
    for (words, a), (others, b) in itertools.combinations(boxes, 2):
        if min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) - max(a[1], b[1]) > 1:
            yield words, others


def covered(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield the words that stand on a marker or below it, with the marker."""
    small = [
        (mark.key, box)
        for mark in scene.marks
        if mark.shape in ("circle", "area") and not {"touch", "halo", "ring", "ghost"} & {*mark.style.split()}
        if max((box := _around(mark))[2] - box[0], box[3] - box[1]) < 24
    ]
    for words, a in written(scene):
        for key, b in small:
            if min(a[2], b[2]) - max(a[0], b[0]) > 2 and min(a[3], b[3]) - max(a[1], b[1]) > 2:
                yield words, key


def _around(mark: Mark) -> tuple[float, float, float, float]:
    if mark.shape == "circle":
        x, y, radius = mark.place
        return x - radius, y - radius, x + radius, y + radius
    across, upright = mark.place[::2], mark.place[1::2]
    return min(across), min(upright), max(across), max(upright)


@pytest.mark.parametrize("name", LABS)
def test_no_words_stand_on_a_marker(name: str, unmeasured: None) -> None:
    """As a reader first sees each lab, from a phone to a projector."""
    for logic in (getattr(ee.labs, name).LOGIC(device="cpu"), Page(name).logic):
        for room in (254, 324, 640, 910, 1340, 1800):
            logic.room = room
            screen = logic.screen()
            assert [*covered(screen.picture), *covered(screen.charts)] == [], (room, logic.MEASURES)


def shown(logic: Any) -> Iterator[Any]:
    """Yield a lab at rest, before an A that was something else, and while it asks for a guess."""
    yield logic.screen()
    logic.pinned, logic.predicts = logic.A, False
    yield logic.screen()
    logic.pinned, logic.predicts = None, True
    yield logic.screen()
    logic.predicts = False


@pytest.mark.parametrize("room", thorough_but_for([254, 960], [254, 300, 340, 600, 760, 960, 1240, 1800]))
@pytest.mark.parametrize("name", LABS)
def test_no_words_stand_on_others_or_beyond_their_picture(name: str, room: int, unmeasured: None) -> None:
    """From a phone on, at both ends of every control; a title that fits one setting may not fit another."""
    lab_class = getattr(ee.labs, name)
    base = lab_class.LOGIC(device="cpu").setting
    for logic in (lab_class.LOGIC(device="cpu"), Page(name).logic):
        logic.room, logic.A = room, logic.setting
        for control in _movable(lab_class, logic):
            for end in (0, 1):
                _set_back(logic, base)
                move(logic, control, ends(control, logic)[end])
                for screen in shown(logic):
                    for scene in (screen.picture, screen.charts):
                        assert list(misplaced(scene)) == [], (control.name, end, logic.pinned, logic.predicts)


@pytest.mark.thorough
@pytest.mark.parametrize("room", [254, 640, 1240])
@pytest.mark.parametrize("name", LABS)
def test_no_words_stand_on_others_at_the_ends_of_two_controls(name: str, room: int, unmeasured: None) -> None:
    lab_class = getattr(ee.labs, name)
    base = lab_class.LOGIC(device="cpu").setting
    for logic in (lab_class.LOGIC(device="cpu"), Page(name).logic):
        logic.room = room
        for pair in itertools.combinations(_movable(lab_class, logic), 2):
            for at in itertools.product((0, 1), repeat=2):
                _set_back(logic, base)
                for control, end in zip(pair, at, strict=True):
                    move(logic, control, ends(control, logic)[end])
                screen = logic.screen()
                found = [*misplaced(screen.picture), *misplaced(screen.charts)]
                assert found == [], ([control.name for control in pair], at)


@pytest.mark.parametrize("name", LABS)
def test_a_number_is_read_as_people_write_it_and_nothing_else_changes_anything(
    name: str, unmeasured: None
) -> None:
    """In a notebook and on the page alike, for every slider."""
    lab = getattr(ee.labs, name)(device="cpu")
    page = Page(name)
    registry: Any = ipywidgets.widgets.widget._instances
    sliders = [one for one in controls(lab.CONTROLS) if isinstance(one, Slider)]
    for slider in sliders:
        css, trait = f"ee-{slider.name.replace('_', '-')}-field", lab.logic.traits()[slider.name]
        field = [one for one in registry.values() if css in getattr(one, "_dom_classes", ())][-1]
        before = getattr(lab.logic, slider.name)
        low, high = lab.logic.ends(slider.name)
        for words in ("nan", f"{high + 1}", f"{low - 1:g}", "x" * 5000, "", "inf"):
            field.value = words
            assert getattr(lab.logic, slider.name) == before
            assert field.value == f"{before:g}"
            said = lab.logic.status.message
            assert said.startswith(f"{slider.label or slider.name} is ")
            assert f"from {low:g} to {high:g}." in said
            assert len(said) < 320
        if slider.name in page.logic.MEASURED_ONLY:
            continue
        sent = json.dumps({"changed": {slider.name: f"{high + 1}"}, "press": ""})
        answer = json.loads(page.answer(sent))
        assert (
            f"it must be a {'whole ' if isinstance(trait, traitlets.Int) else ''}number" in answer["refused"]
        )
        assert answer["setting"][slider.name] == getattr(page.logic, slider.name)
    lab.close()


def test_a_refused_setting_leaves_nothing_that_fails_later(monkeypatch: pytest.MonkeyPatch) -> None:
    ignored: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    for name in LABS:
        with pytest.raises(TypeError, match="has no setting 'nonsense'"):
            getattr(ee.labs, name)(nonsense=1)
    gc.collect()
    assert not ignored


@pytest.mark.parametrize("name", LABS)
def test_nan_is_in_no_range(name: str) -> None:
    logic = exact(name)
    for setting in logic.names():
        if isinstance(logic.class_traits()[setting], traitlets.Float | traitlets.Int):
            with pytest.raises(traitlets.TraitError, match=f"{setting} is nan; it must be a .*number from"):
                logic(**{setting: float("nan")})


@pytest.mark.parametrize("name", LABS)
def test_what_a_page_sends_is_a_value_or_refused_and_the_lab_stays_whole(name: str, unmeasured: None) -> None:
    logic = getattr(ee.labs, name).LOGIC(device="cpu")
    for setting in (*logic.names(), "opened"):
        for value in (10**400, -(10**400), True, 2.0, "2", None, [1], {}, 1e308):
            before = logic.setting
            try:
                logic.touch({setting: value})
            except (traitlets.TraitError, ValueError) as error:
                assert len(str(error)) < 450  # noqa: PT017 - it may also be taken
                assert logic.setting == before
            else:
                logic.screen()
                logic.numbers(logic.setting)
            assert logic.setting == logic._chosen()
    logic.touch({"opened": 0})
    logic.csv()


@pytest.mark.parametrize("name", LABS)
def test_a_closed_lab_leaves_no_widget(name: str, unmeasured: None) -> None:
    registry: Any = ipywidgets.widgets.widget._instances
    getattr(ee.labs, name)(device="cpu").close()
    before = len(registry)
    getattr(ee.labs, name)(device="cpu").close()
    assert len(registry) == before


@pytest.mark.parametrize("name", LABS)
def test_threads_that_change_one_lab_come_one_after_the_other(name: str, unmeasured: None) -> None:
    logic = getattr(ee.labs, name).LOGIC(device="cpu")
    sliders = [one for one in controls(getattr(ee.labs, name).CONTROLS) if isinstance(one, Slider | Choice)]
    moves = [(one, value) for one in sliders if one.name != "device" for value in ends(one, logic)]
    failed: list[BaseException] = []

    def change(order: list[Any]) -> None:
        try:
            for control, value in order:
                with logic.lock:  # the ends of one control may depend on another
                    allowed = ends(control, logic)
                if value in allowed:
                    move(logic, control, value)
        except (ValueError, IndexError, RuntimeError, KeyError, traitlets.TraitError) as error:
            failed.append(error)

    quick = moves if name in ("SqueezeExciteLab", "BenchmarkLab") else moves[:6]
    orders = [quick * 6, list(reversed(quick)) * 6, quick[::2] * 12]
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=change, args=(order,)) for order in orders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(0.005)
    assert [error for error in failed if not isinstance(error, traitlets.TraitError)] == []
    assert logic.setting == logic._chosen()
    assert logic.numbers(logic.setting)


END = """
import sys, time
import effnet_edu as ee
lab = ee.labs.{name}(device="cpu")
lab.logic.request()
while lab.logic.status.state != "measuring":
    time.sleep(0.01)
time.sleep(0.3)
print("the end")
"""


@pytest.mark.parametrize("name", thorough_but_for(LABS[:1], LABS))
def test_a_script_that_ends_while_a_lab_measures_ends_cleanly(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", END.format(name=name)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "the end\n", "")


COUNT = """
import json, threading, ipywidgets
measuring = [thread.name for thread in threading.enumerate() if thread.name.startswith("effnet-edu")]
print(json.dumps([len(ipywidgets.widgets.widget._instances), len(measuring)]))
"""


@pytest.mark.thorough
def test_a_cell_that_runs_again_ends_the_lab_that_it_made_before() -> None:
    """In a real kernel: the old lab gives the device back, and no widget of it is left."""
    manager, client = start_new_kernel()

    def run(code: str) -> str:
        said: list[str] = []
        answer = client.execute_interactive(
            code, timeout=200, output_hook=lambda message: said.append(message["content"].get("text", ""))
        )
        assert answer["content"]["status"] == "ok", answer["content"]
        return "".join(said)

    try:
        counted = []
        for name in LABS:
            cell = f"import effnet_edu as ee\nlab = ee.labs.{name}(device='cpu')\nlab.logic.request()\nlab"
            run(cell)
            run(f"{name} = lab")
            first, _ = json.loads(run(COUNT))
            run(cell)
            again, _ = json.loads(run(COUNT))
            counted.append((name, again - first))
            assert json.loads(run(f"import json; print(json.dumps({name}.logic.status.is_busy))")) is False
            run("lab.close()")
            run(f"{name}.logic.wait(120) and lab.logic.wait(120)")
        _, measuring = json.loads(run(COUNT))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert counted == [(name, 0) for name in LABS]
    assert measuring == 0


@pytest.mark.parametrize("name", LABS)
@pytest.mark.parametrize("room", [760, 814, 1299])
def test_pictures_are_low_where_the_screen_is(name: str, room: int, unmeasured: None) -> None:
    """On a laptop, beside the list of files, a lab has to fit without scrolling."""
    logic = getattr(ee.labs, name).LOGIC(device="cpu")
    logic.room = room
    screen = logic.screen()
    assert is_low(room)
    assert screen.picture.height + screen.charts.height <= LOW
