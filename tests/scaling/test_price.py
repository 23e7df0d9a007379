"""Prices of trained FLOP and served answers: by hand, monotone in every promise, clear refusals."""

import math

import pytest

from econ.latency.prediction import predict
from econ.scaling.price import (
    SizePrice,
    TooSlow,
    answer_price,
    answer_prices,
    goodput_price,
    size_price,
    training_gpu_hours,
    training_runs_frame,
    training_usd_per_flop,
)
from econ.scenario import Scenario
from econ.sweeps import sweep
from econ.terms import Finance, Slo

LENGTHS = {"input_tokens": 1000, "output_tokens": 500}
CASE = Scenario.default().with_(ttft_s=10.0, tpot_s=0.1, cost_usd_per_gpu_hour=3.85, **LENGTHS)
SMALL = CASE.with_(model="llama-3.1-8b", n_gpu=1, tp=1)


def test_the_price_is_rent_over_throughput():
    one = answer_price(CASE)
    served = predict(CASE, concurrency=one.concurrency)
    assert one.tpot_s == pytest.approx(served.tpot_s)
    assert one.answer_s == pytest.approx(served.ttft_s + 499 * served.tpot_s)
    by_hand = 3.85 / 3600 * 500 / served.output_tokens_per_s_per_gpu
    assert one.cost_usd_per_answer == pytest.approx(by_hand)
    assert one.cost_usd_per_mtok == pytest.approx(by_hand / 500 * 1e6)


def test_no_other_load_within_the_limits_is_cheaper():
    one = answer_price(CASE.with_(tpot_s=0.03))
    assert one.tpot_s <= 0.03
    more = predict(CASE, concurrency=one.concurrency * 1.3)
    assert more.tpot_s > 0.03


@pytest.mark.parametrize("limit", ["ttft_s", "tpot_s", "answer_limit_s"])
def test_a_tighter_limit_is_never_cheaper(limit):
    limits = {"ttft_s": 1.0, "tpot_s": 0.05, "answer_limit_s": 25.0}
    usd = []
    for tightened in (1.0, 0.7, 0.4):
        now = limits | {limit: limits[limit] * tightened}
        answer_limit_s = now.pop("answer_limit_s")
        one = answer_price(CASE.with_(**now), answer_limit_s=answer_limit_s)
        usd.append(one.cost_usd_per_answer)
    assert usd == sorted(usd)


def test_idle_hours_are_paid_for():
    half = answer_price(CASE.with_(utilisation_frac=0.5))
    assert half.cost_usd_per_answer == pytest.approx(2 * answer_price(CASE).cost_usd_per_answer)


def test_an_owners_hour_and_several_replicas_are_felt():
    owned = CASE.with_(finance=Finance(tenure="owned"))
    assert answer_price(owned).cost_usd_per_answer < answer_price(CASE).cost_usd_per_answer
    double = CASE.with_(n_gpu=8)
    assert answer_price(double).concurrency == 2 * answer_price(CASE).concurrency
    dear = owned.with_(electricity_usd_per_kwh=0.5)
    assert answer_price(dear).cost_usd_per_answer > answer_price(owned).cost_usd_per_answer


def test_what_cannot_be_in_time_says_how_fast_it_is():
    with pytest.raises(TooSlow, match=r"one user alone waits .* the limits are 10, 0\.1 and 1 s"):
        answer_price(CASE, answer_limit_s=1)
    with pytest.raises(TooSlow, match="GB"):  # does not fit one accelerator
        answer_price(SMALL.with_(model="llama-3.1-405b"))
    with pytest.raises(ValueError, match="answer_limit_s"):
        answer_price(CASE, answer_limit_s=-1)
    with pytest.raises(ValueError, match="no scenarios"):
        answer_prices([])


def test_many_scenarios_are_the_scenarios_one_by_one():
    frame = answer_prices([SMALL, CASE], answer_limit_s=[10.0, math.inf])
    ones = [answer_price(SMALL, answer_limit_s=10.0), answer_price(CASE)]
    for i, one in enumerate(ones):
        assert frame["cost_usd_per_answer"][i] == pytest.approx(one.cost_usd_per_answer)
    swept = sweep(answer_price, CASE, tpot_s=[0.03, 0.1, 1e-5])
    assert swept["cost_usd_per_answer"][1] == pytest.approx(ones[1].cost_usd_per_answer)
    assert "one user alone" in swept["reason"][2]


def test_random_arrivals_cost_more_than_steady_users():
    case = Scenario.default()
    price = goodput_price(case, n=600)
    steady = answer_price(case)
    assert 1 < price.cost_usd_per_answer / steady.cost_usd_per_answer < 1.6
    with pytest.raises(TooSlow, match="no rate holds TTFT"):
        goodput_price(case.with_(slo=Slo(ttft_s=1e-4, tpot_s=1e-4)), n=100)


def test_price_by_size_meets_the_models_it_was_made_from():
    too_large = SMALL.with_(model="llama-3.1-405b")
    by_size = size_price([SMALL, CASE, too_large])
    assert len(by_size.params) == 2
    one = answer_price(CASE)
    assert by_size(CASE.resolved_model.n_params) == pytest.approx(one.cost_usd_per_answer / 1500)
    with pytest.raises(TooSlow, match="fewer than two sizes"):
        size_price([CASE, too_large])
    assert by_size(1e6) == pytest.approx(by_size.usd_per_token[0])  # small ones are no cheaper
    sizes = [1e8, 1e9, 1e10, 1e11, 1e12]
    assert [by_size(n) for n in sizes] == sorted(by_size(n) for n in sizes)
    line = SizePrice(by_size.params[-2:], by_size.usd_per_token[-2:])
    assert by_size(1e12) == pytest.approx(line(1e12))
    with pytest.raises(ValueError, match="params = 0"):
        by_size(0)


def test_published_runs_by_hand():
    runs = training_runs_frame(2.0)
    llama = runs.loc["llama-3.1-405b"]
    assert llama.mfu_frac == pytest.approx(
        6 * 405e9 * 15.6e12 / (30.84e6 * 3600 * 989.4e12), rel=1e-3
    )
    assert llama.usd == pytest.approx(61.68e6)
    assert runs["mfu_frac"].between(0.1, 0.55).all()
    assert training_usd_per_flop(2.0) == pytest.approx(llama.usd_per_flop)
    hours = training_gpu_hours(llama.flop, "h100-sxm", llama.mfu_frac)
    assert hours == pytest.approx(30.84e6)
    assert "usd" not in training_runs_frame()


def test_bad_training_inputs():
    with pytest.raises(ValueError, match=r"nearest: llama-3\.1-405b"):
        training_usd_per_flop(2.0, like="llama-3.1-405")
    with pytest.raises(ValueError, match="mfu_frac = 40"):
        training_gpu_hours(1e24, "h100-sxm", 40)
