"""Lesson 10, cost trends: a quality level at its cheapest, prices that rose, machines, bills.

>>> from econ.trends.prices import frontier_frame
>>> study = frontier_frame("mmlu", 0.648)
>>> study["price_usd_per_mtok"].iloc[[0, -1]].tolist()
[20.0, 0.07]
>>> parts = decomposition_frame().set_index("part")
>>> round(float(parts.loc["hardware", "factor"]), 2)                  # of a fall of 280 in all
1.98
"""

from econ.lessons.l10_trends.machines import (
    decomposition_frame,
    duel_frac,
    fleet_elasticity,
    fleet_frame,
    floor_frame,
    gap_frame,
    rent_break,
    software_frame,
    street_frame,
)
from econ.lessons.l10_trends.panels import (
    bill_panel,
    dated,
    frontier_panel,
    market_panel,
    scenarios_chart,
)
from econ.lessons.l10_trends.prices import (
    BASES,
    LEVEL_GPT_3_5,
    LEVELS,
    PRICE_TITLE,
    WIDEST,
    both_ways_frame,
    catalogue_frame,
    changes_frame,
    direction_frame,
    fits_frame,
    line_frame,
    lines_frame,
    phases_frame,
    second_look_frame,
    second_set_frame,
    to_today_frame,
)

__all__ = [
    "BASES",
    "LEVELS",
    "LEVEL_GPT_3_5",
    "PRICE_TITLE",
    "WIDEST",
    "bill_panel",
    "both_ways_frame",
    "catalogue_frame",
    "changes_frame",
    "dated",
    "decomposition_frame",
    "direction_frame",
    "duel_frac",
    "fits_frame",
    "fleet_elasticity",
    "fleet_frame",
    "floor_frame",
    "frontier_panel",
    "gap_frame",
    "line_frame",
    "lines_frame",
    "market_panel",
    "phases_frame",
    "rent_break",
    "scenarios_chart",
    "second_look_frame",
    "second_set_frame",
    "software_frame",
    "street_frame",
    "to_today_frame",
]
