"""Input and output by machine time: conservation, known limits, a published case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.latency.prediction import predict
from econ.scenario import Scenario
from econ.tco import token_time as tt

CASE = {"model": "llama-3.1-70b", "accelerator": "h100-sxm", "tp": 4, "precision": "fp8"}


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


def test_machine_time_is_littles_law():
    one = predict(Scenario.of(**CASE, input_tokens=800, output_tokens=300), concurrency=32)
    answer_s = one.ttft_s + 299 * one.tpot_s
    got = tt.machine_s(fresh_tokens=800, output_tokens=300, concurrency=32, **CASE)
    assert got == pytest.approx(answer_s * 4 / 32)


@pytest.mark.parametrize("users", [8, 64, 256])
@pytest.mark.parametrize("cached", [0, 3000])
def test_the_split_sums_to_the_request_and_doubles_with_half_the_use(users, cached):
    sizes = {"fresh_tokens": 1000, "output_tokens": 300, "cached_tokens": cached}
    whole = tt.machine_s(**sizes, **CASE, concurrency=users) * 2.0 / 3600
    split = tt.marginal_cost_frame(2.0, **sizes, **CASE, concurrency=users)
    assert split["usd"].sum() == pytest.approx(whole)
    half = tt.marginal_cost_frame(2.0, **sizes, **CASE, concurrency=users, utilisation_frac=0.5)
    assert half["usd"].to_numpy() == pytest.approx(2 * split["usd"].to_numpy())


def test_output_is_dear_alone_and_cheap_in_company_while_input_hardly_moves():
    costs = [
        tt.marginal_cost_frame(
            2.0, fresh_tokens=1000, output_tokens=300, concurrency=n, **CASE
        ).set_index("kind")["cost_usd_per_mtok"]
        for n in (8, 64, 256)
    ]
    ratio = [c["output"] / c["fresh input"] for c in costs]
    assert ratio[0] > 3 * ratio[1] > 3 * ratio[2]
    inputs = [c["fresh input"] for c in costs]
    assert max(inputs) < 1.1 * min(inputs)


def test_cached_input_costs_less_than_fresh_and_more_than_nothing():
    cost = tt.marginal_cost_frame(
        2.0, fresh_tokens=1000, cached_tokens=3000, output_tokens=300, concurrency=64, **CASE
    ).set_index("kind")["cost_usd_per_mtok"]
    assert 0 < cost["cached input"] < 0.5 * cost["fresh input"]


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
        (lambda: tt.marginal_cost_frame(1, fresh_tokens=1, output_tokens=1, utilisation_frac=0,
                                        concurrency=1, **CASE), "utilisation_frac = 0"),
        (lambda: tt.machine_s(fresh_tokens=10, output_tokens=10, concurrency=1,
                              model="llama-3.1-405b", accelerator="l4"), "missing"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
