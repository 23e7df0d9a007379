"""The cases that notebook 03 looks at: loads, bursts, promises, loops, averages.

Each function simulates and returns a table; the simulated requests are the same in every row
(common random numbers), so what differs between rows is what the row names.

>>> case, replica = default_case()
>>> frame = knee_frame(case.workload, replica, case.slo, [4.0, 12.0], n=1000)
>>> frame["what"].tolist()
['completed', 'completed', 'good', 'good']
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.catalog.units import HOUR_S, MILLI, MINUTE_S
from econ.scenario import Scenario
from econ.serving import jit as serving_jit
from econ.serving.from_scenario import replica_of
from econ.serving.goodput import (
    at_rate,
    goodput,
    load_frame,
    max_rate_per_s,
    serve,
    slo_preset,
    slos_frame,
)
from econ.serving.simulation import Replica, Result, simulate_closed
from econ.terms import Slo
from econ.tokens.workloads import Workload, workload

LIVE_REQUESTS, LIVE_REQUESTS_WITHOUT_NUMBA = 10_000, 1000
N = 10_000  # requests of a simulation in a table
PERCENTILES = np.concatenate([[1], np.arange(4, 97, 4), [98, 99, 99.5]])


def n_live() -> int:
    """How many requests a panel re-simulates at each move: as many as take a few milliseconds.

    10,000 once the engine is compiled (`econ.serving.jit.warm`), 1,000 in plain Python.
    """
    return LIVE_REQUESTS if serving_jit.compiled() else LIVE_REQUESTS_WITHOUT_NUMBA


def knee_frame(
    load: Workload, replica: Replica, slo: Slo, rates_per_s: Iterable[float], *, n: int = N
) -> pd.DataFrame:
    """Completed and good requests over the rate of arrivals, in one column for drawing."""
    wide = load_frame(load, replica, slo, rates_per_s, n=n)
    names = {"throughput_requests_per_s": "completed", "goodput_requests_per_s": "good"}
    return wide.rename(columns=names).melt(
        ["rate_per_s", "good_frac"], list(names.values()), "what", "requests_per_s"
    )


def percentiles_frame(result: Result, slo: Slo) -> pd.DataFrame:
    """Every percentile of TTFT and TPOT as a multiple of its limit; the verdict in each row."""
    good, rows = goodput(result, slo), []
    for what, limit_s in (("ttft", slo.ttft_s), ("tpot", slo.tpot_s)):
        time_s = getattr(result, f"{what}_s")
        time_s = time_s[np.isfinite(time_s)]
        values = np.percentile(time_s, PERCENTILES) / limit_s
        rows += [(what.upper(), q, v) for q, v in zip(PERCENTILES, values, strict=True)]
    frame = pd.DataFrame(rows, columns=["what", "percentile", "of_limit"])
    return frame.assign(
        good_frac=good.good_frac,
        goodput_requests_per_s=good.requests_per_s,
        binding=good.binding,
        n_requests=result.n_requests,
        overloaded=result.overloaded,
    )


@functools.lru_cache(maxsize=1)
def default_case() -> tuple[Scenario, Replica]:
    """The default scenario and its replica: what a move of a slider leaves as it is."""
    case = Scenario.default()
    return case, replica_of(case)


def live_load_frame(rate_per_s: float, arrival_cv: float, policy: str, slo: str) -> pd.DataFrame:
    """`percentiles_frame` of the default scenario's requests at a rate, re-simulated."""
    case, replica = default_case()
    load = dataclasses.replace(case.workload, arrival_cv=arrival_cv)
    promise = case.slo if slo == "scenario" else slo_preset(slo)
    result = serve(at_rate(load, rate_per_s, n_live(), 0), replica.replace(policy=policy))
    frame = percentiles_frame(result, promise)
    # of the rate, not of the span that the last answers stretch
    return frame.assign(
        rate_per_s=rate_per_s, goodput_requests_per_s=frame["good_frac"] * rate_per_s
    )


def bursts_frame(
    load: Workload,
    replica: Replica,
    slo: Slo,
    gaps_cv: Iterable[float],
    rates_per_s: Iterable[float],
    *,
    n: int = N,
) -> pd.DataFrame:
    """P99 of TTFT over the rate, for gaps that vary by such coefficients; until it is overloaded.

    Columns: arrivals (the name of a line), rate_per_s, p99_ttft_s, good_frac.
    """
    rates, parts = list(rates_per_s), []
    for arrival_cv in gaps_cv:
        bursty = dataclasses.replace(load, arrival_cv=arrival_cv)
        part = load_frame(bursty, replica, slo, rates, n=n)
        name = "Poisson" if arrival_cv == 1 else f"gaps vary by {arrival_cv:g} × their mean"
        parts.append(part[~part["overloaded"]].assign(arrivals=name))
    return pd.concat(parts, ignore_index=True)[
        ["arrivals", "rate_per_s", "p99_ttft_s", "good_frac"]
    ]


def promises_frame(
    load: Workload, replica: Replica, presets: Iterable[str], *, n: int = N
) -> pd.DataFrame:
    """What one machine can promise: the highest rate for each SLO, and the limit that binds there.

    ``share_of_throughput`` compares with the rate at which the machine merely keeps up.
    """
    most = saturation_per_s(load, replica, n=n)
    rows = []
    for id in presets:
        slo = slo_preset(id)
        rate = max_rate_per_s(load, replica, slo, n=n)
        good = goodput(serve(at_rate(load, 1.02 * rate, n, 0), replica), slo)
        title = slos_frame().loc[id, "title"]
        rows.append((id, title, slo.ttft_s, slo.tpot_s, rate, rate / most, good.binding))
    columns = ["slo", "title", "ttft_s", "tpot_s", "rate_per_s", "share_of_throughput", "binding"]
    return pd.DataFrame(rows, columns=columns)


