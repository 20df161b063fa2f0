"""Checkpoints as people have them: prefixes, training states, averages, shards, whole Keras models."""

import argparse
import functools
import gzip
import io
import json
import logging
import operator
import os
import pickle
import random
import re
import time
import zipfile
from collections import OrderedDict, defaultdict
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import effnet_edu as ee
from effnet_edu.checkpoints.layouts import LAYOUTS
from effnet_edu.checkpoints.load import NewWeightsWarning
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import scale
from effnet_edu.model.variants import spec
from tests.checkpoints.parity import randomise

SMALL = scale(spec("efficientnet_b0"), width=0.1, depth=0.3, resolution=64, name="small")


def network(seed=0, num_classes=7, **options):
    net = EfficientNet(SMALL, num_classes, **options)
    randomise(net.state_dict().items(), seed)
    return net.eval()


@pytest.fixture
def net():
    return network(3)


@pytest.fixture
def other():
    return network(1)


def same(one, another):
    return all(torch.equal(value, another.state_dict()[key]) for key, value in one.state_dict().items())


def written(path, thing, **options):
    torch.save(thing, path, **options)
    return path


@pytest.mark.parametrize("prefix", ["model.", "module.", "backbone.", "net.encoder.", "model.module."])
@pytest.mark.parametrize("layout", ["effnet_edu", "timm"])
def test_any_single_prefix(net, other, prefix, layout):
    weights = {prefix + key: value for key, value in ee.export_state_dict(net, layout).items()}
    report = ee.load_checkpoint(other, {**weights, "loss.weight": torch.ones(3)})
    assert same(net, other)
    assert (report.layout, report.place) == (layout, prefix[:-1])
    assert report.left_out == ("loss.weight",)
    assert "left out: loss.weight" in str(report)


def test_wrappers_in_the_middle_of_names(net, other):
    state = net.state_dict()
    weights = {key.replace("stages.1.", "stages.1._orig_mod."): value for key, value in state.items()}
    ee.load_checkpoint(other, weights)
    assert same(net, other)
    twice = {**weights, "stages.1.0.project.conv.weight": state["stages.1.0.project.conv.weight"]}
    with pytest.raises(ValueError, match="twice, wrapped and not"):
        ee.load_checkpoint(other, twice)


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict", "net", "whatever"])
@pytest.mark.parametrize("legacy", [False, True])
def test_a_training_state_is_read_and_what_was_left_out_is_said(net, other, tmp_path, key, legacy):
    optimizer = torch.optim.AdamW(net.parameters())
    net.train()(torch.randn(2, 3, 64, 64)).sum().backward()
    optimizer.step()
    state = {
        "epoch": 3,
        key: net.eval().state_dict(),
        "optimizer": optimizer.state_dict(),
        "args": argparse.Namespace(lr=0.1, opt="sgd"),
        "best": np.float64(0.5),
        "config": SimpleNamespace(a=1),
        "history": defaultdict(list, loss=[1.0]),
        "counts": defaultdict(int, cat=1),
        "optimizer_of": functools.partial(torch.optim.SGD, lr=0.1),
        "frozen": re.compile("stem|head"),
        "order": random.Random(1),  # noqa: S311 - it only lies beside the weights
        "log": logging.getLogger("training"),
        "score": operator.itemgetter("top1"),
        "rng": np.arange(3),
        "device": torch.device("cpu"),
    }
    path = written(tmp_path / "last.pth", state, _use_new_zipfile_serialization=not legacy)
    report = ee.load_checkpoint(other, path)
    assert same(net, other)
    assert report.place == key
    assert {"epoch", "optimizer", "args (argparse.Namespace)"} <= set(report.left_out)
    assert any(name.startswith("best (numpy") for name in report.left_out)
    assert key not in report.left_out


def test_the_pickles_of_every_protocol(net, other, tmp_path):
    for protocol in (2, 3, 4, 5):
        randomise(other.state_dict().items(), 1)
        ee.load_checkpoint(other, written(tmp_path / "net.pth", net.state_dict(), pickle_protocol=protocol))
        assert same(net, other)


