"""The cases of notebook 03 by a second route: closed forms, hand counts, and what must hold."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from econ.lessons import goodput_cases as cases
from econ.scenario import Scenario
from econ.serving import Replica, StepCost, engine, max_rate_per_s, simulate, warm_up
from econ.terms import Slo
from econ.tokens.workloads import Workload, workload

SMALL = Replica(cost=StepCost.affine(6e-3, 45e-6, per_ctx_token_s=45e-9), kv_tokens=400_000)
CASE = Scenario.default().with_(ttft_s=0.5, tpot_s=0.05)
FEW = 600


@pytest.fixture(autouse=True, scope="module")
def _warm():
    warm_up()


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
    assert engine.available() == (cases.n_live() == cases.LIVE_REQUESTS)
    monkeypatch.setattr(engine, "_is_compiled", False)
    assert cases.n_live() == cases.LIVE_REQUESTS_WITHOUT_NUMBA
    monkeypatch.setattr(engine, "available", lambda: False)
    assert warm_up() is False
    assert not engine.compiled()
    frame = cases.live_load_frame(6.0, 1.0, "chunked_prefill", "scenario")
    assert (frame["n_requests"] == cases.LIVE_REQUESTS_WITHOUT_NUMBA).all()
