"""Tables of notebook 08 and of the report: a trace in words, frontiers, what a panel moves.

>>> from econ.tokens.workloads import workload
>>> describe_frame(workload("chat").sample(2000, 1))["what"].tolist()[:3]
['requests', 'duration', 'arrivals']
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog.guard import count, positive
from econ.catalog.sources import cite
from econ.catalog.tables import table
from econ.catalog.units import HOUR_S, MINUTE_S
from econ.plan.frontier import on_frontier
from econ.plan.search import Demand
from econ.scenario import Scenario
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.trace_check import OPTIONAL, check_trace
from econ.tokens.workloads import Workload

SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
JUDGED = ("ttft_s", "tpot_s", "usd_per_gpu_hour", "requests_per_s_per_replica", "n_gpu")


def describe_frame(trace: pd.DataFrame) -> pd.DataFrame:
    """A trace in words: what, value, unit, why it matters for a plan."""
    trace = check_trace(trace)
    w = Workload.from_trace(trace)
    hours = (trace["arrival_s"].iloc[-1] - trace["arrival_s"].iloc[0]) / HOUR_S
    peak, window_s = peak_factor(trace)
    cached = trace[OPTIONAL].sum() / trace["input_tokens"].sum() if OPTIONAL in trace else np.nan
    rows = [("requests", len(trace), "", "how sure the tails are"),
            ("duration", hours, "h", "a few hours do not show a day")]  # fmt: skip
    if w.arrival != "all_at_once":
        rows += [
            ("arrivals", w.rate_per_s, "requests/s", "the mean load"),
            ("variation of gaps", w.arrival_cv, "", "1 is Poisson; above it, bursts queue up"),
            ("peak over mean", peak, f"in windows of {window_s:.0f} s", "what sizes the fleet"),
        ]
    for name in ("input", "output"):
        lengths = trace[f"{name}_tokens"]
        rows += [
            (f"mean {name}", lengths.mean(), "tokens", "the cost"),
            (f"99 % of {name}s within", lengths.quantile(0.99), "tokens", "the tail of latency"),
        ]
    why = "saves reading" if np.isfinite(cached) else "not in this trace: taken as none"
    rows.append(("cached input", cached, "share", why))
    return pd.DataFrame(rows, columns=["what", "value", "unit", "matters"])


def peak_factor(trace: pd.DataFrame, window_s: float = 5 * MINUTE_S) -> tuple[float, float]:
    """The busiest window over the mean, and the window: a twentieth of a trace that is short.

    >>> even = pd.DataFrame({"arrival_s": np.arange(3600.0), "input_tokens": 9, "output_tokens": 5})
    >>> round(peak_factor(even)[0], 2)
    1.0
    """
    positive("window_s", window_s)
    arrival = check_trace(trace)["arrival_s"].to_numpy()
    span_s = float(arrival[-1] - arrival[0])
    if span_s <= 0:
        return 1.0, window_s
    window_s = min(window_s, span_s / 20)
    n_whole = max(int(span_s / window_s + 1e-9), 1)
    counts = np.bincount(((arrival - arrival[0]) / window_s).astype(int), minlength=n_whole)
    counts = counts[:n_whole]  # the last window is cut short
    return float(counts.max() / counts.mean()), window_s


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


def frontiers_frame(plan: pd.DataFrame, n_most: int = 6) -> pd.DataFrame:
    """For each accelerator the screened deployments that no other of it beats on cost and speed.

    The accelerators with the cheapest best deployment come first, at most ``n_most`` of them.
    """
    count("n_most", n_most, 1, 50)
    kept = plan[(plan["basis"] == "screened") & (plan["cost_usd_per_good_mtok"] > 0)]
    best = kept.groupby("accelerator", observed=True)["cost_usd_per_good_mtok"].min()
    parts = []
    for name in best.sort_values(kind="stable").index[:n_most]:
        mine = kept[kept["accelerator"] == name]
        edge = mine[on_frontier(mine, ["cost_usd_per_good_mtok"], ["tokens_per_s_per_user"])]
        parts.append(edge.drop_duplicates(["cost_usd_per_good_mtok", "tokens_per_s_per_user"]))
    columns = ["accelerator", "precision", "tp", "concurrency", "tokens_per_s_per_user",
               "cost_usd_per_good_mtok", "fleet_gpus"]  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=columns)
    frame = pd.concat(parts)[columns].sort_values("tokens_per_s_per_user", kind="stable")
    return frame.assign(accelerator=frame["accelerator"].astype(str)).reset_index(drop=True)


def cheapest_frame(searched: pd.DataFrame, demand: Demand, n_most: int = 8) -> pd.DataFrame:
    """The cheapest deployment of each accelerator at another load and promise; milliseconds.

    ``searched`` is a plan or a search at any promise: latencies do not depend on load or limits, so
    only who keeps the promise and the size of the fleet are worked out anew.
    """
    slo, v = demand.slo, {name: searched[name].to_numpy("float64") for name in JUDGED}
    keeps = (v["ttft_s"] <= slo.ttft_s) & (v["tpot_s"] <= slo.tpot_s) & (v["usd_per_gpu_hour"] > 0)
    kept = np.flatnonzero(keeps)
    v = {name: values[kept] for name, values in v.items()}
    peak = demand.rate_per_s * demand.peak_factor
    n = np.ceil(peak / v["requests_per_s_per_replica"] * (1 - 1e-12)) + demand.n_spare
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


def tails_frame(plan: pd.DataFrame, n_most: int = 6) -> pd.DataFrame:
    """What real arrivals ask for beyond the screen: replicas before and after, and the tail.

    ``screened`` replicas carry the peak at mean lengths, ``simulated`` keep the promise.
    """
    count("n_most", n_most, 1, 100)
    rows = plan[plan["basis"] == "simulated"].drop_duplicates(["accelerator", "precision", "tp"])
    rows = rows.head(n_most)
    bears = rows["busy_frac"] * rows["n_replicas"]  # at mean lengths
    return pd.DataFrame(
        {
            "deployment": [f"{r.accelerator}, {r.precision}, TP {r.tp}" for r in rows.itertuples()],
            "policy": rows["policy"].str.replace("_", " "),
            "screened": np.ceil(bears * (1 - 1e-12)).astype(int),
            "simulated": rows["n_replicas"].astype(int),
            "good_frac": rows["good_frac"],
            "ttft_s": rows["ttft_s"],
            "p95_ttft_s": rows["p95_ttft_s"],
        }
    ).reset_index(drop=True)


def sources_frame(scenario: Scenario, plan: pd.DataFrame) -> pd.DataFrame:
    """Where workload, rents and calibration come from, each once: what, source."""
    keys = {}
    if scenario.workload.source:
        keys[scenario.workload.source] = "workload"
    chips = set(plan.loc[plan["basis"] != "rejected", "accelerator"].astype(str))
    rents = table("rentals")
    for row in rents[rents["accelerator"].isin(chips)].itertuples():
        keys.setdefault(row.source, f"rents, {row.as_of}")
    for source in table("measured_serving")["source"].unique():
        keys.setdefault(source, "calibration of latency")
    for source in table("power_calibration")["source"].unique():
        keys.setdefault(source, "calibration of power")
    known = set(table("sources").index)
    rows = [(what, str(cite(key))) for key, what in keys.items() if key in known]
    return pd.DataFrame(rows, columns=["what", "source"])
