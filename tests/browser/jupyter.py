"""Drive JupyterLab in headless Chromium: a server without a network, a page, and a notebook in it."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from effnet_edu.course import demo
from effnet_edu.course.serve import message_limit
from tests.needs import where
from tests.notebooks.book import surroundings
from tests.waiting import PATIENCE, wait_until

expect.set_options(timeout=1000 * PATIENCE)

TOKEN = "course-test"  # noqa: S105 - of a server that lives as long as a test and listens on localhost alone
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a camera that is asked for shows a moving circle
]
SETTINGS = {  # the question about news is asked by the page; no flag of the server silences it
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


#: Run by every kernel before its first cell: programs outside of these tests must not keep a lab waiting.
STARTUP = """def queue_apart() -> None:
    from pathlib import Path
    from effnet_edu.profiling import turn
    turn.shared_folder = lambda: Path({folder!r})
queue_apart()
"""


def environment(folder: Path) -> dict[str, str]:
    """Return the variables that keep all files of a server under `folder`, locks of its kernels included."""
    startup = folder / "IPYTHONDIR" / "profile_default" / "startup" / "locks.py"
    startup.parent.mkdir(parents=True, exist_ok=True)
    startup.write_text(STARTUP.format(folder=str(folder)))
    env = dict(os.environ)
    env["JUPYTERLAB_SETTINGS_DIR"] = str(folder / "settings")
    env["JUPYTERLAB_WORKSPACES_DIR"] = str(folder / "workspaces")
    for key in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        env[key] = str(folder / key)
    env["JUPYTER_TOKEN"] = TOKEN
    return env | surroundings(folder)


def serve(folder: Path, root: Path) -> AbstractContextManager[str]:
    """Serve `root` with JupyterLab, all of its own files under `folder`; yield the address."""
    told = ("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly")
    return _serve("jupyterlab", folder, root, *told)


def serve_notebook_7(folder: Path, root: Path) -> AbstractContextManager[str]:
    """Serve `root` with Notebook 7, all of its own files under `folder`; yield the address."""
    return _serve("notebook", folder, root)


@contextmanager
def _serve(program: str, folder: Path, root: Path, *told: str) -> Iterator[str]:
    for name, value in SETTINGS.items():
        path = folder / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    port = free_port()
    command = [
        sys.executable, "-m", program, "--no-browser", "--allow-root",
        "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}", message_limit("ServerApp"), *told,
    ]  # fmt: skip
    with _running(command, folder, f"http://127.0.0.1:{port}", f"/api/status?token={TOKEN}") as base:
        yield base


@contextmanager
def serve_voila(folder: Path, root: Path) -> Iterator[str]:
    """Serve the notebooks in `root` with Voila, all of its own files under `folder`; yield the address."""
    port = free_port()
    command = [
        sys.executable, "-m", "voila", str(root), "--no-browser",
        "--Voila.ip=127.0.0.1", f"--port={port}", "--Voila.port_retries=0",
        f"--VoilaConfiguration.extension_denylist={demo.NOT_FOR_VOILA}",
    ]  # fmt: skip
    with _running(command, folder, f"http://127.0.0.1:{port}", "/voila/static/voila.js") as base:
        yield base


@contextmanager
def serve_demo(folder: Path, visitors: int) -> Iterator[str]:
    """Serve the page of all labs as the command `demo` does; yield the address."""
    notebook = folder / "labs.ipynb"
    notebook.write_text(json.dumps(demo.page()), encoding="utf-8")
    port = free_port()
    command = demo.demo_command(notebook, visitors, port)
    with _running(command, folder, f"http://127.0.0.1:{port}", "/voila/static/voila.js") as base:
        yield base


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE):  # noqa: S310
            return True
    except OSError:
        return False


@contextmanager
def _running(command: list[str], folder: Path, base: str, ready: str) -> Iterator[str]:
    log = folder / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(command, env=environment(folder), stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: _answers(base + ready) or server.poll() is not None, "server")
        if server.poll() is not None:
            raise RuntimeError("The server did not start:\n" + log.read_text()[-3000:])
        yield base
    finally:
        server.terminate()  # also shuts the kernels down
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()


@contextmanager
def browser() -> Iterator[Browser]:
    executable = where("chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=FLAGS, headless=True)
        yield opened
        opened.close()


@contextmanager
def lab_page(opened: Browser, base: str, width: int = 1280, height: int = 800) -> Iterator[Page]:
    """Yield a JupyterLab page that notes what it asked of other hosts and what its console found wrong."""
    with watched_page(opened, width, height) as page:
        page.goto(f"{base}/lab?reset&token={TOKEN}")
        page.wait_for_function("() => window.jupyterapp")
        page.evaluate("() => { jupyterapp.restored.then(() => { window.restored = true }) }")
        page.wait_for_function("() => window.restored")
        yield page


@contextmanager
def watched_page(opened: Browser, width: int = 1280, height: int = 800) -> Iterator[Page]:
    """Yield an empty page that notes what it asks of other hosts and what its console finds wrong."""
    context = opened.new_context(
        viewport={"width": width, "height": height}, permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.outside, page.complaints = [], []  # type: ignore[attr-defined]
    page.on(
        "request",
        lambda r: (
            page.outside.append(r.url)  # type: ignore[attr-defined]
            if r.url.startswith("http") and "//127.0.0.1:" not in r.url
            else None
        ),
    )
    page.on(
        "console",
        lambda m: page.complaints.append(m.text) if _is_complaint(m) else None,  # type: ignore[attr-defined]
    )
    yield page
    context.close()


def _is_complaint(message: ConsoleMessage) -> bool:
    """Tell errors apart; a tab's icon is asked for late, and a test may be offline by then."""
    is_icon = message.location["url"].endswith("/icon.svg") and "DISCONNECTED" in message.text
    return message.type == "error" and not is_icon


