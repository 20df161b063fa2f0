import pytest

from effnet_edu.profiling.roof_lines import Roof


def test_slopes_meet_the_flat_part_where_bandwidth_and_arithmetic_allow_the_same():
    roof = Roof(peak=100.0, memory=10.0, cache=50.0)
    slopes = roof.slopes(0.1, 1000)
    assert slopes["memory"] == ((0.1, pytest.approx(1.0)), (10.0, 100.0))
    assert slopes["last cache"] == ((0.1, pytest.approx(5.0)), (2.0, 100.0))
    assert roof.flat(0.1, 1000) == ((2.0, 100.0), (1000, 100.0))


def test_a_slope_enters_at_the_floor_of_the_chart_and_never_leaves_it():
    roof = Roof(peak=100.0, memory=10.0, cache=None)
    assert roof.slopes(0.1, 1000, floor=20)["memory"][0] == (2.0, 20.0)
    assert roof.slopes(0.1, 5)["memory"][1] == (5, 50.0)
    assert roof.flat(0.1, 5)[0] == (5, 100.0)
    assert list(roof.bandwidths) == ["memory"]
