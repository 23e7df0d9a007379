"""Trends: how fast prices and hardware move, and forecasts tested on the past.

Rates between two dates (`annual_factor`, `years_to`), trends and bends fitted to dated values
(`fit_trend`, `fit_break`); the living frontier of what a level of quality costs (`cheapest_frame`,
`frontier_at_frame`, `sensitivity_frame`, `density_frame`), its rates by level and window
(`rates_frame`, `breaks_frame`, `forecasts_frame`), a solved task (`task_falls_frame`), and the
older study (`frontier_frame`); prices
that changed (`changes_frame`, `rises_frame`, `corrections_frame`); a fall split into bounds
(`split_frame`); hardware, rents and what they make an owned accelerator worth (`hardware_frame`,
`rents_frame`, `owned_value_frame`); forecasts with a test on the past (`scenarios_frame`,
`backtest_frame`), and a market whose true rate is known (`market_frame`).
"""

from econ.trends.changes import changes_frame, corrections_frame, rises_frame
from econ.trends.fits import Break, Trend, fit_break, fit_trend
from econ.trends.forecast import backtest_frame, bill_frame, scenarios_frame, yearly_rates
from econ.trends.frontier import (
    breaks_frame,
    candidates_frame,
    cheapest_frame,
    density_frame,
    forecasts_frame,
    frontier_at_frame,
    newest_candidate,
    on_sale_frame,
    rates_frame,
    sensitivity_frame,
    window_end,
)
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
from econ.trends.owned import owned_value_frame, value_of_rents_usd
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
from econ.trends.split import hardware_factor, software_factor, split_frame
from econ.trends.tasks import task_falls_frame, task_runs_frame

__all__ = [
    "Break",
    "Trend",
    "able_frame",
    "annual_factor",
    "backtest_frame",
    "bill_frame",
    "blended_usd_per_mtok",
    "breaks_frame",
    "candidates_frame",
    "changes_frame",
    "cheapest_frame",
    "corrections_frame",
    "density_frame",
    "efficiency_frame",
    "efficiency_growth_per_year",
    "fit_break",
    "fit_trend",
    "forecasts_frame",
    "frontier_at_frame",
    "frontier_frame",
    "growth_frame",
    "hardware_factor",
    "hardware_frame",
    "histogram_frame",
    "implied_elasticity",
    "launches_frame",
    "market_frame",
    "newest_candidate",
    "offers_frame",
    "on_sale_frame",
    "owned_value_frame",
    "rates_frame",
    "record_lows",
    "rents_frame",
    "rises_frame",
    "scenarios_frame",
    "sensitivity_frame",
    "software_factor",
    "software_frame",
    "spend_ratio",
    "split_frame",
    "task_falls_frame",
    "task_runs_frame",
    "value_of_rents_usd",
    "volume_ratio",
    "window_end",
    "year_of",
    "yearly_rates",
    "years_between",
    "years_to",
]
