"""Questions and a picture in real JupyterLab: the page records what a learner does."""

import json

import nbformat
import pytest
from playwright.sync_api import expect, sync_playwright

from tests import lab

pytestmark = pytest.mark.browser
CELLS = [
    "from econ.lessons import check, exercise, picture, predict, reveal, solution",
    'predict("00-cost")',
    'reveal("00-cost")',
    'exercise("00-3")',
    'answer = ...\ncheck("00-3", answer)',
    '# Solution\nfrom econ.lessons import given\nq = given("00-3")\n'
    'solution("00-3", q.usd_per_hour / 3600 / q.tokens_per_s * 1e6)',
    'picture("cache")',
]


def test_a_page_records_what_a_learner_does(tmp_path):
    stored = tmp_path / "learner.json"
    with (
        sync_playwright() as playwright,
        lab.jupyterlab(tmp_path, ECON_STATE=str(stored)) as (base, token),
    ):
        cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / "q.ipynb")
        browser = lab.browser(playwright)
        page = browser.new_page(viewport={"width": 1000, "height": 2600})
        outside, errors = lab.watch(page)
        lab.open_notebook(page, base, token, "q.ipynb")
        lab.run_all(page)
        guess, answer = (page.locator('[data-question="00-cost"]').nth(i) for i in (0, 1))
        expect(answer).to_contain_text("Lock or skip", timeout=lab.PATIENCE_MS)
        # Run All solved nothing
        assert "exercises" not in (json.loads(stored.read_text()) if stored.exists() else {})

        guess.get_by_role("slider").focus()
        page.keyboard.press("ArrowLeft")
        guess.get_by_role("button", name="Lock it in").click()
        expect(answer).to_contain_text("You said", timeout=lab.PATIENCE_MS)

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

        page.wait_for_function("() => true")
        for _ in range(100):
            done = json.loads(stored.read_text()) if stored.exists() else {}
            if done.get("exercises", {}).get("00-3", {}).get("solutions"):
                break
            page.wait_for_timeout(200)
        assert done["predictions"]["00-cost"]["said"] > 0
        entry = done["exercises"]["00-3"]
        assert (entry["attempts"], entry["hints"], entry["solutions"]) == (1, 1, 1)
        assert entry["solved"] is False
        assert not outside, outside
        assert not [e for e in errors if "econ" in e], errors
        browser.close()
