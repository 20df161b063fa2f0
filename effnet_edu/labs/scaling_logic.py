"""What the scaling problem lab does, without a widget: a budget of MACs spent on B0, and measured."""

from dataclasses import dataclass, replace

import traitlets

from effnet_edu.labs.budget import BASE, BASE_MACS, COMPOUND, Purchase, Shares, spend
from effnet_edu.labs.forward_logic import ForwardLogic
from effnet_edu.labs.logic import Record, RoundedFloat, Watch
from effnet_edu.labs.numbers import Number, Section
from effnet_edu.labs.scaling_evidence import B0, IMAGES, PAPERS, Point, nearest, published, recorded
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.studies.networks import WAYS, Way

#: A mix of the learner's own, beside the named ways.
MIX = "own mix"
#: Percent of the growth for depth, width and resolution, as the sliders show them.
_PERCENT = {"depth": (100, 0, 0), "width": (0, 100, 0), "resolution": (0, 0, 100)} | {
    "compound": tuple(round(100 * share) for share in (COMPOUND.depth, COMPOUND.width, COMPOUND.resolution))
}
_SHARES: dict[str, Shares] = {
    way: COMPOUND if way == "compound" else Shares.of(*_PERCENT[way]) for way in WAYS
}
_SLIDERS = ("depth_share", "width_share", "resolution_share")


@dataclass(frozen=True)
class Setting:
    """What the learner can choose."""

    budget: float
    way: str
    depth_share: int
    width_share: int
    resolution_share: int
    paper: str
    images: str
    batch_size: int
    device: str


@dataclass(frozen=True)
class Price:
    """What one way of spending a budget costs.

    Attributes:
        way: The way.
        bought: What it buys.
        record: The newest measurement of that, or None.
    """

    way: str
    bought: Purchase
    record: Record[Setting, Measurement] | None

    def ms_an_image(self, ms: float) -> float:
        """Return a time of the measured batch for one of its images.

        Args:
            ms: Time of the batch.
        """
        return ms / (self.record.setting.batch_size if self.record else 1)


