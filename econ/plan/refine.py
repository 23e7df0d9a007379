"""The best candidates once more, under real arrivals: how many replicas does the promise take?

The search works with means; a promise is about a share of requests. Here each of the best
deployments serves the workload's own requests in the simulator, with more and fewer replicas, until
the smallest fleet is found that keeps the promise at the peak rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.guard import count, unknown
from econ.deployment import POLICIES
from econ.plan.search import KEYS, Demand
from econ.scenario import Scenario
from econ.serving import Disaggregated, Replica, Service, draw_requests, replica, serve
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.workloads import Workload

TURNS = 8  # how often every place of a fleet is used over in a simulation, filling included
FEWEST, MOST = 3_000, 40_000  # requests of one simulation
GROWTH = 16  # a fleet more than this many times the search's is not looked for
PREFILL_POOL_FRAC = 1 / 3  # of the replicas, where prompts are read in a pool of their own
SIMULATED = [
    *("policy", "n_replicas", "fleet_gpus", "usd_per_hour", "busy_frac", "good_frac"),
    *("p95_ttft_s", "p95_tpot_s", "binding", "cost_usd_per_good_mtok"),
    *("cost_low_usd_per_good_mtok", "cost_high_usd_per_good_mtok", "constraint", "reason"),
]


def replica_of_row(row, model: Model | str, policy: str, demand: Demand) -> Replica:
    """One replica of a row of the search as the simulator takes it.

    Its steps take as much longer as the row's TPOT is above that of the calibration's stacks.
    """
    one = replica(
        Scenario.of(
            model, row.accelerator, n_gpu=int(row.tp * row.dp), tp=int(row.tp), dp=int(row.dp),
            ep=int(row.ep), precision=row.precision, engine=row.engine,
            max_batch=max(int(row.concurrency), 1),
            token_budget=max(2048, 2 * int(row.concurrency)),
            input_tokens=demand.input_tokens, output_tokens=demand.output_tokens,
            cached_frac=demand.cached_frac,
        )
    )  # fmt: skip
    cost = one.cost.times(float(row.slowdown))
    return one.replace(cost=cost, policy=policy, n_replicas=1, routing="least_loaded")


def fleet_of(replica: Replica, n_replicas: int, kv_transfer_s_per_token: float = 0.0):
    """So many replicas behind a router; of separate pools a third reads prompts, the rest write."""
    if replica.policy != "disaggregated":
        return replica.replace(n_replicas=n_replicas)
    half = replica.replace(policy="chunked_prefill")
    n_prefill = max(1, int(n_replicas * PREFILL_POOL_FRAC))
    return Disaggregated(
        prefill=half.replace(n_replicas=n_prefill),
        decode=half.replace(n_replicas=n_replicas - n_prefill),
        kv_transfer_s_per_token=kv_transfer_s_per_token,
    )


def refine_frame(
    rows: pd.DataFrame,
    workload: Workload | pd.DataFrame,
    model: Model | str,
    demand: Demand,
    policies: Iterable[str] = ("chunked_prefill",),
    *,
    n: int | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Rows of the search with the smallest fleet that keeps the promise, one for each policy.

    A trace in place of the workload is stretched to the peak rate and served from its start.
    A row whose promise no fleet keeps gets the constraint that binds. ``n`` fixes the requests of
    a simulation (default: enough that every place of the fleet is used several times). Pipelines
    are not simulated; their rows say so.
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
    pool = Parallel(n_jobs=n_jobs, return_as="generator")
    made = pool(delayed(_refined)(r, workload, model, demand, p, n, seed) for r, p in tasks)
    found = []
    with tqdm(total=len(tasks), unit="deployment", disable=not progress) as bar:
        for one in made:
            found.append(one)
            bar.update(1)
    repeated = rows.loc[rows.index.repeat(len(policies))].reset_index(drop=True)
    new = pd.DataFrame(found, columns=SIMULATED)
    kept = repeated.drop(columns=[c for c in SIMULATED if c in repeated])
    return pd.concat([kept, new], axis=1)


def _requests(row, size: int, n: int | None) -> int:
    """Requests of one simulation of a fleet."""
    return n or int(np.clip(TURNS * size * row.concurrency, FEWEST, MOST))


def _refined(row, workload, model, demand: Demand, policy: str, n, seed: int) -> dict:
    missing = dict.fromkeys(SIMULATED, math.nan) | {"policy": policy, "binding": ""}
    if row.pp > 1:
        return missing | {"constraint": "split", "reason": "pipelines are not simulated"}
    try:
        one = replica_of_row(row, model, policy, demand)
    except ValueError as error:
        return missing | {"constraint": "split", "reason": str(error)}
    slo, move_s = demand.slo, 0.0
    if policy == "disaggregated":
        move_s = _transfer_s(row, model)
    peak, found = demand.rate_per_s * demand.peak_factor, {}

    def tried(size: int) -> dict:
        if size not in found:
            requests = _requests(row, size, n)
            load = workload.head(requests) if isinstance(workload, pd.DataFrame) else workload
            trace = draw_requests(load, peak, requests, seed)
            try:
                fleet = fleet_of(one, size, move_s)
                served = serve(trace, fleet, seed=seed)
                found[size] = Service.of(served, slo, fleet, peak).row()
            except ValueError as error:  # a request that no replica can hold
                found[size] = {"good_frac": 0.0, "overloaded": True, "error": str(error)}
        return found[size]

    def holds(size: int) -> bool:
        got = tried(size)
        return got["good_frac"] >= slo.attainment_frac and not got["overloaded"]

    least = 2 if policy == "disaggregated" else 1
    start = max(int(row.n_replicas) - demand.n_spare, least)
    low, high = least - 1, start
    while not holds(high):
        low, high = high, high * 2
        if high > GROWTH * start + least:
            got = tried(low)
            said = got.get("error") or (
                f"{low} replicas keep the promise for {got['good_frac']:.1%} of requests, "
                f"{slo.attainment_frac:.1%} are promised; more hardly help"
            )
            binding = got.get("binding", "")
            constraint = binding if binding in ("ttft", "tpot") else "ttft"
            return missing | {"constraint": constraint, "reason": said}
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return _priced(row, demand, policy, high, tried(high))


def _transfer_s(row, model) -> float:
    """Seconds to move a prompt token's KV cache to the other pool over the scale-up link."""
    from econ.latency.deployments import as_accelerator, as_model

    link = as_accelerator(row.accelerator).scaleup_bandwidth_bytes_per_s
    return as_model(model).kv_bytes_per_token() / (link * row.tp * row.dp) if link else 0.0


