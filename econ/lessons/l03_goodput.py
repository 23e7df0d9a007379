"""Lesson 03, goodput: queues, knee, bursts, loops, arrangements, the price of an SLO, real runs.

Each table simulates the same requests in every row (common random numbers), so what differs between
rows is what the row names.

>>> knee_frame(Scenario.default(), [4.0, 12.0], n=1000)["what"].tolist()
['completed', 'completed', 'good', 'good']
>>> mm1_frame([0.5, 0.8]).query("what == 'P99'")["service_times"].round(1).tolist()
[9.2, 23.0]
>>> pools_for(Scenario.default(), 1, 3).decode.n_replicas
3
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable

import altair as alt
import numpy as np
import pandas as pd

from econ.catalog.guard import count, fraction
from econ.catalog.rents import rent
from econ.catalog.units import HOUR_S, MILLI, MINUTE_S
from econ.charts import Panel, choice, figure, panel, slider, three
from econ.ledger.serving_runs import RUN_KEY, simulated_runs_frame
from econ.scenario import Scenario
from econ.serving import (
    Disaggregated,
    Replica,
    RequestTimes,
    StepCost,
    compiled,
    cost_surface_frame,
    draw_requests,
    max_rate_per_s,
    replica,
    serve,
    simulate,
    simulate_closed,
    slo_preset,
    slos_frame,
)
from econ.serving.queueing import (
    erlang_b,
    erlang_c,
    kingman_wait_s,
    md1_wait_s,
    mg1_wait_s,
    mm1_e2e_quantile_s,
    mm1_wait_s,
    mm1k_loss_frac,
    mmc_wait_s,
)
from econ.sweeps import sweep
from econ.terms import Slo
from econ.tokens.workloads import Workload, workload

SCENARIO = "scenario"  # the SLO of the default scenario itself
SLOS = (SCENARIO, "chat", "chat-interactive", "reasoning")
POLICIES = {"chunked": "chunked_prefill", "whole prompts first": "prefill_first"}
LARGE_USD = 100.0  # from here on cents are noise
LIVE_REQUESTS, LIVE_REQUESTS_WITHOUT_NUMBA = 10_000, 1000
N = 10_000  # requests of a simulation in a table
PERCENTILES = np.concatenate([[1], np.arange(4, 97, 4), [98, 99, 99.5]])
SPLITS = ((1, 3), (2, 2), (3, 1))  # replicas that prefill, and that decode, of four
FEWEST = 1000  # requests for each arrangement of a panel, that its P99 means something
TTFT_LIMITS_S = (0.3, 0.5, 1.0, 2.0)
TPOT_LIMITS_S = (0.015, 0.02, 0.03, 0.05, 0.1)


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
    wide = sweep(simulate, case, rate_per_s=rates_per_s, replica=replica, n=n)
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
    return case, replica(case)


def live_load_frame(rate_per_s: float, arrival_cv: float, policy: str, slo: str) -> pd.DataFrame:
    """`percentiles_frame` of the default scenario's requests at a rate, re-simulated."""
    case, usual = default_case()
    limits = case.slo if slo == "scenario" else slo_preset(slo)
    service = simulate(
        case.with_(arrival_cv=arrival_cv),
        rate_per_s=rate_per_s,
        n=n_live(),
        replica=usual.replace(policy=policy),
    )
    frame = percentiles_frame(service.requests, limits)
    # of the rate, not of the span that the last answers stretch
    return frame.assign(
        rate_per_s=rate_per_s, goodput_requests_per_s=frame["good_frac"] * rate_per_s
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
    return replica(case) if own is None else own


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
    cases: Iterable[tuple], scenario: Scenario | None = None, *, n: int = N
) -> pd.DataFrame:
    """TPOT averaged over requests and over tokens, for (workload, rate per s, variation of gaps).

    Columns: workload, rate_per_s, arrival_cv, per_request_ms, per_token_ms, factor.
    """
    scenario, rows = scenario or Scenario.default(), []
    for id, rate_per_s, arrival_cv in cases:
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


