"""The best candidates once more, under real arrivals: how many replicas does the SLO take?

The search works with means; an SLO is about a share of requests. Here each of the best deployments
serves the workload's own requests in the simulator, with more and fewer replicas, until the
smallest fleet is found that meets the SLO at the peak rate.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.catalog import Accelerator
from econ.catalog.guard import count, unknown
from econ.deployment import POLICIES
from econ.plan.search import KEYS, ROUNDING, Demand
from econ.scenario import Scenario
from econ.serving import Disaggregated, Replica, Service, draw_requests, replica, serve, warm_up
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.trace_columns import OPTIONAL

TURNS = 8  # how often every place of a fleet is used over in a simulation, filling included
FEWEST, MOST = 3_000, 40_000  # requests of one simulation
GROWTH = 16  # a fleet more than this many times the search's is not looked for
PREFILL_POOL_FRAC = 1 / 3  # of the replicas, where prompts are read in a pool of their own
LEAST_BUDGET = 2048  # tokens of a step, where the scenario names none
SIMULATED = [
    *("policy", "n_replicas", "fleet_gpus", "usd_per_hour", "busy_frac", "good_frac"),
    *("p95_ttft_s", "p95_tpot_s", "binding", "cost_usd_per_good_mtok"),
    *("cost_low_usd_per_good_mtok", "cost_high_usd_per_good_mtok", "constraint", "reason"),
]


def deployed(
    scenario: Scenario, row: Any, accelerator: Accelerator, n_gpu: int, policy: str
) -> Scenario:
    """The scenario on the deployment of a row: its split, precision, batch limit and budget."""
    batch = max(int(row.concurrency), 1)
    own = scenario.deployment
    budget = own.token_budget
    deployment = dataclasses.replace(
        own,
        accelerator=accelerator,
        n_gpu=n_gpu,
        tp=int(row.tp),
        pp=int(row.pp),
        ep=int(row.ep),
        dp=int(row.dp),
        precision=str(row.precision),
        max_batch=batch,
        token_budget=max(LEAST_BUDGET, 2 * batch) if budget is None else budget,
        policy=policy,
    )
    return scenario.with_(deployment=deployment)


def replica_of_row(row: Any, policy: str, demand: Demand) -> tuple[Replica, float]:
    """One replica of a row of the search as the simulator takes it, and seconds a KV token moves.

    Its steps take as much longer as the overhead of your stack makes the row's TPOT.
    """
    is_split = policy == "disaggregated"
    n_gpu = int(row.n_gpu) * (2 if is_split else 1)
    ready = replica(deployed(demand.scenario, row, row.accelerator, n_gpu, policy))
    if isinstance(ready, Disaggregated):
        one, transfer_s = ready.prefill, ready.kv_transfer_s_per_token
    else:
        one, transfer_s = ready, 0.0
    cost = one.cost.times(float(row.slowdown))
    return one.replace(cost=cost, n_replicas=1, routing="least_loaded"), transfer_s


def fleet_of(
    one: Replica, n_replicas: int, policy: str, kv_transfer_s_per_token: float = 0.0
) -> Replica | Disaggregated:
    """So many replicas behind a router; of separate pools a third reads prompts, the rest write."""
    if policy != "disaggregated":
        return one.replace(n_replicas=n_replicas)
    n_prefill = max(1, int(n_replicas * PREFILL_POOL_FRAC))
    return Disaggregated(
        prefill=one.replace(n_replicas=n_prefill),
        decode=one.replace(n_replicas=n_replicas - n_prefill),
        kv_transfer_s_per_token=kv_transfer_s_per_token,
    )


def refine_frame(
    rows: pd.DataFrame,
    demand: Demand,
    policies: Iterable[str],
    *,
    trace: pd.DataFrame | None = None,
    n: int | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Rows of the search with the smallest fleet that meets the SLO, one for each policy.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of `econ.plan.search.search_frame`.
    demand : Demand
        What has to be served.
    policies : iterable of str
        Scheduling policies to tell apart (`econ.deployment.POLICIES`).
    trace : pandas.DataFrame, optional
        Requests in place of the workload, stretched to the peak rate and served from its start.
    n : int, optional
        Requests of a simulation; None for enough that every place of the fleet is used several
        times.
    seed : int
        Of the requests that are drawn.
    n_jobs, progress
        As in `econ.plan.search.search_frame`.

    Returns
    -------
    pandas.DataFrame
        A row that meets the SLO with no fleet has the constraint that binds. Pipelines are not
        simulated; their rows say so.
    """
    policies = list(policies)
    for policy in policies:
        if policy not in POLICIES:
            raise unknown("policy", policy, POLICIES)
    if n is not None:
        count("n", n, 10, 10_000_000)
    from joblib import Parallel, delayed
    from tqdm.auto import tqdm

    tasks = [(row, policy) for row in rows.itertuples(index=False) for policy in policies]
    if n_jobs in (None, 1):  # at least one fleet that is too small and one that is not
        served = [(row, p) for row, p in tasks if row.pp == 1 and math.isfinite(row.n_replicas)]
        warm_up(sum(2 * _requests(row, _first_size(row, demand, p), n) for row, p in served))
    pool = Parallel(n_jobs=n_jobs, return_as="generator")
    results = pool(delayed(_refined)(row, demand, p, trace, n, seed) for row, p in tasks)
    answers = []
    with tqdm(total=len(tasks), unit="deployment", disable=not progress) as bar:
        for answer in results:
            answers.append(answer)
            bar.update(1)
    repeated = rows.loc[rows.index.repeat(len(policies))].reset_index(drop=True)
    screened = repeated.drop(columns=[c for c in SIMULATED if c in repeated])
    return pd.concat([screened, pd.DataFrame(answers, columns=SIMULATED)], axis=1)


