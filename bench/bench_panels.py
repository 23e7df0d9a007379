"""How long a panel takes from a key press to the redrawn chart, in real JupyterLab.

    .venv/bin/python bench/bench_panels.py [NOTEBOOK …]

Prints median, 90th percentile and least of some presses for the first panel of each notebook, with
the machine's load. The goal is 50 ms in the median on a machine that does nothing else.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as PageTimeout

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import lab

KEYS = 20
RUN_S = 300  # for the cells of one notebook


def _key_to_chart_ms(page: Page, panel: Locator) -> list[float]:
    """Milliseconds from a key press to the redrawn chart, over some presses to and fro."""
    handle = panel.locator(".noUi-handle").first
    handle.focus()
    handle.evaluate(
        """(handle) => { window.__arm = () => { window.__ms = null;
        const live = handle.closest('.econ-panel').querySelector('.econ-live');
        const before = live.dataset.revision;
        document.addEventListener('keydown', () => { const start = performance.now();
          const look = () => { if (live.dataset.revision !== before)
              window.__ms = performance.now() - start;
            else if (performance.now() - start < 8000) requestAnimationFrame(look);
            else window.__ms = -1; };
          requestAnimationFrame(look); }, { once: true, capture: true }); } }"""
    )
    times, to_and_fro = [], ("ArrowRight", "ArrowLeft")
    for _ in range(KEYS + 1):
        page.evaluate("window.__arm()")
        page.keyboard.press(to_and_fro[len(times) % 2])
        page.wait_for_function("window.__ms !== null", timeout=1000 * RUN_S)
        times.append(page.evaluate("window.__ms"))
        if times[0] < 0:  # the handle stood at its right end
            times.clear()
            to_and_fro = to_and_fro[::-1]
        page.wait_for_timeout(150)
    if min(times, default=-1) < 0:
        raise RuntimeError(f"{times.count(-1) or KEYS} key presses moved nothing")
    return times


def _times_ms(page: Page, base: str, token: str, name: str) -> list[float]:
    """Of the first panel with a slider, in rising order; none where the notebook has no such."""
    lab.open_notebook(page, base, token, name)
    lab.run_all(page)
    panel = page.locator(".econ-panel", has=page.locator(".noUi-handle")).first
    if not panel.count():
        return []
    panel.scroll_into_view_if_needed()
    panel.locator(".econ-live[data-revision]").wait_for(timeout=1000 * RUN_S)
    return sorted(_key_to_chart_ms(page, panel))


def main(*names: str) -> int:
    """Print one line a notebook; 1 where one did not come to its end."""
    every = sorted((lab.ROOT / "notebooks").glob("[0-9]*.ipynb"))
    notebooks = [path.name for path in every if "_panel(" in path.read_text(encoding="utf-8")]
    medians, n_failed = [], 0
    lab.PATIENCE_MS = 1000 * RUN_S
    with (
        tempfile.TemporaryDirectory() as state,
        lab.jupyterlab(Path(state)) as (base, token),
        sync_playwright() as playwright,
    ):
        chromium = lab.browser(playwright)
        for name in [n for n in notebooks if not names or n.split("_")[0] in names]:
            page = lab.page(chromium, viewport={"width": 1200, "height": 900})
            try:
                times = _times_ms(page, base, token, name)
            except (TimeoutError, PageTimeout, RuntimeError) as error:
                n_failed += 1
                print(f"{name}: not measured: {str(error).splitlines()[0]}", flush=True)
            else:
                if times:
                    medians.append(statistics.median(times))
                    print(
                        f"{name}: {medians[-1]:.0f} ms median, "
                        f"{times[int(0.9 * len(times)) - 1]:.0f} ms p90, {times[0]:.0f} ms least "
                        f"of {len(times)}; load {os.getloadavg()[0]:.1f}",
                        flush=True,
                    )
            page.close(run_before_unload=False)
            lab.end_kernels(base, token)
    if medians:
        print(f"{statistics.median(medians):.0f} ms median of {len(medians)} panels")
    return int(n_failed > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
