"""What the small trained network answers to a picture, with its own gates and with any others."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

import torch
from torch import Tensor

from effnet_edu.images.reader import read_square
from effnet_edu.labs.frame.numbers import Number, Section
from effnet_edu.labs.squeeze_excite.gated_network import Halt, gated_network
from effnet_edu.labs.squeeze_excite.numbers import (
    ALL,
    CHANNELS,
    CLASSES,
    MOST_USEFUL,
    OTHER,
    OWN,
    SHUFFLED,
    USEFUL,
    SqueezeExciteSetting,
    class_gates,
)

_LONGEST_NAME = 40
#: Gates that are found useful at once, before those that are left are tried again.
_AT_ONCE = 5
_SHUFFLE_SEED = 0

#: Pictures that the learner gave, in this session, by name.  # (3, side, side)
given: dict[str, Tensor] = {}


@dataclass(frozen=True)
class Answer:
    """What the network says to a picture with its own gates and with those that it is given.

    Attributes:
        own_gates: What the block computes from the picture.
        gates: What the rest of the network is given instead.
        own_logits: The answer with its own.
        logits: The answer with the others.
    """

    own_gates: tuple[float, ...]
    gates: tuple[float, ...]
    own_logits: tuple[float, ...]
    logits: tuple[float, ...]

    def probability(self, label: int, own: bool = False) -> float:
        """Return the softmax of a logit."""
        logits = self.own_logits if own else self.logits
        largest = max(logits)
        shares = [math.exp(logit - largest) for logit in logits]
        return shares[label] / sum(shares)


@lru_cache(maxsize=32)
def _halt(pixels: bytes, block: str) -> Halt:
    known = gated_network()
    side = known.network.spec.resolution
    return known.halt(torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(3, side, side), block)


@lru_cache(maxsize=256)
def _answer(pixels: bytes, block: str, gates: tuple[tuple[int, float], ...]) -> Answer:
    """Return the answer when the gates of some channels are replaced."""
    halt = _halt(pixels, block)
    used = halt.gates.clone()
    if gates:
        channels, values = zip(*gates, strict=True)
        used[list(channels)] = torch.tensor(values)
    logits = gated_network().logits(halt.before, halt.ungated, used, block)
    return Answer(*(tuple(values.tolist()) for values in (halt.gates, used, halt.logits, logits)))


@lru_cache(maxsize=64)
@torch.inference_mode()
def _useful(pixels: bytes, block: str) -> tuple[int, ...]:
    """Return the channels whose shut gates take most of the lead of the answer, the most useful first."""
    halt, known = _halt(pixels, block), gated_network()
    said, gates = int(halt.logits.argmax()), halt.gates.clone()
    found: list[int] = []
    while len(found) < useful_count(block):
        left = [channel for channel in range(len(gates)) if channel not in found]
        tried = gates.repeat(len(left), 1)
        tried[range(len(left)), left] = 0
        logits = known.logits(halt.before, halt.ungated, tried, block)
        own = logits[:, said].clone()
        logits[:, said] = -math.inf
        lead = own - logits.amax(1)
        count = min(_AT_ONCE, useful_count(block) - len(found))
        found += [left[int(n)] for n in lead.argsort()[:count]]
        gates[found] = 0
    return tuple(found)


def useful_count(block: str) -> int:
    """Return how many gates are shut as the most useful ones: half of a small block's."""
    return min(MOST_USEFUL, CHANNELS[block] // 2)


def useful(setting: SqueezeExciteSetting) -> tuple[int, ...]:
    """Return the most useful channels of a block for a picture, the most useful first."""
    return _useful(_bytes(setting), setting.block)


def _shuffled(own: tuple[float, ...]) -> tuple[float, ...]:
    order = torch.randperm(len(own), generator=torch.Generator().manual_seed(_SHUFFLE_SEED))
    return tuple(own[int(n)] for n in order)


def answer(setting: SqueezeExciteSetting) -> Answer:
    """Return what the trained network says at a setting."""
    picture, block = _bytes(setting), setting.block
    replaced: dict[int, float] = {}
    if setting.gates == ALL:
        replaced = dict.fromkeys(range(CHANNELS[block]), setting.gate)
    elif setting.gates == OTHER:
        replaced = dict(enumerate(class_gates(block, setting.other)))
    elif setting.gates == USEFUL:
        replaced = dict.fromkeys(_useful(picture, block), 0.0)
    elif setting.gates == SHUFFLED:
        replaced = dict(enumerate(_shuffled(_answer(picture, block, ()).own_gates)))
    return _answer(picture, block, tuple((replaced | dict(setting.by_hand)).items()))


@lru_cache(maxsize=32)
def _maps(pixels: bytes, block: str) -> tuple[tuple[float, ...], ...]:
    maps = _halt(pixels, block).ungated[0].clamp(min=0).flatten(1)
    most = maps.amax(1, keepdim=True).clamp(min=1e-6)
    return tuple(tuple(row) for row in (maps / most).tolist())


def maps(setting: SqueezeExciteSetting) -> tuple[tuple[float, ...], ...]:
    """Return the map of each channel before its gate, row by row, over its own largest value."""
    return _maps(_bytes(setting), setting.block)


def _bytes(setting: SqueezeExciteSetting) -> bytes:
    return bytes(pixels(setting).numpy().tobytes())


def pixels(setting: SqueezeExciteSetting) -> Tensor:  # -> (3, side, side)
    """Return the picture of a setting, uint8."""
    if setting.picture in CLASSES:
        return gated_network().picture(CLASSES.index(setting.picture), setting.example - 1)
    return given[setting.picture]


def contrast(picture: str, other: str, block: str) -> tuple[float, ...]:
    """Return how much wider open each gate is than for the other class.

    Mean of the picture's class less mean of the other; for a learner's own picture, its own gates.
    """
    here = class_gates(block, picture) if picture in CLASSES else own_gates(picture, block)
    return tuple(one - less for one, less in zip(here, class_gates(block, other), strict=True))


def own_gates(picture: str, block: str) -> tuple[float, ...]:
    """Return the gates that the network gives to a picture of the learner's own."""
    return _answer(given[picture].numpy().tobytes(), block, ()).own_gates


def compared_classes(setting: SqueezeExciteSetting) -> str:
    """Return in words what `contrast` subtracts, such as `mean of O less mean of Q`."""
    drawn = setting.picture in CLASSES
    return f"{f'mean of {setting.picture}' if drawn else 'this picture'} less mean of {setting.other}"


def focus(setting: SqueezeExciteSetting) -> int:
    """Return the class whose probability is shown: the picture's, or what its own gates lead to."""
    if setting.picture in CLASSES:
        return CLASSES.index(setting.picture)
    logits = answer(setting).own_logits
    return logits.index(max(logits))


def called(setting: SqueezeExciteSetting) -> str:
    """Return the picture in words, such as `O, picture 3`."""
    return f"{setting.picture}, picture {setting.example}" if setting.picture in CLASSES else setting.picture


def gates_in_words(setting: SqueezeExciteSetting) -> str:
    """Return which gates the network is given, in a few words."""
    words = {
        OWN: "its own gates",
        ALL: f"all gates at {setting.gate:.2f}",
        OTHER: f"mean gates of {setting.other}",
        USEFUL: f"its {useful_count(setting.block)} most useful gates shut",
        SHUFFLED: "its own gates shuffled",
    }[setting.gates]
    if not setting.by_hand:
        return words
    channel, gate = setting.by_hand[0]
    count = len(setting.by_hand)
    hand = f"gate {channel} at {gate:.2f}" if count == 1 else f"{count} gates by hand"
    return hand if setting.gates == OWN else f"{words}, {hand}"


def answer_numbers(setting: SqueezeExciteSetting) -> Section:
    """Return gates and answer as numbers."""
    found, label = answer(setting), focus(setting)
    numbers = (
        Number("its own gate", found.own_gates[setting.channel], decimals=3),
        Number("gate given", found.gates[setting.channel], decimals=3),
        Number("mean gate given", sum(found.gates) / len(found.gates), decimals=3),
        Number("logit", found.logits[label], decimals=2, note=f"for {CLASSES[label]}"),
        Number("probability", 100 * found.probability(label), "%", decimals=1),
        Number("with own gates", 100 * found.probability(label, own=True), "%", decimals=1),
    )
    return Section("computed", numbers, f"computed, {setting.block}")


def answer_details(setting: SqueezeExciteSetting) -> Section:
    """Return every logit, every gate and every difference that the picture shows."""
    found = answer(setting)
    logits = (
        Number(f"logit of {name}{words}", values[label], decimals=2, is_detail=True)
        for label, name in enumerate(CLASSES)
        for words, values in (("", found.logits), (", own gates", found.own_logits))
    )
    differences = contrast(setting.picture, setting.other, setting.block)
    three = (
        (" given", found.gates),
        (", its own", found.own_gates),
        (f", {compared_classes(setting)}", differences),
    )
    gates = (
        Number(f"gate {channel}{words}", values[channel], decimals=3, is_detail=True)
        for channel in range(len(found.gates))
        for words, values in three
    )
    return Section("computed", (*logits, *gates), f"computed, {setting.block}")


# ---------------------------------------------------------------- pictures of the learner's own


def fitted(content: bytes, name: str) -> Tensor:  # -> (3, side, side)
    """Return a file as the network reads it; raise ValueError where it is no picture."""
    return read_square(content, gated_network().network.spec.resolution, name=name)


def keep(name: str, content: bytes) -> str:
    """Keep a picture and return what it is called; raise ValueError where it is none."""
    called_ = plain(name)
    picture = fitted(content, called_)
    taken, number = called_, 1
    while taken in CLASSES or (taken in given and not torch.equal(given[taken], picture)):
        number += 1
        taken = f"{called_} ({number})"
    given[taken] = picture
    return taken


def is_file(name: str) -> bool:
    """Return whether a name is that of a file, whatever it holds."""
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero in it
        return False


def plain(name: str) -> str:
    """Return the last part of a file's name, without what no name needs."""
    last = PurePath(name.replace("\\", "/")).name
    kept = "".join(letter for letter in last if letter.isprintable())
    return kept[-_LONGEST_NAME:] or "picture"
