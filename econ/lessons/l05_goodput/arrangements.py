"""How work is arranged: batches, chunks, pools; the price of an SLO; measured runs."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.catalog.units import MILLI
from econ.ledger.serving_runs import RUN_KEY, simulated_runs_frame
from econ.lessons.l05_goodput.load import (
    N,
    default_case,
    n_live,
)
from econ.scenario import Scenario
from econ.serving import (
    Disaggregated,
    Replica,
    cost_surface_frame,
    draw_requests,
    max_rate_per_s,
    replica,
    serve,
    simulate,
)
from econ.terms import Slo
from econ.tokens.workloads import Workload

SPLITS = ((1, 3), (2, 2), (3, 1))  # replicas that prefill, and that decode, of four
FEWEST = 1000  # requests for each arrangement of a panel, that its P99 means something
TTFT_LIMITS_S = (0.3, 0.5, 1.0, 2.0)
TPOT_LIMITS_S = (0.015, 0.02, 0.03, 0.05, 0.1)


def pools_for(scenario: Scenario, n_prefill: int, n_decode: int) -> Disaggregated:
    """Separate pools of so many of the scenario's replicas; KV caches move over its links."""
    count("n_prefill", n_prefill, 1)
    count("n_decode", n_decode, 1)
    d = scenario.deployment
    n = n_prefill + n_decode
    split = dataclasses.replace(d, n_gpu=n * d.n_gpu, dp=n * d.dp, policy="disaggregated")
    pools = replica(scenario.with_(deployment=split))
    assert isinstance(pools, Disaggregated)
    return dataclasses.replace(
        pools,
        prefill=pools.prefill.replace(n_replicas=n_prefill),
        decode=pools.decode.replace(n_replicas=n_decode),
    )


def arrangements(
    scenario: Scenario, token_budget: int = 2048
) -> dict[str, Replica | Disaggregated]:
    """Four replicas of the scenario, put to work in five ways."""
    one = replica(scenario.with_(token_budget=token_budget))
    assert isinstance(one, Replica), "one arrangement among others: not pools already"
    four = one.replace(n_replicas=4)
    ways: dict[str, Replica | Disaggregated] = {
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
        if isinstance(serving, Disaggregated):
            n_decode = serving.decode.n_replicas
            n_all = n_decode + serving.prefill.n_replicas
        else:
            n_decode = n_all = serving.n_replicas
        per_decode_gpu, per_gpu = (rate * tokens / (k * n_gpu) for k in (n_decode, n_all))
        rows.append((name, rate, per_decode_gpu, per_gpu, per_decode_gpu / per_gpu))
    columns = ["arrangement", "max_rate_per_s", "per_decode_gpu", "per_gpu", "overstated"]
    return pd.DataFrame(rows, columns=columns)


# -- what the panels re-simulate ----------------------------------------------------------------
@functools.lru_cache(maxsize=8)
def _usual(token_budget: int) -> tuple[Workload, dict[str, Replica | Disaggregated]]:
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
    simulated_s = compared["ttft_s"] + gaps * compared["tpot_s"]
    measured_s = compared["measured_ttft_s"] + gaps * compared["measured_tpot_s"]
    ratios = {
        "TTFT": compared["ttft_ratio"],
        "TPOT": compared["tpot_ratio"],
        "whole answer": simulated_s / measured_s,
    }
    rows = []
    for metric, ratio in ratios.items():
        off = (ratio - 1).abs()
        rows.append((metric, off.median(), off.quantile(0.9), (ratio < 1).mean()))
    return pd.DataFrame(rows, columns=["metric", "median_frac", "p90_frac", "too_low_frac"])
