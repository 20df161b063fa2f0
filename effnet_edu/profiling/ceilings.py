"""What this device can do at most, measured: arithmetic for each precision, and bytes moved.

Nothing here comes from a data sheet. A ceiling is what the fastest of several plain programs
reaches in a tenth of its repeats; a layer that stands above it has found something faster still.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch
from torch.nn import functional as F

from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.cache import cache_folder
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.watch import Watch
from effnet_edu.model.network import available_memory
from effnet_edu.profiling.cache_size import cpu_cache_levels, last_level_cache_bytes
from effnet_edu.profiling.device import as_device, device_name, exclusive
from effnet_edu.profiling.measurement import is_crowded
from effnet_edu.profiling.roof_lines import Ceiling, Ceilings
from effnet_edu.profiling.telemetry import sensors
from effnet_edu.profiling.threads import free_threads
from effnet_edu.profiling.timing import FEWEST, time_repeats
from effnet_edu.profiling.workload import PRECISIONS

#: Raised when the way of measuring changes, so that older files are measured again.
METHOD = 1
#: Seconds for all ceilings together, on a CPU and on an accelerator.
CPU_SECONDS, ACCELERATOR_SECONDS = 6.0, 2.0
#: A cache is a roof of its own if it moves bytes at least this many times as fast as memory.
WORTH_A_ROOF = 1.2


class _Program(NamedTuple):
    """Something to run over and over: what it is, how much it does, and how to make it ready."""

    how: str
    amount: float
    prepare: Callable[[], Callable[[], object]]


def measure_ceilings(
    device: torch.device | str | None = None,
    *,
    refresh: bool = False,
    watch: Watch = Watch(),
) -> Ceilings:
    """Measure what the device can do at most, or return what was measured before.

    It takes less than 10 seconds on a CPU and less than 3 on a GPU. The result is kept in the folder of
    fetched files, for this device, version of torch, and number of threads. Where other programs hold cores,
    fewer threads are used if they are quicker, and a note says so.

    Args:
        device: Where to measure; the accelerator if there is one.
        refresh: True to measure anew.
        watch: Told the share done and of waiting; asked often whether to stop.

    Raises:
        ValueError: The device is not there.
        MemoryError: The device has too little free memory.
        Cancelled: `watch` said so.
    """
    place = as_device(device)
    with exclusive(place, watch), free_threads(place, watch) as threads:
        file = _file(place)
        measured = None if refresh else _read(file)
        if measured is None:
            measured = _measure(place, watch)
            if not measured.crowded:
                _write(file, measured)
    return replace(measured, notes=(*measured.notes, *filter(None, (threads.sentence,))))


def _measure(device: torch.device, watch: Watch) -> Ceilings:
    begun = time.perf_counter()
    on_cpu, steps = device.type == "cpu", len(PRECISIONS) + 2
    slot = (CPU_SECONDS if on_cpu else ACCELERATOR_SECONDS) / steps
    arithmetic, notes = {}, []
    with sensors(device) as held:
        for index, (name, dtype) in enumerate(PRECISIONS.items()):
            best = _fastest(_arithmetic(device, dtype), slot, device, watch)
            if best is None:
                notes.append(f"{name}: this device does not multiply in it.")
            else:
                arithmetic[name] = best
            watch.progress((index + 1) / steps)
        largest = last_level_cache_bytes(device)
        memory = _fastest(_traffic(device, _large_array(device, largest)), slot, device, watch)
        if memory is None:
            raise MemoryError(f"{device} has too little free memory for measuring how fast it is.")
        watch.progress((steps - 1) / steps)
        cache, reason = _cache(device, memory, slot, watch)
        watch.progress(1.0)
        others = held.summary().others_load
    if reason:
        notes.append(reason)
    crowded = on_cpu and is_crowded(others, torch.get_num_threads(), psutil.cpu_count())
    busy = "the" if others is None else f"{others:.1f}"
    if crowded:
        notes.append(
            f"Other programs kept {busy} cores busy meanwhile, so these ceilings are too low and were "
            "not kept: close them and measure again."
        )
    return Ceilings(
        device=device.type,
        device_name=device_name(device),
        threads=torch.get_num_threads() if on_cpu else 0,
        torch_version=torch.__version__,
        arithmetic=arithmetic,
        memory=memory,
        cache=cache,
        cache_bytes=largest if cache else None,
        notes=tuple(notes),
        crowded=crowded,
        seconds=time.perf_counter() - begun,
    )


def _fastest(
    programs: Iterator[_Program], seconds: float, device: torch.device, watch: Watch
) -> Ceiling | None:
    """Return what the fastest of the programs reached; None if the device runs none of them."""
    listed = list(programs)
    share, best = seconds / len(listed), None
    for program in listed:
        # Where even the fastest so far would take too long over this one, it is left out.
        if best and (FEWEST + 2) * program.amount / best.per_second > 2 * share:
            continue
        try:
            with torch.inference_mode():
                timing = time_repeats(program.prepare(), share, device, watch)
        except RuntimeError:  # no such product in this precision, or too little memory for it
            continue
        rate = program.amount / sorted(timing.seconds)[len(timing.seconds) // 10]
        if best is None or rate > best.per_second:
            best = Ceiling(rate, program.amount / timing.median, len(timing.seconds), program.how)
    return best


def _arithmetic(device: torch.device, dtype: torch.dtype) -> Iterator[_Program]:
    """Yield matrix products and convolutions of several sizes, the smallest first."""
    on_cpu = device.type == "cpu"

    def random(*shape: int) -> torch.Tensor:
        generator = torch.Generator(device).manual_seed(0)
        return torch.randn(shape, generator=generator, device=device, dtype=dtype)

    def product(side: int) -> Callable[[], Callable[[], object]]:
        def prepare() -> Callable[[], object]:
            a, b = random(side, side), random(side, side)
            out = torch.empty_like(a)
            return lambda: torch.mm(a, b, out=out)

        return prepare

    def convolution(images: int, channels: int, side: int) -> Callable[[], Callable[[], object]]:
        def prepare() -> Callable[[], object]:
            # Channels last is what the fast kernels of every maker read.
            x = random(images, channels, side, side).contiguous(memory_format=torch.channels_last)
            weight = random(channels, channels, 3, 3).contiguous(memory_format=torch.channels_last)
            return lambda: F.conv2d(x, weight, padding=1)

        return prepare

    sides = (256, 512, 1024, 2048) if on_cpu else (2048, 4096, 8192)
    shapes = ((1, 128, 14), (1, 256, 28), (4, 128, 56)) if on_cpu else ((32, 256, 56), (64, 512, 28))
    for side in sides:
        yield _Program(f"a matrix product of {side} x {side}", side**3, product(side))
    for images, channels, side in shapes:
        yield _Program(
            f"a 3x3 convolution, {images} x {channels} x {side} x {side}",
            9 * images * (channels * side) ** 2,
            convolution(images, channels, side),
        )


def _large_array(device: torch.device, cache: int) -> int:
    """Return the bytes of an array far larger than the caches, and far smaller than the memory."""
    wanted = max(64 * 2**20 if device.type == "cpu" else 256 * 2**20, 4 * cache)
    return min(wanted, available_memory(device) // 8)


def _traffic(device: torch.device, size: int) -> Iterator[_Program]:
    """Yield programs that read and write arrays of `size` bytes and hardly compute.

    What is counted is what the program reads and writes. Most processors also read a line before they write
    it, so that the program which works in place may be the fastest by this count.
    """
    count = size // 4
    arrays: list[torch.Tensor] = []

    def three() -> list[torch.Tensor]:
        if not arrays:  # made once, in the first of the three
            arrays.extend(torch.ones(count, device=device) for _ in range(3))
        return arrays

    def copy() -> Callable[[], object]:
        a, b, _ = three()
        return lambda: a.copy_(b)

    def triad() -> Callable[[], object]:
        a, b, c = three()
        return lambda: torch.add(a, b, alpha=0.5, out=c)

    def scale() -> Callable[[], object]:
        a, _, _ = three()
        return lambda: a.mul_(1.0)

    of = f"{size / 2**20:,.3g} MiB"
    yield _Program(f"a copy of {of}", 2 * 4 * count, copy)
    yield _Program(f"a triad a + s b = c over {of} each", 3 * 4 * count, triad)
    yield _Program(f"scaling {of} in place", 2 * 4 * count, scale)


def _cache(
    device: torch.device,
    memory: Ceiling,
    seconds: float,
    watch: Watch,
) -> tuple[Ceiling | None, str]:
    """Return the ceiling of the last cache, or None and the reason."""
    if device.type != "cpu":
        return None, "last cache: a program that fits into it is over before the next one is started."
    sizes = cpu_cache_levels()
    if len(sizes) < 3:
        return None, "last cache: this system does not tell how large it is, or it has no third level."
    inner, last = sizes[-2] * torch.get_num_threads(), sizes[-1]
    size = last // 12  # three arrays in a quarter of it; the rest is for whoever else uses it
    if size < 2 * inner:
        return None, "last cache: it is hardly larger than the caches before it."
    found = _fastest(_traffic(device, size), seconds, device, watch)
    if found is None or found.per_second < WORTH_A_ROOF * memory.per_second:
        return None, "last cache: it was no faster than memory here; others may be using it."
    return found, ""


def _file(device: torch.device) -> Path:
    threads = torch.get_num_threads() if device.type == "cpu" else 0
    key = json.dumps([METHOD, device.type, device_name(device), torch.__version__, threads])
    return cache_folder() / "ceilings" / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def _read(file: Path) -> Ceilings | None:
    """Return what the file holds, or None if there is none or it is damaged."""
    try:
        return ceilings_from(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def ceilings_from(row: dict[str, Any]) -> Ceilings:
    """Return the ceilings that were written as plain numbers and text.

    Args:
        row: What `dataclasses.asdict` made of them, perhaps by way of a file.

    Raises:
        ValueError: These are no ceilings.
    """
    try:
        return Ceilings(
            **{
                **row,
                "arithmetic": {name: _ceiling(held) for name, held in row["arithmetic"].items()},
                "memory": _ceiling(row["memory"]),
                "cache": None if row["cache"] is None else _ceiling(row["cache"]),
                "notes": tuple(map(str, row["notes"])),
            }
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"These are no ceilings: {quoted(error)}.") from error


def _ceiling(row: dict[str, Any]) -> Ceiling:
    ceiling = Ceiling(**row)
    if not ceiling.per_second >= ceiling.median_per_second > 0:
        raise ValueError("A rate is above 0, and the fastest tenth no slower than the median.")
    return ceiling


def _write(file: Path, ceilings: Ceilings) -> None:
    """Keep the result; a folder that cannot be written to only means measuring again next time."""
    with suppress(OSError):
        write_atomically(file, json.dumps(asdict(ceilings), indent=1))
