"""Which of the tensors in a file are the network's: below which key, behind which prefix, raw or averaged."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from effnet_edu.checkpoints.files import UnreadableCheckpointError
from effnet_edu.checkpoints.layouts import LAYOUTS, Layout, Row
from effnet_edu.checkpoints.pickles import LeftOut
from effnet_edu.ground.checks import quoted
from effnet_edu.model.specs import NetworkSpec

#: Beside the weights: counters of thop and of torch's AveragedModel.
_COUNTERS = ("total_ops", "total_params", "n_averaged")
#: What torch.compile, FSDP and activation checkpointing put into the middle of names.
_WRAPPERS = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
#: Words, and beginnings of words, of a place or prefix that say of weights that they are a moving average.
_AVERAGED, _AVERAGED_BEGIN = ("ema", "swa", "avg", "polyak"), ("averag", "shadow")
_DEEPEST, _MOST_SETS, _LONGEST = 4, 100, 1000
#: How many of the network's names a set needs; fewer are another network's.
_SHARE = 0.5


@dataclass(frozen=True)
class WeightSet:
    """One network's weights, as a file has them.

    Attributes:
        layout: How they are named.
        rows: Every tensor of the network under our key and the file's.
        tensors: The file's keys, without prefix, with their tensors.
        place: Where they were: keys and prefix, or empty where the file holds nothing else.
        left_out: What else the file holds.
    """

    layout: Layout
    rows: tuple[Row, ...]
    tensors: Mapping[str, Tensor]
    place: str
    left_out: tuple[str, ...]

    @property
    def averaged(self) -> bool:
        """Whether they are a moving average of the weights."""
        # Words, not letters: there is an `ema` in `semantic`.
        words = re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", self.place)
        return any(word.lower() in _AVERAGED or word.lower().startswith(_AVERAGED_BEGIN) for word in words)


def find_weights_in(
    found: Any, spec: NetworkSpec, layout: Layout | None, use_ema: bool, origin: str
) -> WeightSet:
    """Return the network's weights in what a file held; of raw and averaged ones, those asked for."""
    if not isinstance(found, Mapping):
        kind = found.name if isinstance(found, LeftOut) else type(found).__name__
        raise UnreadableCheckpointError(
            f"{origin} holds {quoted(kind)}, not names with tensors; save net.state_dict() instead."
        )
    holders = list(_holders(found))
    layouts = _with_rows(spec, layout)
    sets = [one for place, holder in holders for one in _sets(found, place, holder, layouts)]
    if not sets:
        if layout and len(holders) == 1:  # its names are compared one by one
            place, holder = holders[0]
            return WeightSet(layout, layouts[layout.name][1], _tensors(holder), place, ())
        if not holders:
            raise UnreadableCheckpointError(f"{origin} holds no tensors; save net.state_dict() instead.")
        some = sorted(str(key) for _, holder in holders for key in _tensors(holder))[:3]
        shown = ", ".join(quoted(key) for key in some)
        raise ValueError(
            f"The names in {origin} (such as {shown}) are not those of {spec.name} in any known layout "
            f"({', '.join(layouts)}); is it a file for another network?"
        )
    wanted = [one for one in sets if one.averaged == use_ema] or sets
    if use_ema and len(wanted) == 1 < len(sets):
        _check_whole(wanted[0], origin)
    if len(wanted) > 1:
        places = ", ".join(quoted(one.place) for one in wanted[:4])
        raise ValueError(
            f"{origin} holds {len(wanted)} sets of weights of {spec.name} ({places}), and nothing says which "
            "is meant; give the tensors of one of them as a dictionary."
        )
    return wanted[0]


def _check_whole(averaged: WeightSet, origin: str) -> None:
    """Refuse an average of parameters alone: with the raw ones' statistics it would be neither network."""
    missing = [row.theirs for row in averaged.rows if row.theirs not in averaged.tensors]
    if any(row.ours.endswith("running_mean") and row.theirs in missing for row in averaged.rows):
        raise UnreadableCheckpointError(
            f"{origin} holds averaged weights in {quoted(averaged.place)} without the statistics of batch "
            "norm; use_ema=False takes the raw weights."
        )


