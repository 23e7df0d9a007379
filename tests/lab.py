"""Drive real JupyterLab (or Voilà) in Chromium: start it, open, run all cells, take pictures."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import nbformat
from playwright.sync_api import Browser, Page, Playwright, expect
from playwright.sync_api import TimeoutError as PageTimeout

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from chromium import path as chromium_path  # noqa: E402
from dev import APP_FLAGS, LAB_FLAGS  # noqa: E402

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_S = 900  # a busy machine is slow, not broken: waits end what hangs, they measure nothing
PATIENCE_MS = 1000 * PATIENCE_S
expect.set_options(timeout=PATIENCE_MS)
# JupyterLab says "idle" also where no kernel is connected; then a click on Run asks for one
IDLE = (
    "(document.querySelector('.jp-Toolbar-kernelName')?.textContent ?? '').includes('Python')"
    " && document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'"
)
LABS_MARKUP = re.compile(r'class="[^"]*\b(jp|cm|lm)-')
PROMPTS = (
    "[...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')]"
    ".map(e => e.textContent.trim())"
)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def jupyterlab(state: Path, **environment: str) -> Iterator[tuple[str, str]]:
    """A JupyterLab on a copy of the notebooks, all it writes in ``state``; its address and token.

    JupyterLab saves by itself: on the real notebooks it would keep what a test did to them.
    """
    folder = state / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder, ignore=shutil.ignore_patterns(".*"))
    port, token = _free_port(), secrets.token_hex(16)
    words = ["-m", "jupyterlab", "--no-browser", "--allow-root", *LAB_FLAGS]
    words += [f"--ServerApp.root_dir={folder}", f"--ServerApp.port={port}"]
    words += [f"--IdentityProvider.token={token}"]
    base = f"http://127.0.0.1:{port}"
    with _served(words, state, f"{base}/api?token={token}", environment):
        yield base, token


def write_notebook(path: Path, sources: list[str]) -> None:
    """A notebook of some code cells that names its kernel, so that no dialog asks for one."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, path)


@contextlib.contextmanager
def voila(state: Path, notebook: str, *flags: str, **environment: str) -> Iterator[str]:
    """A notebook as an app under Voilà, on a copy; its address, token included."""
    copy = state / Path(notebook).name
    shutil.copy(ROOT / notebook, copy)
    port, token = _free_port(), secrets.token_hex(16)
    words = [str(ROOT / "tools" / "app_server.py"), str(copy), "--no-browser", f"--port={port}"]
    words += [*APP_FLAGS, *flags, f"--token={token}"]
    address = f"http://127.0.0.1:{port}/"
    with _served(words, state, f"{address}voila/static/voila.js?token={token}", environment):
        yield f"{address}?token={token}"


@contextlib.contextmanager
def _served(
    words: list[str], state: Path, address: str, environment: dict[str, str]
) -> Iterator[None]:
    """A server that keeps all it writes in ``state``, ended with everything it started."""
    mine = {
        "JUPYTER_CONFIG_DIR": state / "config",
        "JUPYTERLAB_SETTINGS_DIR": state / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": state / "workspaces",
        "JUPYTER_RUNTIME_DIR": state / "runtime",
        "IPYTHONDIR": state / "ipython",
        "ECON_STATE": state / "learner.json",
    }
    env = {**os.environ, **{k: str(v) for k, v in mine.items()}, **environment}
    env.pop("ECON_STATIC", None)
    log = open(state / "lab.log", "w")  # noqa: SIM115 - closed below, after the server
    command = [sys.executable, *words]
    server = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(address, server, state / "lab.log")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
        log.close()


def _wait(address: str, server: subprocess.Popen, log: Path) -> None:
    def answers() -> bool:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended at once:\n{log.read_text()[-2000:]}")
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=60):
            return True
        return False

    until(answers)


