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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import lab

KEYS = 20


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
    for i in range(KEYS + 1):
        page.evaluate("window.__arm()")
        page.keyboard.press(to_and_fro[i % 2])
        page.wait_for_function("window.__ms !== null", timeout=lab.PATIENCE_MS)
        times.append(page.evaluate("window.__ms"))
        if times[0] < 0:  # the handle stood at its right end
            times.clear()
            to_and_fro = to_and_fro[::-1]
        page.wait_for_timeout(150)
    if min(times) < 0:
        raise RuntimeError(f"{times.count(-1)} of {len(times)} key presses moved nothing")
    return times


def main(*names: str) -> None:
    """Print one line a notebook."""
    every = sorted((lab.ROOT / "notebooks").glob("[0-9]*.ipynb"))
    notebooks = [path.name for path in every if "_panel(" in path.read_text(encoding="utf-8")]
    medians: list[float] = []
    with (
        tempfile.TemporaryDirectory() as state,
        lab.jupyterlab(Path(state)) as (base, token),
        sync_playwright() as playwright,
    ):
        chromium = lab.browser(playwright)
        for name in [n for n in notebooks if not names or n.split("_")[0] in names]:
            page = chromium.new_page(viewport={"width": 1200, "height": 900})
            lab.open_notebook(page, base, token, name)
            lab.run_all(page)
            panel = page.locator(".econ-panel", has=page.locator(".noUi-handle")).first
            if panel.count():
                panel.scroll_into_view_if_needed()
                panel.locator(".econ-live[data-revision]").wait_for(timeout=lab.PATIENCE_MS)
                times = sorted(_key_to_chart_ms(page, panel))
                medians.append(statistics.median(times))
                print(
                    f"{name}: {medians[-1]:.0f} ms median, "
                    f"{times[int(0.9 * len(times)) - 1]:.0f} ms p90, {times[0]:.0f} ms least of "
                    f"{len(times)}; load {os.getloadavg()[0]:.1f}",
                    flush=True,
                )
            else:
                print(f"{name}: no panel with a slider", flush=True)
            page.close(run_before_unload=False)
            lab.end_kernels(base, token)
    if medians:
        print(f"{statistics.median(medians):.0f} ms median of {len(medians)} panels")


if __name__ == "__main__":
    main(*sys.argv[1:])
