"""The form, the tables and the charts of notebook 08."""

from __future__ import annotations

import base64
import re

import numpy as np
import pandas as pd
import pytest

from econ.latency.own_stack import compare_frame
from econ.lessons import chart_plan
from econ.lessons import plan_cases as cases
from econ.lessons.planner import Planner
from econ.plan.planner import constraints_frame, demand_of, plan
from econ.plan.search import Demand
from econ.scenario import Scenario, Slo
from econ.tokens.workloads import workload

SCENARIO = Scenario.default()
TRACE = workload("chat").sample(600, 4)
QUICK = {"n_refined": 1, "n": 400, "precisions": ["fp8"], "concurrencies": [8, 32],
         "parallelism": [(1, 1, 1, 1), (4, 1, 1, 1)]}  # fmt: skip


@pytest.fixture(scope="module")
def made():
    return plan(SCENARIO, **QUICK)


@pytest.fixture
def form():
    return Planner(n_requests=300)


# -- tables -------------------------------------------------------------------------------------
def test_a_trace_in_words():
    frame = cases.describe_frame(TRACE).set_index("what")
    assert frame.loc["requests", "value"] == 600
    span = TRACE["arrival_s"].iloc[-1] - TRACE["arrival_s"].iloc[0]
    assert frame.loc["arrivals", "value"] == pytest.approx(599 / span)
    assert frame.loc["mean input", "value"] == TRACE["input_tokens"].mean()
    assert np.isnan(frame.loc["cached input", "value"])
    cached = TRACE.assign(cached_tokens=TRACE["input_tokens"] // 2)
    assert 0.4 < cases.describe_frame(cached).set_index("what").loc["cached input", "value"] <= 0.5
    assert "arrivals" not in set(cases.describe_frame(workload("batch").sample(50))["what"])


def test_the_peak_by_hand():
    busy = np.concatenate([np.arange(0, 1000, 10.0), 500 + np.arange(0, 50, 1.0)])
    trace = pd.DataFrame({"arrival_s": np.sort(busy), "input_tokens": 5, "output_tokens": 5})
    factor, window_s = cases.peak_factor(trace, window_s=50)
    assert window_s == pytest.approx(990 / 20)
    assert 5 < factor < 9  # 5 + 50 in one window of 20, 150 in all
    assert cases.peak_factor(trace.assign(arrival_s=0.0))[0] == 1.0
    rates = cases.arrivals_frame(trace, 10)["requests_per_s"]
    assert (rates * 99.0).sum() == pytest.approx(150)
    with pytest.raises(ValueError, match="all at once"):
        cases.arrivals_frame(trace.assign(arrival_s=0.0))


def test_frontiers_fall_to_the_left(made):
    frame = cases.frontiers_frame(made)
    for _, rows in frame.groupby("accelerator"):
        assert rows["tokens_per_s_per_user"].is_monotonic_increasing
        assert rows["cost_usd_per_good_mtok"].is_monotonic_increasing
    assert cases.frontiers_frame(made[made["basis"] == "rejected"]).empty


def test_the_cheapest_at_another_promise_is_what_a_new_plan_says(made):
    other = SCENARIO.with_(slo=Slo(ttft_s=2.0, tpot_s=0.03))
    again = plan(other, rate_per_s=40.0, **QUICK | {"n_refined": 0})
    fast = cases.cheapest_frame(made, demand_of(other, 40.0))
    kept = again[again["basis"] == "screened"].drop_duplicates("accelerator")
    want = kept.set_index(kept["accelerator"].astype(str))["cost_usd_per_good_mtok"]
    have = fast.set_index("accelerator")["cost_usd_per_good_mtok"]
    assert set(have.index) == set(want.index)
    assert have.to_numpy() == pytest.approx(want[have.index].to_numpy())
    assert have.is_monotonic_increasing
    nobody = Demand(rate_per_s=1, input_tokens=9, output_tokens=9, slo=Slo(ttft_s=1e-6, tpot_s=1))
    assert cases.cheapest_frame(made, nobody).empty


def test_tails_and_sources(made):
    tails = cases.tails_frame(made)
    assert (tails["simulated"] >= tails["screened"]).all()
    sources = cases.sources_frame(SCENARIO, made)
    assert {"workload", "calibration of latency"} <= set(sources["what"])
    assert sources["source"].is_unique


# -- charts -------------------------------------------------------------------------------------
def test_charts_say_their_numbers(made):
    best = made.iloc[0]
    chart = chart_plan.frontier_chart(cases.frontiers_frame(made), made.head(1), SCENARIO.slo)
    assert f"${best.cost_usd_per_good_mtok:.2f} on {best.fleet_gpus:.0f}" in chart.description
    lost = chart_plan.losers_chart(constraints_frame(made))
    assert f"of {len(made):,} keep" in lost.title.text
    lengths = chart_plan.lengths_chart(cases.lengths_frame(TRACE))
    assert f"{TRACE['input_tokens'].quantile(0.5):,.0f} tokens" in lengths.description
    arrivals = chart_plan.arrivals_chart(cases.arrivals_frame(TRACE))
    assert "times the mean" in arrivals.title.text
    with pytest.raises(ValueError, match="relax a limit"):
        chart_plan.cheapest_chart(cases.cheapest_frame(made, demand_of(SCENARIO)).head(0))
    guess = chart_plan.cheapest_chart(cases.cheapest_frame(made, demand_of(SCENARIO)), guess=2.0)
    assert "your guess" in str(guess.to_dict())


def test_a_measurement_that_changes_nothing_is_said():
    frame = pd.DataFrame({"input": ["load", "rent of x"], "value_usd": [0.0, 0.0]})
    assert chart_plan.worth_chart(frame).title.text == "No measurement would change the choice"
    frame["value_usd"] = [0.0, 900.0]
    top = chart_plan.worth_chart(frame.iloc[::-1])
    assert top.title.text == "Measure rent: x first"


def test_ours_and_theirs_before_and_after():
    runs = pd.DataFrame({"concurrency": [4.0, 32.0], "input_tokens": 500.0, "output_tokens": 200.0,
                         "ttft_s": 0.1, "tpot_s": [0.01, 0.015]})  # fmt: skip
    runs["output_tokens_per_s"] = 1.0
    frame = compare_frame(runs, model="llama-3.1-8b", accelerator="h100-sxm")
    assert "2 runs" in chart_plan.own_chart(frame, frame).description


def test_the_panel_follows_and_refuses(made):
    panel = chart_plan.plan_panel(made, SCENARIO)
    before = panel.readout
    assert panel.set(rate=500).readout != before
    panel.set(ttft=0.1, tpot=0.01)
    assert panel.readout.startswith(("Bars", "Not possible: no deployment keeps this promise"))
    panel._follow()
    assert len(panel.static().description) > 100


# -- the form -----------------------------------------------------------------------------------
def test_the_form_plans_what_its_controls_say(form):
    form.controls["accelerators"].value = ("h100-sxm", "h200-sxm")
    form.controls["tpot"].value = 0.04
    form.controls["rate"].value = 2.0
    assert form.scenario.slo.tpot_s == 0.04
    assert form.scenario.workload.rate_per_s == pytest.approx(2 * workload("chat").rate_per_s)
    form.run(**QUICK)
    assert form.plan is not None
    assert form.readout.split(" × ")[1].startswith(("h100-sxm", "h200-sxm"))
    links = re.findall(r'download="([^"]+)" href="data:[^;]+;base64,([^"]+)"', form._shows.value)
    assert [name for name, _ in links] == ["report.html", "plan.csv", "plan.parquet",
                                           "scenario.json"]  # fmt: skip
    taken = Scenario.from_json(base64.b64decode(links[3][1]).decode())
    assert taken == form.scenario


def test_an_upload_takes_the_workloads_place(form):
    data = TRACE.to_csv(index=False).encode()
    form.load("monday.csv", data)
    assert form.readout == "monday: 600 requests."
    assert form.scenario.workload.id == "own"
    assert len(form.trace) == 600
    form.controls["workload"].value = "rag"
    assert form.workload.id == "rag"


def test_a_bad_upload_is_said_and_the_last_good_one_stays(form):
    before = form.trace
    form.load("<i>x</i>.csv", b"arrival_s,input_tokens,output_tokens\n0,1,=2\n")
    assert "is a formula" in form.readout
    assert "<i>" not in form._says.value
    assert form.trace is before
    form.upload.value = ({"name": "x.xlsx", "type": "", "size": 1, "content": memoryview(b"x"),
                          "last_modified": pd.Timestamp("2026-01-01", tz="UTC")},)  # fmt: skip
    assert "give a .csv or a .parquet file" in form.readout


def test_what_cannot_be_planned_is_said(form):
    form.controls["tpot"].value = 0.001
    form.run(**QUICK)
    assert "keeps the promise; ruled out by" in form.readout
    assert form.plan is None
    assert not form.button.disabled


def test_its_twin_in_print_is_words(form, monkeypatch, capsys):
    monkeypatch.setenv("ECON_STATIC", "1")
    form._ipython_display_()
    assert "a form stands here" in capsys.readouterr().out
