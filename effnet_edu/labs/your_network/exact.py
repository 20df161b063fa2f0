"""What the lab of your own network is without a device: pictures, parameters and bytes, counted exactly."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import traitlets

from effnet_edu.labs.frame.guessing import Guessed
from effnet_edu.labs.frame.layout import LiveScreen
from effnet_edu.labs.frame.logic import LabLogic, Record
from effnet_edu.labs.frame.numbers import Number, Section
from effnet_edu.labs.frame.settings import Whole
from effnet_edu.labs.your_network.numbers import (
    BITS,
    FRESH,
    LITE0,
    MOST,
    PICTURES,
    PIXELS,
    PRECISION,
    LabelsFound,
    PrecisionFound,
    YourNetworkFound,
    YourNetworkSetting,
    counted,
    label,
    measured,
    numbers,
)
from effnet_edu.labs.your_network.screen import screen

_LARGE = {
    PICTURES: ("labelled pictures", "parameters that learn", "accuracy", "time to fit"),
    PRECISION: ("weights", "MACs", "file", "time a picture", "accuracy"),
}


class YourNetworkLogic(LabLogic[YourNetworkSetting, YourNetworkFound]):
    """Fit a classifier on frozen features with more or fewer labelled pictures, or round it to 8 bits."""

    LAB = "YourNetworkLab"
    SETTING = YourNetworkSetting
    MAIN = "pictures"
    QUICK: ClassVar[Mapping[str, Any]] = {"pictures": 4}
    FILES = ("published/*.csv", "studies/results/pretrained.json", "studies/results/quantisation.json")
    QUESTION = "What labelled pictures buy, and what eight bits cost"
    TRY = "Move the slider from 1 to 30 pictures of each class. How far is the last step up from the first?"
    UNMEASURED = ("Measured in JupyterLab,", "on your own device.")

    part = traitlets.Enum((PICTURES, PRECISION), PICTURES, help="two questions")
    pictures = Whole(10, min=1, max=MOST, help="labelled, of each class")
    features = traitlets.Enum((LITE0, PIXELS), LITE0, help="what is classified")
    precision = traitlets.Enum(tuple(BITS), "fp32", help="of weights and maps")

    @property
    def title(self) -> str:
        """Name of the lab in words."""
        return "Your network lab"

    def label(self, setting: YourNetworkSetting) -> str:
        """Return `10 pictures a class`, or the precision."""
        return label(setting)

    def numbers(self, setting: YourNetworkSetting) -> tuple[Section, ...]:
        """Return what is counted exactly, and what was recorded of the same."""
        return numbers(setting)

    def measured(self, record: Record[YourNetworkSetting, YourNetworkFound]) -> tuple[Number, ...]:
        """Return accuracy, time and size."""
        return measured(record.measurement)

    def screen(self) -> LiveScreen:
        """Return what the chosen part shows."""
        return screen(self)

    def macs_behind(self, setting: YourNetworkSetting) -> float | None:
        """Return the multiply-adds of a picture; a fit has others."""
        return counted().macs if setting.part == PRECISION else None

    def headline(self) -> tuple[str, ...]:
        """Return the large numbers of the chosen part."""
        return _LARGE[self.setting.part]

    @property
    def is_unmeasured(self) -> bool:
        """Whether nothing of the chosen part was measured in this session."""
        kind = PrecisionFound if self.setting.part == PRECISION else LabelsFound
        return not any(isinstance(record.measurement, kind) for record in self.history)

    def guessed(self, setting: YourNetworkSetting) -> Guessed:
        """Return the share of fresh pictures that is named correctly, or the time of a picture."""
        record = self.newest(setting)
        found = None if record is None else record.measurement
        if setting.part == PRECISION:
            truth = 1000 * found.picture.median if isinstance(found, PrecisionFound) else None
            return Guessed("How long does a picture take here?", "ms", truth)
        truth = 100 * found.accuracy.mean if isinstance(found, LabelsFound) else None
        return Guessed(f"How many of {FRESH} fresh pictures will be named correctly?", "%", truth)

    def measurement_key(self, setting: YourNetworkSetting) -> YourNetworkSetting:
        """Labelled pictures and features matter to one part, the precision to the other."""
        if setting.part == PRECISION:
            return replace(setting, pictures=1, features=LITE0)
        return replace(setting, precision="fp32")
