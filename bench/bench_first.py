"""How long a reader waits for the first live chart: in a new kernel, and from ``make lab`` on.

    .venv/bin/python bench/bench_first.py

From ``make lab`` on, a browser that is open already, with nothing in its cache, opens the page that
the command opens, and another, on a server started as the command does, and runs all cells: seconds
to the cells, to an idle kernel and to the first live panel. The goal of the last is 8 s for the
first page, on a machine that does nothing else.

A kernel's wait is shown on the wall and as processor seconds, the best of three; the latter also as
a multiple of ``import pandas`` in the same run, which holds on a busy machine. The goal is 1.5 s on
a machine that does nothing else.
"""

from __future__ import annotations

import ast
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from jupyter_client.manager import start_new_kernel
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from econ.course_command import START_PAGE
from tests import lab

PANELS = {
    "01": "from econ.lessons.l01_tokens import growth_panel as panel",
    "02": "from econ.lessons.l02_latency import roof_panel as panel",
    "05": "from econ.lessons.l05_goodput import load_panel as panel",
}
SPENT = "import resource; u = resource.getrusage(0); repr(u.ru_utime + u.ru_stime)"
TURNS = 3
NOTEBOOKS = (START_PAGE, "01_tokens.ipynb")
STAGES = ("the cells", "an idle kernel", "the first live panel")


def panel_s(code: str) -> tuple[float, float]:
    """Wall and processor seconds from a kernel's start to its first live panel."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    manager, client = start_new_kernel(kernel_name="python3", env=env, startup_timeout=600)
    try:
        shown: list[str] = []

        def hear(message: dict) -> None:
            if message["msg_type"] in ("execute_result", "display_data"):
                shown.append(message["content"]["data"].get("text/plain", ""))
            elif message["msg_type"] == "error":
                raise RuntimeError("\n".join(message["content"]["traceback"]))

        client.execute_interactive(f"{code}\nfrom IPython.display import display\ndisplay(panel())",
                                   output_hook=hear, timeout=600)  # fmt: skip
        wall_s = time.perf_counter() - start
        client.execute_interactive(SPENT, output_hook=hear, timeout=600)
        return wall_s, float(ast.literal_eval(shown[-1]))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def pandas_s() -> float:
    """Processor seconds of a process that imports pandas."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import pandas"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def tree_s() -> tuple[float, float]:
    """Processor seconds so far of the Python processes below this one, and of all others."""
    used = {True: 0.0, False: 0.0}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            used["python" in process.name()] += times.user + times.system
    return used[True], used[False]


def lab_waits(notebook: str) -> list[tuple[float, float, float]]:
    """From a server's start to the cells, an idle kernel and the first live panel: wall seconds,
    processor seconds of server and kernel, and those of the browser."""
    waits = []
    with tempfile.TemporaryDirectory() as state, sync_playwright() as playwright:
        page = lab.page(lab.browser(playwright), viewport={"width": 1200, "height": 900})
        before, start = tree_s(), time.perf_counter()

        def waited() -> None:
            used = (now - then for now, then in zip(tree_s(), before, strict=True))
            waits.append((time.perf_counter() - start, *used))

        with lab.jupyterlab(Path(state)) as (base, token):
            page.goto(f"{base}/lab/tree/{notebook}?token={token}", wait_until="domcontentloaded")
            page.wait_for_selector(".jp-Notebook .jp-Cell")
            waited()
            page.wait_for_function(f"() => {lab.IDLE}")
            waited()
            lab.menu(page, "Run", "Run All Cells")
            page.locator(".econ-live[data-revision]").first.wait_for()
            waited()
    return waits


def main() -> None:
    """One line a wait."""
    for notebook in NOTEBOOKS:
        best = min((lab_waits(notebook) for _ in range(TURNS)), key=lambda waits: waits[-1])
        for what, (wall_s, python_s, browser_s) in zip(STAGES, best, strict=True):
            print(
                f"make lab to {what} of {notebook}: {wall_s:.1f} s on the wall; processor: server "
                f"and kernel {python_s:.1f} s, browser {browser_s:.1f} s; "
                f"load {os.getloadavg()[0]:.1f}"
            )
    unit_s = min(pandas_s() for _ in range(TURNS))
    for name, code in PANELS.items():
        waits = [panel_s(code) for _ in range(TURNS)]
        wall_s, used_s = (min(column) for column in zip(*waits, strict=True))
        print(
            f"first panel of {name}: {wall_s:.1f} s on the wall, {used_s:.2f} s of the processor, "
            f"{used_s / unit_s:.1f} × import pandas; load {os.getloadavg()[0]:.1f}"
        )


if __name__ == "__main__":
    main()
