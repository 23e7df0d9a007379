"""Goodput: joint limits by hand, rates that hold, cost per good token, real traces."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from econ.catalog import table
from econ.catalog.units import DAY_S, HOUR_S
from econ.scenario import Scenario
from econ.serving import (
    Disaggregated,
    Replica,
    StepCost,
    cost_surface_frame,
    diurnal_trace,
    draw_requests,
    frontier_frame,
    hourly_frame,
    max_rate_per_s,
    serve,
    simulate,
    slo_preset,
    slos_frame,
)
from econ.serving.queueing import md1_wait_s
from econ.terms import Slo
from econ.tokens.traces import fetch_trace, read_azure, trace_statistics, traces_frame
from econ.tokens.workloads import workload

COST = StepCost.affine(6e-3, 45e-6, per_ctx_token_s=45e-9)
REPLICA = Replica(cost=COST, kv_tokens=400_000, max_batch=128, token_budget=1024)
SLO = Slo(ttft_s=0.5, tpot_s=0.05, attainment_frac=0.95)
CASE = Scenario.default().with_(slo=SLO)
RAW = Path(__file__).parents[3] / "shared" / "sources" / "azure_llm_2023"


def test_joint_limits_by_hand():
    # one at a time, 1 s a step: TTFT 1, 4, 5 s; TPOT 1, –, 1 s
    replica = Replica(cost=StepCost.affine(1.0), kv_tokens=100, max_batch=1)
    result = simulate([0.0, 0.0, 0.0], [1, 1, 1], [3, 1, 3], replica)
    assert result.ttft_s.tolist() == [1.0, 4.0, 5.0]
    good = result.goodput(4.0, 1.0)
    assert (good.good_frac, good.binding) == (pytest.approx(2 / 3), "ttft")
    assert good == good.requests_per_s == pytest.approx(2 / 7)
    assert good.tokens_per_s == pytest.approx(4 / 7)
    tight = result.goodput(9.0, 0.5)  # only the single-token answer has no TPOT to miss
    assert (tight.good_frac, tight.binding) == (pytest.approx(1 / 3), "tpot")
    assert result.goodput(9.0, 9.0).binding == "none"
    assert result.goodput(1.0, 0.5).good_frac == 0.0
    with pytest.raises(ValueError, match="slo_ttft_s = 0"):
        result.goodput(0, 1)


def test_each_limit_alone_can_hold_where_both_fail():
    replica = Replica(cost=StepCost.affine(1.0), kv_tokens=100, policy="prefill_first", max_batch=2)
    result = simulate([0.0, 1.5], [1, 1], [4, 2], replica)
    good = result.goodput(1.2, 1.2)
    assert good.ttft_met_frac == good.tpot_met_frac == 0.5
    assert (good.good_frac, good.binding) == (0.0, "both")


def test_unfinished_requests_are_not_good():
    replica = Replica(cost=StepCost.affine(1.0), kv_tokens=100)
    result = simulate([0.0, 5.0], [1, 1], [2, 2], replica, until_s=3.0)
    assert result.goodput(9.0, 9.0).good_frac == 0.5


def test_max_rate_brackets_the_attainment():
    rate = max_rate_per_s(CASE, replica=REPLICA, n=1500)
    below, above = (
        simulate(CASE, rate_per_s=r, replica=REPLICA, n=1500) for r in (rate, rate * 1.03)
    )
    assert below.meets_slo
    assert below.good_frac >= SLO.attainment_frac
    assert above.good_frac < SLO.attainment_frac
    assert max_rate_per_s(CASE.with_(attainment_frac=0.5), replica=REPLICA, n=1500) > rate


def test_max_rate_of_a_queue_with_a_known_answer():
    """Without a binding limit the answer is the capacity: one prefill a second, one at a time."""
    replica = Replica(cost=StepCost.affine(1.0), kv_tokens=10_000, max_batch=1)
    rng = np.random.default_rng(0)
    trace = pd.DataFrame(
        {"arrival_s": np.cumsum(rng.exponential(1, 20_000)), "input_tokens": 9, "output_tokens": 1}
    )
    loose = CASE.with_(ttft_s=80_000, tpot_s=1, attainment_frac=0.9)
    rate = max_rate_per_s(loose, replica=replica, trace=trace)
    assert rate == pytest.approx(1.05, abs=0.06)  # 5 % of the requests may be left waiting
    mean_s = serve(draw_requests(trace, 0.6, 1), replica).ttft_s.mean()
    assert mean_s - 1.0 == pytest.approx(md1_wait_s(0.6, 1.0), rel=0.06)


def test_max_rate_is_zero_or_refused_where_there_is_none():
    assert max_rate_per_s(CASE.with_(ttft_s=1e-3, tpot_s=1), replica=REPLICA, n=100) == 0.0
    with pytest.raises(ValueError, match="all at once"):
        max_rate_per_s(CASE.with_(workload=workload("batch")), replica=REPLICA)
    with pytest.raises(ValueError, match="attainment_frac = 95"):
        max_rate_per_s(CASE.with_(attainment_frac=95), replica=REPLICA)


def test_a_looser_slo_carries_more():
    rates = [
        max_rate_per_s(CASE.with_(ttft_s=limit_s), replica=REPLICA, n=600)
        for limit_s in (0.3, 0.6, 1.2)
    ]
    assert rates == sorted(rates)


def test_bursts_cost_goodput():
    bursty = CASE.with_(arrival_cv=3.0)
    assert max_rate_per_s(bursty, replica=REPLICA, n=1500) < max_rate_per_s(
        CASE, replica=REPLICA, n=1500
    )


def test_disaggregation_takes_the_same_road():
    pools = Disaggregated(prefill=REPLICA, decode=REPLICA, kv_transfer_s_per_token=1e-6)
    assert simulate(CASE, rate_per_s=2.0, replica=pools, n=300).good_frac > 0.9


def test_throughput_is_bought_with_interactivity():
    frame = frontier_frame(CASE, [1, 4, 16, 64], replica=REPLICA, n=800)
    assert frame["throughput_tokens_per_s_per_gpu"].is_monotonic_increasing
    assert frame["interactivity_tokens_per_s"].is_monotonic_decreasing
    alone = frame.iloc[0]
    assert alone.interactivity_tokens_per_s == pytest.approx(
        1 / COST.step_s(n_decode=1, context_tokens=1155), rel=0.05
    )


def test_cost_surface_falls_with_looser_limits_and_meets_the_bill():
    case = CASE.with_(cost_usd_per_gpu_hour=2.0)
    result = simulate(case, rate_per_s=6.0, replica=REPLICA, n=1500).requests
    limits = [0.05, 0.2, 1.0, 10.0]
    frame = cost_surface_frame(case, result, limits, [0.01, 0.05, 1.0])
    values = frame["cost_usd_per_good_mtok"].to_numpy().reshape(4, 3)
    assert (values[1:] <= values[:-1]).all()
    assert (values[:, 1:] <= values[:, :-1]).all()
    everything = 2.0 * 4 * result.span_s / HOUR_S / result.output_tokens.sum() * 1e6
    assert values[-1, -1] == pytest.approx(everything)
    half = cost_surface_frame(case.with_(utilisation_frac=0.5), result, [10.0], [1.0])
    assert half["cost_usd_per_good_mtok"].iloc[0] == pytest.approx(2 * everything)
    none = cost_surface_frame(case, result, [1e-6], [1.0])
    assert none["cost_usd_per_good_mtok"].iloc[0] == math.inf


def test_a_day_has_its_mean_its_peak_and_its_trough():
    trace = diurnal_trace(workload("chat"), 0.5, 1.6)
    day = trace
    assert day["arrival_s"].max() < DAY_S
    assert len(day) == pytest.approx(0.5 * DAY_S, rel=0.03)
    hours = np.bincount((day["arrival_s"] // HOUR_S).astype(int), minlength=24) / HOUR_S
    assert hours.max() == pytest.approx(0.5 * 1.6, rel=0.12)
    assert hours.min() == pytest.approx(0.5 * 0.4, rel=0.2)
    assert hours.argmax() in range(9, 15)
    result = serve(trace, REPLICA)
    by_hour = hourly_frame(result, SLO)
    assert by_hour["n_requests"].sum() == len(trace)
    share = (by_hour["good_frac"] * by_hour["n_requests"]).sum() / len(trace)
    assert share == pytest.approx(result.goodput(SLO.ttft_s, SLO.tpot_s).good_frac)
    with pytest.raises(ValueError, match="peak_to_mean_factor"):
        diurnal_trace(workload("chat"), 1.0, 3.0)


def test_presets():
    assert len(slos_frame()) == len(table("slos"))
    for id in slos_frame().index:
        assert slo_preset(id).attainment_frac == 0.99
    with pytest.raises(ValueError, match="nearest: chat"):
        slo_preset("chatt")


@pytest.mark.skipif(not RAW.exists(), reason="raw traces are not part of the project")
@pytest.mark.parametrize("id", ["azure-conv", "azure-code"])
def test_statistics_are_those_of_the_raw_rows(id):
    row = traces_frame().loc[id]
    trace = read_azure(RAW / row.url.rsplit("/", 1)[1])
    for name, value in trace_statistics(trace).items():
        assert row[name] == pytest.approx(value, rel=1e-3), name


def test_a_fetched_trace_must_match_its_checksum(tmp_path):
    pooch = pytest.importorskip("pooch")
    name = traces_frame().loc["azure-code"].url.rsplit("/", 1)[1]
    raw = RAW / name
    if not raw.exists():
        pytest.skip("raw traces are not part of the project")
    (tmp_path / name).write_bytes(raw.read_bytes())
    assert len(fetch_trace("azure-code", tmp_path)) == 8819  # already there: no network
    assert pooch.file_hash(str(raw)) == traces_frame().loc["azure-code"].sha256
    with pytest.raises(ValueError, match="nearest: azure-code"):
        fetch_trace("azure-cod")


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"x\.csv: no column TIMESTAMP"):
        read_azure(path)