def test_raw_and_averaged_weights_as_timm_takes_them(net, other):
    raw, averaged = net.state_dict(), network(5).state_dict()
    for names in (("state_dict", "state_dict_ema"), ("model", "model_ema"), ("net", "shadow_params")):
        found = dict(zip(names, (raw, averaged), strict=True))
        report = ee.load_checkpoint(other, found)
        assert torch.equal(other.head.conv.weight, averaged["head.conv.weight"])
        assert report.place == names[1]
        assert names[0] in report.left_out
        report = ee.load_checkpoint(other, found, use_ema=False)
        assert torch.equal(other.head.conv.weight, raw["head.conv.weight"])
        assert report.place == names[0]


def test_an_average_is_told_by_words_and_not_by_letters(net, other):
    raw = network(5).state_dict()
    for name in ("ModelEMA", "model_avg", "averaged_model", "emaModel", "swa"):
        ee.load_checkpoint(other, {"model": raw, name: net.state_dict()})
        assert same(net, other)
    for name in ("semantic", "swapped", "schema"):
        with pytest.raises(ValueError, match="2 sets of weights of small"):
            ee.load_checkpoint(other, {"model": raw, name: net.state_dict()})


def test_an_average_of_parameters_alone_names_the_way_out(net, other):
    averaged = {name: parameter.detach() for name, parameter in network(5).named_parameters()}
    with pytest.raises(ValueError, match="'ema' without the statistics of batch norm; use_ema=False takes"):
        ee.load_checkpoint(other, {"model": net.state_dict(), "ema": averaged})
    ee.load_checkpoint(other, {"model": net.state_dict(), "ema": averaged}, use_ema=False)
    assert same(net, other)


def test_two_prefixes_in_one_state_dict(net, other):
    averaged = network(5)
    both = {f"model.{key}": value for key, value in net.state_dict().items()}
    both |= {f"ema_model.module.{key}": value for key, value in averaged.state_dict().items()}
    assert ee.load_checkpoint(other, {"state_dict": both}).place == "state_dict.ema_model.module"
    assert same(averaged, other)
    ee.load_checkpoint(other, {"state_dict": both}, use_ema=False)
    assert same(net, other)
    twins = {
        f"{name}.{key}": value for name in ("student", "teacher") for key, value in net.state_dict().items()
    }
    with pytest.raises(ValueError, match="2 sets of weights of small \\('student', 'teacher'\\)"):
        ee.load_checkpoint(other, twins)


def test_an_averaged_model_of_torch(net, other):
    averaged = torch.optim.swa_utils.AveragedModel(net)
    report = ee.load_checkpoint(other, averaged.state_dict())
    assert same(net, other)
    assert report.place == "module (averaged)"


def test_weights_without_a_head(net, other):
    body = {key: value for key, value in ee.export_state_dict(net, "timm").items() if "classifier" not in key}
    with pytest.raises(ValueError, match=r"no classifier .*; transfer=True keeps the weights that fit"):
        ee.load_checkpoint(other, body)
    kept = other.classifier.weight.clone()
    with pytest.warns(NewWeightsWarning):
        report = ee.load_checkpoint(other, body, transfer=True)
    assert report.new == ("classifier.weight", "classifier.bias")
    assert torch.equal(other.classifier.weight, kept)
    assert torch.equal(other.head.conv.weight, net.head.conv.weight)
    features = {key: value for key, value in body.items() if not key.startswith(("conv_head", "bn2"))}
    with pytest.warns(NewWeightsWarning):
        assert "head.conv.weight" in ee.load_checkpoint(other, features, transfer=True).new
    with pytest.raises(ValueError, match="1 missing"):
        ee.load_checkpoint(
            other, {key: body[key] for key in body if key != "conv_stem.weight"}, transfer=True
        )


def test_a_network_without_a_classifier_takes_both(net):
    bare = network(1, num_classes=0)
    report = ee.load_checkpoint(bare, ee.export_state_dict(net, "timm"))
    assert report.left_out == ("classifier.bias", "classifier.weight")
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(net.classifier(bare(x)), net(x))
    exported = ee.export_state_dict(bare, "timm")
    assert "classifier.weight" not in exported
    assert not ee.load_checkpoint(network(2, num_classes=0), exported).new


