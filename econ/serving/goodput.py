"""How much of the work is good: both latency limits met, by the same request.

>>> from econ.serving.simulation import Replica, StepCost, simulate
>>> from econ.tokens.workloads import workload
>>> replica = Replica(cost=StepCost.affine(6e-3, 45e-6, per_ctx_token_s=45e-9), kv_tokens=400_000)
>>> slo = slo_preset("chat-interactive")
>>> slo.ttft_s, slo.tpot_s
(0.45, 0.04)
>>> rate = max_rate_per_s(workload("chat"), replica, slo, n=1000)
>>> loads = load_frame(workload("chat"), replica, slo, [rate / 2, rate * 2], n=1000)
>>> (loads["good_frac"] >= slo.attainment_frac).tolist()
[True, False]

TPOT = (e2e − TTFT)/(n − 1). Latency has two averages: over requests (what the typical user sees)
and over tokens (long answers weigh more); they differ, so both are named.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from econ.catalog.guard import count, fraction, not_negative, positive, unknown
from econ.catalog.tables import table
from econ.catalog.units import DAY_S, HOUR_S, MTOK, per_second_from_per_hour
from econ.serving.checks import MAX_TIME_S
from econ.serving.result import NEVER, Goodput
from econ.serving.simulation import Disaggregated, Replica, Result, simulate, simulate_closed
from econ.terms import Slo
from econ.tokens.workloads import Workload, check_trace

LOWEST_RATE_PER_S, HIGHEST_RATE_PER_S = 1e-5, 1e6


def slo_preset(id: str) -> Slo:
    """A named latency promise from ``data/slos.csv``: limits and the share that must meet them."""
    rows = table("slos")
    if id not in rows.index:
        raise unknown("SLO preset", id, rows.index)
    row = rows.loc[id]
    return Slo(
        ttft_s=float(row.ttft_s),
        tpot_s=float(row.tpot_s),
        attainment_frac=float(row.attainment_frac),
    )


def slos_frame() -> pd.DataFrame:
    """All presets with their use case and source."""
    return table("slos")


def goodput(result: Result, slo: Slo) -> Goodput:
    """Good requests per second, carrying tokens/s, shares and the binding limit."""
    return result.goodput(slo.ttft_s, slo.tpot_s)


def at_rate(load: Workload | pd.DataFrame, rate_per_s: float, n: int, seed: int) -> pd.DataFrame:
    """``n`` requests of the workload, or a whole trace, with time stretched to the given rate.

    The same seed gives the same requests at every rate (common random numbers), so what differs
    between two rates is the rate.
    """
    positive("rate_per_s", rate_per_s)
    if isinstance(load, Workload):
        if load.arrival != "gamma":
            raise ValueError(f"workload {load.id!r} arrives all at once: it has no rate to set")
        trace, own = load.sample(n, seed), load.rate_per_s
    else:
        trace = check_trace(load)
        span = float(trace["arrival_s"].iloc[-1] - trace["arrival_s"].iloc[0])
        if span <= 0:
            raise ValueError("the trace arrives all at once: it has no rate to set")
        own = (len(trace) - 1) / span
    return trace.assign(arrival_s=trace["arrival_s"] * (own / rate_per_s))


def serve(
    trace: pd.DataFrame, replica: Replica | Disaggregated, engine: str = "auto", seed: int = 0
) -> Result:
    """Simulate the rows of a trace."""
    columns = (trace[c].to_numpy() for c in ("arrival_s", "input_tokens", "output_tokens"))
    return simulate(*columns, replica, engine, seed=seed)


def load_frame(
    load: Workload | pd.DataFrame,
    replica: Replica | Disaggregated,
    slo: Slo,
    rates_per_s: Iterable[float],
    *,
    n: int = 2000,
    seed: int = 0,
    engine: str = "auto",
) -> pd.DataFrame:
    """One row per rate: latency percentiles, throughput, goodput, the limit that binds."""
    rows = []
    for rate_per_s in rates_per_s:
        result = serve(at_rate(load, rate_per_s, n, seed), replica, engine, seed)
        rows.append({"rate_per_s": float(rate_per_s), **summary(result, slo)})
    return pd.DataFrame(rows)


def summary(result: Result, slo: Slo) -> dict:
    """The figures of one simulation that a table or a sweep keeps."""
    good = goodput(result, slo)
    row = {}
    for name in ("ttft_s", "tpot_s"):
        known = getattr(result, name)
        known = known[np.isfinite(known)]
        for q in (50, 95, 99):
            row[f"p{q}_{name}"] = float(np.percentile(known, q)) if len(known) else math.nan
    return row | {
        "request_mean_tpot_s": result.request_mean_tpot_s,
        "token_mean_tpot_s": result.token_mean_tpot_s,
        "throughput_requests_per_s": result.throughput_requests_per_s,
        "throughput_tokens_per_s": result.throughput_tokens_per_s,
        "good_frac": good.good_frac,
        "goodput_requests_per_s": good.requests_per_s,
        "goodput_tokens_per_s": good.tokens_per_s,
        "binding": good.binding,
        "n_preemptions": int(result.n_preemptions.sum()),
        "backlog": result.backlog,
        "overloaded": result.overloaded,
    }


def max_rate_per_s(
    load: Workload | pd.DataFrame,
    replica: Replica | Disaggregated,
    slo: Slo,
    attainment_frac: float | None = None,
    *,
    n: int = 2000,
    seed: int = 0,
    engine: str = "auto",
    tolerance_frac: float = 0.005,
) -> float:
    """The highest arrival rate at which enough requests are good and the system keeps up.

    "Enough" is ``attainment_frac`` (default: the SLO's). Doubling or halving brackets the rate,
    bisection narrows it to ``tolerance_frac``. 0 if not even a nearly idle system meets the SLO.
    The answer has the sampling error of ``n`` requests: more requests or seeds show it.
    """
    share = slo.attainment_frac if attainment_frac is None else attainment_frac
    fraction("attainment_frac", share)
    positive("tolerance_frac", tolerance_frac, 1.0)

    def holds(rate_per_s: float) -> bool:
        result = serve(at_rate(load, rate_per_s, n, seed), replica, engine, seed)
        return goodput(result, slo).good_frac >= share and not result.overloaded

    low = high = 1.0
    span_s = float(at_rate(load, low, n, seed)["arrival_s"].iloc[-1])
    lowest = max(LOWEST_RATE_PER_S, 2 * span_s / MAX_TIME_S)
    if holds(low):
        while holds(high := high * 2):
            low = high
            if high > HIGHEST_RATE_PER_S:
                return math.inf
    else:
        while not holds(low := low / 2):
            high = low
            if low < 2 * lowest:
                return 0.0
    while high / low > 1 + tolerance_frac:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def frontier_frame(
    load: Workload,
    replica: Replica,
    concurrency: Iterable[int],
    *,
    n_gpu: int = 1,
    n: int = 2000,
    seed: int = 0,
    engine: str = "auto",
) -> pd.DataFrame:
    """Throughput against interactivity in a closed loop: one row per number of users.

    ``interactivity_tokens_per_s`` is 1/TPOT (mean over requests). Throughput is counted between
    the completions of the first and the last quarter, so that filling and draining do not count.
    """
    count("n_gpu", n_gpu, 1)
    trace, rows = load.sample(n, seed), []
    for n_users in concurrency:
        columns = (trace[c].to_numpy() for c in ("input_tokens", "output_tokens"))
        result = simulate_closed(*columns, replica, n_users, engine)
        order = np.argsort(result.done_ps, kind="stable")
        middle = order[n // 4 : n - n // 4]
        done_s = result.done_s[middle]
        span_s = done_s[-1] - done_s[0]
        tokens = result.output_tokens[middle[1:]].sum()
        rows.append(
            {
                "concurrency": int(n_users),
                "interactivity_tokens_per_s": 1 / np.nanmean(result.tpot_s[middle]),
                "throughput_tokens_per_s_per_gpu": tokens / span_s / n_gpu,
                "p50_ttft_s": float(np.median(result.ttft_s[middle])),
                "request_mean_tpot_s": float(np.nanmean(result.tpot_s[middle])),
            }
        )
    return pd.DataFrame(rows)


def cost_surface_frame(
    result: Result,
    cost_usd_per_gpu_hour: float,
    ttft_limits_s: Iterable[float],
    tpot_limits_s: Iterable[float],
    *,
    n_gpu: int,
) -> pd.DataFrame:
    """What a good token costs at every pair of limits, on one and the same simulated load.

    cost = USD per GPU-hour × GPUs × hours / good output tokens; infinite where nothing is good.
    The money is spent whether the tokens come in time or not.
    """
    not_negative("cost_usd_per_gpu_hour", cost_usd_per_gpu_hour)
    count("n_gpu", n_gpu, 1)
    spent_usd = per_second_from_per_hour(cost_usd_per_gpu_hour) * n_gpu * result.span_s
    rows = []
    for ttft_limit_s in ttft_limits_s:
        for tpot_limit_s in tpot_limits_s:
            good = result.goodput(ttft_limit_s, tpot_limit_s)
            tokens = good.tokens_per_s * result.span_s
            rows.append(
                {
                    "ttft_limit_s": float(ttft_limit_s),
                    "tpot_limit_s": float(tpot_limit_s),
                    "good_frac": good.good_frac,
                    "binding": good.binding,
                    "cost_usd_per_good_mtok": spent_usd / tokens * MTOK if tokens else math.inf,
                }
            )
    return pd.DataFrame(rows)


def diurnal_trace(
    load: Workload,
    mean_rate_per_s: float,
    peak_to_mean_factor: float = 1.5,
    *,
    duration_s: float = DAY_S,
    seed: int = 0,
) -> pd.DataFrame:
    """A day's load: the workload's requests with the rate following a cosine, lowest at the start.

    λ(t) = mean·(1 − (p − 1)·cos(2πt/day)), p = ``peak_to_mean_factor`` in 1..2; time is warped by
    the inverse of its integral, so burstiness is kept.
    """
    positive("mean_rate_per_s", mean_rate_per_s)
    positive("duration_s", duration_s)
    swing = peak_to_mean_factor - 1
    if not 0 <= swing <= 1:
        raise ValueError(
            f"peak_to_mean_factor = {peak_to_mean_factor!r} is outside its range: 1 to 2"
        )
    expected = mean_rate_per_s * (duration_s + DAY_S / 2)
    n = int(expected + 6 * load.arrival_cv * math.sqrt(expected)) + 100
    trace = at_rate(load, mean_rate_per_s, n, seed)
    grid = np.linspace(0, float(trace["arrival_s"].iloc[-1]) + DAY_S, 200_001)
    turn = 2 * np.pi / DAY_S
    passed = grid - swing * np.sin(turn * grid) / turn
    trace = trace.assign(arrival_s=np.interp(trace["arrival_s"], passed, grid))
    return trace[trace["arrival_s"] < duration_s].reset_index(drop=True)


def hourly_frame(result: Result, slo: Slo) -> pd.DataFrame:
    """Arrivals and the share of them that was good, hour by hour of arrival."""
    met = (result.ttft_s <= slo.ttft_s) & (result.done_ps != NEVER)
    met &= (result.output_tokens == 1) | (result.tpot_s <= slo.tpot_s)
    hour = (result.arrival_s // HOUR_S).astype("int64")
    frame = pd.DataFrame({"hour": hour, "good_frac": met, "ttft_s": result.ttft_s})
    by = frame.groupby("hour")
    return pd.DataFrame(
        {
            "n_requests": by.size(),
            "good_frac": by["good_frac"].mean(),
            "p99_ttft_s": by["ttft_s"].quantile(0.99),
        }
    ).reset_index()
