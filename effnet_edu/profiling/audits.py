"""Why a module of yours is slow on this device, and what makes it faster: predicted, then measured."""

import copy
import html
import statistics
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from effnet_edu.ground.checks import quoted
from effnet_edu.ground.watch import Watch
from effnet_edu.profiling.ceilings import measure_ceilings
from effnet_edu.profiling.changes import (
    SAME_ANSWER,
    Audited,
    Candidate,
    Inputs,
    LeftOut,
    candidates,
    difference,
    fits,
)
from effnet_edu.profiling.counts import is_compiled
from effnet_edu.profiling.fastest import ROUNDS, in_rounds
from effnet_edu.profiling.module_layers import module_rows, time_rows
from effnet_edu.profiling.repeats import median_interval
from effnet_edu.profiling.roofs import Roofline, distrust, points_under
from effnet_edu.profiling.threads import computing_with, free_threads
from effnet_edu.profiling.workload import PRECISIONS, Workload, as_workload, check_output, too_large

#: So many changes are measured, if they promise at least so much.
TRIED, WORTH_TRYING = 3, 1.02
#: So many of the slowest layers are shown.
SHOWN = 8


@dataclass(frozen=True)
class Change:
    """One change, as predicted and as measured in turns with the module as it is.

    Attributes:
        name: In a few words.
        how: The line of Python that makes it.
        predicted: How many times as fast it should be for one image, from each layer timed alone.
        measured: How many times as fast it is: the median of the rounds.
        low: Lower end of the median's 95% interval.
        high: Upper end of it.
        difference: Largest difference of an answer's number from before, as a share of the largest.
    """

    name: str
    how: str
    predicted: float
    measured: float
    low: float
    high: float
    difference: float

    @property
    def verdict(self) -> str:
        """`"faster"`, `"slower"`, or `"not decided"` where the interval holds 1."""
        return "faster" if self.low > 1 else "slower" if self.high < 1 else "not decided"

    @property
    def answers(self) -> str:
        """Whether the answers stayed the same, in words."""
        kept = self.difference <= SAME_ANSWER
        return "kept" if kept else f"differ by {self.difference:.2%}"


@dataclass(frozen=True)
class Audit:
    """Where a module's time goes on this device, and what was proved to save some of it.

    Attributes:
        roofline: Every layer, counted, timed and under the device's ceilings.
        changes: What was tried, the most promising first.
        left_out: What was not tried, and why not.
        notes: Why what is said may mislead; empty where nothing speaks for that.
    """

    roofline: Roofline
    changes: tuple[Change, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]

    @property
    def macs(self) -> int:
        """Multiply-adds of the whole batch."""
        return self.roofline.profile.macs

    @property
    def best(self) -> Change | None:
        """The change that is proved to be faster by most, or None."""
        proved = [change for change in self.changes if change.verdict == "faster"]
        return max(proved, key=lambda change: change.measured, default=None)

    @property
    def sentence(self) -> str:
        """What to do, in a sentence."""
        profile, best = self.roofline.profile, self.best
        took = (
            f"{profile.network} takes {1000 * profile.whole.median:.1f} ms for a batch of "
            f"{profile.batch_size} on {profile.device_name}"
        )
        if best is None:
            return f"{took}, and nothing that was tried is proved to make it faster."
        return (
            f"{took}; {best.name} makes it {best.measured:.2f} times as fast ({best.low:.2f} to "
            f"{best.high:.2f}), answers {best.answers}."
        )

    @property
    def why(self) -> tuple[str, ...]:
        """What keeps it slow, in sentences."""
        profile = self.roofline.profile
        seconds, macs = profile.by_kind(), profile.by_kind(lambda row: row.macs)
        kinds = sorted(seconds, key=lambda kind: -seconds[kind])
        spent = ", ".join(
            f"{kind} {seconds[kind] / profile.total_seconds:.0%} ({macs[kind] / (profile.macs or 1):.0%})"
            for kind in kinds
        )
        said = [f"Share of the time (and of the MACs) by kind of layer: {spent}.", *self.roofline.sentences]
        between = profile.difference_seconds / profile.whole.median
        if between > 0.05:
            said.append(f"{between:.0%} of the time lies between the layers: Python, and starting work.")
        return tuple(said)

    def _changes(self) -> list[tuple[str, ...]]:
        head = ("change", "predicted", "measured (95%)", "", "answers", "how")
        return [
            head,
            *(
                (
                    change.name,
                    f"{change.predicted:.2f}",
                    f"{change.measured:.2f} ({change.low:.2f} to {change.high:.2f})",
                    change.verdict,
                    change.answers,
                    change.how,
                )
                for change in self.changes
            ),
        ]

    def _layers(self) -> list[tuple[str, ...]]:
        profile = self.roofline.profile
        slowest = sorted(self.roofline.points, key=lambda point: -point.layer.seconds)[:SHOWN]
        head = ("slowest layers", "kind", "MACs, M", "MACs/B", "µs", "share", "of its ceiling", "bound by")
        return [
            head,
            *(
                (
                    point.layer.name,
                    point.layer.kind,
                    f"{point.layer.macs / 1e6:,.2f}",
                    f"{point.intensity:.2f}",
                    f"{1e6 * point.layer.seconds:,.0f}",
                    f"{profile.share(point.layer):.1%}",
                    f"{point.efficiency:.0%}",
                    point.bound,
                )
                for point in slowest
            ),
        ]

    def _said(self) -> tuple[str, ...]:
        profile = self.roofline.profile
        return (
            f"{len(profile.layers)} layers, {profile.macs / 1e6:,.1f} M MACs, {profile.precision}; changes "
            f"in {ROUNDS} rounds in turns, times as fast for one image.",
            *self.why,
            *(f"Not tried: {one.name}, {one.reason}." for one in self.left_out),
            *self.notes,
        )

    def __str__(self) -> str:
        tables = [table for table in (self._changes(), self._layers()) if len(table) > 1]
        return "\n\n".join([self.sentence, *map(_as_text, tables), "\n".join(self._said())])

    def _repr_html_(self) -> str:
        tables = [table for table in (self._changes(), self._layers()) if len(table) > 1]
        said = "".join(f"<li>{html.escape(line)}</li>" for line in self._said())
        return f"<p><b>{html.escape(self.sentence)}</b></p>{''.join(map(_as_html, tables))}<ul>{said}</ul>"


