"""Topic ``cost-trends``: falls at constant quality, hardware, list prices."""

from __future__ import annotations

from econ.catalog import price
from econ.catalog.units import MONTHS_PER_YEAR
from econ.ledger.recompute import recompute
from econ.trends.hardware import hardware_frame
from econ.trends.prices import PRICE, blended_usd_per_mtok, frontier_frame
from econ.trends.rates import fit_trend, years_between


@recompute("frontier_frame")
def frontier_fall(benchmark: str, level_frac: float, basis: str = "study") -> float:
    """First over last record low of a quality level."""
    lows = frontier_frame(benchmark, level_frac, basis)[PRICE]
    return float(lows.iloc[0] / lows.iloc[-1])


@recompute("frontier_frame", "fit_trend")
def fitted_fall_per_year(benchmark: str, level_frac: float, end: str = "middle") -> float:
    """Fall per year of a quality level by a line through its record lows, or an end of its 90 %."""
    fit = fit_trend(frontier_frame(benchmark, level_frac), PRICE, interval="t")
    low, high = fit.fall_interval
    return {"low": low, "middle": fit.fall_per_year, "high": high}[end]


@recompute("hardware_frame")
def hardware_cost_fall_per_year(trend: str, segment: str = "data centre") -> float:
    """By what share a cost of hardware falls in a year."""
    return -float(hardware_frame(segment).set_index("trend").loc[trend, "change_per_year"])


@recompute("hardware_frame")
def hardware_gain_per_year(trend: str) -> float:
    """By what share an efficiency of hardware rises in a year."""
    return float(hardware_frame().set_index("trend").loc[trend, "change_per_year"])


@recompute("blended_usd_per_mtok")
def blended_list_usd_per_mtok(model: str) -> float:
    """A model's list price, three parts input to one part output."""
    listed = price(model)
    return blended_usd_per_mtok(listed.input_usd_per_mtok, listed.output_usd_per_mtok)


@recompute("years_between")
def months_between(start: str, end: str) -> float:
    """Whole months from one month to another."""
    return years_between(start, end) * MONTHS_PER_YEAR


# -- sums on price lists -------------------------------------------------------------------------
@recompute()
def list_price_fall(before: str, after: str, part: str = "input") -> float:
    """One model's list price over another's, of input or output."""
    listed = [getattr(price(name), f"{part}_usd_per_mtok") for name in (before, after)]
    return listed[0] / listed[1]


@recompute()
def list_price_cut(before: str, after: str) -> float:
    """By what share one model's input costs less than another's."""
    return 1 - 1 / list_price_fall(before, after)
