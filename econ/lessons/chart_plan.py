"""Charts and the panel of notebook 08 and its report: trace, frontier, losers, stress, decision."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.catalog.units import MILLI
from econ.charts.grammar import axis, bars, finish, lines
from econ.charts.panels import Panel, slider
from econ.charts.shapes import describe, parity
from econ.charts.tables import three
from econ.charts.theme import PALETTE
from econ.lessons.plan_cases import cheapest_frame
from econ.plan.decision import RENT, SPEED
from econ.plan.search import Demand
from econ.scenario import Scenario, Slo

COST = "Cost (USD per million good output tokens)"
CHEAPEST_FIRST = alt.EncodingSortField("cost_usd_per_good_mtok", op="min", order="ascending")
TIGHT = {"scale": alt.Scale(type="log", nice=False, padding=14)}  # no empty decades


def describe_labels(frame: pd.DataFrame, by: str) -> str:
    """Each row's name and the label drawn beside it."""
    return "; ".join(
        f"{name} {label}" for name, label in zip(frame[by], frame["label"], strict=True)
    )


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


def frontier_chart(frame: pd.DataFrame, simulated: pd.DataFrame, slo: Slo) -> alt.LayerChart:
    """`frontiers_frame` and the plan's simulated rows: cost against speed for a user.

    Cost steps with whole replicas; the dashed line is the slowest stream that the promise allows.
    """
    kinds = list(dict.fromkeys(frame.sort_values("cost_usd_per_good_mtok")["accelerator"]))
    color = alt.Color(
        "accelerator:N", title=None, sort=kinds, scale=alt.Scale(domain=kinds),
        legend=alt.Legend(orient="bottom", columns=4),
    )  # fmt: skip
    speed = "Speed for a user (output tokens per second)"
    x = alt.X("tokens_per_s_per_user:Q", **axis(speed, True) | TIGHT)
    y = alt.Y("cost_usd_per_good_mtok:Q", **axis(COST, True) | TIGHT)
    edge = alt.Chart(frame).mark_line(interpolate="step-before", strokeWidth=2)
    edge = edge.encode(x=x, y=y, color=color)
    dots = alt.Chart(frame).mark_point(size=26).encode(x=x, y=y, color=color)
    limit = alt.Chart(pd.DataFrame({"limit": [1 / slo.tpot_s]})).mark_rule(
        strokeDash=[5, 4], color=PALETTE["grey"]
    )
    layers = [limit.encode(x=alt.X("limit:Q")), edge, dots]
    real = simulated.assign(accelerator=simulated["accelerator"].astype(str))
    real = real[real["accelerator"].isin(kinds)]
    told = "none was simulated"
    if len(real):
        columns = ["accelerator", "tokens_per_s_per_user", "cost_usd_per_good_mtok", "fleet_gpus"]
        star = alt.Chart(real[columns]).mark_point(shape="diamond", size=170, filled=True)
        layers.append(star.encode(x=x, y=y, color=color))
        best = real.iloc[0]
        told = (
            f"diamonds were simulated: the cheapest costs ${best.cost_usd_per_good_mtok:.2f} on "
            f"{best.fleet_gpus:.0f} {best.accelerator}"
        )
    ends = frame.groupby("accelerator")["cost_usd_per_good_mtok"].min().reindex(kinds)
    words = "; ".join(f"{name} from ${cost:.2f}" for name, cost in ends.items())
    return finish(
        alt.layer(*layers).properties(height=340),
        title="Faster for a user costs more, in steps of whole replicas",
        subtitle="Lines: screened at mean lengths. Diamonds: simulated under real arrivals",
        description=f"Cost per million good output tokens over speed for a user, both logarithmic, "
        f"a step line an accelerator: {words}; {told}.",
    )


