"""Python in a page of the site, in Chromium: the first live answer, and a move after it.

``python bench/bench_page.py [SITE]`` (default: ``build/site``) prints seconds of wall time beside
the machine's load, and CPU seconds of the browser, which a busy machine stretches less: goals are
15 s cold and 100 ms a move on a quiet laptop. Pyodide comes from this
machine (the fixture of ``tests/pyodide``), so that no network is in the figure; a reader's first
visit adds the download of what the page names. The precomputed stop is the yardstick: a ratio to it
means the same on a slow machine.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402
from playwright.sync_api import expect, sync_playwright  # noqa: E402

from tests import lab  # noqa: E402
from tests.browser.test_website_browser import served  # noqa: E402
from tests.pyodide import course  # noqa: E402

N_MOVES = 20
PAGE = "notebooks/00_start_here.html"


def main(site: Path) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for entry in site.resolve().iterdir():
            (Path(folder) / entry.name).symlink_to(entry)
        (Path(folder) / "pyodide").symlink_to(course.core())
        with served(Path(folder)) as base:
            chromium = lab.browser(playwright)
            page = lab.page(chromium, viewport={"width": 1200, "height": 900})
            page.goto(f"{base}/{PAGE}", wait_until="load")
            page.locator("script[data-core]").evaluate(
                "(script, core) => { script.dataset.core = core; }", f"{base}/pyodide/"
            )
            panel = page.locator(".econ-panel[data-grid]").first
            panel.scroll_into_view_if_needed()
            panel.locator(".econ-live[data-revision]").wait_for()
            stop_s = _move_s(page, panel)
            start, cpu_s = time.perf_counter(), _cpu_s()
            panel.locator(".econ-python button").click()
            status = panel.locator(".econ-python [role=status]")
            expect(status).to_contain_text("computes every stop")
            first_s, cpu_s = time.perf_counter() - start, _cpu_s() - cpu_s
            live_s = _move_s(page, panel)
            chromium.close()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"first live answer, cold: {first_s:.1f} s, {cpu_s:.1f} CPU s")
    print(f"a move: {1e3 * live_s:.0f} ms live, {1e3 * stop_s:.0f} ms precomputed")


def _cpu_s() -> float:
    """CPU seconds of this process's children, the browser among them."""
    times = (p.cpu_times() for p in psutil.Process().children(recursive=True))
    return sum(t.user + t.system for t in times)


def _move_s(page, panel) -> float:
    """Median seconds from a key to the chart that follows it."""
    moved = """(slider) => new Promise((done) => {
      const words = slider.closest(".econ-panel").querySelector(".econ-live [role=status]");
      const start = performance.now();
      new MutationObserver((_, watch) => {
        watch.disconnect(); requestAnimationFrame(() => done(performance.now() - start));
      }).observe(words, { childList: true, characterData: true, subtree: true });
      slider.value = Number(slider.value) + (Number(slider.value) < Number(slider.max) ? 1 : -1);
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    })"""
    slider = panel.locator("input[type=range]").first
    return statistics.median(slider.evaluate(moved) for _ in range(N_MOVES)) / 1e3


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site")
