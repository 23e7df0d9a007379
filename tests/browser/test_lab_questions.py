"""The start page in real JupyterLab: it joins a kernel that is ready, and records a learner."""

import json

import pytest
from playwright.sync_api import expect, sync_playwright

from econ.course_command import START_PAGE
from tests import lab

pytestmark = pytest.mark.browser
NAMES = "[name for name in dir() if not name.startswith('_')]"
CELLS = [
    f"import sys\nprint('econ.lessons.l00_start' in sys.modules, {NAMES})",
    "from econ.lessons import check, exercise, picture, predict, reveal, solution",
    'predict("00-cost")',
    'reveal("00-cost")',
    'exercise("00-3")',
    'answer = ...\ncheck("00-3", answer)',
    '# Solution\nfrom econ.lessons import given\nq = given("00-3")\n'
    'solution("00-3", q.usd_per_hour / 3600 / q.tokens_per_s * 1e6)',
    'picture("cache")',
]


def test_the_start_page_has_a_kernel_and_records_what_a_learner_does(tmp_path):
    stored = tmp_path / "learner.json"
    with (
        sync_playwright() as playwright,
        lab.jupyterlab(tmp_path, ECON_STATE=str(stored)) as (base, token),
    ):
        lab.write_notebook(tmp_path / "notebooks" / START_PAGE, CELLS)
        began = _sessions(base, token)
        browser = lab.browser(playwright)
        page = lab.page(browser, viewport={"width": 1000, "height": 2600})
        outside, errors = lab.watch(page)
        lab.open_notebook(page, base, token, START_PAGE)
        lab.run_all(page)
        assert [path for path, _ in began] == [START_PAGE]  # before any page asked
        assert _sessions(base, token) == began
        assert page.evaluate(lab.PROMPTS)[0] == "[1]:"  # what made it ready has left no trace
        first = page.locator(".jp-OutputArea-output").first
        expect(first).to_have_text(
            "True ['In', 'Out', 'exit', 'get_ipython', 'open', 'quit', 'sys']"
        )
        guess, answer = (page.locator('[data-question="00-cost"]').nth(i) for i in (0, 1))
        expect(answer).to_contain_text("Lock or skip")
        # Run All solved nothing
        assert "exercises" not in (json.loads(stored.read_text()) if stored.exists() else {})

        guess.get_by_role("slider").focus()
        page.keyboard.press("ArrowLeft")
        guess.get_by_role("button", name="Lock it in").click()
        expect(answer).to_contain_text("You said")

        task = page.locator('[data-question="00-3"]').nth(0)
        task.get_by_role("textbox").fill("17 USD")
        task.get_by_role("button", name="Check").click()
        task.get_by_role("button", name="Hint").click()
        opened = page.locator('[data-question="00-3"]').nth(1)
        opened.get_by_role("button", name="Show the solution").click()
        expect(opened.locator("pre")).to_contain_text("q.usd_per_hour")

        drawn = page.locator('[data-picture="cache"]')
        before = drawn.get_attribute("data-frame")
        drawn.get_by_role("slider").focus()
        page.keyboard.press("ArrowLeft")
        expect(drawn).not_to_have_attribute("data-frame", before)

        def solved():
            page.evaluate("() => true")  # let the page go on
            done = json.loads(stored.read_text()) if stored.exists() else {}
            return done.get("exercises", {}).get("00-3", {}).get("solutions") and done

        done = lab.until(solved)
        assert done["predictions"]["00-cost"]["said"] > 0
        entry = done["exercises"]["00-3"]
        assert (entry["attempts"], entry["hints"], entry["solutions"]) == (1, 1, 1)
        assert entry["solved"] is False
        assert not outside, outside
        assert not [e for e in errors if "econ" in e], errors
        browser.close()


def _sessions(base, token):
    """Notebook and kernel of each session, once there is one."""
    sessions = lab.until(lambda: lab.ask(base, token, "sessions"))
    return [(session["path"], session["kernel"]["id"]) for session in sessions]
