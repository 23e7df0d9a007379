"""Lesson 15, your workload: a trace over time and by length, the cheapest deployments, your runs.

>>> from econ.tokens.workloads import workload
>>> lengths_frame(workload("chat").sample(2000, 1)).shape
(18, 3)
"""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd

from econ.catalog.guard import count
from econ.catalog.units import MILLI, MINUTE_S
from econ.charts import Drawing, Panel, figure, panel, slider
from econ.charts.plan import COST
from econ.decision import Decision
from econ.decision.pages import HEADS, side_rows
from econ.plan import Demand, Plan
from econ.plan.search import ROUNDING
from econ.tco.token_cost import cost_usd_per_mtok
from econ.tokens.traces import check_trace

DAY = datetime.date(2026, 11, 29)  # whose prices the lesson shows
SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
JUDGED = ("ttft_s", "tpot_s", "usd_per_gpu_hour", "requests_per_s_per_replica", "n_gpu")


def sides_frame(answer: Decision) -> pd.DataFrame:
    """The chosen option, the next best, and the best API, rent and own, in words."""
    return pd.DataFrame(side_rows(answer), columns=list(HEADS))


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
    feasible = np.flatnonzero(keeps)
    v = {name: values[feasible] for name, values in v.items()}
    n = np.ceil(demand.peak_per_s / v["requests_per_s_per_replica"] * ROUNDING) + demand.n_spare
    gpus = n * v["n_gpu"]
    usd_per_hour = gpus * v["usd_per_gpu_hour"]
    chips = searched["accelerator"].astype("category").cat.codes.to_numpy()[feasible]
    order = np.lexsort((v["tpot_s"], usd_per_hour))
    first = order[np.sort(np.unique(chips[order], return_index=True)[1])][:n_most]
    cost = cost_usd_per_mtok(usd_per_hour[first], demand.output_tokens_per_s)
    rows = searched.iloc[feasible[first]].assign(
        fleet_gpus=gpus[first], cost_usd_per_good_mtok=cost
    )
    columns = ["accelerator", "precision", "tp", "pp", "concurrency", "fleet_gpus",
               "tokens_per_s_per_user", "cost_usd_per_good_mtok"]  # fmt: skip
    return rows[columns].assign(accelerator=rows["accelerator"].astype(str)).reset_index(drop=True)


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
            "screened": np.ceil(sustained * ROUNDING).astype(int),
            "simulated": rows["n_replicas"].astype(int),
            "good_frac": rows["good_frac"],
            "ttft_s": rows["ttft_s"],
            "p95_ttft_s": rows["p95_ttft_s"],
        }
    ).reset_index(drop=True)


def arrivals_chart(frame: pd.DataFrame) -> Drawing:
    """`arrivals_frame`: the load over time."""
    mean, top = frame["requests_per_s"].mean(), frame["requests_per_s"].max()
    window_s = float(frame["time_min"].diff().median() * MINUTE_S)
    return figure(
        frame, "time_min", "requests_per_s", x_title="Time (min)", y_title="Requests per second",
        finding=f"The busiest {window_s:.0f} s ask for {top / mean:.1f} times the mean rate",
        says=f"A line over {frame['time_min'].max():.0f} minutes: requests per second from "
        f"{frame['requests_per_s'].min():.2g} to {top:.2g}, {mean:.2g} on average.",
    )  # fmt: skip


def lengths_chart(frame: pd.DataFrame) -> Drawing:
    """`lengths_frame`: the share of requests up to a length."""
    middle = frame[frame["percent_up_to"] == 50].set_index("side")["tokens"]
    long = frame[frame["percent_up_to"] == 99].set_index("side")["tokens"]
    return figure(
        frame, "tokens", "percent_up_to", by="side", legend=True, log="x", points=True,
        x_title="Tokens", y_title="Requests up to that length (%)",
        finding=f"One prompt in a hundred is at least {long['input'] / middle['input']:.0f} times "
        "as long as the middle one",
        says="Two rising lines. Half of the prompts have up to "
        f"{middle['input']:,.0f} tokens, 99 % up to {long['input']:,.0f}; half of the outputs up "
        f"to {middle['output']:,.0f}, 99 % up to {long['output']:,.0f}.",
    )  # fmt: skip


def cheapest_chart(frame: pd.DataFrame, guess: float | None = None) -> Drawing:
    """`cheapest_frame`: each accelerator's cheapest deployment, and the learner's guess."""
    if frame.empty:
        raise ValueError("no deployment meets this SLO: relax a limit")
    labels = [
        f"${r.cost_usd_per_good_mtok:.2f}: {r.fleet_gpus:,.0f} × {r.precision}, TP {r.tp}"
        for r in frame.itertuples()
    ]
    return figure(
        frame.assign(text=labels), "cost_usd_per_good_mtok", "accelerator", kind="bar",
        label="text", sort="ascending", x_title=COST, guess=guess, height=280,
        finding=f"{frame['accelerator'].iloc[0]} is the cheapest here, at "
        f"${frame['cost_usd_per_good_mtok'].iloc[0]:.2f} per million good tokens",
    )  # fmt: skip


def plan_panel(plan: Plan) -> Panel:
    """The cheapest deployment of each accelerator by load and SLO."""
    searched = plan.rows[plan.rows["ttft_s"].notna() & (plan.rows["basis"] != "simulated")]

    def cheapest(rate: float, ttft: float, tpot: float, peak: float) -> pd.DataFrame:
        scenario = plan.demand.scenario.with_(rate_per_s=rate, ttft_s=ttft, tpot_s=tpot)
        return cheapest_frame(searched, Demand(scenario, peak_factor=peak))

    return panel(
        cheapest,
        cheapest_chart,
        rate=slider(1, 500, value=5, log=True, label="Requests per second"),
        ttft=slider(0.1, 10, value=1, log=True, label="TTFT limit (s)"),
        tpot=slider(0.01, 0.2, value=0.05, log=True, label="TPOT limit (s)"),
        peak=slider(1.0, 3.0, value=1.0, step=0.1, label="Peak over mean"),
        presets={
            "5 requests/s": {},
            "200 requests/s": {"rate": 200},
            "200 requests/s, a faster stream": {"tpot": 0.01, "rate": 200},
        },
    )


def own_chart(before: pd.DataFrame, after: pd.DataFrame) -> Drawing:
    """Two `compare_frame`: your runs' TPOT against ours, with the usual stack and with yours."""
    parts = [
        pd.DataFrame(
            {"measured_ms": f["tpot_s"] / MILLI, "ours_ms": f["tpot_s_ours"] / MILLI, "stack": name}
        )
        for f, name in ((before, "the usual stack"), (after, "this stack, fitted"))
    ]
    off = [float((f["tpot_s_ratio"] - 1).abs().median()) for f in (before, after)]
    return figure(
        pd.concat(parts, ignore_index=True), "measured_ms", "ours_ms", kind="parity", by="stack",
        x_title="Measured TPOT (ms)", y_title="Ours (ms)",
        finding=f"Two fitted numbers bring the median gap of TPOT from {off[0]:.0%} to "
        f"{off[1]:.0%}",
        says=f"Ours against measured TPOT of {len(before)} runs, from "
        f"{before['tpot_s'].min() / MILLI:.1f} to {before['tpot_s'].max() / MILLI:.1f} ms. Median "
        f"gap {off[0]:.1%} with the usual stack, {off[1]:.1%} after the fit.",
    )  # fmt: skip
