"""The benchmark lab as widgets."""

from effnet_edu.labs.benchmark_logic import LIMITS, BenchmarkLogic
from effnet_edu.labs.benchmark_points import places
from effnet_edu.labs.benchmark_screen import headlines, screen
from effnet_edu.labs.controls import Choice, OnlyWhile, Slider
from effnet_edu.labs.frame import Lab
from effnet_edu.labs.layout import Screen
from effnet_edu.labs.logic import devices


class BenchmarkLab(Lab):
    """Published networks over size, or over the time that they take on this device and elsewhere.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of across (`"time"`, `"throughput"`, `"MACs"` or `"parameters"`), the budgets most_ms,
            least_images_per_second, most_macs (billions) and most_parameters (millions), accuracy
            (`"papers"`, `"timm"` or `"torchvision"`), beside, batch_size, precision and up_to (billion MACs).

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range.
    """

    LOGIC = BenchmarkLogic
    SUBJECT = "the best network within a budget"
    LEAD = (
        "Choose what counts and move the budget. Networks are measured on this device in turn; "
        "accuracies are published, with their source."
    )
    CONTROLS = (
        Choice("across", label="compare"),
        OnlyWhile("across", "time", Slider("most_ms", 1, label="budget", unit="ms")),
        OnlyWhile(
            "across", "throughput", Slider("least_images_per_second", 10, label="budget", unit="images/s")
        ),
        OnlyWhile("across", "MACs", Slider("most_macs", 0.1, label="budget", unit="billion MACs")),
        OnlyWhile("across", "parameters", Slider("most_parameters", 1, label="budget", unit="million")),
        Choice("accuracy", label="accuracy"),
        Choice("beside", places, label_width=44),
        Choice("batch_size", tuple(2**n for n in range(11)), label="batch size"),
        Choice("precision"),
        Choice("up_to", LIMITS, label="up to"),
        Choice("device", devices),
    )

    logic: BenchmarkLogic

    def draw(self) -> Screen:
        """Return the chart, the two orders, and the best networks."""
        return screen(self.logic, whole=self._as_table)

    def in_words(self) -> str:
        """Return the lab in one sentence."""
        logic = self.logic
        lines, setting = "; ".join(headlines(logic, logic.setting)), logic.setting
        words = f"top-1 accuracy by {setting.dimension.title}, budget {setting.budget_in_words}"
        return f"{logic.title}, {words}: {lines}."
