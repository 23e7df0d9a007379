"""A load's screen: every deployment at every batch limit, and what was simulated of them.

How fast a fleet is does not depend on who pays for it. So one `Screen` serves all terms: `paid`
gives it at other prices, and what one search simulated the next one knows.

>>> one = screened(Scenario.default(), ["h100-sxm"], ["fp8"], [(4, 1, 1, 1)], concurrencies=[32])
>>> dear = one.paid(one.demand.scenario.finance, {"h100-sxm": 10.0})
>>> dear.frame["usd_per_gpu_hour"].tolist(), dear.shapes is one.shapes
([10.0], True)
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.catalog import Accelerator
from econ.catalog.guard import count, one_of
from econ.deployment import POLICIES
from econ.plan.candidates import Split, candidates_frame
from econ.plan.fleets import Row, Shape
from econ.plan.market import listed
from econ.plan.optimum import PriceList, Proof, Search
from econ.plan.result import Plan
from econ.plan.rows import detailed_rows
from econ.plan.search import (
    BY_MEANS,
    COST,
    KEYS,
    Demand,
    concurrency_grid,
    priced,
    screened_frame,
)
from econ.plan.surest import Wanted
from econ.plan.tasks import Shapes, shape_of
from econ.plan.trials import Draws
from econ.scenario import Scenario
from econ.terms import Finance
from econ.tokens.traces import check_trace
from econ.tokens.workloads import Workload


@dataclass(frozen=True, kw_only=True)
class Screen:
    """What could serve a load, and how fast it is.

    Parameters
    ----------
    demand : Demand
        The scenario, its peak and its spares.
    frame : pandas.DataFrame
        From `econ.plan.search.screened_frame`.
    policies : sequence of str
        Scheduling policies.
    given_prices : frozenset of str
        Accelerators whose price was given.
    trace : pandas.DataFrame, optional
        Requests in the place of draws.
    draws : Draws, optional
        The requests; None where nothing is to be simulated.
    shapes : dict
        What was built and simulated.
    """

    demand: Demand
    frame: pd.DataFrame
    policies: Sequence[str]
    given_prices: frozenset[str] = frozenset()
    trace: pd.DataFrame | None = None
    draws: Draws | None = None
    shapes: Shapes = field(default_factory=dict)

    @property
    def accelerators(self) -> dict[str, Accelerator]:
        """What is looked at, by name."""
        return {chip.id: chip for chip in self.frame["accelerator"].cat.categories}

    @functools.cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        return {name: self.frame[name].to_numpy() for name in (*Row._fields, "constraint")}

    def shape(self, row: pd.Series) -> tuple[Shape, int]:
        """The shape of a row of a plan, with all that was simulated of it, and the row's place."""
        chips = self.frame["accelerator"].cat
        code = chips.categories.get_loc(self.accelerators[str(row["accelerator"])])
        at, columns = np.flatnonzero(chips.codes.to_numpy() == code), self._columns
        for name in KEYS[1:]:
            at = at[columns[name][at] == row[name]]
        at = at[np.isin(columns["constraint"][at].astype(str), ["", *BY_MEANS])]
        at = at[np.argsort(columns["concurrency"][at], kind="stable")]
        values = (columns[name][at].tolist() for name in Row._fields)
        rows = [*map(Row._make, zip(*values, strict=True))]
        if self.draws is None:
            raise ValueError("nothing was to be simulated")
        limits = [one.concurrency for one in rows]
        shape = shape_of(rows, str(row["policy"]), self.demand, self.draws, self.shapes)
        return shape, limits.index(int(row["concurrency"]))

    def paid(self, finance: Finance, usd_per_gpu_hour: Mapping[str, float]) -> Screen:
        """The part whose accelerators have a price, at those prices and under that finance."""
        codes = self.frame["accelerator"].cat
        usd = pd.Series([usd_per_gpu_hour.get(chip.id) for chip in codes.categories], dtype=float)
        prices = usd.to_numpy()[codes.codes]
        has_price = prices == prices
        frame = self.frame[has_price].assign(usd_per_gpu_hour=prices[has_price])
        frame["accelerator"] = frame["accelerator"].cat.remove_unused_categories()
        demand = dataclasses.replace(
            self.demand, scenario=self.demand.scenario.with_(finance=finance)
        )
        return dataclasses.replace(
            self, demand=demand, frame=priced(frame.reset_index(drop=True), demand),
            given_prices=frozenset(usd_per_gpu_hour),
        )  # fmt: skip


