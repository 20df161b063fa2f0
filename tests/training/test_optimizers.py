"""The optimizers: what decays, and how close torch's RMSprop comes to TensorFlow's."""

import pytest
import torch
from torch import Tensor, nn

import effnet_edu as ee
from effnet_edu.model.network import build
from effnet_edu.training.optimizers import build_optimizer
from tests.training.easy import TINY


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "rmsprop"])
def test_only_weights_of_convolutions_and_classifier_decay(optimizer: str) -> None:
    network = build(TINY, 4)
    found = build_optimizer(network, ee.Recipe(optimizer=optimizer, weight_decay=0.01))  # type: ignore[arg-type]
    decaying = {id(p) for group in found.param_groups if group["weight_decay"] for p in group["params"]}
    kept = {id(p) for group in found.param_groups if not group["weight_decay"] for p in group["params"]}
    weighty = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert decaying == {id(module.weight) for module in weighty}
    assert decaying | kept == {id(p) for p in network.parameters()}
    assert not decaying & kept


def tensorflow_rmsprop(weights: Tensor, gradients: list[Tensor], rate: float) -> Tensor:
    """As in tf.compat.v1.train.RMSPropOptimizer(rate, decay=0.9, momentum=0.9, epsilon=0.001)."""
    square, momentum = torch.ones_like(weights), torch.zeros_like(weights)
    for gradient in gradients:
        square = 0.9 * square + 0.1 * gradient**2
        momentum = 0.9 * momentum + rate * gradient / (square + 0.001).sqrt()
        weights = weights - momentum
    return weights


@pytest.mark.parametrize("size", [0.001, 0.1, 10.0])
def test_rmsprop_follows_tensorflows_at_a_constant_rate(size: float) -> None:
    generator = torch.Generator().manual_seed(0)
    gradients = [torch.randn(50, generator=generator) * size for _ in range(30)]
    layer = nn.Linear(50, 1, bias=False)
    start = layer.weight.detach().clone().flatten()
    ours = build_optimizer(
        layer,  # type: ignore[arg-type]
        ee.Recipe(optimizer="rmsprop", base_learning_rate=0.016, batch_size=256, weight_decay=0),
    )
    plain_layer = nn.Linear(50, 1, bias=False)
    plain_layer.weight.data.copy_(layer.weight.data)
    plain = torch.optim.RMSprop(plain_layer.parameters(), 0.016, 0.9, 0.001, momentum=0.9)
    for gradient in gradients:
        for each, optimizer in ((layer, ours), (plain_layer, plain)):
            each.weight.grad = gradient[None].clone()
            optimizer.step()
    moved = tensorflow_rmsprop(start, gradients, 0.016) - start
    error = (layer.weight.detach().flatten() - start - moved).norm() / moved.norm()
    error_of_plain = (plain_layer.weight.detach().flatten() - start - moved).norm() / moved.norm()
    assert error < 0.3
    assert error < 0.7 * error_of_plain
