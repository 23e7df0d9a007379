"""After pretraining: work by hand, break-even where the costs meet, curves between their ends."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from econ.scaling import post_training as post
from econ.scaling.optimal import training_flop
from econ.scaling.price import answer_price
from econ.scenario import Scenario

USD = st.floats(0, 1e9)


@settings(deadline=None)
@given(st.floats(1e6, 1e12), st.floats(1e3, 1e12), st.floats(0.1, 10), st.floats(0, 1))
def test_tuning_is_between_four_and_six_per_parameter_and_token(params, tokens, n_epochs, share):
    flop = post.fine_tune_flop(params, tokens, n_epochs, share)
    assert flop == pytest.approx((4 + 2 * share) * params * tokens * n_epochs)
    assert flop <= training_flop(params, tokens) * n_epochs * (1 + 1e-12)


def test_work_by_hand():
    assert post.distil_flop(70e9, 8e9, 1e9) == pytest.approx(2 * 70e18 + 6 * 8e18)
    assert post.rl_flop(1e9, 10, 20, 4, 100) == pytest.approx(10 * 1e9 * 10 * 20 * 4 * 100)
    assert post.fine_tune_bytes(65e9, 16) == 1040e9  # with a full-precision copy of the weights


@settings(deadline=None)
@given(USD, st.floats(1e-9, 1e3), st.floats(1e-9, 1e3))
def test_at_break_even_both_ways_cost_the_same(fixed, before, after):
    n = post.break_even_requests(fixed, before, after)
    if after >= before and fixed > 0:
        assert n == math.inf
    elif math.isfinite(n):
        assume(before - after > 1e-6 * before)  # else the difference is rounding
        assert fixed + n * after == pytest.approx(n * before, rel=1e-6)


def test_nothing_paid_pays_at_once_or_never():
    assert post.break_even_requests(0, 2, 1) == 0
    assert post.break_even_requests(0, 1, 2) == math.inf
    with pytest.raises(ValueError, match="fixed_usd = -1"):
        post.break_even_requests(-1, 1, 1)


def test_shares_are_quotients_of_published_budgets():
    frame = post.shares_frame()
    assert frame.loc["instructgpt-175b", "share_frac"] == pytest.approx(64.9 / 3640)
    assert (frame["share_frac"] * frame["models_for_30_fold"]).round(9).eq(30).all()


def test_routes_are_priced_like_answers():
    large = Scenario.default().with_(input_tokens=500, output_tokens=300, ttft_s=10.0)
    small = large.with_(model="llama-3.1-8b", n_gpu=1, tp=1)
    routes = [
        post.Route(name="large", scenario=large),
        post.Route(name="tuned", scenario=small, flop=1e20),
        post.Route(name="huge on one", scenario=small.with_(model="llama-3.1-405b")),
    ]
    frame = post.routes_frame(routes, 1.8e-18)
    assert frame["usd_per_request"][1] == pytest.approx(answer_price(small).cost_usd_per_answer)
    assert frame["fixed_usd"].tolist() == [0.0, pytest.approx(180.0), 0.0]
    n = frame["break_even_requests"][1]
    assert 180 + n * frame["usd_per_request"][1] == pytest.approx(n * frame["usd_per_request"][0])
    assert math.isnan(frame["usd_per_request"][2])
    assert "GB" in frame["reason"][2]
    with pytest.raises(ValueError, match="no routes"):
        post.routes_frame([], 1.8e-18)
    with pytest.raises(ValueError, match="data_usd = -5"):
        post.Route(name="large", scenario=large, data_usd=-5.0)
