"""How far a learner has come, notebook by notebook, from what is stored on their own machine.

>>> from econ.lessons.answers import EXERCISES
>>> int(progress_frame()["exercises"].sum()) == sum(id[:2].isdigit() for id in EXERCISES)
True
"""

from __future__ import annotations

import pandas as pd

from econ.charts.tables import Table
from econ.lessons import memory
from econ.lessons.answers import EXERCISES


def progress_frame() -> pd.DataFrame:
    """Per notebook: exercises, and how many of them were tried and solved; guesses.

    Returns
    -------
    DataFrame
        ``notebook``, ``exercises``, ``tried``, ``solved``, ``guesses``.
    """
    stored = memory.recall()
    tried, guesses = stored.get("exercises", {}), stored.get("guesses", {})
    solved = {id for id, entry in tried.items() if isinstance(entry, dict) and entry.get("right")}
    rows = []
    for notebook in sorted({id[:2] for id in EXERCISES if id[:2].isdigit()}):
        ids = {id for id in EXERCISES if id.startswith(f"{notebook}-")}
        n_guesses = sum(id.startswith(f"{notebook}-") for id in guesses)
        rows.append([notebook, len(ids), len(ids & set(tried)), len(ids & solved), n_guesses])
    return pd.DataFrame(rows, columns=["notebook", "exercises", "tried", "solved", "guesses"])


def progress() -> Table:
    """The same to look at."""
    return Table(progress_frame())
