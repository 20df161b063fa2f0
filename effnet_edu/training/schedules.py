"""What changes from step to step, as pure functions: the learning rate and the decay of the average."""

import hashlib
import math

from effnet_edu.training.recipe import Recipe


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of one step.

    Args:
        recipe: How it is trained.
        step: Index of the step, from 0 in the first epoch.
        steps_per_epoch: Steps in an epoch.

    Source: arXiv:1905.11946v5, section 5.2, for 0.97 every 2.4 epochs, counted from the first step on, in
        jumps, as in the released code; Loshchilov and Hutter, arXiv:1608.03983, for the cosine, without its
        restarts.
    """
    epoch = step / steps_per_epoch
    if epoch < recipe.warmup_epochs:
        return recipe.learning_rate * (step + 1) / math.ceil(recipe.warmup_epochs * steps_per_epoch)
    if recipe.decay == "exponential":
        return recipe.learning_rate * recipe.decay_rate ** math.floor(epoch / recipe.decay_epochs)
    share = (epoch - recipe.warmup_epochs) / (recipe.epochs - recipe.warmup_epochs)
    return recipe.learning_rate * (1 + math.cos(math.pi * share)) / 2


def average_decay(decay: float, averaged: int) -> float:
    """Return the decay of the moving average at its next update: small at first, so that it starts young.

    Args:
        decay: The final decay, 0 to below 1.
        averaged: Updates so far.

    Source: `num_updates` of tf.train.ExponentialMovingAverage, used by tensorflow/tpu efficientnet main.py.
    """
    return min(decay, (1 + averaged) / (10 + averaged))


def derived_seed(*parts: int | str) -> int:
    """Return a seed for one purpose, so that all random numbers of a step follow from seed and position.

    Nothing of a random generator's state has to be saved: a resumed training derives the same seeds again.

    Args:
        *parts: The run's seed, and what the random numbers are for.
    """
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1  # 63 bits: every generator takes them
