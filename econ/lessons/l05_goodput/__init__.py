"""Lesson 05, goodput: queues, knee, bursts, loops, the price of an SLO, real runs.

Each table simulates the same requests in every row (common random numbers), so what differs between
rows is what the row names.

>>> from econ.scenario import Scenario
>>> knee_frame(Scenario.default(), [4.0, 12.0], n=1000)["what"].tolist()
['completed', 'completed', 'good', 'good']
>>> mm1_frame([0.5, 0.8]).query("what == 'P99'")["service_times"].round(1).tolist()
[9.2, 23.0]
"""

from econ.lessons.l05_goodput.load import (
    LIVE_REQUESTS,
    LIVE_REQUESTS_WITHOUT_NUMBA,
    N,
    averages_frame,
    bursts_frame,
    default_case,
    grown,
    knee_frame,
    live_cost_frame,
    live_load_frame,
    loops_frame,
    n_live,
    percentiles_frame,
    saturation_per_s,
    seeds_frame,
    slos_cost_frame,
    watch_frame,
)
from econ.lessons.l05_goodput.panels import cost_panel, load_panel
from econ.lessons.l05_goodput.queues import (
    answers_frame,
    curves_frame,
    drawn_queue,
    mm1_frame,
    queues_frame,
    waits_s,
)
