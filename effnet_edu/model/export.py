"""A network as it is now, with its weights, in a file that other engines run."""

import os
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor, nn

from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.checks import quoted
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.model.blocks import ConvNormAct
from effnet_edu.model.inference import check_has_weights, folded
from effnet_edu.model.int8 import quantised
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.onnx_graph import Side, onnx_graph
from effnet_edu.model.specs import NetworkSpec
from effnet_edu.model.variants import as_spec

#: Attributes of torch's layers and ours that decide what a layer computes in evaluation.
_TRAITS = (
    *("kernel_size", "stride", "padding", "padding_mode", "dilation", "groups", "eps", "output_size"),
    *("in_features", "out_features", "in_channels", "out_channels", "num_features", "start_dim", "end_dim"),
    *("affine", "track_running_stats", "pads_like_tensorflow", "has_shortcut"),
)


def export_onnx(
    network: EfficientNet | NetworkSpec | str,
    file: str | os.PathLike[str],
    *,
    side: Side = None,
    batch_size: int | None = 1,
    class_maps: bool = False,
    preprocessing: Preprocessing | None = None,
    int8: Tensor | None = None,
) -> None:
    """Write a network as an ONNX file that computes what it answers in evaluation, in float32.

    The input of the graph is `images` (N, C, H, W), normalised as the weights expect; its output is `logits`,
    or `features` without a classifier. With preprocessing it is a `photograph` as it is, and the graph
    answers with `probabilities`, too. Batch norms are folded into the convolutions, in float64. The network
    stays as it is, and the file appears whole or not at all.

    Args:
        network: An EfficientNet; or a spec, or the name of a published network, for a file of some kilobytes
            whose weights the engine makes up, enough to measure time.
        file: Where to write; an older file is replaced.
        side: Side of the input in pixels, or (height, width), or `"any"`; the network's own by default.
        batch_size: Images at once, or None for any number.
        class_maps: Whether it answers `class_maps`, too (N, classes, height and width of the last map):
            what each place adds to a class. Their mean over all places, and the bias, are the logit.
        preprocessing: What a photograph goes through, such as `weights.preprocessing`: the graph resizes,
            crops and normalises uint8 pixels of any size itself. Resizing differs from Pillow's by some
            levels of 255 at a few pixels, and by 0.06 in the mean.  # (height, width, C)
        int8: Some dozens of images as the network takes them, to calibrate weights and maps of 8 bits: a file
            of a quarter of the size, whose answers differ a little. They are normalised, with preprocessing,
            too, whose nodes stay in float32. None for float32 throughout.  # (N, C, H, W)

    Raises:
        TypeError: This module is no EfficientNet of this library.
        ValueError: A number is outside its range; or the network was changed (another head, another layer),
            was optimised before, has no weights yet, or is larger than an ONNX file can be.
        ModuleNotFoundError: int8 needs onnx and onnxruntime, and one is not installed.
        OSError: The file cannot be written.

    Source: folding after Jacob et al., arXiv:1712.05877, section 3.2.
    """
    if int8 is not None and batch_size not in (1, None):
        raise ValueError(
            f"batch_size is {quoted(batch_size)}; int8 is calibrated with 1, or None for any number."
        )
    side_after = preprocessing and preprocessing.resolution
    if int8 is not None and side_after is not None and int8.shape[2:] != (side_after, side_after):
        raise ValueError(
            f"int8 has images of {tuple(int8.shape)}; with this preprocessing they are {side_after} px wide "
            "and high."
        )
    if isinstance(network, nn.Module):
        graph = graph_with_weights(network, side, batch_size, class_maps, preprocessing)
    else:
        graph = onnx_graph(
            as_spec(network),
            side=side,
            batch_size=batch_size,
            class_maps=class_maps,
            preprocessing=preprocessing,
        )
    write_atomically(Path(file), graph if int8 is None else quantised(graph, int8))


def graph_with_weights(
    network: EfficientNet,
    side: Side,
    batch_size: int | None,
    class_maps: bool = False,
    preprocessing: Preprocessing | None = None,
) -> bytes:
    """Return the graph that `export_onnx`, which explains the arguments and errors, writes in float32."""
    check_has_weights(network)
    _check_unchanged(network)
    return onnx_graph(
        network.spec,
        {name: tensor.float().cpu().numpy().astype("<f4").tobytes() for name, tensor in _weights(network)},
        num_classes=network.num_classes,
        in_channels=network.in_channels,
        conventions=network.conventions,
        side=side,
        batch_size=batch_size,
        class_maps=class_maps,
        preprocessing=preprocessing,
    )


def _weights(network: EfficientNet) -> Iterator[tuple[str, Tensor]]:
    """Yield weights and biases by name, those of a convolution together with its batch norm's."""
    units = {name: part for name, part in network.named_modules() if isinstance(part, ConvNormAct)}
    for name, part in units.items():
        assert part.norm is not None  # noqa: S101 - checked before
        weight, bias = folded(part.conv, part.norm)
        yield f"{name}.conv.weight", weight
        yield f"{name}.conv.bias", bias
    for name, parameter in network.named_parameters():
        if name.rpartition(".")[0].rpartition(".")[0] not in units:
            yield name, parameter.detach()


def _check_unchanged(network: EfficientNet) -> None:
    """Raise if the network no longer is what its spec says: its graph would compute something else."""
    twin = EfficientNet(
        network.spec, network.num_classes, network.in_channels, network.conventions, device="meta"
    )
    there, wanted = dict(network.named_modules()), dict(twin.named_modules())
    for name in dict.fromkeys([*wanted, *there]):
        found, expected = _traits(there.get(name)), _traits(wanted.get(name))
        for trait in dict.fromkeys([*expected, *found]):
            if found.get(trait) != expected.get(trait):
                raise ValueError(
                    f"{name or 'The network'} has the {trait} {quoted(found.get(trait))}, and after its spec "
                    f"{quoted(expected.get(trait))}; a graph is written of networks alone that are as their "
                    "spec says, with one linear layer as classifier."
                )


def _traits(module: nn.Module | None) -> dict[str, object]:
    """Return whatever decides, beside the values of its weights, what a module computes in evaluation."""
    if module is None:
        return {"class": None}
    traits = {name: getattr(module, name) for name in _TRAITS if hasattr(module, name)}
    weights = {name: tuple(weight.shape) for name, weight in module.named_parameters(recurse=False)}
    return {"class": f"{type(module).__module__}.{type(module).__name__}", **traits, **weights}
