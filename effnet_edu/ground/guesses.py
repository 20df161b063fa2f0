"""How far off a guess is: the judge of a lesson's predictions and of a lab's."""

from dataclasses import dataclass

#: A number is close within this factor; so is a range that holds the truth, if its ends are within that one.
CLOSE_FACTOR, WIDEST_RANGE = 1.25, 4.0
#: A share must be as near in points, too: 80% is no good guess of 99.8%, though the factor is small.
CLOSE_POINTS = 10.0
#: Within this factor three digits do not tell a guess from the truth.
RIGHT_FACTOR = 1.005
#: Units of what is no count even where it happens to be whole.
MEASURES = ("times", "points", "ms", "s", "images/s", "million", "billion")
#: From this factor on a guess is so many times too high; "1.3 times too high" is 30% in plain words.
TIMES_FROM = 2.0


@dataclass(frozen=True)
class Verdict:
    """How far off a guess is.

    Attributes:
        sentence: The truth beside the guess.
        is_close: Whether it counts as a good guess.
        factor: How many times too high or too low a number is, 1 or more; None where there is no such factor.
    """

    sentence: str
    is_close: bool
    factor: float | None = None

    @property
    def mark(self) -> str:
        """A tick for a good guess, a ring for another: what is told by more than a colour."""
        return "✓" if self.is_close else "○"


def judged(truth: float, low: float, high: float, answer: str) -> Verdict:
    """Return how far off a guess from `low` to `high` is; both are the same for a number.

    How far off a range is that misses, its nearer end says; whether it is close all the same, its middle.

    Args:
        truth: What was guessed.
        low: Lower end of the guess.
        high: Upper end.
        answer: The truth in words, with its unit.
    """
    if low <= truth <= high:
        factor = 1.0 if min(low, truth) > 0 else None
        if high > WIDEST_RANGE * low:
            said = f"It is {answer}; your range holds it, but is too wide to count as close: its end may be "
            return Verdict(f"{said}at most {WIDEST_RANGE:g} times its start.", False, factor)
        sentence = "Your guess is right" if low == high else "Your range holds it"
        return Verdict(f"{sentence}: it is {answer}.", True, factor)
    near, side = (low, "high") if low > truth else (high, "low")
    if min(near, truth) <= 0:
        return Verdict(f"It is {answer}; your guess is too {side}.", False)
    factor = max(near / truth, truth / near)
    if low == high and factor < RIGHT_FACTOR:
        return Verdict(f"Your guess is right: it is {answer}.", True, factor)
    is_share = answer.endswith("%")
    if low == high and _is_count(truth, answer):
        distance = f"{abs(near - truth):,.10g}"
    else:
        distance = _distance(near, truth, is_share)
    is_close = _is_close((low + high) / 2, truth, is_share)
    return Verdict(f"It is {answer}; your guess is {distance} too {side}.", is_close, factor)


def _is_close(guess: float, truth: float, is_share: bool) -> bool:
    within = max(guess / truth, truth / guess) <= CLOSE_FACTOR
    return within and not (is_share and abs(guess - truth) > CLOSE_POINTS)


def _is_count(truth: float, answer: str) -> bool:
    """Return whether things were counted: nobody misses 9 blocks by percents."""
    number, _, unit = answer.partition(" ")
    return truth == round(truth) and number == f"{truth:,.0f}" and unit not in MEASURES


def _distance(near: float, truth: float, is_share: bool) -> str:
    """Return how far apart two numbers above 0 are: in times, or below two times in percent or points."""
    if (factor := max(near / truth, truth / near)) >= TIMES_FROM:
        return f"{float(f'{factor:.2g}'):,.10g} times"
    if is_share:  # "5% too high" of a percentage could mean either
        return f"{float(f'{abs(near - truth):.2g}'):g} points"
    percent = 100 * abs(near / truth - 1)
    return f"{percent:.0f}%" if percent >= 1 else "less than 1%"


def in_three_digits(number: float, unit: str) -> str:
    """Return a number as people write it: `2,570 MACs`, `32.1%`.

    Args:
        number: Any finite number.
        unit: Its unit; empty for a pure number.
    """
    digits = f"{float(f'{number:.3g}'):,.10g}"
    return f"{digits}%" if unit == "%" else f"{digits} {unit}".rstrip()
