"""Run lessons and store their outputs: `python -m tests.notebooks.store_outputs [lesson ...]`."""

import argparse
import sys
import time

from nbclient.exceptions import CellExecutionError

from tests.notebooks.book import LESSONS, lesson_files, read, run, stamp, write


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", help="names such as 02_compound_scaling; all by default")
    chosen = parser.parse_args().lessons
    paths = [LESSONS / f"{name.removesuffix('.ipynb')}.ipynb" for name in chosen] or lesson_files()
    failed = 0
    for path in paths:
        if not path.exists():
            known = ", ".join(known.stem for known in lesson_files())
            parser.error(f"there is no lesson {path.stem}; there are: {known}")
        start = time.perf_counter()
        try:
            write(stamp(run(read(path)), path.stem[:2]), path)
        except CellExecutionError as error:
            failed += 1
            print(f"{path.stem}: a cell failed, nothing was written\n{error}", file=sys.stderr)
        else:
            size = path.stat().st_size / 1024
            print(f"{path.stem}: {time.perf_counter() - start:.1f} s, {size:.0f} KiB")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