def _least_size(policy: str) -> int:
    return 2 if policy == "disaggregated" else 1


def _first_size(row: Any, demand: Demand, policy: str) -> int:
    """Replicas of the first fleet tried: as many as the search wants."""
    return max(int(row.n_replicas) - demand.n_spare, _least_size(policy))


def _requests(row: Any, size: int, n: int | None) -> int:
    """Requests of one simulation of a fleet."""
    return n or int(np.clip(TURNS * size * row.concurrency, FEWEST, MOST))


def _refined(
    row: Any,
    demand: Demand,
    policy: str,
    trace: pd.DataFrame | None,
    n: int | None,
    seed: int,
) -> dict[str, Any]:
    missing = dict.fromkeys(SIMULATED, math.nan) | {"policy": policy, "binding": ""}
    if row.pp > 1:
        reason = f"pp = {row.pp}: pipelines are screened, not simulated"
        return missing | {"constraint": "split", "reason": reason}
    try:
        one, transfer_s = replica_of_row(row, policy, demand)
    except ValueError as error:
        return missing | {"constraint": "split", "reason": str(error)}
    slo = demand.slo
    tried: dict[int, dict[str, Any]] = {}

    def outcome(size: int) -> dict[str, Any]:
        if size not in tried:
            requests = _requests(row, size, n)
            load = demand.scenario.workload if trace is None else trace.head(requests)
            try:
                drawn = draw_requests(load, demand.peak_per_s, requests, seed)
                fleet = fleet_of(one, size, policy, transfer_s)
                times = serve(drawn, fleet, seed=seed, cached_tokens=_cached_tokens(drawn))
                tried[size] = Service.of(times, slo, fleet, demand.peak_per_s).row()
            except ValueError as error:  # a request that no replica can hold
                tried[size] = {"good_frac": 0.0, "overloaded": True, "error": str(error)}
        return tried[size]

    def is_enough(size: int) -> bool:
        answer = outcome(size)
        return bool(answer["good_frac"] >= slo.attainment_frac and not answer["overloaded"])

    least, start = _least_size(policy), _first_size(row, demand, policy)
    low, high = least - 1, start
    while not is_enough(high):
        low, high = high, high * 2
        if high > GROWTH * start + least:
            answer = outcome(low)
            reason = answer.get("error") or (
                f"{low} replicas meet the SLO for {answer['good_frac']:.1%} of requests, "
                f"{slo.attainment_frac:.1%} must; more hardly help"
            )
            binding = answer.get("binding", "")
            constraint = binding if binding in ("ttft", "tpot") else "ttft"
            return missing | {"constraint": constraint, "reason": reason}
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return _priced(row, demand, policy, high, outcome(high))


def _cached_tokens(trace: pd.DataFrame) -> pd.Series | None:
    """What a trace says of each prompt's cached part; at least one token is always computed."""
    if OPTIONAL not in trace:
        return None  # the workload's share then holds for all prompts
    return trace[OPTIONAL].clip(upper=trace["input_tokens"] - 1)


def _priced(
    row: Any, demand: Demand, policy: str, size: int, outcome: dict[str, Any]
) -> dict[str, Any]:
    """Cost per good token of the fleet; its band keeps the ratio that the search had."""
    n_replicas = size + demand.n_spare
    n_gpu = n_replicas * row.n_gpu
    good_rate = demand.output_tokens_per_s * outcome["good_frac"] / n_gpu
    cost = cost_usd_per_mtok(row.usd_per_gpu_hour, good_rate, demand.utilisation_frac)
    low, high = (
        math.ceil(size * factor * ROUNDING) + demand.n_spare
        for factor in (1 / row.rate_p90_factor, row.rate_p90_factor)
    )
    return {
        "policy": policy,
        "n_replicas": n_replicas,
        "fleet_gpus": n_gpu,
        "usd_per_hour": n_gpu * row.usd_per_gpu_hour,
        "busy_frac": demand.rate_per_s / (n_replicas * row.requests_per_s_per_replica),
        **{name: outcome[name] for name in ("good_frac", "p95_ttft_s", "p95_tpot_s", "binding")},
        "cost_usd_per_good_mtok": cost,
        "cost_low_usd_per_good_mtok": cost * low / n_replicas,
        "cost_high_usd_per_good_mtok": cost * high / n_replicas,
        "constraint": "",
        "reason": "",
    }


def distinct(rows: pd.DataFrame, by: str, n: int, ascending: bool = True) -> pd.DataFrame:
    """The best row of each of the ``n`` best replica shapes, by a column.

    Whole replicas make ties: one serves 2 requests per second with 10 places or with 91, at the
    same cost. The fewest places leave bursts no room and the most exceed the SLO first, so that of
    the rows in a tie the middle one is taken, by TPOT.
    """
    order = rows.sort_values([by, "tpot_s"], ascending=[ascending, True], kind="stable")
    shapes = order.groupby(list(KEYS), observed=True, sort=False)
    ties = order[order[by] == shapes[by].transform("first")]
    alike = ties.groupby(list(KEYS), observed=True, sort=False)[by]
    return ties[alike.cumcount() == alike.transform("size") // 2].head(n)
