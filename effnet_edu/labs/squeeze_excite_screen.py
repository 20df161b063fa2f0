"""What the squeeze-and-excitation lab draws: picture and answer, the gates, and their price."""

import base64
import io
from functools import lru_cache

from PIL import Image

from effnet_edu.labs.drawing import Axis, Drawing, circle, drawing, line, rectangle, text
from effnet_edu.labs.numbers import digits
from effnet_edu.labs.squeeze_excite_logic import OWN, Setting, SqueezeExciteLogic
from effnet_edu.labs.squeeze_pictures import (
    GATES,
    HEIGHT,
    LEFT,
    WIDTH,
    contrast_bars,
    cost_bars,
    costs_in_words,
    gate_bars,
    named,
)
from effnet_edu.labs.squeeze_widths import SQUEEZES
from effnet_edu.labs.tables import plain_table

#: The answer: its height, that of a row, and where letters, bars and percentages stand.
_ANSWER_HEIGHT, _ROW = 150, 13
_LETTERS, _BARS, _SHARES = 142, (154, 350), WIDTH


@lru_cache(maxsize=32)
def _png(pixels: bytes, side: int) -> str:
    """Return a picture as the address of an image, each pixel four by four so that it stays sharp."""
    image = Image.frombytes("RGB", (side, side), pixels)
    file = io.BytesIO()
    image.resize((4 * side, 4 * side), Image.Resampling.NEAREST).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _picture(logic: SqueezeExciteLogic, setting: Setting, y: float, size: float) -> str:
    pixels = logic.pixels(setting).permute(1, 2, 0).contiguous()
    address = _png(pixels.numpy().tobytes(), pixels.shape[0])
    return f'<image x="0" y="{y}" width="{size}" height="{size}" href="{address}"/>'


def answer_picture(logic: SqueezeExciteLogic) -> Drawing:
    """Draw the picture and the network's logits for it; of two settings both.

    Args:
        logic: The lab.
    """
    present = logic.setting
    if logic.pinned is None:
        parts = [
            text(0, 12, logic.called(present), "title"),
            _picture(logic, present, 18, 108),
            text(0, 142, logic.gates_in_words(present), "soft"),
        ]
    else:
        parts = []
        for row, (letter, setting) in enumerate((("A", logic.pinned), ("B", present))):
            parts.append(_picture(logic, setting, 8 + 70 * row, 62))
            parts.append(text(68, 20 + 70 * row, letter, "title"))
    ring = "its own gates" if logic.pinned is None else "A"
    parts += [text(_BARS[0], 12, f"logits (ring: {ring})", "title"), *_bars(logic)]
    return drawing((WIDTH, _ANSWER_HEIGHT), _answer_in_words(logic), parts)


def _bars(logic: SqueezeExciteLogic) -> list[str]:
    """Draw a bar a class for the present answer, and a ring at the one that it is held against."""
    answer, against = logic.answer(logic.setting), _against(logic)
    low, high = logic.known.logit_range()
    x = Axis(min(low, 0) - 1, high + 2, *_BARS)
    zero = x(0)
    parts = [line(zero, 18, zero, 18 + _ROW * len(answer.logits), "axis")]
    for row, name in enumerate(logic.known.class_names):
        middle = 18 + _ROW * (row + 0.5)
        end = x(answer.logits[row])
        parts.append(text(_LETTERS, middle + 4.5, name, "", "middle"))
        parts.append(rectangle(min(zero, end), middle - 4, abs(end - zero), 8, "slab"))
        parts.append(circle(x(against[row]), middle, 3.5, "published"))
        parts.append(text(_SHARES, middle + 4.5, f"{answer.probability(row):.1%}", "", "end"))
    return parts


def _against(logic: SqueezeExciteLogic) -> tuple[float, ...]:
    """Return the logits that the present ones are held against: with its own gates, or those of A."""
    pinned = logic.pinned
    return logic.answer(logic.setting).own_logits if pinned is None else logic.answer(pinned).logits


def _answer_in_words(logic: SqueezeExciteLogic) -> str:
    setting = logic.setting
    logits = zip(logic.known.class_names, logic.answer(setting).logits, _against(logic), strict=True)
    rows = (f"{name} {logit:.2f} ({other:.2f})" for name, logit, other in logits)
    return (
        f"{logic.called(setting)}, {logic.gates_in_words(setting)} in {setting.block}. Logits, with those of "
        f"{'its own gates' if logic.pinned is None else 'A'} in brackets: {', '.join(rows)}."
    )


