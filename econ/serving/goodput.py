"""How much of the work is good: both latency limits met, by the same request.

>>> from econ.serving import Replica, StepCost, simulate
>>> ours = Replica(cost=StepCost.affine(6e-3, 45e-6, per_ctx_token_s=45e-9), kv_tokens=400_000)
>>> s = Scenario.default().with_(slo=slo_preset("chat-interactive"))
>>> s.slo.ttft_s, s.slo.tpot_s
(0.45, 0.04)
>>> rate = max_rate_per_s(s, replica=ours, n=1000)
>>> [simulate(s, rate_per_s=r, replica=ours, n=1000).meets_slo for r in (rate / 2, rate * 2)]
[True, False]

TPOT = (e2e − TTFT)/(n − 1). Latency has two averages: over requests (what the typical user sees)
and over tokens (long answers weigh more); they differ, so both are named.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from econ.catalog.guard import in_range, positive
from econ.catalog.tables import row_of, table
from econ.catalog.units import DAY_S, HOUR_S, MTOK, per_second_from_per_hour
from econ.scenario import Scenario
from econ.serving.checks import MAX_TIME_S
from econ.serving.from_scenario import draw_requests
from econ.serving.from_scenario import replica as replica_of_scenario
from econ.serving.replicas import Disaggregated, Replica
from econ.serving.result import NEVER, RequestTimes
from econ.serving.simulation import serve, simulate_closed
from econ.station import require_certain
from econ.terms import Slo
from econ.tokens.workloads import Workload

LOWEST_RATE_PER_S, HIGHEST_RATE_PER_S = 1e-5, 1e6
N_REQUESTS = 2_000  # of each simulation in a search


def slo_preset(id: str) -> Slo:
    """A named SLO of ``data/serving/slos.csv``: two limits and the share that must meet them.

    >>> slo_preset("chat")
    Slo(ttft_s=2.0, tpot_s=0.2, attainment_frac=0.99)
    """
    row = row_of("slos", id, "SLO preset")
    return Slo(**{n: float(row[n]) for n in ("ttft_s", "tpot_s", "attainment_frac")})


def slos_frame() -> pd.DataFrame:
    """All presets with their use case and source."""
    return table("slos")


def max_rate_per_s(
    s: Scenario,
    *,
    replica: Replica | Disaggregated | None = None,
    trace: pd.DataFrame | None = None,
    n: int = N_REQUESTS,
    seed: int = 0,
    engine: str = "auto",
    tolerance_frac: float = 0.005,
) -> float:
    """The highest arrival rate at which enough requests are good and the queue does not grow.

    Parameters
    ----------
    s : Scenario
        Workload, deployment and SLO; ``s.slo.attainment_frac`` says what is enough, e.g. 0.95.
    replica : Replica or Disaggregated, optional
        What serves in place of the scenario's deployment.
    trace : DataFrame, optional
        Requests in place of the workload's, stretched to each rate.
    n : int
        Requests of each simulation, e.g. 2000. The answer has their sampling error: more requests
        or other seeds show it.
    seed : int
        Draws the requests: the same ones at every rate.
    engine : str
        As in `econ.serving.simulate`.
    tolerance_frac : float
        How narrowly bisection encloses the rate, e.g. 0.005.

    Returns
    -------
    float
        Requests per second; 0 if not even a nearly idle system meets the SLO, infinite if no rate
        overloads it.

    Raises
    ------
    ValueError
        For a load that arrives all at once: it has no rate.

    Examples
    --------
    >>> rate = max_rate_per_s(Scenario.default(), n=500)
    >>> rate > max_rate_per_s(Scenario.default().with_(tpot_s=0.03), n=500)
    True
    """
    require_certain("max_rate_per_s", s)
    positive("tolerance_frac", tolerance_frac, 1.0)
    load = s.workload if trace is None else trace
    serving = replica_of_scenario(s) if replica is None else replica
    share, limits_s = float(s.slo.attainment_frac), (float(s.slo.ttft_s), float(s.slo.tpot_s))
    low = high = 1.0
    at_one_per_s = draw_requests(load, low, n, seed)  # the same ones at every rate

    def is_met(rate_per_s: float) -> bool:
        requests = at_one_per_s.assign(arrival_s=at_one_per_s["arrival_s"] / rate_per_s)
        times = serve(requests, serving, engine, seed=seed, slo=s.slo)
        if times.stopped:  # as soon as the SLO is out of reach
            return False
        return times.goodput(*limits_s).good_frac >= share and not times.overloaded

    span_s = float(at_one_per_s["arrival_s"].iloc[-1])
    lowest = max(LOWEST_RATE_PER_S, 2 * span_s / MAX_TIME_S)
    if is_met(low):
        while is_met(high := high * 2):
            low = high
            if high > HIGHEST_RATE_PER_S:
                return math.inf
    else:
        while not is_met(low := low / 2):
            high = low
            if low < 2 * lowest:
                return 0.0
    while high / low > 1 + tolerance_frac:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if is_met(middle) else (low, middle)
    return low


def frontier_frame(
    s: Scenario,
    concurrency: Iterable[int],
    *,
    replica: Replica | None = None,
    n: int = N_REQUESTS,
    seed: int = 0,
    engine: str = "auto",
) -> pd.DataFrame:
    """Throughput against interactivity of one replica in a closed loop, by the number of users.

    Parameters
    ----------
    s : Scenario
        Workload and deployment.
    concurrency : iterable of int
        Users of one replica, e.g. 1 to 256.
    replica : Replica, optional
        What serves in place of the scenario's deployment.
    n, seed, engine
        As in `max_rate_per_s`.

    Returns
    -------
    DataFrame
        concurrency, interactivity_tokens_per_s (1/TPOT, mean over requests),
        throughput_tokens_per_s_per_gpu, p50_ttft_s, request_mean_tpot_s.

    Notes
    -----
    Throughput is counted between the completions of the first and the last quarter, so that
    filling and draining do not count.
    """
    require_certain("frontier_frame", s)
    serving = replica_of_scenario(s) if replica is None else replica
    if not isinstance(serving, Replica):
        raise ValueError("policy = 'disaggregated': a closed loop is simulated on a single pool")
    n_gpu = s.deployment.n_gpu / s.n_replicas
    trace = s.workload.sample(n, seed)
    prompt, out = (trace[name].to_numpy() for name in ("input_tokens", "output_tokens"))
    rows = []
    for n_users in concurrency:
        times = simulate_closed(prompt, out, serving.replace(n_replicas=1), n_users, engine)
        order = np.argsort(times.done_ps, kind="stable")
        middle = order[n // 4 : n - n // 4]
        done_s = times.done_s[middle]
        tokens = times.output_tokens[middle[1:]].sum()
        tpot_s = float(np.nanmean(times.tpot_s[middle]))
        rows.append(
            {
                "concurrency": int(n_users),
                "interactivity_tokens_per_s": 1 / tpot_s,
                "throughput_tokens_per_s_per_gpu": tokens / (done_s[-1] - done_s[0]) / n_gpu,
                "p50_ttft_s": float(np.median(times.ttft_s[middle])),
                "request_mean_tpot_s": tpot_s,
            }
        )
    return pd.DataFrame(rows)


def cost_surface_frame(
    s: Scenario,
    requests: RequestTimes,
    ttft_limits_s: Iterable[float],
    tpot_limits_s: Iterable[float],
) -> pd.DataFrame:
    """What a good token costs at every pair of limits, on one and the same simulated load.

    Parameters
    ----------
    s : Scenario
        Accelerators, price of an hour and share of the paid hours in use.
    requests : RequestTimes
        What the scenario's deployment served: ``econ.serving.simulate(s).requests``.
    ttft_limits_s, tpot_limits_s : iterable of float
        Limits in seconds, e.g. 0.3 to 2 and 0.015 to 0.1.

    Returns
    -------
    DataFrame
        ttft_limit_s, tpot_limit_s, good_frac, binding, cost_usd_per_good_mtok (infinite where
        nothing is good).

    Notes
    -----
    cost = USD per GPU-hour / utilisation × GPUs × hours / good output tokens. The money is spent
    whether the tokens come in time or not.

    Examples
    --------
    >>> from econ.serving import simulate
    >>> s = Scenario.default()
    >>> frame = cost_surface_frame(s, simulate(s, n=500).requests, [0.5, 2.0], [0.05])
    >>> frame["cost_usd_per_good_mtok"].is_monotonic_decreasing
    True
    """
    require_certain("cost_surface_frame", s)
    hour_usd = s.cost_usd_per_gpu_hour / s.finance.utilisation_frac
    spent_usd = per_second_from_per_hour(hour_usd) * s.deployment.n_gpu * requests.span_s
    span_s, rows = requests.span_s, []
    pairs = list(itertools.product(ttft_limits_s, tpot_limits_s))
    for (ttft_limit_s, tpot_limit_s), good in zip(pairs, requests.goodputs(pairs), strict=True):
        tokens = good.tokens_per_s * span_s
        usd = spent_usd / tokens * MTOK if tokens else math.inf
        limits_s = float(ttft_limit_s), float(tpot_limit_s)
        rows.append((*limits_s, good.good_frac, good.binding, usd))
    columns = ["ttft_limit_s", "tpot_limit_s", "good_frac", "binding", "cost_usd_per_good_mtok"]
    return pd.DataFrame(rows, columns=columns)


def diurnal_trace(
    load: Workload,
    mean_rate_per_s: float,
    peak_to_mean_factor: float = 1.5,
    *,
    duration_s: float = DAY_S,
    seed: int = 0,
) -> pd.DataFrame:
    """A day's requests: the rate follows a cosine that is lowest at the start.

    Parameters
    ----------
    load : Workload
        Lengths and burstiness.
    mean_rate_per_s : float
        Mean of the day, e.g. 0.5.
    peak_to_mean_factor : float
        The highest rate over the mean, 1 to 2.
    duration_s : float
        How much of the day, e.g. 86_400.
    seed : int
        Draws the requests.

    Notes
    -----
    λ(t) = mean·(1 − (p − 1)·cos(2πt/day)), with p the peak factor; time is warped by the inverse
    of its integral, so burstiness is kept.
    """
    positive("mean_rate_per_s", mean_rate_per_s)
    positive("duration_s", duration_s)
    in_range("peak_to_mean_factor", peak_to_mean_factor, 1, 2)
    swing = peak_to_mean_factor - 1
    expected = mean_rate_per_s * (duration_s + DAY_S / 2)
    n = int(expected + 6 * float(load.arrival_cv) * math.sqrt(expected)) + 100
    trace = draw_requests(load, mean_rate_per_s, n, seed)
    grid_s = np.linspace(0, float(trace["arrival_s"].iloc[-1]) + DAY_S, 200_001)
    turn = 2 * np.pi / DAY_S
    warped_s = grid_s - swing * np.sin(turn * grid_s) / turn
    trace = trace.assign(arrival_s=np.interp(trace["arrival_s"], warped_s, grid_s))
    return trace[trace["arrival_s"] < duration_s].reset_index(drop=True)


def hourly_frame(requests: RequestTimes, slo: Slo) -> pd.DataFrame:
    """Arrivals and the share of them that was good, hour by hour of arrival.

    Columns: hour, n_requests, good_frac, p99_ttft_s.
    """
    met = (requests.ttft_s <= slo.ttft_s) & (requests.done_ps != NEVER)
    met &= (requests.output_tokens == 1) | (requests.tpot_s <= slo.tpot_s)
    hour = (requests.arrival_s // HOUR_S).astype("int64")
    frame = pd.DataFrame({"hour": hour, "good_frac": met, "ttft_s": requests.ttft_s})
    by = frame.groupby("hour")
    return pd.DataFrame(
        {
            "n_requests": by.size(),
            "good_frac": by["good_frac"].mean(),
            "p99_ttft_s": by["ttft_s"].quantile(0.99),
        }
    ).reset_index()