# -- queues with closed forms --------------------------------------------------------------------
def mm1_frame(loads_frac: Iterable[float]) -> pd.DataFrame:
    """Time in an M/M/1 system over its load: load_percent, what, service_times."""
    rows = []
    for load in loads_frac:
        rows.append((load, "mean", mm1_wait_s(load, 1.0) + 1))
        rows += [(load, f"P{q}", mm1_e2e_quantile_s(load, 1.0, q / 100)) for q in (50, 99)]
    frame = pd.DataFrame(rows, columns=["load", "what", "service_times"])
    return frame.assign(load_percent=100 * frame["load"]).drop(columns="load")


def queues_frame(load_frac: float, *, n: int = 400_000, seed: int = 0) -> pd.DataFrame:
    """The simulator as textbook queues beside their closed forms, times in mean services.

    Columns: queue, what, simulated, formula. Prompts are free, a decode step takes 1 ms for any
    batch, so answers of 1,000 tokens on average are services of 1 s and the batch is the servers.
    A wait for the step under way is none. The simulator turns nobody away: NaN there.
    """
    fraction("load_frac", load_frac)
    rng, wait, many = np.random.default_rng(seed), "mean wait", 8
    even, bursty = rng.exponential(1.0, n), rng.gamma(0.25, 4.0, n)  # gaps vary by 1 and by 2
    usual = rng.exponential(1.0, n)
    waits_s = {
        "lengths as by chance": (_waits_s(even / load_frac, usual), mm1_wait_s(load_frac, 1.0)),
        "equal lengths": (_waits_s(even / load_frac, np.ones(n)), md1_wait_s(load_frac, 1.0)),
        "lengths vary twice as much": (
            _waits_s(even / load_frac, bursty),
            mg1_wait_s(load_frac, 1.0, service_cv=2.0),
        ),
        "gaps vary twice as much": (
            _waits_s(bursty / load_frac, usual),
            kingman_wait_s(load_frac, 1.0, arrival_cv=2.0, service_cv=1.0),
        ),
    }
    pooled_s = _waits_s(even / load_frac / many, usual, many)
    waits_s["eight servers, one queue"] = (pooled_s, mmc_wait_s(load_frac * many, 1.0, many))
    rows = [(queue, wait, float(ours.mean()), there) for queue, (ours, there) in waits_s.items()]
    offered, name = load_frac * many, "eight servers, one queue"
    rows.append((name, "share that waits", (pooled_s > MILLI).mean(), erlang_c(offered, many)))
    rows.append(("eight servers, no queue", "turned away", np.nan, erlang_b(offered, many)))
    rows.append(
        ("one server, ten places", "turned away", np.nan, mm1k_loss_frac(load_frac, 1.0, 10))
    )
    return pd.DataFrame(rows, columns=["queue", "what", "simulated", "formula"])


def _waits_s(gaps_s: np.ndarray, services_s: np.ndarray, servers: int = 1) -> np.ndarray:
    """The wait of each request before its first decode step, by the simulator."""
    step = StepCost(linear_s=0.0, decode_base_s=[0.0, MILLI, MILLI])
    batch = Replica(cost=step, kv_tokens=10**9, max_batch=servers, policy="prefill_first")
    steps = np.maximum(1, np.rint(services_s / MILLI))
    return simulate(np.cumsum(gaps_s), np.ones(len(steps)), steps + 1, batch).ttft_s


# -- arrangements, prices, measured runs ----------------------------------------------------------
def pools_for(scenario: Scenario, n_prefill: int, n_decode: int) -> Disaggregated:
    """Separate pools of so many of the scenario's replicas; KV caches move over its links."""
    count("n_prefill", n_prefill, 1)
    count("n_decode", n_decode, 1)
    d = scenario.deployment
    n = n_prefill + n_decode
    split = dataclasses.replace(d, n_gpu=n * d.n_gpu, dp=n * d.dp, policy="disaggregated")
    pools = replica(scenario.with_(deployment=split))
    return dataclasses.replace(
        pools,
        prefill=pools.prefill.replace(n_replicas=n_prefill),
        decode=pools.decode.replace(n_replicas=n_decode),
    )


