"""Labs in a page without a kernel: what is exact is counted there, what was measured is a recorded run.

They run in the reader's browser, where there is Python without torch; they speak JSON with the page.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib import import_module
from typing import Any, Generic, TypeVar

import traitlets

from effnet_edu.labs.layout import Screen, side_by_side
from effnet_edu.labs.logic import LabLogic
from effnet_edu.studies.device_records import recorded_devices

#: The labs that live in a page, by the module that holds each.
PAGES = {
    "scaling_problem_lab": "scaling_web",
    "phi_lab": "phi_web",
    "mbconv_lab": "mbconv_web",
    "squeeze_excite_lab": "squeeze_excite_web",
    "v2_lab": "v2_web",
    "benchmark_lab": "benchmark_web",
}

LogicT = TypeVar("LogicT", bound=LabLogic[Any, Any])


@cache
def recorded_run(experiment: str) -> tuple[str, Sequence[Mapping[str, Any]]]:
    """Return what stands in for a device: the name and day of a recorded one, and its rows.

    Args:
        experiment: One of `studies.registry.DEVICE_EXPERIMENTS`.

    Raises:
        ValueError: No device was recorded.
    """
    for records in recorded_devices().values():
        if (record := records.get(experiment)) is not None:
            about = record.provenance
            return f"{about.device}, {about.started[:10]}", record.data["rows"]
    raise ValueError(f"No device has recorded {experiment}: `python -m effnet_edu measure {experiment}`.")


class NoDevice(LabLogic[Any, Any]):
    """A lab where nothing can be measured; put it before the lab's own logic.

    Args:
        device: Of no use here.
        settings: Any of the fields of `SETTING`.
    """

    UNMEASURED = ("Times are measured in JupyterLab,", "on your own device.")
    MEASURES = False

    @traitlets.default("device")
    def _default_device(self) -> str:
        return "cpu"

    @traitlets.validate("device")
    def _check_device(self, proposal: Any) -> str:
        return str(proposal["value"])

    def measure(self, delay: float = 0.0) -> None:
        """Do nothing.

        Args:
            delay: Of no use here.
        """


class Page(Generic[LogicT]):
    """Answers a page: what was moved in, picture and numbers out.

    Args:
        logic: The lab at the setting that the page begins with.
        draw: Its screen.
        say: The lab in one sentence.
        barred: Choices of a setting that are not there at present, by setting.
    """

    def __init__(
        self,
        logic: LogicT,
        draw: Callable[[LogicT], Screen],
        say: Callable[[LogicT], str],
        barred: Callable[[LogicT], Mapping[str, list[Any]]] = lambda _logic: {},
    ) -> None:
        self.logic = logic
        self._draw, self._say, self._bar = draw, say, barred
        self._start = asdict(logic.setting)

    def answer(self, request: str) -> str:
        """Return what the page shows after a change, as JSON.

        Args:
            request: JSON with `changed`, the settings that were moved with their new values, and `press`, a
                button: `"pin"`, `"reset"` or nothing.
        """
        asked = json.loads(request)
        try:
            for name, value in asked["changed"].items():
                setattr(self.logic, name, self._as_chosen(name, value))
        except (traitlets.TraitError, ValueError) as error:
            return json.dumps({"refused": str(error), "setting": asdict(self.logic.setting)})
        if asked["press"] == "pin":
            (self.logic.unpin if self.logic.pinned else self.logic.pin)()
        elif asked["press"] == "reset":
            self._reset()
        return json.dumps(self.shown())

    def shown(self) -> dict[str, Any]:
        """Return everything that the page shows at the present setting."""
        logic = self.logic
        return {
            "setting": asdict(logic.setting),
            "screen": side_by_side(logic, self._draw(logic)),
            "words": self._say(logic),
            "code": logic.code(),
            "pinned": logic.pinned is not None,
            "barred": self.barred,
        }

    @property
    def barred(self) -> Mapping[str, list[Any]]:
        """Choices that are not there at the present setting, by setting."""
        return self._bar(self.logic)

    def _reset(self) -> None:
        with self.logic.together():
            for name, value in self._start.items():
                setattr(self.logic, name, value)

    def _as_chosen(self, name: str, value: Any) -> Any:
        """Return a value of a field as the setting has it: a page sends words."""
        trait: Any = self.logic.traits()[name]
        if isinstance(trait, traitlets.Enum):
            known = {str(one): one for one in trait.values or ()}
            return known.get(str(value), value)
        if isinstance(trait, traitlets.Int):
            return int(value)
        if isinstance(trait, traitlets.Float):
            return float(value)
        return tuple(map(int, value)) if isinstance(value, list) else value


def page(name: str) -> Page[Any]:
    """Return a lab for a page.

    Args:
        name: One of `PAGES`.
    """
    made: Page[Any] = import_module(f"effnet_edu.labs.{PAGES[name]}").page()
    return made
