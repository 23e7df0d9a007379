"""Questions of lesson 15: your own workload."""

from __future__ import annotations

import functools
import math

from econ.lessons.l15_workload import cheapest_frame
from econ.lessons.question import Inputs, Wrong, question
from econ.plan import Demand, plan
from econ.scenario import Scenario


@functools.cache
def _cheapest_usd_per_mtok() -> float:
    scenario = Scenario.default()
    rows = plan(scenario, n_refined=0).rows
    return float(cheapest_frame(rows, Demand(scenario))["cost_usd_per_good_mtok"].iloc[0])


@question(
    "15-cost",
    "What will a million *good* output tokens of this service cost on the cheapest fleet that "
    "meets the SLO, in **USD**? They pay for all input and for every hour of the fleet.",
    unit="USD",
    slider=(0.01, 100),
    tolerance_frac=0.3,
    wrong=[Wrong((10, math.inf), "That is a fleet that serves few users at a time. The SLO leaves "
                 "room for many, and they share the hours.")],
    because="A small service pays for whole replicas, so the cheapest one is small.",
)  # fmt: skip
def _cheapest_fleet(q: Inputs) -> float:
    return _cheapest_usd_per_mtok()
