"""What every lab does without a widget and without a device: settings in, exact numbers and a picture out."""

import csv
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import traitlets

from effnet_edu.ground.checks import QUOTED, quoted
from effnet_edu.ground.guesses import Verdict
from effnet_edu.labs.frame.guessing import Guess, Guessed
from effnet_edu.labs.frame.numbers import Comparison, Number, Section, compare, without_details
from effnet_edu.labs.frame.settings import Whole

if TYPE_CHECKING:
    from effnet_edu.labs.frame.in_page import PageTiming, TimedGraph
    from effnet_edu.labs.frame.layout import LiveScreen

SettingT = TypeVar("SettingT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Record(Generic[SettingT, ResultT]):
    """A setting and what was measured at it.

    Attributes:
        setting: The setting.
        measurement: What was found.
        recorded_at: When somebody else of the class measured it, in seconds since 1970; None for one's own.
    """

    setting: SettingT
    measurement: ResultT
    recorded_at: float | None = None

    @property
    def how(self) -> str:
        """`measured`, or `recorded on this device` by somebody else."""
        return "measured" if self.recorded_at is None else "recorded on this device"


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


class LabLogic(traitlets.HasTraits, Generic[SettingT, ResultT]):
    """Settings of a lab, exact numbers for them, and what is drawn of both.

    Set a trait, and `setting`, numbers and screen change at once. One trait holds all settings and one the
    whole status, so that an observer never sees half of a change. Changes of several threads come one after
    the other.

    A lab is a subclass with `LAB`, `SETTING`, `MAIN`, a trait for each field of that dataclass but `device`,
    and the methods `label`, `numbers`, `measured` and `screen`. `Measuring` adds what a device does.

    Args:
        device: Where to measure, if something can be.
        settings: Any of the fields of `SETTING`.

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    #: Name of the class that a learner writes, `ee.labs.<LAB>`.
    LAB: ClassVar[str]
    #: A frozen dataclass with a field for each setting, `device` among them.
    SETTING: ClassVar[type[Any]]
    #: The setting that the lab is about: its slider is moved first.
    MAIN: ClassVar[str]
    #: Settings with which a measurement takes a second or two.
    QUICK: ClassVar[Mapping[str, Any]] = {}
    #: Settings with which a page without a device begins.
    START: ClassVar[Mapping[str, Any]] = {}
    #: Settings that only a measurement depends on: a page without a device has no control for them.
    MEASURED_ONLY: ClassVar[tuple[str, ...]] = ("device",)
    #: Tables and recorded results that the lab reads, as patterns within the package.
    FILES: ClassVar[tuple[str, ...]] = ("published/*.csv",)
    #: Names of the four or five numbers that stand large below the picture.
    HEADLINE: ClassVar[tuple[str, ...]] = ()
    #: What the lab is about, as a heading, and what to try first, as a sentence.
    QUESTION: ClassVar[str]
    TRY: ClassVar[str]
    #: What the status line says before anything was measured.
    INVITATION: ClassVar[str] = "Change something: it is counted at once."
    #: What a chart says in two lines while it has no measurement.
    UNMEASURED: ClassVar[tuple[str, str]] = ("Times are measured in JupyterLab,", "on your own device.")
    #: Whether there is a device to measure on.
    MEASURES: ClassVar[bool] = False

    device = traitlets.Unicode("cpu", help="where it runs")

    room = traitlets.Int(960, help="How wide the pictures may be, in pixels.")
    opened = Whole(0, min=0, max=1000, help="Number of the part whose inside the picture shows, 0 for none.")
    setting: Any = traitlets.Any(help="The present choice as one frozen object.")
    status = traitlets.Instance(Status, help="What the device does now.")
    history = traitlets.Tuple(help="Every Record of this session, oldest first.")
    pinned: Any = traitlets.Any(None, allow_none=True, help="The setting kept as A, or None.")
    predicts = traitlets.Bool(False, help="Whether the learner guesses before anything is measured.")
    guess: Any = traitlets.Float(None, allow_none=True, help="A guess that is not committed, or None.")
    guesses = traitlets.Tuple(help="Every committed Guess of this session, oldest first.")

    #: Held by whoever changes a trait, until all that follows from the change is done.
    lock: Any

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        unknown = sorted(set(settings) - set(self.names()))
        if unknown:
            known = ", ".join(self.names())
            raise TypeError(f"{self.LAB} has no setting {quoted(unknown[0])}; it has {known}.")
        super().__init__(**settings, **({} if device is None else {"device": device}))
        self._together = False
        for name, value in settings.items():
            setattr(self, name, value)
            self.on_change(name)
        for name, value in settings.items():
            setattr(self, name, value)
        chosen = self._chosen()
        self.check(chosen)
        self.setting = self._first = chosen
        self.status = self._unsaid = Status("resting", self.INVITATION)
        self._said: Status | None = None  # what `say` put over the status below it
        self.observe(self._changed, list(self.names()))
        self.observe(lambda _: self.asks_or_not(), "predicts")

    def setup_instance(*args: Any, **kwargs: Any) -> None:
        """Make the lock, before the first trait is set."""
        self, *others = args
        self.__dict__["lock"] = threading.RLock()
        super(LabLogic, self).setup_instance(*others, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        with self.lock:
            try:
                super().__setattr__(name, value)
            except traitlets.TraitError as error:
                if len(str(error)) <= 2 * QUOTED:
                    raise
                # Traitlets quotes the whole of what it was given.
                raise traitlets.TraitError(
                    f"{name} of {self.LAB} is {quoted(value)}; that is not one of its values."
                ) from None

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all settings."""
        return tuple(field.name for field in fields(cls.SETTING))

    # ---------------------------------------------------------------- what a lab says and draws

    def label(self, setting: SettingT) -> str:
        """Return a setting in a few words, such as `phi 2.3`."""
        raise NotImplementedError

    def numbers(self, setting: SettingT) -> tuple[Section, ...]:
        """Return all numbers at a setting that need no measurement; quick enough for a moving slider."""
        raise NotImplementedError

    def measured(self, record: Record[SettingT, ResultT]) -> tuple[Number, ...]:
        """Return the numbers of a measurement."""
        raise NotImplementedError

    def timed_graphs(self, setting: SettingT) -> "tuple[TimedGraph, ...]":  # noqa: ARG002
        """Return what a page runs and times at a setting, one after the other; nothing by default."""
        return ()

    def timed_results(
        self,
        setting: SettingT,  # noqa: ARG002
        timings: "Mapping[TimedGraph, PageTiming]",  # noqa: ARG002
    ) -> tuple[ResultT, ...]:
        """Return the results that follow from those of a setting's graphs that a page has timed."""
        return ()

    def timed_in_words(self, record: Record[SettingT, ResultT]) -> str:
        """Return what a page timed, as a sentence with the time, its unit, the engine and the browser."""
        return f"{self.measured_label(record.setting)}: {record.measurement}."

    def untimed(self, setting: SettingT) -> str:  # noqa: ARG002
        """Return why a page that times others times nothing at this setting; empty where it does."""
        return ""

    def screen(self) -> "LiveScreen":
        """Return finding and pictures of the present setting, before those of A if there is one; quick.

        They are as wide as `self.room`, and may show the inside of the part that is `self.opened`.
        """
        raise NotImplementedError

    def guessed(self, setting: SettingT) -> Guessed | None:  # noqa: ARG002
        """Return what a learner guesses before a setting is measured, or None where it cannot be guessed."""
        return None

    def all_tables(self) -> str:
        """Return the tables of the view with all numbers, below them; those of the screen by default."""
        return self.screen().tables

    def macs_behind(self, setting: SettingT) -> float | None:  # noqa: ARG002
        """Return the multiply-adds behind the large time of a measured setting; None where it has others."""
        return None

    def headline(self) -> tuple[str, ...]:
        """Return the names of the numbers that stand large at present; `HEADLINE` by default."""
        return self.HEADLINE

    def touch(self, sets: Mapping[str, Any]) -> None:
        """Change what was touched in the picture, as one change.

        Args:
            sets: Settings with their new values; they come from a page. `opened` may be among them. In their
                place `guess`, a number or its words, and `commit`, where a guess is asked for: one that comes
                together with another setting, or too late, is none.

        Raises:
            TraitError: There is no such setting, or a value is outside its range.
            ValueError: It is no guess, or there is none to commit.
        """
        guess, commits = sets.get("guess"), bool(sets.get("commit"))
        others = {name: value for name, value in sets.items() if name not in ("guess", "commit")}
        if others or not sets:
            self._touch(others)
        elif self.asks:
            self._guess(guess, commits=commits)

    def _touch(self, sets: Mapping[str, Any]) -> None:
        known = ("opened", *self.names())
        for name in sets:
            if name not in known:
                raise traitlets.TraitError(f"{self.LAB} has no setting {quoted(name)}.")
        with self.together():
            for name, value in sets.items():
                setattr(self, name, tuple(value) if isinstance(value, list) else value)
                self.on_change(name)

    def on_change(self, name: str) -> None:
        """Set whatever else must change with one setting; by default nothing does."""

    def check(self, setting: SettingT) -> None:
        """Raise TraitError where settings that lie in their ranges contradict each other; here none do."""

    def ends(self, name: str) -> tuple[float, float]:
        """Return from where to where the number of a setting goes at present."""
        trait: Any = self.traits()[name]
        return trait.min, trait.max

    def barred(self) -> Mapping[str, Sequence[Any]]:
        """Return the choices that are not there at the present setting, by setting."""
        return {}

    @property
    def title(self) -> str:
        """Name of the lab in words, such as `Phi lab`."""
        return self.LAB.removesuffix("Lab") + " lab"

    # ---------------------------------------------------------------- what was measured

    def measurement_key(self, setting: SettingT) -> SettingT:
        """Return a setting with all that its measurement does not depend on put to one value."""
        return setting

    def measured_label(self, setting: SettingT) -> str:
        """Return what a measurement of a setting is called; the setting itself by default."""
        return self.label(setting)

    def measured_part(self, record: Record[SettingT, ResultT]) -> str:  # noqa: ARG002
        """Return of which of several things a record is; empty where a measurement has one result."""
        return ""

    def remark(self, record: Record[SettingT, ResultT]) -> str:
        """Return what the status line adds when a measurement is done."""
        return ", ".join(f"{number.name} {number}" for number in self.measured(record)[:1]) + "."

    @property
    def latest(self) -> Record[SettingT, ResultT] | None:
        """The newest measurement, whatever the setting now."""
        return self.history[-1] if self.history else None

    def newest(self, setting: SettingT) -> Record[SettingT, ResultT] | None:
        """Return the newest measurement of a setting, or None."""
        wanted = self.measurement_key(setting)
        return next(
            (one for one in reversed(self.history) if self.measurement_key(one.setting) == wanted), None
        )

    def missing(self, setting: SettingT) -> Sequence[Any]:
        """Return what is still to be measured at a setting."""
        return () if self.newest(setting) else (setting,)

    @property
    def has_times(self) -> bool:
        """Whether there is a device, or a browser that has timed something."""
        return self.MEASURES or bool(self.history)

    @property
    def is_fresh(self) -> bool:
        """Whether the present setting was measured."""
        return not self.missing(self.setting)

    @property
    def is_unmeasured(self) -> bool:
        """Whether a chart has nothing to show and says so; by default before the first measurement."""
        return not self.history

    @property
    def unmeasured(self) -> tuple[str, str]:
        """What a chart without a measurement says, in two lines."""
        if self.asks:
            return "", ""  # the place for the guess says it
        return ("Measuring now:", "the first result comes soon.") if self.status.is_busy else self.UNMEASURED

    # ---------------------------------------------------------------- what is guessed first

    @classmethod
    def can_ask(cls) -> bool:
        """Return whether there is something to guess in this lab."""
        return cls.guessed is not LabLogic.guessed

    def guess_key(self, setting: SettingT) -> SettingT:
        """Return a setting with all that its guess does not depend on put to one value."""
        return self.measurement_key(setting)

    @property
    def committed(self) -> float | None:
        """The newest guess at the present setting, or None."""
        wanted = self.guess_key(self.setting)
        return next(
            (one.value for one in reversed(self.guesses) if self.guess_key(one.setting) == wanted), None
        )

    @property
    def asks(self) -> bool:
        """Whether the present setting is measured only after a guess."""
        if not self.predicts or (what := self.guessed(self.setting)) is None or what.truth is not None:
            return False
        return bool(self.missing(self.setting)) and self.committed is None

    @property
    def verdict(self) -> Verdict | None:
        """How far off the guess at the present setting was; None without one, or while it is measured."""
        if not self.predicts or (what := self.guessed(self.setting)) is None:
            return None
        return None if (guess := self.committed) is None else what.judge(guess)

    def asks_or_not(self) -> None:
        """Do what follows where guesses are asked for from now on, or no longer."""
        self.settled(self.setting)

    def _guess(self, written: Any, *, commits: bool) -> None:
        with self.lock:
            if (what := self.guessed(self.setting)) is None:
                return
            if written is not None:
                self.guess = what.read(written)
            if not commits:
                return
            if self.guess is None:
                raise ValueError(f"There is no guess yet: write a number in {what.unit}.")
            self.guesses, self.guess = (*self.guesses, Guess(self.setting, self.guess)), None
            self.settled(self.setting)

    # ---------------------------------------------------------------- all numbers

    def sections(self, setting: SettingT) -> tuple[Section, ...]:
        """Return all numbers at a setting, measured ones only if they belong to it."""
        record = self.newest(setting)
        return (*self.numbers(setting), *(() if record is None else (self._section(record, record.how),)))

    def shown(self) -> tuple[Section, ...]:
        """Return all numbers at the present setting; those measured at an earlier one are marked as stale."""
        setting, record = self.setting, self.latest
        if record is None or self.newest(setting) is not None:
            return self.sections(setting)
        caption = f"{record.how} before, at {self.measured_label(record.setting)}"
        return (*self.numbers(setting), self._section(record, caption, is_stale=True))

    def _section(self, record: Record[SettingT, ResultT], caption: str, is_stale: bool = False) -> Section:
        caption = ": ".join(filter(None, (caption, self.measured_part(record))))
        return Section("measured", self.measured(record), caption, is_stale)

    def compared(self) -> tuple[Comparison, ...]:
        """Return the numbers of the pinned setting A beside those of the present one, B; empty without A."""
        return () if self.pinned is None else compare(self.sections(self.pinned), self.sections(self.setting))

    def in_words(self) -> str:
        """Return the lab in one sentence."""
        numbers = (f"{n.name} {n}" for section in without_details(self.shown()) for n in section.numbers)
        return f"{self.title} at {self.label(self.setting)}: {', '.join(numbers)}."

    # ---------------------------------------------------------------- what a learner does

    def pin(self) -> None:
        """Keep the present setting as A, to see later ones against it."""
        self.pinned = self.setting

    def unpin(self) -> None:
        """Forget A."""
        self.pinned = None

    def differing(self) -> dict[str, Any]:
        """Return the settings that a new lab does not have anyway."""
        return {name: value for name, value in asdict(self.setting).items() if value != self._default(name)}

    def code(self) -> str:
        """Return one line that recreates this lab with its present setting."""
        chosen = (f"{name}={value!r}" for name, value in self.differing().items())
        return f"ee.labs.{self.LAB}({', '.join(chosen)})"

    @contextmanager
    def together(self) -> Iterator[None]:
        """Change several settings as one change, with one picture and one measurement; all of it or none."""
        with self.lock:
            if self._together:
                yield
                return
            self._together = True
            try:
                yield
                self.check(self._chosen())
            except BaseException:
                self._put_back()
                raise
            finally:
                self._together = False
            self._settle()

    def reset(self) -> None:
        """Go back to the settings that this lab was made with; history and A stay."""
        with self.together():
            for name in self.names():
                setattr(self, name, getattr(self._first, name))

    def say(self, status: Status) -> None:
        """Put something else than a measurement into the status line until the setting changes.

        Args:
            status: Such as why a number was refused.
        """
        if self.status is not self._said:
            self._unsaid = self.status
        self._said = self.status = status

    def row(self, record: Record[SettingT, ResultT]) -> dict[str, object]:
        """Return a record as a row of the exported table."""
        numbers = {f"{n.name}, {n.unit}" if n.unit else n.name: n.value for n in self.measured(record)}
        return asdict(record.setting) | numbers  # type: ignore[call-overload, no-any-return]

    def csv(self) -> str:
        """Return the history as csv, a row a measurement, with every setting and unit in the header."""
        rows = [self.row(record) for record in self.history]
        if any(record.recorded_at is not None for record in self.history):
            rows = [
                row | {"measured_by": "another learner" if record.recorded_at is not None else "this lab"}
                for row, record in zip(rows, self.history, strict=True)
            ]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]) if rows else self.names(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def settled(self, before: SettingT) -> None:
        """Do what follows a change of the setting: nothing where nothing can be measured."""

    def _default(self, name: str) -> Any:
        return self.trait_defaults(name)

    def _chosen(self) -> Any:
        return self.SETTING(**{name: getattr(self, name) for name in self.names()})

    def _changed(self, change: Any) -> None:
        if not self._together:
            with self.together():
                self.on_change(change["name"])

    def _put_back(self) -> None:
        """Undo what was changed since the last whole setting."""
        for name in self.names():
            setattr(self, name, getattr(self.setting, name))

    def _settle(self) -> None:
        before, chosen = self.setting, self._chosen()
        if self.status is self._said and before != chosen:
            self.status = self._unsaid
        if self.guess is not None and self.guess_key(before) != self.guess_key(chosen):
            self.guess = None  # it was one of another setting
        self.setting = chosen
        self.settled(before)
