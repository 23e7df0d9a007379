"""An answer does not depend on the unit: other money, other clocks, other counts scale through."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import econ
from econ.catalog import price, table
from econ.serving import Replica, StepCost, queueing, simulate
from econ.tco import annuity_usd_per_month, cost_usd_per_mtok, owner
from econ.tokens import token_bill
from tests.laws.cases import law

TIMES = st.floats(0.01, 100)
LAYERS = table("layers").query("housing != 'own building'").set_index("quote")["typical"].dropna()
MONEY = LAYERS[LAYERS.index.str.contains("usd")].to_dict() | {"server_usd": 250_000.0}


@law
@given(TIMES)
def test_an_owner_who_counts_in_other_money_pays_as_many_times_more(k):
    one = owner("h100-sxm", **MONEY)
    other = owner("h100-sxm", **{name: k * usd for name, usd in MONEY.items()})
    for layer, usd in one.groups().items():
        assert other.groups()[layer] == pytest.approx(k * usd, rel=1e-9)
    assert annuity_usd_per_month(k * 1e6, 0.1, 5) == pytest.approx(
        k * annuity_usd_per_month(1e6, 0.1, 5), rel=1e-12
    )


@settings(law, max_examples=2)
@given(TIMES)
def test_a_plan_in_other_money_is_the_same_plan(k):
    s = econ.Scenario.default()
    prices = {"h100-sxm": 2.5, "h200-sxm": 3.4, "b200-sxm": 5.0}
    plans = [
        econ.plan.plan(
            s.with_(cost_usd_per_gpu_hour=2.5 * times, electricity_usd_per_kwh=0.1 * times),
            list(prices), ["fp8"], [(1, 1, 1, 1)], n_refined=1, n=200, n_jobs=1,
            prices_usd_per_gpu_hour={name: usd * times for name, usd in prices.items()},
        )
        for times in (1, k)
    ]  # fmt: skip
    one, other = (p.best for p in plans)
    for name in one.index:
        if "usd" in name:
            assert other[name] == pytest.approx(k * one[name], rel=1e-6), name
        elif isinstance(one[name], str | int | np.integer):
            assert other[name] == one[name], name


@law
@given(st.integers(2, 60), st.integers(0, 999))
def test_a_simulator_that_counts_in_other_seconds_waits_as_many_times_longer(k, seed):
    rng = np.random.default_rng(seed)
    n = 60
    arrival_s = np.cumsum(rng.exponential(0.05, n))
    prompt, out = rng.integers(1, 2000, n), rng.integers(1, 200, n)
    cost = StepCost.affine(4e-3, 2e-5, 1e-5, per_ctx_token_s=3e-8, prefill_per_pair_s=1e-10)
    one = Replica(cost=cost, kv_tokens=100_000, max_batch=16, token_budget=1024)
    other = one.replace(cost=cost.times(k))
    plain, scaled = (
        simulate(arrival_s * times, prompt, out, replica)
        for times, replica in ((1.0, one), (k, other))
    )
    # whole factors: the clock ticks in picoseconds, and arrivals are rounded to them
    np.testing.assert_allclose(scaled.done_s, k * plain.done_s, rtol=1e-9)
    np.testing.assert_allclose(scaled.ttft_s, k * plain.ttft_s, rtol=1e-9, atol=1e-9)


@law
@given(TIMES, st.floats(0.01, 0.97), st.integers(1, 40))
def test_queues_in_other_seconds(k, load, servers):
    rate = load * servers / 0.3
    for wait in (
        lambda r, s: queueing.mmc_wait_s(r, s, servers),
        lambda r, s: queueing.mm1_wait_s(r / servers, s),
        lambda r, s: queueing.md1_wait_s(r / servers, s),
        lambda r, s: queueing.mg1_wait_s(r / servers, s, 1.7),
        lambda r, s: queueing.mm1_e2e_quantile_s(r / servers, s, 0.99),
    ):
        assert wait(rate / k, 0.3 * k) == pytest.approx(k * wait(rate, 0.3), rel=1e-9)


@law
@given(TIMES, st.integers(1, 10**7), st.integers(1, 10**6))
def test_tokens_are_billed_one_by_one(k, read, written):
    listed = price("gpt-4o-mini")
    one = token_bill(listed, input_tokens=read, output_tokens=written)
    many = token_bill(listed, input_tokens=k * read, output_tokens=k * written)
    assert many.total_usd == pytest.approx(k * one.total_usd, rel=1e-9)
    assert cost_usd_per_mtok(3.0, k * 900.0) == pytest.approx(
        cost_usd_per_mtok(3.0, 900.0) / k, rel=1e-12
    )
    assert cost_usd_per_mtok(3.0 * k, 900.0) == pytest.approx(
        k * cost_usd_per_mtok(3.0, 900.0), rel=1e-12
    )
