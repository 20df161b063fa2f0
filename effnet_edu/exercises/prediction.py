"""A prediction without its view: something to guess before it is shown, and how far off a guess is."""

import html
import json
import math
import re
from dataclasses import dataclass

from effnet_edu.exercises.outcome import Reveal
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.guesses import Verdict, in_three_digits, judged
from effnet_edu.ground.written_numbers import parse_number

MOST_CHARACTERS = 200
_RANGE = re.compile(
    r"(?:between\s+)?(?P<low>.*?\d.*?)\s*(?:\bto\b|\band\b|\N{EN DASH}|\.\.|(?<=[\w.])-)\s*(?P<high>.*\d.*)"
)


@dataclass(frozen=True)
class Prediction:
    """Something to guess before it is shown.

    Attributes:
        lesson: Name of its lesson, such as `"02_compound_scaling"`.
        what: What is guessed, as a label: `"MACs at phi 1"`.
        truth: The number, or one of the choices.
        because: Why it is so, in a sentence or two.
        unit: Unit of a number, as in `NumberCheck`.
        choices: What can be chosen; empty for a number.

    Raises:
        ValueError: The truth is neither a finite number nor one of the choices.
    """

    lesson: str
    what: str
    truth: float | str
    because: str
    unit: str = ""
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        is_right = self.truth in self.choices if self.choices else (
            not isinstance(self.truth, str) and math.isfinite(self.truth)
        )  # fmt: skip
        if not is_right:
            allowed = f"one of {', '.join(map(repr, self.choices))}" if self.choices else "a finite number"
            raise ValueError(f"truth is {quoted(self.truth)}; it must be {allowed}.")

    @property
    def answer(self) -> str:
        """The truth in words."""
        return self.truth if isinstance(self.truth, str) else in_three_digits(self.truth, self.unit)

    def judge(self, guess: str) -> Verdict:
        """Return how far off a guess is.

        Args:
            guess: One of the choices; or a number or a range, such as `"385 M"` or `"2 to 3"`.

        Raises:
            ValueError: It cannot be read as a guess.
        """
        if isinstance(self.truth, str):
            if guess not in self.choices:
                raise ValueError("Choose one first.")
            is_right = guess == self.truth
            said = "Yes" if is_right else "No. The answer"
            return Verdict(f"{said}: {self.answer}.", is_right)
        low, high = self._ends(guess)
        return judged(self.truth, low, high, self.answer)

    def _ends(self, guess: str) -> tuple[float, float]:
        if len(guess) > MOST_CHARACTERS:
            raise ValueError(f"{quoted(guess)} is too long for a number or a range.")
        try:
            number = parse_number(guess, self.unit)
        except ValueError as error:
            found = _RANGE.fullmatch(guess.strip())
            if found is None:
                raise ValueError(f"{error} A number or a range is expected{self._in_unit}.") from None
            low, high = (parse_number(found[end], self.unit) for end in ("low", "high"))
        else:
            low = high = number
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise ValueError(f"{quoted(guess)} is no number and no range from a smaller one to a larger one.")
        return low, high

    @property
    def _in_unit(self) -> str:
        said = {"times": "", "%": "percent", "million": "millions"}.get(self.unit, self.unit)
        return f", in {said}" if said and not self.what.startswith(said) else ""

    @property
    def label(self) -> str:
        """What is guessed, and in which unit."""
        return self.what + self._in_unit

    def __str__(self) -> str:
        return f"{self.what}: {self.answer}. {self.because}"

    def to_html(self) -> str:
        """Return the prediction for a reader without a kernel: folded, with what a page needs to ask it."""
        asked = {
            name: getattr(self, name) for name in ("lesson", "what", "label", "truth", "answer", "choices")
        }
        data = html.escape(json.dumps(asked), quote=True)
        answer = f"{self.what}: {self.answer}. {self.because}"
        shown = Reveal(answer, "Open after you have made your prediction")._repr_html_()
        return f'<div class="effnet-prediction" data-prediction="{data}">{shown}</div>'
