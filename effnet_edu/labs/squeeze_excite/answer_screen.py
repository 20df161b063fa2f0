"""What the squeeze-and-excitation lab shows: gates to drag, their maps, the answer, and the price."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from effnet_edu.labs.frame.layout import LiveScreen, is_low
from effnet_edu.labs.frame.logic import LabLogic
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.frame.tables import plain_table
from effnet_edu.labs.squeeze_excite.answers import (
    answer,
    called,
    compared_classes,
    contrast,
    focus,
    gates_in_words,
    maps,
    pixels,
    useful,
)
from effnet_edu.labs.squeeze_excite.charts import (
    blocks_chart,
    blocks_in_words,
    chart_places,
    contrast_chart,
    cost_chart,
    costs_in_words,
    named,
    skyline,
    steps,
)
from effnet_edu.labs.squeeze_excite.gated_network import gated_network
from effnet_edu.labs.squeeze_excite.numbers import (
    ALL,
    CHANNELS,
    CLASSES,
    GATES,
    OWN,
    SHUFFLED,
    USEFUL,
    SqueezeExciteSetting,
)
from effnet_edu.labs.squeeze_excite.widths import SQUEEZES
from effnet_edu.pictures.axis import Axis, MarkedAxis
from effnet_edu.pictures.chart import axes
from effnet_edu.pictures.pixels import image_address
from effnet_edu.pictures.scene import Drag, Mark, Scene, text
from effnet_edu.profiling.layers import LayerProfile

SqueezeExcite = LabLogic[SqueezeExciteSetting, LayerProfile]

#: Room for the picture and for the answer, beside the gates or above them where there is little.
_PICTURE, _SMALLEST, _ANSWER, _NARROW = 118.0, 64.0, 220.0, 760.0
_GATES_HEIGHT, _LOW_GATES, _ROW = 172.0, 152.0, 14.5
_THUMBNAIL, _LOW_THUMBNAIL, _PITCH = 44.0, 36.0, 56.0
#: The colour of what a channel sees: between the light and the dark theme's.
_INK = (0xCC, 0x66, 0xA6)


# ---------------------------------------------------------------- in words


def _said(setting: SqueezeExciteSetting) -> tuple[str, float]:
    """Return the class that the network answers, and its probability."""
    logits = answer(setting).logits
    label = logits.index(max(logits))
    return CLASSES[label], answer(setting).probability(label)


def finding(logic: SqueezeExcite) -> str:
    """Return what the network answers with the gates that it is given, and what it was before."""
    setting = logic.setting
    found, label = answer(setting), focus(setting)
    said, probability = _said(setting)
    given = "its own gates" if setting.gates == OWN and not setting.by_hand else gates_in_words(setting)
    if logic.pinned is not None:
        before, was = _said(logic.pinned)
        return f"With {given} the network says {said} ({probability:.1%}); A says {before} ({was:.1%})."
    own = found.probability(label, own=True)
    if given == "its own gates":
        right = "" if setting.picture not in CLASSES or said == setting.picture else ", and errs"
        return f"With its own gates the network says {said} ({probability:.1%}){right}."
    name = CLASSES[label]
    if said != name:
        left = f"{name} is left {found.probability(label):.1%}"
        return f"With {given} the network errs: it says {said} ({probability:.1%}), and {left}."
    return (
        f"With {given} the network still says {said}: {probability:.1%}, where its own gates give {own:.1%}."
    )


def _aside(setting: SqueezeExciteSetting) -> str:
    own = answer(setting).own_gates
    if setting.gates == SHUFFLED:
        return (
            f"Each channel has the gate of another. They lie between {min(own):.2f} and {max(own):.2f} as "
            f"before, and so their mean stays at {sum(own) / len(own):.2f}."
        )
    if gated_network().has_shortcut(setting.block):
        return (
            f"{setting.block} has a shortcut: its input passes the gates by, and reaches the end whatever is "
            "shut. stages.3.0 has none."
        )
    if setting.gates == USEFUL:
        return (
            "The most useful gates are those whose closing takes most of the answer's lead; they are found "
            "five at a time."
        )
    return f"{setting.block} has no shortcut: all that the network sees passes these gates. Drag some down."


def _in_words(logic: SqueezeExcite) -> str:
    setting = logic.setting
    found, against = answer(setting), _against(logic)
    rows = (
        f"{name} {logit:.2f} ({other:.2f})"
        for name, logit, other in zip(CLASSES, found.logits, against, strict=True)
    )
    channel = setting.channel
    return (
        f"{called(setting)}, {gates_in_words(setting)} in {setting.block}. Logits, with those of "
        f"{'its own gates' if logic.pinned is None else 'A'} in brackets: {', '.join(rows)}. "
        f"{len(found.gates)} gates from {min(found.gates):.2f} to {max(found.gates):.2f}; channel {channel}: "
        f"{found.gates[channel]:.3f}, its own {found.own_gates[channel]:.3f}."
    )


def _against(logic: SqueezeExcite) -> tuple[float, ...]:
    """Return the logits that the present ones are held against: with its own gates, or those of A."""
    return answer(logic.setting).own_logits if logic.pinned is None else answer(logic.pinned).logits


# ---------------------------------------------------------------- the picture


def picture(logic: SqueezeExcite) -> Scene:
    """Draw the picture, the gates of the block as bars to drag, what they let through, and the answer."""
    width, setting = float(logic.room), logic.setting
    is_wide = width >= _NARROW
    is_beside = width >= _ANSWER + 16 + _SMALLEST
    size = min(_PICTURE, width - _ANSWER - 16) if is_beside else _SMALLEST
    marks = list(_picture(setting, size, is_small=size < _PICTURE and is_beside))
    over = 0 if is_beside else size + 34
    left, right, top = 0.0, width, over + 30 + _ROW * len(CLASSES)
    if is_wide:
        left, right, top = _PICTURE + 26, width - _ANSWER - 24, 0.0
    # The buttons take one row, above the answer as well where the gates are too narrow for it.
    end = width if is_low(width) else right
    buttons, below = _buttons(setting, left, end, top)
    marks += buttons
    marks += _answer(logic, width - _ANSWER, width, below - 6 if end > right else over)
    high = _LOW_GATES if is_low(width) else _GATES_HEIGHT
    marks += _gates(logic, left, right, below, high)
    bottom = below + high + 8
    side = _LOW_THUMBNAIL if is_low(width) else _THUMBNAIL
    marks += _thumbnails(setting, width, bottom, side)
    height = bottom + 38 + side
    return Scene(width, height, f"Gates of {setting.block}", _in_words(logic), tuple(marks))


def _picture(setting: SqueezeExciteSetting, size: float, *, is_small: bool) -> Iterator[Mark]:
    shown = pixels(setting).permute(1, 2, 0).contiguous()  # (3, side, side) -> (side, side, 3)
    address = image_address(bytes(shown.numpy().tobytes()), len(shown), len(shown))
    name = called(setting)
    yield text("picture/name", 0, 12, name.partition(",")[0] if is_small else name, style="title")
    yield Mark("picture/image", "image", (0, 22, size, size), "pixels", href=address)
    yield Mark("picture/frame", "box", (0, 22, size, size), "axis")


def _answer(logic: SqueezeExcite, left: float, right: float, top: float) -> Iterator[Mark]:
    """Draw a bar a class for the present answer, and a ring at the one that it is held against."""
    found, against, label = answer(logic.setting), _against(logic), focus(logic.setting)
    low, high = gated_network().logit_range()
    x = Axis(min(low, 0) - 1, high + 2, left + 20, right - 52)
    said = found.logits.index(max(found.logits))
    ring = "its own gates" if logic.pinned is None else "A"
    yield text("answer/title", left, top + 12, f"logits (ring: {ring})", style="title")
    zero = x(0)
    for row, name in enumerate(CLASSES):
        middle, end = top + 22 + _ROW * (row + 0.5), x(found.logits[row])
        key, probability = f"answer/{name}", found.probability(row)
        weight = " bold" if row in (said, label) else ""
        yield text(f"{key}/name", left + 6, middle + 4.5, name, style=f"words middle{weight}")
        style = "compound-filled" if row == said else "bar"
        yield Mark(f"{key}/bar", "box", (min(zero, end), middle - 5, abs(end - zero), 10), style)
        told = (
            f"{name}: logit {found.logits[row]:.2f}, probability {probability:.1%}\nRing: {against[row]:.2f}"
        )
        yield Mark(f"{key}/ring", "circle", (x(against[row]), middle, 3.5), "published", words=told)
        yield text(f"{key}/share", right, middle + 4.5, f"{probability:.1%}", style=f"words end{weight}")
    yield Mark("answer/zero", "line", (zero, top + 22, zero, top + 22 + _ROW * len(CLASSES)), "axis")


def _buttons(
    setting: SqueezeExciteSetting, left: float, right: float, top: float
) -> tuple[list[Mark], float]:
    """Return a button for each choice of gates, in as many rows as they need, and where they end."""
    marks: list[Mark] = []
    x, y = left, top
    for name in GATES:
        wide = 7.3 * len(name) + 18
        if x + wide > right and x > left:
            x, y = left, y + 30
        is_chosen = name == setting.gates
        key = f"button {name}"
        marks.append(Mark(f"{key}/box", "box", (x, y, wide, 24), "chosen-button" if is_chosen else "well"))
        style = f"words middle{' bold' if is_chosen else ''}"
        marks.append(text(f"{key}/words", x + wide / 2, y + 16, name, style=style))
        told = f"{name}: gates{', chosen' if is_chosen else ''}"
        marks.append(
            Mark(
                f"{key}/touch",
                "box",
                (x, y, wide, 24),
                "touch",
                words=told,
                sets={"gates": name},
                with_=(key,),
            )
        )
        x += wide + 8
    return marks, y + 30


def _gates(logic: SqueezeExcite, left: float, right: float, top: float, height: float) -> Iterator[Mark]:
    """Draw a bar a gate, their own as a line, and the chosen one as a point; the whole can be dragged."""
    setting, pinned = logic.setting, logic.pinned
    found = answer(setting)
    count, channel = len(found.gates), setting.channel
    x = MarkedAxis(0, count, left + 34, right - 8)
    y = MarkedAxis(0, 1, top + height - 26, top + 26, marks=(0, 0.5, 1))
    title = f"{count} gates of {setting.block}"
    if right - left >= 460:
        title += f": {gates_in_words(setting)}"
    for mark in axes(x, y, "", title):
        yield mark.moved(0, 0, "gates")
    yield Mark("gates/bars", "area", skyline(found.gates, x, y), "compound-filled")
    behind = found.own_gates
    if pinned is not None and pinned.block == setting.block:
        behind = answer(pinned).gates
    if behind != found.gates:
        yield Mark("gates/behind", "line", steps(behind, x, y), "outline")
        said = "line: A" if pinned is not None else "line: its own"
        yield text("gates/behind said", x.end, y.end - 10, said, style="words soft end outlined")
    centre, gate = x(channel + 0.5), found.gates[channel]
    yield Mark("gates/guide", "line", (centre, y(0), centre, y(1)), "guide")
    yield Mark("gates/halo", "circle", (centre, y(gate), 14), "halo")
    yield Mark("gates/now", "circle", (centre, y(gate), 7), "now")
    anchor = "" if centre < x.start + 36 else "end" if centre > x.end - 36 else "middle"
    style = f"words bold outlined {anchor}".strip()
    yield text("gates/channel", centre, y.start + 16, f"channel {channel}", style=style)
    half = 0.5 * (x.end - x.start) / count
    drags = (
        Drag("channel", Axis(0, count - 1, x.start + half, x.end - half), channel, 1),
        Drag("gate", Axis(0, 1, y.start, y.end), round(gate, 2), 0.01, upright=True),
    )
    words = (
        f"channel {channel}: gate {gate:.2f}, its own {found.own_gates[channel]:.2f}\n"
        f"Drag {'all gates' if setting.gates == ALL else 'it'} up or down, or press another channel"
    )
    area = (x.start, y.end, x.end - x.start, y.start - y.end)
    leads = {
        "gates/guide": (1, 0, 1),
        "gates/halo": (1, 1),
        "gates/now": (1, 1),
        "gates/channel": (1,),
    }
    yield Mark(
        "gates/touch", "box", area, "touch", words=words, drag=drags, with_=("gates/halo",), leads=leads
    )


def _shown_channels(setting: SqueezeExciteSetting, count: int) -> list[int]:
    """Return the chosen channel and the most useful ones, in order."""
    found = dict.fromkeys((setting.channel, *useful(setting), *range(CHANNELS[setting.block])))
    return sorted(list(found)[:count])


@lru_cache(maxsize=512)
def _thumbnail(values: tuple[float, ...], gate: float) -> str:
    side = round(len(values) ** 0.5)
    rows = b"".join(bytes((*_INK, round(255 * value * gate))) for value in values)
    return image_address(rows, side, side)


def _thumbnails(setting: SqueezeExciteSetting, width: float, top: float, side: float) -> Iterator[Mark]:
    """Draw what some channels see, as faint as their gates are shut; a click shuts or opens one."""
    found, seen = answer(setting), maps(setting)
    count = min(max(1, int((width + _PITCH - side) / _PITCH)), CHANNELS[setting.block])
    named_so = "maps of the most useful channels, times" if width >= _NARROW else "maps times"
    hint = " to shut or open" if width >= 300 else ""
    yield text("maps/title", 0, top + 12, f"{named_so} gates: click{hint}", style="words soft")
    for n, channel in enumerate(_shown_channels(setting, count)):
        x, y, gate = _PITCH * n, top + 20, found.gates[channel]
        key, box = f"map {channel}", (x, y, side, side)
        yield Mark(f"{key}/well", "box", box, "well")
        address = _thumbnail(seen[channel], round(gate, 2))
        yield Mark(f"{key}/image", "image", box, "pixels", href=address)
        if channel == setting.channel:
            yield Mark(f"{key}/ring", "box", (x - 1, y - 1, side + 2, side + 2), "ring")
        said = f"{channel}: {gate:.2f}"
        yield text(f"{key}/gate", x + side / 2, y + side + 14, said, style="words small middle")
        own = round(found.own_gates[channel], 2)
        does = "shut" if gate else "open"
        told = f"channel {channel}: gate {gate:.2f}, its own {own:.2f}\nClick to {does} it"
        sets = {"channel": channel, "gate": 0.0 if gate else own}
        yield Mark(f"{key}/touch", "box", box, "touch", words=told, sets=sets, with_=(key,))


# ---------------------------------------------------------------- charts and tables


def charts(logic: SqueezeExcite) -> Scene:
    """Draw how the gates differ between two classes, what the class decides in each block, and the price."""
    setting, pinned = logic.setting, logic.pinned
    values = contrast(setting.picture, setting.other, setting.block)
    of_a = pinned.squeeze if pinned is not None and pinned.network == setting.network else None
    # The gates that are given do not matter here.
    plain = replace(setting, gates=OWN, by_hand=(), gate=0.0)
    return _charts(plain, values, of_a, logic.room)


@lru_cache(maxsize=16)
def _charts(setting: SqueezeExciteSetting, values: tuple[float, ...], of_a: str | None, room: float) -> Scene:
    rooms = chart_places(room)
    marks = (
        *contrast_chart(values, compared_classes(setting), rooms[0], setting.channel),
        *blocks_chart(setting.block, rooms[1]),
        *cost_chart(setting.network, setting.squeeze, rooms[2], of_a),
    )
    widest = max(range(len(values)), key=lambda channel: abs(values[channel]))
    words = (
        f"Gates, {compared_classes(setting)}: {values[setting.channel]:+.3f} in this channel, largest "
        f"{values[widest]:+.3f} in channel {widest}. {blocks_in_words()} "
        f"{costs_in_words(setting.network, setting.squeeze)}"
    )
    return Scene(room, rooms[-1].bottom, "Gates by class, and their price", words, marks)


def session_table(logic: SqueezeExcite) -> str:
    """Return what was measured of the present network at several widths, or nothing if at one."""
    network = logic.setting.network
    newest = {
        (SQUEEZES.index(record.setting.squeeze), record.setting.batch_size, record.setting.device): record
        for record in logic.history
        if record.setting.network == network
    }
    if len(newest) < 2:
        return ""
    rows = []
    for squeeze, batch, device in sorted(newest):
        whole, _, share = logic.measured(newest[squeeze, batch, device])
        rows.append((f"{SQUEEZES[squeeze]}, {batch}, {device}", digits(whole.value), f"{share.value:.1f}"))
    return plain_table(
        f"measured, {named(network)}", ("SE, batch, device", "ms", "SE, %"), rows, "ee-session"
    )


def answer_screen(logic: SqueezeExcite) -> LiveScreen:
    """Return all of it."""
    return LiveScreen(
        finding(logic), picture(logic), lambda: charts(logic), _aside(logic.setting), session_table(logic)
    )
