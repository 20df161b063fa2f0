"""What a kernel with one lab occupies: writes docs/memory_per_learner.csv and the table in docs/class.md.

`python -m tests.memory`; about half a minute a lab. Linux tells all three numbers, other systems do not.
"""

import csv
import datetime
import io
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from jupyter_client.manager import start_new_kernel

from effnet_edu.course.serve import lab_command
from effnet_edu.course.start import FIRST_LESSON, lessons_folder
from effnet_edu.ground.atomic import write_atomically
from effnet_edu.labs import LABS
from tests.browser.jupyter import environment, free_port

DOCS = Path(__file__).parents[1] / "docs"
TABLE, PAGE = DOCS / "memory_per_learner.csv", DOCS / "class.md"
PLACE = re.compile(r"(<!-- memory: .*? -->\n).*?(<!-- end of memory -->)", re.DOTALL)

SETTLING_SECONDS = 15

NOTHING = "import effnet_edu as ee, torch; ee.labs"
LAB = """
import effnet_edu as ee
lab = ee.labs.{lab}()
display(lab)
lab.logic.request()
assert lab.logic.wait(200) and lab.logic.latest is not None, lab.logic.status
"""
LESSON = """
import json, os
book = json.load(open("{lesson}", encoding="utf-8"))
os.chdir("{folder}")
for cell in book["cells"]:
    if cell["cell_type"] == "code":
        get_ipython().run_cell("".join(cell["source"])).raise_error()
"""
#: The lesson that trains.
HEAVIEST = "08_your_own_photographs"
ASK = """
import json, platform, psutil, torch
from effnet_edu.profiling.device import default_device, device_name
here = psutil.Process().memory_full_info()
peak = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"own_mib": here.uss >> 20, "with_shared_mib": here.rss >> 20, "peak_mib": peak >> 20,
    "device": device_name(default_device()), "system": platform.system(), "torch": torch.__version__}))
"""


def occupied(code: str) -> dict[str, object]:
    """Run code in a fresh kernel and return what it occupies then."""
    manager, client = start_new_kernel()
    said = io.StringIO()

    def hear(message: dict[str, object]) -> None:
        content: dict[str, str] = message["content"]  # type: ignore[assignment]
        said.write(content.get("text", "") + content.get("evalue", ""))

    try:
        client.execute_interactive(code, timeout=1800, output_hook=lambda _message: None, stop_on_error=True)
        client.execute_interactive(ASK, timeout=60, output_hook=hear)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    found: dict[str, object] = json.loads(said.getvalue())
    return found


def occupied_by_a_lesson(name: str) -> dict[str, object]:
    """Return what a kernel occupies that has run a whole lesson."""
    with tempfile.TemporaryDirectory() as folder:
        return occupied(LESSON.format(lesson=lessons_folder() / f"{name}.ipynb", folder=folder))


def occupied_by_the_server() -> dict[str, object]:
    """Return what JupyterLab's server occupies when it waits for a browser."""
    with tempfile.TemporaryDirectory() as name:
        command = lab_command(lessons_folder() / FIRST_LESSON, browser=False, port=free_port())
        with subprocess.Popen(command, env=environment(Path(name)), stderr=subprocess.DEVNULL) as server:
            try:
                time.sleep(SETTLING_SECONDS)
                process = psutil.Process(server.pid)
                peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{server.pid}/status").read_text())
                assert peak
                found = process.memory_full_info()
            finally:
                server.terminate()
    return {"own_mib": found.uss >> 20, "with_shared_mib": found.rss >> 20, "peak_mib": int(peak[1]) >> 10}


def _measured_on(rows: list[dict[str, str]]) -> list[str]:
    """Return each device with the rows measured on it; the one of most rows is named without them."""
    of: dict[str, list[str]] = {}
    for row in rows:
        of.setdefault("on {device}, {system}, torch {torch}".format(**row), []).append(row["lab"])
    first, *others = sorted(of, key=lambda device: -len(of[device]))
    return [first, *(f"{' and '.join(of[device])} {device}" for device in others)]


def table(rows: list[dict[str, str]]) -> str:
    """Return the rows as Markdown."""
    days = " and ".join(sorted({row["measured"] for row in rows}))
    lines = [
        "| in the kernel | its own, MiB | with shared pages, MiB | peak, MiB |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {row['lab']} | {row['own_mib']} | {row['with_shared_mib']} | {row['peak_mib']} |"
            for row in rows
        ),
        "",
        f"Measured {days}, {'; '.join(_measured_on(rows))}.",
    ]
    return "\n".join(lines) + "\n"


def read() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(TABLE.read_text(encoding="utf-8"))))


def page_with(rows: list[dict[str, str]]) -> str:
    """Return the page with these rows in it."""
    return PLACE.sub(lambda found: f"{found[1]}\n{table(rows)}\n{found[2]}", PAGE.read_text(encoding="utf-8"))


def main() -> int:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    found = [{"lab": "the library alone", **occupied(NOTHING), "measured": today}]
    same = {name: found[0][name] for name in ("device", "system", "torch")}
    found.append(
        {
            "lab": "JupyterLab's server, beside the kernel",
            **occupied_by_the_server(),
            **same,
            "measured": today,
        }
    )
    for lab in LABS:
        found.append({"lab": lab, **occupied(LAB.format(lab=lab)), "measured": today})
        print(found[-1])
    found.append(
        {"lab": f"lesson {HEAVIEST[:2]}, run whole", **occupied_by_a_lesson(HEAVIEST), "measured": today}
    )
    text = io.StringIO()
    writer = csv.DictWriter(text, list(found[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    write_atomically(TABLE, text.getvalue())
    write_atomically(PAGE, page_with(read()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
