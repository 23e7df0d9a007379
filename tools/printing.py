"""HTML to PDF by Chromium, as a reader's own browser would print it."""

from __future__ import annotations

import sys
from pathlib import Path

from chromium import find
from playwright.sync_api import sync_playwright


def to_pdf(pages: list[Path]) -> list[Path]:
    """A PDF beside each page, in the size its style sheet asks for; none without a Chromium."""
    browser = find()
    if not browser:
        print("No Chromium here, so no PDF; the HTML prints from any browser.", file=sys.stderr)
        return []
    made = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = chromium.new_page()
        for page in pages:
            tab.goto(page.resolve().as_uri())
            made.append(page.with_suffix(".pdf"))
            tab.pdf(path=made[-1], prefer_css_page_size=True, print_background=True)
        chromium.close()
    return made
