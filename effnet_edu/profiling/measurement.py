"""What a measurement found, and what it says about how far to trust it."""

import math
from dataclasses import dataclass
from typing import Protocol

#: Share of a core that the system's own small programs may take before a CPU counts as crowded.
CROWDED_CORES = 0.25


class TimedBatch(Protocol):
    """What a throughput follows from."""

    @property
    def batch_size(self) -> int:
        """Images at once."""

    @property
    def macs(self) -> int:
        """Multiply-adds for one image."""

    @property
    def median_ms(self) -> float:
        """Time of a batch in milliseconds."""


@dataclass(frozen=True)
class Measurement:
    """What one network took on one device, forward, in evaluation mode.

    Fields that a device does not tell are None.

    Attributes:
        network: Name of the network.
        resolution: Side of the input in pixels.
        batch_size: Images at once.
        precision: `"fp32"`, `"bf16"` or `"fp16"`, of weights and activations.
        device: Type of the device.
        device_name: What its maker calls it.
        macs: Multiply-adds for one image (computed).
        parameters: Trainable numbers (computed).
        median_ms: Median time of a batch in milliseconds.
        low_ms: Lower end of the median's 95% interval.
        high_ms: Upper end of it.
        repeats: Timed runs.
        noisy: Whether the runs spread so much, or others used the device so much, that the time may mislead.
        peak_memory_bytes: Weights, plus the growth of memory in use during one run at its highest point.
        torch_version: Version of torch.
        seed: Seed of random weights and inputs.
        threads: Threads that torch computes with, on a CPU.
        cores: Logical cores of the CPU.
        others_load: Cores that other programs kept busy meanwhile; on an accelerator, how many other programs
            hold it.
        clock_mhz: Median clock of the processor meanwhile.
        power_watts: Median power meanwhile.
        temperature_celsius: Highest temperature meanwhile.
        throttled: Why the driver held the clock down meanwhile, in words; empty if it did not.
        energy_joules_per_image: Energy of the whole device for one image, without the rest of the machine.
        driver: Version of the accelerator's driver.
        measured_at: When it began, in UTC.
        command: The line of Python that measures the same again; empty for a network without a name.
        threads_note: Why fewer threads were used than torch has, and how to mend it; empty if not.
        engine: What ran it, one of `ENGINES`.
        engine_version: Version of an engine that is no part of torch.
    """

    network: str
    resolution: int
    batch_size: int
    precision: str
    device: str
    device_name: str
    macs: int
    parameters: int
    median_ms: float
    low_ms: float
    high_ms: float
    repeats: int
    noisy: bool
    peak_memory_bytes: int
    torch_version: str
    seed: int
    threads: int | None = None
    cores: int | None = None
    others_load: float | None = None
    clock_mhz: float | None = None
    power_watts: float | None = None
    temperature_celsius: float | None = None
    throttled: str | None = None
    energy_joules_per_image: float | None = None
    driver: str | None = None
    measured_at: str = ""
    command: str = ""
    threads_note: str = ""
    engine: str = "torch"
    engine_version: str = ""

    @property
    def images_per_second(self: TimedBatch) -> float:
        """Throughput at the median time."""
        return 1000 * self.batch_size / self.median_ms

    @property
    def macs_per_second(self: TimedBatch) -> float:
        """Multiply-adds per second at the median time."""
        return 1000 * self.batch_size * self.macs / self.median_ms

    @property
    def advice(self) -> str:
        """What to do for a time to trust, in a sentence or two; empty where nothing needs doing."""
        if self.throttled and "temperature" in self.throttled:
            return "The device held its clock down because it was hot: let it cool, and measure again."
        if self.threads_note or not self.noisy:
            return self.threads_note
        if self.is_crowded:
            return self._advice_for_a_crowd()
        if self.device != "cpu" and self.others_load:
            return (
                f"Noisy, and {self.others_load:.0f} other processes hold this device: wait until it is free, "
                "and measure again."
            )
        return "Noisy: the runs differ by more than 15%. Measure again, for longer (seconds=5)."

    def _advice_for_a_crowd(self) -> str:
        others, threads, cores = self.others_load or 0.0, self.threads or 1, self.cores or 1
        said = (
            f"Noisy: other programs kept {others:.1f} of {cores} cores busy while torch computed with "
            f"{threads} thread{'s' if threads > 1 else ''}. Close them and measure again"
        )
        fewer = max(1, math.floor(cores - others + 0.5))
        if fewer < threads:
            said += (
                f", or call torch.set_num_threads({fewer}) first: torch's threads wait for each other, and "
                "where two share a core everything becomes many times slower"
            )
        return f"{said}."

    @property
    def is_crowded(self) -> bool:
        """Whether other programs and torch's threads together wanted more cores than there are."""
        return is_crowded(self.others_load, self.threads, self.cores)

    @property
    def details(self) -> tuple[str, ...]:
        """What else is known, a line each: energy, sensors, load, advice, and how to measure it again."""
        energy, sensed = self.energy_joules_per_image, []
        for value, words in (
            (self.clock_mhz, "{:.0f} MHz"),
            (self.power_watts, "{:.0f} W"),
            (self.temperature_celsius, "{:.0f} degrees Celsius"),
        ):
            if value is not None:
                sensed.append(words.format(value))
        if self.throttled:
            sensed.append(f"clock held down: {self.throttled}")
        lines = [
            "" if energy is None else f"energy: {energy:.3g} J per image",
            f"meanwhile: {', '.join(sensed)}" if sensed else "",
            self._load(),
            self.advice,
            f"measured {self.measured_at} with torch {self.torch_version}"
            + (f", {self.engine} {self.engine_version}" if self.engine_version else "")
            + (f", driver {self.driver}" if self.driver else ""),
            f"again: {self.command}" if self.command else "",
        ]
        return tuple(line for line in lines if line)

    def _load(self) -> str:
        if self.others_load is None:
            return ""
        if self.device != "cpu":
            return f"others: {self.others_load:.0f} other processes hold this device"
        return f"others: {self.others_load:.1f} of {self.cores} cores busy with other programs"

    def __str__(self) -> str:
        facts = [
            f"{self.median_ms:.1f} ms ({self.low_ms:.1f} to {self.high_ms:.1f})",
            f"{self.images_per_second:.1f} images/s",
            f"{self.peak_memory_bytes / 2**20:.0f} MiB",
            f"{self.repeats} repeats",
        ]
        return (
            f"{self.network}, {self.resolution} px, batch {self.batch_size}, {self.precision} "
            f"{'' if self.engine == 'torch' else f'in {self.engine} '}"
            f"on {self.device_name}: {', '.join(facts)}{', noisy' if self.noisy else ''}"
        )


def is_crowded(others_load: float | None, threads: int | None, cores: int | None) -> bool:
    """Return whether other programs and torch's threads together wanted more cores than there are.

    Args:
        others_load: Cores that other programs kept busy.
        threads: Threads of torch.
        cores: Cores of the machine. Where one of the three is None, nobody knows, and the answer is no.
    """
    if others_load is None or threads is None or cores is None:
        return False
    return others_load + min(threads, cores) > cores + CROWDED_CORES
