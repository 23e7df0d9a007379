"""Predictions lock once, refuse what is impossible, and are answered in words."""

import math

import pytest

from econ.lessons import calibration, memory, predict, reveal
from econ.lessons.predictions import calibration_frame, reveal_words, stops
from econ.lessons.question import Wrong, find, forget, question, questions_of
from econ.lessons.views import markup


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "state" / "learner.json"))
    monkeypatch.delenv("ECON_STATIC", raising=False)


@pytest.fixture
def cost():
    """A prediction of 2 USD, and a choice."""
    question(
        "t-cost",
        "What does it cost?",
        unit="USD",
        slider=(0.01, 100),
        tolerance_frac=0.25,
        wrong=[Wrong((20, math.inf), "That is one user's.", "alone")],
        because="Users share.",
        truth=lambda q: 2.0,
    )
    question(
        "t-kind",
        "Which?",
        options={"a": "Physics", "b": "A price list"},
        wrong=[Wrong("a", "No law says so.", "law")],
        truth=lambda q: "b",
    )
    yield "t-cost"
    forget("t-cost", "t-kind")


def test_the_first_prediction_counts(cost):
    guess = predict(cost)
    assert guess.value is None
    assert guess.lock("50 USD") == "t-cost: locked at 50 USD."
    assert guess.value == 50.0
    assert "locked at 50 USD already" in guess.lock(2)
    assert predict(cost).value == 50.0
    guess.skip()
    assert guess.value == 50.0


@pytest.mark.parametrize("answer", [-5, "−5 USD", "much", [], None, math.inf, True, 10**400, {}])
def test_what_is_impossible_is_refused_and_not_stored(cost, answer):
    said = predict(cost).lock(answer)
    assert said.startswith("t-cost: ")
    assert "locked" not in said
    assert predict(cost).value is None


def test_a_reveal_says_what_was_said_what_is_true_and_the_sentence(cost):
    assert "Lock or skip" in reveal(cost).spec["waiting"]
    predict(cost).lock(50)
    words = reveal_words(find(cost), 50)
    assert words == ("You said **50 USD**. That is 25 times too large. That is one user's. "
                     "It is **2 USD**. Users share.")  # fmt: skip
    assert "25 times too large" in reveal(cost).record()["words"]
    assert "That is within 25%." in reveal_words(find(cost), 2.1)
    assert "10 times too small." in reveal_words(find(cost), 0.2)
    predict("t-kind").lock("physics")
    told = reveal("t-kind").record()["words"]
    assert "No law says so. The right answer: <strong>A price list</strong>." in told


def test_skipping_is_recorded(cost):
    predict(cost).skip()
    assert memory.recall()["predictions"] == {cost: {"skipped": True}}
    assert reveal(cost).record() == {"skipped": True}


def test_the_page_locks_as_python_does(cost):
    view = predict(cost)
    view.store({"key": "3", "said": -1})
    assert view.value is None
    view.store({"key": "3", "said": 3.0})
    view.store({"skipped": True})
    assert view.value == 3.0


def test_stored_nonsense_is_no_prediction(cost):
    memory.remember("predictions", cost, {"said": "soon"})
    memory.remember("predictions", "t-kind", {"said": ["a"]})
    assert predict(cost).value is None
    assert predict("t-kind").value is None
    assert calibration_frame().empty


def test_calibration_says_how_well_a_learner_guessed(cost):
    assert repr(calibration()) == "No prediction is locked yet."
    predict(cost).lock(8)
    predict("t-kind").lock("b")
    assert calibration_frame()["factor"].iloc[0] == 4
    said = repr(calibration())
    assert said.startswith(
        "1 of 2 predictions right. Half of the numbers were within a factor of 4"
    )
    assert "8 USD" in calibration()._repr_html_()


def test_a_slider_moves_in_round_steps():
    assert stops(0, 100)[:2] == [0, 2.5]
    assert stops(0.01, 100)[0] == 0.01
    assert stops(0.01, 100)[-1] == 100
    assert all(b > a for a, b in zip(stops(0.01, 1000), stops(0.01, 1000)[1:], strict=False))


PREDICTIONS = [id for id in questions_of() if not id[3:].isdigit()]


@pytest.mark.parametrize("id", PREDICTIONS)
def test_every_wrong_idea_of_a_prediction_meets_its_sentence(id):
    """The truth lies outside all of them, and on the slider."""
    q = find(id)
    view = reveal(id)
    own = [w.says(None) if callable(w.says) else w.says for w in q.wrong]
    revealed = " ".join(view.spec["verdicts"].values())
    for says in own:
        assert markup(says)[3:-4] in revealed, says
    right = [words for words in view.spec["verdicts"].values() if "That is within" in words
             or "That is right" in words]  # fmt: skip
    assert right
    assert not any(markup(s)[3:-4] in words for s in own for words in right)
