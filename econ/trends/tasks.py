"""What a finished task costs: the price of a token, times what an agent reads and writes for it.

One plain agent tried the same tasks with many models, so a level of quality has a price per solved
task on each day, as it has one per token (`econ.trends.frontier`). Both fall, and not alike: a
model whose tokens cost a third may take three times as many, or fail and be paid for.

>>> falls = task_falls_frame((0.4,))
>>> bool(falls["task_fall"].iloc[0] > 1)
True
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from econ.catalog import offers_frame, table
from econ.catalog.guard import fraction
from econ.catalog.offers import for_sale
from econ.trends.prices import PRICE, blended_usd_per_mtok

LEVELS = (0.2, 0.4, 0.55, 0.65)  # shares of SWE-bench Verified that are solved
FIRST, LAST = "2025-08-03", "2025-12-10"  # the first models were all run by then; the last list


def task_runs_frame() -> pd.DataFrame:
    """The runs with what a solved task cost, and what the model's token cost on that day.

    Returns
    -------
    DataFrame
        ``run``, ``model``, ``solved_frac``, ``usd_per_attempt``, ``usd_per_solved`` (failed tasks
        are paid for), ``price_usd_per_mtok`` (cheapest offer on the day of the run, or the first
        that the lists have after it, three parts input; empty where no two lists agree on one),
        ``source``, ``as_of``.
    """
    rows = table("task_runs").reset_index(drop=True)
    offers = offers_frame()
    offers[PRICE] = blended_usd_per_mtok(
        offers["input_usd_per_mtok"], offers["output_usd_per_mtok"]
    )
    prices = [_price(offers[offers["model"] == r.model], r.as_of) for r in rows.itertuples()]
    rows = rows.assign(
        usd_per_solved=rows["usd_per_attempt"] / rows["solved_frac"], **{PRICE: prices}
    )
    columns = ["run", "model", "solved_frac", "usd_per_attempt", "usd_per_solved", PRICE,
               "source", "as_of"]  # fmt: skip
    return rows[columns]


def _price(offers: pd.DataFrame, on: str) -> float:
    """The cheapest price per token on a day, or on the first day after it with an offer."""
    if offers.empty:
        return float("nan")
    day = (
        on if for_sale(offers, on).any() else str(offers.loc[offers["since"] >= on, "since"].min())
    )
    return float(offers.loc[for_sale(offers, day), PRICE].min())


def cheapest_task(level_frac: float, on: str) -> pd.Series:
    """The run with the cheapest solved task among those that reach a level by a day.

    Raises
    ------
    ValueError
        Where none reaches it by then.
    """
    fraction("level_frac", level_frac)
    rows = task_runs_frame()
    rows = rows[(rows["solved_frac"] >= level_frac) & (rows["as_of"] <= on)]
    if rows.empty:
        raise ValueError(f"level_frac = {level_frac:g}: no run by {on} solves so many")
    return rows.loc[rows["usd_per_solved"].idxmin()]


def task_falls_frame(
    levels_frac: Sequence[float] = LEVELS, start: str = FIRST, end: str = LAST
) -> pd.DataFrame:
    """By how much a solved task got cheaper at each level, and the tokens of the same two models.

    Parameters
    ----------
    levels_frac : sequence of float
        Shares of the tasks solved, e.g. 0.55.
    start, end : str
        Days; the runs span five months.

    Returns
    -------
    DataFrame
        ``level_frac``, ``before``, ``after`` (the runs), ``usd_before``, ``usd_after`` (a solved
        task), ``task_fall``, ``token_fall`` (of the prices per token of these two models).

    Examples
    --------
    >>> rows = task_falls_frame()
    >>> bool((rows["usd_after"] <= rows["usd_before"]).all())
    True
    """
    rows = []
    for level in levels_frac:
        first, last = (cheapest_task(level, day) for day in (start, end))
        rows.append(
            (level, first["run"], last["run"], first["usd_per_solved"], last["usd_per_solved"],
             first["usd_per_solved"] / last["usd_per_solved"], first[PRICE] / last[PRICE])
        )  # fmt: skip
    columns = ["level_frac", "before", "after", "usd_before", "usd_after", "task_fall",
               "token_fall"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
