"""USD per token, good token, request and task: closed forms, arrays, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.latency.prediction import predict
from econ.scenario import Scenario
from econ.tco import token_cost as tt
from econ.tco.layers import owner
from econ.tco.token_cost import (
    Utilisation,
    added_by_use,
    cost_usd_per_accepted_task,
    cost_usd_per_good_mtok,
    cost_usd_per_mtok,
    cost_usd_per_request,
)

POSITIVE = st.floats(0.01, 1e5)
SHARE = st.floats(0.01, 1.0)


@given(cost=POSITIVE, rate=POSITIVE, use=SHARE)
def test_an_hours_tokens_at_their_cost_are_the_hour(cost, rate, use):
    tokens = rate * 3600 * use
    assert cost_usd_per_mtok(cost, rate, use) * tokens / 1e6 == pytest.approx(cost)


@given(cost=POSITIVE, rate=POSITIVE, use=SHARE, good=SHARE)
def test_late_tokens_cost_as_much_as_good_ones(cost, rate, use, good):
    late_included = cost_usd_per_mtok(cost, rate, use)
    assert cost_usd_per_good_mtok(cost, rate, good, use) * good == pytest.approx(late_included)


@given(usd=POSITIVE, a=SHARE, b=SHARE)
def test_losses_of_use_sum_to_the_cost_of_a_useful_token(usd, a, b):
    added = added_by_use(usd, {"downtime": a, "idle hours": b})
    assert usd + added.sum() == pytest.approx(usd / (a * b))
    assert (added >= 0).all()


def test_the_vendors_ladder():
    """$1.41 at 90 tokens/s is 4.35, not 4.20; $2.65 at 6,000 is 0.12: the denominator decides."""
    assert cost_usd_per_mtok(1.41, 90) == pytest.approx(4.3519, abs=1e-4)
    assert cost_usd_per_mtok(2.65, 6000) == pytest.approx(0.12269, abs=1e-5)


def test_a_request_is_its_share_of_the_machine():
    assert cost_usd_per_request(7.2, 4.0, 0.5) == pytest.approx(7.2 / 3600 / 2)


def test_arrays_keep_empty_cells():
    got = cost_usd_per_mtok(np.array([3.6, 3.6, np.nan]), np.array([1000.0, np.nan, 5.0]), 1.0)
    assert got[0] == pytest.approx(1.0)
    assert np.isnan(got[1:]).all()


@given(a=st.floats(0.1, 1), b=st.floats(0.1, 1), c=st.floats(0.1, 1))
def test_useful_hours_are_the_product(a, b, c):
    use = Utilisation(available_frac=a, allocated_frac=b, busy_frac=c)
    assert use.useful_frac == pytest.approx(a * b * c)


def test_a_task_is_tried_until_accepted():
    """Second route: the sum over the number of attempts, k · (attempt + review) · p (1 − p)ᵏ⁻¹."""
    p, attempt, review = 0.3, 0.02, 0.5
    k = np.arange(1, 400)
    expected = (k * (attempt + review) * p * (1 - p) ** (k - 1)).sum()
    assert cost_usd_per_accepted_task(attempt, p, review) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cost_usd_per_mtok(1.0, 100, 0), "utilisation_frac = 0"),
        (lambda: cost_usd_per_mtok(1.0, 100, 1.2), "utilisation_frac = 1.2"),
        (lambda: cost_usd_per_mtok(1.0, 100, 60), "utilisation_frac = 60"),
        (lambda: cost_usd_per_mtok(1.0, 0), "tokens_per_s_per_gpu = 0"),
        (lambda: cost_usd_per_mtok(-1.0, 5), "cost_usd_per_gpu_hour = -1.0"),
        (lambda: cost_usd_per_mtok(1.0, np.array([5.0, -2.0])), r"tokens_per_s_per_gpu\[1\]"),
        (lambda: cost_usd_per_mtok(float("inf"), 5), "cost_usd_per_gpu_hour = inf"),
        (lambda: cost_usd_per_good_mtok(1.0, 5, 0), "good_frac = 0"),
        (lambda: Utilisation(busy_frac=0), "busy_frac = 0"),
        (lambda: added_by_use(1.0, {"downtime": 98}), "downtime = 98"),
        (lambda: cost_usd_per_accepted_task(1, 0), "accepted_frac = 0"),
        (lambda: cost_usd_per_request(1, 0), "requests_per_s_per_gpu = 0"),
    ],
)
def test_bad_numbers_are_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0, 1))
def test_pools_spend_all_their_hours(prefill, decode, weight):
    split = tt.pool_cost_frame(
        2.0, prefill_gpu_hours=prefill, decode_gpu_hours=decode, fresh_tokens=3e6,
        cached_tokens=5e6, output_tokens=1e6, cached_time_frac=weight,
    )  # fmt: skip
    assert split["usd"].sum() == pytest.approx(2.0 * (prefill + decode))


def test_a_published_day_costs_six_cents_in_and_thirty_out():
    hours = {
        "prefill_gpu_hours": tt.pool_gpu_hours(608e9, 73_700 / 8),
        "decode_gpu_hours": tt.pool_gpu_hours(168e9, 14_800 / 8),
    }
    cost = tt.pool_cost_frame(
        2.0, **hours, fresh_tokens=266e9, cached_tokens=342e9, output_tokens=168e9
    ).set_index("kind")["cost_usd_per_mtok"]
    assert cost["input"] == pytest.approx(0.0603, abs=5e-5)
    assert cost["output"] == pytest.approx(0.3003, abs=5e-5)


def test_cached_input_is_free_where_it_takes_no_time():
    split = tt.pool_cost_frame(
        1.0, prefill_gpu_hours=1.0, decode_gpu_hours=0.0, fresh_tokens=1e6, cached_tokens=9e6,
        output_tokens=0.0, cached_time_frac=0.0,
    ).set_index("kind")  # fmt: skip
    assert split.loc["cached input", "usd"] == 0
    assert split.loc["fresh input", "cost_usd_per_mtok"] == pytest.approx(1.0)


def case(**settings) -> Scenario:
    lengths = {"input_tokens": 1000, "output_tokens": 300, "cost_usd_per_gpu_hour": 2.0}
    return Scenario.default().with_(**lengths | settings)


def test_machine_time_is_littles_law():
    s = case(input_tokens=800)
    one = predict(s, concurrency=32)
    whole_s = one.ttft_s + 299 * one.tpot_s
    assert tt.request_gpu_s(s, concurrency=32) == pytest.approx(whole_s * 4 / 32)
    pair = s.with_(n_gpu=8)
    assert tt.request_gpu_s(pair, concurrency=64) == pytest.approx(whole_s * 4 / 32)


@pytest.mark.parametrize("users", [8, 64, 256])
@pytest.mark.parametrize("cached_frac", [0, 0.75])
def test_the_split_sums_to_the_request_and_doubles_with_half_the_use(users, cached_frac):
    s = case(input_tokens=4000 if cached_frac else 1000, cached_frac=cached_frac)
    request_usd = tt.request_gpu_s(s, concurrency=users) * 2.0 / 3600
    split = tt.marginal_cost_frame(s, concurrency=users)
    assert split["usd"].sum() == pytest.approx(request_usd)
    half = tt.marginal_cost_frame(s.with_(utilisation_frac=0.5), concurrency=users)
    assert half["usd"].to_numpy() == pytest.approx(2 * split["usd"].to_numpy())


def test_output_is_dear_alone_and_cheap_in_company_while_input_hardly_moves():
    costs = [
        tt.marginal_cost_frame(case(), concurrency=n).set_index("kind")["cost_usd_per_mtok"]
        for n in (8, 64, 256)
    ]
    ratio = [c["output"] / c["fresh input"] for c in costs]
    assert ratio[0] > 3 * ratio[1] > 3 * ratio[2]
    inputs = [c["fresh input"] for c in costs]
    assert max(inputs) < 1.1 * min(inputs)


def test_cached_input_costs_less_than_fresh_and_more_than_nothing():
    s = case(input_tokens=4000, cached_frac=0.75)
    split = tt.marginal_cost_frame(s, concurrency=64).set_index("kind")
    cost = split["cost_usd_per_mtok"]
    assert split["tokens"].to_dict() == pytest.approx(
        {"fresh input": 1000, "cached input": 3000, "output": 300, "per request": 0}
    )
    assert 0 < cost["cached input"] < 0.5 * cost["fresh input"]


def test_an_owned_hour_prices_the_split_too():
    owned = Scenario.default().with_(tenure="owned", input_tokens=1000, output_tokens=300)
    hour = owner(owned).cost_usd_per_gpu_hour
    split = tt.marginal_cost_frame(owned, concurrency=64)["usd"].to_numpy()
    rented = tt.marginal_cost_frame(case(), concurrency=64)["usd"].to_numpy()
    assert split == pytest.approx(rented * hour / 2.0)


def test_a_list_split_keeps_the_ratio_and_the_sum():
    split = tt.list_split_frame(
        87_500, input_tokens=139e9, output_tokens=14.2e9, output_over_input_factor=3
    )
    usd = split["cost_usd_per_mtok"]
    assert usd[1] / usd[0] == pytest.approx(3)
    assert split["usd"].sum() == pytest.approx(87_500)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tt.pool_gpu_hours(1e6, 0), "tokens_per_s_per_gpu = 0"),
        (lambda: tt.pool_cost_frame(0, prefill_gpu_hours=1, decode_gpu_hours=1, fresh_tokens=1,
                                    output_tokens=1), "cost_usd_per_gpu_hour = 0"),
        (lambda: tt.request_gpu_s(case(), concurrency=0), "concurrency = 0"),
        (lambda: tt.request_gpu_s(case(output_tokens=10, model="llama-3.1-405b", n_gpu=1, tp=1),
                                  concurrency=1), "missing"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
