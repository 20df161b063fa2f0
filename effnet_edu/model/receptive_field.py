"""How much of the image one number of a feature map can see through the convolutions before it."""

from collections.abc import Sequence

from effnet_edu.ground.checks import whole_number
from effnet_edu.model.specs import NetworkSpec, resolve
from effnet_edu.model.variants import as_spec


def field_of_chain(kernels: Sequence[int], strides: Sequence[int]) -> int:
    """Return the side of the input patch that one pixel of the last map sees.

    Args:
        kernels: Side of each kernel, in the order of the layers.
        strides: Stride of each layer.
    """
    field, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * step
        step *= stride
    return field


def receptive_field(network: NetworkSpec | str, stage: int) -> int:
    """Return the receptive field of the last map of a stage, in pixels of the input.

    It is that of the convolutions: squeeze-and-excitation sees the whole map, but only as means.

    Args:
        network: A spec, or the name of a published network.
        stage: Which of its stages, from 1.

    Raises:
        ValueError: The network has no such stage.
    """
    spec = as_spec(network)
    if whole_number("stage", stage) > len(spec.stages):
        raise ValueError(f"stage is {stage}; {spec.name} has stages 1 to {len(spec.stages)}.")
    blocks = [block for block in resolve(spec) if block.stage < stage]
    kernels = [(block.kernel - 1) * block.dilation + 1 for block in blocks]
    return field_of_chain([3, *kernels], [2, *(block.stride for block in blocks)])
