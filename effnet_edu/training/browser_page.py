"""A page that runs a fine-tuned network in a browser by itself: one file, opened by a double click."""

import base64
import gzip
import html
import json
import re
from dataclasses import asdict
from pathlib import Path
from string import Template

import effnet_edu.images
from effnet_edu.ground.onnxruntime_web import VERSION
from effnet_edu.ground.preprocessing import TrainedOn

_HERE, _IMAGES = Path(__file__).parent, Path(effnet_edu.images.__file__).parent
#: A network that is larger, some browsers would refuse to hold as text in a page.
MOST_BYTES = 2**27
_CLASSES_NAMED = 12


def browser_page(
    title: str,
    accuracy: str,
    trained_on: TrainedOn,
    in_channels: int,
    graph: bytes,
    runtime: tuple[bytes, bytes],
) -> str:
    """Return a page that reads a picture, prepares it as the library does, and classifies it.

    It holds the network and onnxruntime-web, and its own policy forbids it every connection.

    Args:
        title: What the network is.
        accuracy: A sentence that says how far to trust it.
        trained_on: The classes in the order of the outputs, and what pictures go through.
        in_channels: 3 for colour, 1 for grey.
        graph: The network as an ONNX file with the input `images` and the output `logits`.
        runtime: The module of JavaScript and the engine, from `onnxruntime_web`.

    Raises:
        ValueError: The network is larger than browsers take as a part of a page.
    """
    if len(graph) > MOST_BYTES:
        raise ValueError(
            f"The network has {len(graph) / 2**20:,.0f} MiB; a page holds {MOST_BYTES / 2**20:.0f} at most."
        )
    how, names = trained_on.preprocessing, trained_on.class_names
    script, wasm = runtime
    sizes = {"network": _megabytes(len(graph)), "runtime": _megabytes(len(script) + len(wasm))}
    about = {
        "classes": names,
        "how": asdict(how.in_grey if in_channels == 1 else how),
        "channels": in_channels,
        **sizes,
    }
    named = ", ".join(names[:_CLASSES_NAMED]) + (", ..." if len(names) > _CLASSES_NAMED else "")
    words = {"title": title, "accuracy": accuracy, "classes": f"{len(names)} classes: {named}"}
    return Template((_HERE / "browser_page.html").read_text(encoding="utf-8")).substitute(
        {name: html.escape(text) for name, text in words.items()},
        about=json.dumps(about).replace("<", "\\u003c"),  # a class may be called </script>
        script=_packed(script),
        wasm=_packed(wasm),
        graph=_packed(graph),
        code=_code(),
        version=VERSION,
        **sizes,
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode("ascii")


def _code() -> str:
    """Return the page's code with the modules that it imports in place of the imports."""
    parts = [_IMAGES / "answers.js", _IMAGES / "pixels.js", _HERE / "browser_page.js"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in parts)
    return re.sub(r"^(import .*\n|export )", "", code, flags=re.MULTILINE)
