"""Prices that changed: cuts and rises of the same model by the same seller, without corrections.

A price list that changes a row has often corrected it. A change counts here where two lists agree
on the price before and on the price after.

>>> rows = changes_frame()
>>> bool((rows["change_factor"] > 1).any()), bool((rows["change_factor"] < 1).any())
(True, True)
"""

from __future__ import annotations

import pandas as pd

from econ.catalog import offers_frame, table
from econ.trends.prices import PRICE, blended_usd_per_mtok

GAP_DAYS = 120  # readings of the lists that a price may miss between its end and the next one
SAME = 1e-6
SURCHARGE = 1.1  # what clouds add for a region: another offer, not another price


def changes_frame() -> pd.DataFrame:
    """Every change on which two lists agree, before and after.

    Returns
    -------
    DataFrame
        ``model, seller, variant, date, before, after`` (USD per million tokens, three parts input
        to one part output), ``change_factor`` and ``direction`` (cut or rise), oldest first. The
        date is the first reading with the new price.

    Notes
    -----
    An offer follows another where it begins after it and at most `GAP_DAYS` after its end. Pairs
    that differ by a tenth are an offer with and without a region's surcharge, and left out.

    Examples
    --------
    >>> rows = changes_frame().set_index(["seller", "model"])
    >>> round(float(rows.loc[("OpenAI", "gpt-5.6-luna"), "change_factor"]), 3)
    0.2
    """
    rows = offers_frame()
    rows = rows.assign(
        **{PRICE: blended_usd_per_mtok(rows["input_usd_per_mtok"], rows["output_usd_per_mtok"])}
    )
    changes = []
    for (model, seller, variant), group in rows.groupby(["model", "seller", "variant"]):
        for before in group[group["until"] != ""].itertuples():
            latest = pd.Timestamp(before.until) + pd.Timedelta(days=GAP_DAYS)
            later = group[(group["since"] > before.since)]
            later = later[pd.to_datetime(later["since"], format="ISO8601") <= latest]
            if later.empty:
                continue
            after = later.iloc[0]
            price_before = float(getattr(before, PRICE))
            factor = float(after[PRICE]) / price_before
            if abs(factor - 1) > SAME and not _is_surcharge(factor):
                changes.append(
                    (model, seller, variant, after["since"], price_before, float(after[PRICE]),
                     factor)
                )  # fmt: skip
    columns = ["model", "seller", "variant", "date", "before", "after", "change_factor"]
    frame = pd.DataFrame(changes, columns=columns).drop_duplicates(columns[:4])
    frame["direction"] = (frame["change_factor"] > 1).map({True: "rise", False: "cut"})
    return frame.sort_values(["date", "model"], kind="stable", ignore_index=True)


def _is_surcharge(factor: float) -> bool:
    return min(abs(factor - SURCHARGE), abs(1 / factor - SURCHARGE)) < SAME * 100


def rises_frame() -> pd.DataFrame:
    """The rises alone, by size and date: one dot each in a chart.

    Examples
    --------
    >>> bool((rises_frame()["change_factor"] > 1).all())
    True
    """
    rows = changes_frame()
    return rows[rows["direction"] == "rise"].reset_index(drop=True)


def corrections_frame() -> pd.DataFrame:
    """How many recorded changes of a list a second list confirms.

    Returns
    -------
    DataFrame
        ``list, n_recorded, n_confirmed, n_rises, n_rises_confirmed, confirmed_frac``. A change
        without confirmation need not be a correction: of a labelled sample of one list about 58 %
        were (41 to 75 %).

    Examples
    --------
    >>> bool(corrections_frame()["confirmed_frac"].max() < 0.5)
    True
    """
    rows = table("list_changes")
    n, confirmed = (rows[name].astype(float) for name in ("n_recorded", "n_confirmed"))
    return rows.assign(confirmed_frac=confirmed / n).reset_index(drop=True)
