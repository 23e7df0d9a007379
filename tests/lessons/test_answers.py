"""Exercises name the slip, guesses are kept, and nothing raises."""

import json
import math

import numpy as np
import pytest

from econ.lessons import memory
from econ.lessons.answers import EXERCISES, check, exercise, predict


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "state" / "learner.json"))
    monkeypatch.delenv("ECON_STATIC", raising=False)


@pytest.fixture
def task():
    """An exercise whose answer is 0.25 s."""
    exercise("t-1", unit="s", hint="Count again.")(lambda: 0.25)
    yield "t-1"
    del EXERCISES["t-1"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0.25, "right"),
        (0.2501, "right"),
        (..., "not answered yet"),
        (None, "not answered yet"),
        (250, "Milliseconds for seconds"),
        (0.00025, "Seconds for milliseconds"),
        (25, "percentage"),
        (900, "Per hour instead of per second"),
        (2.0, "Bits instead of bytes"),
        (0.5, "counted twice"),
        (0.25 * 2**30 / 1e9, "10⁹ or 2³⁰"),
        (-0.25, "wrong sign"),
        (4.0, "reciprocal"),
        (0.3, "too large. Count again."),
        (0.0, "too small"),
        ("0.25", "is a str"),
        (True, "is a bool"),
        (math.nan, "not a finite number"),
    ],
)
def test_every_answer_gets_its_words(task, answer, words, capsys):
    check(task, answer)
    assert words in capsys.readouterr().out


def test_numpy_numbers_are_numbers(task, capsys):
    check(task, np.float64(0.25))
    assert "right" in capsys.readouterr().out


def test_a_word_is_checked_as_a_word(capsys):
    exercise("t-2", unit="")(lambda: "KV cache")
    check("t-2", "kv cache ")
    check("t-2", "weights")
    assert capsys.readouterr().out.splitlines()[0] == "t-2: right."
    del EXERCISES["t-2"]


def test_an_unknown_exercise_names_the_nearest(capsys):
    check("00-11", 1)
    assert "nearest: 00-1" in capsys.readouterr().out


@pytest.mark.parametrize("id", [i for i in EXERCISES if i[0].isdigit()])
def test_every_exercise_has_a_finite_answer(id, capsys):
    truth = EXERCISES[id].expected()
    check(id, truth)
    assert "right" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [10**400, [0.25], {}, object(), 1 + 2j, np.array([0.25, 1.0])])
def test_whatever_is_given_a_lesson_goes_on(task, answer, capsys):
    check(task, answer)
    assert predict("g", answer, "s") is None
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("t-1: ")
    assert "right" not in said[0]
    assert "is not a number of s." in said[-1]
    check(["t-1"], 1)
    assert "No exercise" in capsys.readouterr().out


def test_a_model_that_fails_under_an_exercise_is_said_not_raised(capsys):
    exercise("t-3", unit="s")(lambda: 1 / 0)
    check("t-3", 1.0)
    del EXERCISES["t-3"]
    assert "could not be checked (ZeroDivisionError" in capsys.readouterr().out
    assert memory.recall() == {}  # not held against the learner


def test_guesses_and_progress_are_kept(task):
    assert predict("g", 3, "USD") == 3.0
    assert predict("h", ..., "USD") is None
    assert predict("h", "three", "USD") is None
    check(task, 0.25)
    kept = json.loads(memory.path().read_text())
    assert kept["guesses"] == {"g": {"value": 3.0, "unit": "USD"}}
    assert memory.recall()["exercises"] == {"t-1": {"right": True}}
    assert not list(memory.path().parent.glob("*.tmp"))


def test_a_damaged_or_locked_memory_stops_no_lesson(tmp_path, monkeypatch, task):
    memory.path().parent.mkdir(parents=True)
    memory.path().write_text("{half")
    assert memory.recall() == {}
    check(task, 0.25)
    assert memory.recall()["exercises"]["t-1"]["right"]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ECON_STATE", str(tmp_path / "file" / "below.json"))
    check(task, 0.25)


def test_nothing_is_kept_while_outputs_are_made(monkeypatch, task):
    monkeypatch.setenv("ECON_STATIC", "1")
    check(task, 0.25)
    assert not memory.path().exists()