def _as_text(table: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )


def _as_html(table: list[tuple[str, ...]]) -> str:
    def cells(row: tuple[str, ...], tag: str) -> str:
        made = (f"<{tag} style='text-align:left'>{html.escape(text)}</{tag}>" for text in row)
        return f"<tr>{''.join(made)}</tr>"

    head, *rows = table
    body = "".join(cells(row, "td") for row in rows)
    return f"<table><thead>{cells(head, 'th')}</thead><tbody>{body}</tbody></table>"


def audit(
    network: nn.Module,
    input: Tensor | tuple[Tensor, ...],  # noqa: A002 - what torch calls it
    *,
    seconds: float = 1.0,
    watch: Watch = Watch(),
) -> Audit:
    """Say where the time of any module goes on this device, and prove up to three changes that save some.

    Each operation is counted and timed by itself and booked to the module that asks for it: a row for each
    module that does more than call others. What a change should bring is predicted by timing each layer alone
    as it would be afterwards, without the batch norms that are folded; the three that promise most are then
    measured in turns with the module as it is. Folding is `torch.fx`'s own for modules that are not of this
    library, and is left out where it would change the answers. OpenVINO, where it is installed, runs any
    module that can be traced.

    Args:
        network: Any module, in any mode; a copy is evaluated, and it stays as it was.
        input: What it is called with, on its device; the first dimension is the batch. Several tensors as a
            tuple.
        seconds: How long to time the layers, and each change, 0.001 to 3600.
        watch: Told the share done and of what is measured; asked often whether to stop.

    Raises:
        ValueError: An argument is outside its range, or the module takes no such input or cannot be looked
            into: one that is compiled or scripted.
        MemoryError: The device has too little memory for it.
        MeasurementError: The device failed, or the module computed NaN.
        Cancelled: `watch` said so.
    """
    work, inputs = _checked(network, input, seconds)
    ceilings = measure_ceilings(work.device, watch=watch)
    net = _copied(network).eval()
    with (
        work.measuring(watch),
        free_threads(work.device, watch) as threads,
        torch.inference_mode(),
    ):
        rows = module_rows(net, inputs)
        if not fits(rows, work.batch_size, work):
            raise MemoryError(too_large(work.name, work.batch_size, work.resolution, work.device))
        inputs = tuple(x.clone() for x in inputs)  # which a module may write into
        answer = net(*inputs)
        check_output(answer, work.name, work.precision, work.device)
        if not any(isinstance(leaf, Tensor) and leaf.numel() for leaf in tree_leaves(answer)):
            raise ValueError(f"{work.name} answers without numbers, so that nothing can be compared.")
        watch.doing("layers")
        profile = time_rows(work, net, inputs, rows, threads, seconds, watch.part(0, 0.3))
        found, left_out = candidates(Audited(work, net, inputs, answer, rows, profile, ceilings), watch)
        chosen = [one for one in found if one.predicted >= WORTH_TRYING][:TRIED]
        left_out += [LeftOut(one.name, _why_not(one)) for one in found if one not in chosen]
        changes = _measured(net, inputs, answer, chosen, left_out, seconds, watch.part(0.4, 0.6))
    notes = (distrust(profile, ceilings), *ceilings.notes, threads.sentence)
    return Audit(
        Roofline(profile, ceilings, points_under(profile.layers, profile.precision, ceilings)),
        tuple(changes),
        tuple(left_out),
        tuple(dict.fromkeys(filter(None, notes))),
    )