def test_a_classifier_of_ones_own(net, other):
    own, twin = network(4), network(5)
    for one in (own, twin):
        one.classifier = nn.Sequential(nn.Linear(SMALL.head_channels, 4), nn.ReLU(), nn.Linear(4, 2))
    ee.load_checkpoint(twin, {f"model.{key}": value for key, value in own.state_dict().items()})
    assert same(own, twin)
    head = twin.classifier[0].weight.clone()
    with pytest.raises(ValueError, match="transfer=True"):
        ee.load_checkpoint(twin, ee.export_state_dict(net, "timm"))
    with pytest.warns(NewWeightsWarning):
        report = ee.load_checkpoint(twin, ee.export_state_dict(net, "timm"), transfer=True)
    assert set(report.left_out) == {"classifier.weight", "classifier.bias"}
    assert torch.equal(twin.classifier[0].weight, head)
    assert torch.equal(twin.stem.conv.weight, net.stem.conv.weight)


def test_hugging_face_names():
    """As transformers 5 names B0's tensors; a model's body alone has no `efficientnet.` before them."""
    names = [row.theirs for row in LAYOUTS["huggingface"].rows(spec("efficientnet_b0"))]
    assert {
        "efficientnet.embeddings.convolution.weight",
        "efficientnet.embeddings.batchnorm.running_var",
        "efficientnet.encoder.blocks.0.depthwise_conv.depthwise_conv.weight",
        "efficientnet.encoder.blocks.1.expansion.expand_conv.weight",
        "efficientnet.encoder.blocks.1.expansion.expand_bn.num_batches_tracked",
        "efficientnet.encoder.blocks.15.depthwise_conv.depthwise_norm.bias",
        "efficientnet.encoder.blocks.15.squeeze_excite.reduce.bias",
        "efficientnet.encoder.blocks.15.squeeze_excite.expand.weight",
        "efficientnet.encoder.blocks.15.projection.project_conv.weight",
        "efficientnet.encoder.blocks.15.projection.project_bn.weight",
        "efficientnet.encoder.top_conv.weight",
        "efficientnet.encoder.top_bn.running_mean",
        "classifier.weight",
    } <= set(names)


def test_a_hugging_face_body_alone(net, other):
    theirs = ee.export_state_dict(net, "huggingface")
    body = {
        key.removeprefix("efficientnet."): value for key, value in theirs.items() if "classifier" not in key
    }
    with pytest.warns(NewWeightsWarning):
        report = ee.load_checkpoint(other, body, transfer=True)
    assert report.layout == "huggingface"
    assert torch.equal(other.head.conv.weight, net.head.conv.weight)


@pytest.mark.parametrize("kind", ["model.safetensors", "pytorch_model.bin"])
def test_a_checkpoint_in_several_files(net, other, tmp_path, kind):
    theirs = ee.export_state_dict(net, "huggingface")
    first, _, last = kind.partition(".")
    places = {}
    for number in (1, 2):
        name = f"{first}-{number:05}-of-00002.{last}"
        part = {key: value for at, (key, value) in enumerate(theirs.items()) if at % 2 == number - 1}
        save_file(part, tmp_path / name) if last == "safetensors" else torch.save(part, tmp_path / name)
        places |= dict.fromkeys(part, name)
    index = tmp_path / f"{kind}.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    assert ee.load_checkpoint(other, index).layout == "huggingface"
    assert same(net, other)
    with pytest.raises(ValueError, match="index of several files"):
        ee.load_checkpoint(other, index, sha256="0" * 64)
    for bad in ("../x.bin", "/etc/passwd", "a/b.bin", "..", 3):
        index.write_text(json.dumps({"weight_map": {**places, "x": bad}}))
        with pytest.raises(ValueError, match=r"outside its folder|is no index"):
            ee.load_checkpoint(other, index)
    index.write_text("[" * 100_000)
    with pytest.raises(ValueError, match="is no index"):
        ee.load_checkpoint(other, index)


def keras_file(path, tensors, prefix=""):
    with h5py.File(path, "w") as file:
        for key, tensor in tensors.items():
            layer, _, variable = key.rpartition("/")
            file[f"{prefix}{layer}/{layer}/{variable}:0"] = tensor.numpy()
        file["optimizer_weights/adam/iteration:0"] = np.int64(3)
    return path