def losers_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`constraints_frame`: what rules deployments out."""
    total = frame["n_deployments"].sum()
    shown = frame.assign(label=[f"{n:,}" for n in frame["n_deployments"]])
    kept = shown.loc[shown["constraint"].str.startswith("none"), "n_deployments"].sum()
    return bars(
        shown, "n_deployments", "constraint", text="label", sort=shown["constraint"].tolist(),
        x_title="Deployments", title=f"{kept / total:.0%} of {total:,} keep the promise",
        description="Bars: " + describe(frame, "n_deployments", "constraint") + ".",
        height=34 * len(shown),
    )  # fmt: skip


def stress_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`stress_frame`: the best deployment's cost in each case, and whether the choice holds."""
    shown = frame.dropna(subset=["cost_usd_per_good_mtok"]).copy()
    shown["choice"] = ["same accelerator" if s else "another" for s in shown["same_choice"]]
    shown["label"] = [
        f"${r.cost_usd_per_good_mtok:.2f}  {int(r.fleet_gpus)} × {r.accelerator}"
        for r in shown.itertuples()
    ]
    base = alt.Chart(shown).encode(
        y=alt.Y("case:N", sort=shown["case"].tolist(), title=None),
        x=alt.X("cost_usd_per_good_mtok:Q", title=COST,
                scale=alt.Scale(domainMax=1.5 * shown["cost_usd_per_good_mtok"].max())),
    )  # fmt: skip
    kinds = [k for k in ("same accelerator", "another") if k in set(shown["choice"])]
    paint = {"same accelerator": PALETTE["blue"], "another": PALETTE["orange"]}
    mark = base.mark_bar().encode(
        color=alt.Color("choice:N", title=None, legend=alt.Legend(orient="top"),
                        scale=alt.Scale(domain=kinds, range=[paint[k] for k in kinds])),
    )  # fmt: skip
    names = base.mark_text(align="left", dx=4).encode(text="label:N")
    changed = int((~frame["same_choice"]).sum())
    lost = frame.loc[frame["cost_usd_per_good_mtok"].isna(), "case"].tolist()
    none = f" Nothing keeps the promise with: {', '.join(lost)}." if lost else ""
    return finish(
        alt.layer(mark, names).properties(height=30 * len(shown)),
        title=f"The choice changes in {changed} of {len(frame) - 1} stresses",
        description="Bars of cost per million good tokens: "
        + "; ".join(f"{r.case} {r.label}" for r in shown.itertuples()) + "." + none,
    )  # fmt: skip


def decision_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`Decision.frame`: each option's yearly cost with its 90 % interval, and how often it wins."""
    shown = frame.reset_index()
    shown["label"] = [f"cheapest in {w:.0%} of cases" for w in shown["wins_frac"]]
    order = shown["option"].tolist()
    base = alt.Chart(shown).encode(y=alt.Y("option:N", sort=order, title=None))
    x_title = "Cost (USD per year)"
    span = base.mark_rule(strokeWidth=5, color=PALETTE["sky"]).encode(
        x=alt.X("low_usd:Q", **axis(x_title, True) | TIGHT), x2="high_usd:Q"
    )
    middle = base.mark_point(filled=True, size=90).encode(x=alt.X("median_usd:Q"))
    names = base.mark_text(align="left", dy=-12, fontSize=11).encode(
        x=alt.X("low_usd:Q"), text="label:N"
    )
    first = shown.iloc[0]
    return finish(
        alt.layer(span, middle, names).properties(height=54 * len(shown)),
        title=f"The first choice is the cheapest in {first.wins_frac:.0%} of cases",
        subtitle="Point: median; bar: 90 % of samples",
        description="; ".join(
            f"{r.option}: {three(r.low_usd)} to {three(r.high_usd)} USD a year, {r.label}"
            for r in shown.itertuples()
        ) + ".",
    )  # fmt: skip


def worth_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`measure_next_frame`: what knowing each input is worth."""
    shown = frame.assign(
        name=[name.replace(SPEED, "speed: ").replace(RENT, "rent: ") for name in frame["input"]],
        label=[f"${three(v)}" if v >= 1 else "nothing" for v in frame["value_usd"]],
    )
    top = shown.iloc[0]
    worth = top.value_usd >= 1
    title = f"Measure {top['name']} first" if worth else "No measurement would change the choice"
    return bars(
        shown, "value_usd", "name", text="label", sort=shown["name"].tolist(), nice=False,
        x_title="Value of knowing it before choosing (USD per year)", title=title,
        description="Bars: " + describe_labels(shown, "name") + ".", height=28 * len(shown),
    )  # fmt: skip


def _chips(n: float) -> str:
    return f"{n:,.0f} chip{'' if n == 1 else 's'}"


def cheapest_chart(frame: pd.DataFrame, guess: float | None = None) -> alt.LayerChart:
    """`cheapest_frame`: each accelerator's cheapest deployment, and the learner's guess."""
    if frame.empty:
        raise ValueError("no deployment keeps this promise: relax a limit")
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


def plan_panel(plan: pd.DataFrame, scenario: Scenario) -> Panel:
    """The cheapest deployment of each accelerator by load and promise."""
    w = scenario.workload
    searched = plan[plan["ttft_s"].notna() & (plan["basis"] != "simulated")]

    def frame(rate: float, ttft: float, tpot: float, peak: float) -> pd.DataFrame:
        demand = Demand(
            rate_per_s=rate, input_tokens=w.mean_input_tokens, output_tokens=w.mean_output_tokens,
            slo=Slo(ttft_s=ttft, tpot_s=tpot), peak_factor=peak,
        )  # fmt: skip
        return cheapest_frame(searched, demand)

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
