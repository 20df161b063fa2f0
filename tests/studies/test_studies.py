"""What is compared is comparable: matched costs, pairs of seeds, and sentences that do not say too much."""

import math
import re

import pytest
import torch

from effnet_edu.model.blocks import MBConv
from effnet_edu.model.cost import cost
from effnet_edu.model.network import EfficientNet
from effnet_edu.studies.networks import TOLERANCE, WAYS, base_network, matched, scaled
from effnet_edu.studies.progressive import runs as progressive
from effnet_edu.studies.registry import list_studies, study
from effnet_edu.studies.scaling import runs as scaling
from effnet_edu.studies.scaling.findings import advantage
from effnet_edu.studies.search import runs as search
from effnet_edu.studies.squeeze_excitation import runs as squeeze_excitation
from effnet_edu.studies.squeeze_excitation.gates import between_class_share, gates, with_fixed_gates
from effnet_edu.studies.statistics import Estimate, estimate, paired_difference, t_distribution, t_quantile
from effnet_edu.studies.study import IN_CHANNELS, held_out_images
from effnet_edu.studies.words import verdict
from tests.studies.made import made


@pytest.mark.parametrize("quick", [False, True])
def test_scaling_compares_networks_of_the_same_macs(quick):
    runs = scaling.runs(quick)
    levels = {run.labels["level"] for run in runs}
    assert len(levels) >= (2 if quick else 4)
    assert len({run.seed for run in runs}) >= (2 if quick else 3)
    for images in {run.labels["images"] for run in runs}:
        for level in levels - {0}:
            compared = [run for run in runs if (run.labels["level"], run.labels["images"]) == (level, images)]
            assert {run.labels["way"] for run in compared} == set(WAYS)
            deepest = next(run.macs for run in compared if run.labels["way"] == "depth")
            assert all(abs(run.macs / deepest - 1) <= TOLERANCE for run in compared)


def test_each_way_changes_its_own_dimension_alone():
    base = base_network()
    for run in scaling.runs(False):
        way, network = run.labels["way"], run.network
        assert (network.layers > base.layers) == (way in ("depth", "compound"))
        assert (network.head_channels > base.head_channels) == (way in ("width", "compound"))
        assert (network.resolution > base.resolution) == (way in ("resolution", "compound"))


def test_every_point_of_the_search_costs_twice_the_base():
    points = [run for run in search.runs(False) if run.seed == 0]
    base = search.counted(search.search_base())
    (own,) = [run for run in points if run.network.name == search.search_base().name]
    others = [run for run in points if run is not own]
    assert len(others) >= 10
    assert all(abs(run.macs / (2 * base) - 1) <= TOLERANCE for run in others)
    assert {run.labels["alpha"] for run in others} == set(search.ALPHAS)


def test_a_cost_that_a_way_cannot_meet_is_refused():
    base = base_network()
    target = 1.2 * cost(base, num_classes=10, in_channels=IN_CHANNELS).macs
    with pytest.raises(ValueError, match="comes no nearer"):
        matched(base, "depth", target, 10, IN_CHANNELS)


def test_scaling_by_one_changes_nothing():
    base = base_network()
    for way in WAYS:
        larger = scaled(base, way, 0.0 if way == "compound" else 1.0)
        assert cost(larger).macs == cost(base).macs


def test_gates_stand_where_the_label_says_and_a_network_that_loses_them_is_one_without():
    for run in squeeze_excitation.runs(False):
        ratios = [stage.squeeze_ratio for stage in run.network.stages]
        gated = squeeze_excitation.STAGES[run.labels["stages"]]
        assert ratios == [run.labels["ratio"] if index in gated else 0.0 for index in range(4)]
    seeds = dict.fromkeys(("fashion_mnist", "glyphs"), 0)
    for run in squeeze_excitation.runs(False):
        seeds[run.labels["images"]] += run.labels["stages"] == "none"
    assert min(seeds.values()) >= 10


