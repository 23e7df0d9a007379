"""Trends: how fast prices and hardware move, and forecasts tested on the past.

Rates between two dates (`annual_factor`, `years_to`), trends and bends fitted to dated values
(`fit_trend`, `fit_break`), the cheapest price of a quality over time (`frontier_frame`), hardware
and rents (`hardware_frame`, `rents_frame`), forecasts with a test on the past (`scenarios_frame`,
`backtest_frame`), and a market whose true rate is known (`market_frame`).
"""

from econ.trends.fits import Break, Trend, fit_break, fit_trend
from econ.trends.forecast import backtest_frame, bill_frame, scenarios_frame, yearly_rates
from econ.trends.hardware import (
    efficiency_frame,
    efficiency_growth_per_year,
    growth_frame,
    hardware_frame,
    launches_frame,
    rents_frame,
    software_frame,
)
from econ.trends.market import histogram_frame, market_frame
from econ.trends.prices import (
    able_frame,
    blended_usd_per_mtok,
    frontier_frame,
    offers_frame,
    record_lows,
)
from econ.trends.rates import (
    annual_factor,
    implied_elasticity,
    spend_ratio,
    volume_ratio,
    year_of,
    years_between,
    years_to,
)

__all__ = [
    "Break",
    "Trend",
    "able_frame",
    "annual_factor",
    "backtest_frame",
    "bill_frame",
    "blended_usd_per_mtok",
    "efficiency_frame",
    "efficiency_growth_per_year",
    "fit_break",
    "fit_trend",
    "frontier_frame",
    "growth_frame",
    "hardware_frame",
    "histogram_frame",
    "implied_elasticity",
    "launches_frame",
    "market_frame",
    "offers_frame",
    "record_lows",
    "rents_frame",
    "scenarios_frame",
    "software_frame",
    "spend_ratio",
    "volume_ratio",
    "year_of",
    "yearly_rates",
    "years_between",
    "years_to",
]
