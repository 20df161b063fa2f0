"""What the benchmark lab shows: a finding, accuracy over cost with the budget in it, and two orders."""

from effnet_edu.labs.benchmark.charts import accuracy, best_within, charts
from effnet_edu.labs.benchmark.compared import (
    Benchmark,
    BenchmarkSetting,
    elsewhere,
    here,
    is_decided_here,
    judged,
    winner,
    winner_beside,
)
from effnet_edu.labs.benchmark.points import NOWHERE, next_better, ordered, recorded
from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.frame.tables import plain_table
from effnet_edu.published.benchmarks import DEVICES


def finding(logic: Benchmark) -> str:
    """Return the best within the budget, against the best of A where there is one."""
    setting, pinned = logic.setting, logic.pinned
    lines = headlines(logic, setting)
    found, before = winner(logic, setting), None if pinned is None else winner(logic, pinned)
    if found is None or before is None:
        return f"{'; '.join(lines)}."
    points = found.result.top1 - before.result.top1
    if found.result == before.result:
        return f"{lines[0]}: the same network as at A, {pinned.budget_in_words}."
    more = "more" if points >= 0 else "less"
    return (
        f"{lines[0]}: {abs(points):.1f} points {more} than the best of A, {before}, at "
        f"{pinned.budget_in_words}."
    )


def headlines(logic: Benchmark, setting: BenchmarkSetting) -> list[str]:
    """Return the best network within the budget in words, and the best on the device beside this one."""
    found, is_size = winner(logic, setting), setting.dimension.is_size
    is_here = is_decided_here(logic, setting)
    where = "" if is_size else _here(setting) if is_here else f" on {setting.beside}"
    if found is not None:
        lines = [f"Best{where} {setting.limit_in_words}: {found}"]
    elif is_here and not any(not point.is_stale for point in here(logic, setting)):
        lines = ["Not measured here yet"]
    elif not is_here and not is_size and setting.beside == NOWHERE:
        lines = ["No device is chosen, so that no time is known"]
    else:
        lines = [f"None{where} {setting.limit_in_words}"]
    if is_here and setting.beside != NOWHERE:
        lines.append(_headline_beside(logic, setting))
    return lines


def _here(setting: BenchmarkSetting) -> str:
    return " here" if setting.engine == "torch" else f" here in {setting.engine}"


def _headline_beside(logic: Benchmark, setting: BenchmarkSetting) -> str:
    if (other := winner_beside(logic, setting)) is not None:
        return f"on {setting.beside}: {other}"
    if elsewhere(setting):
        return f"on {setting.beside}: none within the budget"
    if (device := recorded().get(setting.beside)) is not None:
        known = "; ".join(f"batch {batch}, {precision}" for batch, precision in device.conditions)
        return f"{setting.beside}: recorded only at {known}"
    if setting.beside in DEVICES and setting.across == "time":
        return f"{setting.beside}: only throughput is published"
    return f"{setting.beside}: nothing published for these networks"


def aside(logic: Benchmark) -> str:
    """Return what the next better network needs, and where the best network's accuracy stands."""
    setting = logic.setting
    dimension, found = setting.dimension, winner(logic, setting)
    said = []
    if (better := next_better(judged(logic, setting), dimension, found)) is not None:
        which = "A better one" if found else "The nearest"
        does = "reaches" if dimension.more_is_better else "needs"
        said.append(f"{which}, {better}, {does} {digits(better.x)} {dimension.noun}.")
    if not dimension.is_size and (device := DEVICES.get(setting.beside)):
        said.append(f"{setting.beside}: {device.conditions}.")
    if (shown := found or winner_beside(logic, setting)) is not None:
        said.append(f"Source of the accuracy: {shown.result.source}.")
    return " ".join(said) or "Accuracies are published, at the image size of the time."


def within_table(logic: Benchmark) -> str:
    """Return the most accurate networks within the budget as a table."""
    dimension = logic.setting.dimension
    rows = [(point.result.short, f"{point.result.top1:.1f}", digits(point.x)) for point in best_within(logic)]
    if not rows:
        return ""
    caption = f"{logic.setting.limit_in_words}"
    return plain_table(caption, ("network", "top-1", dimension.unit), rows)


def points_table(logic: Benchmark) -> str:
    """Return everything that the chart shows, with the kind of each number and where it stands."""
    setting = logic.setting
    points = ordered((*here(logic, setting), *elsewhere(setting)), setting.dimension)
    rows = [
        (
            point.result.name,
            f"{point.result.top1:.1f}",
            digits(point.x),
            " ".join(filter(None, (point.kind, point.device))),
            point.result.source,
        )
        for point in points
    ]
    heads = ("network", "top-1, %", setting.dimension.unit, "kind", "source of the accuracy")
    return plain_table("every network of the chart", heads, rows, "ee-points")


def screen(logic: Benchmark) -> LiveScreen:
    """Return all of it."""
    return LiveScreen(
        finding(logic), accuracy(logic), lambda: charts(logic), aside(logic), within_table(logic)
    )