def arrangements(scenario: Scenario, token_budget: int = 2048) -> dict[str, object]:
    """Four replicas of the scenario, put to work in five ways."""
    four = replica(scenario.with_(token_budget=token_budget)).replace(n_replicas=4)
    ways: dict[str, object] = {
        "prefill first": four.replace(policy="prefill_first"),
        "chunked": four.replace(policy="chunked_prefill"),
    }
    for n_prefill, n_decode in SPLITS:
        ways[f"pools {n_prefill} + {n_decode}"] = pools_for(scenario, n_prefill, n_decode)
    return ways


def budgets_frame(
    scenario: Scenario, rate_per_s: float, token_budget: Iterable[int], *, n: int = N
) -> pd.DataFrame:
    """One replica under chunked prefill by the tokens of a step, beside prefill first.

    Columns: policy, p99_ttft_s, p99_tpot_ms, good_percent, max_rate_per_s.
    """
    cases = {"whole prompts first": scenario.with_(policy="prefill_first")}
    for budget in token_budget:
        cases[f"chunks of {budget:,}"] = scenario.with_(token_budget=budget)
    rows = []
    for name, case in cases.items():
        row, most = simulate(case, rate_per_s=rate_per_s, n=n), max_rate_per_s(case, n=n)
        rows.append((name, row.p99_ttft_s, row.p99_tpot_s / MILLI, 100 * row.good_frac, most))
    columns = ["policy", "p99_ttft_s", "p99_tpot_ms", "good_percent", "max_rate_per_s"]
    return pd.DataFrame(rows, columns=columns)


def pools_frame(
    scenario: Scenario, tpot_limits_s: Iterable[float], *, n: int = 3000
) -> pd.DataFrame:
    """The highest good rate of four replicas, in five arrangements, over the limit on TPOT.

    Columns: arrangement, tpot_limit_ms, max_rate_per_s, n_gpu; good for the scenario's share.
    """
    ways, rows = arrangements(scenario), []
    for limit_s in tpot_limits_s:
        under = scenario.with_(tpot_s=limit_s)
        for name, serving in ways.items():
            rate = max_rate_per_s(under, replica=serving, n=n, tolerance_frac=0.02)
            rows.append((name, limit_s / MILLI, rate, 4 * scenario.deployment.n_gpu))
    return pd.DataFrame(rows, columns=["arrangement", "tpot_limit_ms", "max_rate_per_s", "n_gpu"])


def split_gain(pools: pd.DataFrame) -> pd.Series:
    """The best split's rate over chunked prefill's in `pools_frame`, by the limit on TPOT in ms."""
    wide = pools.pivot_table(index="tpot_limit_ms", columns="arrangement", values="max_rate_per_s")
    splits = [name for name in wide if name.startswith("pools")]
    return wide[splits].max(axis=1) / wide["chunked"]


def quoted_frame(scenario: Scenario, *, n: int = 3000) -> pd.DataFrame:
    """Good output tokens/s per GPU as pools are often quoted (decode GPUs only), and of all GPUs.

    Columns: arrangement, max_rate_per_s, per_decode_gpu, per_gpu, overstated (their ratio).
    """
    tokens, n_gpu = scenario.workload.mean_output_tokens, scenario.deployment.n_gpu
    rows = []
    for name, serving in arrangements(scenario).items():
        rate = max_rate_per_s(scenario, replica=serving, n=n)
        pools = isinstance(serving, Disaggregated)
        n_decode = serving.decode.n_replicas if pools else serving.n_replicas
        n_all = n_decode + (serving.prefill.n_replicas if pools else 0)
        quoted, whole = (rate * tokens / (k * n_gpu) for k in (n_decode, n_all))
        rows.append((name, rate, quoted, whole, quoted / whole))
    columns = ["arrangement", "max_rate_per_s", "per_decode_gpu", "per_gpu", "overstated"]
    return pd.DataFrame(rows, columns=columns)


