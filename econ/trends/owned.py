"""What rents make an owned accelerator worth, beside what the books say.

An accelerator is worth the rents that it will still earn, less what it costs to run. Books write it
off on a straight line whatever rents do; where the value lies above the books, keeping it pays.

>>> path = owned_value_frame("h100-sxm", bought="2023-11")
>>> bool((path["value_low_usd"] <= path["value_usd"]).all())
True
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog.guard import fraction, in_range, positive
from econ.catalog.units import HOURS_PER_MONTH, HOURS_PER_YEAR, MONTHS_PER_YEAR
from econ.tco.layers import owner
from econ.trends.forecast import yearly_rates
from econ.trends.hardware import RENTED, rents_frame
from econ.trends.rates import year_of

LIFE_YEARS, BOOK_YEARS = 6.0, 5.0
RATE_PER_YEAR = 0.10
SOLD_FRAC = 0.7  # of its hours; a judgement
RENT = "usd_per_gpu_hour"


def value_of_rents_usd(
    rent_usd_per_gpu_hour: float,
    running_usd_per_gpu_hour: float,
    left_years: float,
    *,
    sold_frac: float = SOLD_FRAC,
    rent_change_per_year: float = 1.0,
    rate_per_year: float = RATE_PER_YEAR,
) -> float:
    """Present value of what an accelerator will earn until its life ends.

    Parameters
    ----------
    rent_usd_per_gpu_hour : float
        What a sold hour brings today, e.g. 3.85.
    running_usd_per_gpu_hour : float
        What every hour costs that it stands there: power, space, service, e.g. 0.45.
    left_years : float
        Until it is switched off, e.g. 3.
    sold_frac : float
        Share of its hours that are sold, e.g. 0.7.
    rent_change_per_year : float
        Factor of the rent per year, e.g. 0.8; 1: no change.
    rate_per_year : float
        Cost of capital, e.g. 0.10.

    Returns
    -------
    float
        USD; never below 0: an accelerator that no longer pays its running cost is switched off.

    Notes
    -----
    Σ over months m of max(sold · rent · g^(m/12) − running, 0) · hours / (1 + r)^(m/12).

    Examples
    --------
    >>> round(value_of_rents_usd(2.0, 0.5, 1, sold_frac=1.0, rate_per_year=0.0))  # 1.5 x 8760
    13140
    """
    positive("rent_usd_per_gpu_hour", rent_usd_per_gpu_hour, 1000)
    in_range("running_usd_per_gpu_hour", running_usd_per_gpu_hour, 0, 1000)
    in_range("left_years", left_years, 0, 50)
    fraction("sold_frac", sold_frac)
    positive("rent_change_per_year", rent_change_per_year, 100)
    in_range("rate_per_year", rate_per_year, 0, 1)
    month = np.arange(1, round(left_years * MONTHS_PER_YEAR) + 1) / MONTHS_PER_YEAR
    earned = sold_frac * rent_usd_per_gpu_hour * rent_change_per_year**month
    net = np.maximum(earned - running_usd_per_gpu_hour, 0) * HOURS_PER_MONTH
    return float((net / (1 + rate_per_year) ** month).sum())


def owned_value_frame(
    accelerator: str = "h100-sxm",
    *,
    bought: str = "2023-11",
    price_usd: float | None = None,
    life_years: float = LIFE_YEARS,
    book_years: float = BOOK_YEARS,
    sold_frac: float = SOLD_FRAC,
    rate_per_year: float = RATE_PER_YEAR,
) -> pd.DataFrame:
    """Quarter by quarter: the value that the rents of the day give, and the value in the books.

    Parameters
    ----------
    accelerator : str
        With a history of rents, e.g. ``"h100-sxm"``.
    bought : str
        Month, ``YYYY-MM``.
    price_usd : float, optional
        Paid per accelerator with its share of server and network; by default the capital of an
        owner's layers at 2026 prices, which understates what an early buyer paid.
    life_years, book_years : float
        Until it is switched off, and until it is written off, e.g. 6 and 5.
    sold_frac, rate_per_year : float
        See `value_of_rents_usd`.

    Returns
    -------
    DataFrame
        ``date, usd_per_gpu_hour, age_years, value_low_usd, value_usd, value_high_usd, book_usd,
        value_over_book``. Low and high: if rents change by the first and the ninth decile of any
        twelve months so far in the kit's rows; the middle: no change, which forecast them best.

    Raises
    ------
    UnknownName
        For an accelerator without a history of rents.
    ValueError
        For a purchase after the last rent.

    Examples
    --------
    >>> path = owned_value_frame("h100-sxm", bought="2023-11").set_index("date")
    >>> bool(path.loc["2026-08", "value_usd"] > path.loc["2026-08", "book_usd"])
    True
    """
    rents = rents_frame((accelerator,))
    rents = rents[rents["date"] >= bought].reset_index(drop=True)
    if rents.empty:
        raise ValueError(f"bought = {bought!r}: no rent of {accelerator} is known from then on")
    own = owner(accelerator)
    n_gpu = float(own.n_gpu)
    price = (
        float(own.capital_usd) / n_gpu if price_usd is None else positive("price_usd", price_usd)
    )
    running = float(own.operating_usd_per_month) / n_gpu / (HOURS_PER_YEAR / MONTHS_PER_YEAR)
    changes = yearly_rates([rents_frame((id,)) for id in RENTED], RENT)
    age = year_of(rents["date"]) - year_of([bought])[0]
    rows = []
    for rent, years in zip(rents[RENT], age, strict=True):
        left = max(life_years - years, 0.0)
        values = [
            value_of_rents_usd(
                rent, running, left, sold_frac=sold_frac, rent_change_per_year=change,
                rate_per_year=rate_per_year,
            )
            for change in (changes["down"], 1.0, changes["up"])
        ]  # fmt: skip
        rows.append((years, *values, price * max(1 - years / book_years, 0.0)))
    columns = ["age_years", "value_low_usd", "value_usd", "value_high_usd", "book_usd"]
    frame = rents[["date", RENT]].join(pd.DataFrame(rows, columns=columns))
    over = frame["value_usd"] / frame["book_usd"].where(frame["book_usd"] > 0)
    return frame.assign(value_over_book=over)
