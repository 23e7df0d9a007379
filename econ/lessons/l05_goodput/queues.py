"""The simulator beside what is known: queues with closed forms, and measured closed loops."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from econ.catalog.guard import fraction
from econ.catalog.units import MILLI
from econ.ledger.serving_runs import RUN_KEY, simulated_runs_frame
from econ.serving import Replica, StepCost, simulate
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


def mm1_frame(loads_frac: Iterable[float]) -> pd.DataFrame:
    """Time in an M/M/1 system over its load: load_percent, what, service_times."""
    rows = []
    for load in loads_frac:
        rows.append((load, "mean", mm1_wait_s(load, 1.0) + 1))
        rows += [(load, f"P{q}", mm1_e2e_quantile_s(load, 1.0, q / 100)) for q in (50, 99)]
    frame = pd.DataFrame(rows, columns=["load", "what", "service_times"])
    return frame.assign(load_percent=100 * frame["load"]).drop(columns="load")


def drawn_queue(load_frac: float, *, n: int = 50_000, seed: int = 5) -> pd.DataFrame:
    """Requests for one server: gap_s before each arrival, service_s (1 s on average)."""
    fraction("load_frac", load_frac)
    rng = np.random.default_rng(seed)
    gap_s, service_s = rng.exponential(1 / load_frac, n), rng.exponential(1.0, n)
    return pd.DataFrame({"gap_s": gap_s, "service_s": service_s})


def waits_s(requests: pd.DataFrame) -> np.ndarray:
    """The wait of each request of `drawn_queue`, first come, first served (Lindley 1952)."""
    waits = [0.0]
    gaps, services = requests["gap_s"].to_numpy()[1:], requests["service_s"].to_numpy()[:-1]
    for gap, service in zip(gaps, services, strict=True):
        waits.append(max(0.0, waits[-1] + service - gap))
    return np.array(waits)


def queues_frame(load_frac: float, *, n: int = 400_000, seed: int = 0) -> pd.DataFrame:
    """The simulator as textbook queues beside their closed forms, times in mean services.

    Columns: queue, what, simulated, formula. Prompts are free, a decode step takes 1 ms for any
    batch, so answers of 1,000 tokens on average are services of 1 s and the batch is the servers.
    Waiting for the step under way does not count. The simulator turns nobody away: NaN.
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
    rows = [(queue, wait, float(ours.mean()), theory) for queue, (ours, theory) in waits_s.items()]
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
