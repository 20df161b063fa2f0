"""Audits of timm's networks: what is counted against fvcore, and whether what is predicted to win wins.

`python -m tests.profiling.families [NAME ...]` prints a line for each network, and the sums.
"""

import sys
from dataclasses import dataclass

import fvcore.nn
import torch
from torch import Tensor, nn

import effnet_edu as ee
from effnet_edu.profiling.counts import count_module
from tests.peers import import_torchvision

SIDE = 96
#: One of each family, small ones.
NETWORKS = (
    *(
        "resnet18",
        "resnext26ts",
        "skresnet18",
        "densenet121",
        "dla34",
        "vgg11_bn",
        "inception_v3",
        "xception41",
    ),
    *("mobilenetv2_050", "mobilenetv3_small_050", "mobilenetv4_conv_small", "mnasnet_small", "ghostnet_100"),
    *(
        "efficientnet_lite0",
        "tf_efficientnetv2_b0",
        "regnety_002",
        "repvgg_a0",
        "hrnet_w18_small",
        "rexnet_100",
    ),
    *("convnext_atto", "edgenext_xx_small", "mobilevit_xxs", "poolformer_s12", "fastvit_t8", "repvit_m0_9"),
    *("vit_tiny_patch16_224", "deit_tiny_patch16_224", "mixer_s32_224", "xcit_nano_12_p16_224", "levit_128s"),
)
#: These fix the side of their input when they are built.
FIXED = ("vit_", "deit_", "mixer_", "levit_")
#: What fvcore counts beside the products: operations that are no multiply-adds.
MACS_OF_FVCORE = {"conv", "linear", "matmul", "bmm", "mm", "addmm", "einsum"}


@dataclass(frozen=True)
class Counted:
    """Multiply-adds of one network for one image, by us and by fvcore, and what fvcore could not count."""

    ours: int
    fvcores: int
    unknown: dict[str, int]


def build(name: str, fused_attention: bool = True) -> nn.Module:
    import_torchvision()
    import timm
    from timm.layers import set_fused_attn

    set_fused_attn(fused_attention)
    try:
        size = {"img_size": SIDE} if name.startswith(FIXED) else {}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return timm.create_model(name, **size).eval()
    finally:
        set_fused_attn(True)


def images(batch: int = 1) -> Tensor:
    return torch.randn(batch, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def counted(name: str) -> Counted:
    # fvcore cannot count attention that is computed in one piece.
    analysis = fvcore.nn.FlopCountAnalysis(build(name, fused_attention=False), images())
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    macs = sum(value for kind, value in analysis.by_operator().items() if kind in MACS_OF_FVCORE)
    products = {"aten::scaled_dot_product_attention", "aten::einsum", "aten::baddbmm"}
    unknown = {kind: value for kind, value in analysis.unsupported_ops().items() if kind in products}
    return Counted(count_module(build(name), (1, 3, SIDE, SIDE)).macs, int(macs), unknown)


def main(names: tuple[str, ...]) -> None:
    equal = promised = won = best = level = 0
    for name in names:
        found = counted(name)
        equal += found.ours == found.fvcores
        audit = ee.audit(build(name), images(), seconds=0.5)
        assert audit.macs == found.ours, (audit.macs, found.ours)
        first = next(iter(audit.changes), None)
        if first is not None:
            promised += 1
            won += first.verdict == "faster"
            fastest = max(audit.changes, key=lambda change: change.measured)
            best += first is fastest
            level += first.high >= fastest.low
        print(
            f"{name:<24}{found.ours:>14,}{found.fvcores - found.ours:>+12,} {found.unknown or ''} "
            + "; ".join(
                f"{one.name} {one.predicted:.2f} -> {one.measured:.2f} ({one.low:.2f} to {one.high:.2f})"
                for one in audit.changes
            ),
            flush=True,
        )
    print(
        f"{equal} of {len(names)} counts equal fvcore's; of {promised} changes that promised most, {won} are "
        f"proved faster, {best} are the fastest of those tried, and {level} not told from it"
    )


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or NETWORKS)
