"""Prices of trained FLOP and served answers: by hand, monotone in every promise, clear refusals."""

import math

import pandas as pd
import pytest

from econ.latency.prediction import predict
from econ.scaling.price import (
    LADDER,
    Serving,
    SizePrice,
    TooSlow,
    answer_price,
    answer_prices_frame,
    goodput_price,
    size_price,
    training_gpu_hours,
    training_runs_frame,
    training_usd_per_flop,
)
from econ.scenario import Scenario
from econ.terms import Slo

H100 = Serving(accelerator="h100-sxm", cost_usd_per_gpu_hour=3.85)
FOUR = H100.replace(tp=4)
CHAT = {"input_tokens": 1000, "output_tokens": 500}
CASE = Scenario.of("llama-3.1-70b", "h100-sxm", tp=4, precision="fp8", **CHAT)


def test_the_price_is_rent_over_throughput():
    one = answer_price("llama-3.1-70b", FOUR, **CHAT)
    crowd = predict(CASE, concurrency=one.concurrency)
    assert one.tpot_s == pytest.approx(crowd.tpot_s)
    assert one.answer_s == pytest.approx(crowd.ttft_s + 499 * crowd.tpot_s)
    by_hand = 3.85 / 3600 * 500 / crowd.output_tokens_per_s_per_gpu
    assert one.cost_usd_per_answer == pytest.approx(by_hand)
    assert one.cost_usd_per_mtok == pytest.approx(by_hand / 500 * 1e6)


def test_no_other_crowd_within_the_limits_is_cheaper():
    one = answer_price("llama-3.1-70b", FOUR.replace(tpot_limit_s=0.03), **CHAT)
    assert one.tpot_s <= 0.03
    more = predict(CASE, concurrency=one.concurrency * 1.3)
    assert more.tpot_s > 0.03


@pytest.mark.parametrize("limit", ["ttft_limit_s", "tpot_limit_s", "answer_limit_s"])
def test_a_tighter_promise_is_never_cheaper(limit):
    base = {"ttft_limit_s": 1.0, "tpot_limit_s": 0.05, "answer_limit_s": 25.0}
    costs = [
        answer_price("llama-3.1-70b", FOUR.replace(**{limit: base[limit] * f}), **CHAT)
        for f in (1.0, 0.7, 0.4)
    ]
    usd = [c.cost_usd_per_answer for c in costs]
    assert usd == sorted(usd)


def test_idle_hours_are_paid_for():
    half = answer_price("llama-3.1-70b", FOUR.replace(utilisation_frac=0.5), **CHAT)
    full = answer_price("llama-3.1-70b", FOUR, **CHAT)
    assert half.cost_usd_per_answer == pytest.approx(2 * full.cost_usd_per_answer)


def test_what_cannot_be_in_time_says_how_fast_it_is():
    with pytest.raises(TooSlow, match=r"one user alone waits .* the limits are 10, 0\.1 and 1 s"):
        answer_price("llama-3.1-70b", FOUR.replace(answer_limit_s=1), **CHAT)
    with pytest.raises(TooSlow, match="GB"):  # does not fit one chip
        answer_price("llama-3.1-405b", H100, **CHAT)


def test_a_frame_of_cases_is_the_cases_one_by_one():
    cases = pd.DataFrame({"model": ["llama-3.1-8b", "llama-3.1-70b"], "tp": [1, 4],
                          "answer_limit_s": [10.0, math.inf], **CHAT})  # fmt: skip
    frame = answer_prices_frame(cases, H100)
    for row in frame.itertuples():
        serving = H100.replace(tp=row.tp, answer_limit_s=row.answer_limit_s)
        one = answer_price(row.model, serving, **CHAT)
        assert row.cost_usd_per_answer == pytest.approx(one.cost_usd_per_answer)
    assert cases.columns.tolist() == frame.columns.tolist()[: len(cases.columns)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("cost_usd_per_gpu_hour", 0), ("utilisation_frac", 1.5), ("tpot_limit_s", -1),
     ("accelerator", "h1000"), ("precision", "fp5")],
)  # fmt: skip
def test_a_serving_is_checked(name, value):
    with pytest.raises(ValueError, match=r"outside its range|unknown"):
        H100.replace(**{name: value})


def test_random_arrivals_cost_more_than_a_steady_crowd():
    case = Scenario.default()
    price = goodput_price(case, n=600)
    serving = FOUR.replace(ttft_limit_s=case.slo.ttft_s, tpot_limit_s=case.slo.tpot_s,
                           cost_usd_per_gpu_hour=case.cost_usd_per_gpu_hour)  # fmt: skip
    steady = answer_price(
        case.model, serving, input_tokens=case.workload.mean_input_tokens,
        output_tokens=case.workload.mean_output_tokens,
    )  # fmt: skip
    assert 1 < price.cost_usd_per_answer / steady.cost_usd_per_answer < 1.6
    with pytest.raises(TooSlow, match="no rate holds TTFT"):
        goodput_price(case.with_(slo=Slo(ttft_s=1e-4, tpot_s=1e-4)), n=100)


def test_price_by_size_meets_the_models_it_was_made_from():
    by_size = size_price(H100, **CHAT)
    assert len(by_size.params) == len(LADDER)
    one = answer_price("llama-3.1-70b", FOUR, **CHAT)
    at = float(by_size.params[list(LADDER).index("llama-3.1-70b")])
    assert by_size(at) == pytest.approx(one.cost_usd_per_answer / 1500)
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
