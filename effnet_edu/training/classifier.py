"""A new classifier on a body that stays as it is: the first stage of fine-tuning."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from effnet_edu.checkpoints.registry import preprocessing_of
from effnet_edu.ground.preprocessing import Preprocessing, TrainedOn
from effnet_edu.ground.watch import Watch
from effnet_edu.images.labelled import LabelledImages
from effnet_edu.model.inference import optimize_for_inference
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import check_resolution
from effnet_edu.profiling.device import as_device
from effnet_edu.training.evaluation import answers
from effnet_edu.training.plan import squared

#: Weight of the penalty, where features have mean 0 and an average length of 1.
_PENALTY = 1e-3
_STEPS = 200


def with_classifier(network: EfficientNet, num_classes: int) -> EfficientNet:
    """Return a copy whose classifier is one linear layer of zeros; the rest is as it was.

    Args:
        network: The network.
        num_classes: Outputs of the classifier.
    """
    own = copy.deepcopy(network)
    # Not through its constructor, which draws from the random numbers of the whole process.
    classifier: nn.Linear = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Linear, own.spec.head_channels, num_classes, device=own.device, dtype=own.dtype
    )
    nn.init.zeros_(classifier.weight)
    nn.init.zeros_(classifier.bias)
    own.classifier = classifier
    return own


def fit_classifier(
    network: EfficientNet,
    images: LabelledImages,
    *,
    resolution: int | None = None,
    device: torch.device | str | None = None,
    watch: Watch = Watch(),
) -> EfficientNet:
    """Return a copy of a network with a new linear classifier for these images; all else stays as it was.

    The frozen body sees each image once; on its features the classifier is the logistic regression, with a
    small penalty on its weights, and with classes that weigh the same. Nothing in it is random. The copy is
    on the CPU in evaluation mode, and knows its classes: `ee.classify` can ask it.

    Args:
        network: A network with trained weights, whose preprocessing is used; it is left as it was.
        images: What to learn from.
        resolution: Side of the images in pixels; by default that of the network's weights, or its own.
        device: Where the features are computed; the accelerator if there is one.
        watch: Told the share done; asked before each batch whether to stop.

    Raises:
        ValueError: An argument is outside its range, or does not fit the network.
        Cancelled: `watch` said so.

    Source: Kumar et al., arXiv:2202.10054, for fitting the classifier before the rest is trained.
    """
    side, how = _prepared(network, resolution)
    features = frozen_features(network, images, resolution=side, device=device, watch=watch)
    weight, bias = logistic_regression(features, images.labels, images.class_weights, watch)
    own = with_classifier(network, images.num_classes).cpu()
    own.classifier.load_state_dict({"weight": weight, "bias": bias})
    own.published, own.trained_on = None, TrainedOn(images.class_names, how)
    return own.eval()


def frozen_features(
    network: EfficientNet,
    images: LabelledImages,
    *,
    resolution: int | None = None,
    device: torch.device | str | None = None,
    watch: Watch = Watch(),
) -> Tensor:  # (N, head_channels)
    """Return what the classifier of a network is given for each image; it is computed without gradients.

    Args:
        network: A network with trained weights, whose preprocessing is used; it is left as it was.
        images: N of them.
        resolution: Side of the images in pixels; by default that of the network's weights, or its own.
        device: Where they are computed; the accelerator if there is one.
        watch: Told the share done; asked before each batch whether to stop.

    Raises:
        ValueError: An argument is outside its range, or does not fit the network.
        Cancelled: `watch` said so.
    """
    side, how = _prepared(network, resolution)
    body = copy.deepcopy(network)
    body.classifier = nn.Identity()
    body = optimize_for_inference(body.to(as_device(device)).eval())
    return answers(body, images.resized(side, watch).images, how, watch)


def logistic_regression(
    features: Tensor, labels: Tensor, class_weights: Tensor, watch: Watch = Watch()
) -> tuple[Tensor, Tensor]:
    """Return the linear classifier that fits features best, with a small penalty on its weights.

    Args:
        features: Of N images.  # (N, D)
        labels: Index of the class of each.  # (N,)
        class_weights: What the loss of each class is multiplied by; `LabelledImages` knows it.  # (classes,)
        watch: Asked before each step whether to stop.

    Returns:
        Weight of shape (classes, D) and bias of shape (classes,).

    Raises:
        Cancelled: `watch` said so.
    """
    x = features.double()
    mean = x.mean(0)
    x = x - mean
    length = x.square().sum(1).mean().sqrt().clamp(min=1e-12)
    x = x / length
    class_weights = class_weights.to(x.dtype)
    weight = torch.zeros((len(class_weights), x.shape[1]), dtype=x.dtype, requires_grad=True)
    bias = torch.zeros(len(class_weights), dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        watch.check()
        optimizer.zero_grad()
        each = F.cross_entropy(F.linear(x, weight, bias), labels, reduction="none")
        value = (each * class_weights[labels]).mean() + _PENALTY / 2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    weight, bias = weight.detach() / length, bias.detach()
    return weight.float(), (bias - weight @ mean).float()


def _prepared(network: EfficientNet, resolution: int | None) -> tuple[int, Preprocessing]:
    """Return the side of images for a network, and how their pixels are normalised."""
    known = preprocessing_of(network)
    side = check_resolution(network.spec, known.resolution if known and resolution is None else resolution)
    return side, squared(known, side)
