"""Which deployment serves a workload within its promise at the least cost, and how sure is that?

`plan` looks at every candidate (`econ.plan.candidates`) at every batch limit
(`econ.plan.search`), serves the best in the simulator (`econ.plan.refine`) and marks
the frontier (`econ.plan.frontier`). Every rejected row names the constraint that failed.

>>> from econ.scenario import Scenario
>>> found = plan(Scenario.default(), accelerators=["h100-sxm"], precisions=["fp8"], n_refined=1,
...              concurrencies=[8, 32], parallelism=[(4, 1, 1, 1), (8, 1, 1, 1)], n=400)
>>> best = best_of(found)
>>> best["basis"], best["accelerator"], int(best["tp"]), int(best["fleet_gpus"])
('simulated', 'h100-sxm', 4, 4)
>>> found["constraint"].astype(str).value_counts().index[0]
''
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from econ.catalog import catalog
from econ.catalog.guard import count, unknown
from econ.catalog.rents import rents
from econ.deployment import POLICIES
from econ.plan.candidates import candidates_frame, listed, splits_of
from econ.plan.frontier import LARGER, SMALLER, on_frontier
from econ.plan.refine import distinct, refine_frame
from econ.plan.search import KEYS, Demand, concurrency_grid, constraints_frame, search_frame
from econ.plan.site import with_site
from econ.scenario import Deployment, Scenario
from econ.terms import Finance
from econ.tokens.trace_check import check_trace

__all__ = [
    "best_of",
    "constraints_frame",
    "demand_of",
    "fewest_gpus",
    "plan",
    "rents",
    "scenario_of",
]

BASES = ("simulated", "screened", "rejected")
OBJECTIVES = (*SMALLER, *LARGER)
TRIES = 4  # how many times the shapes asked for are simulated at most, where arrivals rule some out
PRECISIONS = ("bf16", "fp8")  # 4 bits can cost quality, which is priced nowhere here: ask for them


def demand_of(scenario: Scenario, rate_per_s: float | None = None, **more) -> Demand:
    """What a scenario asks of a fleet: ``more`` as in `econ.plan.search.Demand`."""
    w = scenario.workload
    return Demand(
        rate_per_s=w.rate_per_s if rate_per_s is None else rate_per_s,
        input_tokens=w.mean_input_tokens,
        output_tokens=w.mean_output_tokens,
        slo=scenario.slo,
        **more,
    )


def prices_of(
    scenario: Scenario, prices_usd_per_gpu_hour: Mapping[str, float] | None
) -> dict[str, float]:
    """USD per GPU-hour by accelerator: list rents, the scenario's own, then those given."""
    own = {scenario.deployment.accelerator_id: scenario.cost_usd_per_gpu_hour}
    prices = (prices_usd_per_gpu_hour or {}).items()
    return rents() | own | {catalog.accelerator(name).id: price for name, price in prices}


