"""A fleet over its life: ramp, falling prices, levelised cost, and when to replace it.

>>> life = life_frame(capital_usd_per_gpu=45_157, operating_usd_per_gpu_hour=0.44,
...                   tokens_per_s_per_gpu=1_000, price_usd_per_mtok=1.0, years=5,
...                   full_utilisation_frac=0.6, n_ramp_months=6)
>>> int(life["month"].iloc[-1]), payback_month(life)
(60, 40)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog.guard import each, fraction, in_range, not_negative, positive
from econ.catalog.units import (
    HOUR_S,
    HOURS_PER_MONTH,
    MONTHS_PER_YEAR,
    usd_per_mtok_from_usd_per_token,
    usd_per_token_from_usd_per_mtok,
)
from econ.tco.finance import Amount, annuity_usd_per_month
from econ.tco.token_cost import cost_usd_per_mtok


def life_frame(
    *,
    capital_usd_per_gpu: float,
    operating_usd_per_gpu_hour: float,
    tokens_per_s_per_gpu: float,
    price_usd_per_mtok: float,
    years: float,
    full_utilisation_frac: float = 1.0,
    n_ramp_months: float = 0.0,
    price_change_per_year: float = 0.0,
    rate_per_year: float = 0.0,
    residual_frac: float = 0.0,
) -> pd.DataFrame:
    """One GPU's life month by month, from its purchase to its resale.

    Parameters
    ----------
    capital_usd_per_gpu : float
        Paid in month 0, e.g. 45,157.
    operating_usd_per_gpu_hour : float
        In every hour, e.g. 0.44.
    tokens_per_s_per_gpu : float
        While busy, e.g. 1,000.
    price_usd_per_mtok : float
        Of these tokens at the start, e.g. 1.0.
    years : float
        Life, e.g. 5.
    full_utilisation_frac : float
        Busy share of the hours once the ramp is over.
    n_ramp_months : float
        Months over which use rises in a straight line.
    price_change_per_year : float
        −0.5 halves the price each year.
    rate_per_year : float
        Discount rate, nominal.
    residual_frac : float
        Share of the price that the last month brings.

    Returns
    -------
    pandas.DataFrame
        Columns month, utilisation_frac, tokens, price_usd_per_mtok, revenue_usd, cost_usd, net_usd,
        discount_factor, worth_usd (the running present value).
    """
    for name, value in (("capital_usd_per_gpu", capital_usd_per_gpu),
                        ("operating_usd_per_gpu_hour", operating_usd_per_gpu_hour),
                        ("price_usd_per_mtok", price_usd_per_mtok),
                        ("n_ramp_months", n_ramp_months)):  # fmt: skip
        not_negative(name, value)
    positive("tokens_per_s_per_gpu", tokens_per_s_per_gpu)
    positive("years", years, 100)
    positive("full_utilisation_frac", full_utilisation_frac, 1.0)
    fraction("residual_frac", residual_frac)
    for name, value in (("price_change_per_year", price_change_per_year),
                        ("rate_per_year", rate_per_year)):  # fmt: skip
        in_range(name, value, -1.0, open_low=True, says="above -1 (-100 % a year)")
    n = round(years * MONTHS_PER_YEAR)
    if n < 1:
        raise ValueError(f"years = {years!r} is outside its range: a month (1/12) or more")
    month = np.arange(n + 1)
    use = full_utilisation_frac * np.clip((month - 0.5) / max(n_ramp_months, 0.5), 0, 1)
    tokens = tokens_per_s_per_gpu * HOUR_S * HOURS_PER_MONTH * use
    price: Amount = price_usd_per_mtok * (1 + price_change_per_year) ** (month / MONTHS_PER_YEAR)
    revenue = tokens * usd_per_token_from_usd_per_mtok(price)
    cost = np.full(n + 1, operating_usd_per_gpu_hour * HOURS_PER_MONTH)
    cost[0] = capital_usd_per_gpu
    cost[-1] -= capital_usd_per_gpu * residual_frac
    discount = (1 + rate_per_year / MONTHS_PER_YEAR) ** -month.astype(float)
    net = revenue - cost
    return pd.DataFrame(
        {
            "month": month,
            "utilisation_frac": use,
            "tokens": tokens,
            "price_usd_per_mtok": price,
            "revenue_usd": revenue,
            "cost_usd": cost,
            "net_usd": net,
            "discount_factor": discount,
            "worth_usd": np.cumsum(net * discount),
        }
    )


def payback_month(life: pd.DataFrame) -> int | None:
    """The first month from which the running worth never again falls below zero; None if never."""
    month, worth_usd = (each(in_range, c, life[c].to_numpy()) for c in ("month", "worth_usd"))
    under = worth_usd < 0
    if under[-1]:
        return None
    last = np.flatnonzero(under)
    return int(month[last[-1] + 1]) if last.size else 0


def levelised_cost_usd_per_mtok(life: pd.DataFrame) -> float:
    """Present value of all costs over that of all tokens: the constant price that breaks even.

    ``life`` is a table of `life_frame`.

    Examples
    --------
    >>> flat = life_frame(capital_usd_per_gpu=0, operating_usd_per_gpu_hour=3.6, years=2,
    ...                   tokens_per_s_per_gpu=1_000, price_usd_per_mtok=1, rate_per_year=0.1)
    >>> round(levelised_cost_usd_per_mtok(flat), 6)
    1.0
    """
    cost = float((life["cost_usd"] * life["discount_factor"]).sum())
    tokens = positive("tokens", float((life["tokens"] * life["discount_factor"]).sum()))
    return usd_per_mtok_from_usd_per_token(cost / tokens)


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """Two ways to make the same tokens, per million; sunk capital stands beside, uncounted.

    ``pays_below_price_usd`` is the new one's price per GPU at which both ways cost the same: below
    0 no price would do, infinite where capital costs nothing.
    """

    keep_usd_per_mtok: float
    replace_usd_per_mtok: float
    book_usd_per_mtok: float
    replace: bool
    pays_below_price_usd: float


def keep_or_replace(
    *,
    old_operating_usd_per_gpu_hour: float,
    old_tokens_per_s_per_gpu: float,
    resale_usd_per_gpu: float,
    resale_after_frac: float,
    new_capital_usd_per_gpu: float,
    new_operating_usd_per_gpu_hour: float,
    new_tokens_per_s_per_gpu: float,
    rate_per_year: float,
    kept_years: float = 1.0,
    new_years: float = 5.0,
    new_residual_frac: float = 0.0,
    utilisation_frac: float = 1.0,
    book_usd_per_gpu_hour: float = 0.0,
) -> Refresh:
    """Keep the old accelerator for ``kept_years`` more, or sell it and buy the new?

    Parameters
    ----------
    old_operating_usd_per_gpu_hour, new_operating_usd_per_gpu_hour : float
        Running costs of every hour.
    old_tokens_per_s_per_gpu, new_tokens_per_s_per_gpu : float
        While busy.
    resale_usd_per_gpu : float
        What the old one brings today.
    resale_after_frac : float
        Share of that which it brings after ``kept_years``.
    new_capital_usd_per_gpu : float
        Price of the new one, cluster included.
    rate_per_year : float
        Cost of capital, nominal.
    kept_years, new_years : float
        How long each is used.
    new_residual_frac : float
        Share of the new one's price that its resale brings.
    utilisation_frac : float
        Busy share of the hours of both.
    book_usd_per_gpu_hour : float
        What was paid once and is still in the books: it decides nothing, and is carried along to
        show what counting it would have said.

    Returns
    -------
    Refresh

    Notes
    -----
    Keeping costs its running and what the resale value loses meanwhile, with interest: the resale
    value is lent to the fleet and ``resale_after_frac`` of it comes back.

    Examples
    --------
    >>> old_h100 = keep_or_replace(
    ...     old_operating_usd_per_gpu_hour=0.44, old_tokens_per_s_per_gpu=1_000,
    ...     resale_usd_per_gpu=12_000, resale_after_frac=0.7, new_capital_usd_per_gpu=56_000,
    ...     new_operating_usd_per_gpu_hour=0.60, new_tokens_per_s_per_gpu=3_000, rate_per_year=0.1)
    >>> old_h100.replace, round(old_h100.keep_usd_per_mtok, 3)
    (True, 0.269)
    """
    for name, value in (("old_operating_usd_per_gpu_hour", old_operating_usd_per_gpu_hour),
                        ("new_operating_usd_per_gpu_hour", new_operating_usd_per_gpu_hour),
                        ("resale_usd_per_gpu", resale_usd_per_gpu),
                        ("new_capital_usd_per_gpu", new_capital_usd_per_gpu)):  # fmt: skip
        not_negative(name, value)
    for name, value in (("old_tokens_per_s_per_gpu", old_tokens_per_s_per_gpu),
                        ("new_tokens_per_s_per_gpu", new_tokens_per_s_per_gpu),
                        ("kept_years", kept_years), ("new_years", new_years)):  # fmt: skip
        positive(name, value)
    fraction("resale_after_frac", resale_after_frac)
    fraction("new_residual_frac", new_residual_frac)
    old_hour = old_operating_usd_per_gpu_hour + _hour(
        resale_usd_per_gpu, rate_per_year, kept_years, resale_after_frac
    )
    new_hour = new_operating_usd_per_gpu_hour + _hour(
        new_capital_usd_per_gpu, rate_per_year, new_years, new_residual_frac
    )
    each(not_negative, "book_usd_per_gpu_hour", book_usd_per_gpu_hour)
    old, new = (
        cost_usd_per_mtok(hour, rate, utilisation_frac)
        for hour, rate in (
            (old_hour, old_tokens_per_s_per_gpu),
            (new_hour, new_tokens_per_s_per_gpu),
        )
    )
    fair_hour = old_hour * new_tokens_per_s_per_gpu / old_tokens_per_s_per_gpu
    per_usd = _hour(1.0, rate_per_year, new_years, new_residual_frac)
    booked = old_operating_usd_per_gpu_hour + book_usd_per_gpu_hour
    return Refresh(
        keep_usd_per_mtok=old,
        replace_usd_per_mtok=new,
        book_usd_per_mtok=cost_usd_per_mtok(booked, old_tokens_per_s_per_gpu, utilisation_frac),
        replace=bool(new < old),
        pays_below_price_usd=_fair_price_usd(fair_hour - new_operating_usd_per_gpu_hour, per_usd),
    )


def _fair_price_usd(saved_usd_per_hour: float, hour_of_a_usd: float) -> float:
    """The price at which its hour takes what is saved; where capital is free, any or none."""
    if hour_of_a_usd > 0:
        return saved_usd_per_hour / hour_of_a_usd
    return math.inf if saved_usd_per_hour > 0 else -math.inf


def _hour(usd: float, rate_per_year: float, years: float, residual_frac: float) -> float:
    """Capital per hour of the year."""
    return float(annuity_usd_per_month(usd, rate_per_year, years, residual_frac)) / HOURS_PER_MONTH
