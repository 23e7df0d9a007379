"""Prices of tokens at constant quality: the cheapest model that reaches a level, by date.

>>> study = frontier_frame("mmlu", 0.648)
>>> study["price_usd_per_mtok"].iloc[[0, -1]].tolist()
[20.0, 0.07]
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from econ.catalog import table
from econ.catalog.guard import fraction, in_range, one_of
from econ.trends.rates import year_of

PRICE = "price_usd_per_mtok"
BENCHMARKS = ("mmlu", "gpqa")
BASES = ("study", "list")
INPUT_FRAC = 0.75  # three parts input to one part output, as Artificial Analysis blends


def blended_usd_per_mtok(
    input_usd_per_mtok: float, output_usd_per_mtok: float, input_frac: float = INPUT_FRAC
) -> float:
    """One price for input and output at a fixed mix; the default is three parts to one.

    >>> round(blended_usd_per_mtok(0.0375, 0.15), 4)
    0.0656
    """
    fraction("input_frac", input_frac)
    return input_frac * input_usd_per_mtok + (1 - input_frac) * output_usd_per_mtok


def offers_frame() -> pd.DataFrame:
    """Every list price with a date, blended: provider, model, source, date, price_usd_per_mtok."""
    rows = table("api_prices")
    price = blended_usd_per_mtok(rows["input_usd_per_mtok"], rows["output_usd_per_mtok"])
    return rows[["provider", "model", "source"]].assign(
        date=rows["in_force_since"], **{PRICE: price}
    )


def able_frame(benchmark: str, level_frac: float, basis: str = "study") -> pd.DataFrame:
    """Dated prices of all models that reach a level of a benchmark.

    Parameters
    ----------
    benchmark : str
        ``mmlu`` or ``gpqa``.
    level_frac : float
        Share of the questions answered right, e.g. 0.648 (GPT-3.5 on MMLU).
    basis : str
        ``study`` takes the dates and prices of Epoch AI's study; ``list`` the dated price lists of
        this kit for the same models, which go on to this year.

    Returns
    -------
    DataFrame
        ``name``, ``date``, ``price_usd_per_mtok`` (three parts input to one part output),
        ``score_frac``, ``source``.
    """
    one_of("benchmark", benchmark, BENCHMARKS)
    one_of("basis", basis, BASES)
    in_range("level_frac", level_frac, 0, 1, says="0 to 1 (a share, not a percentage)")
    models = table("quality_prices").assign(score_frac=lambda f: f[f"{benchmark}_frac"])
    models = models[models["score_frac"] >= level_frac - 1e-9]
    if basis == "study":
        rows = models.dropna(subset=[PRICE]).rename(columns={"release": "date"})
    else:
        names = models[["name", "score_frac", "price_model"]]
        rows = names.merge(offers_frame(), left_on="price_model", right_on="model")
    return rows[["name", "date", PRICE, "score_frac", "source"]].reset_index(drop=True)


def frontier_frame(benchmark: str, level_frac: float, basis: str = "study") -> pd.DataFrame:
    """The record lows of `able_frame`: each model that undercut all before it.

    Raises ``ValueError`` where no model with a price reaches the level.
    """
    rows = able_frame(benchmark, level_frac, basis)
    if rows.empty:
        raise ValueError(f"no model with a price here reaches {level_frac:g} on {benchmark}")
    return record_lows(rows, PRICE)


def record_lows(frame: pd.DataFrame, value: str = "value", date: str = "date") -> pd.DataFrame:
    """The rows that undercut every earlier one, in the order of time; of one day, the cheapest.

    >>> import pandas as pd
    >>> offers = pd.DataFrame({"date": ["2023", "2024", "2025"], "value": [9.0, 12.0, 4.0]})
    >>> record_lows(offers)["value"].tolist()
    [9.0, 4.0]
    """
    for name in (value, date):
        one_of("column", name, frame.columns)
    numbers = pd.to_numeric(frame[value], errors="coerce").to_numpy("float64")
    for row in np.flatnonzero(~np.isfinite(numbers))[:1]:
        raise ValueError(
            f"{value} = {frame[value].iloc[row]} in row {row} is outside its range: a finite number"
        )
    rows = frame.assign(_year=year_of(frame[date]), **{value: numbers})
    rows = rows.sort_values(["_year", value], kind="stable")
    before = rows[value].cummin().shift(fill_value=math.inf)
    return rows[rows[value] < before].drop(columns="_year").reset_index(drop=True)