def test_a_whole_keras_model(net, other, tmp_path):
    path = keras_file(tmp_path / "m.h5", ee.export_state_dict(net, "keras_h5"), "model_weights/")
    ee.load_checkpoint(other, path)
    assert torch.equal(other.classifier.weight, net.classifier.weight)
    inner = io.BytesIO()
    with h5py.File(inner, "w") as file:
        for key, tensor in ee.export_state_dict(net, "keras_weights_h5").items():
            file[key] = tensor.numpy()
        file["optimizer/vars/0"] = np.int64(3)
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "m.keras", "w", compression) as archive:
            archive.writestr("metadata.json", "{}")
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", inner.getvalue())
        randomise(other.state_dict().items(), 1)
        if compression == zipfile.ZIP_STORED:
            ee.load_checkpoint(other, tmp_path / "m.keras")
            assert torch.equal(other.head.conv.weight, net.head.conv.weight)
        else:
            with pytest.raises(ValueError, match="compressed"):
                ee.load_checkpoint(other, tmp_path / "m.keras")


def test_a_network_inside_a_keras_model(net, other, tmp_path):
    theirs = ee.export_state_dict(net, "keras_weights_h5")
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        for key, tensor in theirs.items():
            if not key.startswith("layers/dense"):
                file[f"layers/functional/{key}"] = tensor.numpy()
        file["layers/dense/vars/0"] = np.zeros((4, 2), np.float32)
    with pytest.warns(NewWeightsWarning):
        report = ee.load_checkpoint(other, tmp_path / "m.weights.h5", transfer=True)
    assert report.place == "layers/functional"
    assert report.left_out == ("layers/dense/vars/0",)
    assert torch.equal(other.head.conv.weight, net.head.conv.weight)


def test_folders_and_programs_name_the_way_out(net, other, tmp_path):
    (tmp_path / "saved").mkdir()
    with pytest.raises(FileNotFoundError, match="a folder; name the file of weights in it"):
        ee.load_checkpoint(other, tmp_path / "saved")
    (tmp_path / "saved" / "saved_model.pb").touch()
    with pytest.raises(FileNotFoundError, match="SavedModel; save its weights with"):
        ee.load_checkpoint(other, tmp_path / "saved")
    scripted = tmp_path / "net.pt"
    with pytest.warns(DeprecationWarning, match="deprecated"):
        torch.jit.save(torch.jit.trace(net, torch.zeros(1, 3, 64, 64)), scripted)
    with pytest.raises(ValueError, match=r"TorchScript program; .*torch\.jit\.load"):
        ee.load_checkpoint(other, scripted)
    whole = written(tmp_path / "whole.pth", net)
    with pytest.raises(ValueError, match=r"effnet_edu.*, not names with tensors; save net\.state_dict\(\)"):
        ee.load_checkpoint(other, whole)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("net.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        ("net.pth", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("net.pth", b"<!DOCTYPE html><html>", "is a web page; fetch the file behind it"),
        ("net.pth.gz", gzip.compress(b"x", mtime=0), "is packed with gzip; unpack it first"),
        ("net.pth", b"", "net.pth is empty"),
    ],
)
def test_what_is_no_file_of_weights_is_named(other, tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        ee.load_checkpoint(other, tmp_path / name)


def test_a_state_without_tensors_names_the_way_out(net, other):
    for found in ({}, {key: value.numpy() for key, value in net.state_dict().items()}):
        with pytest.raises(ValueError, match=r"holds no tensors; save net\.state_dict\(\) instead"):
            ee.load_checkpoint(other, found)


def test_views_into_one_buffer(net, other, tmp_path):
    state = net.state_dict()
    flat = torch.cat([value.flatten() for value in state.values() if value.is_floating_point()])
    views, at = OrderedDict(), 0
    for key, value in state.items():
        if value.is_floating_point():
            views[key] = flat[at : at + value.numel()].view(value.shape)
            at += value.numel()
    for legacy in (False, True):
        randomise(other.state_dict().items(), 1)
        path = written(tmp_path / "views.pth", views, _use_new_zipfile_serialization=not legacy)
        ee.load_checkpoint(other, path)
        assert torch.equal(other.head.conv.weight, net.head.conv.weight)


def test_numbers_beyond_what_the_network_holds_are_refused(net, other):
    state = {key: value.clone() for key, value in net.double().state_dict().items()}
    net.float()
    ee.load_checkpoint(other, state)
    assert same(net, other)
    state["stem.conv.weight"][0] = 1e39
    with pytest.raises(ValueError, match=r"float64 that torch\.float32 cannot hold"):
        ee.load_checkpoint(other, state)
    assert same(net, other)


@pytest.mark.parametrize("digits", ["", "7", "sha256:" + "0" * 64, "0" * 63, "g" * 64])
def test_a_hash_is_whole(net, other, tmp_path, digits):
    path = written(tmp_path / "net.pth", net.state_dict())
    with pytest.raises(ValueError, match=r"sha256 is .*; it must be a hash's 64 digits"):
        ee.load_checkpoint(other, path, sha256=digits)


def test_a_file_is_read_once(net, other, tmp_path, monkeypatch):
    """What was hashed is what is loaded, whatever lies at the path afterwards."""
    import hashlib

    path = written(tmp_path / "net.pth", net.state_dict())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    swapped = written(tmp_path / "swapped.pth", network(9).state_dict())
    check = ee.load_checkpoint.__globals__["check_hash"]

    def check_and_swap(*arguments):
        check(*arguments)
        os.replace(swapped, path)  # noqa: PTH105

    monkeypatch.setitem(ee.load_checkpoint.__globals__, "check_hash", check_and_swap)
    ee.load_checkpoint(other, path, sha256=digest.upper())
    assert same(net, other)


def test_sizes_come_before_hashes(other, tmp_path, monkeypatch):
    path = tmp_path / "large.pth"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match="holds 1,099,511,627,776 bytes"):
        ee.load_checkpoint(other, path, sha256="0" * 64)


