"""Two measurements never run at once on one device, whoever runs them."""

import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from effnet_edu.ground.watch import Cancelled, Watch
from effnet_edu.profiling import turn
from effnet_edu.profiling.device import exclusive

CPU = torch.device("cpu")
#: Another program that measures: it takes the turn, says so, and holds it until it is told to go on.
PROGRAM = """
import sys, time
from pathlib import Path
import torch
from effnet_edu.profiling import turn
from effnet_edu.profiling.device import exclusive
folder = Path(sys.argv[1])
turn.shared_folder = lambda: folder
again = sys.argv[2] == "again"
while True:
    with exclusive(torch.device("cpu")):
        with (folder / "turns").open("a") as turns:
            turns.write("x")
        print("mine", flush=True)
        time.sleep(0.2) if again else sys.stdin.readline()
    if not again:
        break
print("given back", flush=True)
"""


class Neighbour:
    def __init__(self, folder: Path, how: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder), how],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        self.hears("mine")

    def hears(self, line: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == line

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


@pytest.fixture
def neighbour(own_lock_folder: Path, request: pytest.FixtureRequest) -> Iterator[Neighbour]:
    other = Neighbour(own_lock_folder, getattr(request, "param", "once"))
    try:
        yield other
    finally:
        other.process.kill()
        other.process.communicate()


def test_another_process_is_waited_for_and_announced(neighbour: Neighbour) -> None:
    sentences: list[str] = []

    def tell(sentence: str) -> None:
        sentences.append(sentence)
        threading.Timer(0.3, neighbour.go_on).start()

    with exclusive(CPU, Watch(waiting=tell)):
        neighbour.hears("given back")
    assert len(sentences) == 1
    assert sentences[0].startswith("Another notebook or program is measuring on ")


def test_waiting_for_another_process_can_be_cancelled(neighbour: Neighbour) -> None:
    told = threading.Event()
    with pytest.raises(Cancelled), exclusive(CPU, Watch(told.is_set, waiting=lambda _: told.set())):
        pass
    neighbour.go_on()
    with exclusive(CPU):
        pass


def test_a_killed_process_leaves_the_turn_free(neighbour: Neighbour) -> None:
    neighbour.process.kill()
    neighbour.process.wait()
    told: list[str] = []
    with exclusive(CPU, Watch(waiting=told.append)):
        pass
    assert not told


@pytest.mark.parametrize("neighbour", ["again"], indirect=True)
def test_who_measures_again_and_again_does_not_keep_the_others_out(
    neighbour: Neighbour, own_lock_folder: Path
) -> None:
    turns = own_lock_folder / "turns"
    for _ in range(5):
        before = turns.stat().st_size
        with exclusive(CPU):
            assert turns.stat().st_size - before <= 2  # one that was under way, one that had queued before


def test_threads_of_one_process_take_turns_and_are_told(own_lock_folder: Path) -> None:
    inside, most, told = 0, 0, []

    def work() -> None:
        nonlocal inside, most
        with exclusive(CPU, Watch(waiting=told.append)):
            inside += 1
            most = max(most, inside)
            time.sleep(0.02)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert 1 <= len(told) <= 3
    assert all(sentence.startswith("Another measurement of this program") for sentence in told)


def test_a_planted_link_is_not_followed(own_lock_folder: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(tmp_path / "own"))
    victim = tmp_path / "victim"
    for part in ("next", "now"):
        (own_lock_folder / f"effnet-edu-cpu.{part}.lock").symlink_to(victim)
    with exclusive(CPU):
        pass
    assert not victim.exists()
    assert (tmp_path / "own" / "effnet-edu-cpu.now.lock").exists()  # the user's own folder takes over


def test_a_lock_file_is_readable_by_all_and_writable_by_its_owner(own_lock_folder: Path) -> None:
    before = os.umask(0o077)
    try:
        with exclusive(CPU):
            pass
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in own_lock_folder.iterdir()}
    assert modes == {"effnet-edu-cpu.next.lock": 0o644, "effnet-edu-cpu.now.lock": 0o644}


def test_a_lock_file_that_may_only_be_read_still_locks(own_lock_folder: Path) -> None:
    path = own_lock_folder / "another-users.lock"
    path.touch(mode=0o444)
    first, second = turn.TurnFile(path), turn.TurnFile(path)
    assert first.try_lock()
    assert not second.try_lock()
    first.unlock()
    assert second.try_lock()
    first.close()
    second.close()


def test_without_any_folder_it_measures_and_says_so_once(own_lock_folder, tmp_path, monkeypatch) -> None:
    nowhere = tmp_path / "file" / "below"
    (tmp_path / "file").touch()
    monkeypatch.setattr(turn, "shared_folder", lambda: nowhere)
    monkeypatch.setenv("EFFNET_EDU_CACHE", str(nowhere))
    monkeypatch.setattr(turn, "_warned", set())
    with pytest.warns(RuntimeWarning, match="another notebook may measure on this device"), exclusive(CPU):
        pass
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with exclusive(CPU), turn.turn_among_programs("cpu", Watch(), ""):
            pass
