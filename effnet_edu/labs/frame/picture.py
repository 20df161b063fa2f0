"""The living picture of a lab: a scene that moves in the page, and what was touched in it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

import effnet_edu.pictures
from effnet_edu.pictures.scene import Scene
from effnet_edu.pictures.styles import SCENE


class LivePicture(anywidget.AnyWidget):
    """Shows scenes; `scene` and `room` follow each other, so that a picture fills its page.

    Args:
        scene: What it shows at first.
        on_touch: Told the settings that a click or a drag asks for, and whether the hand is still moving. The
            settings come from the page and are checked as any input.
        on_room: Told how many pixels the picture may be wide, when that changes.
    """

    _esm = Path(effnet_edu.pictures.__file__).with_name("picture.js")
    _css = SCENE
    #: As JSON: ipywidgets and the page look through each of the thousands of values of a dict.
    scene = traitlets.Unicode().tag(sync=True)
    touched = traitlets.Dict().tag(sync=True)
    #: The count of the last touch that the scene follows; until then what was dragged stays where it is.
    answered = traitlets.Int(0).tag(sync=True)
    room = traitlets.Int(0, min=0).tag(sync=True)

    def __init__(
        self,
        scene: Scene,
        on_touch: Callable[[Mapping[str, Any], bool], None],
        on_room: Callable[[int], None] | None = None,
    ) -> None:
        self._shown = scene
        self._on_touch = on_touch
        super().__init__(scene=scene.as_json())
        if on_room is not None:
            self.observe(lambda change: on_room(change["new"]), "room")

    @traitlets.observe("touched")
    def _answer(self, change: Any) -> None:
        touched = change["new"]
        self._on_touch(touched["sets"], touched["moving"])
        self.answered = touched["count"]

    def show(self, scene: Scene) -> None:
        """Move to another scene."""
        if scene != self._shown:
            self._shown = scene
            self.scene = scene.as_json()
