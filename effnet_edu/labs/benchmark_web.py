"""The benchmark lab for a page without a kernel: times are those of a recorded or published device."""

from effnet_edu.labs.benchmark_logic import BenchmarkLogic
from effnet_edu.labs.benchmark_screen import headlines, screen
from effnet_edu.labs.web import NoDevice, Page


class WebBenchmark(NoDevice, BenchmarkLogic):
    """The benchmark lab where nothing can be measured.

    Args:
        device: Of no use here.
        settings: Any of the lab.
    """

    UNMEASURED = ("Nothing is known of this device", "at this batch size and precision.")


def in_words(logic: BenchmarkLogic) -> str:
    """Return the lab in one sentence.

    Args:
        logic: The lab.
    """
    return f"Budget {logic.setting.budget_in_words}. {'. '.join(headlines(logic, logic.setting))}."


def page() -> Page[WebBenchmark]:
    """Return the lab for a page."""
    return Page(WebBenchmark(), screen, in_words)
