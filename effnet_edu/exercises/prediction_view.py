"""A prediction as widgets: a guess is committed, then the truth is shown. Usable by keyboard."""

from typing import Any

import ipywidgets

from effnet_edu.exercises.look import verdict
from effnet_edu.exercises.outcome import Outcome, prose
from effnet_edu.exercises.prediction import Prediction
from effnet_edu.exercises.quiz_view import radio_script
from effnet_edu.exercises.record import note_prediction
from effnet_edu.ground.front_end import without_a_dead_view


class PredictionView(ipywidgets.VBox):
    """A prediction as a notebook shows it; without a kernel it is folded HTML.

    Args:
        prediction: What is guessed.

    Attributes:
        prediction: The same.
        guess: The field for a number or a range, or the radio buttons.
        button: Commits the guess.
        verdict: Says how far off it is, and why.
    """

    def __init__(self, prediction: Prediction) -> None:
        self.prediction = prediction
        wide = ipywidgets.Layout(width="auto", max_width="24em")
        label = ipywidgets.HTML(f"<b>Your guess:</b> {prose(prediction.label)}")
        self.guess: Any
        if prediction.choices:
            self.guess = ipywidgets.RadioButtons(options=prediction.choices, value=None, layout=wide)
        else:
            # Sent as a whole: of a guess written while the kernel is busy, a click would overtake the end.
            self.guess = ipywidgets.Text(
                placeholder="a number, or a range: 2 to 3",
                tooltip=prediction.label,
                layout=wide,
                continuous_update=False,
            )
            self.guess.on_msg(self._heard)
        self.button = ipywidgets.Button(
            description="Commit", tooltip=f"Commit your guess: {prediction.label}"
        )
        self.button.on_click(self._commit)
        self.verdict = ipywidgets.HTML()
        question = ipywidgets.VBox([label, self.guess, self.button, self.verdict])
        question.add_class("effnet-question")
        super().__init__([question, ipywidgets.HTML(radio_script())])
        self.add_class("effnet-quiz")

    def _heard(self, _field: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("event") == "submit":  # the Enter key
            self._commit(None)

    def _commit(self, _sender: Any) -> None:
        guess = self.guess.value or ""
        try:
            found = self.prediction.judge(guess)
        except ValueError as error:
            self.verdict.value = Outcome("not attempted", str(error))._repr_html_()
            return
        hindrance = note_prediction(self.prediction.lesson, self.prediction.what, guess, found)
        why = f"{self.prediction.because} {hindrance}".rstrip()
        said = f"{found.mark} <b>{prose(found.sentence)}</b> {prose(why)}"
        self.verdict.value = verdict("right" if found.is_close else "wrong", said)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = str(self.prediction)
        bundle["text/html"] = self.prediction.to_html()
        return without_a_dead_view(bundle)
