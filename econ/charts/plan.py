"""Charts of a plan: the frontier, what ruled out the rest, stress, how sure the choice is."""

from __future__ import annotations

import altair as alt
import pandas as pd

from econ.charts.grammar import axis, figure, finish
from econ.charts.shapes import describe
from econ.charts.tables import three
from econ.charts.theme import PALETTE
from econ.plan.decision import RENT, SPEED
from econ.terms import Slo

COST = "Cost (USD per million good output tokens)"
TIGHT = {"scale": alt.Scale(type="log", nice=False, padding=14)}  # no empty decades


def frontier_chart(frame: pd.DataFrame, simulated: pd.DataFrame, slo: Slo) -> alt.LayerChart:
    """`Plan.frontiers` and `Plan.simulated`: cost against speed for a user.

    Cost steps with whole replicas; the dashed line is the slowest stream that the SLO allows.
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
    simulation = "none was simulated"
    if len(real):
        columns = ["accelerator", "tokens_per_s_per_user", "cost_usd_per_good_mtok", "fleet_gpus"]
        star = alt.Chart(real[columns]).mark_point(shape="diamond", size=170, filled=True)
        layers.append(star.encode(x=x, y=y, color=color))
        best = real.iloc[0]
        simulation = (
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
        f"a step line an accelerator: {words}; {simulation}.",
    )


def losers_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`Plan.constraints`: what rules deployments out."""
    total = frame["n_deployments"].sum()
    feasible = frame.loc[frame["constraint"].str.startswith("none"), "n_deployments"].sum()
    return figure(
        frame.assign(label=[f"{n:,}" for n in frame["n_deployments"]]), "n_deployments",
        "constraint", kind="bar", label="label", x_title="Deployments",
        finding=f"{feasible / total:.0%} of {total:,} meet the SLO",
        says="Bars of deployments by what rules them out: "
        + describe(frame, "n_deployments", "constraint") + ".", height=34 * len(frame),
    )  # fmt: skip


def stress_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`stress_frame`: the best deployment's cost in each case, and whether the choice holds."""
    rows = frame.dropna(subset=["cost_usd_per_good_mtok"]).copy()
    rows["choice"] = ["same accelerator" if s else "another" for s in rows["same_choice"]]
    rows["label"] = [
        f"${r.cost_usd_per_good_mtok:.2f}  {int(r.fleet_gpus)} × {r.accelerator}"
        for r in rows.itertuples()
    ]
    base = alt.Chart(rows).encode(
        y=alt.Y("case:N", sort=rows["case"].tolist(), title=None),
        x=alt.X("cost_usd_per_good_mtok:Q", title=COST,
                scale=alt.Scale(domainMax=1.5 * rows["cost_usd_per_good_mtok"].max())),
    )  # fmt: skip
    kinds = [k for k in ("same accelerator", "another") if k in set(rows["choice"])]
    paint = {"same accelerator": PALETTE["blue"], "another": PALETTE["orange"]}
    mark = base.mark_bar().encode(
        color=alt.Color("choice:N", title=None, legend=alt.Legend(orient="top"),
                        scale=alt.Scale(domain=kinds, range=[paint[k] for k in kinds])),
    )  # fmt: skip
    names = base.mark_text(align="left", dx=4).encode(text="label:N")
    changed = int((~frame["same_choice"]).sum())
    lost = frame.loc[frame["cost_usd_per_good_mtok"].isna(), "case"].tolist()
    none = f" Nothing meets the SLO with: {', '.join(lost)}." if lost else ""
    return finish(
        alt.layer(mark, names).properties(height=30 * len(rows)),
        title=f"The choice changes in {changed} of {len(frame) - 1} stresses",
        description="Bars of cost per million good tokens: "
        + "; ".join(f"{r.case} {r.label}" for r in rows.itertuples()) + "." + none,
    )  # fmt: skip


def decision_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """`Decision.frame`: each option's yearly cost with its 90 % interval, and how often it wins."""
    rows = frame.reset_index()
    rows["label"] = [f"cheapest in {w:.0%} of cases" for w in rows["wins_frac"]]
    order = rows["option"].tolist()
    base = alt.Chart(rows).encode(y=alt.Y("option:N", sort=order, title=None))
    x_title = "Cost (USD per year)"
    span = base.mark_rule(strokeWidth=5, color=PALETTE["sky"]).encode(
        x=alt.X("low_usd:Q", **axis(x_title, True) | TIGHT), x2="high_usd:Q"
    )
    middle = base.mark_point(filled=True, size=90).encode(x=alt.X("median_usd:Q"))
    names = base.mark_text(align="left", dy=-12, fontSize=11).encode(
        x=alt.X("low_usd:Q"), text="label:N"
    )
    first = rows.iloc[0]
    return finish(
        alt.layer(span, middle, names).properties(height=54 * len(rows)),
        title=f"The first choice is the cheapest in {first.wins_frac:.0%} of cases",
        subtitle="Point: median; bar: 90 % of samples",
        description="; ".join(
            f"{r.option}: {three(r.low_usd)} to {three(r.high_usd)} USD a year, {r.label}"
            for r in rows.itertuples()
        ) + ".",
    )  # fmt: skip


def worth_chart(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """`measure_next_frame`: what knowing each input is worth."""
    rows = frame.assign(
        name=[name.replace(SPEED, "speed: ").replace(RENT, "rent: ") for name in frame["input"]],
        text=[f"${three(v)}" if v >= 1 else "nothing" for v in frame["value_usd"]],
    )
    first = rows.iloc[0]
    finding = "No measurement would change the choice"
    return figure(
        rows, "value_usd", "name", kind="bar", label="text", height=28 * len(rows),
        x_title="Value of knowing it before choosing (USD per year)",
        finding=f"Measure {first['name']} first" if first.value_usd >= 1 else finding,
    )  # fmt: skip