class ScalingProblemLogic(ForwardLogic[Setting]):
    """Spend a budget of MACs on depth, width or resolution of EfficientNet-B0, alone or together.

    Choosing a way sets the three shares; moving a share makes it a mix of the learner's own.
    """

    LAB = "ScalingProblemLab"
    SETTING = Setting
    INVITATION = "Spend a budget: the network is built and measured when the slider rests."

    budget = RoundedFloat(1.8, min=0.4, max=10.0, help="for one image")
    way = traitlets.Enum((*WAYS, MIX), "compound", help="where it goes")
    depth_share = traitlets.Int(_PERCENT["compound"][0], min=0, max=100, help="for layers")
    width_share = traitlets.Int(_PERCENT["compound"][1], min=0, max=100, help="for channels")
    resolution_share = traitlets.Int(_PERCENT["compound"][2], min=0, max=100, help="for pixels")
    paper = traitlets.Enum(PAPERS, B0, help="whose accuracy")
    images = traitlets.Enum(tuple(IMAGES), "glyphs", help="in our study")
    batch_size = traitlets.Int(1, min=1, max=256, help="images at once")

    @property
    def title(self) -> str:
        """Name of the lab in words."""
        return "Scaling problem lab"

    def follow(self, name: str) -> None:
        """Set the shares of a chosen way, and leave the way when a share is moved."""
        if name in _SLIDERS:
            self.way = MIX
        elif name == "way" and self.way != MIX:
            for slider, percent in zip(_SLIDERS, _PERCENT[self.way], strict=True):
                setattr(self, slider, percent)

    def _default(self, name: str) -> object:
        """Return what a setting is unless it is chosen: shares are those of the way."""
        if name in _SLIDERS and self.way != MIX:
            return _PERCENT[self.way][_SLIDERS.index(name)]
        return super()._default(name)

    def bought(self, setting: Setting, way: str | None = None) -> Purchase:
        """Return what the budget of a setting buys.

        Args:
            setting: Any setting.
            way: Another way than that of the setting.
        """
        way = way or setting.way
        shares = _SHARES.get(way) or Shares.of(*(getattr(setting, name) for name in _SLIDERS))
        return spend(shares, 1e9 * setting.budget, f"B0, {way}, {setting.budget:g} billion MACs to spend")

    def label(self, setting: Setting) -> str:
        """Return `depth alone, 1.8 billion`, or what the mix is."""
        if setting.way == MIX:
            shares = ":".join(str(getattr(setting, name)) for name in _SLIDERS)
            return f"mix {shares}, {setting.budget:g} billion"
        alone = "" if setting.way == "compound" else " alone"
        return f"{setting.way}{alone}, {setting.budget:g} billion"

    def published_near(self, setting: Setting) -> Point | None:
        """Return the published network nearest in MACs that was scaled in the same way, if there is one.

        Args:
            setting: Any setting.
        """
        if (way := as_way(setting.way)) is None:
            return None
        return nearest(published(setting.paper, way), self.bought(setting).totals.macs)

    def recorded_near(self, setting: Setting) -> Point | None:
        """Return the network of our study nearest in growth that was scaled in the same way, if there is one.

        Args:
            setting: Any setting.
        """
        if (way := as_way(setting.way)) is None or not (points := recorded(setting.images, way)):
            return None
        return nearest(points, points[0].macs * self.growth(setting))

    def growth(self, setting: Setting) -> float:
        """Return the MACs of the network over those of B0.

        Args:
            setting: Any setting.
        """
        return self.bought(setting).totals.macs / BASE_MACS

    def numbers(self, setting: Setting) -> tuple[Section, ...]:
        """Return the exact price, and the accuracy of the nearest networks that somebody trained."""
        bought = self.bought(setting)
        factors, price = bought.multipliers, bought.totals
        phi = (Number("phi", bought.phi, decimals=2),) if setting.way == "compound" else ()
        computed = (
            *phi,
            Number("depth d", factors.depth, decimals=2),
            Number("width w", factors.width, decimals=2),
            Number("resolution r", factors.resolution, decimals=2),
            Number("input side", bought.network.resolution, "px"),
            Number("blocks", bought.network.layers),
            Number("MACs", price.macs / 1e9, "G"),
            Number("of the budget", 100 * price.macs / (1e9 * setting.budget), "%", decimals=1),
            Number("parameters", price.parameters / 1e6, "M"),
            Number("activations", price.activations / 1e6, "M"),
            Number("kept to train", price.saved_bytes / 2**20, "MiB", decimals=0),
        )
        sections = [Section("computed", computed, "computed")]
        if paper := self.published_near(setting):
            numbers = (
                Number("MACs, paper", paper.macs / 1e9, "G"),
                Number("top-1, paper", paper.percent, "%", decimals=1),
            )
            sections.append(Section("published", numbers, f"published, nearest: {paper.name}"))
        if ours := self.recorded_near(setting):
            base = recorded(setting.images, ours.way)[0]
            numbers = (
                Number("growth, study", ours.macs / base.macs, "×", decimals=2),
                Number("accuracy, ours", ours.percent, "%", decimals=1, interval=ours.interval),
            )
            sections.append(Section("recorded", numbers, f"recorded, nearest: {ours.name}"))
        return (*sections, *self._details(setting))

    def prices(self, setting: Setting) -> tuple[Price, ...]:
        """Return what each way of spending the budget of a setting costs; its own mix too, if it has one.

        Args:
            setting: Any setting.
        """
        ways = (*WAYS, MIX) if setting.way == MIX else WAYS
        return tuple(
            Price(way, self.bought(setting, way), self.newest(replace(setting, way=way))) for way in ways
        )

    def _details(self, setting: Setting) -> tuple[Section, ...]:
        """Return what each way costs, as numbers: the picture shows the same."""
        computed, measured = [], []
        for price in self.prices(setting):
            totals = price.bought.totals
            for name, value in (("parameters", totals.parameters), ("activations", totals.activations)):
                computed.append(Number(f"{name}, {price.way}", value / 1e6, "M", is_detail=True))
            if price.record:
                ms = price.ms_an_image(price.record.measurement.median_ms)
                measured.append(Number(f"time an image, {price.way}", ms, "ms", is_detail=True))
        sections = (
            Section("computed", tuple(computed), "computed, same budget"),
            Section("measured", tuple(measured), "measured, same budget"),
        )
        return tuple(section for section in sections if section.numbers)

    def measured(self, record: Record[Setting, Measurement]) -> tuple[Number, ...]:
        """Return time, throughput, speed and memory; the picture has the time of an image."""
        time, throughput, *others = super().measured(record)
        return (time, replace(throughput, is_detail=True), *others)

    def take(self, setting: Setting, watch: Watch) -> Measurement:
        """Build the network and measure its forward pass."""
        from effnet_edu.profiling.profile import profile

        return profile(
            self.bought(setting).network,
            setting.batch_size,
            device=self.place(setting),
            is_cancelled=watch.is_cancelled,
            progress=watch.progress,
            waiting=watch.waiting,
        )

    def essence(self, setting: Setting) -> Setting:
        """The same network is the same whatever it was bought with, and the evidence is not measured."""
        bought = self.bought(setting)
        return replace(
            setting,
            budget=bought.totals.macs,
            way=MIX,
            depth_share=bought.network.layers,
            width_share=bought.network.head_channels,
            resolution_share=bought.network.resolution,
            paper=B0,
            images="glyphs",
        )


def as_way(way: str) -> Way | None:
    """Return a way that somebody trained, or None of the learner's own mix.

    Args:
        way: A setting.
    """
    return next((known for known in WAYS if known == way), None)


def unspent(bought: Purchase, budget: float) -> str:
    """Return why a budget buys nothing, where it does not, as a sentence; empty otherwise.

    Args:
        bought: What was bought.
        budget: In MACs.
    """
    same = (bought.network.layers, bought.totals.macs) == (BASE.layers, BASE_MACS)
    if not same or budget < 1.02 * BASE_MACS:
        return ""
    return "This budget buys nothing: the next step costs more, because layers and channels come whole."
