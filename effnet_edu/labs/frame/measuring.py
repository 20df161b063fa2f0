"""A lab with a device: when its setting rests, it is measured in a thread, and the newest request wins."""

import math
import time
from collections.abc import Generator, Iterator
from contextlib import closing, nullcontext
from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar

import traitlets

from effnet_edu.ground.cache import measured_folder
from effnet_edu.ground.memory import give_back_memory
from effnet_edu.ground.watch import Cancelled, IsCancelled, Watch
from effnet_edu.labs.frame.logic import LabLogic, Record, ResultT, SettingT, Status
from effnet_edu.labs.frame.shared import SharedMeasurement, minutes_ago, shared_measurement
from effnet_edu.labs.frame.worker import NewestWins
from effnet_edu.profiling.device import as_device, default_device, device_name
from effnet_edu.profiling.measurement import Measurement

#: Seconds without a change after which a setting is measured.
REST_SECONDS = 0.4
#: How often a lab looks whether another learner has measured its setting.
LOOK_SECONDS = 0.5
#: What it says meanwhile, and below what another learner measured.
ANOTHER = "Another learner measures this setting; you get the same numbers when they are there."
OWN = "Press Measure for your own."
#: What the status line says while the learner is to guess, and where nothing is to be guessed at present.
ASKING = "Your guess first: it is measured as soon as you commit it."
ASKING_NEXT = "You are asked for a guess before the next setting is measured."


def devices() -> tuple[str, ...]:
    """Return the devices of this machine, the one that is used by default first."""
    return tuple(dict.fromkeys((default_device().type, "cpu")))


def recorded_words(what: str, at: float) -> str:
    """Return what was recorded by somebody else, and how long ago.

    Args:
        what: A setting in words.
        at: When, in seconds since 1970.
    """
    return f"Recorded on this device {minutes_ago(at)}: {what}"