def test_progressive_ways_end_alike_and_start_apart():
    side = progressive.SIDE
    recipes = {way: progressive.recipe(*way) for way in progressive.WAYS}
    last, first = (
        {way: recipe.stage(epoch, side, 0.0) for way, recipe in recipes.items()}
        for epoch in (progressive.EPOCHS // 2, 0)
    )
    assert len({last[way] for way in progressive.WAYS if "none" not in way}) == 1
    assert {way: (stage.side < side, stage.randaugment) for way, stage in first.items()} == {
        ("fixed", "none"): (False, 0),
        ("fixed", "constant"): (False, progressive.LAST.randaugment),
        ("fixed", "growing"): (False, progressive.FIRST.randaugment),
        ("growing", "constant"): (True, progressive.LAST.randaugment),
        ("growing", "growing"): (True, progressive.FIRST.randaugment),
    }
    assert all(recipe.epochs >= 40 for recipe in recipes.values())


@pytest.mark.parametrize("name", list_studies())
@pytest.mark.parametrize("quick", [False, True])
def test_runs_have_names_and_labels_of_their_own(name, quick):
    runs = study(name).runs(quick)
    assert len({run.name for run in runs}) == len(runs)
    assert len({tuple(run.labels.values()) for run in runs}) == len(runs)
    assert all(run.labels["seed"] == run.seed for run in runs)
    networks = {}
    assert all(networks.setdefault(run.network.name, run.network) == run.network for run in runs)


def test_quantiles_are_those_of_the_tables():
    for degrees, expected in ((1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042)):
        assert t_quantile(0.975, degrees) == pytest.approx(expected, abs=5e-4)
    assert t_distribution(0.0, 5) == 0.5
    assert t_distribution(-1.3, 4) == pytest.approx(1 - t_distribution(1.3, 4))


def test_intervals_of_normal_values_hold_the_mean_as_often_as_they_say():
    values = torch.randn(4000, 3, generator=torch.Generator().manual_seed(0)).tolist()
    held = sum(found.low <= 0 <= found.high for found in map(estimate, values)) / len(values)
    assert held == pytest.approx(0.95, abs=0.012)


def test_pairs_take_out_what_a_seed_does_to_both():
    seeds = [0.1, 0.5, 0.9]
    difference = paired_difference([seed + 0.02 for seed in seeds], seeds)
    assert difference.decides_sign
    assert math.isclose(difference.high, 0.02, abs_tol=1e-9)
    assert not estimate([0.02]).decides_sign


def test_the_main_effect_of_a_factor_is_one_number_a_seed():
    found = made(lambda way, level, seed: 0.1 * seed + 0.01 * level + 0.02 * (way == "depth"))
    deep, wide = (found.by_seed("accuracy", images="glyphs", way=way) for way in ("depth", "width"))
    assert len(deep) == scaling.SEEDS
    effect = paired_difference(deep, wide)
    assert (effect.mean, effect.low, effect.high) == pytest.approx((0.02, 0.02, 0.02))
    assert deep[:3] == pytest.approx([0.04, 0.14, 0.24])


def test_an_interval_that_covers_zero_is_said_not_to_decide():
    luck = (0.04, -0.05, 0.02)
    found = made(lambda way, level, seed: 0.5 + (luck[seed % 3] if way == "compound" else 0) + 0.001 * level)
    assert not advantage(found, "glyphs", "compound", "depth").decides_sign
    (compared,) = [line for line in found.summary if line.startswith("Glyphs, mean over")]
    assert compared.count("not decided (") == 3


def test_a_clear_difference_is_said_with_its_numbers():
    found = made(lambda way, _level, seed: 0.5 + 0.01 * seed + (0.05 + 0.002 * seed) * (way == "compound"))
    (compared,) = [line for line in found.summary if line.startswith("Glyphs, mean over")]
    assert compared.count("alone: more accurate (") == 3
    assert "+5.9 points" in compared
    worse = made(lambda way, _level, seed: 0.5 - (0.05 + 0.001 * seed) * (way == "compound"))
    assert "compound rather than depth alone: less accurate (" in " ".join(worse.summary)


def test_what_saturates_is_told_from_what_does_not():
    found = made(
        lambda way, level, seed: (
            0.5
            + 0.001 * seed
            + {"depth": 0.0, "width": -0.03 * level}.get(way, 0.02 * level) * (1 + 0.01 * seed)
        )
    )
    (told,) = [line for line in found.summary if line.startswith("Glyphs, at the last step")]
    assert "still rises with resolution" in told
    assert "falls with width" in told
    assert re.search(r"does not decide whether accuracy still changes with depth", told)


def test_one_seed_decides_nothing():
    assert "does not decide" in verdict("this", "that", Estimate(0.3, 0.3, 0.3, 1))


def test_gates_that_know_the_class_are_told_from_gates_that_do_not():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(1000) % 10
    noise = torch.rand(1000, 8, generator=generator)
    assert between_class_share(noise, labels) == pytest.approx(9 / 999, abs=0.01)
    assert between_class_share(labels[:, None].float(), labels) == pytest.approx(1)
    half = torch.randn(1000, 8, generator=generator) + torch.randn(10, 8, generator=generator)[labels]
    assert between_class_share(half, labels) == pytest.approx(0.5, abs=0.12)
    assert between_class_share(torch.ones(1000, 8), labels) == 0


def test_gates_are_those_that_the_blocks_use():
    from tests.studies.small import IMAGES

    torch.manual_seed(0)
    network = EfficientNet(squeeze_excitation.network("all", 1 / 4), 2, IN_CHANNELS)
    found = gates(network, held_out_images(IMAGES, 16))
    assert [values.shape[1] for values in found.values()] == [
        block.channels_hidden for block in network.blocks
    ]
    assert all(((values > 0) & (values < 1)).all() for values in found.values())
    assert gates(EfficientNet(squeeze_excitation.network("none", 0.0), 2), held_out_images(IMAGES, 16)) == {}


def test_fixed_gates_are_the_same_for_every_picture_and_the_network_keeps_its_own():
    torch.manual_seed(0)
    network = EfficientNet(squeeze_excitation.network("all", 1 / 4), 2, IN_CHANNELS).eval()
    pictures = torch.randn(2, IN_CHANNELS, 16, 16)
    blocks = {name: part for name, part in network.named_modules() if isinstance(part, MBConv)}
    of_first = {}
    for name, block in blocks.items():

        def keep(part, inputs, name=name):
            of_first[name] = part.gate(inputs[0])[0].flatten()

        block.squeeze_excite.register_forward_pre_hook(keep)
    with torch.no_grad():
        own = network(pictures)
        fixed = with_fixed_gates(network, dict(of_first))(pictures)
        bare = EfficientNet(squeeze_excitation.network("none", 0.0), 2, IN_CHANNELS).eval()
        left = {key: value for key, value in network.state_dict().items() if "excite" not in key}
        bare.load_state_dict(left)
        assert torch.equal(with_fixed_gates(network, {})(pictures), bare(pictures))
        assert torch.equal(network(pictures), own)
    assert torch.allclose(fixed[0], own[0], atol=1e-6)
    assert not torch.allclose(fixed[1], own[1], atol=1e-6)
