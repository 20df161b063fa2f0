"""The title of a figure is what was found: whatever way the numbers point, and where they decide nothing."""

from dataclasses import replace

import effnet_edu as ee
from effnet_edu.training.rows import Row
from tests.studies.made import made, made_result

TIMES = {"precision": "fp32", "resolution": 224, "batch_size": 1, "memory_format": "contiguous"}


def titles(picture):
    return [axes.get_title(loc="left") for axes in picture.figure.axes]


def timed(network, milliseconds, **about):
    """Return a row of a device on which no run took a tenth more or less than the median."""
    interval = {"low_ms": 0.95 * milliseconds, "high_ms": 1.05 * milliseconds}
    return (
        TIMES | {"network": network, "median_ms": milliseconds, "peak_memory_bytes": 2**26} | interval | about
    )


def fused(gain, speed):
    """Return a study in which each fused stage changes accuracy and speed, by turns more and less."""

    def found(run):
        stages, noise = run.labels["fused_stages"], 0.001 * (run.seed % 2)
        return {
            "accuracy": 0.8 + stages * (gain + noise),
            "parameters": 1,
            "curve": {"images_per_second": [100.0 + stages * (speed + noise)]},
        }

    return titles(ee.figures.study(made_result("fused", found)))


def test_fused_stages_say_what_they_change_and_what_is_not_decided():
    assert fused(-0.05, 10) == ["4 fused: -19.9 points over none", "4 fused: 1.40 times as fast as none"]
    assert fused(0.02, -10) == ["4 fused: +8.1 points over none", "None surely faster, 4 of 4 surely slower"]
    assert fused(0.0, 0.0)[0] == "No change of accuracy is decided"


def pretrained(of):
    """Return a study in which the accuracy of each way is `of[way]`, with a little noise."""

    def found(run):
        noise = 0.01 * (run.seed % 2) * (run.labels["way"] == "all")
        seconds = {"scratch": 9.0, "frozen": 2.0, "all": 8.0}[run.labels["way"]]
        return {"accuracy": of[run.labels["way"]] + noise, "processor_seconds": seconds}

    return titles(ee.figures.study(made_result("pretrained", found)))


def test_the_best_way_is_named_only_where_it_is_decided():
    ahead, price = pretrained({"scratch": 0.5, "frozen": 0.9, "all": 0.7})
    assert ahead == "Best: with 10 frozen, with 100 frozen"
    assert price == "With 100, all layers: 4 times as long as frozen"
    assert (
        pretrained({"scratch": 0.9, "frozen": 0.5, "all": 0.7})[0]
        == "Best: with 10 scratch, with 100 scratch"
    )
    assert "undecided" in pretrained({"scratch": 0.5, "frozen": 0.7, "all": 0.697})[0]


def test_times_of_networks_say_how_macs_and_time_grow():
    rows = [timed("efficientnet_b0", 10.0, macs=10**9), timed("efficientnet_b1", 5.0, macs=2 * 10**9)]
    assert titles(ee.figures.network_times(rows, "a device")) == [
        "From B0 to B1: 2 times the MACs, 0.5 times the time"
    ]


def test_batches_say_which_is_quickest_for_an_image():
    rows = [timed("efficientnet_b0", 10.0 * batch, batch_size=batch) for batch in (1, 2)]
    assert titles(ee.figures.throughput_against_batch(rows, "a device")) == [
        "Most at batch 1: 1.00 times batch 1",
        "Batch 2: 1 times the memory",
    ]
    rows[1] |= {"median_ms": 10.0, "peak_memory_bytes": 2**27}
    assert titles(ee.figures.throughput_against_batch(rows, "a device")) == [
        "Most at batch 2: 2.00 times batch 1",
        "Batch 2: 2 times the memory",
    ]


def test_a_memory_format_is_faster_where_the_intervals_do_not_meet():
    def drawn(*milliseconds):
        rows = [
            timed(network, found, memory_format=called)
            for called, found in (("contiguous", (10.0, 10.0, 10.0)), ("channels_last", milliseconds))
            for network, found in zip(("efficientnet_b0", "efficientnet_b1", "resnet50"), found, strict=True)
        ]
        return titles(ee.figures.memory_formats(rows, "a device"))

    assert drawn(5.0, 10.5, 20.0) == ["channels_last: 1 of 3 networks surely faster, 1 surely slower"]
    assert drawn(20.0, 20.0, 20.0) == ["channels_last: 0 of 3 networks surely faster, 3 surely slower"]


def test_resnet50_says_how_far_speed_is_behind_macs():
    rows = [timed("efficientnet_b0", 20.0, macs=10**9), timed("resnet50", 10.0, macs=10**10)]
    published = ee.published.read("timm_speed_against_macs")
    assert titles(ee.figures.against_resnet50(rows, published, "a device")) == [
        "10.0 times fewer MACs, measured 0.50 to 0.50 times as fast"
    ]


def test_a_training_says_where_it_ends_and_whether_it_was_better_before():
    rows = [
        Row(epoch, 3, 20 * epoch, 60, 16, 0.1, 1.0, 0.7, loss, accuracy, 1234.5, 10.0, 65.0)
        for epoch, loss, accuracy in ((1, 1.0, 0.3), (2, 0.5, 0.6), (3, 0.8, 0.5))
    ]
    assert titles(ee.figures.training_curves({"one": rows})) == [
        "Test loss ends at 0.80, least after epoch 2",
        "From 30.0% right to 50.0%",
    ]
    assert titles(ee.figures.training_curves({"one": rows[:2]})) == [
        "Test loss ends at 0.50",
        "From 30.0% right to 60.0%",
    ]
    assert titles(ee.figures.training_curves({"one": [rows[0], replace(rows[0], epoch=2)]}))[0] == (
        "Test loss ends at 1.00"
    )
    better = [replace(row, test_accuracy=0.9, test_loss=0.1) for row in rows]
    for runs in ({"one": rows, "other": better}, {"other": better, "one": rows}):
        assert titles(ee.figures.training_curves(runs)) == [
            "Least test loss at the end: other, 0.10",
            "Highest at the end: other, 90.0%",
        ]


def test_four_ways_to_scale_say_what_compound_beats_loses_to_and_equals():
    lead = {"compound": 0.05, "depth": 0.0, "width": 0.05, "resolution": 0.2}
    found = made(lambda way, level, seed: 0.5 + 0.01 * seed + lead.get(way, 0.0))
    title = "Glyphs: compound\nbeats depth, loses to resolution, equals width"
    assert title in titles(ee.figures.study(found))
    luck = (0.2, -0.2, 0.1)
    open_one = made(lambda way, level, seed: 0.5 + luck[seed % 3] * (way == "compound"))
    title = "Glyphs: compound\nis told from none of the three"
    assert title in titles(ee.figures.study(open_one))


def test_the_caption_says_where_fewer_seeds_were_run():
    caption = ee.figures.study(ee.studies.read("squeeze_excitation")).caption
    assert "Fashion-MNIST: 10 seeds (4 for other stages and widths), Glyphs: 10 seeds." in caption
    assert "(Student's t over the seeds of each)" in caption
