"""Serving: how many users are served well, by exact simulation and by queueing theory.

`simulate` draws the requests of a scenario, serves them by continuous batching and says which are
within the SLO; `max_rate_per_s` finds the highest rate at which enough of them are. `queueing`
holds the closed forms that the simulator reproduces. `simulate_sessions` serves agents and chats
whose prompts grow, over a prefix cache that is full: the share of cached tokens comes out.

>>> from econ.scenario import Scenario
>>> service = simulate(Scenario.default(), rate_per_s=8, n=1000)
>>> service.good_frac > 0.9, service.overloaded
(True, False)
"""

from econ.serving import queueing
from econ.serving.cost import StepCost
from econ.serving.fleet import Autoscale, Fleet, Outage, Tier, tier
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
from econ.serving.pool_sizes import prefill_per_decode
from econ.serving.pool_speeds import PoolSpeed, pool_speed
from econ.serving.replicas import Disaggregated, Replica, Speculation
from econ.serving.result import Goodput, RequestTimes, Service
from econ.serving.session_run import SessionTimes, serve_sessions
from econ.serving.session_service import SessionService, calls_of, simulate_sessions, ttft_by_cache
from econ.serving.simulation import serve, simulate, simulate_closed, warm_up

__all__ = [
    "Autoscale",
    "Disaggregated",
    "Fleet",
    "Goodput",
    "Outage",
    "PoolSpeed",
    "Replica",
    "RequestTimes",
    "Service",
    "SessionService",
    "SessionTimes",
    "Speculation",
    "StepCost",
    "Tier",
    "calls_of",
    "cost_surface_frame",
    "diurnal_trace",
    "draw_requests",
    "frontier_frame",
    "hourly_frame",
    "max_rate_per_s",
    "pool_speed",
    "prefill_per_decode",
    "queueing",
    "replica",
    "serve",
    "serve_sessions",
    "simulate",
    "simulate_closed",
    "simulate_sessions",
    "slo_preset",
    "slos_frame",
    "step_cost",
    "tier",
    "ttft_by_cache",
    "warm_up",
]
