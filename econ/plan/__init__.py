"""Plan: which deployment meets a scenario's SLO at the lowest cost.

`plan` screens accelerators × precisions × splits × batch limits with the latency model, finds the
best fleet by simulation and proves that no other is better, and gives a `Plan`: the best row, the
frontier, and for every other deployment the constraint that rules it out. With a value of an
answer the best earns the most; `best_service` compares models and tiers so. `export` writes a
plan's table to a new file.

>>> from econ.scenario import Scenario
>>> answer = plan(Scenario.default(), ["h100-sxm"], ["fp8"], [(4, 1, 1, 1)], n_refined=0)
>>> answer.best["accelerator"], answer.regime
('h100-sxm', 'calibrated')
"""

from econ.plan.agents import AgentCost, agent_cost, max_sessions_per_s
from econ.plan.candidates import candidates_frame, splits_of
from econ.plan.exports import check_new, export
from econ.plan.frontier import on_frontier
from econ.plan.load import describe_frame, peak_factor
from econ.plan.market import prices_of
from econ.plan.planner import plan
from econ.plan.result import Plan
from econ.plan.search import Demand, concurrency_grid, search_frame
from econ.plan.sellers import (
    ApiBill,
    SellerSide,
    api_bill,
    percentile_usd,
    seller_side,
    typical_bill,
)
from econ.plan.services import Service, best_service
from econ.plan.session_fleets import SessionPlan, plan_sessions

__all__ = [
    "AgentCost",
    "ApiBill",
    "Demand",
    "Plan",
    "SellerSide",
    "Service",
    "SessionPlan",
    "agent_cost",
    "api_bill",
    "best_service",
    "candidates_frame",
    "check_new",
    "concurrency_grid",
    "describe_frame",
    "export",
    "max_sessions_per_s",
    "on_frontier",
    "peak_factor",
    "percentile_usd",
    "plan",
    "plan_sessions",
    "prices_of",
    "search_frame",
    "seller_side",
    "splits_of",
    "typical_bill",
]
