"""Two models together: by counting questions one by one, and at the limits."""

import numpy as np
import pytest

from econ.scenario import Scenario
from econ.value import Check, Single, cascade, cascades_frame, router

SMALL, LARGE = Single(0.6, 0.1), Single(0.8, 1.0)


def test_a_cascade_by_counting_questions():
    rng, n = np.random.default_rng(0), 400_000
    check = Check(keeps_right_frac=0.9, keeps_wrong_frac=0.25, usd_per_answer=0.02)
    ease = rng.random(n)  # nested: the large one gets right all that the small one does
    small_right, large_right = ease < 0.6, ease < 0.8
    keeps = rng.random(n) < np.where(small_right, 0.9, 0.25)
    right = np.where(keeps, small_right, large_right).mean()
    ours = cascade(SMALL, LARGE, check)
    assert ours.right_frac == pytest.approx(right, abs=0.003)
    assert ours.asked_large_frac == pytest.approx((~keeps).mean(), abs=0.003)
    assert ours.usd_per_answer == pytest.approx(0.1 + 0.02 + (~keeps).mean(), abs=0.004)
    sent = router(SMALL, LARGE, check)
    assert sent.right_frac == ours.right_frac
    assert sent.usd_per_answer < ours.usd_per_answer  # no answer is paid twice


def test_the_limits_are_the_single_models():
    trusts = cascade(SMALL, LARGE, Check(keeps_right_frac=1, keeps_wrong_frac=1))
    doubts = router(SMALL, LARGE, Check(keeps_right_frac=0, keeps_wrong_frac=0))
    oracle = cascade(SMALL, LARGE, Check(keeps_right_frac=1, keeps_wrong_frac=0), nested_frac=0)
    assert (trusts.right_frac, trusts.asked_large_frac) == (0.6, 0)
    assert doubts.right_frac == pytest.approx(0.8)
    assert doubts.usd_per_answer == pytest.approx(1.0)
    assert oracle.right_frac == pytest.approx(0.6 + 0.4 * 0.8)  # better than either alone


def test_options_are_whole_fleets_and_a_useless_check_never_wins():
    s, right = Scenario.default(), {"llama-3.1-8b": 0.4, "qwen3-32b": 0.7}
    asks = {"value_usd_per_answer": 0.005, "models": list(right), "right_frac": right,
            "demand_per_s": 40}  # fmt: skip
    coin = Check(keeps_right_frac=0.5, keeps_wrong_frac=0.5)
    rows = cascades_frame(s, check=coin, guess=coin, **asks).set_index("kind")
    assert rows.loc["cascade", "right_frac"] == pytest.approx(0.55)
    assert rows.loc["router", "right_frac"] == pytest.approx(0.55)
    assert rows.index[0] == "single"
    good = cascades_frame(s, check=Check(keeps_right_frac=1, keeps_wrong_frac=0), **asks)
    top = good.iloc[0]
    assert top["kind"] == "cascade"
    assert top["right_frac"] == pytest.approx(0.7)
    large = good[good["option"] == "qwen3-32b"].iloc[0]
    assert top["cost_usd_per_hour"] < large["cost_usd_per_hour"]


def test_a_floor_is_for_options_so_that_a_pair_may_reach_it():
    pair = ["llama-3.1-8b", "qwen3-32b"]
    settings = {"value_usd_per_answer": 0.01, "models": pair,
                "check": Check(keeps_right_frac=0.9, keeps_wrong_frac=0.1)}  # fmt: skip
    s = Scenario.default()
    free, kept = cascades_frame(s, **settings), cascades_frame(s, **settings, floor_frac=0.5)
    assert set(kept["option"]) == set(free.loc[free["right_frac"] >= 0.5, "option"])
    assert "llama-3.1-8b" not in set(kept["option"])
    assert "llama-3.1-8b then qwen3-32b" in set(kept["option"])
    with pytest.raises(ValueError, match=r"floor_frac = 0.99: no option reaches it; the best is"):
        cascades_frame(s, **settings, floor_frac=0.99)
