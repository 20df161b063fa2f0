"""What the study `search` found."""

from dataclasses import dataclass

from effnet_edu.model.scaling import ALPHA, BETA, GAMMA
from effnet_edu.studies.result import StudyResult
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference
from effnet_edu.studies.words import percent, points


@dataclass(frozen=True)
class GridPoint:
    """One choice of the three bases.

    Attributes:
        alpha: Depth base.
        beta: Width base.
        gamma: Resolution base.
        macs: MACs of one image.
        accuracy: Over seeds.
        behind: How much less accurate it is than the best point, seed by seed.
    """

    alpha: float
    beta: float
    gamma: float
    macs: int
    accuracy: Estimate
    behind: Estimate

    def __str__(self) -> str:
        return f"alpha {self.alpha:.2f}, beta {self.beta:.2f}, gamma {self.gamma:.2f}"

    @property
    def may_be_best(self) -> bool:
        """Whether the study cannot tell it from the best point."""
        return not self.behind.decides_sign


def base_macs(result: StudyResult) -> int:
    """Return the MACs of the network that was scaled."""
    return int(result.where(alpha=1.0, beta=1.0, gamma=1.0)[0]["macs"])


def surface(result: StudyResult) -> list[GridPoint]:
    """Return every point of the grid, the most accurate first; the base is not one of them."""
    labels = [(run["labels"]["alpha"], run["labels"]["beta"], run["labels"]["gamma"]) for run in result.runs]
    grid = [point for point in dict.fromkeys(labels) if point != (1.0, 1.0, 1.0)]

    def values(point: tuple[float, float, float]) -> list[float]:
        alpha, beta, gamma = point
        return result.values("accuracy", alpha=alpha, beta=beta, gamma=gamma)

    grid.sort(key=lambda point: -sum(values(point)))
    return [
        GridPoint(
            *point,
            macs=result.where(alpha=point[0], beta=point[1], gamma=point[2])[0]["macs"],
            accuracy=estimate(values(point)),
            behind=paired_difference(values(grid[0]), values(point)),
        )
        for point in grid
    ]


def _seen(rivals: list[GridPoint]) -> str:
    """Return how large differences would have to be; with one seed no interval says so."""
    if rivals[0].behind.count == 1:
        return ""
    seen = sorted(100 * (point.behind.high - point.behind.low) / 2 for point in rivals)
    return f", where {seen[0]:.1f} to {seen[-1]:.1f} points would have been seen"


def sentences(result: StudyResult) -> list[str]:
    """Return which point was best, how many may be, and what cannot be found this way."""
    best, *others = surface(result)
    rivals = [point for point in others if point.may_be_best]
    factors = [point.macs / base_macs(result) for point in (best, *others)]
    found = [
        f"The most accurate of {len(others) + 1} points is {best} with {percent(best.accuracy)}; all cost "
        f"{min(factors):.2f} to {max(factors):.2f} times the MACs of the base.",
        f"The study does not decide between it and {len(rivals)} of the other {len(others)} points: their "
        f"differences to it cover zero{_seen(rivals)}. Being the best of many is partly luck, so its own "
        "mean is too high."
        if rivals
        else "Its advantage over each of the others excludes zero; being the best of many is partly luck, "
        "so its own mean is too high.",
    ]
    near = min(
        (best, *others),
        key=lambda point: abs(point.alpha - ALPHA) + abs(point.beta - BETA) + abs(point.gamma - GAMMA),
    )
    found.append(
        f"The point nearest to the paper's {ALPHA:g}, {BETA:g}, {GAMMA:g} is {near}: {percent(near.accuracy)}"
        + ("." if near is best else f", behind the best by {points(near.behind)}.")
    )
    found.append(
        "What it cannot show: the paper searched around B0 on ImageNet, where a unit of each dimension means "
        "something else than in a network of a few blocks at 18 pixels; the best bases belong to the base, "
        "the images and the recipe that they were found with."
    )
    return found
