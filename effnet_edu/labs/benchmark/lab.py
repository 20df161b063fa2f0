"""The words and controls of the benchmark lab."""

from effnet_edu.labs.benchmark.compared import LIMITS
from effnet_edu.labs.benchmark.measured import MeasuredBenchmark, engines
from effnet_edu.labs.benchmark.points import devices_beside
from effnet_edu.labs.frame.controls import Choice, OnlyWhile, Slider
from effnet_edu.labs.frame.lab import Lab
from effnet_edu.labs.frame.measuring import devices


class BenchmarkLab(Lab):
    """Published networks over size, or over the time that they take on this device and elsewhere.

    Args:
        device: Where to measure; the accelerator if there is one.
        settings: Any of across (`"time"`, `"throughput"`, `"MACs"` or `"parameters"`), the budgets most_ms,
            least_images_per_second, most_macs (billions) and most_parameters (millions), accuracy
            (`"papers"`, `"timm"` or `"torchvision"`), beside, batch_size, precision, engine
            (`"torch"`, `"optimised"`, `"onnxruntime"` or `"openvino"`) and up_to (billion MACs).

    Raises:
        TypeError: There is no such setting.
        traitlets.TraitError: A setting is outside its range, or the engine is not installed.
    """

    LOGIC = MeasuredBenchmark
    SUBJECT = "the best network within a budget"
    CONTROLS = (
        Choice("across", label="compare"),
        OnlyWhile("across", "time", Slider("most_ms", 1, label="budget", unit="ms")),
        OnlyWhile(
            "across", "throughput", Slider("least_images_per_second", 10, label="budget", unit="images/s")
        ),
        OnlyWhile("across", "MACs", Slider("most_macs", 0.1, label="budget", unit="billion MACs")),
        OnlyWhile("across", "parameters", Slider("most_parameters", 1, label="budget", unit="million")),
        Choice("accuracy", label="accuracy"),
        Choice("beside", devices_beside, label_width=44),
        Choice("batch_size", tuple(2**n for n in range(11)), label="batch size"),
        Choice("precision"),
        Choice("engine", engines),
        Choice("up_to", LIMITS, label="up to"),
        Choice("device", devices),
    )
