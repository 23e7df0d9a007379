"""The tables, the charts and the panel of lesson 15."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from econ.latency.own_stack import compare_frame
from econ.lessons import l15_workload as lesson
from econ.plan import Demand, plan
from econ.scenario import Scenario
from econ.tokens.workloads import workload

SCENARIO = Scenario.default()
TRACE = workload("chat").sample(600, 4)
QUICK = {"n_refined": 1, "n": 400, "precisions": ["fp8"], "concurrencies": [8, 32],
         "parallelism": [(1, 1, 1, 1), (4, 1, 1, 1)]}  # fmt: skip


@pytest.fixture(scope="module")
def made():
    return plan(SCENARIO, **QUICK)


def test_arrivals_in_windows_by_hand():
    busy = np.concatenate([np.arange(0, 1000, 10.0), 500 + np.arange(0, 50, 1.0)])
    trace = pd.DataFrame({"arrival_s": np.sort(busy), "input_tokens": 5, "output_tokens": 5})
    rates = lesson.arrivals_frame(trace, 10)["requests_per_s"]
    assert (rates * 99.0).sum() == pytest.approx(150)
    with pytest.raises(ValueError, match="all at once"):
        lesson.arrivals_frame(trace.assign(arrival_s=0.0))


def test_the_cheapest_at_another_slo_is_what_a_new_plan_says(made):
    other = SCENARIO.with_(ttft_s=2.0, tpot_s=0.03, rate_per_s=40.0)
    again = plan(other, **QUICK | {"n_refined": 0})
    fast = lesson.cheapest_frame(made.rows, Demand(other), 99)
    kept = again.feasible.drop_duplicates("accelerator")
    want = kept.set_index(kept["accelerator"].astype(str))["cost_usd_per_good_mtok"]
    have = fast.set_index("accelerator")["cost_usd_per_good_mtok"]
    assert set(have.index) == set(want.index)
    assert have.to_numpy() == pytest.approx(want[have.index].to_numpy())
    assert have.is_monotonic_increasing
    nobody = Demand(SCENARIO.with_(ttft_s=1e-6))
    assert lesson.cheapest_frame(made.rows, nobody).empty


def test_simulated_replicas_are_at_least_the_screened(made):
    tails = lesson.tails_frame(made)
    assert (tails["simulated"] >= tails["screened"]).all()


def test_charts_say_their_numbers(made):
    lengths = lesson.lengths_chart(lesson.lengths_frame(TRACE))
    assert f"{TRACE['input_tokens'].quantile(0.5):,.0f} tokens" in lengths.description
    arrivals = lesson.arrivals_chart(lesson.arrivals_frame(TRACE))
    assert "times the mean rate" in arrivals.title.text
    cheapest = lesson.cheapest_frame(made.rows, Demand(SCENARIO))
    with pytest.raises(ValueError, match="relax a limit"):
        lesson.cheapest_chart(cheapest.head(0))
    assert "your guess" in str(lesson.cheapest_chart(cheapest, guess=2.0).to_dict())


def test_ours_and_theirs_before_and_after():
    runs = pd.DataFrame({"concurrency": [4.0, 32.0], "input_tokens": 500.0, "output_tokens": 200.0,
                         "ttft_s": 0.1, "tpot_s": [0.01, 0.015]})  # fmt: skip
    runs["output_tokens_per_s"] = 1.0
    frame = compare_frame(runs, model="llama-3.1-8b", accelerator="h100-sxm")
    assert "2 runs" in lesson.own_chart(frame, frame).description


def test_the_panel_follows_and_refuses(made):
    panel = lesson.plan_panel(made)
    before = panel.readout
    assert panel.set(rate=500).readout != before
    panel.set(ttft=0.1, tpot=0.01)
    assert " per million good tokens. Bars of " in panel.readout

    panel._follow()
    assert len(panel.static().description) > 100
