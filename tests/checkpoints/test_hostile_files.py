"""More than 500 damaged and hostile files: no code runs, none loads silently, the network stays as it was."""

import contextlib
import hashlib
import io
import json
import pickle
import random
import struct
import tarfile
import zipfile
from collections import OrderedDict

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save as safetensors_bytes

from effnet_edu.checkpoints.layouts import LAYOUTS
from effnet_edu.checkpoints.load import export_state_dict, load_checkpoint
from effnet_edu.model.network import EfficientNet
from effnet_edu.model.specs import scale
from effnet_edu.model.variants import spec
from tests.checkpoints.parity import randomise

SMALL = scale(spec("efficientnet_b0"), width=0.1, depth=0.3, resolution=64, name="small")
tried = 0  # files of this module, counted


@pytest.fixture(scope="module")
def net():
    net = EfficientNet(SMALL, num_classes=7)
    randomise(net.state_dict().items(), seed=3)
    return net.eval()


@pytest.fixture(scope="module")
def other():
    """A network with other weights, which a failed load must leave alone."""
    return EfficientNet(SMALL, num_classes=7).eval()


@pytest.fixture(scope="module")
def state(net):
    return export_state_dict(net, "torchvision")


@pytest.fixture(scope="module")
def files(net, state, tmp_path_factory):
    """Return a sound file of each kind, as bytes."""
    folder = tmp_path_factory.mktemp("sound")
    torch.save(state, folder / "new.pth")
    torch.save(state, folder / "old.pth", _use_new_zipfile_serialization=False)
    sound = {
        "new.pth": (folder / "new.pth").read_bytes(),
        "old.pth": (folder / "old.pth").read_bytes(),
        "net.safetensors": safetensors_bytes(state),
    }
    for layout, name in (("keras_h5", "net.h5"), ("keras_weights_h5", "net.weights.h5")):
        with h5py.File(folder / name, "w") as file:
            for key, tensor in export_state_dict(net, layout).items():
                layer, _, variable = key.rpartition("/")
                file[key if layout == "keras_weights_h5" else f"{layer}/{layer}/{variable}"] = tensor.numpy()
        sound[name] = (folder / name).read_bytes()
    return sound


@pytest.fixture
def refuses(other, tmp_path):
    """Return a check that a file, or a state dict, is refused with one sentence and changes nothing."""

    def check(what, name="file.pth", words="", **options):
        global tried
        tried += 1
        if isinstance(what, bytes):
            path = tmp_path / name
            path.write_bytes(what)
            what = path
        before = {key: value.clone() for key, value in other.state_dict().items()}
        with pytest.raises((ValueError, FileNotFoundError)) as refused:
            load_checkpoint(other, what, **options)
        sentence = str(refused.value)
        assert sentence.strip()
        assert words in sentence
        assert "\n" not in sentence
        assert len(sentence) < 700
        assert all(torch.equal(before[key], value) for key, value in other.state_dict().items())

    return check


def test_the_sound_files_load(net, files, tmp_path):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        again = EfficientNet(SMALL, num_classes=7, conventions=SMALL.torchvision)
        report = load_checkpoint(again, tmp_path / name)
        assert not report.new
        assert torch.equal(again.classifier.weight, net.classifier.weight)


