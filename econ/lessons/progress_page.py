"""How far a learner has come, and a class: from what is stored on their own machines.

>>> int(progress_frame()["exercises"].sum()) == len(exercises())
True
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from econ.charts.tables import Table
from econ.lessons import memory
from econ.lessons.answers import exercises
from econ.lessons.memory import Stored, count

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
    for file in sorted(Path(folder).glob("*.json")):
        try:
            stored = memory.read(file)
        except (OSError, ValueError) as error:
            rows.append({"learner": file.stem, "reason": f"not read: {error}"})
            continue
        totals = progress_frame(stored)[list(COUNTS)].sum().to_dict()
        met = {i for e in stored.get("exercises", {}).values() for i in _ideas(e)}
        rows.append({"learner": file.stem, **totals, "ideas": ", ".join(sorted(met)), "reason": ""})
    return pd.DataFrame(rows, columns=["learner", *COUNTS, "ideas", "reason"])


def _ideas(entry: dict[str, object]) -> list[str]:
    ideas = entry.get("ideas")
    return [i for i in ideas if isinstance(i, str)] if isinstance(ideas, list) else []


def class_progress(folder: str | Path) -> Table:
    """The same to look at, for a teacher to whom learners gave their files."""
    whole = dict.fromkeys(COUNTS, "{:.0f}")
    return Table(class_frame(folder), **whole)
