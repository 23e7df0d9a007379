"""Charts of a plan: the frontier, what ruled out the rest, stress."""

from __future__ import annotations

from typing import Any

import pandas as pd

from econ.charts.grammar import figure, overlay
from econ.charts.plot import Drawing
from econ.charts.theme import PALETTE
from econ.charts.words import describe
from econ.terms import Slo

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
        f"${r.cost_usd_per_good_mtok:.2f}: {int(r.fleet_gpus)} × {r.accelerator}"
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
