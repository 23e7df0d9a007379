"""Lesson 10, cost trends: a quality level at its cheapest, prices that rose, machines, bills.

>>> from econ.trends.prices import frontier_frame
>>> study = frontier_frame("mmlu", 0.648)
>>> study["price_usd_per_mtok"].iloc[[0, -1]].tolist()
[20.0, 0.07]
>>> parts = headline_split_frame().set_index("part")
>>> [round(float(end), 1) for end in parts.loc["hardware", ["low", "high"]]]     # of 280 in all
[1.3, 2.0]
"""

from econ.lessons.l10_trends.frontier import (
    NAMES,
    curves_frame,
    density_frame,
    headline_split_frame,
    lost_record_frame,
    moved_rows_frame,
    moves_frame,
    open_pair_frame,
    owner_frame,
    paths_frame,
    rates_frame,
    rents_shown_frame,
    steps_frame,
    tasks_frame,
    token_and_answer_frame,
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
    direction_frame,
    duel_frac,
    fits_frame,
    fleet_elasticity,
    fleet_frame,
    floor_frame,
    gap_frame,
    line_frame,
    phases_frame,
    rent_break,
    second_look_frame,
    second_set_frame,
    software_frame,
    to_today_frame,
)
