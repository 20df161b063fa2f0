"""Contestants take turns in a process; several fresh processes, since where memory lies is luck of each."""

import json
import subprocess
import sys
import time
from pathlib import Path

import torch

from effnet_edu.profiling.device import synchronize
from tests.bench.cases import GROUPS, QUICK, Case, Seconds, Size

ROOT = Path(__file__).parents[2]

#: Seconds of each contestant of each case, round by round.
Times = dict[str, dict[str, list[float]]]


def time_case(case: Case, device: torch.device) -> dict[str, list[float]]:
    """Let every contestant run once in each round, forth and back in turn, after rounds that warm up."""
    times: dict[str, list[float]] = {name: [] for name in case.runs}
    for turn in range(case.warm_ups + case.rounds):
        for name in list(case.runs) if turn % 2 else reversed(case.runs):
            synchronize(device)
            start = time.perf_counter()
            told = case.runs[name]()
            synchronize(device)
            seconds = told.value if isinstance(told, Seconds) else time.perf_counter() - start
            if turn >= case.warm_ups:
                times[name].append(seconds)
    return times


def measure_here(group: str, size: Size) -> Times:
    """Measure a group in this process."""
    return {case.name: time_case(case, torch.device("cpu")) for case in GROUPS[group].cases(size)}


def measure_in_new_process(group: str, size: Size) -> Times:
    """Measure a group in a process of its own."""
    command = [sys.executable, "-m", "tests.bench", "--measure", group]
    if size == QUICK:
        command.append("--quick")
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    times: Times = json.loads(done.stdout.splitlines()[-1])
    return times