def plan(
    scenario: Scenario,
    accelerators: Iterable[str] | None = None,
    precisions: Iterable[str] | None = None,
    parallelism: Iterable[tuple[int, int, int, int]] | None = None,
    policies: Iterable[str] = ("chunked_prefill", "prefill_first"),
    objective: str = "cost_usd_per_good_mtok",
    *,
    concurrencies: Iterable[int] | None = None,
    prices_usd_per_gpu_hour: Mapping[str, float] | None = None,
    rate_per_s: float | None = None,
    peak_factor: float = 1.0,
    n_spare: int = 0,
    cached_frac: float = 0.0,
    software_maturity: float = 1.0,
    step_overhead_s: float = 0.0,
    engine: str = "",
    trace: pd.DataFrame | None = None,
    n_refined: int = 6,
    n: int | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Every deployment that was looked at, best first; what was rejected, and by what.

    ``accelerators``: all that have a price. ``precisions``: bf16 and fp8.
    ``parallelism``: (tp, pp, ep, dp) of a replica (`splits_of`). ``policies`` are told apart by the
    simulator alone. ``prices_usd_per_gpu_hour`` over the latest list rents and the scenario's
    own. ``peak_factor``: peak over mean rate, for which the fleet is sized. ``n_spare``: replicas
    beyond need (1 is N+1). ``cached_frac``: share of prompts that a prefix cache serves.
    ``software_maturity`` and ``step_overhead_s`` are those of your stack, 1 and 0 the usual ones.
    ``n_refined``: replica shapes that are simulated (more, where some fail there), each on requests
    drawn from the workload or on those of a ``trace``. ``n_jobs``: as in joblib. Work that is all
    there at the start is only screened, its rate being what has to be worked off.

    Columns, beyond the deployment: ``basis`` (simulated, screened, rejected), latency with its
    band, ``fleet_gpus``, cost, energy and carbon per token with bands, ``on_frontier``,
    ``constraint`` and ``reason``. The screen works with means and counts every token as good; the
    simulation counts. Rows of one basis are in order of the objective.
    """
    if objective not in OBJECTIVES:
        raise unknown("objective", objective, OBJECTIVES)
    n_refined, seed = count("n_refined", n_refined, 0, 10_000), count("seed", seed, 0)
    if not (policies := listed("policies", policies)) and n_refined:
        raise ValueError("no policy to simulate: name one or more, or set n_refined=0")
    for policy in policies:
        if policy not in POLICIES:
            raise unknown("policy", policy, POLICIES)
    if trace is not None:
        trace = check_trace(trace)
    w, m = scenario.workload, catalog.model(scenario.model)
    price = prices_of(scenario, prices_usd_per_gpu_hour)
    demand = demand_of(
        scenario, rate_per_s, peak_factor=peak_factor, n_spare=n_spare, cached_frac=cached_frac,
        software_maturity=software_maturity, step_overhead_s=step_overhead_s,
    )  # fmt: skip
    candidates = candidates_frame(
        m,
        sorted(price) if accelerators is None else accelerators,
        PRECISIONS if precisions is None else precisions,
        splits_of(m) if parallelism is None else parallelism,
        price,
        input_tokens=demand.input_tokens,
        output_tokens=demand.output_tokens,
        longest_tokens=w.input_quantile_tokens[-1] + w.output_quantile_tokens[-1],
        engine=engine,
    )
    grid = concurrency_grid() if concurrencies is None else concurrencies
    frame = search_frame(candidates, grid, m, demand, n_jobs=n_jobs, progress=progress)
    frame["basis"] = np.where(frame["constraint"] == "", "screened", "rejected")
    if objective in ("site_energy_j_per_token", "carbon_g_per_mtok"):
        frame = with_site(frame, scenario)
    rising = objective not in LARGER
    fits = frame[(frame["constraint"] == "").to_numpy()]
    if n_refined and len(fits) and w.arrival != "all_at_once":
        load = w if trace is None else trace
        frame = _simulated(
            frame, fits, objective, rising, n_refined, (load, m, demand, policies),
            {"n": n, "seed": seed, "n_jobs": n_jobs, "progress": progress},
        )  # fmt: skip
    return _finished(with_site(frame, scenario), objective, rising)


def _simulated(frame, fits, objective, rising, n_refined, case, settings) -> pd.DataFrame:
    """The best shapes replaced by their simulations, down the list until enough of them hold."""
    best = distinct(fits[fits["pp"] == 1], objective, TRIES * n_refined, rising)
    made, n_held = [], 0
    for start in range(0, len(best), n_refined):
        if n_held >= n_refined:
            break
        made.append(refine_frame(best.iloc[start : start + n_refined], *case, **settings))
        n_held += made[-1].loc[made[-1]["constraint"] == "", list(KEYS)].drop_duplicates().shape[0]
    if not made:
        return frame
    found = pd.concat(made, ignore_index=True)
    found["basis"] = np.where(found["constraint"] == "", "simulated", "rejected")
    tried = best.index[: len(made) * n_refined]
    return pd.concat([found, frame.drop(index=tried)], ignore_index=True)


def _finished(frame: pd.DataFrame, objective: str, rising: bool) -> pd.DataFrame:
    """Frontier marked, rows in order, names as categories."""
    frame["on_frontier"] = False
    for basis in BASES[:2]:  # what was simulated is not compared with what was only screened
        rows = frame["basis"] == basis
        if rows.any():
            known = [c for c in SMALLER if frame.loc[rows, c].notna().any()]
            frame.loc[rows, "on_frontier"] = on_frontier(frame[rows], known)
    for name in ("policy", "binding"):
        if name in frame:
            frame[name] = frame[name].fillna("")
    frame["basis"] = pd.Categorical(frame["basis"], BASES)
    order = frame.sort_values(
        ["basis", objective, "tpot_s"], ascending=[True, rising, True], kind="stable"
    )
    order = order.reset_index(drop=True)
    names = ("accelerator", "precision", "constraint", "regime")
    return order.assign(**{name: order[name].astype("category") for name in names})


def best_of(frame: pd.DataFrame) -> pd.Series:
    """The best that keeps the promise; if none does, an error says what ruled them out.

    Where deployments were simulated and none held, the screened ones are not offered instead: what
    failed the better ones, bursts or long requests, is not in the screen.
    """
    kept = frame[frame["basis"] != "rejected"]
    ran = frame["policy"] != "" if "policy" in frame else pd.Series(False, frame.index)
    if ran.any() and not (frame["basis"] == "simulated").any():
        why = frame.loc[ran, "reason"].iloc[0]
        raise ValueError(
            f"{len(kept):,} deployments pass the screen at mean lengths, but none of {ran.sum()} "
            f"simulated keeps the promise under these arrivals (the first: {why}): relax the "
            "latency limits or the share that must meet them"
        )
    if kept.empty:
        lacking = constraints_frame(frame)
        said = ", ".join(f"{r.constraint} {r.n_deployments:,}" for r in lacking.itertuples())
        raise ValueError(
            f"none of {len(frame):,} deployments keeps the promise; ruled out by {said}: relax the "
            "latency limits, or allow more accelerators, precisions or splits"
        )
    return kept.iloc[0]


def fewest_gpus(frame: pd.DataFrame) -> pd.Series:
    """The deployment that keeps the promise on the fewest accelerators, whatever they cost.

    Simulated rows where there are any; the cheaper of two that need as many.
    """
    best_of(frame)  # says why, if none keeps it
    kept = frame[frame["basis"] == frame["basis"].iloc[0]]
    return kept.sort_values(["fleet_gpus", "usd_per_hour"], kind="stable").iloc[0]


def scenario_of(row: pd.Series, scenario: Scenario) -> Scenario:
    """The scenario on a deployment of the plan: its whole fleet, all replicas of it.

    A mixture of experts whose attention is replicated stands for one of its replicas, with the
    share of requests that this one gets.
    """
    policy = row["policy"] if row.get("policy") else scenario.deployment.policy
    n, tp, pp = int(row["fleet_gpus"]), int(row["tp"]), int(row["pp"])
    workload = scenario.workload
    if catalog.model(scenario.model).is_moe and row["n_replicas"] > 1:
        n = int(row["n_gpu"])
        rate_per_s = workload.rate_per_s / float(row["n_replicas"])
        workload = dataclasses.replace(workload, rate_per_s=rate_per_s)
    return scenario.replace(
        workload=workload,
        deployment=Deployment(
            accelerator=str(row["accelerator"]),
            n_gpu=n,
            tp=tp,
            pp=pp,
            ep=int(row["ep"]),
            dp=n // (tp * pp),
            precision=str(row["precision"]),
            policy=policy,
        ),
        finance=Finance(
            cost_usd_per_gpu_hour=float(row["usd_per_gpu_hour"]), source=scenario.finance.source
        ),
    )
