"""Studies of several factors at once: each factor's effect is its own, and no sentence says more."""

import pytest

import effnet_edu as ee
from effnet_edu.studies.block_and_gate import findings as block_and_gate
from effnet_edu.studies.pretrained import findings as pretrained
from effnet_edu.studies.progressive import findings as progressive
from effnet_edu.studies.quantisation import findings as quantisation
from effnet_edu.studies.squeeze_excitation import findings as squeeze_excitation
from tests.studies.made import made_result

CURVE = {"train_accuracy": [0.5, 0.9, 0.95], "test_accuracy": [0.5, 0.8, 0.8]}


def made(name, found, **more):
    """Return a study that was never performed, with what `found(labels)` says of each run."""

    def all_found(run):
        return {"parameters": run.parameters, "curve": CURVE, **found(run.labels)}

    return made_result(name, all_found, seeds=range(10), **more)


def in_bits(by_tensor, uneven=0.0):
    """Return what is measured where gates cost 1 point, SiLU 2, and one step `by_tensor`, in 5 bits alone."""

    def found(labels):
        accuracy = 0.8 + 0.01 * labels["seed"]
        kept = {"accuracy": accuracy, "snr_maps": 30.0}
        for steps, cost in (("tensor", by_tensor), ("channel", 0.0)):
            jitter = uneven * (labels["seed"] % 2) * (steps == "tensor")
            lost = 0.01 * labels["gate"] + 0.02 * (labels["activation"] == "silu") + cost + jitter
            kept |= {f"accuracy_int8_{steps}": accuracy, f"accuracy_int5_{steps}": accuracy - lost}
            kept |= {f"snr_int8_{steps}": 40 - 100 * lost, f"snr_weights_{steps}": 40.0}
        return kept

    return found


def test_each_of_three_factors_has_its_own_effect():
    result = made("quantisation", in_bits(0.03))
    effects = quantisation.change_effects(result, 5)
    assert {name: pytest.approx(one.mean) for name, one in effects.items()} == {
        "gate": -0.01,
        "activation": -0.02,
        "steps": -0.03,
    }
    assert quantisation.noise_effects(result)["steps"].mean == pytest.approx(3)
    assert all(one.lies_within(quantisation.BOUND) for one in quantisation.change_effects(result, 8).values())
    told = " ".join(result.summary)
    assert "in 8 of 8 cases" in told
    assert "SiLU in place of ReLU6: less accurate (-2.0 points" in told


def test_a_factor_that_some_seeds_feel_is_not_decided():
    told = " ".join(made("quantisation", in_bits(-0.01, uneven=0.02)).summary)
    assert "one step for all channels of a weight: not decided" in told


def test_block_and_gate_are_told_apart_and_so_is_their_time():
    def seconds(labels):
        return (1.0 + (labels["block"] == "mbconv")) * (1.5 if labels["gate"] else 1.0)

    def found(labels):
        return {"accuracy": 0.8 + 0.02 * labels["gate"] + 0.001 * (labels["block"] == "mbconv")}

    arms = made("block_and_gate", found).arms()
    rows = [{"labels": arm, "train_seconds": {"rounds": [seconds(arm), 1.1 * seconds(arm)]}} for arm in arms]
    timed = {"device": "a device", "arms": rows}
    result = made("block_and_gate", found, step_times=timed)
    effects = block_and_gate.effects(result)
    assert [pytest.approx(one.mean) for one in effects.values()] == [-0.001, 0.02, 0.0]
    ratios = block_and_gate.time_ratios(timed)
    assert ratios["block"].mean == pytest.approx(0.5)
    assert ratios["gate"].mean == pytest.approx(1.5)
    told = " ".join(result.summary)
    assert "Gates (SE) rather than none: more accurate (+2.0 points" in told
    assert "Fused-MBConv rather than MBConv: no difference that matters" in told
    assert "Time was not measured" not in told
    assert "Time was not measured" in " ".join(made("block_and_gate", found).summary)


def in_progressive_training(labels):
    """Return what is measured where growing images cost 2 points, and growing regularisation brings 1."""
    grows, how = labels["size"] == "growing", labels["regularisation"]
    accuracy = 0.8 + 0.001 * labels["seed"] - 0.03 * (how == "none")
    accuracy += -0.02 * grows + 0.01 * (how == "growing") + 0.004 * (grows and how == "growing")
    sides = [
        {"side": side, "accuracy": accuracy - 0.05 * (side == 40 and grows), "renewed": accuracy + 0.002}
        for side in (24, 32, 40)
    ]
    return {
        "accuracy": accuracy,
        "sides": sides,
        "curve": {**CURVE, "side": [16, 24, 32] if grows else [32, 32, 32]},
    }


