"""What the benchmark lab draws of A: its budget, its best network, and an arrow from there."""

from collections.abc import Iterator

from effnet_edu.labs.benchmark.compared import Benchmark, judged, winner
from effnet_edu.pictures.axis import Axis
from effnet_edu.pictures.chart import arrow
from effnet_edu.pictures.labels import Labels
from effnet_edu.pictures.scene import Mark


def before(
    logic: Benchmark, x: Axis, y: Axis, labels: Labels, b: tuple[float, float] | None
) -> Iterator[Mark]:
    """Draw the budget of A where B has one of the same unit, and an arrow from A's best to that of B."""
    a = logic.pinned
    if a.dimension == logic.setting.dimension:
        edge = x(a.budget)
        yield Mark("A/line", "line", (edge, y.end, edge, y.start), "ghost")
        along = [(edge, y.start - 10 - 18 * n) for n in range(6)]
        if said := labels.place_along("A/said", along, f"A, {a.budget_in_words}", "words outlined"):
            yield said
    found = winner(logic, a)
    if found is None:
        return
    there = next((p for p in (*judged(logic, logic.setting), found) if p.result == found.result), found)
    if there is found and a.across != logic.setting.across:
        return  # B's axis does not know the network
    at = x(there.x), y(there.result.top1)
    yield Mark("A/best", "circle", (*at, 13), "ghost")
    labels.keep_free(*at, 13)
    if named := labels.place_along("A/name", [at], "A", "title outlined"):
        yield named
    if b is not None:
        yield from arrow("A/arrow", at, b, 14)
