"""How well a share is known that was counted in a few cases. No torch."""

import math

#: Of the normal distribution: 95% lie within so many standard deviations.
_Z = 1.959964


def wilson_interval(correct: int, count: int) -> tuple[float, float]:
    """Return the 95% interval of a share, which stays within 0 and 1 and is right for few cases too.

    Args:
        correct: Cases of the kind, 0 to `count`.
        count: All cases, 1 or more.

    Source: Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    share, spread = correct / count, _Z**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