def saturation_per_s(load: Workload, replica: Replica, *, n: int = N) -> float:
    """Requests/s completed with always more waiting: the middle half of a closed loop."""
    trace = load.sample(n, 0)
    result = simulate_closed(
        trace["input_tokens"], trace["output_tokens"], replica, 2 * replica.max_batch
    )
    return _middle(result)[1]


def loops_frame(
    load: Workload,
    replica: Replica,
    concurrency: int,
    slowdown: Iterable[float],
    *,
    n_requests: Iterable[int] = (N, 30 * N),
) -> pd.DataFrame:
    """A machine that gets slower, seen by a closed loop and by an open one, watched ever longer.

    The open loop keeps the rate that the closed loop of ``concurrency`` users reaches at the first
    slowdown; it is watched for so many requests. Columns: slowdown, loop (its name), p50_ttft_s,
    requests_per_s; the first and the last quarter to finish are left out.
    """
    count("concurrency", concurrency, 1)
    sizes, rows, rate = list(n_requests), [], None
    trace = load.sample(sizes[0], 0)
    lengths = (trace["input_tokens"], trace["output_tokens"])
    for factor in slowdown:
        slower = replica.replace(cost=replica.cost.times(factor))
        closed = _middle(simulate_closed(*lengths, slower, concurrency))
        rate = closed[1] if rate is None else rate
        rows.append((factor, "closed", *closed))
        for n in sizes:
            result = serve(at_rate(load, rate, n, 0), slower)
            watched_s = result.arrival_s[-1]
            unit, per_s = ("hours", HOUR_S) if watched_s > 2 * HOUR_S else ("minutes", MINUTE_S)
            name = f"open, {watched_s / per_s:.0f} {unit}"
            rows.append((factor, name, *_middle(result)))
    return pd.DataFrame(rows, columns=["slowdown", "loop", "p50_ttft_s", "requests_per_s"])


def _middle(result: Result) -> tuple[float, float]:
    """Median TTFT and requests/s of the middle half to finish."""
    n = result.n_requests
    order = np.argsort(result.done_ps, kind="stable")[n // 4 : n - n // 4]
    span_s = float(result.done_s[order[-1]] - result.done_s[order[0]])
    return float(np.median(result.ttft_s[order])), (len(order) - 1) / span_s


def grown(loops: pd.DataFrame) -> pd.Series:
    """How many times as long the median TTFT is at the largest slowdown of `loops_frame`."""
    median = loops.pivot_table(index="loop", columns="slowdown", values="p50_ttft_s", sort=False)
    return median.iloc[:, -1] / median.iloc[:, 0]


def watch_frame(
    load: Workload,
    replica: Replica,
    loads_frac: Iterable[float],
    *,
    n: int = N,
    n_bins: int = 40,
) -> pd.DataFrame:
    """TTFT by the minute of arrival, at shares of what the machine can complete.

    Columns: load (the name of a line), minute, ttft_s (median of the bin), backlog.
    """
    most, parts = saturation_per_s(load, replica, n=n), []
    for share in loads_frac:
        result = serve(at_rate(load, share * most, n, 0), replica)
        edges = np.linspace(0, result.arrival_s[-1], n_bins + 1)
        part = pd.DataFrame({"bin": np.digitize(result.arrival_s, edges[1:-1]),
                             "ttft_s": result.ttft_s})  # fmt: skip
        by = part.groupby("bin")["ttft_s"].median()
        middle = (edges[1:] + edges[:-1]) / 2
        frame = pd.DataFrame({"minute": middle[by.index] / MINUTE_S, "ttft_s": by.to_numpy()})
        parts.append(frame.assign(load=f"{share:.0%} of what it completes", backlog=result.backlog))
    return pd.concat(parts, ignore_index=True)


def averages_frame(
    cases: Iterable[tuple], scenario: Scenario | None = None, *, n: int = N
) -> pd.DataFrame:
    """TPOT averaged over requests and over tokens, for (workload, rate per s, variation of gaps).

    Columns: workload, rate_per_s, arrival_cv, per_request_ms, per_token_ms, factor.
    """
    scenario, rows = scenario or Scenario.default(), []
    for id, rate_per_s, arrival_cv in cases:
        load = dataclasses.replace(workload(id), arrival_cv=arrival_cv)
        replica = replica_of(scenario.with_(workload=load))
        result = serve(at_rate(load, rate_per_s, n, 0), replica)
        request, token = result.request_mean_tpot_s, result.token_mean_tpot_s
        rows.append((id, rate_per_s, arrival_cv, request / MILLI, token / MILLI, request / token))
    columns = ["workload", "rate_per_s", "arrival_cv", "per_request_ms", "per_token_ms", "factor"]
    return pd.DataFrame(rows, columns=columns)


def seeds_frame(
    load: Workload, replica: Replica, slo: Slo, seeds: Iterable[int], n_requests: Iterable[int]
) -> pd.DataFrame:
    """The highest good rate over draws of the requests: n_requests, low, median and high per s."""
    rows = []
    for n in n_requests:
        found = [max_rate_per_s(load, replica, slo, n=n, seed=seed) for seed in seeds]
        rows.append((n, min(found), float(np.median(found)), max(found)))
    columns = ["n_requests", "low_per_s", "median_per_s", "high_per_s"]
    return pd.DataFrame(rows, columns=columns)
