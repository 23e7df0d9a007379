"""The tables and the charts of notebook 08, of the report and of the app."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from econ.charts import plan as plan_charts
from econ.latency.own_stack import compare_frame
from econ.lessons import chart_plan
from econ.lessons import plan_cases as cases
from econ.plan import Demand, describe_frame, peak_factor, plan
from econ.report import sources_frame
from econ.scenario import Scenario
from econ.tokens.workloads import workload

SCENARIO = Scenario.default()
TRACE = workload("chat").sample(600, 4)
QUICK = {"n_refined": 1, "n": 400, "precisions": ["fp8"], "concurrencies": [8, 32],
         "parallelism": [(1, 1, 1, 1), (4, 1, 1, 1)]}  # fmt: skip


@pytest.fixture(scope="module")
def made():
    return plan(SCENARIO, **QUICK)


# -- tables -------------------------------------------------------------------------------------
def test_a_trace_in_words():
    frame = describe_frame(TRACE).set_index("what")
    assert frame.loc["requests", "value"] == 600
    span = TRACE["arrival_s"].iloc[-1] - TRACE["arrival_s"].iloc[0]
    assert frame.loc["arrivals", "value"] == pytest.approx(599 / span)
    assert frame.loc["mean input", "value"] == TRACE["input_tokens"].mean()
    assert np.isnan(frame.loc["cached input", "value"])
    cached = TRACE.assign(cached_tokens=TRACE["input_tokens"] // 2)
    assert 0.4 < describe_frame(cached).set_index("what").loc["cached input", "value"] <= 0.5
    assert "arrivals" not in set(describe_frame(workload("batch").sample(50))["what"])


def test_the_peak_by_hand():
    busy = np.concatenate([np.arange(0, 1000, 10.0), 500 + np.arange(0, 50, 1.0)])
    trace = pd.DataFrame({"arrival_s": np.sort(busy), "input_tokens": 5, "output_tokens": 5})
    factor, window_s = peak_factor(trace, window_s=50)
    assert window_s == pytest.approx(990 / 20)
    assert 5 < factor < 9  # 5 + 50 in one window of 20, 150 in all
    assert peak_factor(trace.assign(arrival_s=0.0))[0] == 1.0
    rates = cases.arrivals_frame(trace, 10)["requests_per_s"]
    assert (rates * 99.0).sum() == pytest.approx(150)
    with pytest.raises(ValueError, match="all at once"):
        cases.arrivals_frame(trace.assign(arrival_s=0.0))


def test_frontiers_fall_to_the_left(made):
    frame = made.frontiers()
    for _, rows in frame.groupby("accelerator"):
        assert rows["tokens_per_s_per_user"].is_monotonic_increasing
        assert rows["cost_usd_per_good_mtok"].is_monotonic_increasing
    lost = made.rows[made.rows["basis"] == "rejected"]
    assert dataclasses.replace(made, rows=lost).frontiers().empty


def test_the_cheapest_at_another_promise_is_what_a_new_plan_says(made):
    other = SCENARIO.with_(ttft_s=2.0, tpot_s=0.03, rate_per_s=40.0)
    again = plan(other, **QUICK | {"n_refined": 0})
    fast = cases.cheapest_frame(made.rows, Demand(other))
    kept = again.feasible.drop_duplicates("accelerator")
    want = kept.set_index(kept["accelerator"].astype(str))["cost_usd_per_good_mtok"]
    have = fast.set_index("accelerator")["cost_usd_per_good_mtok"]
    assert set(have.index) == set(want.index)
    assert have.to_numpy() == pytest.approx(want[have.index].to_numpy())
    assert have.is_monotonic_increasing
    nobody = Demand(SCENARIO.with_(ttft_s=1e-6))
    assert cases.cheapest_frame(made.rows, nobody).empty


def test_tails_and_sources(made):
    tails = cases.tails_frame(made)
    assert (tails["simulated"] >= tails["screened"]).all()
    sources = sources_frame(made)
    assert {"workload", "calibration of latency"} <= set(sources["what"])
    assert sources["source"].is_unique


# -- charts -------------------------------------------------------------------------------------
def test_charts_say_their_numbers(made):
    best = made.best
    chart = plan_charts.frontier_chart(made.frontiers(), made.rows.head(1), SCENARIO.slo)
    assert f"${best.cost_usd_per_good_mtok:.2f} on {best.fleet_gpus:.0f}" in chart.description
    lost = plan_charts.losers_chart(made.constraints())
    assert f"of {len(made.rows):,} meet" in lost.title.text
    lengths = chart_plan.lengths_chart(cases.lengths_frame(TRACE))
    assert f"{TRACE['input_tokens'].quantile(0.5):,.0f} tokens" in lengths.description
    arrivals = chart_plan.arrivals_chart(cases.arrivals_frame(TRACE))
    assert "times the mean" in arrivals.title.text
    with pytest.raises(ValueError, match="relax a limit"):
        chart_plan.cheapest_chart(cases.cheapest_frame(made.rows, Demand(SCENARIO)).head(0))
    guess = chart_plan.cheapest_chart(cases.cheapest_frame(made.rows, Demand(SCENARIO)), guess=2.0)
    assert "your guess" in str(guess.to_dict())


def test_a_measurement_that_changes_nothing_is_said():
    frame = pd.DataFrame({"input": ["load", "rent of x"], "value_usd": [0.0, 0.0]})
    assert plan_charts.worth_chart(frame).title.text == "No measurement would change the choice"
    frame["value_usd"] = [0.0, 900.0]
    top = plan_charts.worth_chart(frame.iloc[::-1])
    assert top.title.text == "Measure rent: x first"


def test_ours_and_theirs_before_and_after():
    runs = pd.DataFrame({"concurrency": [4.0, 32.0], "input_tokens": 500.0, "output_tokens": 200.0,
                         "ttft_s": 0.1, "tpot_s": [0.01, 0.015]})  # fmt: skip
    runs["output_tokens_per_s"] = 1.0
    frame = compare_frame(runs, model="llama-3.1-8b", accelerator="h100-sxm")
    assert "2 runs" in chart_plan.own_chart(frame, frame).description


def test_the_panel_follows_and_refuses(made):
    panel = chart_plan.plan_panel(made)
    before = panel.readout
    assert panel.set(rate=500).readout != before
    panel.set(ttft=0.1, tpot=0.01)
    assert panel.readout.startswith(("Bars", "Not possible: no deployment meets this SLO"))
    panel._follow()
    assert len(panel.static().description) > 100
