"""Labs in a page without a kernel: what is exact is counted there, and a recorded run stands beside it.

They run in the reader's browser, where there is Python without torch; they speak JSON with the page, which
times the graphs that a lab has for it.
"""

import json
from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import traitlets

from effnet_edu.ground.checks import quoted
from effnet_edu.labs import LABS
from effnet_edu.labs.frame.browser_measuring import BrowserMeasuring
from effnet_edu.labs.frame.layout import (
    NARROWEST,
    WIDEST,
    LiveScreen,
    all_numbers,
    figures,
    said,
)
from effnet_edu.labs.frame.logic import LabLogic
from effnet_edu.labs.frame.settings import read_number

if TYPE_CHECKING:
    from effnet_edu.labs.frame.in_page import TimedGraph


def exact(lab: str) -> type[LabLogic[Any, Any]]:
    """Return the exact logic of a lab: of `PhiLab` the class `PhiLogic` in the `exact.py` of its folder."""
    module = import_module(f"effnet_edu.labs.{LABS[lab]}.exact")
    logic: type[LabLogic[Any, Any]] = getattr(module, f"{lab.removesuffix('Lab')}Logic")
    return logic


def in_a_browser(lab: str) -> BrowserMeasuring[Any, Any]:
    """Return the logic of a lab as its page begins: exact, and timed where it has graphs to run."""

    class Timed(BrowserMeasuring[Any, Any], exact(lab)):  # type: ignore[misc]
        """The exact logic with a browser that measures."""

    return Timed(**Timed.START)


