"""The decision as an app: code hidden, decided by keyboard, hostile uploads answered in words."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import urllib.error
import urllib.request

import pytest

pytest.importorskip("voila", reason="the extra `app` is not installed")
from playwright.sync_api import expect, sync_playwright

from tests import lab
from tools.soak import processes, served_by, soak

pytestmark = pytest.mark.browser
NOT_OURS = re.compile(
    # Voilà ships other versions of JupyterLab's parts, and an icon font the policy keeps out
    r"Unsatisfied version|No satisfying version|Available versions|Content Security Policy"
    r"|favicon|ResizeObserver|Failed to load resource|widget model not found|plugin|extension"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """One app for the module."""
    with lab.voila(tmp_path_factory.mktemp("app"), "tools/app.ipynb") as running:
        yield running


def test_it_plans_by_keyboard_and_refuses_in_words(address):
    with sync_playwright() as playwright:
        chromium = lab.browser(playwright)
        page = lab.page(chromium, viewport={"width": 1200, "height": 900})
        outside, errors = lab.watch(page)
        blocked: list[str] = []
        page.on("requestfailed", lambda r: blocked.append(r.url))
        page.goto(address)
        form = page.locator(".econ-form")
        button = form.get_by_role("button", name="Decide", exact=True)
        button.wait_for()

        # the form is there, its code is not
        assert page.locator("h1").count() == 1
        assert (
            page.locator(".jp-InputArea-editor:visible, .jp-CodeMirrorEditor:visible").count() == 0
        )
        assert "Form.app" not in page.inner_text("body")

        assert not (bad := lab.serious(page, every=True)), bad
        words = form.get_by_role("status")
        before = words.inner_text()
        _press_until_focused(page, "Decide")
        page.keyboard.press("Enter")
        expect(words).to_contain_text("Done: the answer")
        assert words.inner_text() != before
        expect(form.get_by_text("Per day: API")).to_have_count(1)  # the answer, once
        form.get_by_text("Evidence", exact=True).click()
        assert not (bad := lab.serious(page, every=True)), bad
        chart = form.locator("svg[role=img]").first
        assert len(chart.get_attribute("aria-label")) > 40
        for name in ("memo.html", "memo.md", "finance.xlsx", "options.csv", "scenario.json"):
            assert form.locator(f"a[download='{name}']").count() == 1

        bad = b"arrival_s,input_tokens,output_tokens\n0,9,=cmd()\n"
        _upload(page, form, "<b>log</b>.csv", bad)
        expect(words).to_contain_text("is a formula, not a number")
        assert words.locator("b").count() == 0  # the file's name is text, not markup
        good = b"arrival_s,input_tokens,output_tokens\n" + b"".join(
            b"%.1f,900,90\n" % (0.3 * i) for i in range(200)
        )
        _upload(page, form, "mine.csv", good)
        expect(words).to_contain_text("mine, ")

        _upload(page, form, "month.csv", good + b"0,1,1\n" * 6_000_000)
        expect(words).to_contain_text("month.csv: 36 MB; at most 32 MB")
        expect(words).to_contain_text("No uploaded trace is in use now")
        form.get_by_role("button", name="Decide", exact=True).click()
        expect(words).to_contain_text("Done: the answer")
        assert "--trace" not in form.locator("code").first.inner_text()

        for number in processes(served_by(address))[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        lost = page.locator(".econ-lost")
        expect(lost).to_contain_text("has lost its Python")

        reached = [u for u in outside if u not in blocked]
        assert not reached, reached
        ours = [e for e in errors if not NOT_OURS.search(e)]
        assert not ours, ours
        chromium.close()


def test_the_door_is_closed_and_answers_carry_headers(address):
    base, query = address.split("?")
    for path in ("voila/static/voila.js", "voila/templates/base/static/voila.js"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(base + path)
        with urllib.request.urlopen(f"{base}{path}?{query}") as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]


def test_memory_returns_when_visitors_have_left(tmp_path):
    """The cheap version of ``python tools/soak.py``, which lets 20 in."""
    flags = ["--Kernels.left_s=3", "--Kernels.cull_interval=1"]
    with lab.voila(tmp_path, "tools/app.ipynb", *flags) as address:
        figures = asyncio.run(soak(address, served_by(address), visitors=2, at_once=2))
    assert figures["processes_left"] == 0
    assert figures["end_mb"] < 1.15 * figures["start_mb"] < figures["peak_mb"]


def _upload(page, form, name: str, data: bytes) -> None:
    """Choose a file for the upload button."""
    with page.expect_file_chooser() as chooser:
        form.get_by_role("button", name=re.compile("Upload a trace")).click()
    chooser.value.set_files([{"name": name, "mimeType": "text/csv", "buffer": data}])


def _press_until_focused(page, name: str, most: int = 60) -> None:
    """Tab through the page until the button of that name has the focus."""
    page.evaluate("document.querySelector('.econ-form select').focus()")
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"{name} is not reached by keyboard")