# -- what the panels re-simulate ----------------------------------------------------------------
@functools.lru_cache(maxsize=8)
def _usual(token_budget: int) -> tuple[Workload, dict[str, object]]:
    """Load and arrangements of the default scenario: what a move of a slider leaves as it is."""
    case = Scenario.default()
    return case.workload, arrangements(case, token_budget)


def live_policies_frame(
    rate_per_s: float, prompt_factor: float, tpot_limit_ms: float, token_budget: int
) -> pd.DataFrame:
    """Goodput of the five arrangements at one rate, re-simulated: arrangement, parts, verdict.

    Every prompt of the chat workload is ``prompt_factor`` times as long. The requests of `n_live`
    are shared out over the arrangements.
    """
    load, ways = _usual(token_budget)
    slo = Slo(tpot_s=tpot_limit_ms * MILLI)
    trace = draw_requests(load, rate_per_s, max(n_live() // len(ways), FEWEST))
    longer = np.maximum(1, np.rint(trace["input_tokens"] * prompt_factor)).astype("int64")
    trace = trace.assign(input_tokens=longer)
    rows = []
    for name, serving in ways.items():
        result = serve(trace, serving)
        good = result.goodput(slo.ttft_s, slo.tpot_s)
        p99 = [float(np.nanpercentile(x, 99)) for x in (result.ttft_s, result.tpot_s)]
        # of the rate, not of the span that the last answers stretch
        row = (
            name,
            good.good_frac * rate_per_s,
            good.good_frac,
            good.binding,
            p99[0],
            p99[1] / MILLI,
        )
        rows.append(row)
    columns = ["arrangement", "goodput_requests_per_s", "good_frac", "binding"]
    frame = pd.DataFrame(rows, columns=[*columns, "p99_ttft_s", "p99_tpot_ms"])
    return frame.assign(rate_per_s=rate_per_s, n_requests=len(trace))


def live_cost_frame(
    rate_per_s: float, arrival_cv: float, cost_usd_per_gpu_hour: float
) -> pd.DataFrame:
    """What a million good tokens cost under each pair of limits, re-simulated at a rate.

    The default scenario; columns as in `cost_surface_frame`, the limit on TPOT in ms.
    """
    case, usual = default_case()
    case = case.with_(arrival_cv=arrival_cv, cost_usd_per_gpu_hour=cost_usd_per_gpu_hour)
    result = simulate(case, rate_per_s=rate_per_s, n=n_live(), replica=usual).requests
    frame = cost_surface_frame(case, result, TTFT_LIMITS_S, TPOT_LIMITS_S)
    return frame.assign(
        tpot_limit_ms=frame["tpot_limit_s"] / MILLI,
        rate_per_s=rate_per_s,
        n_requests=result.n_requests,
    )


# -- measured runs ------------------------------------------------------------------------------
def curves_frame(compared: pd.DataFrame | None = None, *, n_least: int = 4) -> pd.DataFrame:
    """Measured and simulated times over the number of users, for deployments measured often enough.

    Of each (model, accelerator) the deployment with the most numbers of users, if ``n_least`` or
    more. Columns: pair, concurrency, metric (TTFT, TPOT), measured_ms, simulated_ms.
    """
    compared = simulated_runs_frame() if compared is None else compared
    deployment = [c for c in RUN_KEY if c != "concurrency"]
    sizes = compared.groupby(deployment)["concurrency"].nunique().rename("n_users").reset_index()
    best = sizes.sort_values("n_users", ascending=False, kind="stable")
    best = best.drop_duplicates(["model", "accelerator"])
    chosen = compared.merge(best[best["n_users"] >= n_least][deployment], on=deployment)
    times = ["measured_ttft_s", "measured_tpot_s", "ttft_s", "tpot_s"]
    mean = chosen.groupby([*deployment, "concurrency"], as_index=False)[times].mean()
    pair = mean["model"] + ", " + mean["n_gpu"].astype(str) + " × " + mean["accelerator"]
    parts = [
        pd.DataFrame(
            {
                "pair": pair,
                "concurrency": mean["concurrency"],
                "metric": metric.upper(),
                "measured_ms": mean[f"measured_{metric}_s"] / MILLI,
                "simulated_ms": mean[f"{metric}_s"] / MILLI,
            }
        )
        for metric in ("ttft", "tpot")
    ]
    return pd.concat(parts, ignore_index=True)


def answers_frame(compared: pd.DataFrame | None = None) -> pd.DataFrame:
    """How far simulated runs are off: metric, median_frac, p90_frac, too_low_frac."""
    compared = simulated_runs_frame() if compared is None else compared
    gaps = compared["output_tokens"] - 1
    ours = compared["ttft_s"] + gaps * compared["tpot_s"]
    there = compared["measured_ttft_s"] + gaps * compared["measured_tpot_s"]
    ratios = {
        "TTFT": compared["ttft_ratio"],
        "TPOT": compared["tpot_ratio"],
        "whole answer": ours / there,
    }
    rows = []
    for metric, ratio in ratios.items():
        off = (ratio - 1).abs()
        rows.append((metric, off.median(), off.quantile(0.9), (ratio < 1).mean()))
    return pd.DataFrame(rows, columns=["metric", "median_frac", "p90_frac", "too_low_frac"])


# -- charts and panels -----------------------------------------------------------------------------
BINDING = {"none": "no request misses a limit", "both": "both limits are missed equally often"}


def load_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`live_load_frame`: every percentile of TTFT and TPOT against its limit."""
    row = frame.iloc[0]
    worst = frame[frame["percentile"] == 99].set_index("what")["of_limit"]
    verdict = BINDING.get(row.binding, f"{row.binding.upper()} is the limit that binds")
    over = ", and the queue grows" if row.overloaded else ""
    small = ""
    if row.n_requests < LIVE_REQUESTS:
        small = " (Without numba fewer requests are simulated; the tail is rougher.)"
    return figure(
        frame[["what", "percentile", "of_limit"]],
        "percentile",
        "of_limit",
        by="what",
        legend=True,
        log="y",
        rule_y=1.0,
        x_title="Percentile of the requests",
        y_title="Time as a multiple of its limit",
        finding=f"{row.good_frac:.0%} good: {row.goodput_requests_per_s:.1f} of {row.rate_per_s:g} "
        f"requests/s{over}",
        subtitle=f"{row.n_requests:,.0f} simulated requests; dashed: the limit",
        says=f"{row.n_requests:,.0f} requests at {row.rate_per_s:g} per second: "
        f"{row.good_frac:.1%} are good, {row.goodput_requests_per_s:.2f} per second; "
        f"{verdict}{over}. P99 of TTFT is {three(worst['TTFT'])} times its limit, of TPOT "
        f"{three(worst['TPOT'])} times.{small}",
    )


def load_panel() -> Panel:
    """The default scenario under load, every request simulated again at each move."""

    def load(rate: float, burst: float, policy: str, slo: str) -> pd.DataFrame:
        return live_load_frame(rate, burst, POLICIES[policy], slo)

    return panel(
        load,
        load_chart,
        rate=slider(0.5, 14, value=8, step=0.5, label="Arrivals (requests/s)"),
        burst=slider(0.5, 4, value=1, step=0.5, label="Gap variation"),
        policy=choice(POLICIES, label="Prefill"),
        slo=choice(SLOS, label="SLO"),
        presets={
            "6 requests/s": {"rate": 6},
            "10 requests/s": {"rate": 10},
            "6 requests/s in bursts": {"rate": 6, "burst": 3},
        },
        heading="Which percentiles keep within their limits?",
    )


def policies_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`live_policies_frame`: goodput of five arrangements at one rate."""
    top, row = frame.loc[frame["goodput_requests_per_s"].idxmax()], frame.iloc[0]
    binding = {"none": "no limit is missed", "both": "both limits bind"}
    verdicts = [
        f"{r.good_frac:.0%} good, {binding.get(r.binding, f'{r.binding.upper()} binds')}"
        for r in frame.itertuples()
    ]
    words = "; ".join(
        f"{r.arrangement} {r.goodput_requests_per_s:.1f} requests/s ({verdict})"
        for r, verdict in zip(frame.itertuples(), verdicts, strict=True)
    )
    return figure(
        frame.assign(verdict=verdicts),
        "goodput_requests_per_s",
        "arrangement",
        kind="bar",
        label="verdict",
        x_title="Good requests/s",
        finding=f"Best here: {top.arrangement}, {top.goodput_requests_per_s:.1f} of "
        f"{row.rate_per_s:g} requests/s good",
        subtitle=f"Four replicas; {row.n_requests:,.0f} simulated requests each",
        says=f"Bars of goodput at {row.rate_per_s:g} requests/s: {words}.",
    )


def policies_panel() -> Panel:
    """Five arrangements of sixteen GPUs, simulated again at each move."""

    def policies(rate: float, limit: float, prompt: float, budget: int) -> pd.DataFrame:
        return live_policies_frame(rate, prompt, limit, budget)

    return panel(
        policies,
        policies_chart,
        rate=slider(2, 50, value=20, label="Arrivals (requests/s)"),
        limit=slider(10, 100, value=20, log=True, label="Limit on TPOT (ms)"),
        prompt=slider(0.5, 5, value=1, log=True, label="Prompts longer by (×)"),
        budget=choice([512, 1024, 2048, 8192], value=2048, label="Tokens in a step"),
        presets={
            "limit 20 ms": {"rate": 30},
            "limit 50 ms": {"rate": 38, "limit": 50},
            "prompts five times as long": {"rate": 6, "prompt": 5},
        },
        heading="Which arrangement serves best?",
    )


def cost_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`live_cost_frame`: USD per million good tokens over both limits."""
    shown = frame.assign(
        cost=frame["cost_usd_per_good_mtok"].replace(np.inf, np.nan),
        tpot=[f"{v:g}" for v in frame["tpot_limit_ms"]],
        ttft=[f"{v:g}" for v in frame["ttft_limit_s"]],
    )
    loose, tight, row = shown.iloc[-1], shown.iloc[0], frame.iloc[0]
    finding = "Not one good token at this load"
    words = "no token is good under any pair of limits"
    if shown["cost"].notna().any():
        finding = (
            f"At {row.rate_per_s:g} requests/s a million good tokens cost "
            f"${shown['cost'].min():.2f} or more"
        )
        worst = "no token is good" if pd.isna(tight.cost) else f"${tight.cost:,.2f}"
        words = (
            f"${loose.cost:,.2f} with TTFT up to {loose.ttft} s and TPOT up to {loose.tpot} ms; "
            f"with {tight.ttft} s and {tight.tpot} ms: {worst}"
        )
    return figure(
        shown,
        "tpot",
        "ttft",
        by="cost",
        kind="heat",
        log="by",
        form=lambda v: f"{v:,.2f}" if v < LARGE_USD else f"{v:,.0f}",
        x_title="Limit on TPOT (ms)",
        y_title="Limit on TTFT (s)",
        by_title="USD/Mtok (log)",
        finding=finding,
        subtitle=f"{row.n_requests:,.0f} simulated requests",
        says=f"A table of cost over the two limits at {row.rate_per_s:g} requests/s: {words}.",
    )


def cost_panel() -> Panel:
    """The price of a good token over both limits, simulated again at each move."""
    list_rent = round(rent("h100-sxm"), 2)
    return panel(
        live_cost_frame,
        cost_chart,
        rate_per_s=slider(0.5, 14, value=8, step=0.5, label="Arrivals (requests/s)"),
        arrival_cv=slider(0.5, 4, value=1, step=0.5, label="Gap variation"),
        cost_usd_per_gpu_hour=slider(0.5, 8, value=list_rent, step=0.01, label="USD per GPU-hour"),
        presets={f"{n} requests/s": {"rate_per_s": n} for n in (2, 8, 11)},
        heading="What does a million good tokens cost?",
    )
