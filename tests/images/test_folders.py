"""Image folders: the learner's own pictures, whole or with what is broken named and left out."""

import os
import warnings

import numpy as np
import pytest
from PIL import Image

from effnet_edu.images import image_folder, photograph
from effnet_edu.images.reader import read_picture


@pytest.fixture
def folder(tmp_path):
    """Two classes: red and blue pictures of several sizes and kinds."""
    root = tmp_path / "mine"
    for name, colour in (("zebra", (200, 0, 0)), ("ant", (0, 0, 200))):
        (root / name).mkdir(parents=True)
        for number, (suffix, size) in enumerate({"png": (30, 20), "JPG": (16, 40), "webp": (8, 8)}.items()):
            Image.new("RGB", size, colour).save(root / name / f"{number}.{suffix}")
    return root


def test_classes_are_the_subfolders_by_name(folder):
    images = image_folder(folder, 12)
    assert images.class_names == ("ant", "zebra")
    assert images.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert images.images.shape == (6, 3, 12, 12)
    means = images.images.float().mean((2, 3))
    assert (means[:3, 2] > 190).all()
    assert (means[3:, 0] > 190).all()
    assert (images.name, images.source) == ("mine", str(folder.resolve()))


def test_a_picture_is_cropped_to_its_middle_upright_and_grey_becomes_colour(tmp_path):
    (tmp_path / "a").mkdir()
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = (10, 250, 30)
    Image.fromarray(wide).save(tmp_path / "a" / "wide.png")
    turned = Image.fromarray(np.concatenate((wide[:, 20:40], wide[:, :20]), 1)[:, :30])
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    turned.save(tmp_path / "a" / "turned.png", exif=exif)
    Image.new("L", (9, 9), 77).save(tmp_path / "a" / "grey.png")
    grey, upright, cropped = image_folder(tmp_path, 10).images
    assert (grey == 77).all()
    assert (cropped[1, :, 1:-1] > 240).all()
    assert upright[1, 5, 9] > 240 > upright[1, 5, 0]


def test_a_line_of_pixels_is_no_bomb(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("L", (60_000, 1), 50).save(tmp_path / "a" / "line.png")
    assert (image_folder(tmp_path, 200).images == 50).all()


def broken(kind, folder):
    """Spoil the folder in one way."""
    photo = folder / "ant" / "0.png"
    if kind == "cut":
        photo.write_bytes(photo.read_bytes()[:60])
    elif kind == "text":
        photo.write_text("no picture")
    elif kind == "postscript":
        photo.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF\n")
    elif kind == "bomb":
        Image.new("1", (20_000, 20_000)).save(photo)
    elif kind == "notes":
        (folder / "ant" / "notes.txt").write_text("mine")
    elif kind == "pipe":
        os.mkfifo(folder / "ant" / "pipe.png")
    elif kind == "deeper":
        (folder / "ant" / "more").mkdir()
    elif kind == "no class":
        Image.new("RGB", (4, 4)).save(folder / "alone.png")
    elif kind == "empty":
        (folder / "bee").mkdir()
    else:
        outside = folder.parent / "outside"
        outside.mkdir()
        Image.new("RGB", (4, 4)).save(outside / "secret.png")
        target = {"link": "secret.png", "class link": "", "dead link": "nowhere"}[kind]
        (folder / ("cat" if kind == "class link" else "ant/link.png")).symlink_to(outside / target)


BROKEN = {
    "cut": r"0\.png cannot be read as a picture",
    "text": r"0\.png cannot be read as a picture",
    "postscript": r"0\.png cannot be read as a picture",
    "bomb": r"0\.png has more than 25,000,000 pixels",
    "notes": r"notes\.txt is no picture; its name must end in one of \.bmp",
    "pipe": r"pipe\.png is no picture",
    "deeper": r"more is a folder inside a class",
    "no class": r"alone\.png belongs to no class",
    "empty": r"The class 'bee' has no picture in",
    "link": r"link\.png is a link to outside of .* it is not followed",
    "dead link": r"link\.png is a link to outside of .* or to nothing",
    "class link": r"cat is a link to outside of",
}


@pytest.mark.parametrize(("kind", "sentence"), BROKEN.items(), ids=BROKEN)
def test_what_is_broken_is_named_and_the_rest_loads_when_asked_to(folder, kind, sentence):
    broken(kind, folder)
    with pytest.raises(ValueError, match=sentence + r".* With skip_broken=True the rest is loaded\."):
        image_folder(folder, 8)
    with pytest.warns(UserWarning, match=sentence) as told:
        images = image_folder(folder, 8, skip_broken=True)
    assert len(told) == 1
    spoilt = kind in ("cut", "text", "postscript", "bomb")
    assert images.labels.tolist() == [0] * (2 if spoilt else 3) + [2 if kind == "empty" else 1] * 3
    assert images.class_names == (("ant", "bee", "zebra") if kind == "empty" else ("ant", "zebra"))


def test_several_problems_are_counted(folder):
    for kind in ("notes", "empty", "deeper"):
        broken(kind, folder)
    with pytest.raises(ValueError, match=r"2 more like this\. With skip_broken"):
        image_folder(folder, 8)


def test_what_the_system_puts_there_is_nobodys_mistake(folder):
    for name in ("__MACOSX/._ant", "@eaDir", ".ipynb_checkpoints", "ant/__MACOSX", "ant/@eaDir"):
        (folder / name).mkdir(parents=True)
        (folder / name / "0.png").write_text("x")
    for name in (".DS_Store", "Thumbs.db", "ant/.hidden.png", "ant/._0.png", "ant/Thumbs.db", "LICENSE"):
        (folder / name).write_text("x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = image_folder(folder, 8)
    assert len(images) == 6
    assert images.class_names == ("ant", "zebra")


def test_a_folder_without_classes_or_pictures_is_a_sentence(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        image_folder(tmp_path / "nowhere", 8)
    with pytest.raises(ValueError, match="has no subfolder; it must have one for each class"):
        image_folder(folder / "ant", 8)
    (tmp_path / "none" / "a").mkdir(parents=True)
    with pytest.raises(ValueError, match="holds no picture that can be read"):
        image_folder(tmp_path / "none", 8, skip_broken=True)
    with pytest.raises(ValueError, match="side is 0"):
        image_folder(folder, 0)


def test_more_than_fits_into_memory_is_a_sentence(folder):
    with pytest.raises(MemoryError, match="6 images of 10000000 px"):
        image_folder(folder, 10_000_000)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "bmp", "tiff", "ppm"])
def test_damaged_pictures_are_read_or_refused_and_nothing_else(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    photograph("chelsea").resize((40, 30)).save(path)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(150):
        content = bytearray(whole[: int(random.integers(1, len(whole) + 1))])
        for place in random.integers(0, len(content), 4):
            content[place] = random.integers(256)
        path.write_bytes(content)
        try:
            assert read_picture(path).mode == "RGB"
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017
