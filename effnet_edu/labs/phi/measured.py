"""What the phi lab measures: the forward pass of the real network."""

from collections.abc import Iterator

from effnet_edu.ground.watch import Watch
from effnet_edu.labs.frame.measuring import Measuring
from effnet_edu.labs.phi.exact import PhiLogic
from effnet_edu.labs.phi.numbers import PhiSetting, network_at
from effnet_edu.profiling.forward import profile
from effnet_edu.profiling.measurement import Measurement


class MeasuredPhi(Measuring[PhiSetting, Measurement], PhiLogic):
    """The phi lab with a device."""

    INVITATION = "Move a slider: the network is rebuilt and measured when it rests."

    def measure(self, setting: PhiSetting, watch: Watch) -> Iterator[Measurement]:
        """Build the network and measure its forward pass."""
        yield profile(
            network_at(setting),
            setting.batch_size,
            precision=setting.precision,
            device=setting.device,
            watch=watch,
        )
