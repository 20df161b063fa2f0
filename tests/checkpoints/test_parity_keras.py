"""keras.applications on torch: its files give the same logits, in both of its formats, and back."""

import gc
import os
from collections import Counter

os.environ["KERAS_BACKEND"] = "torch"

import h5py
import keras
import numpy as np
import pytest
import torch
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils.naming import to_snake_case

from effnet_edu.checkpoints.files import read_tensors
from effnet_edu.checkpoints.layouts import find_layout
from effnet_edu.checkpoints.load import export_state_dict, load_checkpoint
from effnet_edu.model.variants import spec
from tests.cases import thorough_but_for
from tests.checkpoints.parity import (
    LARGEST_ERROR,
    SIDES,
    empty_network,
    image,
    randomise,
    relative_error,
)

V1 = {f"efficientnet_b{number}": f"EfficientNetB{number}" for number in range(8)}
V2 = {
    f"efficientnetv2_{size}": f"EfficientNetV2{size.upper()}"
    for size in ("b0", "b1", "b2", "b3", "s", "m", "l")
}


@pytest.fixture(autouse=True, scope="module")
def _quick_initial_weights():
    """Every weight is overwritten; drawing Keras's own takes longer than the rest."""
    with pytest.MonkeyPatch.context() as patch:
        zeros = keras.initializers.Zeros()
        patch.setattr(
            keras.initializers.VarianceScaling, "__call__", lambda _, *args, **kw: zeros(*args, **kw)
        )
        yield


def _peer(name):
    # V1 pads for one input size; V2 for any.
    sides = SIDES if name in V1 else (None, None)
    build = getattr(keras.applications, {**V1, **V2}[name])
    options = {} if name in V1 else {"include_preprocessing": False}
    pixels = keras.Input((*sides, 3))
    return build(weights=None, input_tensor=pixels, classifier_activation=None, **options)


def _logits(peer, name, x):
    # V1 divides by 255 inside; its mean and variance are 0 and 1 until weights are loaded.
    pixels = x.permute(0, 2, 3, 1) * (255 if name in V1 else 1)
    with torch.no_grad():
        return torch.as_tensor(np.asarray(peer(pixels.numpy(), training=False).detach()))


def _put(peer, weights):
    for layer in peer.layers:
        variables = {variable.path.split("/")[-1]: variable for variable in layer.variables}
        for variable, target in variables.items():
            key = f"{layer.name}/{variable}"
            if key in weights:
                target.assign(weights.pop(key).numpy())
    assert not weights


def _paths_in_weights_h5(peer):
    """Return layer/variable for each path in the file that Keras would write: classes, counted."""
    seen = Counter()
    paths = {}
    for layer in peer.layers:
        kind = to_snake_case(type(layer).__name__)
        folder = f"layers/{kind}_{seen[kind]}" if seen[kind] else f"layers/{kind}"
        seen[kind] += 1
        if isinstance(layer, keras.layers.Normalization | keras.layers.Dropout):
            continue
        # Trained variables come first, as in Layer.save_own_variables.
        for number, variable in enumerate(layer.trainable_variables + layer.non_trainable_variables):
            paths[f"{folder}/vars/{number}"] = f"{layer.name}/{variable.name}"
    return paths


@pytest.mark.parametrize("name", thorough_but_for(("efficientnet_b0", "efficientnetv2_b0"), (*V1, *V2)))
def test_keras(name):
    """Our weights under the names of Keras make its network answer as ours does."""
    ours = empty_network(name, spec(name).tensorflow)
    randomise(ours.state_dict().items())
    peer = _peer(name)
    _put(peer, export_state_dict(ours, "keras_h5"))
    with torch.no_grad():
        assert relative_error(ours(image()), _logits(peer, name, image())) <= LARGEST_ERROR
    by_name = {row.ours: row.theirs for row in find_layout("keras_h5").rows(spec(name))}
    by_count = {row.ours: row.theirs for row in find_layout("keras_weights_h5").rows(spec(name))}
    paths = _paths_in_weights_h5(peer)
    assert {by_count[key]: by_name[key] for key in by_name} == paths
    del peer, ours
    gc.collect()


FILES = {
    "keras_h5": ("net.h5", lambda peer, path: _save_legacy(peer, path)),
    "keras_weights_h5": ("net.weights.h5", lambda peer, path: peer.save_weights(path)),
}


def _save_legacy(peer, path):
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, peer)


@pytest.mark.parametrize("layout", FILES)
@pytest.mark.parametrize(
    "name", thorough_but_for(("efficientnet_b0",), ("efficientnet_b0", "efficientnetv2_b0"))
)
def test_files_of_keras_give_the_same_logits_there_and_back(name, layout, tmp_path):
    weights = empty_network(name, spec(name).tensorflow)
    randomise(weights.state_dict().items(), seed=1)
    peer = _peer(name)
    _put(peer, export_state_dict(weights, "keras_h5"))
    file, save = FILES[layout]
    save(peer, tmp_path / file)
    net = empty_network(name, spec(name).tensorflow)
    report = load_checkpoint(net, tmp_path / file)
    assert report.layout == layout
    assert not report.new
    with torch.no_grad():
        assert relative_error(net(image()), _logits(peer, name, image())) <= LARGEST_ERROR
    # The whole model, as `model.save` writes it, holds the same.
    for whole in ("net.keras", "whole.h5"):
        peer.save(tmp_path / whole)
        again = empty_network(name, spec(name).tensorflow)
        load_checkpoint(again, tmp_path / whole)
        assert torch.equal(again.classifier.weight, net.classifier.weight)
        assert torch.equal(again.stem.conv.weight, net.stem.conv.weight)
    theirs = read_tensors(tmp_path / file, 2**30)
    back = export_state_dict(net, layout)
    assert {key for key in theirs if not find_layout(layout).ignores(key)} == set(back)
    assert all(torch.equal(theirs[key], value) for key, value in back.items())


def test_names_as_the_published_legacy_files_have_them(tmp_path):
    """TensorFlow ends names in :0 and calls a depthwise kernel depthwise_kernel."""
    net = empty_network("efficientnet_b0", spec("efficientnet_b0").tensorflow)
    randomise(net.state_dict().items())
    with h5py.File(tmp_path / "b0.h5", "w") as file:
        for key, tensor in export_state_dict(net, "keras_h5").items():
            layer, variable = key.split("/")
            if "dwconv" in layer:
                variable = "depthwise_kernel"
            file[f"{layer}/{layer}/{variable}:0"] = tensor.numpy()
        for variable in ("mean", "variance", "count"):
            file[f"normalization/normalization/{variable}:0"] = np.ones(3, np.float32)
    again = empty_network("efficientnet_b0", spec("efficientnet_b0").tensorflow)
    assert load_checkpoint(again, tmp_path / "b0.h5").layout == "keras_h5"
    assert torch.equal(again.stages[2][0].depthwise.conv.weight, net.stages[2][0].depthwise.conv.weight)
