"""Value in a decision: the choice is the best of the decisions behind it, counted by hand."""

import datetime

import numpy as np
import pytest

from econ.decision import decide
from econ.scenario import Scenario
from econ.terms import Slo

S = Scenario.of("qwen3-32b", "h100-sxm", rate_per_s=0.5)
ASKS = {"accelerators": ["H100"], "precisions": ["fp8"], "n_refined": 1, "n_draws": 60,
        "on": datetime.date(2026, 11, 29), "terms": ["on-demand"]}  # fmt: skip
RIGHT = {"qwen3-32b": 0.7}
TIERS = {"quick": Slo(ttft_s=0.8, tpot_s=0.03), "easy": Slo(ttft_s=2, tpot_s=0.06)}


def test_the_offer_is_the_best_decision_of_its_menu_by_hand():
    worths = {"quick": 0.012, "easy": 0.004}
    answer = decide(S, value_usd_per_answer=worths, right_frac=RIGHT, tiers=TIERS, **ASKS)
    offer, best = answer.offer, -np.inf
    for name, slo in TIERS.items():
        plain = decide(S.with_(slo=slo), **ASKS)

        for o in plain.eligible:
            accepted = 86400 * 0.5 * 0.7 * slo.attainment_frac
            best = max(best, accepted * worths[name] - o.usd_per_day)
    frame = offer.frame()
    assert 24 * offer.profit_usd_per_hour == pytest.approx(best)
    assert offer.profit_npv_usd == frame["profit_npv_usd"].max()
    assert offer.profit_low_npv_usd <= offer.profit_npv_usd <= offer.profit_high_npv_usd
    assert offer.profit_low_usd_per_hour <= offer.profit_usd_per_hour
    assert answer.scenario.slo == TIERS[offer.tier]
    assert (answer.chosen.name, answer.chosen.kind) == (offer.option, offer.kind)


def test_worth_nothing_buys_nothing_and_the_break_even_is_where_it_starts():
    def at(usd, **more):
        return decide(S, value_usd_per_answer=usd, right_frac=RIGHT, **ASKS, **more).offer

    answer = decide(S, value_usd_per_answer=0.0, right_frac=RIGHT, **ASKS)
    nothing = answer.offer
    assert not nothing.serves
    assert str(answer).startswith("Offer nothing: at $0")
    assert "If it is to be served all the same, take the" in str(answer)
    assert answer.memo().count("Offer nothing") == 1
    edge = nothing.break_even_usd_per_answer
    assert at(1.001 * edge).serves
    assert not at(0.999 * edge).serves
    with pytest.raises(ValueError, match=r"floor_frac = 0.9: .* the best is qwen3-32b with 0.7"):
        at(1.0, floor_frac=0.9)


def test_without_a_value_the_least_usd_per_accepted_answer_is_chosen():
    menu = {"qwen3-32b": 0.7, "llama-3.1-8b": 0.2}
    cheap = decide(S, models=list(menu), right_frac=menu, **ASKS)
    each = {m: decide(S, models=[m], right_frac=menu, **ASKS).offer for m in menu}
    assert cheap.offer.usd_per_answer == min(one.usd_per_answer for one in each.values())
    above = decide(S, models=list(menu), right_frac=menu, floor_frac=0.5, **ASKS)
    assert set(above.offer.frame()["model"]) == {"qwen3-32b"}
    assert np.isnan(above.offer.profit_usd_per_hour)


def test_a_closed_model_stands_on_the_menu_and_is_bought_by_the_token():
    menu = {"qwen3-32b": 0.7, "gpt-5": 0.9}
    answer = decide(S, models=list(menu), right_frac=menu, value_usd_per_answer=1.0, **ASKS)
    assert answer.offer.model == "gpt-5"
    assert answer.offer.kind.startswith("api")
