"""What the studies found: one file a study, for those that have a figure of their own."""

import importlib
import importlib.util

from effnet_edu.figures.picture import Picture
from effnet_edu.figures.studies import by_labels, small_network
from effnet_edu.studies.result import StudyResult


def study(result: StudyResult) -> Picture:
    """Draw the main figure of a study: its own, or the accuracy of each arm.

    Args:
        result: What it found.
    """
    own = f"{__name__}.{result.name}"
    if importlib.util.find_spec(own) is None:
        return by_labels.draw(result)
    picture: Picture = importlib.import_module(own).draw(result)
    return picture


def gates(result: StudyResult) -> Picture:
    """Draw the mean gate of every class in the first, a middle and the last block, channel by channel.

    Args:
        result: The study `squeeze_excitation` or `small_network`.
    """
    return small_network.draw(result)
