"""Tar shards: the pictures that they hold, and all that they must not."""

import tarfile

import pytest
import torch

from effnet_edu.images import image_folder, stream_folder, stream_shards
from effnet_edu.images.reader import MOST_BYTES
from tests.images.packed import jpeg, samples, write_folder, write_shard

CAT = [("cat.jpg", jpeg(0, 0)), ("cat.cls", b"0")]
DOG = [("dog.jpg", jpeg(99, 1)), ("dog.cls", b"1\n")]


def pixels(images) -> torch.Tensor:
    return torch.cat(list(images.batches(torch.arange(len(images)).split(3))))


def test_a_stream_has_the_pixels_and_classes_of_the_folder_in_memory(tmp_path):
    folder = write_folder(tmp_path / "mine", 7)
    whole, stream = image_folder(folder, 12), stream_folder(folder, 12)
    members = samples(folder)
    for number, part in enumerate((members[:6], members[6:])):
        write_shard(tmp_path / f"part-{number:02}.tar", part)
    names = whole.class_names
    packed = stream_shards(str(tmp_path / "part-{00..01}.tar"), 12, class_names=names)
    for images in (stream, packed):
        assert images.labels.equal(whole.labels)
        assert images.class_names == names
        assert pixels(images).equal(whole.images)
        assert pixels(images.resized(8)).equal(whole.resized(8).images)
        few = images.subset(3, seed=1)
        assert pixels(few).equal(whole.subset(3, seed=1).images)
        assert few.files == tuple(
            images.files[index] for index in range(7) if images.files[index] in few.files
        )
    assert stream.files == whole.files
    assert packed.files[0] == "part-00.tar/dark/00000.jpg"
    assert repr(packed).startswith("part-00.tar to part-01.tar: 7 images of 2 classes, 3 x 12 x 12; ")


def test_other_fields_hidden_files_and_folders_are_passed_over(tmp_path):
    folder = tarfile.TarInfo("more")
    folder.type = tarfile.DIRTYPE
    more = [
        folder,
        ("more/cat.json", b"{}"),
        ("more/._cat.jpg", b"?"),
        ("cat.seg.png", b"?"),
        ("README", b""),
    ]
    images = stream_shards(write_shard(tmp_path / "a.tar", [*CAT, *more, *DOG]), 8)
    assert images.files == ("a.tar/cat.jpg", "a.tar/dog.jpg")
    assert images.class_names == ("0", "1")


def header(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, **pax: str) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size, found.pax_headers = kind, "/etc/passwd", size, pax
    return found


