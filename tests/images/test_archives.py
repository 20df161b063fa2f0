"""Archives that must not be unpacked, and damage that must not pass."""

import gzip
import io
import random
import tarfile
from pathlib import Path

import pytest

from effnet_edu.ground.archives import BrokenArchiveError, extract

Member = tuple[tarfile.TarInfo, bytes]


def plain(name: str, content: bytes = b"x") -> Member:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def special(name: str, kind: bytes, target: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def tar(*members: Member) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return whole.getvalue()


def packed(*members: Member) -> bytes:
    return gzip.compress(tar(*members), 1, mtime=0)


def chained(kind: bytes, count: int) -> bytes:
    """Headers that each say that the next one has a long name."""
    headers = (special(f"{index}", kind)[0].tobuf(tarfile.GNU_FORMAT) for index in range(count))
    return b"".join(headers) + tar(plain("a"))


def unpack(tmp_path: Path, content: bytes, max_files: int = 20, max_bytes: int = 2**20) -> Path:
    archive = tmp_path / "a.tgz"
    archive.write_bytes(content)
    extract(archive, tmp_path / "out" / "unpacked", max_files, max_bytes)
    return tmp_path / "out" / "unpacked"


def test_an_archive_is_unpacked_once_with_plain_rights(tmp_path: Path) -> None:
    program, content = plain("a/run", b"#!/bin/sh")
    program.mode = 0o4777
    folder = unpack(tmp_path, packed(special("a", tarfile.DIRTYPE), (program, content), plain("a/b/c")))
    assert (folder / "a" / "run").read_bytes() == b"#!/bin/sh"
    assert not (folder / "a" / "run").stat().st_mode & 0o6111
    (folder / "a" / "b" / "c").unlink()
    assert not (unpack(tmp_path, packed(plain("a/b/c"))) / "a" / "b" / "c").exists()


def test_folders_are_counted_once_each(tmp_path: Path) -> None:
    members = [special("a", tarfile.DIRTYPE), *(plain(f"a/b/{number}") for number in range(18))]
    assert len(list((unpack(tmp_path, packed(*members)) / "a" / "b").iterdir())) == 18


LARGE = tar(plain("a", b"y" * 700), plain("b", b"z" * 700))
HOSTILE = {
    "parent": (packed(plain("../evil")), "outside itself"),
    "parent inside": (packed(plain("a/../../evil")), "outside itself"),
    "absolute": (packed(plain("/evil")), "outside itself"),
    "backslash": (packed(plain("..\\evil")), "outside itself"),
    "drive": (packed(plain("C:evil")), "outside itself"),
    "symlink": (packed(special("a", tarfile.SYMTYPE, "/etc"), plain("a/evil")), "no plain file"),
    "hardlink": (packed(plain("a"), special("b", tarfile.LNKTYPE, "a")), "no plain file"),
    "device": (packed(special("null", tarfile.CHRTYPE)), "no plain file"),
    "pipe": (packed(special("pipe", tarfile.FIFOTYPE)), "no plain file"),
    "twice": (packed(plain("a"), plain("a", b"evil")), "one place twice"),
    "file as folder": (packed(plain("a"), plain("a/evil")), "one place twice"),
    "folder as file": (packed(plain("a/b"), plain("a")), "one place twice"),
    "the folder itself": (packed(plain(".")), "one place twice"),
    "many": (packed(*(plain(f"{number}") for number in range(21))), "more than 20 files and folders"),
    "one folder many times": (
        packed(*[special("a", tarfile.DIRTYPE)] * 21),
        "more than 20 files and folders",
    ),
    "many folders": (packed(*(plain(f"{n}/a/b/c/d/e/f/g/h") for n in range(3))), "more than 20 files and"),
    "long part": (packed(plain("a" * 300)), "a name that is too long"),
    "long name": (packed(plain("/".join(["ab"] * 999))), "a name that is too long"),
    "large": (packed(plain("a", bytes(2**21))), "unpacks to more than 1,048,576 bytes"),
    "large name": (packed(plain("a" * 2**21)), "unpacks to more than 1,048,576 bytes"),
    "cut": (packed(plain("a", bytes(range(256)) * 99))[:-300], "is damaged or no archive"),
    "checksum cut": (packed(plain("a"))[:-3], "is damaged or no archive"),
    "without an end": (gzip.compress(LARGE[:1536]), "a header is damaged: empty header"),
    "damaged header": (
        gzip.compress(LARGE[:1536] + b"?" + LARGE[1537:]),
        "damaged: bad checksum",
    ),
    "half a header": (gzip.compress(LARGE[:1800]), "a header is damaged: truncated header"),
    "garbage behind": (packed(plain("a")) + b"x" * 99, "is damaged or no archive"),
    "no archive": (gzip.compress(b"x" * 5000), "is damaged or no archive"),
    "no gzip": (b"x" * 5000, "is damaged or no archive"),
    "empty": (b"", "is damaged or no archive"),
    "long names in long names": (gzip.compress(chained(tarfile.GNUTYPE_LONGNAME, 1500)), "is damaged or no"),
    "extensions in extensions": (gzip.compress(chained(tarfile.XHDTYPE, 1500)), "is damaged or no archive"),
}


@pytest.mark.parametrize(("content", "sentence"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_or_damaged_archive_leaves_nothing_behind(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    with pytest.raises(BrokenArchiveError, match=sentence) as caught:
        unpack(tmp_path, content)
    assert len(str(caught.value)) < 400 + len(str(tmp_path))
    assert {path.name for path in (tmp_path / "out").iterdir()} <= {"unpacked.lock"}
    assert {path.name for path in tmp_path.iterdir()} == {"a.tgz", "out"}


def test_no_flipped_bit_changes_what_is_unpacked(tmp_path: Path) -> None:
    """Each is refused, or lies where gzip keeps what is no content: its time stamp, its system."""
    chance = random.Random(0)  # noqa: S311
    content = packed(plain("a/b", chance.randbytes(3000)), plain("a/c", bytes(500)))
    right = (unpack(tmp_path, content) / "a" / "b").read_bytes()
    refused = 0
    for number in range(100):
        damaged = bytearray(content)
        damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        (folder := tmp_path / str(number)).mkdir()
        try:
            found = unpack(folder, bytes(damaged))
        except BrokenArchiveError:
            refused += 1
        else:
            assert (found / "a" / "b").read_bytes() == right
            assert (found / "a" / "c").read_bytes() == bytes(500)
    assert refused > 90


def test_what_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    left = tmp_path / "out" / "unpacked.part"
    left.mkdir(parents=True)
    (left / "half").touch()
    assert [path.name for path in unpack(tmp_path, packed(plain("whole"))).iterdir()] == ["whole"]
