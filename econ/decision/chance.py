"""What nobody decides: growth, future prices, discounts, lives, speeds; and how they are drawn.

Options are choices and never drawn. Each input is a `Range` with its source; the first row of the
draws holds every input at its typical value, so that one computation gives the plain case and its
band. Rents, prices of servers and prices of tokens rise and fall together: they share one cause.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econ.catalog import given
from econ.catalog.laws import normal_quantile, normal_share
from econ.catalog.ranges import Range
from econ.catalog.tables import remember, table
from econ.trends import yearly_rates
from econ.uncertainty.samples import groups_of, ranked_frame

GROWTH, DISCOUNT, STAFF = "growth of demand", "negotiated discount", "staff"
RENTS, TOKENS, SERVERS = "rents, by year", "prices of tokens, by year", "prices of servers, by year"
LIFE, RESIDUAL, RATE, AVAILABLE = "life", "resale after three years", "discount rate", "available"
ELECTRICITY, SPEED, SERVER = "electricity", "speed of ", "server price of "
EDGE = 1e-6  # of a slice: no share is 0 or 1
ROUNDING = 1e-9  # of a cost; below it a value is 0
TOGETHER = (RENTS, TOKENS, SERVERS)
CORRELATION = 0.5  # of the three: assumed; half of what moves one moves all
# what a buyer can find out before choosing, and how; the rest can only be waited for
MEASURABLE = {
    SPEED: "a load test of one replica",
    DISCOUNT: "quotes from three sellers",
    SERVER: "a quote from a server maker",
    STAFF: "a plan of who runs it",
    ELECTRICITY: "an offer of colocation or power",
    GROWTH: "the product's own forecast",
}


@dataclass(frozen=True)
class Draws:
    """Joint samples of the inputs: row 0 typical, the others drawn.

    ``columns`` maps an input to its values; `of` gives a column, or one number for all rows.
    """

    columns: Mapping[str, np.ndarray]
    n_rows: int

    def of(self, name: str) -> np.ndarray:
        """An input's values, one a row."""
        return self.columns[name]

    def path(self, name: str, years: np.ndarray) -> np.ndarray:
        """A yearly factor carried on for so many years from today; rows × years."""
        factors: np.ndarray = self.of(name)[:, None] ** years
        return factors


@remember
def price_paths() -> dict[str, Range]:
    """Yearly factors of rents and of token prices: deciles of what any twelve months brought.

    >>> paths = price_paths()
    >>> paths[TOKENS].typical, paths[RENTS].low < 1 < paths[RENTS].high
    (1.0, True)
    """
    rents = table("rental_medians").rename(columns={"month": "date"})
    rents = rents.rename(columns={"median_usd_per_gpu_hour": "value"})
    lists = table("catalogue_medians").rename(columns={"snapshot": "date"})
    lists = lists.rename(columns={"median_usd_per_mtok": "value"})
    by_chip = [rows for _, rows in rents.groupby("accelerator")]
    ranges = {}
    for name, series in ((RENTS, by_chip), (SERVERS, by_chip), (TOKENS, [lists])):
        rates = yearly_rates(series)
        low, high = min(rates["down"], 1.0), max(rates["up"], 1.0)
        ranges[name] = Range(low, 1.0, high, "× a year", "lognormal")
    return ranges


def inputs(
    p90_factor: Mapping[str, float],
    servers: Mapping[str, Range],
    *,
    growth: Range,
    discount: Range,
    staff: Range,
    rate: Range,
    electricity: Range,
) -> dict[str, Range]:
    """All uncertain inputs of a decision, by name.

    Parameters
    ----------
    p90_factor : mapping of str to float
        Factor within which a fleet's rate is known, by `Fleet.speed`.
    servers : mapping of str to Range
        Price of a server, by accelerator; of those that can be bought.
    growth, discount, staff, rate, electricity : Range
        Factor a year, share off committed prices, USD a year, per year, USD per kWh.
    """
    ranges = dict(price_paths())
    ranges |= {GROWTH: growth, DISCOUNT: discount, STAFF: staff, RATE: rate}
    ranges |= {ELECTRICITY: electricity, AVAILABLE: given("tco_inputs", "available")}
    ranges |= {LIFE: given("tco_inputs", "life"), RESIDUAL: given("tco_inputs", "residual")}
    for name, factor in p90_factor.items():
        ranges[SPEED + name] = Range.within_factor(1.0, factor, "× ours")
    return ranges | {SERVER + name: price for name, price in servers.items()}


def draw(ranges: Mapping[str, Range], n: int, seed: int = 0) -> Draws:
    """``n`` joint samples below a row of typical values: a Latin hypercube, three coupled.

    An input's draws are its own, whatever else is drawn: two questions differ by what differs.
    """

    def shares(name: str) -> np.ndarray:
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        return (rng.permutation(n) + rng.uniform(EDGE, 1 - EDGE, n)) / n

    cause = normal_quantile(shares("what moves all prices"))
    columns = {}
    for name, span in ranges.items():
        share = shares(name)
        if name in TOGETHER:
            own = np.sqrt(1 - CORRELATION) * normal_quantile(share)
            share = normal_share(np.sqrt(CORRELATION) * cause + own)
        columns[name] = np.concatenate([[span.typical], span.quantile(share)])
    return Draws(columns, n + 1)


def typical(ranges: Mapping[str, Range], n_rows: int) -> Draws:
    """Every input at its typical value in so many rows."""
    return Draws({name: np.full(n_rows, r.typical) for name, r in ranges.items()}, n_rows)


def value_of_knowing(
    draws: Draws, ranges: Mapping[str, Range], costs: pd.DataFrame
) -> pd.DataFrame:
    """What each input that can be measured is worth knowing before choosing, in USD, most first.

    Parameters
    ----------
    draws : Draws
        With the typical row, which is left out.
    ranges : mapping of str to Range
        The inputs.
    costs : pandas.DataFrame
        A column an option, a row a draw (without the typical one).

    Notes
    -----
    The expected value of partial perfect information: least mean cost − mean of the least
    conditional mean cost. The conditional mean of each option given the input is a cubic fitted to
    the draws (Strong, Oakley and Brennan, Medical Decision Making, 2014, with a polynomial for
    their spline). ``value_se_usd`` is the sampling error of the draws, and ``may_swap`` whether
    other draws could rank the next input before this one (`econ.uncertainty.samples`).
    """
    array = costs.to_numpy("float64")
    groups = groups_of(len(array))
    estimates: dict[tuple[str, ...], list[float]] = {}
    for name, r in ranges.items():
        how = next((how for kind, how in MEASURABLE.items() if name.startswith(kind)), "")
        if not how or r.is_fixed or array.shape[1] < 2:
            continue
        x = draws.of(name)[1:]
        without = (groups != g for g in np.unique(groups))
        parts = (_worth_usd(x[rest], array[rest]) for rest in without)
        estimates[name, how] = [_worth_usd(x, array), *parts]
    return ranked_frame(estimates, ["input", "how"], "value_usd", "value_se_usd")


def _worth_usd(x: np.ndarray, costs: np.ndarray) -> float:
    """What knowing ``x`` is worth, from draws of it and of the options' costs."""
    base = costs.mean(axis=0)
    x = (x - x.mean()) / x.std()
    basis = np.linalg.qr(np.vander(x, 4))[0]
    fitted = basis @ (basis.T @ (costs - base)) + base
    value = float(base.min() - fitted.min(axis=1).mean())
    return value if value > ROUNDING * abs(base.min()) else 0.0
