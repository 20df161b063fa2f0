"""One run of every lesson with the solutions put in."""

import time

import pytest

from tests.notebooks.book import code_cells, is_compared, lesson_files, read, run, solved

BUDGET_SECONDS = 60


def shown(cell):
    """Return what a cell shows, without how it is cut into pieces."""
    parts = []
    for output in cell.outputs:
        data = output.get("data", {"text/plain": output.get("text", "")})
        parts.append({kind: "".join(value) for kind, value in data.items()})
    return parts


@pytest.mark.parametrize("path", lesson_files(), ids=lambda path: path.stem)
def test_with_solutions_every_check_passes_in_time_and_the_rest_is_as_stored(path, record_property):
    stored = read(path)
    begin = time.perf_counter()
    fresh = run(solved(stored))
    seconds = time.perf_counter() - begin
    record_property("seconds", round(seconds, 1))
    print(f"{path.stem}: {seconds:.1f} of {BUDGET_SECONDS} s")

    checks = [cell for cell in code_cells(fresh) if ".check(" in cell.source]
    assert len(checks) == sum("exercise" in cell.metadata for cell in code_cells(fresh))
    for cell in checks:
        assert "✓ Right." in shown(cell)[0]["text/plain"], cell.id

    changed = [
        cell.id
        for old, cell in zip(code_cells(stored), code_cells(fresh), strict=True)
        if is_compared(old) and ".check(" not in old.source and shown(cell) != shown(old)
    ]
    assert not changed, f"these cells show something else than what is stored: {changed}"
    assert seconds <= BUDGET_SECONDS, f"{path.stem} took {seconds:.0f} s; {BUDGET_SECONDS} s are allowed"