HOSTILE = {
    "link": ([header("dog.jpg", tarfile.SYMTYPE)], r"'dog\.jpg', which is no plain file"),
    "hard link": ([header("dog.jpg", tarfile.LNKTYPE)], r"'dog\.jpg', which is no plain file"),
    "device": ([header("dog.jpg", tarfile.CHRTYPE)], r"'dog\.jpg', which is no plain file"),
    "sparse": (
        [header("dog.jpg", **{"GNU.sparse.size": "9", "GNU.sparse.map": "0,9"})],
        r"'dog\.jpg', which is no plain file",
    ),
    "absolute": ([("/dog.jpg", b"")], r"a place outside itself \('/dog\.jpg'\)"),
    "above": ([("a/../../dog.jpg", b"")], "a place outside itself"),
    "drive": ([("C:\\dog.jpg", b"")], "a place outside itself"),
    "escapes": ([("\x1b[2Jdog.jpg", b"")], r"'\\x1b\[2Jdog\.jpg', a name that shows as another"),
    "twice": ([*DOG, *DOG[:1]], r"holds 'dog' twice"),
    "two pictures": ([("dog.png", b""), *DOG], r"holds 'dog' twice"),
    "longer": ([header("dog.jpg", size=2**33)], r"'dog\.jpg', whose length it does not have"),
    "below zero": ([header("dog.jpg", size=-1024)], "is damaged or no plain tar"),
    "below zero by attribute": ([header("dog.jpg", size="-5")], "damaged|whose length it does not have"),
    "endless name": (
        [header("a", tarfile.GNUTYPE_LONGNAME, 2**40), *DOG],
        "a header claims 1,099,511,627,776",
    ),
    "no number": ([DOG[0], ("dog.cls", b"dog")], r"'dog\.cls' with b'dog'; it must be the number of a class"),
    "minus one": ([DOG[0], ("dog.cls", b"-1")], r"'dog\.cls' with b'-1'; it must be the number of a class"),
    "no such class": ([DOG[0], ("dog.cls", b"9" * 30)], "it must be the number of a class, from 0 to 99,999"),
    "no class": (DOG[:1], "holds 'dog' without a class"),
    "no picture": (DOG[1:], "holds 'dog' without a picture"),
}
#: What is left out with `skip_broken`; the rest refuses the shard.
BROKEN = {"no number", "minus one", "no such class", "no class", "no picture"}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_hostile_is_refused_and_what_is_broken_is_left_out_when_asked_to(tmp_path, kind):
    members, sentence = HOSTILE[kind]
    shard = tmp_path / "a.tar"
    with shard.open("wb") as file:
        for member in [*CAT, *members]:
            if isinstance(member, tarfile.TarInfo):
                file.write(member.tobuf(tarfile.PAX_FORMAT if member.pax_headers else tarfile.GNU_FORMAT))
            else:
                one = tarfile.TarInfo(member[0])
                one.size = len(member[1])
                file.write(one.tobuf() + member[1] + bytes(-len(member[1]) % tarfile.BLOCKSIZE))
        file.write(bytes(2 * tarfile.BLOCKSIZE))
    with pytest.raises(ValueError, match=sentence):
        stream_shards(shard, 8)
    if kind in BROKEN:
        with pytest.warns(UserWarning, match=sentence):
            assert stream_shards(shard, 8, skip_broken=True).files == ("a.tar/cat.jpg",)
    else:
        with pytest.raises(ValueError, match=sentence):
            stream_shards(shard, 8, skip_broken=True)


@pytest.mark.parametrize("damage", ["cut", "cut between", "joined", "compressed", "text", "empty"])
def test_a_damaged_shard_is_never_a_shorter_one(tmp_path, damage):
    shard = write_shard(tmp_path / "a.tar", [*CAT, *DOG])
    content = shard.read_bytes()
    if damage == "compressed":
        with tarfile.open(shard, "w:gz"):
            pass
    else:
        place = content.index(b"dog.jpg")
        shard.write_bytes(
            {"cut": content[: place + 900], "cut between": content[:place], "joined": content * 2}.get(
                damage, b"text" if damage == "text" else b""
            )
        )
    with pytest.raises(
        ValueError, match=r"a\.tar (is damaged or no plain tar|goes on behind|.*does not have)"
    ):
        stream_shards(shard, 8, skip_broken=True)


def test_a_broken_picture_stops_the_batch_by_name_or_is_left_out_before(tmp_path):
    folder = write_folder(tmp_path / "mine", 4)
    (folder / "light" / "00003.jpg").write_bytes(b"no picture")
    with (folder / "light" / "00001.jpg").open("wb") as large:
        large.truncate(MOST_BYTES + 1)
    stream = stream_folder(folder, 8)
    with pytest.raises(ValueError, match=r"00001\.jpg has 40\.0 MiB; .* With skip_broken such pictures"):
        list(stream.batches(torch.arange(4).split(2)))
    with pytest.warns(UserWarning, match=r"0000[13]\.jpg (has 40\.0 MiB|cannot be read)") as told:
        whole = stream_folder(folder, 8, skip_broken=True)
    assert len(told) == 2
    assert whole.files == ("dark/00000.jpg", "dark/00002.jpg")
    (folder / "dark" / "00002.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(ValueError, match=r"00002\.jpg is shorter than before; a set of images must stay"):
        list(whole.batches(torch.arange(2).split(2)))


@pytest.mark.parametrize(
    ("shards", "sentence"),
    [
        ("train-{0000..0001}.tar", "There is no shard train-0000.tar"),
        ("train-{9..1}.tar", "the second number must not be smaller"),
        ("train-{0..999999999}.tar", "up to 100,000 shards are read"),
        ([], "shards is empty"),
    ],
)
def test_names_of_shards_are_checked(shards, sentence):
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        stream_shards(shards, 8)
