"""After pretraining: work by hand, break-even where the costs meet, curves between their ends."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from econ.catalog import table
from econ.scaling import post_training as post
from econ.scaling.optimal import training_flop
from econ.scaling.post_training import RewardLaw, crossing_gpu_hours, rl_law, rl_laws_frame
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


def test_the_sigmoid_by_hand():
    law = RewardLaw(ceiling_frac=0.6, midpoint_gpu_hours=1000, steepness=2)
    assert law.gained(0) == 0
    assert law.gained(1000) == 0.5
    assert law.gained(3000) == pytest.approx(9 / 10)
    assert law.at(3000, 0.1) == pytest.approx(0.1 + 0.5 * 0.9)
    assert law.gpu_hours_for(0.9) == pytest.approx(3000)
    assert np.asarray(law.gained(np.array([1e3, 3e3]))).tolist() == pytest.approx([0.5, 0.9])


def test_the_leader_of_a_short_trial_loses_in_the_long_run():
    """The headline: from 20 to 40 % at the start the larger batch is worse first, better last."""
    quick, slow = rl_law("scalerl-8b-batch-512"), rl_law("scalerl-8b-batch-2048")
    for start in (0.2, 0.3, 0.4):
        hours = crossing_gpu_hours(quick, slow, start)
        assert 10_000 < hours < 60_000
        assert quick.at(hours, start) == pytest.approx(slow.at(hours, start))
        assert quick.at(hours / 5, start) > slow.at(hours / 5, start)
        assert quick.at(hours * 5, start) < slow.at(hours * 5, start)
    with pytest.raises(ValueError, match="does not pass"):
        crossing_gpu_hours(slow, quick, 0.3)


def test_every_published_law_is_there_and_ends_below_one():
    frame = rl_laws_frame()
    assert set(frame["recipe"]) == set(table("rl_laws")["title"])
    assert frame["gained_percent"].between(0, 100).all()
    assert frame.groupby("recipe")["gained_percent"].is_monotonic_increasing.all()
    assert (frame["ceiling_frac"] < 0.75).all()


@pytest.mark.parametrize("start", [-0.1, 0.7])
def test_a_start_above_the_ceiling_is_refused(start):
    with pytest.raises(ValueError, match="start_frac"):
        rl_law("scalerl-8b").at(1000, start)
