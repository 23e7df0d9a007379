"""Notebooks in real JupyterLab: all cells run, a slider moves chart and words, nothing leaks."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests import lab

NOTEBOOKS = sorted((lab.ROOT / "notebooks").glob("*.ipynb"))
pytestmark = pytest.mark.browser
# JupyterLab's own complaints. "Model not found" is its widget manager being asked to draw a widget
# whose script is still on its way; it then waits and draws it, which the test sees.
NOT_OURS = re.compile(
    r"favicon|ResizeObserver|translations|/lsp/|Failed to load resource.*40[34]"
    r"|widget model not found"
)

PROBE = "probe.ipynb"
PROBE_CELLS = [
    "import time\nimport pandas as pd\n"
    "from econ.charts import figure, panel, setup, slider\nsetup()",
    """calls = 0
def model(n):
    global calls
    calls += 1
    time.sleep(0.05)
    kinds = ["low", "high"] if n > 100 else ["low"]
    return pd.DataFrame([{"x": x, "y": x * n + len(k), "kind": k}
                         for k in kinds for x in range(10)])
def chart(frame):
    top = frame["y"].max()
    return figure(frame, "x", "y", by="kind", legend=True, finding=f"The top is {top}",
                  says=f"Up to {top} after {calls} model calls.")
panel(model, chart, n=slider(1, 250, value=1, label="Steepness"), presets={})""",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One JupyterLab for the module, with a slow panel in a notebook of its own."""
    state = tmp_path_factory.mktemp("lab")
    with lab.jupyterlab(state) as running:
        lab.write_notebook(state / "notebooks" / PROBE, PROBE_CELLS)
        yield running


@pytest.fixture(scope="module")
def chromium():
    """One browser for the module."""
    with sync_playwright() as playwright:
        browser = lab.browser(playwright)
        yield browser
        browser.close()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_runs_and_its_panel_follows_the_keyboard(path: Path, server, chromium):
    base, token = server
    page = lab.page(chromium, viewport={"width": 1200, "height": 900})
    outside, errors = lab.watch(page)
    lab.open_notebook(page, base, token, path.name)
    lab.run_all(page)
    assert page.locator(".jp-OutputArea-output[data-mime-type*='error']").count() == 0

    panel = page.locator(".econ-panel", has=page.locator(".noUi-handle")).first
    if "_panel(" in path.read_text(encoding="utf-8"):
        _follows_the_keyboard(page, panel, path.stem)
    assert not outside, outside
    ours = [e for e in errors if not NOT_OURS.search(e)]
    assert not ours, ours
    _axe_has_nothing_serious_to_say(page)
    page.close(run_before_unload=False)
    lab.end_kernels(base, token)


def _follows_the_keyboard(page, panel, name: str) -> None:
    """A slider with a name, moved by an arrow key: words and chart change together."""
    panel.scroll_into_view_if_needed()
    # drawn at all; "words are not empty" would hold for words that are not there yet
    panel.locator(".econ-live[data-revision]").wait_for()
    words = panel.locator("[role=status]")
    handle = panel.locator(".noUi-handle").first
    assert handle.get_attribute("aria-label"), "a slider without an accessible name"
    before_words, before_chart = words.text_content(), _drawn(panel)
    handle.focus()
    page.keyboard.press("ArrowRight")
    expect(words).not_to_have_text(before_words)
    assert _drawn(panel) != before_chart
    svg = panel.locator(".econ-live svg").first
    assert svg.get_attribute("aria-label") == words.text_content()


def _axe_has_nothing_serious_to_say(page) -> None:
    """The page at a chart's numbers, then each panel; JupyterLab's own buttons and editors are its
    own."""
    numbers = page.locator("summary", has_text="The chart's numbers").first
    numbers.scroll_into_view_if_needed()
    numbers.focus()
    page.keyboard.press("Enter")
    cells = numbers.locator("xpath=..").locator("td")
    expect(cells.nth(1)).to_be_attached()  # a panel fills its table once it is open
    for place in [numbers, *page.locator(".econ-panel").all()]:
        place.scroll_into_view_if_needed()
        within = ".jp-Notebook"
        if place is not numbers:
            place.evaluate("panel => { panel.id = panel.id || crypto.randomUUID() }")
            within = f'[id="{place.get_attribute("id")}"]'
        assert not lab.ours(lab.serious(page, within))


def _drawn(panel) -> str:
    """The chart as a person sees it: every path, rule and word, and where it stands."""
    return panel.locator(".econ-live svg").first.evaluate(
        "s => [...s.querySelectorAll('path,line,text')]"
        ".map(e => ['d', 'transform', 'x2', 'y2'].map(a => e.getAttribute(a)) + e.textContent)"
        ".join('|')"
    )


def test_a_flood_of_keys_ends_at_the_last_value_and_skips_stale_ones(server, chromium):
    base, token = server
    page = lab.page(chromium, viewport={"width": 1200, "height": 900})
    outside, errors = lab.watch(page)
    lab.open_notebook(page, base, token, PROBE)
    lab.run_all(page)
    panel = page.locator(".econ-panel").first
    panel.locator(".econ-live[data-revision]").wait_for()
    panel.locator(".noUi-handle").first.focus()
    for _ in range(200):  # the model takes 50 ms, a key a few
        page.keyboard.press("ArrowRight")
    words = panel.locator("[role=status]")
    expect(words).to_contain_text(f"Up to {9 * 201 + 4} after")
    calls = int(re.search(r"after (\d+) model calls", words.text_content())[1])
    print(f"200 keys, {calls} model calls")
    assert calls < 150
    drawn = _drawn(panel)
    # a title follows its numbers
    assert panel.locator(".econ-title").text_content() == f"The top is {9 * 201 + 4}"
    assert "high" in drawn  # and a chart of other lines is drawn anew
    assert not outside, outside
    assert not [e for e in errors if not NOT_OURS.search(e)], errors
    page.close(run_before_unload=False)
