"""The charts of a plan say their numbers."""

from __future__ import annotations

import pandas as pd

from econ.charts import plan as plan_charts
from econ.plan import plan
from econ.scenario import Scenario

SCENARIO = Scenario.default()


def test_frontier_and_losers():
    answer = plan(SCENARIO, ["h100-sxm", "h200-sxm"], ["fp8"], [(4, 1, 1, 1)], n_refined=1, n=400,
                  concurrencies=[8, 32])  # fmt: skip
    best = answer.best
    chart = plan_charts.frontier_chart(answer.frontiers(), answer.rows.head(1), SCENARIO.slo)
    assert f"${best.cost_usd_per_good_mtok:.2f} on {best.fleet_gpus:.0f}" in chart.description
    lost = plan_charts.losers_chart(answer.constraints())
    assert f"of {len(answer.rows):,} deployments meet" in lost.title.text


def test_a_measurement_that_changes_nothing_is_said():
    frame = pd.DataFrame(
        {"input": ["load", "rent of x"], "value_usd": 0.0, "value_se_usd": 0.0, "may_swap": False}
    )
    assert plan_charts.worth_chart(frame).title.text == "No measurement would change the choice"
    frame["value_usd"], frame["value_se_usd"] = [0.0, 900.0], [0.0, 70.0]
    top = plan_charts.worth_chart(frame.iloc[::-1])
    assert top.title.text == "Measure rent: x first"
    frame["value_usd"], frame["may_swap"] = [870.0, 900.0], [False, True]
    both = plan_charts.worth_chart(frame.iloc[::-1])
    assert both.title.text == "Measure rent: x or load first"
    assert "$900 ± 70" in both.data["text"].tolist()
