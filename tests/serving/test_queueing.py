"""Closed forms, and the simulator degenerating to each: pathwise where that is possible."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.serving import Replica, StepCost, simulate
from econ.serving.queueing import (
    erlang_b,
    erlang_c,
    kiefer_wolfowitz_wait,
    kingman_wait_s,
    lindley_wait,
    little_concurrency,
    md1_wait_s,
    mg1_wait_s,
    mm1_e2e_quantile_s,
    mm1_wait_s,
    mm1k_loss_frac,
    mmc_wait_s,
    processor_sharing_e2e_s,
)

PS_PER_MS = 10**9


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_one_place_in_the_batch_is_lindleys_queue(seed):
    """Prefill only, one at a time: a first-come server whose service is the prefill."""
    rng = np.random.default_rng(seed)
    n = 40
    prompt = rng.integers(1, 50, n)
    arrival = np.sort(rng.integers(0, 400, n))  # ms
    replica = Replica(
        cost=StepCost.affine(per_token_s=1e-3), kv_tokens=100, max_batch=1, policy="prefill_first"
    )
    result = simulate(arrival / 1e3, prompt, np.ones(n), replica)
    wait = lindley_wait(arrival, prompt) * PS_PER_MS
    service = prompt * PS_PER_MS
    assert np.array_equal(result.first_token_ps, result.arrival_ps + wait + service)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_a_batch_that_costs_nothing_extra_is_kiefer_and_wolfowitz(seed, servers):
    """Steps of a constant millisecond: c places in the batch are c servers behind one queue."""
    rng = np.random.default_rng(seed)
    n = 60
    arrival = np.sort(rng.integers(0, 300, n))
    service = rng.integers(1, 40, n)
    replica = Replica(
        cost=StepCost(linear_s=0.0, decode_base_s=[0.0, 1e-3] + [1e-3] * servers),
        kv_tokens=10_000,
        max_batch=servers,
        policy="prefill_first",
    )
    result = simulate(arrival / 1e3, np.ones(n), service + 1, replica)
    wait = kiefer_wolfowitz_wait(arrival, service, servers) * PS_PER_MS
    assert np.array_equal(result.first_token_ps, result.arrival_ps + wait)
    assert np.array_equal(result.done_ps, result.first_token_ps + service * PS_PER_MS)


def mean_wait_s(rate_per_s: float, service_s, servers: int, n: int, seed: int) -> float:
    """Mean wait in the simulator of Poisson arrivals to ``servers`` places, 1 ms a step."""
    rng = np.random.default_rng(seed)
    arrival = np.cumsum(rng.exponential(1 / rate_per_s, n))
    steps = np.maximum(1, np.rint(service_s(rng, n) * 1e3))
    replica = Replica(
        cost=StepCost(linear_s=0.0, decode_base_s=[0.0, 1e-3, 1e-3]),
        kv_tokens=100_000_000,
        max_batch=servers,
        policy="prefill_first",
    )
    result = simulate(arrival, np.ones(n), steps + 1, replica)
    return float(result.ttft_s.mean())


@pytest.mark.parametrize(
    ("truth_s", "rate_per_s", "service_s", "servers"),
    [
        (md1_wait_s(0.7, 1.0), 0.7, lambda rng, n: np.full(n, 1.0), 1),
        (mm1_wait_s(0.7, 1.0), 0.7, lambda rng, n: rng.exponential(1.0, n), 1),
        (mmc_wait_s(3.2, 1.0, 4), 3.2, lambda rng, n: rng.exponential(1.0, n), 4),
    ],
)
def test_the_simulator_meets_the_closed_forms(truth_s, rate_per_s, service_s, servers):
    seen_s = [mean_wait_s(rate_per_s, service_s, servers, 40_000, seed) for seed in range(4)]
    error_s = np.std(seen_s, ddof=1) / 2
    assert np.mean(seen_s) == pytest.approx(truth_s, abs=max(4 * error_s, 0.04 * truth_s))


@pytest.mark.parametrize("law", ["constant", "exponential"])
def test_decode_batching_is_processor_sharing(law):
    rate_per_s, mean, base_s, per_s = 2.0, 300, 5e-3, 1e-3
    replica = Replica(
        cost=StepCost(linear_s=0.0, decode_base_s=[0.0, base_s + per_s, base_s + 2 * per_s]),
        kv_tokens=10**9,
        max_batch=100_000,
        policy="prefill_first",
    )
    seen_s = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        n = 8000
        steps = np.full(n, mean) if law == "constant" else np.ceil(rng.exponential(mean, n))
        arrival = np.cumsum(rng.exponential(1 / rate_per_s, n))
        seen_s.append(simulate(arrival, np.ones(n), steps + 1, replica).e2e_s.mean())
    truth_s = processor_sharing_e2e_s(rate_per_s, mean, base_s, per_s)
    assert np.mean(seen_s) == pytest.approx(truth_s, rel=0.04)


@given(st.floats(0.001, 0.999), st.floats(1e-3, 1e3))
def test_the_family_is_consistent(rho, service_s):
    rate_per_s = rho / service_s
    wait_s = mm1_wait_s(rate_per_s, service_s)
    assert mmc_wait_s(rate_per_s, service_s, 1) == pytest.approx(wait_s)
    assert md1_wait_s(rate_per_s, service_s) == pytest.approx(wait_s / 2)
    assert kingman_wait_s(rate_per_s, service_s, 1.0, 0.5) == pytest.approx(
        mg1_wait_s(rate_per_s, service_s, 0.5)
    )
    # the mean of the exponential sojourn is wait + service; its median is ln 2 of it
    assert mm1_e2e_quantile_s(rate_per_s, service_s, 0.5) == pytest.approx(
        math.log(2) * (wait_s + service_s)
    )


@given(st.floats(0.01, 40), st.integers(1, 60))
def test_erlang_c_equals_its_sum(offered, servers):
    if offered >= servers:
        assert erlang_c(offered, servers) == 1.0
        return
    terms = [math.exp(k * math.log(offered) - math.lgamma(k + 1)) for k in range(servers + 1)]
    waits = terms[-1] * servers / (servers - offered)
    assert erlang_c(offered, servers) == pytest.approx(waits / (sum(terms[:-1]) + waits))


def test_more_servers_at_the_same_load_wait_less():
    waits_s = [mmc_wait_s(0.8 * c, 1.0, c) for c in (1, 2, 4, 8, 16, 64)]
    assert all(b < a for a, b in itertools.pairwise(waits_s))


@pytest.mark.parametrize("wait", [mm1_wait_s, md1_wait_s])
def test_no_stable_queue_no_finite_wait(wait):
    assert wait(1.0, 1.0) == math.inf
    assert wait(2.0, 1.0) == math.inf
    assert wait(0.0, 1.0) == 0.0
    for bad in ((-1.0, 1.0), (1.0, 0.0), (math.nan, 1.0)):
        with pytest.raises(ValueError, match="outside its range"):
            wait(*bad)


def test_bad_numbers_of_servers():
    assert mmc_wait_s(5.0, 1.0, 4) == math.inf
    for servers in (0, 1.5, -2):
        with pytest.raises(ValueError, match="servers"):
            mmc_wait_s(1.0, 1.0, servers)
    with pytest.raises(ValueError, match="offered_load"):
        erlang_c(-1.0, 3)


def test_little():
    assert little_concurrency(2.0, 3.0) == 6.0
    assert processor_sharing_e2e_s(0.0, 100, 0.01, 0.0) == 1.0


def test_turning_away_by_the_textbook_sums():
    """Erlang's B and M/M/1/K from their stationary laws, term by term."""
    terms = [8.0**k / math.factorial(k) for k in range(11)]
    assert erlang_b(8.0, 10) == pytest.approx(terms[-1] / sum(terms))
    assert erlang_b(0.5, 1) == pytest.approx(0.5 / 1.5)
    for load in (0.3, 0.9, 1.0, 2.5):
        powers = [load**k for k in range(8)]
        assert mm1k_loss_frac(load, 1.0, 7) == pytest.approx(powers[-1] / sum(powers))
    assert mm1k_loss_frac(5.0, 1.0, 100_000) == pytest.approx(1 - 1 / 5.0)  # what it cannot serve
    with pytest.raises(ValueError, match="n_places = 0"):
        mm1k_loss_frac(0.5, 1.0, 0)
