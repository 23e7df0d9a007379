"""Tables of notebook 08: a trace over time and by length, and what its panel moves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.catalog.units import MINUTE_S
from econ.plan import Demand, Plan
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.traces import check_trace

SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
JUDGED = ("ttft_s", "tpot_s", "usd_per_gpu_hour", "requests_per_s_per_replica", "n_gpu")


def arrivals_frame(trace: pd.DataFrame, n_windows: int = 60) -> pd.DataFrame:
    """Requests per second over the trace, in equal windows: time_min, requests_per_s."""
    count("n_windows", n_windows, 2, 500)
    arrival = check_trace(trace)["arrival_s"].to_numpy()
    span_s = float(arrival[-1] - arrival[0])
    if span_s <= 0:
        raise ValueError("the trace arrives all at once: it has no course in time")
    width_s = span_s / n_windows
    place = np.minimum((arrival - arrival[0]) / width_s, n_windows - 1).astype(int)
    counts = np.bincount(place, minlength=n_windows)
    at_min = (np.arange(n_windows) + 0.5) * width_s / MINUTE_S
    return pd.DataFrame({"time_min": at_min, "requests_per_s": counts / width_s})


def lengths_frame(trace: pd.DataFrame) -> pd.DataFrame:
    """How long prompts and outputs are: side, tokens, share of requests up to that length."""
    trace = check_trace(trace)
    rows = [
        (side, float(trace[f"{side}_tokens"].quantile(q)), 100 * q)
        for side in ("input", "output")
        for q in SHARES
    ]
    return pd.DataFrame(rows, columns=["side", "tokens", "percent_up_to"])


def cheapest_frame(searched: pd.DataFrame, demand: Demand, n_most: int = 8) -> pd.DataFrame:
    """The cheapest deployment of each accelerator at another load and SLO; milliseconds.

    ``searched`` is the rows of a plan or a search at any SLO: latencies do not depend on load or
    limits, so only who meets the SLO and the size of the fleet are worked out anew.
    """
    slo, v = demand.slo, {name: searched[name].to_numpy("float64") for name in JUDGED}
    keeps = (v["ttft_s"] <= slo.ttft_s) & (v["tpot_s"] <= slo.tpot_s) & (v["usd_per_gpu_hour"] > 0)
    kept = np.flatnonzero(keeps)
    v = {name: values[kept] for name, values in v.items()}
    n = np.ceil(demand.peak_per_s / v["requests_per_s_per_replica"] * (1 - 1e-12)) + demand.n_spare
    gpus = n * v["n_gpu"]
    usd_per_hour = gpus * v["usd_per_gpu_hour"]
    chips = searched["accelerator"].astype("category").cat.codes.to_numpy()[kept]
    order = np.lexsort((v["tpot_s"], usd_per_hour))
    first = order[np.sort(np.unique(chips[order], return_index=True)[1])][:n_most]
    cost = cost_usd_per_mtok(usd_per_hour[first], demand.output_tokens_per_s)
    made = searched.iloc[kept[first]].assign(fleet_gpus=gpus[first], cost_usd_per_good_mtok=cost)
    columns = ["accelerator", "precision", "tp", "pp", "concurrency", "fleet_gpus",
               "tokens_per_s_per_user", "cost_usd_per_good_mtok"]  # fmt: skip
    return made[columns].assign(accelerator=made["accelerator"].astype(str)).reset_index(drop=True)


def tails_frame(plan: Plan, n_most: int = 6) -> pd.DataFrame:
    """What real arrivals ask for beyond the screen: replicas before and after, and the tail.

    ``screened`` replicas carry the peak at mean lengths, ``simulated`` meet the SLO.
    """
    count("n_most", n_most, 1, 100)
    rows = plan.simulated.drop_duplicates(["accelerator", "precision", "tp"])
    rows = rows.head(n_most)
    sustained = rows["busy_frac"] * rows["n_replicas"]  # at mean lengths
    return pd.DataFrame(
        {
            "deployment": [f"{r.accelerator}, {r.precision}, TP {r.tp}" for r in rows.itertuples()],
            "policy": rows["policy"].str.replace("_", " "),
            "screened": np.ceil(sustained * (1 - 1e-12)).astype(int),
            "simulated": rows["n_replicas"].astype(int),
            "good_frac": rows["good_frac"],
            "ttft_s": rows["ttft_s"],
            "p95_ttft_s": rows["p95_ttft_s"],
        }
    ).reset_index(drop=True)
