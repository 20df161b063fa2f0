"""What the labs share that measure the forward pass of a network."""

from dataclasses import asdict, fields

from effnet_edu.labs.frame.guessing import Guessed
from effnet_edu.labs.frame.logic import LabLogic, Record, SettingT
from effnet_edu.labs.frame.numbers import Number
from effnet_edu.profiling.measurement import Measurement


class ForwardLogic(LabLogic[SettingT, Measurement]):
    """A lab whose measurement is the forward pass of a network, as `ee.profile` takes it."""

    def measured(self, record: Record[SettingT, Measurement]) -> tuple[Number, ...]:
        """Return time, throughput, speed and memory."""
        found = record.measurement
        return (
            Number("time a batch", found.median_ms, "ms", interval=(found.low_ms, found.high_ms)),
            Number("throughput", found.images_per_second, "images/s"),
            Number("speed", found.macs_per_second / 1e9, "GMACs/s"),
            Number("peak memory", found.peak_memory_bytes / 2**20, "MiB", decimals=0),
        )

    def guessed(self, setting: SettingT) -> Guessed | None:
        """Return the time of an image."""
        record = self.newest(setting)
        return Guessed(
            "How long does an image take here?",
            "ms",
            None if record is None else record.measurement.median_ms / record.setting.batch_size,  # type: ignore[attr-defined]
        )

    def remark(self, record: Record[SettingT, Measurement]) -> str:
        """Say how many repeats there were, and what to do for a time to trust."""
        found = record.measurement
        return f"{found.repeats} repeats. {advice(found)}".strip()

    def row(self, record: Record[SettingT, Measurement]) -> dict[str, object]:
        """Return all settings, then everything that the measurement says."""
        names = [field.name for field in fields(Measurement) if field.name not in self.names()]
        found = asdict(record.measurement)
        return asdict(record.setting) | {name: found[name] for name in names}  # type: ignore[call-overload, no-any-return]


def advice(found: Measurement) -> str:
    """Return what to do for a time to trust, as far as it can be done in a lab."""
    names_an_argument = "(seconds=" in found.advice  # of `ee.profile`, which no lab has as a setting
    return "Noisy: press Measure once more." if names_an_argument else found.advice
