"""Lesson 05, goodput: queues, knee, bursts, loops, arrangements, the price of an SLO, real runs.

Each table simulates the same requests in every row (common random numbers), so what differs between
rows is what the row names.

>>> from econ.scenario import Scenario
>>> knee_frame(Scenario.default(), [4.0, 12.0], n=1000)["what"].tolist()
['completed', 'completed', 'good', 'good']
>>> mm1_frame([0.5, 0.8]).query("what == 'P99'")["service_times"].round(1).tolist()
[9.2, 23.0]
>>> pools_for(Scenario.default(), 1, 3).decode.n_replicas
3
"""

from econ.lessons.l05_goodput.arrangements import (
    answers_frame,
    arrangements,
    budgets_frame,
    curves_frame,
    live_cost_frame,
    live_policies_frame,
    pools_for,
    pools_frame,
    quoted_frame,
    split_gain,
)
from econ.lessons.l05_goodput.load import (
    LIVE_REQUESTS,
    LIVE_REQUESTS_WITHOUT_NUMBA,
    N,
    averages_frame,
    bursts_frame,
    default_case,
    grown,
    knee_frame,
    live_load_frame,
    loops_frame,
    n_live,
    percentiles_frame,
    saturation_per_s,
    seeds_frame,
    slos_cost_frame,
    watch_frame,
)
from econ.lessons.l05_goodput.panels import (
    cost_panel,
    load_panel,
    policies_panel,
)
from econ.lessons.l05_goodput.queues import mm1_frame, queues_frame

__all__ = [
    "LIVE_REQUESTS",
    "LIVE_REQUESTS_WITHOUT_NUMBA",
    "N",
    "answers_frame",
    "arrangements",
    "averages_frame",
    "budgets_frame",
    "bursts_frame",
    "cost_panel",
    "curves_frame",
    "default_case",
    "grown",
    "knee_frame",
    "live_cost_frame",
    "live_load_frame",
    "live_policies_frame",
    "load_panel",
    "loops_frame",
    "mm1_frame",
    "n_live",
    "percentiles_frame",
    "policies_panel",
    "pools_for",
    "pools_frame",
    "queues_frame",
    "quoted_frame",
    "saturation_per_s",
    "seeds_frame",
    "slos_cost_frame",
    "split_gain",
    "watch_frame",
]
