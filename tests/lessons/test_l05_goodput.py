"""Lesson 05 by a second route: closed forms, hand counts, what must hold, panels that follow."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pandas as pd
import pytest

from econ.latency.runs import sample_runs
from econ.ledger.serving_runs import simulated_runs_frame
from econ.lessons import l05_goodput as cases
from econ.lessons.l05_goodput import default_case, live_load_frame, queues
from econ.scenario import Scenario
from econ.serving import (
    Replica,
    StepCost,
    compiled,
    max_rate_per_s,
    pools,
    simulate,
    warm_up,
)
from econ.terms import Slo
from econ.tokens.workloads import Workload, workload


@pytest.fixture(autouse=True, scope="module")
def _warm():
    warm_up()


SMALL = Replica(cost=StepCost.affine(6e-3, 45e-6, per_ctx_token_s=45e-9), kv_tokens=400_000)
CASE = Scenario.default().with_(ttft_s=0.5, tpot_s=0.05)
FEW = 600


def test_percentiles_by_hand():
    """Five requests far apart, 1 s a step: TTFT 1 s, TPOT 1 s, each half or twice its limit."""
    lone = Replica(cost=StepCost.affine(1.0), kv_tokens=640)
    result = simulate(np.arange(5) * 100.0, [8] * 5, [3] * 5, lone)
    frame = cases.percentiles_frame(result, Slo(ttft_s=2.0, tpot_s=0.5))
    assert set(frame[frame["what"] == "TTFT"]["of_limit"]) == {0.5}
    assert set(frame[frame["what"] == "TPOT"]["of_limit"]) == {2.0}
    assert (frame["good_frac"] == 0).all()
    assert (frame["binding"] == "tpot").all()


def test_good_requests_are_never_more_than_completed_ones():
    frame = cases.knee_frame(CASE, [1.0, 5.0, 20.0], replica=SMALL, n=FEW)
    wide = frame.pivot_table(index="rate_per_s", columns="what", values="requests_per_s")
    assert (wide["good"] <= wide["completed"] + 1e-12).all()
    share = frame[frame["what"] == "good"].set_index("rate_per_s")["good_frac"]
    assert (wide["good"] / wide["completed"]).to_numpy() == pytest.approx(share.to_numpy())


def test_bursts_hurt_and_what_is_overloaded_is_left_out():
    frame = cases.bursts_frame(CASE, [1, 4], [2.0, 4.0, 1000.0], replica=SMALL, n=FEW)
    assert frame["rate_per_s"].max() < 1000
    tails = frame.pivot_table(index="rate_per_s", columns="arrivals", values="p99_ttft_s")
    assert (tails["gaps vary by 4 × their mean"] > tails["Poisson"]).all()


def test_saturation_is_what_equal_requests_allow():
    """Equal requests, decode only by far: batch / (tokens × step) requests a second."""
    flat = Workload(id="flat", input_quantile_tokens=(1,) * 18, output_quantile_tokens=(100,) * 18)
    machine = Replica(cost=StepCost.affine(0.01), kv_tokens=10**6, max_batch=10)
    case = CASE.with_(workload=flat)
    assert cases.saturation_per_s(case, replica=machine, n=1000) == pytest.approx(
        10 / (100 * 0.01), rel=0.02
    )


def test_an_slo_is_met_at_its_rate_and_costs_throughput():
    frame = cases.slos_cost_frame(CASE, ["chat", "chat-interactive"], replica=SMALL, n=FEW)
    assert frame["share_of_throughput"].between(0, 1.1).all()
    assert frame["rate_per_s"].iloc[0] > frame["rate_per_s"].iloc[1]
    row = frame.iloc[1]
    limits = Slo(ttft_s=row.ttft_s, tpot_s=row.tpot_s, attainment_frac=0.99)
    assert row.rate_per_s == max_rate_per_s(CASE.with_(slo=limits), replica=SMALL, n=FEW)


def test_a_closed_loop_hides_what_an_open_one_shows():
    frame = cases.loops_frame(CASE, 60, [1.0, 1.5], replica=SMALL, n_requests=(FEW, 4 * FEW))
    grown = cases.grown(frame)
    assert grown.index[0] == "closed"
    assert grown.iloc[0] < 2  # about as much as the steps
    assert grown.iloc[2] > grown.iloc[1] > 3  # and the longer one watches
    same = frame[frame["slowdown"] == 1.0]["requests_per_s"]
    assert same.iloc[1:].to_numpy() == pytest.approx(same.iloc[0], rel=0.2)


def test_the_wait_grows_above_saturation_and_not_below():
    frame = cases.watch_frame(CASE, [0.5, 1.5], replica=SMALL, n=2000, n_bins=10)
    ends = frame.groupby("load", sort=False)["ttft_s"].agg(["first", "last"])
    assert ends["last"].iloc[0] < 1
    assert ends["last"].iloc[1] > 5 * ends["first"].iloc[1]
    assert frame["backlog"].max() > 100


def test_the_two_means_by_a_second_route():
    frame = cases.averages_frame([("code", 0.5, 3)], n=FEW)
    row = frame.iloc[0]
    load = dataclasses.replace(workload("code"), arrival_cv=3)
    result = simulate(Scenario.default().with_(workload=load), rate_per_s=0.5, n=FEW).requests
    known = pd.DataFrame({"t": result.tpot_s, "n": result.output_tokens - 1}).dropna()
    assert row.per_request_ms == pytest.approx(1e3 * known["t"].mean())
    assert row.per_token_ms == pytest.approx(1e3 * np.average(known["t"], weights=known["n"]))
    assert row.factor > 1.1


def test_more_requests_narrow_the_answer():
    frame = cases.seeds_frame(CASE, range(4), [100, 1600], replica=SMALL)
    spread = (frame["high_per_s"] - frame["low_per_s"]) / frame["median_per_s"]
    assert spread.iloc[1] < spread.iloc[0]
    assert (frame["low_per_s"] <= frame["median_per_s"]).all()


def test_without_a_compiled_engine_a_panel_simulates_fewer(monkeypatch):
    assert compiled.available() == (cases.n_live() == cases.LIVE_REQUESTS)
    monkeypatch.setattr(compiled, "_loaded", set())
    monkeypatch.setattr(compiled, "native", lambda: None)
    assert cases.n_live() == cases.LIVE_REQUESTS_WITHOUT_NUMBA
    monkeypatch.setattr(compiled, "has_numba", lambda: False)
    assert warm_up() is False
    assert not compiled.loaded()
    frame = cases.live_load_frame(6.0, 1.0, "chunked_prefill", "scenario")
    assert (frame["n_requests"] == cases.LIVE_REQUESTS_WITHOUT_NUMBA).all()


@pytest.fixture(scope="module")
def compared():
    """Every second measured run, simulated."""
    return simulated_runs_frame(sample_runs().iloc[::2], n_most=400)


def test_the_price_of_a_good_token_is_rent_over_good_tokens():
    frame = cases.live_cost_frame(6.0, 1.0, 2.0)
    case = default_case()[0].with_(arrival_cv=1.0)
    n = int(frame["n_requests"].iloc[0])
    result = simulate(case, rate_per_s=6.0, n=n).requests
    row = frame[(frame["ttft_limit_s"] == 1.0) & (frame["tpot_limit_ms"] == 50.0)].iloc[0]
    fine = (result.ttft_s <= 1.0) & ~(result.tpot_s > 0.05)
    spent_usd = 4 * 2.0 / 3600 * result.span_s
    assert row.cost_usd_per_good_mtok == pytest.approx(
        spent_usd / result.output_tokens[fine].sum() * 1e6, rel=1e-9
    )
    grid = frame.pivot_table(
        index="ttft_limit_s", columns="tpot_limit_ms", values="cost_usd_per_good_mtok"
    )
    # a looser limit never makes a good token dearer
    assert (np.diff(grid.to_numpy(), axis=0) <= 1e-9).all()
    assert (np.diff(grid.to_numpy(), axis=1) <= 1e-9).all()
    nothing = cases.live_cost_frame(14.0, 1.0, 2.0)["cost_usd_per_good_mtok"]
    assert math.isinf(nothing.iloc[0])


def test_curves_hold_four_deployments_and_their_own_numbers():
    runs = simulated_runs_frame()
    frame = cases.curves_frame(runs)
    assert frame["pair"].nunique() >= 4
    one = frame[frame["metric"] == "TPOT"].iloc[0]
    model, rest = one.pair.split(", ")
    mine = runs[(runs["model"] == model) & (runs["accelerator"] == rest.split(" × ")[1])]
    assert np.isclose(mine["measured_tpot_s"] * 1e3, one.measured_ms).any()


def test_errors_are_those_of_the_ratios(compared):
    frame = cases.answers_frame(compared).set_index("metric")
    assert frame.loc["TPOT", "median_frac"] == (compared["tpot_ratio"] - 1).abs().median()
    assert frame.loc["TTFT", "too_low_frac"] == (compared["ttft_ratio"] < 1).mean()
    # most of an answer is decoding
    assert frame.loc["whole answer", "median_frac"] < frame.loc["TTFT", "median_frac"]


@pytest.mark.parametrize("live", [
    lambda: live_load_frame(8.0, 1.0, "chunked_prefill", "scenario"),
    lambda: cases.live_cost_frame(8.0, 1.0, 3.0),
])  # fmt: skip
def test_a_panel_s_call_simulates_each_time(live, monkeypatch):
    """The live path: every call runs the engine again, nothing is looked up."""
    spent = []
    plain = pools.run_engine
    monkeypatch.setattr(pools, "run_engine", lambda *a: (spent.append(a[0]), plain(*a))[1])
    live()
    first = len(spent)
    live()
    assert first > 0
    assert len(spent) == 2 * first
    assert len(set(spent)) == 1
    assert ("python" not in spent) == compiled.available()


@pytest.mark.skipif(not compiled.available(), reason="neither a C compiler nor numba")
def test_ten_thousand_requests_are_simulated_by_the_compiled_engine():
    case, replica = default_case()
    assert simulate(case, rate_per_s=8.0, replica=replica).requests.engine != "python"


def test_the_closed_form_has_the_exponential_law_s_ratios():
    frame = cases.mm1_frame([0.3, 0.9]).pivot_table(
        index="load_percent", columns="what", values="service_times"
    )
    assert (frame["P99"] / frame["mean"]).to_numpy() == pytest.approx(np.log(100))
    assert (frame["P50"] / frame["mean"]).to_numpy() == pytest.approx(np.log(2))
    assert frame["mean"].to_numpy() == pytest.approx([1 / 0.7, 10.0])


def test_a_queue_by_hand_is_the_simulators():
    by_hand = pd.DataFrame({"gap_s": [0.0, 1, 1, 5], "service_s": [2.0, 2, 2, 2]})
    assert cases.waits_s(by_hand).tolist() == [0, 1, 2, 0]
    drawn = cases.drawn_queue(0.8, n=5000)
    own = queues._waits_s(drawn["gap_s"].to_numpy(), drawn["service_s"].to_numpy())
    assert cases.waits_s(drawn).mean() == pytest.approx(own.mean(), rel=0.01)


def test_the_simulator_is_each_textbook_queue_within_sampling_error():
    frame = cases.queues_frame(0.5, n=200_000)
    known = frame.dropna(subset=["simulated"])
    exact = known[known["queue"] != "gaps vary twice as much"]  # Kingman's is an approximation
    assert len(exact) == 5
    assert exact["simulated"].to_numpy() == pytest.approx(exact["formula"].to_numpy(), rel=0.1)
    assert frame["simulated"].isna().sum() == 2
    with pytest.raises(ValueError, match=r"load_frac = 1\.5"):
        cases.queues_frame(1.5)


PANELS = {
    "load": (cases.load_panel, {"rate": 11}),
    "cost": (cases.cost_panel, {"rate_per_s": 11}),
}


@pytest.mark.parametrize("name", PANELS)
def test_panels_follow_their_controls(name):
    build, move = PANELS[name]
    panel = build()
    before, spec, rows = panel.readout, panel._live.spec, panel._live.rows
    panel.set(**move)
    assert panel.readout != before
    assert panel._live.rows != rows
    assert panel._live.spec is spec  # rows and title move in place; nothing is drawn anew
    assert len(panel.static().description) > 200


def test_without_numba_the_panel_says_so(monkeypatch):
    monkeypatch.setattr(compiled, "_loaded", set())
    monkeypatch.setattr(compiled, "native", lambda: None)
    monkeypatch.setattr(compiled, "has_numba", lambda: False)
    panel = cases.load_panel()
    assert "1,000 requests" in panel.readout
    assert "Without numba" in panel.readout
    assert f"{cases.LIVE_REQUESTS_WITHOUT_NUMBA:,} simulated requests" in str(panel._live.spec)


def test_more_load_is_fewer_good_and_an_overload_is_named():
    panel = cases.load_panel()
    shares = []
    for rate in (4, 9, 14):
        panel.set(rate=rate)
        shares.append(float(re.search(r"([\d.]+)% are good", panel.readout)[1]))
    assert shares == sorted(shares, reverse=True)
    assert "the queue grows" in panel.readout


def test_a_price_without_a_good_token_is_said():
    panel = cases.cost_panel().set(rate_per_s=14, arrival_cv=4)
    assert "no token is good" in panel.readout
    assert any(row["cost"] is None for row in panel._live.rows)
