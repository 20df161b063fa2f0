"""Numbers with their intervals in words, the same in every study."""

from effnet_edu.studies.statistics import Estimate

#: How the sets of images are called in sentences and figures.
IMAGES = {"glyphs": "Glyphs", "fashion_mnist": "Fashion-MNIST"}


def percent(accuracy: Estimate) -> str:
    """Return an accuracy with its interval, such as `83.1% (82.0 to 84.2)`."""
    if accuracy.count == 1:
        return f"{accuracy.mean:.1%} (one seed)"
    return f"{accuracy.mean:.1%} ({100 * accuracy.low:.1f} to {100 * accuracy.high:.1f})"


def points(difference: Estimate) -> str:
    """Return a difference of accuracies in points, with its interval."""
    if difference.count == 1:
        return f"{100 * difference.mean:+z.1f} points, one seed"
    interval = f"{100 * difference.low:+z.1f} to {100 * difference.high:+z.1f}"
    return f"{100 * difference.mean:+z.1f} points, {interval}"


def times(ratio: Estimate, what: str) -> str:
    """Return a ratio of speeds or times with its interval, such as `0.83 times the time (0.80 to 0.86)`."""
    said = f"{ratio.mean:.2f} times the {what}"
    if ratio.count == 1:
        return f"{said} (one seed)"
    span = f"{ratio.low:.2f} to {ratio.high:.2f}"
    if ratio.low <= 1 <= ratio.high:
        return f"{said} ({span}: the study does not decide whether it is faster)"
    return f"{said} ({span})"


def verdict(first: str, second: str, difference: Estimate) -> str:
    """Return who is more accurate, or that the study does not decide it."""
    if not difference.decides_sign:
        return f"between {first} and {second} the study does not decide ({points(difference)})"
    better = "more" if difference.mean > 0 else "less"
    return f"{first} is {better} accurate than {second} ({points(difference)})"


def against_bound(effect: Estimate, bound: float) -> str:
    """Return what a factor does to accuracy against an equivalence bound, or what could have been seen."""
    if effect.lies_within(bound):
        return f"no difference that matters ({points(effect)})"
    if effect.decides_sign:
        return f"{'more' if effect.mean > 0 else 'less'} accurate ({points(effect)})"
    if effect.count == 1:
        return f"not decided ({points(effect)})"
    seen = 100 * (effect.high - effect.low) / 2
    return f"not decided ({points(effect)}); {seen:.1f} points would have been seen"


def seeds(count: int) -> str:
    """Return how many seeds an estimate rests on."""
    return "one seed" if count == 1 else f"{count} seeds"


def sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop."""
    return f"{text[0].upper()}{text[1:]}."