def screened(
    scenario: Scenario,
    accelerators: Iterable[str | Accelerator] | None = None,
    precisions: Iterable[str] | None = None,
    parallelism: Iterable[Split] | None = None,
    policies: Iterable[str] | None = None,
    *,
    concurrencies: Iterable[int] | None = None,
    prices_usd_per_gpu_hour: Mapping[str, float] | None = None,
    trace: pd.DataFrame | None = None,
    n: int | None = None,
    seed: int = 0,
    is_simulated: bool = True,
    n_jobs: int | None = None,
    progress: bool = False,
    **demanded: Any,
) -> Screen:
    """The screen of a scenario's load; arguments as in `econ.plan.plan`.

    ``demanded`` are further fields of `econ.plan.search.Demand`; without ``is_simulated`` no
    requests are drawn.
    """
    seed = count("seed", seed, 0)
    own = [scenario.deployment.launch.policy]
    policies = own if policies is None else listed("policies", policies)
    if not policies and is_simulated:
        raise ValueError("no policy to simulate: name one or more, or set n_refined=0")
    for policy in policies:
        one_of("policy", policy, POLICIES)
    if trace is not None:
        trace = check_trace(trace)
        scenario = _of_trace(scenario, trace)
    demand = Demand(scenario, **demanded)
    candidates = candidates_frame(
        scenario, accelerators, precisions, parallelism, prices_usd_per_gpu_hour
    )
    if concurrencies is None:
        concurrencies = concurrency_grid(max_batch=scenario.deployment.max_batch)
    frame = screened_frame(candidates, concurrencies, demand, n_jobs=n_jobs, progress=progress)
    is_simulated = is_simulated and scenario.workload.arrival != "all_at_once"
    return Screen(
        demand=demand, frame=frame, policies=policies, trace=trace,
        given_prices=frozenset(prices_usd_per_gpu_hour or {}),
        draws=Draws(demand, trace, n, seed) if is_simulated else None,
    )  # fmt: skip


def proven(
    screen: Screen,
    objective: str = COST,
    *,
    n_refined: int,
    gap_frac: float = 0.0,
    lists: Sequence[PriceList] = (),
    n_kinds: int = 0,
    wanted: Sequence[Wanted] = (),
    is_fewest: bool = False,
    n_jobs: int | None = None,
    progress: bool = False,
) -> Plan:
    """The best of a screen, proved by simulation; arguments as in `econ.plan.plan`.

    ``lists``, ``n_kinds`` and ``wanted`` as in `econ.plan.optimum.Search.run`, ``is_fewest`` as in
    `Search`.
    """
    frame, proof = screen.frame, Proof(screen.frame.iloc[:0])
    if objective != COST:  # what else the search could go by
        frame = detailed_rows(frame, screen.demand)
    if n_refined and screen.draws is not None:
        search = Search(
            frame, screen.demand, screen.draws, objective, screen.policies, screen.shapes,
            n_jobs=n_jobs, progress=progress, is_fewest=is_fewest,
        )  # fmt: skip
        proof = search.run(n_refined, gap_frac, lists, n_kinds, wanted)
    return Plan(
        demand=screen.demand,
        screen=frame,
        evidence=proof,
        n_policies=len(screen.policies),
        is_trace=screen.trace is not None,
        accelerators=screen.accelerators,
        objective=objective,
        given_prices=screen.given_prices,
    )


def _of_trace(scenario: Scenario, trace: pd.DataFrame) -> Scenario:
    """The scenario with the trace's lengths and cached share, at its own rate."""
    own, load = Workload.from_trace(trace, scenario.workload.id), scenario.workload
    if load.arrival == "all_at_once" or own.arrival == "all_at_once":
        return scenario
    workload = dataclasses.replace(
        own, title=load.title, rate_per_s=load.rate_per_s, reasoning_frac=load.reasoning_frac
    )
    return scenario.with_(workload=workload)
