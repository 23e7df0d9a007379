"""Exercises: each wrong answer has its sentence, only own answers count, nothing raises."""

import json
import math

import numpy as np
import pytest

from econ.lessons import check, exercise, given, hint, memory, solution
from econ.lessons.answers import exercises
from econ.lessons.question import Wrong, find, forget, hints, inputs, judge, question, truth


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "state" / "learner.json"))
    monkeypatch.delenv("ECON_STATIC", raising=False)


def _entry(id="t-1"):
    return memory.recall()["exercises"][id]


@pytest.fixture
def task():
    """An exercise whose answer is 0.25 s, asked for in milliseconds."""
    question(
        "t-1",
        "How long?",
        unit="ms",
        hints=("Count again.", "n × t"),
        twin="Two steps of 10 ms are 20 ms.",
        wrong=[Wrong(lambda q: 500, "Both halves.", "some-idea")],
        truth=lambda q: 250.0,
    )
    yield "t-1"
    forget("t-1")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (250, "right"),
        (250.1, "right"),
        ("0.25 s", "right"),
        ("250 ms", "right"),
        ("250.0", "right"),
        (..., "not answered yet"),
        (None, "not answered yet"),
        (500, "Both halves."),
        ("0.5 s", "Both halves."),
        (0.25, "would be right in s; the unit of this answer is ms"),
        (250e3, "would be right in µs"),
        (-250, "wrong sign"),
        (1 / 250, "the reciprocal"),
        (258, "close"),
        (300, "too large. Count again."),
        (0.0, "too small"),
        ("a quarter", "is not a number; give a number, the unit is ms"),
        ("250 kg", "'kg' is not a unit of this answer"),
        (True, "is a bool"),
        (math.nan, "not a finite number"),
        (10**400, "not a finite number"),
        ([250], "is a list"),
        ({}, "is a dict"),
        (1 + 2j, "is a complex"),
        (np.array([250, 1.0]), "is a ndarray"),
        ("", "is not a number"),
        ("about 250", "right"),
        ("$250", "is in dollars"),
        ("9" * 5000, "not a finite number"),
    ],
)
def test_every_answer_gets_its_words(task, answer, words, capsys):
    check(task, answer)
    assert words in capsys.readouterr().out


def test_numpy_numbers_are_numbers(task, capsys):
    check(task, np.float64(250))
    assert "right" in capsys.readouterr().out


def test_an_unknown_exercise_names_the_nearest(capsys):
    for ask in (lambda: check("00-11", 1), lambda: hint("00-11")):
        ask()
        assert "nearest: 00-1" in capsys.readouterr().out
    check(["t-1"], 1)


def test_a_model_that_fails_under_an_exercise_is_said_not_raised(capsys):
    question("t-3", "", unit="s", truth=lambda q: 1 / 0)
    check("t-3", 1.0)
    forget("t-3")
    assert "could not be checked (ZeroDivisionError" in capsys.readouterr().out
    assert memory.recall() == {}  # not held against the learner


def test_attempts_count_once_each_and_solved_stays_solved(task, capsys):
    for answer in (300, 300, 500, 250, "soon", 300):
        check(task, answer)
    entry = _entry()
    assert entry["attempts"] == 4  # the same cell run again is none, and "soon" is no answer
    assert entry["solved"] is True
    assert entry["aided"] is False
    assert entry["ideas"] == ["some-idea"]


def test_hints_escalate_and_are_counted(task, capsys):
    for _ in range(4):
        hint(task)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(": ", 1)[1] for line in said[:3]] == hints(find(task))
    assert said[2] == said[3]  # the last one stays
    assert _entry()["hints"] == 3


def test_a_solution_solves_nothing_and_is_counted_when_it_is_opened(task):
    view = solution(task, 250.0)
    assert repr(view) == "t-1: the worked solution is right."
    assert "WRONG" in repr(solution(task, 258))
    assert memory.recall().get("exercises", {}) == {}
    view.store({"solutions": 1})  # what the page says when a learner opens it
    check(task, 250)
    assert _entry()["solutions"] == 1
    assert _entry()["aided"] is True


def test_what_the_page_records_joins_what_checks_record(task):
    view = exercise(task)
    check(task, 250)
    view.store({**view.record(), "hints": 2, "solved": False})
    assert _entry()["solved"] is True  # solved stays solved
    assert _entry()["hints"] == 2


def test_nothing_is_kept_while_outputs_are_made(monkeypatch, task):
    monkeypatch.setenv("ECON_STATIC", "1")
    check(task, 250)
    hint(task)
    exercise(task).store({"solved": True})
    assert not memory.path().exists()


def test_choices_and_orders_are_told_in_words(capsys):
    question(
        "t-4",
        "Which?",
        options={"a": "Weights", "b": "The cache"},
        hints=("Look.",),
        wrong=[Wrong("a", "Read once.")],
        truth=lambda q: "b",
    )
    question(
        "t-5",
        "Order!",
        items={"a": "one", "b": "two", "c": "three"},
        wrong=[Wrong(("c", "b", "a"), "Backwards.")],
        truth=lambda q: ("a", "b", "c"),
    )
    for answer in ("the cache ", "b", "a", "z", 3, ["a"], b"a"):
        check("t-4", answer)
    for answer in (["a", "b", "c"], "a, b, c", "c b a", ("a", "c", "b"), "a b", 7, ["a"] * 9):
        check("t-5", answer)
    said = [line.split(": ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    forget("t-4", "t-5")
    assert said[:4] == ["right.", "right.", "Read once.", "'z' is none of: a, b."]
    assert all("is none of" in words for words in said[4:7])
    assert said[7:11] == ["right.", "right.", "Backwards.", "1 of 3 are in their place."]
    assert all(words.startswith("name all of") for words in said[11:])


def test_whole_counts_take_both_sides_and_nothing_else():
    question("t-6", "", unit="", whole=True, truth=lambda q: 43.7)
    marks = {n: judge(find("t-6"), n).mark for n in (42, 43, 43.7, 44, 45)}
    forget("t-6")
    assert marks == {42: "close", 43: "right", 43.7: "right", 44: "right", 45: "close"}


# -- the exercises of the course ---------------------------------------------------------------
@pytest.mark.parametrize("id", exercises())
def test_the_truth_is_right_and_twins_differ(id, capsys):
    q = find(id)
    check(id, truth(q))
    assert "right" in capsys.readouterr().out
    assert vars(inputs(q)) != vars(inputs(q, shift=1)) or not q.inputs


@pytest.mark.parametrize("id", exercises())
def test_every_slip_gets_its_own_words(id, monkeypatch):
    """For every learner's numbers: outside the tolerance, and not taken for another slip."""
    q = find(id)
    for seed in range(4):
        monkeypatch.setattr(memory, "seed", lambda seed=seed: seed)
        for wrong in q.wrong:
            answer = wrong.answer(inputs(q)) if callable(wrong.answer) else wrong.answer
            verdict = judge(q, answer)
            says = wrong.says(inputs(q)) if callable(wrong.says) else wrong.says
            assert verdict.mark == "wrong", (seed, answer)
            assert verdict.words == says.format(**vars(inputs(q))), (seed, answer)


def test_a_neighbours_number_does_not_help(monkeypatch):
    drawn = set()
    for seed in range(1, 30):
        monkeypatch.setattr(memory, "seed", lambda seed=seed: seed)
        drawn.add(given("00-1").n_gpu)
    assert drawn == {4, 8, 6}


def test_what_is_stored_is_json():
    check("00-1", 1.5)
    assert json.loads(memory.path().read_text())["exercises"]["00-1"]["attempts"] == 1
