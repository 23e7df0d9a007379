"""What sellers list for a model, with history: prices on which two lists agree.

A list is not a shop: it lags, carries offers that nobody answers and corrects itself. Here stand
prices of makers, clouds and hosts that at least two lists agree on, from January 2025 to November
2026. Older prices, back to 2020, are in `econ.catalog.prices`.

>>> offers_frame("gpt-oss-120b", on="2026-11-28")["seller"].nunique() > 5
True
"""

from __future__ import annotations

import datetime
import re

import pandas as pd

from econ.catalog.guard import unknown
from econ.catalog.names import identifier
from econ.catalog.tables import table

DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])")


def offers_frame(
    model: str | None = None,
    *,
    seller: str | None = None,
    on: str | None = None,
) -> pd.DataFrame:
    """Offers of one model or of all, oldest first.

    Parameters
    ----------
    model, seller : str, optional
        Only these, e.g. ``"gpt-oss-120b"``, ``"Groq"``.
    on : str, optional
        ``YYYY-MM-DD``: only what could be bought on that day, i.e. was listed, and not retired.

    Returns
    -------
    DataFrame
        ``model, vendor, seller, seller_class, variant, since, until, retired, input_usd_per_mtok,
        cached_input_usd_per_mtok, output_usd_per_mtok, n_lists, source, …``; an empty ``until``:
        still listed.

    Raises
    ------
    UnknownName
        For a model or a seller without an offer, with the nearest.
    ValueError
        For what is no day.

    Examples
    --------
    >>> history = offers_frame("gpt-5.6-luna", seller="OpenAI")
    >>> history[["since", "input_usd_per_mtok"]].values.tolist()
    [['2026-07-09', 1.0], ['2026-07-30', 0.2]]
    """
    rows = table("offers")
    if model is not None:
        sold = pd.DataFrame(index=pd.Index(rows["model"].unique()))
        rows = rows[rows["model"] == identifier("sold model", model, sold, with_aliases=False)]
    if seller is not None:
        if seller not in set(rows["seller"]):
            raise unknown(
                f"seller{f' of {model}' if model else ''}", seller, rows["seller"].unique()
            )
        rows = rows[rows["seller"] == seller]
    if on is not None:
        rows = rows[for_sale(rows, on)]
    return rows.sort_values(["since", "model", "seller"], kind="stable", ignore_index=True)


def for_sale(offers: pd.DataFrame, on: str) -> pd.Series:
    """Whether each offer could be bought on a day: listed since, not withdrawn, not retired."""
    if not (isinstance(on, str) and DAY.fullmatch(on)):
        raise ValueError(f"on = {on!r} is outside its range: a day as YYYY-MM-DD")
    datetime.date.fromisoformat(on)
    listed = (offers["since"] <= on) & ((offers["until"] == "") | (offers["until"] >= on))
    return listed & ((offers["retired"] == "") | (offers["retired"] > on))