class Measuring(LabLogic[SettingT, ResultT]):
    """Put it before a lab's exact logic, and write `measure`: `status` and `history` tell how it goes.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of the fields of `SETTING`.
    """

    INVITATION = "Change something: it is measured when it rests."
    UNMEASURED = ("Nothing measured yet:", "let a slider rest.")
    MEASURES = True
    #: The type of what `measure` yields.
    RESULT: ClassVar[Any] = Measurement

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        self._worker = NewestWins(f"effnet-edu-{self.LAB}")
        #: Whether what was measured before is measured once more.
        self.again = False
        self._requested: Any = None
        super().__init__(device, **settings)

    @traitlets.default("device")
    def _default_device(self) -> str:
        return default_device().type

    @traitlets.validate("device")
    def _check_device(self, proposal: Any) -> str:
        try:
            return str(as_device(proposal["value"]))
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None

    # ---------------------------------------------------------------- what a lab writes

    def measure(self, setting: SettingT, watch: Watch) -> Iterator[ResultT]:
        """Measure a setting and yield what was found, each result as soon as it is there; runs in a thread.

        Raises:
            Cancelled: It was told to stop.
            MemoryError: It does not fit; the message becomes the status line.
        """
        raise NotImplementedError

    def known_already(self, setting: SettingT) -> Status:
        """Return what the status line says where nothing is left to measure."""
        record = self.newest(setting)
        if record is not None and record.recorded_at is not None:
            words = recorded_words(self.measured_label(setting), record.recorded_at)
            return Status("measured", f"{words}. {OWN}", 1.0)
        what = f"{self.measured_label(setting)} on {self.device_name}"
        return Status("measured", f"Measured before: {what}. Press Measure to measure it again.", 1.0)

    def part_of(self, of: Any) -> str:  # noqa: ARG002
        """Return which of several results of a setting something is, missing or found; here there is one."""
        return ""

    def kept_so_far(self) -> str:
        """Return what was measured, as the status line says it after Cancel."""
        return "Nothing was measured."

    # ---------------------------------------------------------------- what the frame does

    @property
    def device_name(self) -> str:
        """What the maker calls the present device."""
        return device_name(as_device(self.setting.device))

    def request(self, delay: float = 0.0, *, again: bool = True) -> None:
        """Measure the present setting in the background; anything that runs is given up for it.

        Args:
            delay: Seconds to wait first, in case something changes.
            again: Whether what was measured before is measured once more.
        """
        with self.lock:
            if self.asks:
                self._worker.cancel()
                self.status = Status("resting", ASKING)
                return
            setting = self.setting
            key = self.measurement_key(setting)
            if not again and self.status.is_busy and key == self._requested:
                return
            if not again and not self.missing(setting):
                self._worker.cancel()
                self.status = self.known_already(setting)
                return
            self._requested, self.again = key, again
            self.status = Status("waiting", f"Next: {self.measured_label(setting)} on {self.device_name}.")
            self._worker.submit(lambda is_stale: self._run(setting, is_stale), delay)

    def cancel(self) -> None:
        """Stop the measurement that runs or waits; what was measured before stays."""
        with self.lock:
            self._worker.cancel()
            if self.status.is_busy:
                self.status = Status("cancelled", f"Cancelled. {self.kept_so_far()}")

    def wait(self, timeout: float = 60.0) -> bool:
        """Return whether every measurement asked for was done within `timeout` seconds."""
        return self._worker.wait(timeout)

    def asks_or_not(self) -> None:
        """Measure only after a guess from now on, or at once again."""
        super().asks_or_not()
        if self.predicts and not self.asks and not self.status.is_busy:
            self.status = Status("resting", ASKING_NEXT)

    def settled(self, before: SettingT) -> None:
        """Measure the setting when it rests, unless its measurement is there or under way."""
        if self.measurement_key(before) != self.measurement_key(self.setting) or not self.is_fresh:
            self.request(REST_SECONDS, again=False)

    def _run(self, setting: SettingT, is_stale: IsCancelled) -> None:
        where = f"on {device_name(as_device(setting.device))}"  # type: ignore[attr-defined]
        what = part = f"{self.measured_label(setting)} {where}"

        # Whoever says what the device does must still be the newest while saying it.
        def tell(state: str, message: str, progress: float = 0.0) -> None:
            with self.lock:
                if not is_stale():
                    self.status = Status(state, message, progress)

        def name_part(words: str) -> None:
            nonlocal part
            part = f"{words} {where}"

        tell("measuring", f"Building and measuring {what} ...")
        watch = Watch(
            is_stale,
            lambda share: tell("measuring", f"Measuring {part} ...", share),
            lambda sentence: tell("measuring", sentence),
            name_part,
        )
        times: list[float | None] = []
        try:
            with closing(self._found(setting, watch)) as all_found:
                for record in all_found:
                    with self.lock:
                        watch.check()
                        self.history = (*self.history, record)
                    times.append(record.recorded_at)
            recorded = [at for at in times if at is not None]
            said = f"Measured {what}: {self.remark(record)}"
            if len(recorded) == len(times):
                said = recorded_words(self.measured_label(setting), min(recorded))
                said += f": {self.remark(record)} {OWN}"
            elif recorded:
                said += f" {len(recorded)} of {len(times)} were recorded on this device within the hour."
            tell("measured", said, 1.0)
        except Cancelled:
            return
        except MemoryError as error:
            tell("failed", f"Not measured: {error}")
        except Exception as error:  # whatever it is, the learner gets a sentence and keeps the lab
            reason = (str(error).splitlines() or [""])[0][:200]
            tell("failed", f"Not measured: the network stopped with {type(error).__name__}: {reason}")
        finally:
            give_back_memory()

    def _found(self, setting: SettingT, watch: Watch) -> Generator[Record[SettingT, ResultT]]:
        """Yield what is measured now; where a class shares a folder, what others measured within the hour."""
        folder = measured_folder()
        if folder is None:
            yield from (Record(setting, found) for found in self.measure(setting, watch))
            return
        device: str = setting.device  # type: ignore[attr-defined]
        key = self.measurement_key(setting)
        place = partial(shared_measurement, folder, self.LAB, device, key)
        with place("turn").turn() if not self.again else nullcontext() as is_alone:
            is_told = False
            while is_alone is not None:
                alone = is_alone()  # asked first: who was alone before has written what is read now
                for part in map(self.part_of, self.missing(setting)):
                    if (record := self._recorded(setting, place(part), part)) is not None:
                        yield record
                if not self.missing(setting):
                    return
                if alone:
                    break
                if not is_told:
                    is_told = True
                    watch.waiting(ANOTHER)
                watch.check()
                time.sleep(LOOK_SECONDS)
            for found in self.measure(setting, watch):
                place(self.part_of(found)).write(found)
                yield Record(setting, found)

    def _recorded(
        self, setting: SettingT, place: SharedMeasurement, part: str
    ) -> Record[SettingT, ResultT] | None:
        """Return what somebody else measured, if a lab can show it: another learner wrote it."""
        if (read := place.read(self.RESULT)) is None:
            return None
        at, found = read
        record = Record(setting, found, at)
        try:
            trial = type(self)(**asdict(setting))  # type: ignore[call-overload]
            trial.history = (record,)
            trial.screen()
            trial.csv()
            trial.remark(record)
            values = [number.value for number in trial.measured(record)]
            missing = [self.part_of(one) for one in trial.missing(setting)]
        except Exception:  # whatever it is, it is measured then
            return None
        is_sound = part not in missing and all(math.isfinite(value) and value >= 0 for value in values)
        return record if is_sound else None
