"""What a setting of the scaling problem lab buys and costs, exactly, beside what others got for theirs."""

from dataclasses import dataclass, replace

from effnet_edu.labs.frame.forward_logic import ForwardLogic
from effnet_edu.labs.frame.logic import Record
from effnet_edu.labs.frame.numbers import Number, Section
from effnet_edu.labs.scaling_problem.budget import BASE, BASE_MACS, COMPOUND, Purchase, Shares, spend
from effnet_edu.labs.scaling_problem.evidence import Point, nearest, published, recorded
from effnet_edu.profiling.measurement import Measurement
from effnet_edu.studies.networks import WAYS, Way

#: A mix of the learner's own, beside the named ways.
MIX = "own mix"
#: What depth, width and resolution weigh in each way, as the sliders show it.
WEIGHTS = {"depth": (100, 0, 0), "width": (0, 100, 0), "resolution": (0, 0, 100)} | {
    "compound": tuple(round(100 * share) for share in (COMPOUND.depth, COMPOUND.width, COMPOUND.resolution))
}
_SHARES: dict[str, Shares] = {
    way: COMPOUND if way == "compound" else Shares.of(*WEIGHTS[way]) for way in WAYS
}
SLIDERS = ("depth_weight", "width_weight", "resolution_weight")


@dataclass(frozen=True)
class ScalingProblemSetting:
    """What the learner can choose."""

    budget: float
    way: str
    depth_weight: int
    width_weight: int
    resolution_weight: int
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
    record: Record[ScalingProblemSetting, Measurement] | None

    def ms_an_image(self, ms: float) -> float:
        """Return a time of the measured batch for one of its images."""
        return ms / (self.record.setting.batch_size if self.record else 1)


def as_way(way: str) -> Way | None:
    """Return a way that somebody trained, or None of the learner's own mix."""
    return next((known for known in WAYS if known == way), None)


def unspent(bought: Purchase, budget: float) -> str:
    """Return why a budget buys nothing, where it does not, as a sentence; empty otherwise."""
    same = (bought.network.layers, bought.totals.macs) == (BASE.layers, BASE_MACS)
    if not same or budget < 1.02 * BASE_MACS:
        return ""
    return "This budget buys nothing: the next step costs more, because layers and channels come whole."


def bought(setting: ScalingProblemSetting, way: str | None = None) -> Purchase:
    """Return what the budget of a setting buys."""
    way = way or setting.way
    shares = _SHARES.get(way) or Shares.of(*(getattr(setting, name) for name in SLIDERS))
    return spend(shares, 1e9 * setting.budget, f"B0, {way}, {setting.budget:g} billion MACs to spend")


def label(setting: ScalingProblemSetting) -> str:
    """Return `depth alone, 1.8 billion`, or what the mix is."""
    if setting.way == MIX:
        depth, width, resolution = percents(setting)
        return f"mix d {depth}%, w {width}%, r {resolution}%, {setting.budget:g} billion"
    alone = "" if setting.way == "compound" else " alone"
    return f"{setting.way}{alone}, {setting.budget:g} billion"


def percents(setting: ScalingProblemSetting) -> tuple[int, int, int]:
    """Return the shares of depth, width and resolution in whole percents that sum to 100; or all are 0."""
    weights = [getattr(setting, name) for name in SLIDERS]
    exact = [100 * weight / max(1, sum(weights)) for weight in weights]
    whole = [int(share) for share in exact]
    # What rounding leaves goes to the largest remainders.
    for n in sorted(range(3), key=lambda n: whole[n] - exact[n])[: 100 - sum(whole) if any(weights) else 0]:
        whole[n] += 1
    return whole[0], whole[1], whole[2]


def published_near(setting: ScalingProblemSetting) -> Point | None:
    """Return the published network nearest in MACs that was scaled in the same way, if there is one."""
    if (way := as_way(setting.way)) is None:
        return None
    return nearest(published(setting.paper, way), bought(setting).totals.macs)


def recorded_near(setting: ScalingProblemSetting) -> Point | None:
    """Return the network of our study nearest in growth that was scaled in the same way, if there is one."""
    if (way := as_way(setting.way)) is None or not (points := recorded(setting.images, way)):
        return None
    return nearest(points, points[0].macs * growth(setting))


def growth(setting: ScalingProblemSetting) -> float:
    """Return the MACs of the network over those of B0."""
    return bought(setting).totals.macs / BASE_MACS


def numbers(
    logic: ForwardLogic[ScalingProblemSetting], setting: ScalingProblemSetting
) -> tuple[Section, ...]:
    """Return the exact price, and the accuracy of the nearest networks that somebody trained."""
    purchase = bought(setting)
    factors, price = purchase.multipliers, purchase.totals
    phi = (Number("phi", purchase.phi, decimals=2),) if setting.way == "compound" else ()
    computed = (
        *phi,
        Number("depth d", factors.depth, decimals=2),
        Number("width w", factors.width, decimals=2),
        Number("resolution r", factors.resolution, decimals=2),
        Number("input side", purchase.network.resolution, "px"),
        Number("blocks", purchase.network.layers),
        Number("MACs", price.macs / 1e9, "billion"),
        Number("of the budget", 100 * price.macs / (1e9 * setting.budget), "%", decimals=1),
        Number("parameters", price.parameters / 1e6, "million"),
        Number("activations", price.activations / 1e6, "million"),
        Number("kept to train", price.saved_bytes / 2**20, "MiB", decimals=0),
    )
    sections = [Section("computed", computed, "computed")]
    if paper := published_near(setting):
        found = (
            Number("MACs, paper", paper.macs / 1e9, "billion"),
            Number("top-1, paper", paper.percent, "%", decimals=1),
        )
        sections.append(Section("published", found, f"published, nearest: {paper.name}"))
    if ours := recorded_near(setting):
        base = recorded(setting.images, ours.way)[0]
        found = (
            Number("growth, study", ours.macs / base.macs, "×", decimals=2),
            Number("accuracy, ours", ours.percent, "%", decimals=1, interval=ours.interval),
        )
        sections.append(Section("recorded", found, f"recorded, nearest: {ours.name}"))
    return (*sections, *_details(logic, setting))


def prices(logic: ForwardLogic[ScalingProblemSetting], setting: ScalingProblemSetting) -> tuple[Price, ...]:
    """Return what each way of spending the budget of a setting costs; its own mix too, if it has one."""
    ways = (*WAYS, MIX) if setting.way == MIX else WAYS
    return tuple(Price(way, bought(setting, way), logic.newest(replace(setting, way=way))) for way in ways)


def _details(
    logic: ForwardLogic[ScalingProblemSetting], setting: ScalingProblemSetting
) -> tuple[Section, ...]:
    """Return what each way costs, as numbers: the picture shows the same."""
    computed, measured = [], []
    for price in prices(logic, setting):
        totals = price.bought.totals
        for name, value in (("parameters", totals.parameters), ("activations", totals.activations)):
            computed.append(Number(f"{name}, {price.way}", value / 1e6, "million", is_detail=True))
        if price.record:
            ms = price.ms_an_image(price.record.measurement.median_ms)
            measured.append(Number(f"time an image, {price.way}", ms, "ms", is_detail=True))
    sections = (
        Section("computed", tuple(computed), "computed, same budget"),
        Section("measured", tuple(measured), "measured, same budget"),
    )
    return tuple(section for section in sections if section.numbers)
