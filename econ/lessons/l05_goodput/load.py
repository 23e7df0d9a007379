"""What a replica does under load: the knee, bursts, SLOs, loops, averages."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.catalog.units import HOUR_S, MILLI, MINUTE_S
from econ.scenario import Scenario
from econ.serving import (
    Replica,
    RequestTimes,
    compiled,
    cost_surface_frame,
    draw_requests,
    max_rate_per_s,
    replica,
    simulate,
    simulate_closed,
    slo_preset,
    slos_frame,
)
from econ.serving.simulation import serve
from econ.sweeps import sweep
from econ.terms import Slo
from econ.tokens.workloads import workload

SLOS = ("scenario", "chat", "chat-interactive", "reasoning")  # first, the scenario's own
POLICIES = {"chunked": "chunked_prefill", "whole prompts first": "prefill_first"}
LIVE_REQUESTS, LIVE_REQUESTS_WITHOUT_NUMBA = 10_000, 1000
N = 10_000  # requests of a simulation in a table
TTFT_LIMITS_S = (0.3, 0.5, 1.0, 2.0)
TPOT_LIMITS_S = (0.015, 0.02, 0.03, 0.05, 0.1)
PERCENTILES = np.concatenate([[1], np.arange(4, 97, 4), [98, 99, 99.5]])


def n_live() -> int:
    """How many requests a panel re-simulates at each move: as many as take a few milliseconds.

    10,000 once the engine is compiled (`econ.serving.warm_up`), 1,000 in plain Python.
    """
    return LIVE_REQUESTS if compiled.loaded() else LIVE_REQUESTS_WITHOUT_NUMBA


def knee_frame(
    case: Scenario,
    rates_per_s: Iterable[float],
    *,
    replica: Replica | None = None,
    n: int = N,
) -> pd.DataFrame:
    """Completed and good requests over the rate of arrivals, in one column for drawing."""
    count("n", n, 1)
    wide = sweep(simulate, case, rate_per_s=rates_per_s, replica=replica, n=n)
    if "goodput" not in wide:
        raise ValueError(f"nothing is served: {wide['reason'].iloc[0]}")
    wide["rate_per_s"] = wide["rate_per_s"].astype("float64")
    names = {"throughput_requests_per_s": "completed", "goodput": "good"}
    return wide.rename(columns=names).melt(
        ["rate_per_s", "good_frac"], list(names.values()), "what", "requests_per_s"
    )


def percentiles_frame(result: RequestTimes, slo: Slo) -> pd.DataFrame:
    """Every percentile of TTFT and TPOT as a multiple of its limit; the verdict in each row."""
    good, rows = result.goodput(slo.ttft_s, slo.tpot_s), []
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
    return case, _replica(case, None)


def live_load_frame(rate_per_s: float, arrival_cv: float, policy: str, slo: str) -> pd.DataFrame:
    """`percentiles_frame` of the default scenario's requests at a rate, re-simulated."""
    case, usual = default_case()
    limits = case.slo if slo == "scenario" else slo_preset(slo)
    load = case.with_(arrival_cv=arrival_cv).workload
    times = serve(draw_requests(load, rate_per_s, n_live()), usual.replace(policy=policy))
    frame = percentiles_frame(times, limits)
    # of the rate, not of the span that the last answers stretch
    return frame.assign(
        rate_per_s=rate_per_s, goodput_requests_per_s=frame["good_frac"] * rate_per_s
    )


def live_cost_frame(
    rate_per_s: float, arrival_cv: float, cost_usd_per_gpu_hour: float
) -> pd.DataFrame:
    """What a million good tokens cost under each pair of limits, re-simulated at a rate.

    The default scenario; columns as in `cost_surface_frame`, the limit on TPOT in ms.
    """
    case, usual = default_case()
    case = case.with_(arrival_cv=arrival_cv, cost_usd_per_gpu_hour=cost_usd_per_gpu_hour)
    result = serve(draw_requests(case.workload, rate_per_s, n_live()), usual)
    frame = cost_surface_frame(case, result, TTFT_LIMITS_S, TPOT_LIMITS_S)
    return frame.assign(
        tpot_limit_ms=frame["tpot_limit_s"] / MILLI,
        rate_per_s=rate_per_s,
        n_requests=result.n_requests,
    )


def bursts_frame(
    case: Scenario,
    gaps_cv: Iterable[float],
    rates_per_s: Iterable[float],
    *,
    replica: Replica | None = None,
    n: int = N,
) -> pd.DataFrame:
    """P99 of TTFT over the rate, for gaps that vary by such coefficients; until it is overloaded.

    Columns: arrivals (the name of a line), rate_per_s, p99_ttft_s, good_frac.
    """
    frame = sweep(
        simulate, case, arrival_cv=gaps_cv, rate_per_s=list(rates_per_s), replica=replica, n=n
    )
    frame = frame[~frame["overloaded"].astype(bool)].reset_index(drop=True)
    frame["arrivals"] = [
        "Poisson" if cv == 1 else f"gaps vary by {cv:g} × their mean" for cv in frame["arrival_cv"]
    ]
    frame["rate_per_s"] = frame["rate_per_s"].astype("float64")
    return frame[["arrivals", "rate_per_s", "p99_ttft_s", "good_frac"]]


