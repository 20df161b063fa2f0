"""What the phi lab does, without a widget: settings in, exact numbers at once, a measurement soon after."""

import csv
import io
from dataclasses import asdict, dataclass, fields
from typing import Any

import traitlets

from effnet_edu.labs.worker import NewestWins
from effnet_edu.model.cost import NetworkCost, cost
from effnet_edu.model.scaling import ALPHA, BETA, GAMMA, cost_factor
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import compound
from effnet_edu.profiling.cancel import Cancelled, IsCancelled
from effnet_edu.profiling.device import as_device, device_name
from effnet_edu.profiling.profile import PRECISIONS, Measurement, profile

#: Seconds without a change after which the network is rebuilt and measured.
REST_SECONDS = 0.4


#: What each slider can be, from and to.
RANGES = {"phi": (0.0, 7.0), "alpha": (1.0, 2.0), "beta": (1.0, 1.5), "gamma": (1.0, 1.5)}


def _range(name: str) -> dict[str, Any]:
    return dict(zip(("min", "max"), RANGES[name], strict=True))


@dataclass(frozen=True)
class Setting:
    """What the learner can choose."""

    phi: float
    alpha: float
    beta: float
    gamma: float
    batch_size: int
    precision: str


@dataclass(frozen=True)
class Record:
    """A setting and what was measured at it."""

    setting: Setting
    measurement: Measurement


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


class PhiLogic(traitlets.HasTraits):
    """Scale EfficientNet-B0 by phi and measure the result.

    Set a trait, and `spec` and `cost` change at once. When nothing has changed for a moment, the network
    is rebuilt and measured in a thread; `status` and `history` tell how it goes. One trait holds the
    whole status, so that an observer never sees half of a change made in another thread.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of the traits phi, alpha, beta, gamma, batch_size and precision.

    Raises:
        traitlets.TraitError: A setting is outside its range.
    """

    phi = traitlets.Float(0.0, **_range("phi"), help="The compound coefficient.")
    alpha = traitlets.Float(ALPHA, **_range("alpha"), help="Depth is multiplied by alpha**phi.")
    beta = traitlets.Float(BETA, **_range("beta"), help="Width is multiplied by beta**phi.")
    gamma = traitlets.Float(GAMMA, **_range("gamma"), help="Resolution is multiplied by gamma**phi.")
    batch_size = traitlets.Int(1, min=1, max=1024, help="Images measured at once.")
    precision = traitlets.Enum(tuple(PRECISIONS), "fp32", help="Type of weights and activations.")

    status = traitlets.Instance(Status, help="What the device does now.")
    history = traitlets.Tuple(help="Every Record of this session, oldest first.")

    SETTINGS = tuple(field.name for field in fields(Setting))

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        unknown = sorted(set(settings) - set(self.SETTINGS))
        if unknown:
            raise TypeError(f"PhiLab has no setting {unknown[0]!r}; it has {', '.join(self.SETTINGS)}.")
        super().__init__(**settings)
        self.device = as_device(device)
        self.device_name = device_name(self.device)
        self._worker = NewestWins("effnet-edu-phi-lab")
        self._count()
        self.status = Status("resting", "Move a slider: the network is rebuilt and measured when it rests.")
        self.observe(self._changed, self.SETTINGS)

    @traitlets.validate(*RANGES)
    def _round(self, proposal: Any) -> float:
        """Keep 2.3 what a slider in a browser makes 2.3000000000000003."""
        return round(float(proposal["value"]), 6)

    @property
    def setting(self) -> Setting:
        """The present choice."""
        return Setting(**{name: getattr(self, name) for name in self.SETTINGS})

    @property
    def constraint(self) -> float:
        """The product alpha * beta**2 * gamma**2: by what MACs are multiplied when phi grows by one."""
        return cost_factor(self.alpha, self.beta, self.gamma)

    @property
    def latest(self) -> Record | None:
        """The newest measurement, whatever the setting now."""
        return self.history[-1] if self.history else None

    @property
    def is_fresh(self) -> bool:
        """Whether the newest measurement belongs to the present setting."""
        return self.latest is not None and self.latest.setting == self.setting

    def code(self) -> str:
        """Return one line that recreates this lab with its present setting."""
        chosen = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.SETTINGS)
        return f"ee.labs.PhiLab({chosen})"

    def measure(self, delay: float = 0.0) -> None:
        """Measure the present setting in the background; anything that runs is given up for it.

        Args:
            delay: Seconds to wait first, in case something changes.
        """
        setting, spec = self.setting, self.spec
        self.status = Status("waiting", f"Next: phi {setting.phi:g} on {self.device_name}.")
        self._worker.submit(lambda is_stale: self._run(setting, spec, is_stale), delay)

    def cancel(self) -> None:
        """Stop the measurement that runs or waits; what was measured before stays."""
        self._worker.cancel()
        if self.status.is_busy:
            self.status = Status("cancelled", "Cancelled. Nothing was measured.")

    def wait(self, timeout: float = 60.0) -> bool:
        """Return whether every measurement asked for was done within `timeout` seconds.

        Args:
            timeout: Seconds to wait at most.
        """
        return self._worker.wait(timeout)

    def reset(self) -> None:
        """Go back to B0 with the paper's bases, batch 1, fp32; the history stays."""
        for name in self.SETTINGS:
            setattr(self, name, self.traits()[name].default_value)

    def csv(self) -> str:
        """Return the history as csv, a row a measurement, with every setting and unit in the header."""
        rows = [asdict(record.setting) | asdict(record.measurement) for record in self.history]
        names = [*self.SETTINGS, *(f.name for f in fields(Measurement) if f.name not in self.SETTINGS)]
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def _count(self) -> None:
        self.spec: NetworkSpec = compound(self.phi, self.alpha, self.beta, self.gamma)
        self.cost: NetworkCost = cost(self.spec)

    def _changed(self, _change: object) -> None:
        self._count()
        self.measure(REST_SECONDS)

    def _run(self, setting: Setting, spec: NetworkSpec, is_stale: IsCancelled) -> None:
        what = f"phi {setting.phi:g}, batch {setting.batch_size}, {setting.precision} on {self.device_name}"

        def tell(status: Status) -> None:
            if not is_stale():
                self.status = status

        tell(Status("measuring", f"Building and measuring {what} ..."))
        try:
            measurement = profile(
                spec,
                setting.batch_size,
                precision=setting.precision,
                device=self.device,
                is_cancelled=is_stale,
                progress=lambda share: tell(Status("measuring", f"Measuring {what} ...", share)),
                waiting=lambda sentence: tell(Status("measuring", sentence)),
            )
        except Cancelled:
            return
        except Exception as error:  # whatever it is, the learner gets a sentence and keeps the lab
            tell(Status("failed", f"{type(error).__name__}: {error}"))
            return
        if is_stale():
            return
        noise = f" {measurement.advice}" if measurement.advice else ""
        self.history = (*self.history, Record(setting, measurement))
        tell(Status("measured", f"Measured {what}: {measurement.repeats} repeats.{noise}", 1.0))
