"""The phi lab as widgets: controls on the left, the screen beside them, the state of the device below."""

import base64
from html import escape
from typing import Any

import ipywidgets as widgets

from effnet_edu.labs.phi_logic import RANGES, PhiLogic
from effnet_edu.labs.phi_screen import describe, screen, still
from effnet_edu.labs.theme import STYLE
from effnet_edu.profiling.profile import PRECISIONS

_TITLE = (
    "<p class='ee-title'>Phi lab: one number scales the whole network</p>"
    "<p class='ee-lead'>Move phi. Exact counts follow at once; when the slider rests, the real network is "
    "rebuilt and measured on this device.</p>"
)

_SLIDERS = {  # name: (step, what a learner is told)
    "phi": (0.1, "0 gives B0 itself"),
    "alpha": (0.01, "depth d = alpha<sup>phi</sup>"),
    "beta": (0.01, "width w = beta<sup>phi</sup>"),
    "gamma": (0.01, "resolution r = gamma<sup>phi</sup>"),
}
_BATCHES = tuple(2**n for n in range(11))


class PhiLab(widgets.VBox):
    """An interactive picture of compound scaling on the real network.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of phi (0 to 7), alpha, beta, gamma, batch_size and precision.

    Raises:
        traitlets.TraitError: A setting is outside its range.
    """

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        self.logic = PhiLogic(device, **settings)
        self._screen = widgets.HTML()
        self._screen.add_class("ee-screen")
        controls = widgets.VBox([*self._sliders(), *self._choices()])
        controls.add_class("ee-controls")
        body = widgets.Box([controls, self._screen])
        body.add_class("ee-body")
        super().__init__([widgets.HTML(STYLE + _TITLE), body, self._foot()])
        self.add_class("ee-lab")
        self._redraw()
        self._tell()
        # The screen comes first: the numbers must not wait for the controls to be synchronised.
        self.logic.observe(self._redraw, [*self.logic.SETTINGS, "history"])
        for name, slider in self._linked:
            widgets.link((self.logic, name), (slider, "value"))
        self.logic.observe(self._tell, "status")

    def _sliders(self) -> list[widgets.Widget]:
        rows: list[widgets.Widget] = []
        self._linked: list[tuple[str, widgets.Widget]] = []
        for name, (step, help_text) in _SLIDERS.items():
            plain = help_text.replace("<sup>", " to the power ").replace("</sup>", "")
            low, high = RANGES[name]
            bounds = {"min": low, "max": high, "step": step, "value": getattr(self.logic, name)}
            slider = widgets.FloatSlider(
                **bounds, readout=False, tooltip=plain, layout=widgets.Layout(width="98%", margin="0 0 6px")
            )
            field = widgets.BoundedFloatText(
                **bounds,
                description=name,
                tooltip=plain,
                style={"description_width": "52px"},
                layout=widgets.Layout(width="116px", flex="0 0 auto", margin="0"),
            )
            slider.add_class(f"ee-{name}")
            field.add_class(f"ee-{name}-field")
            self._linked += [(name, slider), (name, field)]
            help_line = widgets.HTML(f"<p class='ee-help'>{help_text}</p>")
            rows += [widgets.HBox([field, help_line], layout=widgets.Layout(align_items="center")), slider]
        return rows

    def _choices(self) -> list[widgets.Widget]:
        style, layout = {"description_width": "70px"}, widgets.Layout(width="97%")
        options = sorted({*_BATCHES, self.logic.batch_size})
        batch = widgets.Dropdown(
            options=options,
            value=self.logic.batch_size,
            description="batch size",
            tooltip="Images measured at once.",
            style=style,
            layout=layout,
        )
        precision = widgets.Dropdown(
            options=tuple(PRECISIONS),
            value=self.logic.precision,
            description="precision",
            tooltip="Type of weights and activations while measuring.",
            style=style,
            layout=layout,
        )
        batch.add_class("ee-batch")
        precision.add_class("ee-precision")
        self._linked += [("batch_size", batch), ("precision", precision)]
        return [batch, precision]

    def _foot(self) -> widgets.Widget:
        self._status = widgets.HTML()
        self._status.add_class("ee-status")
        self._bar = widgets.FloatProgress(min=0, max=1, layout=widgets.Layout(width="110px", margin="0"))
        self._cancel = _button("Cancel", "Stop the measurement; what was measured before stays.")
        again = _button("Measure", "Measure the present setting once more.")
        reset = _button("Reset", "Back to B0 and the paper's bases; measured points stay.")
        export = _button("Export csv", "Show every measured point as csv.")
        self._csv = widgets.HTML()
        self._cancel.on_click(lambda _: self.logic.cancel())
        again.on_click(lambda _: self.logic.measure())
        reset.on_click(lambda _: self.logic.reset())
        export.on_click(self._export)
        row = widgets.Box([self._status, self._bar, self._cancel, again, reset, export])
        row.add_class("ee-foot")
        return widgets.VBox([row, self._csv])

    def _redraw(self, _change: object = None) -> None:
        self._screen.value = screen(self.logic)

    def _tell(self, _change: object = None) -> None:
        status = self.logic.status
        self._status.value = f"<span role='status'>{escape(status.message)}</span>"
        self._bar.value = status.progress
        self._cancel.disabled = not status.is_busy

    def _export(self, _button: object) -> None:
        text = self.logic.csv()
        data = base64.b64encode(text.encode()).decode()
        count = len(self.logic.history)
        self._csv.value = (
            f"<p class='ee-note'>{count} measured point{'' if count == 1 else 's'}. "
            f"<a download='phi_lab.csv' href='data:text/csv;base64,{data}'>Save phi_lab.csv</a>. "
            f"To return to this setting: <code>{escape(self.logic.code())}</code></p>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add a still picture for readers without a kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/html"] = still(self.logic)
        bundle["text/plain"] = describe(self.logic)
        return bundle

    def close(self) -> None:
        """Stop measuring and leave the page."""
        self.logic.cancel()
        super().close()


def _button(name: str, help_text: str) -> widgets.Button:
    layout = widgets.Layout(width="auto", margin="0")
    button = widgets.Button(description=name, tooltip=help_text, layout=layout)
    button.add_class(f"ee-button-{name.split()[0].lower()}")
    return button
