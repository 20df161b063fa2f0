"""`make bench`: speed against the peers; writes results.csv, results.md and results.png beside this file.

`--only forward` measures one group of cases, and `--more` adds processes to those that were measured before:
both leave the other groups of the last run in the report.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from effnet_edu.ground.atomic import write_atomically
from tests.bench.cases import GROUPS, QUICK, Size
from tests.bench.report import about, text_table, write
from tests.bench.runner import Times, measure_here, measure_in_new_process
from tests.bench.verdict import Result, judge


def samples_file(folder: Path, group: str) -> Path:
    return folder / f"samples_{group}.json"


def load_samples(folder: Path, group: str) -> list[Times]:
    path = samples_file(folder, group)
    loaded: list[Times] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return loaded


def save_samples(folder: Path, group: str, processes: list[Times]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(processes)
    write_atomically(samples_file(folder, group), text)


def results_of(folder: Path, size: Size) -> list[Result]:
    """Judge every group that has samples."""
    results = []
    for name, group in GROUPS.items():
        processes = load_samples(folder, name)
        if processes:
            results += [judge(bar, processes) for bar in group.bars(size)]
    return results


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", choices=GROUPS, action="append", help="measure this group (can be given again)"
    )
    parser.add_argument("--processes", type=int, help="fresh processes per group; by default what each needs")
    parser.add_argument("--more", action="store_true", help="add to the processes that were measured before")
    parser.add_argument("--quick", action="store_true", help="tiny inputs, to see that it runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the results")
    parser.add_argument(
        "--samples", type=Path, default=Path("test-artifacts/bench"), help="folder of the raw times"
    )
    parser.add_argument("--measure", choices=GROUPS, help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    size = QUICK if asked.quick else Size()
    if asked.measure:
        print(json.dumps(measure_here(asked.measure, size)))
        return 0
    for name in asked.only or GROUPS:
        processes = load_samples(asked.samples, name) if asked.more else []
        for turn in range(asked.processes or (1 if asked.quick else GROUPS[name].processes)):
            print(f"{name}, process {turn + 1}", file=sys.stderr, flush=True)
            processes.append(measure_in_new_process(name, size))
            save_samples(asked.samples, name, processes)
    results, where = results_of(asked.samples, size), about(torch.device("cpu"))
    write(asked.out, results, where)
    print(text_table(results))
    print(f"{where['device']}, torch {where['torch']}, {where['date']}; written to {asked.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