def slos_cost_frame(
    case: Scenario, presets: Iterable[str], *, replica: Replica | None = None, n: int = N
) -> pd.DataFrame:
    """What one replica can serve: the highest rate for each SLO, and the limit that binds there.

    ``share_of_throughput`` compares with the rate at which the replica merely keeps up.
    """
    most = saturation_per_s(case, replica=replica, n=n)
    rows = []
    for id in presets:
        slo = slo_preset(id)
        under = case.with_(slo=slo)
        rate = max_rate_per_s(under, replica=replica, n=n)
        beyond = simulate(under, rate_per_s=1.02 * rate, n=n, replica=replica)
        title = slos_frame().loc[id, "title"]
        rows.append((id, title, slo.ttft_s, slo.tpot_s, rate, rate / most, beyond.binding))
    columns = ["slo", "title", "ttft_s", "tpot_s", "rate_per_s", "share_of_throughput", "binding"]
    return pd.DataFrame(rows, columns=columns)


def saturation_per_s(case: Scenario, *, replica: Replica | None = None, n: int = N) -> float:
    """Requests/s completed with always more waiting: the middle half of a closed loop."""
    serving = _replica(case, replica)
    trace = case.workload.sample(n, 0)
    times = simulate_closed(
        trace["input_tokens"], trace["output_tokens"], serving, 2 * serving.max_batch
    )
    return _middle(times)[1]


def loops_frame(
    case: Scenario,
    concurrency: int,
    slowdown: Iterable[float],
    *,
    replica: Replica | None = None,
    n_requests: Iterable[int] = (N, 30 * N),
) -> pd.DataFrame:
    """A replica that gets slower, seen by a closed loop and by an open one, watched ever longer.

    The open loop keeps the rate that the closed loop of ``concurrency`` users reaches at the first
    slowdown; it is watched for so many requests. Columns: slowdown, loop (its name), p50_ttft_s,
    requests_per_s; the first and the last quarter to finish are left out.
    """
    count("concurrency", concurrency, 1)
    sizes, rows, rate = list(n_requests), [], None
    trace, usual = case.workload.sample(sizes[0], 0), _replica(case, replica)
    lengths = (trace["input_tokens"], trace["output_tokens"])
    for factor in slowdown:
        slower = usual.replace(cost=usual.cost.times(factor))
        closed = _middle(simulate_closed(*lengths, slower, concurrency))
        rate = closed[1] if rate is None else rate
        rows.append((factor, "closed", *closed))
        for n in sizes:
            result = simulate(case, rate_per_s=rate, n=n, replica=slower).requests
            watched_s = result.arrival_s[-1]
            unit, per_s = ("hours", HOUR_S) if watched_s > 2 * HOUR_S else ("minutes", MINUTE_S)
            name = f"open, {watched_s / per_s:.0f} {unit}"
            rows.append((factor, name, *_middle(result)))
    return pd.DataFrame(rows, columns=["slowdown", "loop", "p50_ttft_s", "requests_per_s"])


def _replica(case: Scenario, own: Replica | None) -> Replica:
    serving = replica(case) if own is None else own
    assert isinstance(serving, Replica), "the loops are those of one replica, not of pools"
    return serving


def _middle(result: RequestTimes) -> tuple[float, float]:
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
    case: Scenario,
    loads_frac: Iterable[float],
    *,
    replica: Replica | None = None,
    n: int = N,
    n_bins: int = 40,
) -> pd.DataFrame:
    """TTFT by the minute of arrival, at shares of what the replica can complete.

    Columns: load (the name of a line), minute, ttft_s (median of the bin), backlog.
    """
    most, parts = saturation_per_s(case, replica=replica, n=n), []
    for share in loads_frac:
        result = simulate(case, rate_per_s=share * most, n=n, replica=replica).requests
        edges = np.linspace(0, result.arrival_s[-1], n_bins + 1)
        part = pd.DataFrame({"bin": np.digitize(result.arrival_s, edges[1:-1]),
                             "ttft_s": result.ttft_s})  # fmt: skip
        by = part.groupby("bin")["ttft_s"].median()
        middle = (edges[1:] + edges[:-1]) / 2
        frame = pd.DataFrame({"minute": middle[by.index] / MINUTE_S, "ttft_s": by.to_numpy()})
        parts.append(frame.assign(load=f"{share:.0%} of what it completes", backlog=result.backlog))
    return pd.concat(parts, ignore_index=True)


def averages_frame(
    loads: Iterable[tuple[Any, ...]], scenario: Scenario | None = None, *, n: int = N
) -> pd.DataFrame:
    """TPOT averaged over requests and over tokens, for (workload, rate per s, variation of gaps).

    Columns: workload, rate_per_s, arrival_cv, per_request_ms, per_token_ms, factor.
    """
    scenario, rows = scenario or Scenario.default(), []
    for id, rate_per_s, arrival_cv in loads:
        load = dataclasses.replace(workload(id), arrival_cv=arrival_cv)
        service = simulate(scenario.with_(workload=load), rate_per_s=rate_per_s, n=n)
        request, token = service.request_mean_tpot_s, service.token_mean_tpot_s
        rows.append((id, rate_per_s, arrival_cv, request / MILLI, token / MILLI, request / token))
    columns = ["workload", "rate_per_s", "arrival_cv", "per_request_ms", "per_token_ms", "factor"]
    return pd.DataFrame(rows, columns=columns)


def seeds_frame(
    case: Scenario,
    seeds: Iterable[int],
    n_requests: Iterable[int],
    *,
    replica: Replica | None = None,
) -> pd.DataFrame:
    """The highest good rate over draws of the requests: n_requests, low, median and high per s."""
    rows = []
    for n in n_requests:
        rates = [max_rate_per_s(case, replica=replica, n=n, seed=seed) for seed in seeds]
        rows.append((n, min(rates), float(np.median(rates)), max(rates)))
    columns = ["n_requests", "low_per_s", "median_per_s", "high_per_s"]
    return pd.DataFrame(rows, columns=columns)