class Page:
    """Answers a page: what was moved in, picture and numbers out.

    Args:
        lab: Name of its class, one of `LABS`.
        link: Settings to begin with, as the end of an address has them: `"phi=2.3&alpha=1.1"`.
    """

    def __init__(self, lab: str, link: str = "") -> None:
        self.logic = in_a_browser(lab)
        self._start = asdict(self.logic.setting)
        self._handed_out: tuple[Any, TimedGraph] | None = None
        self._refused = self._follow(link) if link else ""

    def first(self, room: int = 0) -> str:
        """Return what the page shows at first, as JSON; `room` is how wide a picture may be, 0 if unknown."""
        self._take(room)
        return json.dumps(self.shown())

    def answer(self, request: str) -> str:
        """Return what the page shows after a change, as JSON.

        Args:
            request: JSON with `changed`, the settings that were moved with their new values, `press`, a
                button: `"pin"`, `"ask"`, `"measure"` (once more), `"reset"` or nothing, `timed`, what
                `BrowserMeasuring.keep` takes of the graph that was handed out last, if something was timed,
                and `room`, how wide a picture may be, if that is known.
        """
        asked = json.loads(request)
        self._refused = ""
        self._take(asked.get("room", 0))
        if (timed := asked.get("timed")) and self._handed_out is not None:
            self.logic.keep(*self._handed_out, **timed)
        try:
            self.logic.touch({name: self._as_chosen(name, value) for name, value in asked["changed"].items()})
        except (traitlets.TraitError, ValueError) as error:
            self._refused = str(error)
        if asked["press"] == "pin":
            (self.logic.unpin if self.logic.pinned else self.logic.pin)()
        elif asked["press"] == "ask":
            self.logic.predicts = not self.logic.predicts
        elif asked["press"] == "measure":
            self.logic.measure_again()
        elif asked["press"] == "reset":
            self._reset()
        return json.dumps(self.shown())

    def shown(self) -> dict[str, Any]:
        """Return everything that the page shows at the present setting."""
        logic = self.logic
        screen = logic.screen()
        return self._pictures(screen) | {
            "refused": self._refused,
            "setting": asdict(logic.setting),
            "words": logic.in_words(),
            "code": logic.code(),
            "pinned": logic.pinned is not None,
            "barred": logic.barred(),
            "link": self._link(),
            "timing": self._timing(),
            "predicts": logic.predicts,
            "asking": self._asking(),
        }

    def graph(self) -> bytes:
        """Return the next graph of the present setting as an ONNX file; what is timed next is this one.

        Raises:
            ValueError: There is none.
        """
        waiting = self.logic.waiting()
        if not waiting:
            raise ValueError(f"{self.logic.title} has nothing left to time at this setting.")
        self._handed_out = self.logic.setting, waiting[0]
        return waiting[0].file()

    def _timing(self) -> dict[str, Any] | None:
        """Return what is to be timed at the present setting, and what was; None where nothing is."""
        logic = self.logic
        graphs, reason = logic.timed_graphs(logic.setting), logic.untimed(logic.setting)
        if not graphs and not reason:
            return None
        return {
            "key": repr(logic.measurement_key(logic.setting)),
            "engine": logic.device,
            "next": self._next(len(graphs)),
            "can_repeat": bool(graphs),
            "found": logic.here() if graphs else reason,
            "asks": bool(graphs) and logic.asks,
        }

    def _next(self, count: int) -> dict[str, Any] | None:
        """Return which of so many graphs comes next; None where none is left."""
        waiting = self.logic.waiting()
        if not waiting:
            return None
        place = count - len(waiting)
        label = self.logic.measured_label(self.logic.setting)
        if count > 1:
            label = f"{waiting[0].name} ({place + 1} of {count})"
        return {"label": label, "place": place, "of": count, "kernels": waiting[0].with_kernels}

    def _asking(self) -> dict[str, Any] | None:
        """Return the question for a guess, with the guess so far; None where none is asked for."""
        what = self.logic.guessed(self.logic.setting)
        if what is None or not self.logic.asks:
            return None
        key = repr(self.logic.guess_key(self.logic.setting))
        return {"key": key, "question": what.question, "unit": what.unit, "guess": self.logic.guess}

    def _link(self) -> str:
        """Return the present setting as the end of an address; it holds what the page begins with, too."""
        values = {name: getattr(self.logic, name) for name in self.logic.START} | self.logic.differing()
        values |= {"device": self.logic.device} if self.logic.device != self._start["device"] else {}
        return urlencode(
            {
                name: ",".join(map(str, value)) if isinstance(value, tuple) else value
                for name, value in values.items()
            },
            safe=",/",
        )

    def _follow(self, link: str) -> str:
        """Begin with the settings of a link; return why they are refused, or nothing."""
        try:
            for name, _ in (given := parse_qsl(link)):
                if name not in self.logic.names():
                    known = ", ".join(self.logic.names())
                    return f"{self.logic.title} has no setting {quoted(name)}; it has {known}."
            chosen = {name: self._as_chosen(name, value) for name, value in given}
            self.logic = type(self.logic)(**chosen)
        except (traitlets.TraitError, ValueError) as error:
            return str(error)
        return ""

    def _take(self, room: int) -> None:
        if room:
            self.logic.room = min(max(int(room), NARROWEST), WIDEST)

    def _pictures(self, screen: LiveScreen) -> dict[str, Any]:
        return {
            "said": said(self.logic, screen),
            "picture": screen.picture.as_data(),
            "charts": screen.charts.as_data(),
            "figures": figures(self.logic),
            "table": all_numbers(self.logic, self.logic.all_tables()),
        }

    def _reset(self) -> None:
        with self.logic.together():
            self.logic.opened = 0
            for name, value in self._start.items():
                setattr(self.logic, name, value)

    def _as_chosen(self, name: str, value: Any) -> Any:
        """Return a value of a field as the setting has it: a page sends words."""
        if name in ("guess", "commit"):
            return value
        trait: Any = self.logic.traits().get(name)
        if isinstance(trait, traitlets.Enum):
            known = {str(one): one for one in trait.values or ()}
            return known.get(str(value), value)
        if isinstance(trait, traitlets.Int | traitlets.Float):
            return read_number(name, str(value), self.logic.ends(name), isinstance(trait, traitlets.Int))
        if isinstance(trait, traitlets.Bool):
            return value in (True, "True")
        if isinstance(trait, traitlets.Tuple):
            return tuple(map(int, filter(None, value.split(",") if isinstance(value, str) else value)))
        return value
