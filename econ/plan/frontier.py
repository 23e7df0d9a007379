"""The frontier: deployments that nothing else beats on every count at once.

>>> cheap = pd.DataFrame({"usd": [1.0, 2.0, 2.0, 3.0], "tokens_per_s": [10.0, 20.0, 15.0, 20.0]})
>>> on_frontier(cheap, lower=["usd"], higher=["tokens_per_s"]).tolist()
[True, True, False, False]
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from econ.catalog.guard import one_of

SMALLER = ("cost_usd_per_good_mtok", "site_energy_j_per_token", "carbon_g_per_mtok")
LARGER = ("tokens_per_s_per_user",)


def on_frontier(
    frame: pd.DataFrame, lower: Iterable[str] = SMALLER, higher: Iterable[str] = LARGER
) -> np.ndarray:
    """Whether each row is Pareto-optimal; a row with a missing figure is not.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows to compare.
    lower, higher : iterable of str
        Columns of which less, or more, is better.

    Notes
    -----
    A row is beaten by another that is no worse on every count and better on one. Equal rows all
    stay. Rows are taken in order of their sum of ranks, so that the first survivors clear most of
    the rest at once: time grows with rows × frontier, not with rows².
    """
    lower, higher = list(lower), list(higher)
    for name in (*lower, *higher):
        one_of("column", name, frame.columns)
    if not lower and not higher:
        raise ValueError("a frontier needs a column to compare by")
    sides = [frame[n].to_numpy("float64") for n in lower]
    sides += [-frame[n].to_numpy("float64") for n in higher]
    points = np.column_stack(sides)
    alive = np.flatnonzero(np.isfinite(points).all(axis=1))
    ranks = np.column_stack([np.unique(points[alive, k], return_inverse=True)[1]
                             for k in range(points.shape[1])])  # fmt: skip
    alive = alive[np.argsort(ranks.sum(axis=1), kind="stable")] if len(alive) else alive
    keep = np.zeros(len(frame), bool)
    while len(alive):
        first = points[alive[0]]
        keep[alive[0]] = True
        beaten = (points[alive] >= first).all(axis=1) & (points[alive] > first).any(axis=1)
        beaten[0] = True  # taken; those equal to it go on to be kept in their turn
        alive = alive[~beaten]
    return keep