def _with_rows(spec: NetworkSpec, layout: Layout | None) -> dict[str, tuple[Layout, tuple[Row, ...]]]:
    """Return the layouts that can express the network, with its rows."""
    if layout:
        return {layout.name: (layout, tuple(layout.rows(spec)))}
    known = {}
    for one in LAYOUTS.values():
        with suppress(ValueError):
            known[one.name] = (one, tuple(one.rows(spec)))
    return known


def _holders(
    found: Mapping[Any, Any], place: str = "", depth: int = 0
) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Yield every mapping that holds tensors itself, with the keys that lead to it."""
    if any(isinstance(value, Tensor) for value in found.values()):
        yield place, found
    if depth < _DEEPEST:
        for key, value in list(found.items())[: 100 * _MOST_SETS]:
            if isinstance(value, Mapping):
                yield from _holders(value, f"{place}{str(key)[:80]}.", depth + 1)


def _tensors(holder: Mapping[Any, Any]) -> dict[str, Tensor]:
    """Return the tensors of a mapping without counters, under names without what wrappers put into them."""
    tensors = {}
    for key, value in holder.items():
        name = str(key)
        for wrapper in _WRAPPERS:
            name = name.replace(wrapper, "")
        if isinstance(value, Tensor) and name.rpartition(".")[2] not in _COUNTERS:
            if name in tensors:
                raise UnreadableCheckpointError(f"The weights hold {quoted(name)} twice, wrapped and not.")
            tensors[name] = value.detach()
    return tensors


def _sets(
    found: Mapping[Any, Any],
    place: str,
    holder: Mapping[Any, Any],
    layouts: Mapping[str, tuple[Layout, tuple[Row, ...]]],
) -> Iterator[WeightSet]:
    """Yield the sets of weights in one mapping: one for each prefix behind which half of the names are."""
    tensors = _tensors(holder)
    best, share, prefixes = None, _SHARE, list[str]()
    for layout, rows in layouts.values():
        if 2 * len(tensors) < len(rows):
            continue
        if layout.body and not any(layout.body in key for key in tensors):  # the body of a model alone
            rows = tuple(replace(row, theirs=row.theirs.removeprefix(layout.body)) for row in rows)
        shares = _prefixes(tensors, rows)
        if max(shares.values(), default=0) >= share:
            best, share = (layout, rows), max(shares.values())
            prefixes = [prefix for prefix, own in shares.items() if own >= _SHARE][:_MOST_SETS]
    for prefix in prefixes:
        assert best  # noqa: S101 - there are prefixes
        outside = tuple(f"{place}{key}" for key in tensors if not key.startswith(prefix))
        at = f"{place}{prefix}".rstrip("./") + (" (averaged)" if "n_averaged" in holder else "")
        inside = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        yield WeightSet(*best, inside, at.strip(), (*_left_out(found, holder, place), *outside))


def _prefixes(tensors: Mapping[str, Tensor], rows: tuple[Row, ...]) -> dict[str, float]:
    """Return for each prefix the share of the network's names that occur behind it."""
    names = {row.theirs for row in rows}
    counted: Counter[str] = Counter()
    for key in tensors:
        starts = [0, *(at + 1 for at, letter in enumerate(key[:_LONGEST]) if letter in "./")]
        counted.update(key[:start] for start in starts if key[start:] in names)
    return {prefix: count / len(names) for prefix, count in counted.items()}


def _left_out(found: Mapping[Any, Any], holder: Mapping[Any, Any], place: str) -> Iterator[str]:
    """Yield what lies beside the mapping that was taken: other keys, and its own that are no tensors."""
    taken = place.partition(".")[0]
    for where, level in (("", found), *(((place, holder),) if holder is not found else ())):
        for key, value in level.items():
            if isinstance(value, Tensor) or (level is found and place and str(key)[:80] == taken):
                continue
            kind = f" ({value.name})" if isinstance(value, LeftOut) else ""
            yield quoted(f"{where}{key}{kind}")[1:-1]
