"""Lesson 06 by a second route: hand counts, the simulator, what must hold, a panel that follows."""

from __future__ import annotations

import numpy as np
import pytest

from econ.lessons import l06_arranging as cases
from econ.scenario import Scenario
from econ.serving import Disaggregated, Replica, StepCost, max_rate_per_s, simulate, warm_up

USUAL = Scenario.default()
FEW = 600


@pytest.fixture(autouse=True, scope="module")
def _warm():
    warm_up()


def test_continuous_batching_by_rule_is_the_simulators():
    lengths = cases.answer_steps()
    for seats in (6, 8):
        engine = Replica(cost=StepCost(linear_s=0.0, decode_base_s=[0.0, 1e-3, 1e-3]),
                         kv_tokens=10**9, max_batch=seats, policy="prefill_first")  # fmt: skip
        served = simulate(np.zeros(60), np.ones(60), np.array(lengths) + 1, engine)
        by_rule = cases.continuous_steps(lengths, seats)
        assert round(served.done_s.max() * 1e3) == by_rule
        assert sum(lengths) / seats <= by_rule < cases.static_steps(lengths, seats)


def test_fewer_seats_make_even_tokens_and_long_waits():
    frame = cases.seats_frame(USUAL, 8.0, [32, 256], n=FEW).set_index("max_batch")
    assert frame.loc[32, "p99_tpot_ms"] < frame.loc[256, "p99_tpot_ms"]
    assert frame.loc[32, "p50_ttft_s"] > frame.loc[256, "p50_ttft_s"]
    assert frame.loc[32, "max_rate_per_s"] < frame.loc[256, "max_rate_per_s"]


def test_a_narrow_split_is_slower_alone_and_serves_more():
    frame = cases.splits_frame(USUAL, [2, 4, 8], [4, 8], n=FEW).set_index(["n_gpu", "tp"])
    assert frame.index.tolist() == [(4, 2), (4, 4), (8, 2), (8, 4), (8, 8)]
    assert frame.loc[(4, 2), "tpot_alone_ms"] > frame.loc[(4, 4), "tpot_alone_ms"]
    assert frame.loc[(8, 8), "per_gpu_per_s"] < frame.loc[(8, 4), "per_gpu_per_s"]


def test_the_bill_of_a_full_service_is_at_its_highest_good_rate():
    full = cases.full_bill(USUAL, n=FEW)
    assert full.scenario.workload.rate_per_s == max_rate_per_s(USUAL, n=FEW)
    by_rent_usd = 4 * USUAL.cost_usd_per_gpu_hour / 3600 / full.scenario.workload.rate_per_s
    assert full.usd_per_answer == pytest.approx(by_rent_usd, rel=0.15)


def test_what_is_cached_need_not_be_computed():
    frame = cases.cached_frame(USUAL, [0, 0.9], n=FEW)
    assert frame["max_rate_per_s"].iloc[1] > 1.5 * frame["max_rate_per_s"].iloc[0]
    assert frame["p50_ttft_s"].iloc[1] < frame["p50_ttft_s"].iloc[0]


def test_refused_drafts_cost_time_when_the_server_is_full():
    frame = cases.drafts_frame(USUAL, [0.5, 10], [0.2, 0.8], n=1000)
    wide = frame.pivot_table(index="rate_per_s", columns="drafts", values="speedup")
    assert (wide.loc[0.5] > 1).all()
    assert wide.loc[10, "20% accepted"] < 1 < wide.loc[10, "80% accepted"]


def test_every_arrangement_has_the_same_hardware():
    for made in cases.arrangements(USUAL).values():
        pools = isinstance(made, Disaggregated)
        n = made.prefill.n_replicas + made.decode.n_replicas if pools else made.n_replicas
        assert n == 4
    with pytest.raises(ValueError, match="n_prefill = 0"):
        cases.pools_for(USUAL, 0, 4)


def test_smaller_chunks_make_tokens_even_and_first_tokens_late():
    frame = cases.budgets_frame(USUAL, 8.0, [256, 2048], n=FEW).set_index("policy")
    small, large = frame.loc["chunks of 256"], frame.loc["chunks of 2,048"]
    whole = frame.loc["whole prompts first"]
    assert small.p99_tpot_ms < large.p99_tpot_ms < whole.p99_tpot_ms
    assert small.p99_ttft_s > large.p99_ttft_s > whole.p99_ttft_s


def test_pools_win_tight_and_lose_loose():
    frame = cases.pools_frame(USUAL, [0.02, 0.1])  # few requests end before a queue has grown
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
    frame = cases.quoted_frame(USUAL, n=FEW).set_index("arrangement")
    assert frame["overstated"].tolist() == pytest.approx([1, 1, 4 / 3, 2, 4])
    row = frame.loc["pools 3 + 1"]
    tokens_per_s = row.max_rate_per_s * USUAL.workload.mean_output_tokens
    assert row.per_gpu == pytest.approx(tokens_per_s / 16)
    assert row.per_decode_gpu == pytest.approx(tokens_per_s / 4)


def test_the_panel_follows_its_controls():
    panel = cases.policies_panel()
    before, spec, rows = panel.readout, panel._live.spec, panel._live.rows
    panel.set(limit=50)
    assert panel.readout != before
    assert panel._live.rows != rows
    assert panel._live.spec is spec
    assert len(panel.static().description) > 200
