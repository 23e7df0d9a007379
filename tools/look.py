"""Pictures of a notebook as a reader sees it in JupyterLab, run from top to bottom.

``python tools/look.py 00_start_here --theme dark --out pictures`` writes one PNG per screen.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from tests import lab  # noqa: E402

SETTINGS = '{"theme": "JupyterLab %s"}'


def main() -> None:
    """What to open, and where the pictures go."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    parser.add_argument("--out", type=Path, default=Path("pictures"))
    parser.add_argument("--panel", type=Path, help="only the first panel, into this PNG")
    options = parser.parse_args()
    take(options.notebook, options.theme, options.out, options.panel)


def take(
    notebook: str, theme: str = "light", out: Path = Path("pictures"), panel: Path | None = None
) -> None:
    """Open, run, scroll, take pictures; of the first panel only where a file is named for it."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        state = Path(folder)
        settings = state / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "themes.jupyterlab-settings").write_text(SETTINGS % theme.title())
        with lab.jupyterlab(state) as (base, token):
            chromium = lab.browser(playwright)
            page = lab.page(chromium, viewport={"width": 1150, "height": 1500})
            lab.open_notebook(page, base, token, Path(notebook).stem + ".ipynb")
            lab.run_all(page)
            if panel:
                _panel(page, panel)
            else:
                out.mkdir(parents=True, exist_ok=True)
                _pictures(page, out / f"{Path(notebook).stem}-{theme}")
            chromium.close()


def _panel(page, path: Path) -> None:
    panel = page.locator(".econ-panel").first
    panel.scroll_into_view_if_needed()
    panel.locator("svg").first.wait_for()
    page.wait_for_timeout(500)
    panel.screenshot(path=path)


def _pictures(page, stem: Path) -> None:
    page.keyboard.press("Control+b")  # fold the side bar away
    n = page.locator(".jp-Notebook .jp-Cell").count()
    scroller = page.locator(".jp-WindowedPanel-outer").first
    scroller.evaluate("e => e.scrollTo(0, 0)")
    for i in range(max(n, 1)):
        page.wait_for_timeout(700)  # charts are drawn as they come into view
        page.screenshot(path=f"{stem}-{i:02d}.png")
        ended = scroller.evaluate(
            "e => { const was = e.scrollTop; e.scrollBy(0, e.clientHeight - 60);"
            " return e.scrollTop === was }"
        )
        if ended:
            break
    print(f"{stem}-*.png: {i} pictures")


if __name__ == "__main__":
    main()
