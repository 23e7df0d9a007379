"""How long a reader waits for the first live chart in a new kernel.

    .venv/bin/python bench/bench_first.py

A kernel's wait is shown on the wall and as processor seconds, the best of three; the latter also
as a multiple of ``import pandas`` in the same run, which holds on a busy machine. The goal is 1.5 s
on a machine that does nothing else.
"""

from __future__ import annotations

import ast
import os
import resource
import subprocess
import sys
import time

from jupyter_client.manager import start_new_kernel

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


def main() -> None:
    """One line a wait."""
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
