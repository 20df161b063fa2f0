"""Which cases of a test belong to `make test`, and which to `make test-thorough` alone."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def thorough_but_for(quick: Collection[Any], cases: Iterable[Any]) -> list[Any]:
    """Return parameters for all cases, of which all but the quick ones are marked thorough."""
    cases = list(cases)
    assert all(case in cases for case in quick), quick
    return [case if case in quick else pytest.param(case, marks=pytest.mark.thorough) for case in cases]