@pytest.mark.parametrize("name", ["new.pth", "old.pth", "net.safetensors", "net.h5", "net.weights.h5"])
def test_truncated(name, files, refuses):
    content = files[name]
    for part in range(24):
        refuses(content[: len(content) * part // 24], name)
    for missing in (1, 2, 3, 8):
        refuses(content[:-missing], name)


@pytest.mark.parametrize("name", ["new.pth", "old.pth", "net.safetensors", "net.h5", "net.weights.h5"])
def test_flipped_bits_with_a_hash(name, files, refuses):
    digest = hashlib.sha256(files[name]).hexdigest()
    for seed in range(12):
        refuses(_flipped(files[name], random.Random(seed)), name, sha256=digest)  # noqa: S311


def _flipped(content, generator, start=0, end=None):
    damaged = bytearray(content)
    damaged[generator.randrange(start, end or len(content))] ^= 1 << generator.randrange(8)
    return bytes(damaged)


def test_flipped_bits_without_a_hash(net, files, other, tmp_path):
    """An archive of torch.save has checksums: a flip is refused, or it hit filling and changed no weight."""
    global tried
    refused = 0
    for seed in range(80):
        tried += 1
        path = tmp_path / "flipped.pth"
        path.write_bytes(_flipped(files["new.pth"], random.Random(seed)))  # noqa: S311
        again = EfficientNet(SMALL, num_classes=7, conventions=SMALL.torchvision)
        try:
            load_checkpoint(again, path)
        except ValueError:
            refused += 1
            continue
        state = again.state_dict()
        assert all(torch.equal(state[key], value) for key, value in net.state_dict().items())
    assert refused > 40


def test_flipped_bits_in_a_header(files, refuses, net, tmp_path):
    """The header of a safetensors file, bit by bit: refused, or the very same weights."""
    global tried
    content = files["net.safetensors"]
    header = struct.unpack("<Q", content[:8])[0]
    for seed in range(60):
        tried += 1
        path = tmp_path / "flipped.safetensors"
        path.write_bytes(_flipped(content, random.Random(seed), 0, 8 + header))  # noqa: S311
        again = EfficientNet(SMALL, num_classes=7, conventions=SMALL.torchvision)
        try:
            load_checkpoint(again, path)
        except ValueError:
            continue
        state = again.state_dict()
        assert all(torch.equal(state[key], value) for key, value in net.state_dict().items())


class _Payload:
    """Pickles as a call, the way an attacker writes it."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def _payloads(canary):
    import os
    import shutil
    import subprocess
    import webbrowser

    write = f"open({str(canary)!r}, 'w').close()"
    return [
        _Payload(os.system, f"touch {canary}"),
        _Payload(eval, write),
        _Payload(exec, write),
        _Payload(subprocess.call, ["touch", str(canary)]),
        _Payload(open, str(canary), "w"),
        _Payload(shutil.copy, "/etc/hostname", str(canary)),
        _Payload(getattr, "text", "upper"),
        _Payload(__import__, "antigravity"),
        _Payload(webbrowser.open, "http://127.0.0.1:9/"),
        _Payload(torch.load, str(canary)),
        _Payload(torch.hub.download_url_to_file, "http://127.0.0.1:9/", str(canary)),
        _Payload(np.save, str(canary), 1),
        _Payload(bytearray, 10**12),
        _Payload(type, "Made", (), {}),
    ]


def _zip_of(pickled, extra=(), root="archive", compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr(f"{root}/data.pkl", pickled)
        archive.writestr(f"{root}/version", "3\n")
        for name, content in extra:
            archive.writestr(name, content)
    return file.getvalue()


def _old_file_of(pickled):
    magic = 0x1950A86A20F9469CFC6C
    system = {
        "protocol_version": 1001,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    return (
        pickle.dumps(magic, 2)
        + pickle.dumps(1001, 2)
        + pickle.dumps(system, 2)
        + pickled
        + pickle.dumps([], 2)
    )


@pytest.mark.parametrize("container", ["bare", "zip", "old"])
def test_pickles_that_call_something(container, refuses, tmp_path):
    canary = tmp_path / "canary"
    wrap = {"bare": lambda pickled: pickled, "zip": _zip_of, "old": _old_file_of}[container]
    for protocol in (0, 2, 4, 5):
        for payload in _payloads(canary):
            refuses(wrap(pickle.dumps({"features.0.0.weight": payload}, protocol)))
            assert not canary.exists()


def test_a_pickle_before_an_archive(files, refuses, tmp_path):
    """What two readers could each take for their own kind of file."""
    canary = tmp_path / "canary"
    for payload in _payloads(canary):
        refuses(_old_file_of(pickle.dumps(payload, 2)) + files["new.pth"])
        refuses(pickle.dumps(payload, 2) + files["new.pth"])
        assert not canary.exists()


def test_missing_and_unknown_names(state, refuses):
    keys = [key for key in state if "num_batches" not in key]
    for key in keys[::2]:
        refuses({name: value for name, value in state.items() if name != key})
    for number, key in enumerate(keys[::2]):
        refuses({**state, f"{key}_{number}": state[key]})


def test_other_names(net, state, refuses):
    for prefix in ("x", "x-"):
        refuses({prefix + key: value for key, value in state.items()})
    for old, new in (("features", "feature"), ("block", "blocks"), ("weight", "w"), (".0.", ".9.")):
        refuses({key.replace(old, new): value for key, value in state.items()})
    for right in set(LAYOUTS) - {"keras_h5", "keras_weights_h5"}:
        for wrong in set(LAYOUTS) - {right}:
            refuses(export_state_dict(net, right), layout=wrong)
    refuses({**state, "module.classifier.1.bias": state["classifier.1.bias"]})
    refuses({})
    refuses(export_state_dict(EfficientNet(spec("efficientnet_b0"), device="meta"), "timm"))


def test_wrong_shapes(state, refuses):
    weights = [key for key in state if state[key].ndim > 0]
    for key in weights[::3]:
        value = state[key]
        refuses({**state, key: value.flatten()[:-1]})
        refuses({**state, key: torch.cat([value, value])})
        refuses({**state, key: value[None]})
    for shape in ((10**9,), (10**5, 10**5), (10**4, 10**4, 10**4)):
        refuses({**state, weights[0]: torch.zeros(1).expand(shape)})
        refuses({**state, "classifier.1.weight": torch.zeros(1).expand(shape)}, transfer=True)


def test_wrong_values(state, refuses):
    floats = [key for key in state if state[key].is_floating_point()]
    for number, key in enumerate(floats[::3]):
        bad = state[key].clone()
        bad.view(-1)[number % bad.numel()] = (float("nan"), float("inf"), -float("inf"))[number % 3]
        refuses({**state, key: bad})
    for key in [key for key in floats if key.endswith("running_var")][:6]:
        refuses({**state, key: -state[key]})


def test_wrong_kinds(state, refuses):
    key = "features.0.0.weight"
    value = state[key]
    for bad in (
        value.int(),
        value.bool(),
        value.to(torch.complex64),
        value.to_sparse(),
        value.to("meta"),
        torch.quantize_per_tensor(value, 0.1, 0, torch.qint8),
        value.numpy(),
        value.tolist(),
        "weights",
        None,
        {"nested": value},
    ):
        refuses({**state, key: bad})
    refuses({**state, 3: value})
    refuses({**state, "features.0.1.num_batches_tracked": torch.tensor(1.5)})


def test_files_with_something_else_in_them(state, refuses):
    for thing in ([1, 2], "text", 3, {"state_dict": 3}, {"epoch": 3}, OrderedDict(state_dict={}), (state,)):
        file = io.BytesIO()
        torch.save(thing, file)
        refuses(file.getvalue())
    net = torch.nn.Linear(2, 2)
    for thing in (net, torch.optim.SGD(net.parameters(), 0.1), np.float64(3)):
        file = io.BytesIO()
        torch.save(thing, file)
        refuses(file.getvalue())
    scripted = io.BytesIO()
    torch.jit.save(torch.jit.script(net), scripted)
    refuses(scripted.getvalue())
    for content in (b"", b"\0" * 1000, b"<html>not found</html>", random.Random(1).randbytes(5000)):  # noqa: S311
        for name in ("x.pth", "x.safetensors", "x.h5", "x"):
            refuses(content, name)
    refuses("no/such/file.pth")


def test_archives_that_reach_outside(files, state, refuses, tmp_path):
    pickled = zipfile.ZipFile(io.BytesIO(files["new.pth"])).read("new/data.pkl")
    for name in (
        "../canary",
        "/canary",
        "archive/../../canary",
        "..\\canary",
        "C:\\canary",
        "archive/..",
    ):
        refuses(_zip_of(pickled, [(name, "x")]))
        refuses(_zip_of(pickled, root=name))
    for name in ("../canary", "/canary", "a/../../canary"):
        for kind in (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE):
            for mode in ("w", "w:gz", "w:bz2"):
                file = io.BytesIO()
                with tarfile.open(fileobj=file, mode=mode) as archive:
                    entry = tarfile.TarInfo(name)
                    entry.type, entry.linkname, entry.size = (
                        kind,
                        "/etc/passwd",
                        1 if kind == tarfile.REGTYPE else 0,
                    )
                    archive.addfile(entry, io.BytesIO(b"x"))
                refuses(file.getvalue(), "net.tar")
    assert not list(tmp_path.parent.glob("canary*"))
    assert not list(tmp_path.parent.parent.glob("canary*"))


def test_sizes_are_bounded_before_they_are_read(files, refuses):
    with zipfile.ZipFile(io.BytesIO(files["new.pth"])) as archive:
        pickled = archive.read("new/data.pkl")
    refuses(_zip_of(pickled, [("archive/data/0", b"\0" * 2**26)], compression=zipfile.ZIP_DEFLATED))
    refuses(_zip_of(pickled, [("archive/data/0", b"\0" * 2**12)], compression=zipfile.ZIP_DEFLATED))
    refuses(_zip_of(pickled, [("archive/data.pkl", pickled)]))
    refuses(b"\0" * 2**26)
    lying = bytearray(files["new.pth"])
    for at in [place for place in range(len(lying)) if lying[place : place + 4] == b"PK\x01\x02"]:
        lying[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)  # the size in the central directory
    refuses(bytes(lying))
    for numel in (10**9, 10**12, 10**18, -1):
        refuses(_old_file_of(_storage_pickle(numel)), words="announces more numbers than it has bytes")
        refuses(_zip_of(_storage_pickle(numel), [("archive/data/0", b"\0" * 4)]))
    # The length comes from the memo, where a look at the last number would not see it.
    number = b"\x8a\x08" + struct.pack("<q", 10**12) + b"q\x07" + b"0"
    refuses(_old_file_of(b"\x80\x02" + number + _storage_pickle(4)[2:].replace(b"K\x04", b"h\x07", 1)))
    for header in (
        {"features.0.0.weight": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}},
        {"features.0.0.weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
        {"features.0.0.weight": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}},
        {"features.0.0.weight": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]}},
    ):
        text = json.dumps(header).encode()
        refuses(struct.pack("<Q", len(text)) + text + b"\0" * 4, "x.safetensors")
    refuses(struct.pack("<Q", 2**62) + b"{}", "x.safetensors")
    empty = {
        f"k{number}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for number in range(150_000)
    }
    text = json.dumps(empty).encode()
    refuses(struct.pack("<Q", len(text)) + text, "x.safetensors", words="has names of")


def _storage_pickle(numel):
    number = b"K" + bytes([numel]) if 0 <= numel < 256 else b"\x8a\x08" + struct.pack("<q", numel)
    words = b"".join(b"X" + struct.pack("<I", len(word)) + word for word in (b"storage",))
    key, place = (b"X" + struct.pack("<I", len(word)) + word for word in (b"0", b"cpu"))
    storage = b"(" + words + b"ctorch\nFloatStorage\n" + key + place + number + b"NtQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00K\x01\x85K\x01\x85\x89}tR"
    return b"\x80\x02}X\x01\x00\x00\x00a" + tensor + b"s."


def test_hdf5_that_reaches_outside(net, refuses, tmp_path):
    tensors = export_state_dict(net, "keras_h5")

    def write(name, spoil):
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            for key, tensor in list(tensors.items())[1:]:
                layer, variable = key.split("/")
                file[f"{layer}/{layer}/{variable}"] = tensor.numpy()
            spoil(file)
        return path

    _, tensor = next(iter(tensors.items()))
    (tmp_path / "raw").write_bytes(tensor.numpy().tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["w"] = tensor.numpy()
    place = "stem_conv/stem_conv/kernel"
    layout = h5py.VirtualLayout(tensor.shape, "f4")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "w", tensor.shape)
    size = tensor.numel() * 4
    for name, spoil in {
        "external_link.h5": lambda file: file.__setitem__(place, h5py.ExternalLink("other.h5", "w")),
        "soft_link.h5": lambda file: file.__setitem__(place, h5py.SoftLink("/stem_bn/stem_bn/gamma")),
        "virtual.h5": lambda file: file.create_virtual_dataset(place, layout),
        "external.h5": lambda file: file.create_dataset(
            place, tensor.shape, "f4", external=[(str(tmp_path / "raw"), 0, size)]
        ),
        "bomb.h5": lambda file: file.create_dataset(
            place, (10**11,), "f4", chunks=(10**6,), compression="gzip"
        ),
        "twice.h5": lambda file: file.__setitem__(
            "stem_bn/again/gamma", file["stem_bn/stem_bn/gamma"][()] * 2
        ),
        "text.h5": lambda file: file.__setitem__(place, "text"),
        "loop.h5": lambda file: file.__setitem__("stem_conv/loop", file["/"]),
        "missing.h5": lambda _: None,
        "nan.h5": lambda file: file.__setitem__(place, np.full(tensor.shape, np.nan, np.float32)),
    }.items():
        refuses(write(name, spoil))


def test_hdf5_with_flipped_bits_never_crashes(files, net, tmp_path):
    """HDF5 has no checksums here: a changed weight passes unless a hash is given, and a crash must not be."""
    global tried
    for name in ("net.h5", "net.weights.h5"):
        for seed in range(12):
            tried += 1
            path = tmp_path / name
            path.write_bytes(_flipped(files[name], random.Random(seed), 0, 40_000))  # noqa: S311
            again = EfficientNet(SMALL, num_classes=7)
            with contextlib.suppress(ValueError):
                load_checkpoint(again, path)


def test_a_folder_and_a_published_name(refuses, tmp_path, files):
    (tmp_path / "folder.pth").mkdir()
    refuses(tmp_path / "folder.pth")
    # A file that bears a published name must be the published file.
    refuses(files["new.pth"], "efficientnet_b0_rwightman-7f5810bc.pth")


def test_it_was_more_than_500_files():
    assert tried >= 500
