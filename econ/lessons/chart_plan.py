"""Charts and the panel of notebook 08: the trace, the cheapest deployments, your own runs."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.catalog.units import MILLI
from econ.charts.grammar import bars, lines
from econ.charts.panels import Panel, slider
from econ.charts.plan import COST, describe_labels
from econ.charts.shapes import parity
from econ.lessons.plan_cases import cheapest_frame
from econ.plan import Demand, Plan

CHEAPEST_FIRST = alt.EncodingSortField("cost_usd_per_good_mtok", op="min", order="ascending")


def arrivals_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`arrivals_frame`: the load over time."""
    mean, top = frame["requests_per_s"].mean(), frame["requests_per_s"].max()
    return lines(
        frame, "time_min", "requests_per_s", x_title="Time (min)", y_title="Requests per second",
        title=f"The busiest minute asks {top / mean:.1f} times the mean",
        description=f"A line over {frame['time_min'].max():.0f} minutes: requests per second from "
        f"{frame['requests_per_s'].min():.2g} to {top:.2g}, {mean:.2g} on average.",
    )  # fmt: skip


def lengths_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`lengths_frame`: the share of requests up to a length."""
    middle = frame[frame["percent_up_to"] == 50].set_index("side")["tokens"]
    long = frame[frame["percent_up_to"] == 99].set_index("side")["tokens"]
    spread = long["input"] / middle["input"]
    return lines(
        frame, "tokens", "percent_up_to", color="side", legend=True, log_x=True, points=True,
        x_title="Tokens", y_title="Requests up to that length (%)",
        title=f"The longest prompts are {spread:.0f} times the middle one",
        description="Two rising lines. Half of the prompts have up to "
        f"{middle['input']:,.0f} tokens, 99 % up to {long['input']:,.0f}; half of the outputs up "
        f"to {middle['output']:,.0f}, 99 % up to {long['output']:,.0f}.",
    )  # fmt: skip


def _chips(n: float) -> str:
    return f"{n:,.0f} chip{'' if n == 1 else 's'}"


def cheapest_chart(frame: pd.DataFrame, guess: float | None = None) -> alt.LayerChart:
    """`cheapest_frame`: each accelerator's cheapest deployment, and the learner's guess."""
    if frame.empty:
        raise ValueError("no deployment meets this SLO: relax a limit")
    shown = frame.assign(
        label=[
            f"${r.cost_usd_per_good_mtok:.2f}  {_chips(r.fleet_gpus)}, {r.precision}, TP {r.tp}"
            for r in frame.itertuples()
        ]
    )
    best = shown.iloc[0]
    return bars(
        shown, "cost_usd_per_good_mtok", "accelerator", text="label",
        sort=CHEAPEST_FIRST, x_title=COST, nice=False,
        title=f"{best.accelerator} is the cheapest here",
        description="Bars: " + describe_labels(shown, "accelerator") + ".", height=280, guess=guess,
    )  # fmt: skip


def plan_panel(plan: Plan) -> Panel:
    """The cheapest deployment of each accelerator by load and SLO."""
    searched = plan.rows[plan.rows["ttft_s"].notna() & (plan.rows["basis"] != "simulated")]

    def frame(rate: float, ttft: float, tpot: float, peak: float) -> pd.DataFrame:
        asked = plan.demand.scenario.with_(rate_per_s=rate, ttft_s=ttft, tpot_s=tpot)
        return cheapest_frame(searched, Demand(asked, peak_factor=peak))

    plain = {"rate": 5, "ttft": 1, "tpot": 0.05, "peak": 1.0}
    return Panel(
        frame,
        cheapest_chart,
        [
            slider("rate", "Requests per second", 1, 500, value=5, log=True),
            slider("ttft", "TTFT limit (s)", 0.1, 10, value=1, log=True),
            slider("tpot", "TPOT limit (s)", 0.01, 0.2, value=0.05, log=True),
            slider("peak", "Peak over mean", 1.0, 3.0, value=1.0, step=0.1),
        ],
        presets={
            "as planned": plain,
            "forty times the load": plain | {"rate": 200},
            "a faster stream": plain | {"tpot": 0.01, "rate": 200},
        },
    )


def own_chart(before: pd.DataFrame, after: pd.DataFrame) -> alt.LayerChart:
    """Two `compare_frame`: your runs' TPOT against ours, with the usual stack and with yours."""
    parts = [
        pd.DataFrame(
            {"measured_ms": f["tpot_s"] / MILLI, "ours_ms": f["tpot_s_ours"] / MILLI, "stack": name}
        )
        for f, name in ((before, "the usual stack"), (after, "this stack, fitted"))
    ]
    off = [float((f["tpot_s_ratio"] - 1).abs().median()) for f in (before, after)]
    return parity(
        pd.concat(parts, ignore_index=True), "measured_ms", "ours_ms", color="stack", log=False,
        x_title="Measured TPOT (ms)", y_title="Ours (ms)",
        title=f"Two numbers of one's own: median gap {off[0]:.0%} to {off[1]:.0%}",
        description=f"Ours against measured TPOT of {len(before)} runs, from "
        f"{before['tpot_s'].min() / MILLI:.1f} to {before['tpot_s'].max() / MILLI:.1f} ms. Median "
        f"gap {off[0]:.1%} with the usual stack, {off[1]:.1%} after the fit.",
    )  # fmt: skip
