"""Arrangements, budgets, prices and measured runs of notebook 03 by a second route."""

from __future__ import annotations

import math

import numpy as np
import pytest

from econ.latency.evidence import sample_runs
from econ.ledger.serving_runs import simulated_runs_frame
from econ.lessons import serving_cases as cases
from econ.lessons.goodput_cases import default_case, live_load_frame
from econ.scenario import Scenario
from econ.serving import Disaggregated, engine, pools, simulate, warm_up

CASE = Scenario.default()
FEW = 600


@pytest.fixture(autouse=True, scope="module")
def _warm():
    warm_up()


@pytest.fixture(scope="module")
def compared():
    """Every second measured run, simulated."""
    return simulated_runs_frame(sample_runs().iloc[::2], n_most=400)


def test_every_arrangement_has_the_same_hardware():
    for made in cases.arrangements(CASE).values():
        pools = isinstance(made, Disaggregated)
        n = made.prefill.n_replicas + made.decode.n_replicas if pools else made.n_replicas
        assert n == 4
    with pytest.raises(ValueError, match="n_prefill = 0"):
        cases.pools_for(CASE, 0, 4)


def test_smaller_chunks_make_tokens_even_and_first_tokens_late():
    frame = cases.budgets_frame(CASE, 8.0, [256, 2048], n=FEW).set_index("policy")
    small, large = frame.loc["chunks of 256"], frame.loc["chunks of 2,048"]
    whole = frame.loc["whole prompts first"]
    assert small.p99_tpot_ms < large.p99_tpot_ms < whole.p99_tpot_ms
    assert small.p99_ttft_s > large.p99_ttft_s > whole.p99_ttft_s


def test_pools_win_tight_and_lose_loose():
    frame = cases.pools_frame(CASE, [0.02, 0.1], n=FEW)
    gain = cases.split_gain(frame)
    assert gain.index.tolist() == [20.0, 100.0]
    assert gain.iloc[0] > 1.2
    assert gain.iloc[1] < 0.95
    wide = frame.pivot_table(index="tpot_limit_ms", columns="arrangement", values="max_rate_per_s")
    assert (
        gain.iloc[0]
        == wide.iloc[0][["pools 1 + 3", "pools 2 + 2", "pools 3 + 1"]].max()
        / (wide.iloc[0]["chunked"])
    )


def test_what_is_quoted_per_decode_gpu_is_more_by_the_share_left_out():
    frame = cases.quoted_frame(CASE, n=FEW).set_index("arrangement")
    assert frame["overstated"].tolist() == pytest.approx([1, 1, 4 / 3, 2, 4])
    row = frame.loc["pools 3 + 1"]
    tokens_per_s = row.max_rate_per_s * CASE.workload.mean_output_tokens
    assert row.per_gpu == pytest.approx(tokens_per_s / 16)
    assert row.per_decode_gpu == pytest.approx(tokens_per_s / 4)


def test_the_price_of_a_good_token_is_rent_over_good_tokens():
    frame = cases.live_cost_frame(6.0, 1.0, 2.0)
    case, _ = default_case()
    n = int(frame["n_requests"].iloc[0])
    result = simulate(case, rate_per_s=6.0, n=n).requests
    row = frame[(frame["ttft_limit_s"] == 1.0) & (frame["tpot_limit_ms"] == 50.0)].iloc[0]
    fine = (result.ttft_s <= 1.0) & ~(result.tpot_s > 0.05)
    spent_usd = 4 * 2.0 / 3600 * result.span_s
    assert row.cost_usd_per_good_mtok == pytest.approx(
        spent_usd / result.output_tokens[fine].sum() * 1e6, rel=0.01
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
    lambda: cases.live_policies_frame(20.0, 1.0, 20.0, 2048),
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
    assert set(spent) == {engine.available()}


@pytest.mark.skipif(not engine.available(), reason="numba is not installed")
def test_ten_thousand_requests_are_simulated_by_the_compiled_engine():
    case, replica = default_case()
    assert simulate(case, rate_per_s=8.0, replica=replica).requests.engine == "numba"
