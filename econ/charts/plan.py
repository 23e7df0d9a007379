"""Charts of a plan: the frontier, what ruled out the rest, stress, how sure the choice is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from econ.charts.grammar import figure, overlay
from econ.charts.plot import Drawing
from econ.charts.theme import PALETTE
from econ.charts.words import describe
from econ.plan.decision import RENT, SPEED
from econ.terms import Slo
from econ.uncertainty import rounded, with_error

COST = "Cost (USD per million good output tokens)"


def frontier_chart(frame: pd.DataFrame, simulated: pd.DataFrame, slo: Slo) -> Drawing:
    """`Plan.frontiers` and `Plan.simulated`: cost against speed for a user.

    Cost steps with whole replicas; the dashed line is the slowest stream that the SLO allows.
    """
    ends = frame.groupby("accelerator")["cost_usd_per_good_mtok"].min().sort_values()
    words = "; ".join(f"{name} from ${cost:.2f}" for name, cost in ends.items())
    frame = frame.sort_values("accelerator", key=lambda ids: ids.map(ends), kind="stable")
    real = simulated.assign(accelerator=simulated["accelerator"].astype(str))
    real = real[real["accelerator"].isin(ends.index)]
    axes: dict[str, Any] = {
        "x": "tokens_per_s_per_user", "y": "cost_usd_per_good_mtok", "by": "accelerator",
        "log": "xy", "x_title": "Speed for a user (output tokens per second)", "y_title": COST,
    }  # fmt: skip
    layers = [
        figure(frame, **axes, step="step-before", points=True, legend=True, height=340,
               rule_x=1 / slo.tpot_s, finding="Screened")
    ]  # fmt: skip
    simulation = "none was simulated"
    if len(real):
        layers.append(figure(real, **axes, kind="point", finding="Simulated"))
        best = real.iloc[0]
        simulation = (
            f"points apart from the lines were simulated: the cheapest costs "
            f"${best.cost_usd_per_good_mtok:.2f} on {best.fleet_gpus:.0f} {best.accelerator}"
        )
    return overlay(
        *layers,
        finding="Faster for a user costs more, in steps of whole replicas",
        subtitle="Lines: screened at mean lengths. Apart from them: simulated under real arrivals",
        says=f"Cost per million good output tokens over speed for a user, both logarithmic, "
        f"a step line an accelerator: {words}; {simulation}.",
    )


def losers_chart(frame: pd.DataFrame) -> Drawing:
    """`Plan.constraints`: what rules deployments out."""
    total = frame["n_deployments"].sum()
    feasible = frame.loc[frame["constraint"].str.startswith("none"), "n_deployments"].sum()
    return figure(
        frame.assign(label=[f"{n:,}" for n in frame["n_deployments"]]), "n_deployments",
        "constraint", kind="bar", label="label", x_title="Deployments",
        finding=f"{feasible / total:.0%} of {total:,} deployments meet the SLO",
        says="Bars of deployments by what rules them out: "
        + describe(frame, "n_deployments", "constraint") + ".", height=34 * len(frame),
    )  # fmt: skip


def stress_chart(frame: pd.DataFrame) -> Drawing:
    """`stress_frame`: the best deployment's cost in each case, and whether the choice holds."""
    rows = frame.dropna(subset=["cost_usd_per_good_mtok"]).copy()
    rows["choice"] = ["same accelerator" if s else "another" for s in rows["same_choice"]]
    rows["label"] = [
        f"${r.cost_usd_per_good_mtok:.2f}  {int(r.fleet_gpus)} × {r.accelerator}"
        for r in rows.itertuples()
    ]
    changed = int((~frame["same_choice"]).sum())
    lost = frame.loc[frame["cost_usd_per_good_mtok"].isna(), "case"].tolist()
    none = f" Nothing meets the SLO with: {', '.join(lost)}." if lost else ""
    return figure(
        rows, "cost_usd_per_good_mtok", "case", by="choice", kind="bar", label="label",
        colors={"same accelerator": PALETTE["blue"], "another": PALETTE["orange"]},
        x_title=COST, x_domain=(0.0, 1.5 * float(rows["cost_usd_per_good_mtok"].max())),
        finding=f"The choice changes in {changed} of {len(frame) - 1} stresses",
        says="Bars of cost per million good tokens: "
        + "; ".join(f"{r.case} {r.label}" for r in rows.itertuples()) + "." + none,
    )  # fmt: skip


def decision_chart(frame: pd.DataFrame) -> Drawing:
    """`Decision.frame`: each option's yearly cost with its 90 % interval, and how often it wins."""
    rows = frame.reset_index()
    rows["label"] = [
        with_error(r.wins_frac, r.wins_error_frac / 2, "cheapest in {}% of cases", scale=100)
        for r in rows.itertuples()
    ]
    return figure(
        rows, "median_usd", "option", low="low_usd", high="high_usd", label="label", kind="range",
        log="x", x_title="Cost (USD per year)",
        finding=f"The first choice is the cheapest in {rows['wins_frac'].iloc[0]:.0%} of cases",
        subtitle="Point: median; bar: 90 % of samples",
        says="; ".join(
            f"{r.option}: {rounded(r.low_usd, r.low_se_usd)} to "
            f"{rounded(r.high_usd, r.high_se_usd)} USD a year, {r.label}"
            for r in rows.itertuples()
        ) + ".",
    )  # fmt: skip


def worth_chart(frame: pd.DataFrame) -> Drawing:
    """`measure_next_frame`: what knowing each input is worth."""
    rows = frame.assign(
        name=[name.replace(SPEED, "speed: ").replace(RENT, "rent: ") for name in frame["input"]],
        text=[
            with_error(r.value_usd, r.value_se_usd) if r.value_usd >= 1 else "nothing"
            for r in frame.itertuples()
        ],
    )
    first, finding = rows.iloc[0], "No measurement would change the choice"
    if first["value_usd"] >= 1:
        other = f" or {rows['name'].iloc[1]}" if first["may_swap"] else ""
        finding = f"Measure {first['name']}{other} first"
    return figure(
        rows, "value_usd", "name", kind="bar", label="text", height=28 * len(rows),
        x_title="Value of knowing it before choosing (USD per year)",
        finding=finding, subtitle="± one standard error of the draws",
    )  # fmt: skip
