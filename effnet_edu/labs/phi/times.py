"""Times of the phi lab: measured in this session, or recorded on another day."""

from dataclasses import dataclass, replace

from effnet_edu.labs.frame.forward_logic import ForwardLogic
from effnet_edu.labs.frame.logic import Record
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.frame.recorded import recorded_run
from effnet_edu.labs.frame.tables import plain_table
from effnet_edu.labs.phi.numbers import PhiSetting
from effnet_edu.profiling.measurement import Measurement

Phi = ForwardLogic[PhiSetting]
PhiRecord = Record[PhiSetting, Measurement]


def ms_an_image(record: PhiRecord) -> tuple[float, float, float]:
    """Return the time of an image in ms: median, and both ends of its interval."""
    found, count = record.measurement, record.setting.batch_size
    return found.median_ms / count, found.low_ms / count, found.high_ms / count


def time_ratio(logic: Phi, base: PhiSetting) -> float | None:
    """Return how many times longer an image takes at the present setting than at another, both measured."""
    here = logic.newest(logic.setting)
    there = logic.newest(
        replace(
            base,
            batch_size=logic.setting.batch_size,
            precision=logic.setting.precision,
            device=logic.setting.device,
        )
    )
    return ms_an_image(here)[0] / ms_an_image(there)[0] if here and there else None


def times_in_words(logic: Phi) -> str:
    """Return what was measured, as a sentence."""
    if logic.latest is None:
        return "measuring." if logic.status.is_busy else "nothing measured yet."
    return f"{len(logic.history)} measured; the newest is {logic.latest.measurement}."


def same_network(logic: Phi) -> tuple[Record[PhiSetting, Measurement], ...]:
    """Return the newest measurement of the present network for each device, precision and batch."""

    def network(setting: PhiSetting) -> PhiSetting:
        return replace(logic.measurement_key(setting), batch_size=1, precision="", device="")

    present = network(logic.setting)
    found = {
        (record.setting.device, record.setting.precision, record.setting.batch_size): record
        for record in logic.history
        if network(record.setting) == present
    }
    return tuple(found[key] for key in sorted(found))


def session_table(logic: Phi) -> str:
    """Return what was measured of the present network, by device, precision and batch, or nothing if once."""
    records = same_network(logic)[-5:]
    if len(records) < 2:
        return ""
    rows = [
        (
            f"{record.setting.device}, {record.setting.precision}, {record.setting.batch_size}",
            digits(ms_an_image(record)[0]),
            digits(record.measurement.images_per_second),
        )
        for record in records
    ]
    return plain_table(
        "measured, this network", ("device, type, batch", "ms/image", "images/s"), rows, "ee-session"
    )


@dataclass(frozen=True)
class RecordedTime:
    """How long an image took a network on another day.

    Attributes:
        name: Such as `B0`.
        macs: Multiply-adds of an image.
        median_ms: Time of an image.
        low_ms: Lower end of its interval.
        high_ms: Upper end.
    """

    name: str
    macs: int
    median_ms: float
    low_ms: float
    high_ms: float


def recorded_times() -> tuple[str, tuple[RecordedTime, ...]]:
    """Return a recorded device, and its times of B0 to B7."""
    device, rows = recorded_run("networks")
    times = (
        RecordedTime(
            row["network"].removeprefix("efficientnet_").upper(),
            *(row[name] for name in ("macs", "median_ms", "low_ms", "high_ms")),
        )
        for row in rows
        if row["network"].startswith("efficientnet_b") and row["batch_size"] == 1
    )
    return device, tuple(times)
