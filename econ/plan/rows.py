"""The rows of a plan: the screen, with what was simulated in its place and what that rules out."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from econ.plan.frontier import LARGER, SMALLER, on_frontier
from econ.plan.optimum import SIMULATED, Proof, Refuted
from econ.plan.search import PROFIT, RATE, Demand, detailed
from econ.plan.site import with_site
from econ.plan.worth import with_profit
from econ.scenario import Scenario

BASES = ("simulated", "screened", "rejected")
CATEGORIES = ("precision", "engine", "constraint", "regime", "arrivals", "rests_on")


class Searched(Protocol):
    """What the rows follow from; `econ.plan.result.Plan` has it."""

    @property
    def demand(self) -> Demand: ...
    @property
    def screen(self) -> pd.DataFrame: ...
    @property
    def evidence(self) -> Proof: ...
    @property
    def n_policies(self) -> int: ...
    @property
    def is_trace(self) -> bool: ...
    @property
    def objective(self) -> str: ...


def arrivals_of(scenario: Scenario, is_trace: bool) -> str:
    """The law of the arrivals in words.

    >>> arrivals_of(Scenario.default(), is_trace=False)
    'gamma arrivals with cv 1.1'
    """
    load = scenario.workload
    if load.arrival == "all_at_once":
        return "all there at the start"
    if is_trace:
        return "arrivals as in the trace"
    cv = float(load.arrival_cv)
    return "Poisson arrivals" if cv == 1 else f"gamma arrivals with cv {cv:.2g}"


def detailed_rows(frame: pd.DataFrame, demand: Demand) -> pd.DataFrame:
    """A search's rows with energy, carbon and the band on cost; with a value, also profit."""
    if RATE not in frame:
        return frame
    return with_profit(with_site(detailed(frame, demand), demand.scenario), demand)


def simulated_rows(plan: Searched) -> pd.DataFrame:
    """The fleets that keep the SLO under real arrivals, best first."""
    if plan.evidence.rows.empty:
        return all_rows(plan)[:0]
    rows = _refined(plan)
    return _finished(rows[rows["constraint"] == ""], plan)


def all_rows(plan: Searched) -> pd.DataFrame:
    """Every deployment, best first."""
    proof = plan.evidence
    frame = judged(plan.screen.drop(index=list(set(proof.rows.index))), plan)
    frame = detailed_rows(frame, plan.demand).assign(rests_on="means")
    frame = pd.concat([_refined(plan), frame], ignore_index=True) if len(proof.rows) else frame
    return _finished(frame, plan)


def judged(frame: pd.DataFrame, plan: Searched) -> pd.DataFrame:
    """Rows of the screen with their basis, and what the proof rules out."""
    proof, demand = plan.evidence, plan.demand
    constraint = frame["constraint"].astype(object)
    reason = frame["reason"].astype(object)
    of_all = {
        label: min(proof.refuted[label].values())
        for label in frame.index.intersection(list(proof.refuted))
        if len(proof.refuted[label]) == plan.n_policies
    }
    lost = pd.DataFrame(of_all.values(), index=list(of_all), columns=list(Refuted._fields))
    rows = frame.loc[lost.index]
    is_lost = (rows["constraint"] == "") & (
        rows["n_replicas"] - demand.n_spare <= lost["n_replicas"]
    )
    lost = lost[is_lost]
    constraint.loc[lost.index], reason.loc[lost.index] = lost["constraint"], lost["reason"]
    basis = np.where(constraint == "", "screened", "rejected")
    return frame.assign(constraint=constraint, reason=reason, basis=basis)


def _refined(plan: Searched) -> pd.DataFrame:
    """The rows of which fleets were simulated."""
    rows = plan.evidence.rows
    simulated = {name: rows[name] for name in SIMULATED if name in rows}
    refined = detailed_rows(rows, plan.demand).assign(**simulated)
    refined = with_profit(with_site(refined, plan.demand.scenario), plan.demand)
    basis = np.where(refined["constraint"] == "", "simulated", "rejected")
    return refined.assign(basis=basis, rests_on="share of requests")


def _finished(frame: pd.DataFrame, plan: Searched) -> pd.DataFrame:
    """Frontier marked, rows in order, names in place of objects."""
    demand, objective = plan.demand, plan.objective
    is_rising = objective not in (*LARGER, PROFIT)
    edge = np.zeros(len(frame), bool)
    for basis in BASES[:2]:  # what was simulated is not compared with what was only screened
        rows = (frame["basis"] == basis).to_numpy()
        if rows.any():
            known = [c for c in SMALLER if frame.loc[rows, c].notna().any()]
            edge[rows] = on_frontier(frame[rows], known)
    words = {name: frame[name].fillna("") for name in ("policy", "binding") if name in frame}
    frame = frame.assign(
        on_frontier=edge,
        arrivals=arrivals_of(demand.scenario, plan.is_trace),
        basis=pd.Categorical(frame["basis"], BASES),
        accelerator=frame["accelerator"].map(lambda chip: chip.id).astype("category"),
        **words,
    )
    order = frame.sort_values(
        ["basis", objective, "tpot_s"], ascending=[True, is_rising, True], kind="stable"
    ).reset_index(drop=True)
    return order.assign(**{name: order[name].astype("category") for name in CATEGORIES})