def until(answer: Callable[[], T]) -> T:
    """Ask until there is something, as long as a busy machine takes."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := answer():
            return found
        time.sleep(0.2)
    raise TimeoutError(f"{answer.__qualname__} found nothing within {PATIENCE_S} s")


def browser(playwright: Playwright) -> Browser:
    """Chromium without a window."""
    return playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_FLAGS)


def page(browser: Browser, **how: Any) -> Page:
    """A page of its own that waits as long as a busy machine takes."""
    new = browser.new_page(**how)
    new.set_default_timeout(PATIENCE_MS)
    return new


def watch(page: Page) -> tuple[list[str], list[str]]:
    """Collect what must stay empty: requests that leave loopback, and errors on the console."""
    outside: list[str] = []
    errors: list[str] = []

    def request(r):
        local = r.url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:"))
        if not local:
            outside.append(r.url)

    def message(m):
        if m.type == "error":
            errors.append(m.text)

    page.on("request", request)
    page.on("console", message)
    page.on("pageerror", lambda e: errors.append(str(e)))
    return outside, errors


def serious(
    page: Page, within: str | None = None, contrast: bool = True, every: bool = False
) -> list[tuple[str, list[str]]]:
    """What axe finds serious or critical on a page, or in the parts that a selector names.

    ``contrast=False`` leaves out its one slow rule; ``every`` asks for moderate and minor ones too.
    """
    from axe_playwright_python.sync_playwright import Axe

    rules = {"color-contrast": {"enabled": contrast}}
    options = {"resultTypes": ["violations"], "rules": rules}
    found = Axe().run(page, within, options).response["violations"]
    return [
        (v["id"], [n["html"][:300] for n in v["nodes"]])
        for v in found
        if every or v["impact"] in ("serious", "critical")
    ]


def ours(found: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """Of what axe found, that which is not JupyterLab's own: its buttons, its editors."""
    rest = [(rule, [n for n in nodes if not LABS_MARKUP.search(n)]) for rule, nodes in found]
    return [(rule, nodes) for rule, nodes in rest if nodes]


def open_notebook(page: Page, base: str, token: str, name: str) -> None:
    """Open a notebook in a fresh workspace and wait for its kernel."""
    page.goto(f"{base}/lab/tree/{name}?token={token}&reset", wait_until="domcontentloaded")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    _kernel_ready(page)


def _kernel_ready(page: Page) -> None:
    calm = 0

    def is_calm() -> bool:
        nonlocal calm
        calm = calm + 1 if page.evaluate(IDLE) else 0
        return calm > 1

    until(is_calm)


def end_kernels(base: str, token: str) -> None:
    """End every kernel of a JupyterLab, each by itself: one that was used keeps half a gigabyte."""

    def end(kernel: str) -> None:
        with contextlib.suppress(OSError):  # it ended by itself, or its server did
            ask(base, token, f"kernels/{kernel}", "DELETE")

    for kernel in ask(base, token, "kernels"):
        threading.Thread(target=end, args=[kernel["id"]], daemon=True).start()


def ask(base: str, token: str, path: str, method: str = "GET") -> Any:
    """What a Jupyter server answers, as Python knows it."""
    request = urllib.request.Request(f"{base}/api/{path}?token={token}", method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.loads(answer.read() or "null")


def menu(page: Page, top: str, item: str) -> None:
    """Choose a menu's item."""
    page.get_by_role("menuitem", name=top, exact=True).click()
    page.get_by_role("menuitem", name=item, exact=True).first.click()


def run_all(page: Page) -> None:
    """Clear all outputs, run all cells, wait for the last."""
    menu(page, "Edit", "Clear Outputs of All Cells")
    page.wait_for_function(f"() => !{PROMPTS}.some(t => /[0-9]/.test(t))")
    for last_try in (False, True):  # a busy machine may swallow the first click
        menu(page, "Run", "Run All Cells")
        try:
            page.wait_for_function(f"() => {PROMPTS}.some(t => /[0-9*]/.test(t))", timeout=120_000)
            break
        except PageTimeout:
            if last_try:
                raise
    # a hidden solution shows no prompt; a cell that waits shows an asterisk, a fresh one a space
    page.wait_for_function(f"() => {PROMPTS}.every(t => t === '' || /^\\[\\d+\\]:$/.test(t))")
    _kernel_ready(page)
