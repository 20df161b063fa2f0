"""What was measured on this device within the hour, kept in a folder that a class shares.

One device and three hundred learners who let the same slider rest are a queue of half an hour for one number.
With a folder in EFFNET_EDU_MEASURED the first of them measures, and the others are answered from there.

Everybody of the class can write into the folder, so nothing in it is trusted: links are not followed, files
are plain JSON of bounded size, and each value has the type and the range that it is declared with. What
remains is that somebody may write a false time on purpose; one's own measurement never reads the folder.
"""

import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from platform import node
from typing import Any

import torch

from effnet_edu import __version__
from effnet_edu.ground.atomic import atomic_path
from effnet_edu.ground.typed_json import typed
from effnet_edu.labs.frame.in_page import PageTiming
from effnet_edu.profiling.device import as_device, device_key, device_name
from effnet_edu.profiling.layer_time import LayerTime
from effnet_edu.profiling.layers import LayerProfile
from effnet_edu.profiling.roof_lines import Ceilings
from effnet_edu.profiling.roofs import RooflinePoint
from effnet_edu.profiling.training_cost import TrainingMeasurement
from effnet_edu.profiling.turn import TurnFile

#: For so long a measurement is taken for one of now.
FRESH_SECONDS = 3600.0
#: Of the largest file that is read or written.
MOST_BYTES = 2**23
#: Raised when the way of measuring or of writing changes.
METHOD = 1
#: What a lab's results are made of and their modules name for the type checker alone.
_OTHERS = (Ceilings, LayerProfile, LayerTime, PageTiming, RooflinePoint, TrainingMeasurement)


@dataclass(frozen=True)
class SharedMeasurement:
    """The place of one measurement in the folder.

    Attributes:
        folder: The folder.
        key: Everything that the measurement depends on, as JSON.
    """

    folder: Path
    key: str

    @property
    def path(self) -> Path:
        """The file, whether it is there or not."""
        return self.folder / f"{sha256(self.key.encode()).hexdigest()[:40]}.json"

    def read(self, kind: Any) -> tuple[float, Any] | None:
        """Return when it was measured, in seconds since 1970, and what was found, if within the hour.

        A file that is damaged, too large, of another type or not to be read is as good as none.

        Args:
            kind: The type of what was found.
        """
        try:
            with open(self.path, "rb", opener=_open_plainly) as file:
                content = file.read(MOST_BYTES + 1)
            held = json.loads(content) if len(content) <= MOST_BYTES else {}
            at = typed(float, held["at"])
            if held["key"] != self.key or not 0 <= time.time() - at <= FRESH_SECONDS:
                return None
            return at, typed(kind, held["found"], _OTHERS)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def write(self, found: Any) -> None:
        """Keep what was found now, whole or not at all; a folder that takes no file changes nothing.

        Args:
            found: A dataclass.
        """
        content = json.dumps({"at": time.time(), "key": self.key, "found": asdict(found)}).encode()
        if len(content) > MOST_BYTES:
            return
        with suppress(OSError), atomic_path(self.path) as temporary:
            temporary.write_bytes(content)
            temporary.chmod(0o644)  # a strict umask would keep it from the others

    @contextmanager
    def turn(self) -> Iterator[Callable[[], bool]]:
        """Hold what tries, and says, whether one is the only one who measures it; without locks all do."""
        try:
            file = TurnFile(self.path.with_suffix(".lock"))
        except OSError:
            yield lambda: True
            return

        def is_alone() -> bool:
            try:
                return file.try_lock()
            except OSError:  # such as a network folder that locks no file opened for reading
                return True

        try:
            yield is_alone
        finally:
            with suppress(OSError):
                file.unlock()
            file.close()


def shared_measurement(
    folder: Path, lab: str, device: str, setting: Any, part: str = ""
) -> SharedMeasurement:
    """Return the place of a measurement.

    Args:
        folder: The folder.
        lab: Name of the lab.
        device: Type of the device.
        setting: A dataclass with all that the measurement depends on.
        part: Which of several results of this setting.
    """
    place = as_device(device)
    versions = [METHOD, __version__, torch.__version__]
    where = [_machine(), device_key(place), device_name(place)]
    return SharedMeasurement(
        folder, json.dumps([lab, asdict(setting), part, where, versions], sort_keys=True)
    )


def minutes_ago(at: float) -> str:
    """Return how long ago something was, in words.

    Args:
        at: When, in seconds since 1970.
    """
    minutes = int(max(0.0, time.time() - at) // 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'} ago" if minutes else "less than a minute ago"


def _open_plainly(path: str, flags: int) -> int:
    """Open what is a plain file, and follow no link."""
    safely = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags | safely)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no plain file.")
    return descriptor


def _machine() -> str:
    """Return what tells a machine from others, the same in all of its containers."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return node()
