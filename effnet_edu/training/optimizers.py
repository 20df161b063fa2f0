"""torch's optimizers as the recipes need them, and what TensorFlow's RMSprop does otherwise."""

import math

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer, RMSprop

from effnet_edu.training.recipe import Recipe

#: Of RMSprop in the released code, where it is added inside the square root.
_TENSORFLOW_EPS = 1e-3
_SQUARE_DECAY = 0.9


def parameter_groups(
    network: nn.Module, weight_decay: float, layer_decay: float = 1.0
) -> list[dict[str, object]]:
    """Return weights of convolutions and linear layers, which decay, and the rest, which do not.

    Each group says in `lr_scale` by what to multiply the learning rate.

    Args:
        network: What is trained.
        weight_decay: Of the first kind.
        layer_decay: Factor of the rate from each layer (classifier, head, last stage, ... stem) to the next.
    """
    named = dict(network.named_parameters())
    layers = list(dict.fromkeys(map(_layer, named)))
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {(True, 1.0): [], (False, 1.0): []}
    for name, parameter in named.items():
        if parameter.requires_grad:
            scale = layer_decay ** (len(layers) - 1 - layers.index(_layer(name)))
            groups.setdefault((parameter.ndim > 1, scale), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": weight_decay if decays else 0.0, "lr_scale": scale}
        for (decays, scale), parameters in groups.items()
    ]


def _layer(parameter: str) -> str:
    """Return the part of a network that a parameter belongs to: `stem`, `stages.0`, `head`."""
    parts = parameter.split(".")
    return ".".join(parts[: 2 if parts[0] == "stages" else 1])


def build_optimizer(network: nn.Module, recipe: Recipe) -> Optimizer:
    """Return the optimizer of a recipe; the learning rate is set before each step.

    TensorFlow's RMSprop differs from torch's in three ways:

    1. It divides by sqrt(v + eps), torch by sqrt(v) + eps. Here eps is sqrt(0.001), so that both divide by
       the same where v is 0, and by nearly the same where v is large.
    2. Its average v of squared gradients starts at 1, torch's at 0, which makes the first steps of torch the
       longest of all. Here v starts at 1.
    3. It multiplies the gradient by the learning rate before momentum adds it up, torch after. Under a
       constant rate this is the same; after a change, TensorFlow's old gradients keep their old rate for
       about 10 steps. This difference stays: with a warm-up and factors of 0.97 it is small.

    Args:
        network: What is trained.
        recipe: How.

    Source: tf.compat.v1.train.RMSPropOptimizer and torch.optim.RMSprop; eps 0.001 in tensorflow/tpu
        efficientnet utils.py `build_optimizer`.
    """
    groups = parameter_groups(network, recipe.weight_decay, recipe.layer_decay)
    if recipe.optimizer == "adamw":
        return AdamW(groups, recipe.learning_rate)
    if recipe.optimizer == "sgd":
        return SGD(groups, recipe.learning_rate, recipe.momentum, nesterov=recipe.momentum > 0)
    optimizer = RMSprop(
        groups, recipe.learning_rate, _SQUARE_DECAY, math.sqrt(_TENSORFLOW_EPS), momentum=recipe.momentum
    )
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            optimizer.state[parameter] = {
                "step": torch.zeros(()),
                "square_avg": torch.ones_like(parameter),
                "momentum_buffer": torch.zeros_like(parameter),
            }
    return optimizer
