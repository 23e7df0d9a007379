"""How long a reader waits for the first live chart: in a new kernel, and from `make lab`.

    .venv/bin/python bench/bench_first.py          # the kernel alone
    .venv/bin/python bench/bench_first.py --lab    # and JupyterLab in Chromium, to the first chart

A kernel's wait is shown on the wall and as processor seconds, the best of three; the latter also
as a multiple of ``import pandas`` in the same run, which holds on a busy machine. The goals, on a
machine that does nothing else: 1.5 s and 8 s.
"""

from __future__ import annotations

import argparse
import ast
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jupyter_client.manager import start_new_kernel

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import lab

PANELS = {
    "01": "from econ.lessons.l01_tokens import growth_panel as panel",
    "02": "from econ.lessons.l02_latency import roof_panel as panel",
    "05": "from econ.lessons.l05_goodput import load_panel as panel",
}
SPENT = "import resource; u = resource.getrusage(0); repr(u.ru_utime + u.ru_stime)"
TURNS = 3


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


def lab_s(notebook: str = "01_tokens.ipynb") -> float:
    """Wall seconds from JupyterLab's command to the first live chart of a notebook."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as state, sync_playwright() as playwright:
        chromium = lab.browser(playwright)
        page = chromium.new_page(viewport={"width": 1200, "height": 900})
        start = time.perf_counter()
        with lab.jupyterlab(Path(state)) as (base, token):
            page.goto(f"{base}/lab/tree/{notebook}?token={token}&reset")
            page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=lab.PATIENCE_MS)
            lab.menu(page, "Run", "Run All Cells")
            chart = page.locator(".econ-live svg, .econ-live canvas").first
            chart.wait_for(state="attached", timeout=lab.PATIENCE_MS)
            spent_s = time.perf_counter() - start
            lab.end_kernels(base, token)
        return spent_s


def main() -> None:
    """One line a wait."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lab", action="store_true", help="also JupyterLab in Chromium")
    options = parser.parse_args()
    unit_s = min(pandas_s() for _ in range(TURNS))
    for name, code in PANELS.items():
        waits = [panel_s(code) for _ in range(TURNS)]
        wall_s, used_s = (min(column) for column in zip(*waits, strict=True))
        print(
            f"first panel of {name}: {wall_s:.1f} s on the wall, {used_s:.2f} s of the processor, "
            f"{used_s / unit_s:.1f} × import pandas; load {os.getloadavg()[0]:.1f}"
        )
    if options.lab:
        print(f"JupyterLab to the first chart: {lab_s():.1f} s; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
