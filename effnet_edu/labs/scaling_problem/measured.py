"""What the scaling problem lab measures: the forward pass of the network that was bought."""

from collections.abc import Iterator

from effnet_edu.ground.watch import Watch
from effnet_edu.labs.frame.measuring import Measuring
from effnet_edu.labs.scaling_problem.exact import ScalingProblemLogic
from effnet_edu.labs.scaling_problem.numbers import ScalingProblemSetting, bought
from effnet_edu.profiling.forward import profile
from effnet_edu.profiling.measurement import Measurement


class MeasuredScalingProblem(Measuring[ScalingProblemSetting, Measurement], ScalingProblemLogic):
    """The scaling problem lab with a device."""

    INVITATION = "Spend a budget: the network is built and measured when the slider rests."

    def measure(self, setting: ScalingProblemSetting, watch: Watch) -> Iterator[Measurement]:
        """Build the network and measure its forward pass."""
        yield profile(
            bought(setting).network,
            setting.batch_size,
            device=setting.device,
            watch=watch,
        )
