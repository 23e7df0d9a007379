"""The bill: parts by hand, scaling with demand, what grows with what."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import model
from econ.scaling.bill import (
    PARTS,
    Bill,
    demand_frame,
    demand_that_passes_training,
    lifetime_bill,
)
from econ.scaling.price import TooSlow, answer_price
from econ.scaling.test_time import Verifier
from econ.scenario import Scenario

S = Scenario.default().with_(input_tokens=500, output_tokens=400, ttft_s=10.0, tpot_s=0.1)
CASE = {"training_tokens": 15e12, "training_usd_per_flop": 2e-18, "n_requests": 1e9}


def bill(s: Scenario = S, **more) -> Bill:
    return lifetime_bill(s, **CASE | more)


def test_the_parts_by_hand():
    one = bill(thinking_tokens=1600, n_attempts=3, post_training_frac=0.05, accuracy_frac=0.5)
    params = model("llama-3.1-70b").active_params
    assert one.flop[0] == pytest.approx(6 * params * 15e12)
    assert one.usd[:2] == (
        pytest.approx(one.flop[0] * 2e-18),
        pytest.approx(one.flop[0] * 1e-19),
    )
    plain = answer_price(S)
    full = answer_price(S.with_(output_tokens=2000))
    assert one.usd[2] == pytest.approx(1e9 * plain.cost_usd_per_answer)
    assert one.usd[2] + one.usd[3] == pytest.approx(3e9 * full.cost_usd_per_answer)
    assert one.cost_usd_per_correct == pytest.approx(2 * one.cost_usd_per_answer)
    assert one.answer_s == pytest.approx(full.answer_s)
    # a token takes two FLOP per parameter and some attention
    assert one.flop[2] == pytest.approx(1e9 * 900 * 2 * params, rel=0.05)


def test_the_frame_is_the_bill():
    one = bill(n_attempts=2)
    frame = one.frame()
    assert tuple(frame["part"]) == PARTS
    assert frame["usd"].sum() == pytest.approx(one.total_usd)
    assert frame["share"].sum() == pytest.approx(1)
    assert frame.loc[frame["usd"].idxmax(), "part"] == one.largest
    assert one.training_frac == pytest.approx(frame["share"].iloc[:2].sum())
    assert one.row()["total_usd"] == one.total_usd


@settings(deadline=None)
@given(st.floats(1, 1e15))
def test_training_stays_and_answers_grow_with_demand(n):
    one, moved = BASE, BASE.at(n)
    assert moved.usd[:2] == one.usd[:2]
    assert moved.usd[2] / n == pytest.approx(one.usd[2] / one.n_requests)
    assert moved.cost_usd_per_answer >= one.usd[2] / one.n_requests


BASE = bill(post_training_frac=0.02)


def test_where_answers_pass_training():
    n = demand_that_passes_training(BASE)
    assert BASE.at(n).training_frac == pytest.approx(0.5)
    frame = demand_frame(BASE, (n / 10, n * 10))
    one = BASE.at(n * 10).frame()
    assert frame["usd"].iloc[len(PARTS) :].to_numpy() == pytest.approx(one["usd"].to_numpy())
    assert frame["share"].iloc[len(PARTS) :].to_numpy() == pytest.approx(one["share"].to_numpy())
    share = frame[frame["part"] == "pretraining"]["share"]
    assert share.iloc[0] > 0.5 > share.iloc[1]


def test_plain_answers_have_no_test_time_compute():
    assert BASE.usd[3] == BASE.flop[3] == 0
    assert BASE.at(1e9).cost_usd_per_correct == BASE.cost_usd_per_answer
    assert bill(accuracy_frac=0).cost_usd_per_correct == math.inf


def test_a_mixture_is_trained_by_its_active_parameters():
    eight = S.with_(model="deepseek-v3", accelerator="h200-sxm", n_gpu=8, tp=8)
    one = bill(eight, training_tokens=14.8e12)
    assert one.flop[0] == pytest.approx(6 * 37e9 * 14.8e12, rel=0.05)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"n_requests": 0}, "n_requests = 0"),
        ({"n_attempts": 0}, "n_attempts = 0"),
        ({"accuracy_frac": 80}, "not a percentage"),
        ({"thinking_tokens": -1}, "thinking_tokens = -1"),
        ({"training_usd_per_flop": 0}, "training_usd_per_flop = 0"),
        ({"training_tokens": math.nan}, "tokens = nan"),
    ],
)
def test_bad_input_is_refused(more, says):
    with pytest.raises(ValueError, match=says):
        bill(**more)


def test_limits_that_cannot_hold_are_named():
    with pytest.raises(TooSlow, match="one user alone"):
        bill(answer_limit_s=5, thinking_tokens=20_000)


def test_a_bill_says_who_picks_the_answer_and_pays_for_it():
    assert bill().assumption == "one attempt, nobody checks it"
    assert bill(n_attempts=5).assumption == "a vote of 5 attempts, nobody checks them"
    judge = Verifier(name="a judge", usd_per_attempt=0.001, false_positive_frac=0.05)
    free, paid = bill(n_attempts=5), bill(n_attempts=5, verifier=judge)
    assert paid.usd[-1] == pytest.approx(1e9 * 5 * 0.001)
    assert paid.total_usd - free.total_usd == pytest.approx(paid.usd[-1])
    assert paid.flop == free.flop
    for words in ("a judge", "100% of right", "5% of wrong", "0.001 USD"):
        assert words in paid.assumption
    assert paid.at(2e9).usd[-1] == pytest.approx(2 * paid.usd[-1])
