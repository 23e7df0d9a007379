"""JupyterLite: what is bundled; a kernel starts without another host, axe has nothing to say."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from econ.catalog import prices
from econ.charts import live

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import lite  # noqa: E402

# JupyterLite asks for files that a static server does not have, and copes
NOT_OURS = ("404", "favicon", "ResizeObserver", "Failed to load resource", "service worker")


def test_the_wheel_brings_code_tables_and_script(tmp_path):
    wheel = lite.write_wheel(tmp_path / "pypi", "export default {};")
    with zipfile.ZipFile(wheel) as box:
        box.extractall(tmp_path / "site")
        names = set(box.namelist())
    here = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("econ/**/*.[pj][ys]")}
    assert here <= names
    assert {f"econ/{p.relative_to(ROOT).as_posix()}" for p in ROOT.glob("data/**/*.csv")} <= names
    assert f"econ/data/{prices.SAVED}" in names
    assert "econ/charts/watch.js" in names
    code = (
        "import sys\nfor n in ('numba', 'vl_convert'): sys.modules[n] = None\n"
        f"sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import econ; assert 'site' in econ.__file__, econ.__file__\n"
        "from econ.latency.bound import reality_frame\n"
        "from econ.charts import figure, live, render\n"
        "chart = figure(reality_frame(), 'batch', 'slowdown', finding='Over the bound')\n"
        "bundle, _ = render.bundle_of(chart.to_dict())\n"
        "print(sorted(bundle), live.script())"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True,
                          cwd=tmp_path, timeout=600)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "image/png" not in done.stdout  # nothing draws one there
    assert "vegalite.v5" in done.stdout
    assert "export default {};" in done.stdout


def test_the_script_is_built_where_none_was_written():
    assert not live.BUNDLE.exists()
    assert "econ-title" in live.script()


def test_the_script_is_bundled_once_and_then_read(tmp_path, monkeypatch):
    built = []
    monkeypatch.setattr(live, "BUNDLE", tmp_path / "live.bundle.js")
    monkeypatch.setattr(live, "bundle", lambda: built.append(1) or "export default {};")
    kernel = live.script.__wrapped__  # as a new kernel calls it
    assert kernel() == kernel() == "export default {};"
    assert len(built) == 1
    monkeypatch.setattr(live, "source", lambda: "// another")
    kernel()
    assert len(built) == 2  # never an old script for a new source
    assert [file.suffix for file in (tmp_path / "__pycache__").iterdir()] == [".js", ".js"]


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path, monkeypatch):
    (tmp_path / "__pycache__").write_text("a file in the folder's place")
    monkeypatch.setattr(live, "BUNDLE", tmp_path / "live.bundle.js")
    monkeypatch.setattr(live, "bundle", lambda: "export default {};")
    assert live.script.__wrapped__() == "export default {};"


@pytest.mark.browser
def test_a_kernel_starts_without_another_host_and_axe_is_content(tmp_path):
    from playwright.sync_api import sync_playwright

    from tests import lab
    from tests.browser.test_website_browser import served

    if not shutil.which("npm"):
        pytest.skip("npm is not here; Pyodide's core comes from its registry")
    try:
        inside = lite.build(tmp_path / "lite", tmp_path / "work")
    except SystemExit as error:  # npm's registry out of reach
        pytest.skip(str(error))
    assert len(inside) == len(list((ROOT / "notebooks").glob("[0-9]*.ipynb")))
    assert all((tmp_path / f"lite/files/{name}.ipynb").exists() for name in inside)
    lock = json.loads((tmp_path / "lite/static/pyodide/pyodide-lock.json").read_text())
    here = [p["file_name"] for p in lock["packages"].values() if "://" not in p["file_name"]]
    assert len(here) >= 10
    assert all((tmp_path / "lite/static/pyodide" / name).exists() for name in here)
    assert lock["packages"]["numpy"]["file_name"].startswith(
        "https://"
    )  # the one thing it asks for
    index = json.loads((tmp_path / "lite/pypi/all.json").read_text())
    assert {"inference-economics", "anywidget", "ipywidgets"} <= set(index)

    with served(tmp_path / "lite") as base, sync_playwright() as playwright:
        chromium = lab.browser(playwright)
        page = lab.page(chromium, viewport={"width": 1200, "height": 900})
        outside, errors = lab.watch(page)
        page.goto(f"{base}/lab/index.html", wait_until="domcontentloaded")
        page.locator(".jp-LauncherCard[data-category='Notebook']").first.click()
        page.locator(".jp-Notebook .cm-content").first.click()
        page.keyboard.type("import sys; print(6 * 7, sys.platform)")
        page.keyboard.press("Shift+Enter")
        page.locator(".jp-OutputArea-output", has_text="42 emscripten").wait_for()
        for name in (inside[0], inside[-1]):  # each in a page of its own: what is typed holds one
            page = chromium.new_page(viewport={"width": 1200, "height": 900})
            page.goto(f"{base}/lab/index.html?path={name}.ipynb", wait_until="domcontentloaded")
            page.locator(".jp-MarkdownCell h1").first.wait_for(timeout=lab.PATIENCE_MS)
            page.locator(".jp-CodeCell .cm-content").first.wait_for(timeout=lab.PATIENCE_MS)
            assert not (bad := lab.ours(lab.serious(page, every=True))), (name, bad)
        chromium.close()
    assert not outside, outside
    assert not [e for e in errors if not any(n in e for n in NOT_OURS)], errors
