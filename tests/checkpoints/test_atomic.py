"""A file is whole or not there."""

import stat

import pytest

from effnet_edu.ground.atomic import atomic_path, remove_leftovers, write_atomically


def test_the_new_file_replaces_the_old_one(tmp_path):
    path = tmp_path / "folder" / "file.txt"
    write_atomically(path, "old")
    write_atomically(path, "neu ü")
    assert path.read_text(encoding="utf-8") == "neu ü"
    assert [each.name for each in path.parent.iterdir()] == ["file.txt"]


def test_whatever_goes_wrong_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    write_atomically(path, b"old")

    def interrupted() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file.txt"]


def test_others_may_read_it_as_they_may_read_any_new_file(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    write_atomically(tmp_path / "ours", "")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path):
    write_atomically(tmp_path / "file.txt", "whole")
    (tmp_path / ".file.txt.0123abcd.partial").write_text("half")
    remove_leftovers(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["file.txt"]