def test_a_packed_chunk_is_not_unpacked(net, other, tmp_path):
    path = keras_file(tmp_path / "m.h5", ee.export_state_dict(net, "keras_h5"))
    with h5py.File(path, "a") as file:
        file.create_dataset("bomb/kernel", (4,), "f4", chunks=(4,), compression="gzip", data=np.zeros(4))
    with pytest.raises(ValueError, match="is compressed"):
        ee.load_checkpoint(other, path)


@pytest.mark.thorough
def test_deep_groups_and_many_marks_end_soon(net, other, tmp_path):
    path = tmp_path / "deep.h5"
    with h5py.File(path, "w") as file:
        group = file
        for _ in range(300):
            group = group.create_group("g")
        group["x"] = np.zeros(3, np.float32)
    begun = time.process_time()
    with pytest.raises(ValueError, match="deeper ones"):
        ee.load_checkpoint(other, path)
    for content in (b"(" * 3_000_000, b"(" * 3_000_000 + b".", b"]" * 3_000_000, b"N0" * 2_000_000):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("a/data.pkl", b"\x80\x02" + content)
        for whole in (content, archive.getvalue()):
            (tmp_path / "marks.pth").write_bytes(whole)
            with pytest.raises(ValueError, match="far more beside its tensors"):
                ee.load_checkpoint(other, tmp_path / "marks.pth")
    assert time.process_time() - begun < 60  # of the processor's own seconds; hours without the bound


class _Calls:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def test_what_a_pickle_calls_beside_the_weights_never_runs(net, other, tmp_path):
    canary = tmp_path / "canary"
    for function, arguments, refused in (
        (os.system, (f"touch {canary}",), True),
        (eval, (f"open({str(canary)!r}, 'w')",), True),
        (exec, (f"open({str(canary)!r}, 'w')",), True),
        (getattr, ("text", "upper"), True),
        (pickle.loads, (b"N.",), True),
        (np.save, (str(canary), 1), False),
        (torch.save, ({}, str(canary)), False),
        (torch.hub.download_url_to_file, ("http://127.0.0.1:9/", str(canary)), False),
    ):
        randomise(other.state_dict().items(), 1)
        state = {"state_dict": net.state_dict(), "x": _Calls(function, *arguments)}
        path = written(tmp_path / "hostile.pth", state)
        if refused:
            with pytest.raises(ValueError, match=r"refers to .*so it is not read"):
                ee.load_checkpoint(other, path)
        else:
            report = ee.load_checkpoint(other, path)
            assert any(name.startswith("x (") for name in report.left_out)
        assert not canary.exists()
