"""The best of models and tiers, plan by plan; and what is refused."""

import pytest

from econ.catalog.scores import quality
from econ.plan import best_service, plan
from econ.scenario import Scenario
from econ.terms import Slo

S = Scenario.of("qwen3-32b", "h100-sxm", precision="fp8", rate_per_s=3.0)
SPACE = {"accelerators": ["h100-sxm"], "precisions": ["fp8"], "parallelism": [(1, 1, 1, 1)],
         "concurrencies": [8, 48], "n": 400}  # fmt: skip
RIGHT = {"qwen3-32b": 0.7, "llama-3.1-8b": 0.4}
TIERS = {"quick": Slo(ttft_s=0.5, tpot_s=0.025), "easy": Slo(ttft_s=2, tpot_s=0.06)}


def test_the_best_of_models_and_tiers_is_the_best_of_their_plans():
    worths = {"quick": 0.004, "easy": 0.003}
    offer = best_service(
        S, value_usd_per_answer=worths, models=list(RIGHT), tiers=TIERS, right_frac=RIGHT,
        **SPACE,
    )  # fmt: skip
    tokens = {name: quality(name).output_tokens_per_answer for name in RIGHT}
    best = 0.0
    for model, right in RIGHT.items():
        times = tokens[model] / tokens["qwen3-32b"]
        longer = tuple(times * n for n in S.workload.output_quantile_tokens)
        for tier, slo in TIERS.items():
            asked = S.with_(model=model, slo=slo, output_quantile_tokens=longer)
            row = plan(asked, **SPACE | {"n_refined": 2}).best
            usd = 3600 * 3.0 * right * worths[tier] * row["good_frac"] - row["usd_per_hour"]
            best = max(best, usd)
    assert offer.profit_usd_per_hour >= best - 1e-9  # the value may pay for a better fleet
    assert offer.profit_usd_per_hour == offer.options["profit_usd_per_hour"].max()
    assert offer.plan.best["profit_usd_per_hour"] == offer.profit_usd_per_hour
    assert offer.profit_low_usd_per_hour <= offer.profit_usd_per_hour


def test_worth_nothing_buys_nothing_and_the_break_even_is_where_it_starts():
    nothing = best_service(S, value_usd_per_answer=0.0, right_frac=RIGHT, **SPACE)
    assert not nothing.serves
    assert nothing.n_gpu == 0
    edge = nothing.break_even_usd_per_answer
    assert best_service(S, value_usd_per_answer=1.001 * edge, right_frac=RIGHT, **SPACE).serves
    assert not best_service(S, value_usd_per_answer=0.98 * edge, right_frac=RIGHT, **SPACE).serves


def test_what_no_plan_can_keep_is_said():
    with pytest.raises(ValueError, match=r"no plan keeps any tier: none of \d+ deployments"):
        best_service(
            S, value_usd_per_answer=1, right_frac=RIGHT, tiers={"x": Slo(ttft_s=1e-4)}, **SPACE
        )
    with pytest.raises(ValueError, match="profit needs value_usd_per_answer"):
        plan(S, objective="profit_usd_per_hour", **SPACE)
    with pytest.raises(ValueError, match="profit needs value_usd_per_answer"):
        plan(S, objective="carbon_g_per_mtok", value_usd_per_answer=1.0, **SPACE)
