"""Exercises: shown, checked, hinted at and solved; only a learner's own answer is recorded.

A check prints a sentence and never raises, so that a notebook runs through while answers are
missing. The expected value is computed when it is needed, by the functions that notebooks teach.

>>> check("00-1", ...)
00-1: not answered yet.
>>> check("00-1", "ten")
00-1: 'ten' is not a number; give a number, the unit is ms.
>>> check("00-11", 1)
unknown question '00-11'; nearest: 00-1...
"""

from __future__ import annotations

import random
import re
from types import SimpleNamespace
from typing import Any

from IPython import get_ipython

from econ.catalog.guard import UnknownName, shown
from econ.lessons import memory
from econ.lessons.interface import say
from econ.lessons.question import (
    Question,
    Verdict,
    find,
    hints,
    inputs,
    judge,
    prompt,
    questions_of,
    truth,
)  # fmt: skip
from econ.lessons.views import (
    Record,
    View,
    exercise_spec,
    folded,
    listed,
    markup,
    refresh,
    static_html,
)  # fmt: skip

NUMBERED = re.compile(r"\w\d-\d+")  # an exercise; a prediction ends with a word
MOST_STORED = 80  # characters of an answer
HINT_NAMES = ("hint_nudge", "hint_formula", "hint_twin")


def exercises(notebook: str = "") -> list[str]:
    """The exercises of a notebook, e.g. ``"02"``, or of all."""
    return sorted(id for id in questions_of(notebook) if NUMBERED.fullmatch(id))


def exercise(id: str) -> View:
    """An exercise with its field, its check and its hints, shown as the last value of a cell.

    Parameters
    ----------
    id : str
        E.g. ``"13-1"``. The numbers in it are this learner's own; `given` returns them.
    """
    q = find(id)
    folds = [
        folded(say("hint", name=say(HINT_NAMES[min(i, len(HINT_NAMES) - 1)])), words)
        for i, words in enumerate(hints(q))
    ]
    head = f"**{q.id}.** {prompt(q)}"
    words = f"{q.id}. {prompt(q)}{listed(q)}"
    spec = exercise_spec(q, _shuffled(q))
    return View(words, static_html(head, q, *folds), spec, lambda: _entry(q.id), _keep(q.id))


def given(id: str) -> SimpleNamespace:
    """The numbers of an exercise as this learner was given them, by name.

    >>> given("00-1").n_gpu in (4, 8, 6)
    True
    """
    return inputs(find(id))


def check(id: Any, answer: Any) -> None:
    """Print whether an answer is right, or the sentence for this wrong one; count the attempt.

    Parameters
    ----------
    id : str
        The exercise, e.g. ``"02-3"``.
    answer : number, str or sequence
        ``0.0103``, ``"10.3 ms"``, an option, an order; ``...`` for none yet.
    """
    try:
        q = find(id)
    except UnknownName as error:
        print(error)
        return
    if answer is ... or answer is None:
        print(say("not_answered", id=id))
        return
    try:
        verdict = judge(q, answer)
    except Exception as error:  # ours, not the learner's: a lesson goes on
        print(f"{id}: could not be checked ({type(error).__name__}: {error}).")
        return
    print(f"{id}: {verdict.words}")
    if verdict.mark != "refused":
        _count_attempt(id, answer, verdict)


def hint(id: str) -> None:
    """Print the next hint: a nudge, then the formula, then the same worked with other numbers."""
    try:
        q = find(id)
    except UnknownName as error:
        print(error)
        return
    words, entry = hints(q), memory.entry("exercises", id)
    n_taken = memory.count(entry, "hints")
    if not words:
        print(say("hint_none", id=id))
        return
    number = min(n_taken, len(words) - 1)
    print(say("hint_count", id=id, n=number + 1, total=len(words), words=words[number]))
    memory.remember("exercises", id, {**entry, "hints": number + 1})


def solution(id: str, answer: Any) -> View:
    """The worked solution of a cell, shown on demand; it never counts as the learner's answer.

    Parameters
    ----------
    id : str
        The exercise.
    answer : number or str
        What the cell computes; the test run holds it against the truth.
    """
    q = find(id)
    right = judge(q, answer).mark == "right"
    words = f"{id}: the worked solution is {'right' if right else 'WRONG'}."
    shell = get_ipython()
    source = str(shell.user_ns.get("In", [""])[-1]) if shell else ""
    spec = {
        "id": id,
        "mode": "solution",
        "kind": q.kind,
        "prompt": "",
        "solution": f"{source.removeprefix('# Solution').strip()}\n\n{shown(answer)} {q.unit}",
    }
    return View(words, markup(words), spec, lambda: _entry(id), _keep(id))


def _entry(id: str) -> Record:
    return memory.entry("exercises", id)


def _keep(id: str) -> Any:
    """Store what the page recorded of an exercise; what is solved stays solved."""

    def store(record: Record) -> None:
        was = _entry(id)
        solved = bool(was.get("solved") or record.get("solved"))
        memory.remember("exercises", id, {**was, **record, "solved": solved})

    return store


def _count_attempt(id: str, answer: Any, verdict: Verdict) -> None:
    entry, last = memory.entry("exercises", id), shown(answer)[:MOST_STORED]
    if entry.get("last") != last:  # a cell that is run again is no new attempt
        entry["attempts"] = memory.count(entry, "attempts") + 1
    if verdict.mark == "right" and not entry.get("solved"):
        entry |= {"solved": True, "aided": memory.count(entry, "solutions") > 0}
    ideas = entry.get("ideas")
    ideas = ideas if isinstance(ideas, list) else []
    if verdict.idea and verdict.idea not in ideas:
        entry["ideas"] = [*ideas, verdict.idea]
    memory.remember("exercises", id, {"solved": False, **entry, "last": last})
    refresh(id)


def _shuffled(q: Question) -> list[str]:
    """The items in an order that is not the right one."""
    keys = sorted(q.items)
    random.Random(f"{q.id} {memory.seed()}").shuffle(keys)
    if keys and tuple(keys) == tuple(truth(q)):
        keys.reverse()
    return keys
