"""The charts of a plan say their numbers."""

from __future__ import annotations

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