class Notebook:
    """One notebook in the page, with its kernel."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, name: str) -> None:
        self.page.evaluate(
            """name => { window.kernelReady = false; window.hidden = []; (async () => {
            const d = window.doc = await jupyterapp.commands.execute('docmanager:open', {path: name});
            await d.context.ready; await d.sessionContext.ready;
            const k = d.sessionContext.session.kernel; await k.info;
            k.iopubMessage.connect((_, m) => {
                if (m.header.msg_type === 'error' && m.parent_header.msg_type === 'comm_msg')
                    hidden.push(`${m.content.ename}: ${m.content.evalue}`) });
            window.kernelReady = true })() }""",
            name,
        )
        self.page.wait_for_function("() => window.kernelReady")

    def run_all(self) -> None:
        self.page.evaluate(
            """() => { window.ran = null;
            jupyterapp.commands.execute('notebook:run-all-cells').then(ok => { window.ran = ok }) }"""
        )
        self.page.wait_for_function("() => window.ran !== null")
        assert self.page.evaluate("() => window.ran"), self.errors()

    def run_in_kernel(self, code: str) -> str:
        """Run code beside the cells and return what it printed."""
        self.page.evaluate(
            """code => { window.replied = null; let said = '';
            const future = doc.sessionContext.session.kernel.requestExecute({code});
            future.onIOPub = m => { if (m.header.msg_type === 'stream') said += m.content.text;
                if (m.header.msg_type === 'error') said += m.content.evalue };
            future.done.then(() => { window.replied = said }) }""",
            code,
        )
        self.page.wait_for_function("() => window.replied !== null")
        return str(self.page.evaluate("() => window.replied"))

    def interrupt(self) -> None:
        self._kernel("interrupt")

    def restart(self) -> None:
        self._kernel("restart")

    def _kernel(self, verb: str) -> None:
        self.page.evaluate(
            """verb => { window.obeyed = false;
            doc.sessionContext.session.kernel[verb]().then(() => { window.obeyed = true }) }""",
            verb,
        )
        self.page.wait_for_function("() => window.obeyed")

    def reopen(self) -> None:
        """Close the notebook, leave its kernel running, and open it again."""
        name = self.page.evaluate(
            """() => { window.closed_ = false; doc.context.save().then(() => {
            doc.close(); window.closed_ = true }); return doc.context.path }"""
        )
        self.page.wait_for_function("() => window.closed_")
        self.open(name)

    def code_cells(self) -> list[dict[str, Any]]:
        """All code cells as they would be stored."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "() => Array.from(doc.content.model.cells).filter(c => c.type === 'code').map(c => c.toJSON())"
        )
        return found

    def outputs(self) -> list[Any]:
        return [cell["outputs"] for cell in self.code_cells()]

    def errors(self) -> list[str]:
        """Errors that cells show."""
        return [
            f"{output['ename']}: {output['evalue']}"
            for outputs in self.outputs()
            for output in outputs
            if output["output_type"] == "error"
        ]

    def hidden_errors(self) -> list[str]:
        """Errors in callbacks of widgets, which JupyterLab shows in its log console alone."""
        self.page.wait_for_function("() => doc.sessionContext.session.kernel.status === 'idle'")
        found: list[str] = self.page.evaluate("() => hidden")
        return found

    def slider(self, css: str) -> Locator:
        return self.page.locator(f"{css} [role=slider]")

    def close(self) -> None:
        self.page.evaluate(
            """() => { window.closed_ = false; doc.sessionContext.shutdown().then(() => {
            doc.context.model.dirty = false; doc.close(); window.closed_ = true }) }"""
        )
        self.page.wait_for_function("() => window.closed_")


def middle_of(handle: Locator) -> tuple[float, float]:
    """Bring something to where it can be seen, and return where its middle is on the screen."""
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def write_notebook(path: Path, *sources: str) -> None:
    """Write a notebook of these cells that opens without asking for a kernel."""
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
