"""The offer that earns most is the best of the decisions behind it."""

import datetime

import pytest

from econ.decision import decide, decide_value
from econ.scenario import Scenario
from econ.terms import Slo

S = Scenario.of("qwen3-32b", "h100-sxm", rate_per_s=0.5)
ASKS = {"accelerators": ["H100"], "precisions": ["fp8"], "n_refined": 1, "n_draws": 60,
        "on": datetime.date(2026, 11, 29), "terms": ["on-demand"]}  # fmt: skip


def test_the_offer_is_the_best_decision_of_its_menu_by_hand():
    right = {"qwen3-32b": 0.7}
    tiers = {"quick": Slo(ttft_s=0.8, tpot_s=0.03), "easy": Slo(ttft_s=2, tpot_s=0.06)}
    worths = {"quick": 0.012, "easy": 0.004}
    offer = decide_value(S, value_usd_per_answer=worths, right_frac=right, tiers=tiers, **ASKS)
    best = max(
        86400 * 0.5 * 0.7 * slo.attainment_frac * worths[name]
        - min(o.usd_per_day for o in decide(S.with_(slo=slo), **ASKS).eligible)
        for name, slo in tiers.items()
    )
    assert offer.profit_usd_per_day == pytest.approx(best)
    assert offer.profit_low_usd_per_day <= offer.profit_usd_per_day <= offer.profit_high_usd_per_day
    assert offer.decision.scenario.slo == tiers[offer.tier]


def test_worth_nothing_buys_nothing():
    right = {"qwen3-32b": 0.7}
    nothing = decide_value(S, value_usd_per_answer=0.0, right_frac=right, **ASKS)
    assert not nothing.serves
    edge = nothing.break_even_usd_per_answer
    asks = {"right_frac": right, **ASKS}
    assert decide_value(S, value_usd_per_answer=1.001 * edge, **asks).serves
    assert not decide_value(S, value_usd_per_answer=0.999 * edge, **asks).serves
    with pytest.raises(ValueError, match=r"floor_frac = 0.9: .* the best is qwen3-32b with 0.7"):
        decide_value(S, value_usd_per_answer=1.0, floor_frac=0.9, **asks)
