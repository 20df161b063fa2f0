"""The roofline of a device that this project measured, for a reader whose own is too busy for one."""

from dataclasses import replace

from effnet_edu.ground.checks import choice
from effnet_edu.profiling.ceilings import ceilings_from
from effnet_edu.profiling.roofs import Roofline, roofline
from effnet_edu.studies.devices.experiments import layer_profile
from effnet_edu.studies.devices.records import recorded_devices


def recorded_roofline(network: str, device: str = "amd_epyc_2_threads") -> Roofline:
    """Return the layers of a network under the ceilings of a recorded device, one image at a time.

    Args:
        network: A network that was measured layer by layer there, such as `"efficientnet_b0"`.
        device: A folder of `recorded_devices`.

    Raises:
        ValueError: Device or network were not recorded.
    """
    devices = recorded_devices()
    records = devices[choice("device", device, tuple(devices))]
    rows = {row["network"]: row for row in records["layers"].data["rows"] if row["batch_size"] == 1}
    measured = layer_profile(rows[choice("network", network, tuple(rows))])
    placed = roofline(measured, ceilings_from(records["ceilings"].data["rows"][0]))
    return replace(placed, recorded=True)
