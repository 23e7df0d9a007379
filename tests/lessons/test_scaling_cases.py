"""The cases of notebook 05, first half, by a second route."""

import numpy as np
import pytest

from econ.lessons import scaling_cases as cases
from econ.scaling.fit import loss_points
from econ.scaling.laws import law
from econ.scaling.optimal import compute_optimal, fit_law, lifetime_optimal, loss, optimal_flop


def test_kaplans_recommendation_at_one_petaflop_day():
    assert cases.allocation_params(1e15 * 86_400) == pytest.approx(1.3e9, rel=1e-3)
    ratio = cases.allocation_params(1e24) / cases.allocation_params(1e22)
    assert np.log10(ratio) / 2 == pytest.approx(0.73)
    with pytest.raises(ValueError, match="unknown recommended split 'hoffmann2022'"):
        cases.allocation_params(1e22, "hoffmann2022")


def test_readings_are_the_laws_own():
    frame = cases.readings_frame((1e21, 1e24))
    assert len(frame) == 2 * (len(cases.READ) + 1)
    assert (6 * frame["params"] * frame["tokens"] / frame["flop"]).round(9).eq(1).all()
    own = frame[frame["title"] == law("besiroglu2024").title].set_index("flop")
    assert own.loc[1e24, "params"] == pytest.approx(compute_optimal(1e24, "besiroglu2024").params)


def test_the_marked_point_of_a_budget_is_its_lowest():
    frame = cases.iso_flop_frame("besiroglu2024", (1e21, 1e24))
    for _, curve in frame.groupby("budget"):
        assert curve["is_optimum"].sum() == 1
        assert curve.loc[curve["loss"].idxmin(), "is_optimum"]


def test_each_resample_recommends_within_the_budget():
    fit = fit_law(loss_points("gadre-c4"), n_bootstrap=20)
    asked = cases.recommended_frame(fit, 1e21)
    assert (6 * asked["params"] * asked["tokens"]).round(-12).eq(1e21).all()
    points = cases.fitted_frame(loss_points("gadre-c4"), fit.law)
    assert points["error_frac"].abs().median() == pytest.approx(fit.median_error_frac)


def test_in_practice_models_are_smaller_than_the_optimum_for_their_flop():
    frame = cases.practice_frame().set_index("model")
    assert (frame["smaller_factor"] >= 1).all()
    assert (frame["loss_gap_nats"] >= 0).all()
    llama = frame.loc["llama-3.1-8b"]
    assert llama.tokens_per_param == pytest.approx(15e12 / 8.03e9, rel=1e-3)
    assert llama.smaller_factor > 9


def test_repeats_end_above_fresh_text():
    frame = cases.repeats_frame(7e9, 100e9)
    assert frame["loss"].iloc[0] == frame["loss_if_fresh"].iloc[0]
    assert (frame["loss"].iloc[1:] > frame["loss_if_fresh"].iloc[1:]).all()
    assert (frame["loss"].diff().dropna() < 0).all()


def test_a_life_is_drawn_with_its_two_optima():
    frame = cases.life_frame(13e9, 2e12)
    marks = frame[frame["kind"] != "curve"].set_index("kind")
    flop = optimal_flop(13e9, "besiroglu2024")
    target = float(loss(*compute_optimal(flop, "besiroglu2024"), "besiroglu2024"))
    best = lifetime_optimal(target, 2e12, "besiroglu2024")
    assert marks.loc["cheapest for life", "cost"] == pytest.approx(best.total)
    assert marks.loc["cheapest to train", "cost"] == pytest.approx(flop + 2 * 13e9 * 2e12)
    curve = frame[(frame["kind"] == "curve") & (frame["part"] == "both")]
    assert curve["cost"].min() >= best.total * (1 - 1e-9)
    paid = cases.life_frame(13e9, 2e12, training_usd_per_flop=2e-18, price=cases.lesson_price())
    assert set(paid["unit"]) == {"USD"}
