"""The largest batch that fits into a device, found without crashing."""

from collections.abc import Callable

import torch
from torch import nn

from effnet_edu.ground.checks import whole_number
from effnet_edu.ground.watch import Watch
from effnet_edu.model.network import available_memory
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.profiling.device import free_cached_memory, has_own_memory, synchronize
from effnet_edu.profiling.workload import (
    as_memory_error,
    as_workload,
    predicted_bytes,
    ready_network,
    too_large,
)

#: Share of the machine's free memory that a prediction may fill; the rest is for everybody else.
FILLED_SHARE = 0.8


def largest_batch(
    network: str | NetworkSpec | nn.Module,
    resolution: int | None = None,
    precision: str = "fp32",
    device: torch.device | str | None = None,
    *,
    most: int = 4096,
    watch: Watch = Watch(),
) -> int:
    """Return the largest batch whose forward pass in evaluation mode fits into the memory that is free now.

    An accelerator with memory of its own says no when it is full, so batches are tried there: powers of two,
    then the middle between what fitted and what did not. Where memory is shared with the whole machine, as
    on a CPU, the system would rather end a program than say no: there nothing is run, and the answer is
    predicted from the network's largest layer and the memory that is free, on the safe side.

    Args:
        network: Any module that takes images, a spec, or the name of a published network.
        resolution: Side of the input in pixels; the network's own by default.
        precision: `"fp32"`, `"bf16"` or `"fp16"`.
        device: Where it has to fit; by default where the network is, and for a spec the accelerator if any.
        most: No larger batch is looked for, 1 or more.
        watch: Told the share done and of waiting; asked often whether to stop.

    Raises:
        ValueError: An argument is outside its range, or the device is not there.
        MemoryError: Not even one image fits.
        MeasurementError: The device failed.
        Cancelled: `watch` said so.
    """
    whole_number("most", most)
    work = as_workload(network, 1, resolution, precision, device, seconds=1)
    name, side, place, dtype = work.name, work.resolution, work.device, work.dtype
    if not has_own_memory(place):
        counts, free = work.counts, FILLED_SHARE * available_memory(place)
        weights = dtype.itemsize * (counts.parameters + counts.buffers)
        found = _search(lambda batch: weights + predicted_bytes(work, batch) <= free, most)
    else:
        with (
            work.measuring(watch),
            torch.inference_mode(),
            ready_network(work, 0, watch) as net,
        ):

            def runs(batch: int) -> bool:
                watch.check()
                try:
                    with as_memory_error(name, batch, side, place):
                        net(torch.zeros(batch, *work.shape[1:], device=place, dtype=dtype))
                        synchronize(place)
                except MemoryError:
                    return False
                finally:
                    free_cached_memory(place)
                return True

            found = _search(runs, most)
    if found == 0:
        raise MemoryError(too_large(name, 1, side, place))
    return found


def _search(fits: Callable[[int], bool], most: int) -> int:
    """Return the largest number from 1 to `most` that fits, or 0, if all below one that fits do so too."""
    fitting, failing = 0, 1
    while fits(failing):
        if failing == most:
            return most
        fitting, failing = failing, min(2 * failing, most)
    while failing - fitting > 1:
        middle = (fitting + failing) // 2
        if fits(middle):
            fitting = middle
        else:
            failing = middle
    return fitting
