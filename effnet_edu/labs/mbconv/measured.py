"""What the MBConv lab measures: the ceilings of the device, and three kinds of block layer by layer."""

from collections.abc import Iterator
from typing import Any

from effnet_edu.ground.watch import Watch
from effnet_edu.labs.frame.logic import Record
from effnet_edu.labs.frame.measuring import Measuring
from effnet_edu.labs.frame.numbers import digits
from effnet_edu.labs.mbconv.exact import MBConvLogic
from effnet_edu.labs.mbconv.numbers import KINDS, MBConvSetting, block, cost_of, network_around
from effnet_edu.labs.mbconv.results import MBConvResult, MeasuredBlock
from effnet_edu.profiling.ceilings import measure_ceilings
from effnet_edu.profiling.layers import LayerProfile, profile_layers
from effnet_edu.profiling.roof_lines import Ceilings
from effnet_edu.profiling.roofs import distrust, points_under

#: A kind is left out where its arithmetic alone would take longer than this for one pass, in seconds.
LONGEST_PASS = 0.25
#: For how long each kind is timed, in seconds.
SECONDS = 0.4
#: Share of the progress bar that the ceilings take where they have to be measured first.
_CEILINGS_SHARE = 0.5


class MeasuredMBConv(Measuring[MBConvSetting, MBConvResult], MBConvLogic):
    """The MBConv lab with a device: its ceilings are measured once, the blocks when a setting rests."""

    INVITATION = "Move a slider: the blocks are rebuilt and measured when it rests."
    RESULT = MBConvResult

    def __init__(self, device: str | None = None, **settings: Any) -> None:
        self._ceilings: dict[str, Ceilings] = {}
        super().__init__(device, **settings)

    def measure(self, setting: MBConvSetting, watch: Watch) -> Iterator[MBConvResult]:
        """Measure the ceilings once, then each kind of block layer by layer."""
        ceilings, begin = self._known_ceilings(setting, watch)
        peak = ceilings.peak(setting.precision).per_second
        blocks: dict[str, MeasuredBlock] = {}
        left_out = []
        for index, kind in enumerate(KINDS):
            same = next((other for other in blocks if block(setting, other) == block(setting, kind)), None)
            if same is not None:
                blocks[kind] = blocks[same]
            elif setting.batch_size * cost_of(setting, kind).macs / peak > LONGEST_PASS:
                left_out.append(kind)
            else:
                step = (1 - begin) / len(KINDS)
                profile = _profile(setting, kind, watch.part(begin + index * step, step))
                points = points_under(profile.layers, setting.precision, ceilings)
                inside = tuple(point for point in points if point.layer.cost.stage is not None)
                blocks[kind] = MeasuredBlock(inside, profile)
        yield MBConvResult(blocks, ceilings, tuple(left_out))

    def remark(self, record: Record[MBConvSetting, MBConvResult]) -> str:
        """Say what was left out, and the first reason not to trust the rest."""
        found, setting, ceilings = record.measurement, record.setting, record.measurement.ceilings
        assert ceilings is not None  # noqa: S101 - a device has some
        passes = [str(len(one.timing().seconds)) for one in found.blocks.values()]
        sentences = [f"{', '.join(passes)} passes."] if passes else []
        for kind in found.left_out:
            macs = setting.batch_size * cost_of(setting, kind).macs
            seconds = macs / ceilings.peak(setting.precision).per_second
            sentences.append(f"{kind} left out: one pass would take more than {digits(seconds)} s.")
        if ceilings.crowded:
            return " ".join([*sentences, "Other programs were busy: the ceilings are too low."])
        profiles = (one.profile for one in found.blocks.values() if isinstance(one.profile, LayerProfile))
        doubts = (distrust(profile, ceilings) for profile in profiles)
        return " ".join([*sentences, next(filter(None, doubts), "")]).strip()

    def _known_ceilings(self, setting: MBConvSetting, watch: Watch) -> tuple[Ceilings, float]:
        """Return the ceilings of the device, and the share of the progress bar that finding them took."""
        if setting.device in self._ceilings:
            return self._ceilings[setting.device], 0.0
        measured = measure_ceilings(
            setting.device,
            watch=watch.part(0, _CEILINGS_SHARE),
        )
        # Kept here as well: those of a crowded machine are kept nowhere else.
        self._ceilings[setting.device] = measured
        return measured, _CEILINGS_SHARE


def _profile(setting: MBConvSetting, kind: str, watch: Watch) -> LayerProfile:
    return profile_layers(
        network_around(setting, kind),
        setting.batch_size,
        precision=setting.precision,
        device=setting.device,
        seconds=SECONDS,
        watch=watch,
    )
