"""What the lab of your own network shows: a finding, what is labelled or rounded, and charts."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.logic import LabLogic
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.frame.tables import plain_table
from effnet_edu.labs.your_network.charts import (
    YourNetwork,
    labels_charts,
    of_precisions,
    precision_charts,
    way_named,
)
from effnet_edu.labs.your_network.numbers import (
    BITS,
    CLASSES,
    FRESH,
    LITE0,
    MOST,
    NETWORK,
    PRECISION,
    SIDE,
    LabelsFound,
    PrecisionFound,
    YourNetworkFound,
    YourNetworkSetting,
    counted,
    label,
    learned,
    recorded,
    recorded_int8,
    weight_bytes,
)
from effnet_edu.pictures.axis import Axis
from effnet_edu.pictures.scene import Drag, Mark, Scene, text

#: Room for the name or the picture of a class, and a row.
_NAMED, _ROW = 30.0, 26.0
#: From here on the parts of a weight are named beside it.
_WIDE = 420
#: Groups of the bits of a float: the sign, the exponent, and the rest.
_FLOAT = ((1, "sign"), (8, "exponent"), (23, "fraction"))


def _found(logic: YourNetwork, setting: YourNetworkSetting) -> YourNetworkFound | None:
    record = logic.newest(setting)
    return None if record is None else record.measurement


def _pinned(logic: YourNetwork) -> YourNetworkSetting | None:
    """Return A where it is about the same part."""
    a: YourNetworkSetting | None = logic.pinned
    return a if a is not None and a.part == logic.setting.part else None


# ---------------------------------------------------------------- in words


def finding(logic: YourNetwork) -> str:
    """Return what the labelled pictures brought, or what the precision costs, over A where there is one."""
    setting = logic.setting
    return _of_precision(logic) if setting.part == PRECISION else _of_labels(logic)


def _of_labels(logic: YourNetwork) -> str:
    setting, a = logic.setting, _pinned(logic)
    found, before = _found(logic, setting), None if a is None else _found(logic, a)
    if not isinstance(found, LabelsFound):
        share = learned(setting.features) / counted().parameters
        if setting.features == LITE0:
            return f"{label(setting)}: {share:.2%} of the parameters learn, the others stay frozen."
        return f"{label(setting)}: {learned(setting.features):,} parameters learn, and no network helps."
    told = f"With {label(setting)}, {found.accuracy.mean:.1%} of fresh pictures are named correctly"
    if isinstance(before, LabelsFound) and a != setting and a is not None:
        return f"{told}: {_more(found, before)} than in A, {label(a)}."
    fewer = _with_fewer(logic)
    if fewer is None:
        return f"{told}; guessing finds {1 / len(CLASSES):.0%}."
    pictures, before = fewer
    each = 100 * (found.accuracy.mean - before.accuracy.mean) / (setting.pictures - pictures)
    return f"{told}: {_more(found, before)} than with {pictures}, {each:+.2f} for each picture."


def _more(found: LabelsFound, before: LabelsFound) -> str:
    points = 100 * (found.accuracy.mean - before.accuracy.mean)
    return f"{abs(points):.1f} points {'more' if points >= 0 else 'fewer'}"


def _with_fewer(logic: YourNetwork) -> tuple[int, LabelsFound] | None:
    """Return the next fewer pictures of the same features that were measured, and what they brought."""
    setting = logic.setting
    found = {
        record.setting.pictures: record.measurement
        for record in logic.history
        if isinstance(record.measurement, LabelsFound)
        and record.setting.features == setting.features
        and record.setting.pictures < setting.pictures
    }
    return max(found.items(), key=lambda one: one[0], default=None)


def _of_precision(logic: YourNetwork) -> str:
    setting, a = logic.setting, _pinned(logic)
    other = next(name for name in BITS if name != setting.precision)
    against = setting.precision if a is None else a.precision
    if a is None:
        against = other
    smaller = weight_bytes(against) / weight_bytes(setting.precision)
    size = f"{setting.precision}: the weights are {digits(smaller)} times smaller than in {against}"
    if smaller < 1:
        size = f"{setting.precision}: the weights are {digits(1 / smaller)} times larger than in {against}"
    elif smaller == 1:
        size = f"{setting.precision}: the weights take {weight_bytes(against) / 2**20:.1f} MiB, as in A"
    known = of_precisions(logic)
    if setting.precision not in known:
        return f"{size}."
    found = known[setting.precision]
    told = f"{size}; {found.correct} of {FRESH} fresh pictures are named correctly"
    if against == setting.precision or against not in known:
        return f"{told}."
    longer = found.picture.median / known[against].picture.median
    pace = f"takes {digits(longer)} times as long"
    if digits(longer) == "1" or digits(1 / longer) == "1":
        pace = "takes as long"
    elif longer < 1:
        pace = f"is named {digits(1 / longer)} times as fast"
    return f"{told}, and a picture {pace}."


def _to_ship(plain: PrecisionFound, rounded: PrecisionFound) -> str:
    """Return which precision to ship, with its reasons."""
    change = rounded.change(plain).scaled(100)
    span = f"{change.mean:+.1f} points, {change.low:+.1f} to {change.high:+.1f}"
    if change.decides_sign and change.mean < 0:
        return f"int8 is less accurate on the same pictures ({span}): ship fp32, unless its size forbids it."
    faster = "no faster in onnxruntime here"
    if rounded.picture.interval[1] < plain.picture.interval[0]:
        faster = "faster in onnxruntime here"
    lost = "as accurate, as far as so few pictures can tell"
    return f"Ship int8: it is smaller, {faster} and {lost} ({span})."


def _gains() -> str:
    """Return what each picture bought in the study, step by step."""
    frozen = [arm for arm in recorded()[1] if arm.way == "frozen"]
    steps = [
        f"{100 * (after.accuracy.mean - before.accuracy.mean) / (after.pictures - before.pictures):.2f} "
        f"points from {before.pictures} to {after.pictures}"
        for before, after in pairwise(frozen)
    ]
    return ", ".join(steps)


def _aside(logic: YourNetwork) -> str:
    setting = logic.setting
    if setting.part == PRECISION:
        if len(known := of_precisions(logic)) == len(BITS):
            return _to_ship(known["fp32"], known["int8"])
        change = recorded_int8().scaled(100)
        return (
            "Recorded on small networks without gates and with ReLU6, as Lite0 is: int8 changes accuracy by "
            f"{change.mean:+.2f} points ({change.low:+.2f} to {change.high:+.2f})."
        )
    where, _ = recorded()
    return (
        f"Four classes of drawn characters at {SIDE} px. Recorded with ten classes of clothes: each further "
        f"picture of a class buys frozen Lite0 {_gains()} ({where})."
    )


# ---------------------------------------------------------------- the pictures


def labelled(logic: YourNetwork, examples: Sequence[str]) -> Scene:
    """Draw a row of labelled pictures for each class, with an end to drag, and what of the network learns."""
    setting, width = logic.setting, float(logic.room)
    right = width - 16
    pitch = (right - _NAMED) / MOST
    end = _NAMED + pitch * setting.pictures
    marks = [text("labels/title", 0, 12, "labelled pictures of each class", style="title")]
    for row, name in enumerate(CLASSES):
        marks += _row(name, 20 + _ROW * row, pitch, setting, examples[row] if examples else "")
    bottom = 20 + _ROW * len(CLASSES)
    a = _pinned(logic)
    if a is not None:
        at = _NAMED + pitch * a.pictures
        marks.append(Mark("labels/A", "line", (at, 18, at, bottom), "ghost"))
    axis = Axis(1, MOST, _NAMED + pitch, right)
    drag = Drag("pictures", axis, setting.pictures, 1)
    leads: dict[str, tuple[float, ...]] = {
        "labels/handle": (1,),
        "labels/halo": (1,),
        "labels/edge": (1, 0, 1),
    }
    marks += [
        Mark("labels/edge", "line", (end, 16, end, bottom), "guide"),
        Mark("labels/halo", "circle", (end, (16 + bottom) / 2, 13), "halo"),
        Mark(
            "labels/handle",
            "circle",
            (end, (16 + bottom) / 2, 7),
            "now",
            words=f"{label(setting)}\nDrag it, or press an arrow key",
            drag=(drag,),
            with_=("labels/edge", "labels/halo"),
            leads=leads | {f"class {name}/labelled": (0, 0, 1) for name in CLASSES},
        ),
    ]
    marks += _parameters(setting, width, bottom + 12)
    said = (
        f"{setting.pictures} labelled pictures of each of {len(CLASSES)} classes. A classifier of "
        f"{learned(setting.features):,} parameters learns on {setting.features}."
    )
    return Scene(width, bottom + 52, f"Labels: {label(setting)}", said, tuple(marks))


def _row(name: str, top: float, pitch: float, setting: YourNetworkSetting, example: str) -> Iterator[Mark]:
    key, side = f"class {name}", min(pitch - 1, _ROW - 6)
    if example:
        yield Mark(f"{key}/example", "image", (0, top, 22, 22), "pixels", href=example)
    else:
        yield text(f"{key}/name", 11, top + 16, name, style="words bold middle")
    upper = top + 11 - side / 2
    yield Mark(f"{key}/all", "box", (_NAMED, upper, pitch * MOST, side), "well")
    labelled = (_NAMED, upper, pitch * setting.pictures, side)
    yield Mark(f"{key}/labelled", "box", labelled, "compound-filled")
    edges = (_NAMED + pitch * n for n in range(1, MOST))
    between = tuple(end for x in edges for end in (x, upper, x, upper + side))
    yield Mark(f"{key}/between", "strokes", between, "cells")


def _parameters(setting: YourNetworkSetting, width: float, top: float) -> Iterator[Mark]:
    """Draw all parameters as a bar, in true proportion, and those that learn at its end."""
    trains = learned(setting.features)
    frozen = counted().parameters - learned(LITE0) if setting.features == LITE0 else 0
    share = max(3.0, width * trains / (trains + frozen))
    words = f"{trains:,} parameters learn" + (f"; {frozen / 1e6:.1f} million stay frozen" if frozen else "")
    if width < 300:
        words = f"{trains:,} learn" + (f"; {frozen / 1e6:.1f} million frozen" if frozen else "")
    yield text("parameters/said", 0, top + 12, words, style="words")
    if frozen:
        yield Mark("parameters/frozen", "box", (0, top + 20, width - share, 14), "bar")
    told = f"The classifier: {trains:,} parameters"
    yield Mark("parameters/learn", "box", (width - share, top + 20, share, 14), "compound-filled", words=told)


def bits(logic: YourNetwork) -> Scene:
    """Draw one weight as its bits, and all weights as bars; touching either precision chooses it."""
    setting, width = logic.setting, float(logic.room)
    marks = [text("bits/title", 0, 12, "one weight, bit by bit", style="title")]
    pitch = width / max(BITS.values())
    top = 22.0
    for precision, count in BITS.items():
        is_chosen = precision == setting.precision
        mebibytes = weight_bytes(precision) / 2**20
        groups = _FLOAT if precision == "fp32" else ((8, "whole number"),)
        said = f"{precision}: {mebibytes:.1f} MiB of weights"
        key = f"bits {precision}"
        marks.append(text(f"{key}/said", 0, top + 12, said, style=f"words{' bold' * is_chosen}"))
        parts = ", ".join(f"{long} {name}" for long, name in groups)
        if width >= _WIDE:
            marks.append(text(f"{key}/parts", width, top + 12, f"bits: {parts}", style="words soft end"))
        done = 0
        for of, (long, _name) in enumerate(groups):
            for n in range(long):
                box = (pitch * (done + n), top + 18, pitch - 2, 18)
                style = ("compound-filled" if is_chosen else "bar") if of != 1 else "well"
                marks.append(Mark(f"{key}/{done + n}", "box", box, style))
            done += long
        words = f"{said}\n{count} bits of a weight: {parts}"
        marks.append(
            Mark(
                f"{key}/touch",
                "box",
                (0, top, width, 38),
                "touch",
                words=words,
                sets={"precision": precision},
                with_=(key,),
            )
        )
        top += 50
    told = "; ".join(f"{name} {weight_bytes(name) / 2**20:.1f} MiB" for name in BITS)
    return Scene(width, top - 6, f"Bits: {label(setting)}", f"Weights of {NETWORK}: {told}.", tuple(marks))


# ---------------------------------------------------------------- all of it


def _study_table() -> str:
    _, every = recorded()
    rows = [
        (way_named(arm.way), str(arm.pictures), f"{100 * arm.accuracy.mean:.1f}", f"{arm.seconds.mean:.1f}")
        for arm in every
    ]
    heads = ("what learns", "a class", "%", "s")
    return plain_table("recorded: Fashion-MNIST, 10 classes", heads, rows, "ee-pretrained")


def screen(logic: LabLogic[YourNetworkSetting, YourNetworkFound], examples: Sequence[str] = ()) -> LiveScreen:
    """Return what the chosen part shows.

    Args:
        logic: The lab.
        examples: An address of a small picture of each class, where there are pictures.
    """
    if logic.setting.part == PRECISION:
        return LiveScreen(
            finding(logic), bits(logic), lambda: precision_charts(logic), _aside(logic), _study_table()
        )
    return LiveScreen(
        finding(logic), labelled(logic, examples), lambda: labels_charts(logic), _aside(logic), _study_table()
    )
