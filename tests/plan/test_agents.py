"""The price of a finished task: own and API, by a second route."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import econ
from econ.plan import agent_cost, api_bill, max_sessions_per_s, typical_bill
from econ.serving import Autoscale
from econ.tokens import Sessions, session_load

S = econ.Scenario.of("qwen3-32b", "h200-sxm", precision="fp8")
PRICE = econ.catalog.Price(
    model="m", input_usd_per_mtok=3.0, output_usd_per_mtok=15.0, cached_input_usd_per_mtok=0.3,
    cache_write_usd_per_mtok=3.75, cache_write_1h_usd_per_mtok=6.0,
)  # fmt: skip


def talk(wait_s: float) -> Sessions:
    return Sessions.of(
        session=[0, 0], branch=[0, 0], input_tokens=[1000, 2000], output_tokens=[100, 100],
        wait_s=[0.0, wait_s], waits_for=[[], [0]], branch_parent=[-1], branch_from_tokens=[0],
    )  # fmt: skip


def test_the_bill_of_two_turns_by_hand():
    bill = api_bill(talk(10.0), PRICE)
    # 1000 written; then 1099 read and 901 written; 100 out each
    np.testing.assert_allclose(bill.new_usd, [1000 * 3.75e-6, 901 * 3.75e-6])
    np.testing.assert_allclose(bill.read_usd, [0, 1099 * 0.3e-6])
    assert bill.output_usd.tolist() == pytest.approx([1.5e-3, 1.5e-3])
    assert bill.total_usd == pytest.approx(bill.session_usd[0])
    assert bill.shares().sum() == pytest.approx(1)


def test_an_entry_that_has_expired_is_written_again():
    late, hour = api_bill(talk(400.0), PRICE), api_bill(talk(400.0), PRICE, ttl_s=3600.0)
    assert late.hit_frac == 0
    assert hour.hit_frac == pytest.approx(1099 / 3000)
    assert hour.new_usd[0] == pytest.approx(1000 * 6e-6)  # an hour's write is dearer
    plain = dataclasses.replace(PRICE, cache_write_usd_per_mtok=None,
                                cache_write_1h_usd_per_mtok=None,
                                cached_input_usd_per_mtok=None)  # fmt: skip
    assert api_bill(talk(1.0), plain).total_usd == pytest.approx(3000 * 3e-6 + 200 * 15e-6)


def test_coding_agents_meet_what_was_measured_and_never_fitted():
    """TraceLab: hit shares, and the bill at the list prices of June 2026."""
    bill = typical_bill("coding-agent", "claude-opus-4-8", n=3000)
    assert bill.hit_frac == pytest.approx(0.958, abs=0.015)
    assert bill.tool_hit_frac == pytest.approx(0.979, abs=0.01)
    assert 0.75 < bill.user_hit_frac < 0.87  # Codex 0.782, Claude 0.869
    assert bill.session_usd.mean() == pytest.approx(9.7, rel=0.1)
    assert bill.shares()["cached input"] == pytest.approx(0.595, abs=0.05)
    assert bill.shares()["output"] == pytest.approx(0.112, abs=0.02)


def test_a_task_costs_its_failed_attempts_and_their_review():
    cost = agent_cost(S, "support", rate_per_s=0.2, n=60, price=PRICE, review_usd=0.5)
    assert cost.usd_per_session == pytest.approx(
        S.cost_usd_per_gpu_hour * S.deployment.n_gpu / 3600 / 0.2
    )
    assert cost.usd_per_task == pytest.approx((cost.usd_per_session + 0.5) / cost.solved_frac)
    solved = cost.served.times.sessions.solved.mean()
    assert cost.api_usd_per_task == pytest.approx((cost.api_usd_per_session + 0.5) / solved)
    assert cost.break_even_sessions_per_hour == pytest.approx(
        cost.usd_per_fleet_hour / cost.api_usd_per_session
    )
    assert cost.site_j_per_task == pytest.approx(cost.site_j_per_session / cost.solved_frac)
    assert cost.meets_slo
    assert cost.cheaper == ("own" if cost.usd_per_task < cost.api_usd_per_task else "api")
    late = agent_cost(S.with_(tpot_s=1e-3), "support", rate_per_s=50.0, n=60, price=PRICE)
    assert late.usd_per_task < late.api_usd_per_task
    assert late.cheaper == "api"  # it misses the SLO
    own_only = agent_cost(S, "support", rate_per_s=0.2, n=60)
    assert own_only.cheaper == ""
    assert np.isnan(own_only.api_usd_per_task)


def test_what_the_scenario_says_is_felt():
    base = agent_cost(S, "support", rate_per_s=0.2, n=60)
    half = agent_cost(S.with_(utilisation_frac=0.5), "support", rate_per_s=0.2, n=60)
    assert half.usd_per_session == pytest.approx(2 * base.usd_per_session)
    cool = agent_cost(S.with_(pue=1.0), "support", rate_per_s=0.2, n=60)
    assert cool.site_j_per_session == pytest.approx(base.site_j_per_session / S.resolved_site.pue)
    bare = agent_cost(S, "support", rate_per_s=0.2, n=60, cached=False)
    assert bare.hit_frac == 0
    assert bare.site_j_per_session > base.site_j_per_session
    more = agent_cost(S.with_(n_gpu=4), "support", rate_per_s=0.2, n=60)
    rule = Autoscale(cold_start_s=20.0, look_s=5.0)
    scaled = agent_cost(S.with_(n_gpu=4), "support", rate_per_s=0.2, n=60, autoscale=rule)
    assert scaled.usd_per_session < more.usd_per_session


def test_the_energy_of_a_session_by_a_second_route():
    cost = agent_cost(S, "support", rate_per_s=0.2, n=60)
    power_w = cost.site_j_per_session * 0.2 / S.resolved_site.pue  # of one accelerator and its host
    tdp_w = S.deployment.resolved_accelerator.tdp_w
    assert 0.1 * tdp_w < power_w < 1.6 * tdp_w


def test_the_most_sessions_within_the_slo():
    kinder = S.with_(ttft_s=2.0, tpot_s=0.05, attainment_frac=0.9)
    most = max_sessions_per_s(kinder, "support", n=60, low_per_s=0.01, step_factor=1.3)
    assert most > 0.1
    strict = kinder.with_(tpot_s=1e-4)
    assert max_sessions_per_s(strict, "support", n=20, low_per_s=0.01) == 0


def test_the_calls_of_sessions_go_into_the_decision_and_the_bill():
    on = agent_cost(S, "support", rate_per_s=0.2, n=60).served.scenario
    assert econ.tco.cost(on, concurrency=8).usd_per_request > 0
    assert econ.energy.energy(on, concurrency=8).j_per_output_token > 0


def test_nothing_solved_has_no_price():
    with pytest.raises(ValueError, match="no session is solved"):
        agent_cost(S, session_load("voice").replace(solved_frac=0.0), n=5)


def test_sessions_that_last_longer_than_time_does_are_refused():
    ages = Sessions.of(
        session=[0] * 3, branch=[0] * 3, input_tokens=[10, 30, 50], output_tokens=[5] * 3,
        wait_s=[0.0, 2e6, 2e6], start_s=[2e6, 0.0, 0.0], waits_for=[[], [0], [1]],
        branch_parent=[-1], branch_from_tokens=[0],
    )  # fmt: skip
    with pytest.raises(ValueError, match="turn 2: comes later than"):
        api_bill(ages, PRICE)


def test_own_costs_have_a_band_that_widens_beyond_what_was_measured():
    cost = agent_cost(S, "support", rate_per_s=0.2, n=60)
    for per, seconds in (("turn", "mean_turn_s"), ("session", "session_s"), ("task", "task_s")):
        for name in (f"usd_per_{per}", f"site_j_per_{per}", seconds):
            low, high = cost.band(name)
            assert low < getattr(cost, name) < high
            assert low < cost.band(name, 0.5)[0]
    frame = cost.per_frame().set_index("per")
    assert frame.loc["task", "usd"] == cost.usd_per_task
    assert frame.loc["session", "duration_s"] == cost.session_s
