"""The best of a menu by brute force, and the laws that any best must keep."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog.scores import quality
from econ.catalog.units import HOUR_S
from econ.latency import predict
from econ.scenario import Scenario
from econ.tco import cost
from econ.terms import Slo
from econ.value import value
from econ.value.worth import BATCHES, SPLITS

S = Scenario.default()
RIGHT = {"llama-3.1-70b": 0.6, "llama-3.1-8b": 0.35, "qwen3-32b": 0.7}
MENU = {"models": list(RIGHT), "right_frac": RIGHT, "accelerators": ["h100-sxm", "h200-sxm"]}
TIERS = {"quick": Slo(ttft_s=0.4, tpot_s=0.02), "easy": Slo(ttft_s=2, tpot_s=0.06)}


def test_no_option_of_a_small_menu_beats_it_by_brute_force():
    """One prediction, one cost and one fleet at a time, over batches, splits and models."""
    worth, best = 0.004, 0.0

    def tokens(name):
        return quality(name).output_tokens_per_answer

    for model, right in (("qwen3-32b", 0.7), ("llama-3.1-8b", 0.35)):
        for n in SPLITS:
            more = tokens(model) / tokens(S.model) * S.workload.mean_output_tokens
            case = S.with_(model=model, n_gpu=n, tp=n, output_tokens=round(more))
            for users in BATCHES:
                try:
                    p = predict(case, concurrency=users)
                except ValueError:
                    continue
                if p.ttft_s > S.slo.ttft_s or p.tpot_s > S.slo.tpot_s:
                    continue
                hour = cost(case, concurrency=users).paid_usd_per_gpu_hour
                rate = p.output_tokens_per_s_per_gpu * n / case.workload.mean_output_tokens
                for replicas in range(1, math.ceil(S.workload.rate_per_s / rate) + 1):
                    answers = min(replicas * rate, S.workload.rate_per_s)
                    good = answers * right * S.slo.attainment_frac
                    best = max(best, HOUR_S * good * worth - replicas * n * hour)
    ours = value(
        S, value_usd_per_answer=worth, models=["qwen3-32b", "llama-3.1-8b"], right_frac=RIGHT
    )
    assert ours.profit_usd_per_hour == pytest.approx(best, rel=1e-9)


def test_worth_nothing_buys_nothing_and_break_even_is_where_profit_starts():
    nothing = value(S, value_usd_per_answer=0, **MENU)
    assert not nothing.serves
    assert nothing.n_gpu == 0
    edge = nothing.break_even_usd_per_answer
    assert not value(S, value_usd_per_answer=edge * 0.999, **MENU).serves
    assert value(S, value_usd_per_answer=edge * 1.001, **MENU).serves


@given(st.floats(1e-4, 1), st.floats(1.01, 10))
def test_more_value_never_lowers_the_service(worth, times):
    low, high = (
        value(S, value_usd_per_answer=v, models=["qwen3-32b"], right_frac=RIGHT, tiers=TIERS)
        for v in (worth, worth * times)
    )
    assert high.accepted_per_s >= low.accepted_per_s * (1 - 1e-12)
    assert high.profit_usd_per_hour >= low.profit_usd_per_hour


def test_a_limit_never_raises_the_profit_and_is_kept():
    free = value(S, value_usd_per_answer=0.01, demand_per_s=500, **MENU)
    few = value(S, value_usd_per_answer=0.01, demand_per_s=500, n_gpu_most=3, **MENU)
    small = value(S.with_(site_mw=0.02), value_usd_per_answer=0.01, demand_per_s=500, **MENU)
    assert free.n_gpu > 8
    assert few.n_gpu <= 3
    assert small.n_gpu <= 8  # one server of eight takes 16.9 kW
    assert max(few.profit_usd_per_hour, small.profit_usd_per_hour) < free.profit_usd_per_hour


def test_quick_answers_pay_where_demand_responds_to_them():
    wide = {"value_usd_per_answer": 0.01, "models": ["qwen3-32b"], "right_frac": RIGHT}
    still = value(S, tiers=TIERS, **wide)
    quick = value(S, tiers=TIERS, wait_elasticity=-1.0, **wide)
    assert quick.options.answer_s[0] < still.options.answer_s[0]
    own = S.slo.ttft_s + S.slo.tpot_s * (S.workload.mean_output_tokens - 1)
    asked = S.workload.rate_per_s * own / quick.options.answer_s[0]
    assert quick.options.demand_per_s[0] == pytest.approx(asked)


def test_a_model_that_writes_more_tokens_an_answer_fills_more_of_the_machine():
    thinks = value(
        S, value_usd_per_answer=1, models=["gpt-oss-120b"], right_frac={"gpt-oss-120b": 0.8}
    )
    assert thinks.options.output_tokens[0] > 5 * S.workload.mean_output_tokens


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"floor_frac": 0.99}, r"floor_frac = 0.99: .* the best is qwen3-32b with 0.7"),
        ({"n_gpu_most": 0}, "n_gpu_most"),
        ({"wait_elasticity": 0.5}, r"wait_elasticity = 0.5 is outside its range: -10 to 0"),
        ({"value_usd_per_answer": -1}, "value_usd_per_answer"),
        ({"models": ["gpt-2-mine"], "right_frac": {}}, "gpt-2-mine has no score"),
        ({"tiers": {"x": Slo(ttft_s=1e-4)}}, "no option keeps any tier"),
    ],
)
def test_bad_input_says_what_works(change, words):
    with pytest.raises(ValueError, match=words):
        value(S, **({"value_usd_per_answer": 0.01} | MENU | change))


def test_a_site_smaller_than_a_server_says_what_a_server_takes():
    with pytest.raises(ValueError, match=r"site_mw = 0.01 holds 0 × h.*8 takes 16.9 kW"):
        value(S.with_(site_mw=0.01), value_usd_per_answer=0.01, **MENU)
    with pytest.raises(ValueError, match="rack_kw = 5 holds no h"):
        value(S.with_(rack_kw=5), value_usd_per_answer=0.01, **MENU)


def test_a_tier_sells_at_its_price_and_the_demand_answers_to_it():
    wide = {"models": ["qwen3-32b"], "right_frac": RIGHT, "tiers": TIERS, "demand_per_s": 20}
    easy = value(S, value_usd_per_answer={"quick": 0.002, "easy": 0.02}, **wide)
    worths = {"quick": 0.02, "easy": 0.002}
    quick = value(S, value_usd_per_answer=worths, **wide)
    assert (easy.tier, quick.tier) == ("easy", "quick")
    fewer = value(S, value_usd_per_answer=worths, price_elasticity=-0.5, **wide)
    rows = fewer.options.groupby("tier")["demand_per_s"].first()
    assert rows["quick"] == pytest.approx(20 * 10**-0.5)
    assert rows["easy"] == pytest.approx(20)
    with pytest.raises(ValueError, match="no value for the tier 'easy'"):
        value(S, value_usd_per_answer={"quick": 1.0}, **wide)