def _priced(row, demand: Demand, policy: str, size: int, got: dict) -> dict:
    """Cost per good token of the fleet found; its band keeps the ratio that the search had."""
    n_replicas = size + demand.n_spare
    n_gpu = n_replicas * row.n_gpu
    good_rate = demand.output_tokens_per_s * got["good_frac"] / n_gpu
    cost = cost_usd_per_mtok(row.usd_per_gpu_hour, good_rate)
    spread = {
        end: math.ceil(size * factor * (1 - 1e-12)) + demand.n_spare
        for end, factor in (("low", 1 / row.rate_p90_factor), ("high", row.rate_p90_factor))
    }
    return {
        "policy": policy,
        "n_replicas": n_replicas,
        "fleet_gpus": n_gpu,
        "usd_per_hour": n_gpu * row.usd_per_gpu_hour,
        "busy_frac": demand.rate_per_s / (n_replicas * row.requests_per_s_per_replica),
        "good_frac": got["good_frac"],
        "p95_ttft_s": got["p95_ttft_s"],
        "p95_tpot_s": got["p95_tpot_s"],
        "binding": got["binding"],
        "cost_usd_per_good_mtok": cost,
        "cost_low_usd_per_good_mtok": cost * spread["low"] / n_replicas,
        "cost_high_usd_per_good_mtok": cost * spread["high"] / n_replicas,
        "constraint": "",
        "reason": "",
    }


def distinct(rows: pd.DataFrame, by: str, n: int, ascending: bool = True) -> pd.DataFrame:
    """The best row of each of the ``n`` best replica shapes, by a column; ties go to lower TPOT."""
    order = rows.sort_values([by, "tpot_s"], ascending=[ascending, True], kind="stable")
    return order.drop_duplicates(list(KEYS)).head(n)
