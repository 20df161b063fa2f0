"""What one number of a map sees, held against what really reaches it in the built network."""

from dataclasses import replace

import pytest
import torch

import effnet_edu as ee

B0 = ee.spec("efficientnet_b0")
#: The gates see the whole map.
UNGATED = replace(B0, stages=tuple(replace(stage, squeeze_ratio=0.0) for stage in B0.stages))


def sides_reached(spec, stage):
    """Return over how many rows and columns of pixels a number in the middle of a stage's map depends."""
    torch.manual_seed(0)
    network = ee.EfficientNet(spec, conventions=spec.torchvision).double().eval()
    image = torch.randn(1, 3, spec.resolution, spec.resolution, dtype=torch.float64, requires_grad=True)
    x = network.stages[:stage](network.stem(image))
    middle = x.shape[-1] // 2
    x[0, :, middle, middle].sum().backward()
    reached = image.grad[0].abs().sum(0) > 0
    return int(reached.any(1).sum()), int(reached.any(0).sum())


@pytest.mark.parametrize("stage", [1, 3, 4])
def test_it_is_what_really_reaches_a_number(stage):
    seen = ee.receptive_field(UNGATED, stage)
    assert sides_reached(UNGATED, stage) == (seen, seen)


def test_layers_and_dilation_widen_it_and_the_side_of_the_image_does_not():
    deeper = ee.scale(UNGATED, depth=2, resolution=352)
    assert sides_reached(deeper, 4) == 2 * (ee.receptive_field(deeper, 4),)
    dilated = replace(UNGATED, resolution=352, output_stride=8)
    assert sides_reached(dilated, 4) == 2 * (ee.receptive_field(dilated, 4),)
    assert ee.receptive_field(ee.scale(B0, resolution=448), 4) == ee.receptive_field("efficientnet_b0", 4)


def test_a_stage_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="stage is 8; efficientnet_b0 has stages 1 to 7"):
        ee.receptive_field("efficientnet_b0", 8)
    with pytest.raises(ValueError, match="stage is 0"):
        ee.receptive_field("efficientnet_b0", 0)