def gates_picture(logic: SqueezeExciteLogic) -> Drawing:
    """Draw the gates of the block, how they differ between two classes, and what squeezing costs.

    Args:
        logic: The lab.
    """
    setting = logic.setting
    pinned = logic.pinned
    same_network = pinned is not None and pinned.network == setting.network
    contrast = contrast_bars(logic.contrast(setting), logic.compared_classes(setting), setting.channel)
    costs = cost_bars(setting.network, setting.squeeze, pinned.squeeze if same_network else None)
    words = costs_in_words(setting.network, setting.squeeze)
    label = f"{_gates_in_words(logic)} {_contrast_in_words(logic)} {words}"
    return drawing((WIDTH, HEIGHT), label, [*_gates(logic), *contrast, *costs])


def _gates(logic: SqueezeExciteLogic) -> list[str]:
    setting, pinned = logic.setting, logic.pinned
    answer = logic.answer(setting)
    x = Axis(0, len(answer.gates), LEFT, WIDTH)
    title = f"{len(answer.gates)} gates of {setting.block}: {logic.gates_in_words(setting)}"
    if pinned is not None and pinned.block == setting.block:
        parts = gate_bars(answer.gates, f"B: {title}; line: A", logic.answer(pinned).gates)
    else:
        parts = gate_bars(answer.gates, title)
    centre, channel = x(setting.channel + 0.5), setting.channel
    if setting.gates != OWN:
        parts.append(circle(centre, GATES(answer.own_gates[channel]), 5, "published"))
    parts.append(circle(centre, GATES(answer.gates[channel]), 5, "now"))
    anchor = "start" if centre < LEFT + 10 else ("end" if centre > WIDTH - 10 else "middle")
    parts.append(text(centre, GATES.start + 14, str(channel), "title", anchor))
    return parts


def _gates_in_words(logic: SqueezeExciteLogic) -> str:
    setting = logic.setting
    answer = logic.answer(setting)
    channel = setting.channel
    return (
        f"{len(answer.gates)} gates of {setting.block}, {logic.gates_in_words(setting)}: from "
        f"{min(answer.gates):.2f} to {max(answer.gates):.2f}, "
        f"mean {sum(answer.gates) / len(answer.gates):.2f}. "
        f"Channel {channel}: {answer.gates[channel]:.3f}, its own {answer.own_gates[channel]:.3f}."
    )


def _contrast_in_words(logic: SqueezeExciteLogic) -> str:
    values = logic.contrast(logic.setting)
    widest = max(range(len(values)), key=lambda channel: abs(values[channel]))
    return (
        f"Gates, {logic.compared_classes(logic.setting)}: {values[logic.setting.channel]:+.3f} in this "
        f"channel, largest {values[widest]:+.3f} in channel {widest}."
    )


def pictures(logic: SqueezeExciteLogic) -> tuple[Drawing, ...]:
    """Draw the answer above the gates.

    Args:
        logic: The lab.
    """
    return answer_picture(logic), gates_picture(logic)


def session_table(logic: SqueezeExciteLogic) -> str:
    """Return what was measured of the present network at several widths, or nothing if at one.

    Args:
        logic: The lab.
    """
    network = logic.setting.network
    if logic.pinned is not None:  # the comparison has no room below it
        return ""
    newest = {
        (SQUEEZES.index(record.setting.squeeze), record.setting.batch_size, record.setting.device): record
        for record in logic.history
        if record.setting.network == network
    }
    if len(newest) < 2:
        return ""
    rows = []
    for squeeze, batch, device in sorted(newest)[:4]:
        whole, _, share = logic.measured(newest[squeeze, batch, device])
        rows.append((f"{SQUEEZES[squeeze]}, {batch}, {device}", digits(whole.value), f"{share.value:.1f}"))
    return plain_table(
        f"measured, {named(network)}", ("SE, batch, device", "ms", "SE, %"), rows, "ee-session"
    )


NOTE = (
    "Bars: with the gates that it is given. Grey: the network without SE. 1/4 of c_mid is a common mistake."
)
