"""Time from exact counts: on made-up devices whose costs are known, and on the networks as they are drawn."""

from types import SimpleNamespace

import pytest

import effnet_edu as ee
from effnet_edu.profiling.time_model import FEWEST, TOGETHER, counted, fit_times, timed_engines
from effnet_edu.studies.devices.random_specs import least_ms, random_network
from tests.profiling.made import COSTS, NETWORKS, made_ceilings, made_times, of_costs


def test_what_each_count_costs_is_found_again():
    model = fit_times(made_times(of_costs))
    for name in TOGETHER:
        assert model.coefficients[name] == pytest.approx(COSTS[name], rel=1e-3, abs=1e-12), name
    assert model.coefficients["constant"] == pytest.approx(2.0, rel=1e-3)
    assert model.error("together", 0.9) < 1e-6
    assert model.error("roofline") == pytest.approx(0.75)
    assert model.repeat_error == pytest.approx(0.1)


def test_no_count_makes_a_network_faster():
    model = fit_times(made_times(lambda counts: 50.0 - 1e-8 * counts["macs"], noise=0.1))
    assert min(model.coefficients.values()) == 0
    assert max(model.coefficients.values()) > 0


def test_a_network_is_predicted_with_the_error_on_networks_not_seen():
    found = ee.predict_time("efficientnet_b0", made_times(of_costs, noise=0.1))
    assert found.milliseconds == pytest.approx(of_costs(counted(ee.cost("efficientnet_b0"))), rel=0.1)
    assert 0.03 < found.error < found.error_90 < 0.3
    assert not found.beyond
    assert f"within {found.error:.0%} of their time, nine tenths within {found.error_90:.0%}" in str(found)


def test_an_outlier_is_not_predicted_from_itself():
    record = made_times(of_costs)
    record.data["rows"][7]["torch_ms"] = [20 * time for time in record.data["rows"][7]["torch_ms"]]
    assert fit_times(record).errors("together")[7] > 0.8


def test_what_lies_beyond_the_measured_networks_is_told():
    found = ee.predict_time("efficientnet_b7", made_times(of_costs))
    assert len(found.beyond) == 4
    assert "Beyond what was measured, so perhaps less right: 37,745,884,192 MACs" in str(found)
    small = ee.predict_time("efficientnet_b0", made_times(of_costs), resolution=128)
    assert small.resolution == 128
    assert small.milliseconds < ee.predict_time("efficientnet_b0", made_times(of_costs)).milliseconds


@pytest.mark.parametrize(
    ("count", "said"),
    [
        ("activations", "In torch, activations predict time better than MACs: off by 0% against"),
        ("macs", "In torch, activations predict time worse than MACs: off by"),
        ("layers", "In torch, it is not decided whether activations or MACs predict time better"),
    ],
)
def test_the_sentence_about_activations_follows_from_the_times(count, said):
    assert said in fit_times(made_times(lambda counts: 1.0 + 1e-6 * counts[count])).claim


def test_the_sentence_about_the_roofline_gives_both_errors():
    said = fit_times(made_times(of_costs, noise=0.1)).against_roofline
    assert "The roofline is off by 75%" in said


@pytest.mark.parametrize(
    "record",
    [None, 3, SimpleNamespace(data={"rows": []}), SimpleNamespace(data={"rows": [{"median_ms": 3}, 4]}), {}],
)
def test_another_record_is_refused_in_a_sentence(record):
    with pytest.raises(ValueError, match=r"record is .*random_networks|too few networks"):
        ee.predict_time("efficientnet_b0", record)


def test_an_engine_without_times_is_refused():
    with pytest.raises(ValueError, match="engine is 'openvino'"):
        ee.predict_time("efficientnet_b0", made_times(of_costs), engine="openvino")
    assert timed_engines(made_times(of_costs, engine="onnxruntime")) == ("onnxruntime",)
    with pytest.raises(ValueError, match=f"needs {FEWEST} in one engine"):
        fit_times(made_times(of_costs, count=FEWEST - 1))


def test_networks_are_drawn_the_same_on_every_machine():
    """Their counts are recorded beside times: another draw has to be meant, and raises the method number."""
    assert [counts["macs"] for counts in NETWORKS[:3]] == [488_098_048, 570_585_200, 87_515_264]
    drawn = [random_network(number) for number in range(60)]
    stages = [stage for network in drawn for stage in network.stages]
    assert {stage.operation for stage in stages} == {"mbconv", "fused_mbconv"}
    assert {stage.kernel for stage in stages} == {3, 5, 7}
    assert {bool(stage.squeeze_ratio) for stage in stages} == {True, False}
    assert max(counts["macs"] for counts in NETWORKS) < 0.8e9


def test_the_roofline_of_a_network_is_the_sum_over_its_layers():
    ceilings, b0 = made_ceilings(), ee.cost("efficientnet_b0")
    peak = ceilings.peak("fp32").per_second
    assert least_ms(b0, ceilings, 2) == pytest.approx(2 * least_ms(b0, ceilings, 1), rel=0.2)
    assert least_ms(b0, ceilings, 1) > 1000 * b0.macs / peak
