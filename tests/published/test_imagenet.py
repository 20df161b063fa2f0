"""The arithmetic of training on ImageNet, and the page that shows it."""

from pathlib import Path

import pytest

from effnet_edu import published

PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"
SHOWN = (
    *("efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3", "efficientnet_b4"),
    *("efficientnet_b5", "efficientnet_b6", "efficientnet_b7"),
    *("efficientnetv2_s", "efficientnetv2_m", "efficientnetv2_l"),
)


def line(network: str) -> str:
    one, eight, many = (published.training_time(network, devices) for devices in (1, 8, 64))
    return (
        f"| {network} | {one.resolution} | {one.images_per_second:,.0f} | {one.hours / 24:,.1f} | "
        f"{eight.hours / 24:,.1f} | {many.hours:,.1f} |"
    )


def test_time_is_images_times_epochs_over_throughput() -> None:
    b0 = published.training_time("efficientnet_b0", devices=4, epochs=100)
    assert b0.device_hours == pytest.approx(1_281_167 * 100 / 1751.72 / 3600)
    assert b0.hours == pytest.approx(b0.device_hours / 4)
    assert published.training_time("efficientnet_b0", 4, 100, efficiency=0.5).hours == pytest.approx(
        2 * b0.hours
    )
    assert "RTX 3090 hours" in str(b0)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ValueError, match="network is 'resnet50'; a throughput is there for efficientnet_b0"):
        published.training_time("resnet50")


def test_the_page_shows_what_the_arithmetic_gives() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"{published.IMAGENET_IMAGES:,} images" in text
    assert f"{published.IMAGENET_IMAGES * 3 * 224**2 / 2**30:.0f} GiB" in text
    for network in SHOWN:
        assert line(network) in text