def _checked(network: object, given: object, seconds: float) -> tuple[Workload, Inputs]:
    """Return what is to be measured, or raise ValueError."""
    if not isinstance(network, nn.Module):
        raise ValueError(f"network is {quoted(network)}; it must be a torch module.")
    if is_compiled(network) or isinstance(network, torch.jit.ScriptModule):
        raise ValueError(
            f"This {type(network).__name__} is compiled or scripted, and its layers cannot be told apart; "
            "give the module from before."
        )
    inputs = given if isinstance(given, tuple) else (given,)
    if not inputs or not all(isinstance(x, Tensor) and x.dim() and x.numel() for x in inputs):
        raise ValueError(
            f"input is {quoted(given)}; it must be a tensor whose first dimension is the batch, or a tuple "
            "of tensors, none of them empty."
        )
    floating = [x for x in (*network.parameters(), *inputs) if x.is_floating_point()]
    precisions = {dtype: name for name, dtype in PRECISIONS.items()}
    dtype = floating[0].dtype if floating else torch.float32
    if dtype not in precisions:
        raise ValueError(f"The weights are {dtype}; they must be one of {', '.join(map(str, precisions))}.")
    here = next((x.device for x in (*network.parameters(), *network.buffers())), inputs[0].device)
    if any(x.device != here for x in inputs):
        raise ValueError(f"input is on {inputs[0].device}, and the module on {here}; move one to the other.")
    batch, side = inputs[0].shape[0], inputs[0].shape[-1]
    return as_workload(network, batch, side, precisions[dtype], here, seconds), inputs


def _copied(network: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(network)
    except Exception as error:
        raise ValueError(
            f"This {type(network).__name__} cannot be copied, and an audit changes a copy alone: "
            f"{quoted(str(error))}."
        ) from error


def _why_not(one: Candidate) -> str:
    if one.predicted < WORTH_TRYING:
        return f"predicted to be {one.predicted:.2f} times as fast"
    return f"predicted to be {one.predicted:.2f} times as fast, and {TRIED} others promise more"


def _measured(
    net: nn.Module,
    inputs: Inputs,
    answer: Any,
    chosen: list[Candidate],
    left_out: list[LeftOut],
    seconds: float,
    watch: Watch,
) -> list[Change]:
    """Run the chosen changes in turns with the module as it is; what does not run is left out."""
    runners = {"as it is": lambda _x: net(*inputs)}
    held, answers = {}, {}
    for one in chosen:
        watch.check()
        watch.doing(f"making {one.name} ready")
        try:
            run = one.prepare()
            answers[one.name] = run()
        except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
            left_out.append(LeftOut(one.name, f"it does not run so: {quoted(str(error))}"))
            continue
        held[one.name] = one

        def turn(_x: Tensor, run: Any = run, threads: int = one.threads) -> Any:
            if not threads:
                return run()
            with computing_with(threads):
                return run()

        runners[one.name] = turn
    if not held:
        return []
    rounds = in_rounds(runners, [inputs[0]], seconds / ROUNDS, watch)
    changes = []
    for name, one in held.items():
        ratios = tuple(
            one.batches * before / after
            for before, after in zip(rounds["as it is"], rounds[name], strict=True)
        )
        middle, (low, high) = statistics.median(ratios), median_interval(ratios)
        off = difference(answers[name], answer)
        changes.append(Change(name, one.how, one.predicted, middle, low, high, off))
    return changes
