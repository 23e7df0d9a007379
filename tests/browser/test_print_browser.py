"""Slides and handout in Chromium: they open from a disk, move by keys, print, and suit axe."""

import re

import pytest
from playwright.sync_api import sync_playwright

from tests import lab

pytestmark = pytest.mark.browser

import handout  # noqa: E402  (tools are on the path through tests.lab)
import slides  # noqa: E402
from printing import to_pdf  # noqa: E402

AT = "s => s.getBoundingClientRect().top > -5"


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """All decks, the handout, and PDFs of the handout and of the first deck."""
    out = tmp_path_factory.mktemp("print")
    decks = slides.write([], out, pdf=False)
    (page,) = handout.write(out / "handout.html", pdf=False)
    to_pdf([page, decks[0]])
    return decks, page


@pytest.fixture(scope="module")
def page(printed):
    """One page for the module; printing has a browser of its own, so it comes first."""
    with sync_playwright() as playwright:
        browser = lab.browser(playwright)
        yield lab.page(browser, viewport={"width": 1280, "height": 720})
        browser.close()


def _pdf_pages(html) -> int:
    return len(re.findall(rb"/Type\s*/Page[^s]", html.with_suffix(".pdf").read_bytes()))


def test_every_slide_fits_its_screen(printed, page):
    too_high = {}
    for deck in printed[0]:
        page.goto(deck.as_uri())
        high = page.evaluate("[...document.querySelectorAll('section')].map(s => s.scrollHeight)")
        too_high |= {(deck.stem, i + 1): h for i, h in enumerate(high) if h > 720 * 1.02}
    assert not too_high


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_deck_moves_by_keys(scheme, printed, page):
    page.emulate_media(color_scheme=scheme)
    outside, errors = lab.watch(page)
    page.goto(printed[0][0].as_uri())
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"[...document.querySelectorAll('section')].findIndex({AT}) === 3")
    assert not lab.serious(page, every=True)
    assert not [u for u in outside if not u.startswith("file:")], outside
    assert not errors


def test_the_handout_is_one_sheet_and_suits_axe(printed, page):
    assert _pdf_pages(printed[1]) == 2
    page.emulate_media(color_scheme="light")
    page.goto(printed[1].as_uri())
    assert not lab.serious(page, every=True)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not lab.serious(page, every=True)
    page.set_viewport_size({"width": 1280, "height": 720})


def test_a_deck_prints_a_page_a_slide(printed):
    deck = printed[0][0]
    assert _pdf_pages(deck) == deck.read_text(encoding="utf-8").count("<section")
