"""A page of the site runs Python itself: panels with every stop, cells that can be changed."""

import json
import os

import pytest
from playwright.sync_api import expect, sync_playwright

from tests import lab
from tests.browser.test_website_browser import served
from tests.pyodide import course
from tests.pyodide.course import inpage


@pytest.fixture(scope="module")
def site(site_folder, tmp_path_factory):
    """The site that all browser tests share, with the fixture's Pyodide beside it."""
    try:
        core = course.core()
    except ConnectionError:
        pytest.skip("the package index is out of reach; the fixture comes from there")
    if not (site_folder / "_static" / inpage.ARCHIVE).exists():
        pytest.skip("the package index is out of reach; two wheels come from there")
    beside = tmp_path_factory.mktemp("beside")
    for path in site_folder.iterdir():
        os.symlink(path, beside / path.name)
    os.symlink(core, beside / "pyodide")
    with served(beside) as base:
        yield base


@pytest.mark.browser
def test_python_takes_over_at_a_click_and_nothing_leaves_the_machine(site):
    with sync_playwright() as playwright:
        chromium = lab.browser(playwright)
        page = lab.page(chromium, viewport={"width": 1200, "height": 900})
        outside, errors = lab.watch(page)
        page.goto(f"{site}/notebooks/00_start_here.html", wait_until="load")
        script = page.locator("script[data-core]")
        assert script.get_attribute("data-core") == inpage.CORE
        script.evaluate("(script, core) => { script.dataset.core = core; }", f"{site}/pyodide/")
        panel = page.locator(".econ-panel[data-grid]").first
        panel.scroll_into_view_if_needed()
        panel.locator(".econ-live[data-revision]").wait_for()
        status = panel.locator(".econ-python [role=status]")
        expect(status).to_contain_text("computed beforehand")
        stops = "els => els.map(el => el.max ? Number(el.max) : el.options?.length ?? 0)"
        before = panel.locator("input, select").evaluate_all(stops)
        panel.locator(".econ-python button").click()
        expect(status).to_contain_text("computes every stop")
        after = panel.locator("input, select").evaluate_all(stops)
        assert sum(after) > 2 * sum(before)
        words = panel.locator(".econ-live [role=status]")
        said = words.inner_text()
        panel.locator("input[type=range]").first.press("ArrowRight")
        expect(words).not_to_have_text(said)
        cell = page.locator(".econ-cell + div pre").first
        cell.fill("print(6 * 7)\n'seven'.upper()")
        cell.press("Shift+Enter")
        out = page.locator(".econ-live-output").first
        expect(out).to_contain_text("42")
        expect(out).to_contain_text("SEVEN")
        cell.fill("from scipy.special import ndtr\nf'{ndtr(0):.3f} is scipy'")  # loaded only now
        cell.press("Shift+Enter")
        expect(out).to_contain_text("0.500 is scipy", timeout=lab.PATIENCE_MS)
        cell.fill("1 / 0")
        cell.press("Shift+Enter")
        expect(out).to_contain_text("ZeroDivisionError")
        assert not lab.serious(page, every=True)
        chromium.close()
    assert not outside, outside
    assert not errors, errors


def test_the_weight_that_a_page_states_is_that_of_its_files(tmp_path):
    core = course.FOLDER / "core"
    if not (core / "pyodide-lock.json").exists():
        pytest.skip("the fixture has not been fetched")
    archive = inpage.write(tmp_path / "python.zip", course.FOLDER / "work")
    first = loaded(core, inpage.FIRST)
    engine = ["pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip",
              "pyodide-lock.json"]  # fmt: skip
    files = [archive, *(core / name for name in [*engine, *first])]
    assert _megabytes(files) == pytest.approx(inpage.MEGABYTES, rel=0.1)
    more = [core / name for name in loaded(core, inpage.LATER) - first]
    assert _megabytes(more) == pytest.approx(inpage.MORE_MEGABYTES, rel=0.1)


def _megabytes(files):
    return sum(file.stat().st_size for file in files) / 1e6


def loaded(core, names):
    """The files of these packages and of all that they depend on."""
    packages = json.loads((core / "pyodide-lock.json").read_text())["packages"]
    found, left = set(), list(names)
    while left:
        name = left.pop().lower().replace("_", "-")
        if name not in found:
            found.add(name)
            left += packages[name]["depends"]
    return {packages[name]["file_name"] for name in found}
