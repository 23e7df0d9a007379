"""How far a learner has come, notebook by notebook, from what is kept on their own machine.

>>> from econ.lessons.answers import EXERCISES
>>> made = progress_frame()
>>> int(made["exercises"].sum()) == sum(id[:2].isdigit() for id in EXERCISES)
True
"""

from __future__ import annotations

import pandas as pd

from econ.charts.tables import Table
from econ.lessons import memory
from econ.lessons.answers import EXERCISES


def progress_frame() -> pd.DataFrame:
    """Per notebook: its exercises, how many were tried and solved, and the guesses made."""
    kept = memory.recall()
    tried, guesses = kept.get("exercises", {}), kept.get("guesses", {})
    solved = {id for id, v in tried.items() if isinstance(v, dict) and v.get("right")}
    rows = []
    for notebook in sorted({id[:2] for id in EXERCISES if id[:2].isdigit()}):
        mine = {id for id in EXERCISES if id.startswith(f"{notebook}-")}
        made = sum(id.startswith(f"{notebook}-") for id in guesses)
        rows.append([notebook, len(mine), len(mine & set(tried)), len(mine & solved), made])
    return pd.DataFrame(rows, columns=["notebook", "exercises", "tried", "solved", "guesses"])


def progress() -> Table:
    """The same to look at."""
    return Table(progress_frame())
