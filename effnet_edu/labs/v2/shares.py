"""Stage by stage: its shares of MACs and parameters, and what changing it alone does to both."""

from collections.abc import Iterator

from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.v2.numbers import FUSING, StageCost, V2Setting, counted_at, stage_costs, toggled
from effnet_edu.labs.v2.places import Place, under
from effnet_edu.labs.v2.times import V2
from effnet_edu.pictures.axis import MarkedAxis
from effnet_edu.pictures.chart import axes
from effnet_edu.pictures.labels import Labels
from effnet_edu.pictures.scene import Mark, text

#: Room for what a stage is called beside its bars, for a number behind them, and for a row.
_NAMED, _NUMBER, _ROW = 66.0, 40.0, 16.0
_FACTORS = (0.125, 0.25, 0.5, 1, 2, 4, 8)


def stage_words(setting: V2Setting, one: StageCost) -> str:
    """Return the shares of a stage, and what a click on it does, in two lines."""
    now = counted_at(setting)
    macs = (now.macs - one.macs + one.other_macs) / now.macs
    parameters = (now.parameters - one.parameters + one.other_parameters) / now.parameters
    does = "make it MBConv" if one.is_fused else "fuse it"
    return (
        f"{one.macs / now.macs:.1%} of the MACs, {one.parameters / now.parameters:.1%} of the parameters\n"
        f"Click to {does}: {macs:.2f} times the MACs, {parameters:.2f} times the parameters"
    )


def shares_chart(logic: V2, place: Place) -> Iterator[Mark]:
    """Draw a row a stage: its share of MACs and of parameters, before those of A; a click changes it."""
    setting, pinned = logic.setting, logic.pinned
    now, rows = counted_at(setting), stage_costs(setting)
    old: dict[int, tuple[float, float]] = {}
    if pinned is not None and pinned.part == FUSING:
        total = counted_at(pinned)
        old = {
            one.number: (one.macs / total.macs, one.parameters / total.parameters)
            for one in stage_costs(pinned)
        }
    each = (place.right - place.left - _NAMED) / 2
    shares = [(one.macs / now.macs, one.parameters / now.parameters) for one in rows]
    most = max(max(pair) for pair in (*shares, *old.values()))
    pitch = max(_ROW, (place.plot + 20) / len(rows))
    for n, title in enumerate(("MACs, %", "parameters, %" if each > 84 else "params, %")):
        at = place.left + _NAMED + n * each
        yield text(f"shares/{title}", at, place.top + 12, f"{title}{', computed' * (n == 0 and each > 130)}", style="words soft")  # noqa: E501  # fmt: skip
    for index, (one, pair) in enumerate(zip(rows, shares, strict=True)):
        top, key = place.top + 18 + pitch * index, f"stage {one.number}"
        style = "words bold" if one.is_fused else "words soft"
        named = f"{one.number} {'fused' if one.is_fused else 'MBConv'}"
        yield text(f"{key}/row name", place.left, top + 12, named, style=style)
        for n, share in enumerate(pair):
            left, room = place.left + _NAMED + n * each, each - _NUMBER
            long = max(1.0, room * share / most)
            yield Mark(f"{key}/row bar {n}", "box", (left, top + 2, long, 11), "bar")
            if one.number in old:
                before = max(1.0, room * old[one.number][n] / most)
                yield Mark(f"{key}/row A {n}", "box", (left, top + 1, before, 13), "ghost")
                long = max(long, before)
            said = digits(100 * share, 0 if share >= 0.01 else 1) if share >= 0.0005 else "<0.1"
            yield text(f"{key}/row share {n}", left + long + 4, top + 12, said, style="words")
        area = (place.left, top, place.right - place.left, pitch)
        yield Mark(
            f"{key}/row touch",
            "box",
            area,
            "touch",
            words=f"{key}: {'Fused-MBConv' if one.is_fused else 'MBConv'}\n{stage_words(setting, one)}",
            sets={"fused": list(toggled(setting.fused, one.number))},
            with_=(key,),
        )


def clicks_chart(setting: V2Setting, place: Place) -> Iterator[Mark]:
    """Draw for each stage what changing it alone does to MACs and parameters."""
    now, rows = counted_at(setting), stage_costs(setting)
    points = {
        one.number: (
            (now.macs - one.macs + one.other_macs) / now.macs,
            (now.parameters - one.parameters + one.other_parameters) / now.parameters,
        )
        for one in rows
    }
    values = [value for pair in points.values() for value in pair]
    low = next((end for end in (1 / 1.5, 0.5, 0.25) if min(values) >= 1.03 * end), 0.125)
    high = next((end for end in (1.5, 2, 4) if max(values) <= 0.97 * end), 8)
    x = MarkedAxis(low, high, *place.across, logarithmic=True, marks=_FACTORS)
    y = MarkedAxis(low, high, *place.upright, logarithmic=True, marks=_FACTORS)
    yield from under(
        "clicks", axes(x, y, "MACs after one click, times now", "parameters after it, times now")
    )
    yield Mark("clicks/same MACs", "line", (x(1), y.start, x(1), y.end), "axis")
    yield Mark("clicks/same parameters", "line", (x.start, y(1), x.end, y(1)), "axis")
    labels = Labels(x.start + 2, x.end, y.end - 6, y.start - 1)
    for macs, parameters in points.values():
        labels.keep_free(x(macs), y(parameters), 5)
    for one in rows:
        key, (macs, parameters) = f"stage {one.number}", points[one.number]
        at = x(macs), y(parameters)
        style = "slab fused-slab" if not one.is_fused else "slab"  # as it will be
        yield Mark(f"{key}/point", "slab", (at[0] - 4, at[1] - 4, 7, 8, 3, 2), style)
        if said := labels.place(f"{key}/point name", *at, f"{one.number}", "words over", 8):
            yield said
        yield Mark(
            f"{key}/point touch",
            "circle",
            (*at, 9),
            "touch",
            words=f"{key}: {'Fused-MBConv' if one.is_fused else 'MBConv'}\n{stage_words(setting, one)}",
            sets={"fused": list(toggled(setting.fused, one.number))},
            with_=(key,),
        )
