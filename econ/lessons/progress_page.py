"""How far a learner has come, and a class: from what is stored on their own machines.

>>> int(progress_frame()["exercises"].sum()) == len(exercises())
True
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from econ.charts.tables import Table
from econ.lessons import memory
from econ.lessons.answers import exercises
from econ.lessons.memory import Stored, count
from econ.lessons.question import judge, questions_of

NOTHING_YET = "No prediction is locked and no exercise is tried yet."
COUNTS = ("tried", "solved", "alone", "attempts", "hints", "solutions", "predictions", "skipped")


def progress_frame(stored: Stored | None = None) -> pd.DataFrame:
    """Per notebook: exercises, tried, solved, solved alone (before the solution was opened),
    attempts, hints taken, solutions opened, predictions locked and skipped.

    Parameters
    ----------
    stored : dict
        What `econ.lessons.memory.read` returns; by default this learner's own.
    """  # fmt: skip
    stored = memory.recall() if stored is None else stored
    done, predictions = stored.get("exercises", {}), stored.get("predictions", {})
    rows = []
    for notebook in sorted({id[:2] for id in exercises()}):
        entries = [done[id] for id in exercises(notebook) if id in done]
        solved = [e for e in entries if e.get("solved") is True]
        guesses = [p for id, p in predictions.items() if id.startswith(f"{notebook}-")]
        rows.append([
            notebook, len(exercises(notebook)),
            sum(count(e, "attempts") > 0 for e in entries),
            len(solved), sum(e.get("aided") is not True for e in solved),
            *(sum(count(e, name) for e in entries) for name in COUNTS[3:6]),
            sum("said" in p for p in guesses), sum(p.get("skipped") is True for p in guesses),
        ])  # fmt: skip
    return pd.DataFrame(rows, columns=["notebook", "exercises", *COUNTS])


class Progress(Table):
    """What was done, notebook by notebook; a sentence while nothing was."""

    def __init__(self, frame: pd.DataFrame):
        super().__init__(frame)
        self._is_empty = not frame[list(COUNTS)].to_numpy().any()

    def __repr__(self) -> str:
        return NOTHING_YET if self._is_empty else super().__repr__()

    def _repr_html_(self) -> str:
        return f"<p>{NOTHING_YET}</p>" if self._is_empty else super()._repr_html_()


def progress() -> Progress:
    """What this learner has predicted, tried and solved; only their own answers count."""
    return Progress(progress_frame())


def class_frame(folder: str | Path) -> pd.DataFrame:
    """The progress files of a class, one row each: ``learner`` (the file's name), the counts of
    `progress_frame` over all notebooks, the wrong ideas met, and why a file could not be read.

    Parameters
    ----------
    folder : path
        With the learners' ``.json`` files, each named as its learner.
    """  # fmt: skip
    rows = []
    for learner, stored in _files(folder):
        if isinstance(stored, str):
            rows.append({"learner": learner, "reason": f"not read: {stored}"})
            continue
        totals = progress_frame(stored)[list(COUNTS)].sum().to_dict()
        ideas = ", ".join(sorted({idea for _, _, idea in _met(stored)}))
        rows.append({"learner": learner, **totals, "ideas": ideas, "reason": ""})
    return pd.DataFrame(rows, columns=["learner", *COUNTS, "ideas", "reason"])


def ideas_frame(folder: str | Path) -> pd.DataFrame:
    """Who of a class met which wrong idea, and where: learner, kind (prediction or exercise),
    question, idea (a row of ``data/lessons/misconceptions.csv``).

    Parameters
    ----------
    folder : path
        With the learners' ``.json`` files, each named as its learner.
    """  # fmt: skip
    rows = [
        (learner, *met)
        for learner, stored in _files(folder)
        if not isinstance(stored, str)
        for met in _met(stored)
    ]
    return pd.DataFrame(rows, columns=["learner", "kind", "question", "idea"])


def _files(folder: str | Path) -> Iterator[tuple[str, Stored | str]]:
    """Each learner's progress, or why it could not be read."""
    for file in sorted(Path(folder).glob("*.json")):
        try:
            yield file.stem, memory.read(file)
        except (OSError, ValueError) as error:
            yield file.stem, str(error)


def _met(stored: Stored) -> list[tuple[str, str, str]]:
    """Kind, question and wrong idea: those that exercises noted, and those of locked guesses."""
    rows = []
    for id, entry in stored.get("exercises", {}).items():
        ideas = entry.get("ideas")
        noted = ideas if isinstance(ideas, list) else []
        rows += [("exercise", id, idea) for idea in noted if isinstance(idea, str)]
    for id, entry in stored.get("predictions", {}).items():
        q = questions_of(id[:2]).get(id)
        if q and "said" in entry and (idea := judge(q, entry["said"]).idea):
            rows.append(("prediction", id, idea))
    return rows


def class_progress(folder: str | Path) -> Table:
    """`class_frame` to look at, for a teacher to whom learners gave their files."""
    formats = dict.fromkeys(COUNTS, "{:.0f}")
    return Table(class_frame(folder), **formats)
