"""Layers and ceilings as they might have been measured, so that what follows can be checked exactly."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch

import effnet_edu as ee
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.profiling import LayerProfile
from effnet_edu.profiling.repeats import Timing
from effnet_edu.profiling.roof_lines import Ceiling
from effnet_edu.profiling.time_model import counted
from effnet_edu.studies.devices.random_specs import random_network

DEVICE = "a made-up processor, 2 threads"
#: Milliseconds for one of each count on a device that is made up.
COSTS = {"dense_macs": 3e-8, "depthwise_macs": 2e-7, "activations": 0.0, "bytes": 5e-8, "layers": 0.02}
NETWORKS = [counted(ee.cost(random_network(number))) for number in range(80)]


def made_ceilings(device_name: str = DEVICE, cache: float | None = 100e9) -> ee.profiling.Ceilings:
    """100 GMAC/s in fp32, 10 GB/s of memory, and a cache of 1 MiB."""

    def ceiling(rate: float) -> Ceiling:
        return Ceiling(rate, 0.9 * rate, 20, "a matrix product")

    return ee.profiling.Ceilings(
        device="cpu",
        device_name=device_name,
        threads=2,
        torch_version=torch.__version__,
        arithmetic={"fp32": ceiling(100e9), "bf16": ceiling(50e9)},
        memory=ceiling(10e9),
        cache=ceiling(cache) if cache else None,
        cache_bytes=2**20 if cache else None,
        notes=(),
        crowded=False,
        seconds=5.0,
    )


def made_profile(network: str | NetworkSpec = "efficientnet_b0", precision: str = "fp32") -> LayerProfile:
    """Each layer takes 10 us and moves 5 GB/s; depthwise convolutions take thrice as long."""
    counted = ee.cost(network)
    layers = []
    for row in counted.layers:
        seconds = 1e-5 + row.bytes_moved() / 5e9
        if row.role == "depthwise" and row.kind == "convolution":
            seconds *= 3
        passes = Timing(tuple(seconds * (1 + 0.01 * turn) for turn in (0, -1, 1, 2, -2)))
        layers.append(ee.profiling.LayerTime(row, passes, 1, 4))
    total = sum(row.seconds for row in layers)
    return ee.profiling.LayerProfile(
        network=counted.spec.name,
        resolution=counted.resolution,
        batch_size=1,
        precision=precision,
        device="cpu",
        device_name=DEVICE,
        layers=tuple(layers),
        whole=Timing(tuple(1.1 * total * factor for factor in (1.0, 1.01, 0.99))),
        elsewhere_seconds=1e-6,
        instrument_seconds=5e-6,
        queued_behind=0.0,
        others_load=0.0,
        torch_version=torch.__version__,
        seed=0,
    )


def made_times(
    milliseconds: Callable[[dict[str, int]], float],
    count: int = 80,
    engine: str = "torch",
    noise: float = 0.0,
) -> SimpleNamespace:
    """Return a record of a device on which a network with these counts takes so long."""
    drawn = np.random.default_rng(1)
    rows = []
    for number, counts in enumerate(NETWORKS[:count]):
        took = milliseconds(counts) * float(np.exp(noise * drawn.normal()))
        times: dict[str, object] = {"roofline_ms": took / 4, f"{engine}_ms": [1.1 * took, took]}
        rows.append({"network": number, "batch_size": 1, "threads": 2} | counts | times)
    return SimpleNamespace(data={"rows": rows})


def of_costs(counts: dict[str, int]) -> float:
    """Return the milliseconds of a network on the device of `COSTS`."""
    held = counts | {"dense_macs": counts["macs"] - counts["depthwise_macs"]}
    return 2.0 + sum(cost * held[name] for name, cost in COSTS.items())
