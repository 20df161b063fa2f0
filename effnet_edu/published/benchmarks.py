"""What benchmarks compare, put together from the published tables: accuracy, size and speed of networks.

The same network has another name in every table and another accuracy after every recipe of training, so a
`Result` says who trained it, and joins a `Speed` only where network and image size agree.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from effnet_edu.ground.checks import choice
from effnet_edu.model.variants import list_variants, spec
from effnet_edu.published.tables import Row, read

#: Who says how accurate the networks are.
PUBLISHERS = ("papers", "timm", "torchvision")

#: Key and plain name of networks that several tables know; EfficientNets follow a rule.
_NAMES = {
    "resnet18": "ResNet-18",
    "resnet34": "ResNet-34",
    "resnet50": "ResNet-50",
    "resnet101": "ResNet-101",
    "resnet152": "ResNet-152",
    "seresnet50": "SE-ResNet-50",
    "wide_resnet50_2": "Wide ResNet-50-2",
    "resnext101_64x4d": "ResNeXt-101 64x4d",
    "regnety_004": "RegNetY-400MF",
    "regnety_008": "RegNetY-800MF",
    "regnety_016": "RegNetY-1.6GF",
    "regnety_032": "RegNetY-3.2GF",
    "regnety_040": "RegNetY-4GF",
    "regnety_080": "RegNetY-8GF",
    "regnety_160": "RegNetY-16GF",
    "regnet_y_800mf": "RegNetY-800MF of torchvision",
    "regnet_y_8gf": "RegNetY-8GF of torchvision",
    "densenet169": "DenseNet-169",
    "inception_v3": "Inception-v3",
    "mnasnet1_0": "MnasNet 1.0",
    "mobilenet_v3_small": "MobileNetV3-S",
    "mobilenetv2_100": "MobileNetV2 1.0",
    "mobilenetv3_large_100": "MobileNetV3-L",
    "convnext_tiny": "ConvNeXt-T",
    "convnext_small": "ConvNeXt-S",
    "convnext_base": "ConvNeXt-B",
    "convnext_large": "ConvNeXt-L",
}
_KEYS = {name: key for key, name in _NAMES.items()} | {
    # torchvision's names, where its network is the same as timm's
    "mobilenet_v2": "mobilenetv2_100",
    "mobilenet_v3_large": "mobilenetv3_large_100",
    "regnet_y_400mf": "regnety_004",
    "regnet_y_1_6gf": "regnety_016",
    "regnet_y_3_2gf": "regnety_032",
    "regnet_y_16gf": "regnety_160",
}
#: How keys begin, and how the family is called; the first that fits counts.
_FAMILIES = {
    "efficientnetv2_": "EfficientNetV2",
    "efficientnet_": "EfficientNet",
    "convnext": "ConvNeXt",
    "regnet": "RegNetY",
    "mobilenet": "MobileNet",
    "mnasnet": "MnasNet",
    "nfnet": "NFNet",
    "resnest": "ResNeSt",
    "resnet": "ResNet",
    "wide_resnet": "ResNet",
    "seresnet": "ResNet",
    "resnext": "ResNet",
    "swin": "transformer",
    "vit": "transformer",
    "deit": "transformer",
    "t2t": "transformer",
}
#: Recipes of weights that were trained years after their network, with what had been learnt by then.
_NEWER_RECIPES = re.compile(r"\.(a1_in1k|tv2_in1k|ft_in1k|ra\w*)$|^IMAGENET1K_V2$")


@dataclass(frozen=True)
class Result:
    """A network as somebody trained and tested it.

    Attributes:
        name: As the source calls it, with the weights where there are several.
        key: The network, the same in every table, such as `"efficientnet_b0"`.
        architecture: How a table of speeds may call exactly this build of it.
        family: What it belongs to; weights of a newer recipe say so.
        resolution: Side of the image in pixels, or None where the source does not say.
        top1: Top-1 accuracy on ImageNet in percent.
        parameters: In millions.
        macs: Multiply-adds of one image in billions, or None where the source does not say.
        extra_data: Whether it saw more than ImageNet-1k.
        source: Paper and table, or file of the released code.
    """

    name: str
    key: str
    architecture: str
    family: str
    resolution: int | None
    top1: float
    parameters: float
    macs: float | None
    extra_data: bool
    source: str

    @property
    def short(self) -> str:
        """The name for a crowded chart, such as `B0` or `V2-S`."""
        return short_name(self.name)


@dataclass(frozen=True)
class Speed:
    """How fast somebody ran a network.

    Attributes:
        key: The network, as in `Result`.
        resolution: Side of the image in pixels, or None where the source does not say.
        images_per_second: Throughput.
        batch_size: Images at once, or None where the source does not say.
        source: Where it stands.
    """

    key: str
    resolution: int | None
    images_per_second: float
    batch_size: int | None
    source: str


@dataclass(frozen=True)
class PublishedDevice:
    """A device whose speeds somebody published.

    Attributes:
        name: Short name.
        conditions: Precision, software and batch, in words.
        batch_size: The batch of all its speeds, or None where it differs from network to network.
    """

    name: str
    conditions: str
    batch_size: int | None


_TIMM_MODES = {
    "Core i9-10940X": ("CPU i9-10940X", "fp32 nchw torch.compile", 1),
    "RTX 3090": ("RTX 3090", "amp nhwc (channels_last)", None),
    "RTX 4090": ("RTX 4090", "amp nhwc (channels_last)", None),
    "RTX 5090": ("RTX 5090", "amp nchw", None),
}
#: Devices with published speeds, by short name.
DEVICES = {
    device.name: device
    for device in (
        PublishedDevice("Core i9-10940X", "timm: fp32, torch.compile, batch 1", 1),
        PublishedDevice("RTX 3090", "timm: AMP, channels last, batch 1024 or what fits", None),
        PublishedDevice("RTX 4090", "timm: AMP, channels last, batch 512 or what fits", None),
        PublishedDevice("RTX 5090", "timm: AMP, batch 1024 or what fits", None),
        PublishedDevice("V100, V2 paper", "arXiv:2104.00298v3 table 7: fp16, batch 16", 16),
        PublishedDevice("V100, ConvNeXt paper", "arXiv:2201.03545v2 table 1: fp32", None),
        PublishedDevice("A100, ConvNeXt paper", "arXiv:2201.03545v2 table 12: TF32, channels last", None),
    )
}


def network_key(name: str) -> str:
    """Return the one key of a network that papers and libraries call by different names.

    Args:
        name: Such as `"EfficientNet-B0"`, `"tf_efficientnet_b0"` or `"EfficientNetV2-S"`.
    """
    if name in _KEYS:
        return _KEYS[name]
    plain = name.removesuffix(" (21k)").lower().removeprefix("tf_")
    if plain.startswith(("efficientnet-b", "efficientnetv2-")):
        return plain.replace("-", "_", 1)
    return plain


def plain_name(key: str) -> str:
    """Return what a network is called in print, such as `EfficientNet-B0`.

    Args:
        key: As `network_key` returns it.
    """
    for begins, called in (("efficientnetv2_", "EfficientNetV2-"), ("efficientnet_", "EfficientNet-")):
        if key.startswith(begins):
            return called + key.removeprefix(begins).upper()
    return _NAMES.get(key, key)


def short_name(name: str) -> str:
    """Return a printed name as a crowded chart has it: `V2-S` of `EfficientNetV2-S, weights V1`.

    Args:
        name: As `plain_name` or a `Result` has it.
    """
    return name.partition(",")[0].replace("EfficientNetV2", "V2").replace("EfficientNet-", "")


def family_of(key: str, weights: str = "") -> str:
    """Return the family of a network.

    Args:
        key: As `network_key` returns it.
        weights: Name of the weights, which tells a newer recipe of training.
    """
    family = next((called for begins, called in _FAMILIES.items() if key.startswith(begins)), "other")
    return f"{family}, newer recipe" if _NEWER_RECIPES.search(weights) else family


def _resolution_of(key: str) -> int | None:
    if key in list_variants():
        return spec(key).resolution
    return 224 if key.startswith(("resnet", "mobilenet", "mnasnet")) else None


def _optional(row: Row, column: str) -> float | None:
    return None if row[column] is None else row.number(column)


def _of_paper(row: Row, extra_data: bool = False, resolution: int | None = None) -> Result:
    name = str(row["network"])
    key = network_key(name)
    return Result(
        name, key, key, family_of(key), resolution or _resolution_of(key), row.number("top1_percent"),
        row.number("parameters_millions"), _optional(row, "macs_billions"), extra_data, str(row["source"]),
    )  # fmt: skip


def _from_papers() -> Iterator[Result]:
    for row in read("effnet_table2"):
        yield _of_paper(row)
    for row in read("v2_table7_results"):
        # B3 to B7 stand there once more, as the authors of V2 trained them again.
        if not str(row["network"]).startswith("EfficientNet-B"):
            yield _of_paper(row, row["extra_data"] == "yes")
    for row in read("v2_released").where(training="in1k"):
        if str(row["network"]).startswith("EfficientNetV2-B"):
            yield _of_paper(row)
    for row in read("convnext_results"):
        is_of_table_1 = "Table 1" in str(row["source"]).replace("Table 12", "")
        if is_of_table_1 and not str(row["network"]).startswith(("EfficientNet", "RegNet", "ViT")):
            side = int(row.number("resolution"))
            result = _of_paper(row, row["training"] != "ImageNet-1K", side)
            yield _at_size(result, side)
    for row in read("mobile_networks"):
        yield _of_paper(row)


def _at_size(result: Result, side: int) -> Result:
    """Say the image size in the name where a network stands at several in one table."""
    return result if side == 224 else Result(**{**vars(result), "name": f"{result.name}, {side} px"})


def _from_timm() -> Iterator[Result]:
    for row in read("timm_accuracy"):
        weights, architecture = str(row["weights"]), str(row["network"])
        if row["core"] == "no" and row["extra_data"] == "no":
            continue
        key = network_key(architecture)
        yield Result(
            f"{plain_name(key)}, {weights.partition('.')[2]}", key, architecture, family_of(key, weights),
            int(row.number("resolution")), row.number("top1_percent"), row.number("parameters_millions"),
            row.number("macs_billions"), row["extra_data"] == "yes", f"timm, {row['source']}",
        )  # fmt: skip


def _from_torchvision() -> Iterator[Result]:
    for row in read("torchvision_weights"):
        key, weights = network_key(str(row["network"])), str(row["weights"])
        name = f"{plain_name(key)}, weights {weights.removeprefix('IMAGENET1K_')}"
        yield Result(
            name, key, key, family_of(key, weights), int(row.number("resolution")),
            row.number("top1_percent"), row.number("parameters_millions"), row.number("macs_billions"),
            "SWAG" in weights, str(row["source"]),
        )  # fmt: skip


@cache
def results(publisher: str = "papers", extra_data: bool = False) -> tuple[Result, ...]:
    """Return the networks that a publisher tested, in the order of its tables.

    `"papers"` are the networks as their authors trained them; `"timm"` and `"torchvision"` are what the
    weights of these libraries reach, many of them trained anew.

    Args:
        publisher: One of PUBLISHERS.
        extra_data: Whether networks that saw more than ImageNet-1k are among them.

    Raises:
        ValueError: There is no such publisher.
    """
    choice("publisher", publisher, PUBLISHERS)
    rows = {"papers": _from_papers, "timm": _from_timm, "torchvision": _from_torchvision}[publisher]()
    return tuple(result for result in rows if extra_data or not result.extra_data)


@cache
def speeds(device: str) -> dict[tuple[str, int | None], Speed]:
    """Return the published speeds on a device by network and image size.

    A network has its plain key and, where the table knows several builds of it, their own names too.

    Args:
        device: One of DEVICES.

    Raises:
        ValueError: Nobody's speeds on such a device are published here.
    """
    choice("device", device, tuple(DEVICES))
    found: dict[tuple[str, int | None], Speed] = {}
    for name, speed in _speeds(device):
        found[name, speed.resolution] = speed
        # timm's tf_ builds pad like TensorFlow, which takes longer: they only stand in for what is missing.
        if name == speed.key or (speed.key, speed.resolution) not in found:
            found[speed.key, speed.resolution] = speed
    return found


def _speeds(device: str) -> Iterator[tuple[str, Speed]]:
    if device in _TIMM_MODES:
        called, mode, _ = _TIMM_MODES[device]
        for row in read("timm_inference_throughput").where(device=called, mode=mode):
            name = str(row["network"])
            yield (
                name,
                Speed(
                    network_key(name),
                    int(row.number("resolution")),
                    row.number("images_per_second"),
                    int(row.number("batch_size")),
                    f"timm, {name}, {row['source']}",
                ),
            )
    elif device == "V100, V2 paper":
        for row in read("v2_table7_results"):
            if row["inference_ms_v100_fp16_batch16"] is not None:
                key = network_key(str(row["network"]))
                rate = 16_000 / row.number("inference_ms_v100_fp16_batch16")
                yield key, Speed(key, _resolution_of(key), rate, 16, str(row["source"]))
    else:
        wanted = "V100" if device.startswith("V100") else "A100"
        for row in read("convnext_results"):
            if wanted in str(row["hardware"]) and row["images_per_second"] is not None:
                key, side = network_key(str(row["network"])), int(row.number("resolution"))
                yield key, Speed(key, side, row.number("images_per_second"), None, str(row["source"]))


def speed_of(result: Result, device: str) -> Speed | None:
    """Return how fast a network ran on a device, or None where nobody published that.

    Args:
        result: The network, at its image size.
        device: One of DEVICES.
    """
    table = speeds(device)
    return table.get((result.architecture, result.resolution)) or table.get((result.key, result.resolution))
