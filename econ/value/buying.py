"""Buying tokens otherwise than one by one: reserved units and seats.

>>> unit = reserved_unit("azure-gpt-5-month", output_input_ratio=0.0)
>>> round(unit.full_use_usd_per_mtok, 2)
1.25
>>> seats = seat_frame(median_usd=20, p99_median_ratio=20, usd_per_seat_month=40)
>>> float(seats["cheaper_frac"].round(2)[0])
0.3
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import pandas as pd

from econ.catalog import price, table
from econ.catalog.guard import in_range, not_negative
from econ.catalog.names import identifier
from econ.catalog.units import HOUR_S, MEGA, MINUTE_S

OUTPUT_WEIGHT = 8.0  # input tokens that one output token counts as in a provisioned unit
Z99 = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True, kw_only=True)
class ReservedUnit:
    """A unit of reserved throughput, and how busy it must be to pay.

    Attributes
    ----------
    full_use_usd_per_mtok : float
        USD per million input-equivalent tokens if the unit never idles.
    list_usd_per_mtok : float
        What the same tokens cost one by one.
    break_even_use_frac : float
        Share of the hours' throughput from which the unit is cheaper; above 1 it never is.
    """

    name: str
    usd_per_hour: float
    full_use_usd_per_mtok: float
    list_usd_per_mtok: float
    break_even_use_frac: float


def reserved_unit(
    id: str, *, output_input_ratio: float = 0.1, cached_frac: float = 0.0
) -> ReservedUnit:
    """A reserved unit against the list price of the same tokens.

    Parameters
    ----------
    id : str
        Of ``data/tco/reserved_units.csv``, e.g. ``"azure-gpt-5-month"``.
    output_input_ratio : float
        Output tokens per input token of the load, e.g. 0.1.
    cached_frac : float
        Share of the input that the list price bills as cached; a unit does not tell them apart
        here, as its sheet gives no rate for it.

    Returns
    -------
    ReservedUnit
        Its price at full use, the list's, and the use at which they meet.

    Notes
    -----
    An output token counts as eight input tokens in the unit (the ratio of the list's two prices;
    the sheet's own multiplier was not found).

    Examples
    --------
    >>> reserved_unit("azure-gpt-5-hourly").break_even_use_frac > 1  # no term, no saving
    True
    """
    rows = table("reserved_units")
    row = rows.loc[identifier("reserved unit", id, rows)]
    ratio = not_negative("output_input_ratio", output_input_ratio, 1e3)
    listed = price(str(row.model), "OpenAI")
    cached = listed.cached_input_usd_per_mtok or listed.input_usd_per_mtok
    share = not_negative("cached_frac", cached_frac, 1)
    usd = (
        (1 - share) * listed.input_usd_per_mtok
        + share * cached
        + ratio * listed.output_usd_per_mtok
    )
    weight = 1 + OUTPUT_WEIGHT * ratio  # input-equivalent tokens for each input token
    full = float(row.usd_per_hour) / (float(row.input_tokens_per_min) * (HOUR_S / MINUTE_S) / MEGA)
    return ReservedUnit(
        name=f"{row.seller} {row.model}, {row.term}",
        usd_per_hour=float(row.usd_per_hour),
        full_use_usd_per_mtok=full,
        list_usd_per_mtok=usd / weight,
        break_even_use_frac=full / (usd / weight),
    )


def seat_frame(
    *, median_usd: float, p99_median_ratio: float, usd_per_seat_month: float | None = None
) -> pd.DataFrame:
    """Seats against paying by the token, where few users spend most of the money.

    Parameters
    ----------
    median_usd : float
        What the middle user would spend a month at list prices, e.g. 20.
    p99_median_ratio : float
        How many times the median the heaviest hundredth spends, e.g. 20.
    usd_per_seat_month : float, optional
        A seat's price; by default every plan of ``data/tco/seat_plans.csv``.

    Returns
    -------
    DataFrame
        One row a plan: ``name, usd_per_seat_month, mean_usd`` (by the token, over all users),
        ``cheaper_frac`` (users for whom the seat is cheaper, if it held all their use),
        ``usd_per_user_best`` (each user on the cheaper of the two).

    Notes
    -----
    A lognormal: σ = ln(p99/median) / 2.326, mean = median · exp(σ²/2). No public distribution of
    spending per seat was found; give your own two figures. Plans limit use in ways that they do
    not publish, so a seat is an upper bound of what it gives.

    Examples
    --------
    >>> rows = seat_frame(median_usd=20, p99_median_ratio=20)
    >>> bool((rows["usd_per_user_best"] <= rows["mean_usd"]).all())
    True
    """
    middle = in_range("median_usd", median_usd, 1e-6, 1e6)
    if not 1 < p99_median_ratio <= 1e6:
        raise ValueError(f"p99_median_ratio = {p99_median_ratio} is outside its range: above 1")
    sigma = math.log(p99_median_ratio) / Z99
    mean = middle * math.exp(sigma**2 / 2)
    plans = table("seat_plans")[["name", "usd_per_seat_month"]].reset_index(drop=True)
    if usd_per_seat_month is not None:
        seat = in_range("usd_per_seat_month", usd_per_seat_month, 0.01, 1e6)
        plans = pd.DataFrame({"name": ["your seat"], "usd_per_seat_month": [seat]})
    normal, rows = NormalDist(), []
    for name, seat in plans.itertuples(index=False):
        z = (math.log(seat / middle)) / sigma
        below = mean * normal.cdf(z - sigma)  # spending of those who spend less than a seat
        rows.append((name, seat, mean, 1 - normal.cdf(z), below + seat * (1 - normal.cdf(z))))
    columns = ["name", "usd_per_seat_month", "mean_usd", "cheaper_frac", "usd_per_user_best"]
    return pd.DataFrame(rows, columns=columns)
