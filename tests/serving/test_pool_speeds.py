"""Pools in closed form: against the simulator, and against one pool."""

import pytest

from econ.latency import predict
from econ.scenario import Scenario
from econ.serving import pool_speed, simulate

LONG = Scenario.default().with_(input_tokens=8000, output_tokens=200, tpot_s=0.022, ttft_s=30)


def test_the_simulator_sustains_a_little_less_than_the_closed_rate_and_no_more():
    """Five replicas are nearly in proportion: four read and one writes."""
    pools = pool_speed(LONG)
    assert pools.n_prefill_per_decode == pytest.approx(4, rel=0.1)
    fleet = LONG.with_(n_gpu=20, policy="disaggregated")
    rate = 20 * pools.output_tokens_per_s_per_gpu / 200
    below = simulate(fleet, rate_per_s=0.85 * rate, n=1500)
    beyond = simulate(fleet, rate_per_s=1.25 * rate, n=1500)
    assert not below.overloaded
    assert beyond.overloaded


def test_without_prompts_a_step_is_that_of_the_closed_form():
    alone = predict(LONG.with_(cached_frac=1.0), concurrency=16)
    assert pool_speed(LONG, concurrency=16).step_s == pytest.approx(alone.tpot_s, rel=0.03)


def test_users_of_the_deployment_are_shared_by_its_replicas_and_limits_are_kept():
    two = LONG.with_(n_gpu=8)
    assert pool_speed(two, concurrency=32) == pool_speed(LONG, concurrency=16)
    best = pool_speed(LONG)
    assert best.step_s <= LONG.slo.tpot_s < pool_speed(LONG, concurrency=best.batch + 1).step_s
    with pytest.raises(ValueError, match=r"tpot_s = 0.001: a step of one sequence takes"):
        pool_speed(LONG.with_(tpot_s=0.001))
    with pytest.raises(ValueError, match=r"ttft_s = 0.1: a prompt alone takes"):
        pool_speed(LONG.with_(ttft_s=0.1))
