"""Results and speeds join only where network and image size agree, and keep their source."""

import pytest

from effnet_edu import published
from effnet_edu.model.cost import cost
from effnet_edu.model.variants import list_variants, spec
from effnet_edu.published.benchmarks import PUBLISHERS, family_of, network_key, plain_name, speeds


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_every_result_has_a_source_and_the_numbers_of_its_network(publisher):
    for result in published.results(publisher):
        assert result.source
        assert 50 < result.top1 < 90
        assert not result.extra_data
        if result.key in list_variants() and publisher != "papers":
            counted = cost(result.key, result.resolution)
            assert result.parameters == pytest.approx(counted.parameters / 1e6, rel=0.002)
            assert result.macs == pytest.approx(counted.macs / 1e9, rel=0.04)


def test_extra_data_is_left_out_unless_asked_for():
    for publisher in PUBLISHERS:
        more = set(published.results(publisher, extra_data=True)) - set(published.results(publisher))
        assert more
        assert all(result.extra_data for result in more)


def test_networks_of_the_papers_stand_at_the_size_of_the_released_code():
    found = {result.key: result for result in published.results("papers")}
    for name in ("efficientnet_b4", "efficientnetv2_s", "efficientnetv2_b3"):
        assert found[name].resolution == spec(name).resolution
    assert found["efficientnet_b7"].top1 == 84.3  # of version 5, not the later reproduction of V2's authors


@pytest.mark.parametrize(
    ("printed", "key"),
    [
        ("EfficientNet-B0", "efficientnet_b0"),
        ("tf_efficientnet_b0", "efficientnet_b0"),
        ("EfficientNetV2-S", "efficientnetv2_s"),
        ("EfficientNetV2-XL (21k)", "efficientnetv2_xl"),
        ("ResNet-50", "resnet50"),
        ("ConvNeXt-T", "convnext_tiny"),
        ("regnet_y_1_6gf", "regnety_016"),
        ("RegNetY-8GF", "regnety_080"),
    ],
)
def test_one_network_has_one_key(printed, key):
    assert network_key(printed) == key
    assert network_key(plain_name(key)) == key


def test_a_newer_recipe_is_a_family_of_its_own():
    assert family_of("resnet50", "resnet50.tv_in1k") == "ResNet"
    assert family_of("resnet50", "resnet50.tv2_in1k") == "ResNet, newer recipe"
    assert family_of("efficientnet_b0", "tf_efficientnet_b0.aa_in1k") == "EfficientNet"


@pytest.mark.parametrize("device", published.DEVICES)
def test_a_speed_belongs_to_the_network_and_its_image_size(device):
    joined = 0
    for publisher in PUBLISHERS:
        for result in published.results(publisher):
            speed = published.speed_of(result, device)
            if speed is not None:
                joined += 1
                assert (speed.key, speed.resolution) == (result.key, result.resolution)
                assert speed.images_per_second > 0
                assert speed.source
    assert joined > 5


def test_weights_with_a_build_of_their_own_get_its_speed():
    timm = {result.name: result for result in published.results("timm")}
    table = speeds("RTX 4090")
    google = published.speed_of(timm["EfficientNet-B0, aa_in1k"], "RTX 4090")
    assert google is table["tf_efficientnet_b0", 224]
    assert published.speed_of(timm["EfficientNet-B0, ra_in1k"], "RTX 4090") is table["efficientnet_b0", 224]
    assert google.images_per_second != table["efficientnet_b0", 224].images_per_second


def test_milliseconds_of_a_batch_become_images_per_second():
    b7 = next(result for result in published.results("papers") if result.key == "efficientnet_b7")
    row = published.read("v2_table7_results").row(network="EfficientNet-B7")
    speed = published.speed_of(b7, "V100, V2 paper")
    assert speed.images_per_second == pytest.approx(16_000 / row["inference_ms_v100_fp16_batch16"])
    assert published.DEVICES["V100, V2 paper"].batch_size == 16


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="publisher is 'keras'; it must be one of 'papers', "):
        published.results("keras")
    with pytest.raises(ValueError, match="device is 'GTX 1080'; it must be one of"):
        speeds("GTX 1080")