def test_growing_images_and_growing_regularisation_are_told_apart():
    effects = progressive.effects(made("progressive", in_progressive_training))
    assert {name: pytest.approx(one.mean) for name, one in effects.items()} == {
        "size": -0.018,
        "regularisation": 0.012,
        "both": 0.004,
        "whole": -0.006,
    }


def test_training_time_is_steps_times_the_median_step_at_each_size():
    arms = made("progressive", in_progressive_training).arms()
    rows = [
        {
            "labels": arm,
            "steps": 30,
            "step_seconds": {"16": [1, 1, 9], "24": [2, 2, 2], "32": [4, 3, 4]},
            "train_seconds": {"rounds": [70, 77] if arm["size"] == "growing" else [140, 154]},
        }
        for arm in arms
    ]
    result = made("progressive", in_progressive_training, step_times={"device": "a device", "arms": rows})
    _, *four = progressive.arms(result)
    assert progressive.seconds(result.record.data["step_times"], four[0]) == [40, 80, 120]
    assert progressive.seconds(result.record.data["step_times"], four[3]) == [10, 30, 70]
    assert progressive.arithmetic(four[0])[-1] == pytest.approx(1)
    assert 0.25 < progressive.arithmetic(four[3])[-1] < 0.9
    told = " ".join(result.summary)
    assert "Both growing take 0.50 times the time" in told
    assert "constant regularisation rather than none is more accurate (+3.0 points" in told
    assert "growing size -5.0 points, -5.0 to -5.0 at 40 px" in told
    assert "growing size +0.2 points, +0.2 to +0.2." in told
    assert "Time was not measured" not in told
    assert "Time was not measured" in " ".join(made("progressive", in_progressive_training).summary)


def test_weights_and_all_layers_are_worth_what_each_brings_seed_by_seed():
    """Weights bring 10 points and all layers 1, which is less than matters and takes ten times as long."""

    def found(labels):
        way, pictures = labels["way"], labels["pictures"]
        accuracy = 0.5 + 0.01 * labels["seed"] + pictures / 1000
        accuracy += {"scratch": 0.0, "frozen": 0.1, "all": 0.11}[way]
        return {"accuracy": accuracy, "processor_seconds": 10.0 if way == "all" else 1.0}

    result = made("pretrained", found)
    assert [one.mean for one in pretrained.gains(result, "frozen", "scratch").values()] == [
        pytest.approx(0.1)
    ] * 3
    told = " ".join(result.summary)
    assert "frozen against from scratch: 10 a class +10.0 points" in told
    assert told.count("no difference that matters (+1.0 points") == 3
    assert "the study does not decide" not in told
    assert "All layers take 10, 10, 10 times as long as the classifier alone." in told


def with_gates(labels):
    """Return what is measured where gates bring 1 point on glyphs alone, and losing them costs 40."""
    gated = labels["stages"] != "none"
    accuracy = 0.8 + 0.001 * labels["seed"] + 0.01 * (gated and labels["images"] == "glyphs")
    found = {"accuracy": accuracy, "class_names": ["a", "b"], "gates": []}
    if gated:
        rows = (("stages.0.0", 0.1), ("stages.1.0", 0.2), ("stages.3.1", 0.6))
        found["gates"] = [
            {"block": name, "between_class_share": share, "deviation": 0.1} for name, share in rows
        ]
        found |= {"accuracy_fixed": accuracy - 0.01, "accuracy_renewed": accuracy - 0.02}
        found["accuracy_open"] = accuracy - 0.4
    return found


def test_what_gates_bring_is_told_apart_from_what_losing_them_costs():
    result = made("squeeze_excitation", with_gates, images=[{"test": 1000}])
    without, usual, *others = squeeze_excitation.arms(result, "fashion_mnist")
    assert (without.gain.mean, without.changed) == (0, {})
    assert usual.gain.lies_within(squeeze_excitation.BOUND)
    assert usual.gain.count > others[0].gain.count > 1
    assert {how: pytest.approx(one.mean) for how, one in usual.changed.items()} == {
        "fixed": -0.01,
        "renewed": -0.02,
        "open": -0.4,
    }
    told = " ".join(result.summary)
    assert "Glyphs: without squeeze-and-excitation" in told
    assert "more accurate (+1.0 points" in told
    assert "no difference that matters (+0.0 points" in told
    assert "gates removed -40.0 points" in told
    assert "Trained without from the start: -1.0 points, -1.0 to -1.0." in told
    assert "as in the SE paper, late gates depend more on the class" in told
    figure = ee.figures.study(result)
    assert "taken away after training -40.0 points" in figure.alt
