"""What every lab does, without a widget: settings in, exact numbers at once, a measurement soon after."""

import csv
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import traitlets

from effnet_edu.labs.memory import give_back_memory
from effnet_edu.labs.numbers import Comparison, Number, Section, compare, without_details
from effnet_edu.labs.worker import NewestWins
from effnet_edu.profiling.cancel import Cancelled, IsCancelled

if TYPE_CHECKING:
    import torch

#: Seconds without a change after which a setting is measured.
REST_SECONDS = 0.4

SettingT = TypeVar("SettingT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Record(Generic[SettingT, ResultT]):
    """A setting and what was measured at it."""

    setting: SettingT
    measurement: ResultT


@dataclass(frozen=True)
class Status:
    """What the device does now.

    Attributes:
        state: `"resting"`, `"waiting"`, `"measuring"`, `"measured"`, `"cancelled"` or `"failed"`.
        message: The same as a sentence.
        progress: Share of the measurement that is done, 0 to 1.
    """

    state: str
    message: str
    progress: float = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether a measurement runs or is about to."""
        return self.state in ("waiting", "measuring")


@dataclass(frozen=True)
class Watch:
    """How a measurement and the lab that asked for it talk to each other.

    Attributes:
        is_cancelled: The measurement asks it often, and raises Cancelled when it says yes.
        progress: The measurement tells it the share done, 0 to 1.
        waiting: The measurement tells it, in a sentence, that somebody else has the device.
        doing: A measurement of many parts tells it, in a few words, which one is being measured.
    """

    is_cancelled: IsCancelled
    progress: Callable[[float], None]
    waiting: Callable[[str], None]
    doing: Callable[[str], None]


class RoundedFloat(traitlets.Float):  # type: ignore[type-arg]
    """A setting of six decimals: 2.3 stays what a slider in a browser makes 2.3000000000000003."""

    def validate(self, obj: Any, value: Any) -> float:
        """Return the rounded number.

        Args:
            obj: The lab.
            value: What was chosen.

        Raises:
            traitlets.TraitError: It is outside its range.
        """
        return round(float(super().validate(obj, value)), 6)


def devices() -> tuple[str, ...]:
    """Return the devices of this machine, the one that is used by default first."""
    from effnet_edu.profiling.device import default_device

    return tuple(dict.fromkeys((default_device().type, "cpu")))


class LabLogic(traitlets.HasTraits, Generic[SettingT, ResultT]):
    """Settings of a lab, exact numbers for them, and measurements in the background.

    Set a trait, and `setting` and all numbers change at once. When nothing has changed for a moment, the
    setting is measured in a thread; `status` and `history` tell how it goes. One trait holds all settings
    and one the whole status, so that an observer never sees half of a change.

    A lab is a subclass with `LAB`, `SETTING`, a trait for each field of that dataclass but `device`, and the
    methods `label`, `numbers`, `measured` and `take`.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of the fields of `SETTING`.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    #: Name of the class that a learner writes, `ee.labs.<LAB>`.
    LAB: ClassVar[str]
    #: A frozen dataclass with a field for each setting, `device` among them.
    SETTING: ClassVar[type[Any]]
    #: What the status line says before anything was measured.
    INVITATION: ClassVar[str] = "Change something: it is measured when it rests."
    #: What a chart says in two lines while it has no measurement.
    UNMEASURED: ClassVar[tuple[str, str]] = ("Nothing measured yet:", "let a slider rest.")
    #: Whether there is a device to measure on.
    MEASURES: ClassVar[bool] = True

    device = traitlets.Unicode(help="where it runs")

    setting: Any = traitlets.Any(help="The present choice as one frozen object.")
    status = traitlets.Instance(Status, help="What the device does now.")
    history = traitlets.Tuple(help="Every Record of this session, oldest first.")
    pinned: Any = traitlets.Any(None, allow_none=True, help="The setting kept as A, or None.")

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        unknown = sorted(set(settings) - set(self.names()))
        if unknown:
            known = ", ".join(self.names())
            raise TypeError(f"{self.LAB} has no setting {unknown[0]!r}; it has {known}.")
        super().__init__(**settings, **({} if device is None else {"device": device}))
        self._together = False
        # Whoever says what the device does must still be the newest while saying it.
        self._speaking = threading.RLock()
        self._worker = NewestWins(f"effnet-edu-{self.LAB}")
        for name in settings:
            self.follow(name)
        for name, value in settings.items():
            setattr(self, name, value)
        self.setting = self._chosen()
        self.status = Status("resting", self.INVITATION)
        self.observe(self._changed, list(self.names()))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all settings."""
        return tuple(field.name for field in fields(cls.SETTING))

    @traitlets.default("device")
    def _default_device(self) -> str:
        from effnet_edu.profiling.device import default_device

        return default_device().type

    @traitlets.validate("device")
    def _check_device(self, proposal: Any) -> str:
        from effnet_edu.profiling.device import as_device

        try:
            return str(as_device(proposal["value"]))
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None

    def label(self, setting: SettingT) -> str:
        """Return a setting in a few words, such as `phi 2.3`.

        Args:
            setting: Any setting of this lab.
        """
        raise NotImplementedError

    def numbers(self, setting: SettingT) -> tuple[Section, ...]:
        """Return all numbers at a setting that need no measurement; quick enough for a moving slider.

        Args:
            setting: Any setting of this lab.
        """
        raise NotImplementedError

    def measured(self, record: Record[SettingT, ResultT]) -> tuple[Number, ...]:
        """Return the numbers of a measurement.

        Args:
            record: One of the history.
        """
        raise NotImplementedError

    def take(self, setting: SettingT, watch: Watch) -> ResultT:
        """Measure a setting; runs in a thread.

        Args:
            setting: What to measure.
            watch: Asked whether to go on, and told how far it is.

        Raises:
            Cancelled: It was told to stop.
        """
        raise NotImplementedError

    def follow(self, name: str) -> None:
        """Set whatever else must change with one setting; by default nothing does.

        Args:
            name: The setting that was changed.
        """

    def place(self, setting: SettingT) -> "torch.device":
        """Return the device of a setting.

        Args:
            setting: Any setting of this lab.
        """
        from effnet_edu.profiling.device import as_device

        return as_device(setting.device)  # type: ignore[attr-defined]

    @property
    def title(self) -> str:
        """Name of the lab in words, such as `Phi lab`."""
        return self.LAB.removesuffix("Lab") + " lab"

    @property
    def device_name(self) -> str:
        """What the maker calls the present device."""
        return self._device_of(self.setting)

    @property
    def latest(self) -> Record[SettingT, ResultT] | None:
        """The newest measurement, whatever the setting now."""
        return self.history[-1] if self.history else None

    def essence(self, setting: SettingT) -> SettingT:
        """Return a setting with all that its measurement does not depend on put to one value.

        Args:
            setting: Any setting of this lab.
        """
        return setting

    def measured_label(self, setting: SettingT) -> str:
        """Return what a measurement of a setting is called; the setting itself by default.

        Args:
            setting: Any setting of this lab.
        """
        return self.label(setting)

    def newest(self, setting: SettingT) -> Record[SettingT, ResultT] | None:
        """Return the newest measurement of a setting, or None.

        Args:
            setting: Any setting of this lab.
        """
        wanted = self.essence(setting)
        return next(
            (record for record in reversed(self.history) if self.essence(record.setting) == wanted), None
        )

    @property
    def is_fresh(self) -> bool:
        """Whether the present setting was measured."""
        return self.newest(self.setting) is not None

    def sections(self, setting: SettingT) -> tuple[Section, ...]:
        """Return all numbers at a setting, measured ones only if they belong to it.

        Args:
            setting: Any setting of this lab.
        """
        record = self.newest(setting)
        measured = () if record is None else (Section("measured", self.measured(record), "measured"),)
        return (*self.numbers(setting), *measured)

    def shown(self) -> tuple[Section, ...]:
        """Return all numbers at the present setting; those measured at an earlier one are marked as stale."""
        setting, record = self.setting, self.latest
        if record is None or self.newest(setting) is not None:
            return self.sections(setting)
        caption = f"measured before, at {self.measured_label(record.setting)}"
        return (*self.numbers(setting), Section("measured", self.measured(record), caption, is_stale=True))

    def compared(self) -> tuple[Comparison, ...]:
        """Return the numbers of the pinned setting A beside those of the present one, B; empty without A."""
        return () if self.pinned is None else compare(self.sections(self.pinned), self.sections(self.setting))

    def in_words(self) -> str:
        """Return the lab in one sentence."""
        numbers = (f"{n.name} {n}" for section in without_details(self.shown()) for n in section.numbers)
        return f"{self.title} at {self.label(self.setting)}: {', '.join(numbers)}."

    def pin(self) -> None:
        """Keep the present setting as A, to see later ones against it."""
        self.pinned = self.setting

    def unpin(self) -> None:
        """Forget A."""
        self.pinned = None

    def code(self) -> str:
        """Return one line that recreates this lab with its present setting."""
        values = asdict(self.setting)
        chosen = (f"{name}={values[name]!r}" for name in self.names() if values[name] != self._default(name))
        return f"ee.labs.{self.LAB}({', '.join(chosen)})"

    @contextmanager
    def together(self) -> Iterator[None]:
        """Change several settings as one change, with one picture and one measurement."""
        if self._together:
            yield
            return
        self._together = True
        try:
            yield
        finally:
            self._together = False
        self._settle()

    def reset(self) -> None:
        """Go back to the settings that a new lab has; history and A stay."""
        with self.together():
            for name in self.names():
                setattr(self, name, self._default(name))

    def measure(self, delay: float = 0.0) -> None:
        """Measure the present setting in the background; anything that runs is given up for it.

        Args:
            delay: Seconds to wait first, in case something changes.
        """
        setting = self.setting
        with self._speaking:
            next_one = f"Next: {self.measured_label(setting)} on {self.device_name}."
            self.status = Status("waiting", next_one)
            self._worker.submit(lambda is_stale: self._run(setting, is_stale), delay)

    def cancel(self) -> None:
        """Stop the measurement that runs or waits; what was measured before stays."""
        with self._speaking:
            self._worker.cancel()
            if self.status.is_busy:
                self.status = Status("cancelled", "Cancelled. Nothing was measured.")

    def say(self, status: Status) -> None:
        """Put something else than a measurement into the status line, such as why a file was refused.

        Args:
            status: Stays until the next one.
        """
        with self._speaking:
            self.status = status

    def wait(self, timeout: float = 60.0) -> bool:
        """Return whether every measurement asked for was done within `timeout` seconds.

        Args:
            timeout: Seconds to wait at most.
        """
        return self._worker.wait(timeout)

    def row(self, record: Record[SettingT, ResultT]) -> dict[str, object]:
        """Return a record as a row of the exported table.

        Args:
            record: One of the history.
        """
        numbers = {f"{n.name}, {n.unit}" if n.unit else n.name: n.value for n in self.measured(record)}
        return asdict(record.setting) | numbers  # type: ignore[call-overload, no-any-return]

    def csv(self) -> str:
        """Return the history as csv, a row a measurement, with every setting and unit in the header."""
        rows = [self.row(record) for record in self.history]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]) if rows else self.names(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def _default(self, name: str) -> Any:
        return self.trait_defaults(name)

    def _chosen(self) -> Any:
        return self.SETTING(**{name: getattr(self, name) for name in self.names()})

    def _changed(self, change: Any) -> None:
        if not self._together:
            with self.together():
                self.follow(change["name"])

    def _settle(self) -> None:
        before, self.setting = self.setting, self._chosen()
        if self.essence(before) != self.essence(self.setting) or not self.is_fresh:
            self.measure(REST_SECONDS)

    def _device_of(self, setting: SettingT) -> str:
        from effnet_edu.profiling.device import device_name

        return device_name(self.place(setting))

    def _run(self, setting: SettingT, is_stale: IsCancelled) -> None:
        where = f"on {self._device_of(setting)}"
        what = f"{self.measured_label(setting)} {where}"
        part = what

        def tell(state: str, message: str, progress: float = 0.0) -> None:
            with self._speaking:
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
        try:
            measurement = self.take(setting, watch)
        except Cancelled:
            return
        except MemoryError as error:
            tell("failed", f"Not measured: {error}")
        except Exception as error:  # whatever it is, the learner gets a sentence and keeps the lab
            reason = (str(error).splitlines() or [""])[0][:200]
            tell("failed", f"Not measured: the network stopped with {type(error).__name__}: {reason}")
        else:
            record = Record(setting, measurement)
            with self._speaking:
                if not is_stale():
                    self.history = (*self.history, record)
                    tell("measured", f"Measured {what}: {self.remark(record)}", 1.0)
        finally:
            give_back_memory()

    def remark(self, record: Record[SettingT, ResultT]) -> str:
        """Return what the status line adds when a measurement is done.

        Args:
            record: The newest.
        """
        return ", ".join(f"{number.name} {number}" for number in self.measured(record)[:1]) + "."
