"""The simulator against measured closed loops."""

from __future__ import annotations

import pandas as pd

from econ.catalog.units import MILLI
from econ.ledger.serving_runs import RUN_KEY, simulated_runs_frame


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
