"""Glyphs: the right characters, the same pictures each time, balanced, kept, and finer at a larger side."""

import importlib
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from effnet_edu.images import glyphs
from effnet_edu.images.glyph_scene import draw_scene
from effnet_edu.images.outlines import FONTS, font_file, outlines

glyphs_module = importlib.import_module("effnet_edu.images.glyphs")
CLASSES = glyphs_module.CLASSES


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path))
    return tmp_path / "glyphs"


def drawn_outline(outline, side=96):
    """Fill an outline: black and white, the box of the character as wide and high as the picture."""
    every = np.concatenate([points for points, _ in outline])
    low, high = every.min(0), every.max(0)
    mask = Image.new("1", (side, side))
    for points, filled in outline:
        ImageDraw.Draw(mask).polygon(
            ((points - low) / (high - low) * side).ravel().tolist(), fill=int(filled)
        )
    return np.array(mask)


def drawn_by_freetype(font, character, side=96):
    face = ImageFont.truetype(str(font_file(font)), 200)
    mask = Image.new("L", (600, 600))
    ImageDraw.Draw(mask).text((150, 150), character, font=face, fill=255)
    mask = mask.crop(mask.getbbox())
    return np.array(mask.resize((side, side), Image.Resampling.BOX)) > 127


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("font", FONTS)
def test_every_character_is_the_one_that_freetype_draws(font):
    ours = outlines(CLASSES)[FONTS.index(font)]
    theirs = {character: drawn_by_freetype(font, character) for character in CLASSES}
    for character in CLASSES:
        mine = drawn_outline(ours[character])
        assert overlap(mine, theirs[character]) > 0.85, f"{font} draws {character!r} otherwise"
        assert max(CLASSES, key=lambda other: overlap(mine, theirs[other])) == character


def test_no_two_classes_look_alike_in_any_font():
    for font, drawn in zip(FONTS, outlines(CLASSES), strict=True):
        pictures = {character: drawn_outline(drawn[character]) for character in CLASSES}
        for one in CLASSES:
            for other in CLASSES:
                if one < other:
                    same = overlap(pictures[one], pictures[other])
                    assert same < 0.97, f"{font}: {one!r} and {other!r} overlap by {same:.3f}"


def test_a_character_that_a_font_lacks_is_named_and_not_drawn_as_a_box():
    with pytest.raises(ValueError, match=r"The font \w+ has no '漢' \(U\+6F22\)"):
        glyphs("train", 4, classes="a漢")
    with pytest.raises(ValueError, match="shows nothing"):
        glyphs("train", 4, classes="a ")


def test_picture_i_depends_on_neither_the_count_nor_the_number_of_processes(cache, monkeypatch):
    few = glyphs("train", 40).images
    for file in cache.iterdir():
        file.unlink()
    monkeypatch.setattr(glyphs_module, "_WORTH_PROCESSES", 10)
    monkeypatch.setattr(glyphs_module, "_DRAWN_AT_ONCE", 16)
    monkeypatch.setattr(glyphs_module, "cpu_count", lambda: 2)
    many = glyphs("train", 70)
    assert many.images[:40].equal(few)
    assert many.labels.tolist() == [index % 32 for index in range(70)]
    assert many.class_names == tuple(CLASSES)


def test_a_new_process_draws_the_same():
    program = (
        "import hashlib; from effnet_edu.images import glyphs; "
        "print(hashlib.sha256(glyphs('train', 20).images.numpy().tobytes()).hexdigest())"
    )
    here = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert (
        here.strip() == glyphs_module.hashlib.sha256(glyphs("train", 20).images.numpy().tobytes()).hexdigest()
    )


def test_split_and_seed_share_no_picture():
    sets = [glyphs(split, 32, seed=seed).images for split in ("train", "test") for seed in (0, 1)]
    every = torch.cat(sets).flatten(1)
    assert len(every.unique(dim=0)) == 4 * 32


@pytest.mark.parametrize("side", [16, 24, 32, 48])
def test_another_side_is_the_same_scene_drawn_finer(side):
    fine = glyphs("train", 24, 96)
    coarse = glyphs("train", 24, side)
    difference = (fine.resized(side).images.float() - coarse.images.float()).abs().mean((1, 2, 3))
    another = (fine.resized(side).images.float() - coarse.images.float().roll(1, 0)).abs().mean((1, 2, 3))
    assert difference.max() < 6
    assert another.min() > 20


def test_the_larger_picture_holds_detail_that_the_smaller_one_lost():
    fine = glyphs("train", 24, 48).images.float()
    again = glyphs("train", 24, 16).resized(48).images.float()
    assert (fine - again).abs().mean() > 8


def test_twins_differ_in_little(cache):
    """The same scene with an accent and without: most pixels are the same, and some are not."""
    fonts = outlines(CLASSES)
    for one, other in ("aå", "OQ", "CÇ", "EË"):
        pictures = [
            draw_scene(fonts, character, CLASSES, random.Random(3), 48)  # noqa: S311 - no secret
            for character in (one, other)
        ]
        differing = (np.abs(pictures[0].astype(int) - pictures[1]).max(2) > 40).mean()
        assert 0.002 < differing < 0.3


def test_pictures_are_kept_and_more_are_added(cache, monkeypatch):
    first = glyphs("train", 20).images
    (file,) = cache.iterdir()
    monkeypatch.setattr(glyphs_module, "draw_scene", None)  # nothing is drawn twice
    assert glyphs("train", 20).images.equal(first)
    assert glyphs("train", 7).images.equal(first[:7])
    monkeypatch.undo()
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(cache.parent))
    assert glyphs("train", 30).images[:20].equal(first)
    assert list(cache.iterdir()) == [file]


@pytest.mark.parametrize("damage", ["cut", "changed", "another kind", "empty"])
def test_a_damaged_file_in_the_cache_is_drawn_anew(cache, damage):
    right = glyphs("test", 20).images
    (file,) = cache.iterdir()
    content = bytearray(file.read_bytes())
    content[-5000] ^= 0xFF
    damaged = {"cut": content[: len(content) // 2], "changed": content, "another kind": b"PK", "empty": b""}
    file.write_bytes(damaged[damage])
    assert glyphs("test", 20).images.equal(right)
    assert glyphs_module.kept_images(file, 3, 32).equal(right)


def test_where_nothing_can_be_kept_the_pictures_come_with_a_warning(tmp_path, monkeypatch):
    (tmp_path / "a file").touch()
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path / "a file"))
    with pytest.warns(UserWarning, match="could not be written"):
        assert len(glyphs("train", 3)) == 3


def test_without_processes_the_pictures_are_drawn_here(monkeypatch):
    right = glyphs("train", 20).images

    def no_processes(**_):
        raise OSError("no more processes")

    monkeypatch.setattr(glyphs_module, "Parallel", no_processes)
    assert glyphs_module._draw("train 0", range(20), 32, CLASSES).equal(right)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"split": "validation"}, "split is 'validation'; it must be one of 'train', 'test'"),
        ({"count": 0}, "count is 0"),
        ({"side": 3}, "side is 3"),
        ({"side": 513}, "side is 513; it must be a whole number from 4 to 512"),
        ({"seed": -1}, "seed is -1"),
        ({"classes": "aa"}, "classes is 'aa'; it must be two or more characters, all different"),
        ({"classes": "a"}, "classes is 'a'"),
    ],
)
def test_bad_arguments_are_one_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        glyphs(**({"split": "train", "count": 4} | arguments))
