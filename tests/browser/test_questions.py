"""Questions on a page without a kernel: the script alone locks, reveals, checks and hints."""

import json

import pytest
from playwright.sync_api import expect, sync_playwright

from econ.lessons import exercise, predict, reveal
from econ.lessons.quantities import parse
from econ.lessons.question import Wrong, find, forget, judge, question
from econ.lessons.views import View
from tests import lab
from tools.website import publish

pytestmark = pytest.mark.browser
SCRIPT = (lab.ROOT / "tools" / "website" / "static" / "question.js").read_text("utf-8")
ANSWERS = [
    "5.27 ms",
    "0.00527 s",
    "5.27",
    "5,27",
    "21.1",
    "-5",
    "ten",
    "5.27 kg",
    "1e3",
    "",
    "10.5 ms",
]


def _page(*views: View) -> str:
    boxes = "".join(
        '<div class="econ-question"><script type="application/json">'
        f"{json.dumps(view.spec)}</script></div>"
        for view in views
    )
    return (
        f"<!doctype html><html lang=en><title>Questions</title><main><h1>Questions</h1>{boxes}"
        f"</main><script>{publish.learn_script()}</script><script>{SCRIPT}</script></html>"
    )


@pytest.fixture(scope="module")
def page():
    """One page with every kind of question, as a learner of seed 0 sees it."""
    question(
        "t-pick",
        "Which?",
        options={"a": "Weights", "b": "The cache"},
        wrong=[Wrong("a", "Read once.")],
        hints=("Look.", "Count."),
        truth=lambda q: "b",
    )
    question(
        "t-sort",
        "Sort!",
        items={"a": "one", "b": "two", "c": "three"},
        truth=lambda q: ("a", "b", "c"),
    )
    question(
        "t-why",
        "Why?",
        options={"a": "Yes", "b": "No"},
        rubric=("Names the cost.", "Two."),
        truth=lambda q: "b",
    )
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("ECON_STATIC", "1")
        browser = lab.browser(playwright)
        tab = lab.page(browser)
        tab.add_init_script("window.problems = []; window.onerror = (m) => problems.push(m)")
        views = [predict("00-cost"), reveal("00-cost"), exercise("00-1"), exercise("t-pick"),
                 exercise("t-sort"), exercise("t-why")]  # fmt: skip
        tab.set_content(_page(*views))
        yield tab
        assert tab.evaluate("window.problems ?? []") == []
        browser.close()
    for id in ("t-pick", "t-sort", "t-why"):
        forget(id)


def _box(page, id, n=0):
    return page.locator(f'[data-question="{id}"]').nth(n)


def test_a_prediction_locks_and_its_reveal_answers(page):
    box, answer = _box(page, "00-cost"), _box(page, "00-cost", 1).get_by_role("status")
    expect(answer).to_contain_text("Lock or skip the prediction first")
    box.get_by_role("slider").focus()
    page.keyboard.press("End")
    box.get_by_role("button", name="Lock it in").click()
    expect(box.get_by_role("status")).to_contain_text("Locked: 1,000 USD per million output tokens")
    expect(answer).to_contain_text("You said 1,000 USD per million output tokens.")
    expect(answer).to_contain_text("one user")
    expect(box.get_by_role("slider")).to_be_disabled()


def test_the_page_judges_as_python_does(page, monkeypatch):
    monkeypatch.setenv("ECON_STATIC", "1")
    box, q = _box(page, "00-1"), find("00-1")
    for answer in ANSWERS:
        box.get_by_role("textbox").fill(answer)
        box.get_by_role("button", name="Check").click()
        verdict = judge(q, answer)
        try:
            parse(answer, q.unit)
        except ValueError:
            expect(box.get_by_role("status")).to_have_text("Give a number, the unit is ms.")
        else:
            expect(box.get_by_role("status")).to_have_text(f"00-1: {verdict.words}")
    record = page.evaluate("econRecords['00-1'].value")
    assert record["solved"] is True
    assert record["attempts"] > 4


def test_hints_come_one_by_one(page):
    box = _box(page, "00-1")
    for label in ("Hint", "Next hint", "The same with other numbers"):
        box.get_by_role("button", name=label, exact=True).click()
    assert box.locator("li").count() == 3
    assert page.evaluate("econRecords['00-1'].value.hints") == 3


def test_a_choice_an_order_and_a_reason_by_keyboard(page):
    pick = _box(page, "t-pick")
    pick.get_by_role("button", name="Check").press("Enter")
    expect(pick.get_by_role("status")).to_have_text("Choose one first.")
    pick.get_by_label("Weights").press("Space")
    pick.get_by_role("button", name="Check").press("Enter")
    expect(pick.get_by_role("status")).to_have_text("t-pick: Read once.")

    sort = _box(page, "t-sort")
    for _ in range(6):  # bubble "one", then "two" up
        for name in ("one", "two", "one"):
            button = sort.get_by_role("button", name=f"Move {name} up")
            if button.is_enabled():
                button.press("Enter")
    sort.get_by_role("button", name="Check").press("Enter")
    expect(sort.get_by_role("status")).to_have_text("t-sort: right.")

    why = _box(page, "t-why")
    why.get_by_label("No").check()
    why.get_by_role("button", name="Check").click()
    expect(why.get_by_role("status")).to_contain_text("Say why")
    why.get_by_label("Because").fill("Because the cost of it is much larger than the gain.")
    why.get_by_role("button", name="Check").click()
    expect(why.get_by_role("status")).to_have_text("t-why: right.")
    why.get_by_label("Names the cost.").check()
    assert page.evaluate("econRecords['t-why'].value.rubric") == 1


def test_axe_has_nothing_serious_to_say(page):
    assert not lab.serious(page, every=True)
