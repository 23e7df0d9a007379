"""Serving: how many users are served well, by exact simulation and by queueing theory.

`simulate` draws the requests of a scenario, serves them by continuous batching and says which are
within the SLO; `max_rate_per_s` finds the highest rate at which enough of them are. `queueing`
holds the closed forms that the simulator reproduces.

>>> from econ.scenario import Scenario
>>> service = simulate(Scenario.default(), rate_per_s=8, n=1000)
>>> service.good_frac > 0.9, service.overloaded
(True, False)
"""

from econ.serving import queueing
from econ.serving.cost import StepCost
from econ.serving.from_scenario import draw_requests, replica, step_cost
from econ.serving.goodput import (
    cost_surface_frame,
    diurnal_trace,
    frontier_frame,
    hourly_frame,
    max_rate_per_s,
    slo_preset,
    slos_frame,
)
from econ.serving.replicas import Disaggregated, Replica, Speculation
from econ.serving.result import Goodput, RequestTimes, Service
from econ.serving.simulation import serve, simulate, simulate_closed, warm_up

__all__ = [
    "Disaggregated",
    "Goodput",
    "Replica",
    "RequestTimes",
    "Service",
    "Speculation",
    "StepCost",
    "cost_surface_frame",
    "diurnal_trace",
    "draw_requests",
    "frontier_frame",
    "hourly_frame",
    "max_rate_per_s",
    "queueing",
    "replica",
    "serve",
    "simulate",
    "simulate_closed",
    "slo_preset",
    "slos_frame",
    "step_cost",
    "warm_up",
]
