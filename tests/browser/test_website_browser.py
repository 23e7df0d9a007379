"""The whole site in Chromium: no error, no request to another host, axe, keyboard, a phone."""

import contextlib
import functools
import http.server
import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests import lab

pytestmark = pytest.mark.browser
STEMS = sorted(p.stem for p in (lab.ROOT / "notebooks").glob("[0-9A]*.ipynb"))
BOOKS = {s: (lab.ROOT / "notebooks" / f"{s}.ipynb").read_text("utf-8") for s in STEMS}
WITH_PANELS = [s for s, text in BOOKS.items() if "_panel(" in text]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1200, "height": 900}
MOST_BYTES = 100_000  # of a page of the API whose contrast is looked at
SETTLED = (
    "() => Promise.all(document.getAnimations()"
    ".filter(moving => moving instanceof CSSTransition).map(moving => moving.finished))"
)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(folder: Path):
    """A folder over HTTP on this machine."""
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def site(site_folder):
    """Its address."""
    with served(site_folder) as base:
        yield base


@pytest.fixture(scope="module")
def chromium():
    """One browser for the module."""
    with sync_playwright() as playwright:
        browser = lab.browser(playwright)
        yield browser
        browser.close()


def _open(chromium, address, viewport=DESK):
    page = lab.page(chromium, viewport=viewport)
    outside, errors = lab.watch(page)
    page.goto(address, wait_until="load")
    for panel in page.locator(".econ-panel[data-grid]").all():
        panel.scroll_into_view_if_needed()
        panel.locator(".econ-live[data-revision]").wait_for()
    return page, outside, errors


def _clean(page, outside, errors):
    """Nothing left the machine, nothing complained, and axe has nothing to say of any grade."""
    assert not (bad := lab.serious(page, every=True)), bad
    assert not outside, outside
    assert not errors, errors


@pytest.mark.parametrize("stem", STEMS)
def test_a_notebooks_page(stem, site, chromium):
    page, outside, errors = _open(chromium, f"{site}/notebooks/{stem}.html")
    for scheme in ("light", "dark"):  # its styles alone depend on it
        page.emulate_media(color_scheme=scheme)
        page.evaluate(SETTLED)
        for picture in page.locator("img:visible").all():
            assert len(picture.get_attribute("alt")) > 20
        drawn = page.locator(f".econ-chart img.only-{scheme}:visible").count()
        assert drawn + page.locator(".econ-live").count() > 0
        _clean(page, outside, errors)
    assert page.locator("details summary", has_text="The chart's numbers").count() > 0
    panels = page.locator(".econ-panel[data-grid]").all()
    assert panels or stem not in WITH_PANELS
    for panel in panels:
        _follows_the_keyboard(page, panel)
    assert not outside, outside
    assert not errors, errors
    page.close()


def _follows_the_keyboard(page, panel):
    """An arrow key moves words, picture and numbers."""
    words = panel.locator(".econ-live [role=status]")
    before = words.text_content()
    panel.locator("input[type=range], select").first.focus()
    page.keyboard.press("ArrowRight")
    expect(words).not_to_have_text(before)
    svg = panel.locator(".econ-live svg").first
    assert svg.get_attribute("aria-label") == words.text_content()
    numbers = panel.locator("details summary")
    numbers.focus()
    page.keyboard.press("Enter")
    expect(panel.locator("details td").nth(1)).to_be_visible()


def test_every_other_page(site_folder, site, chromium):
    pages = sorted(p.relative_to(site_folder) for p in site_folder.rglob("*.html"))
    others = [p for p in pages if p.parts[0] not in ("notebooks", "_static", "lite")]
    assert len(others) > 15
    page, outside, errors = _open(chromium, f"{site}/index.html")
    for path in others:
        page.goto(f"{site}/{path}", wait_until="load")
        assert page.title()
        # the pages of the API share one style, and that of the longest takes axe half a minute
        contrast = path.parts[0] != "api" or (site_folder / path).stat().st_size < MOST_BYTES
        assert not (bad := lab.serious(page, contrast=contrast, every=True)), (path, bad)
        assert page.evaluate("!window.vegaEmbed && !window.econLive") or path.name == "index.html"
    assert not outside, outside
    assert not errors, errors
    page.close()


@pytest.mark.parametrize("stem", ["index", *(f"notebooks/{s}" for s in STEMS)])
def test_a_phone_shows_it_without_scrolling_sideways(stem, site, chromium):
    page, *leaks = _open(chromium, f"{site}/{stem}.html", PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    _clean(page, *leaks)
    page.close()


def test_search_finds_without_a_server_of_its_own(site, chromium):
    page, outside, errors = _open(chromium, f"{site}/search.html?q=roofline")
    page.locator("#search-results li a").first.wait_for()
    assert page.locator("#search-results li a").count() >= 3
    assert not outside
    assert not errors
    page.close()


def test_it_opens_from_a_disk(site_folder, chromium):
    page = lab.page(chromium)
    errors: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto((site_folder / "index.html").as_uri())
    page.locator(".econ-live[data-revision]").first.wait_for()
    assert not errors
    page.close()
