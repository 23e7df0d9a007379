"""The cases of notebook 05, second half, by a second route."""

import math

import numpy as np
import pytest

from econ.catalog import table
from econ.lessons import test_time_cases as cases
from econ.scaling.price import Serving, SizePrice
from econ.scaling.test_time import difficulty

FITS = table("coverage_fits")
PRICE = SizePrice(np.array([1e8, 1e11]), np.array([1e-8, 1e-6]))
EIGHT = Serving(accelerator="h200-sxm", tp=8, cost_usd_per_gpu_hour=3.85)


@pytest.mark.parametrize("id", FITS.index)
def test_the_fitted_law_of_difficulty_is_near_the_measured_curve(id):
    points = cases.measured_frame((id,))
    ours = difficulty(id).coverage(points["k"].to_numpy())
    assert np.abs(ours - points["coverage"]).max() < 0.03


def test_a_hundred_attempts_foretell_ten_thousand_better_than_independence():
    frame = cases.held_out_frame()
    pythia = frame[frame["id"].str.startswith("pythia")]
    assert (pythia["independent_error"] > 2 * pythia["beta_error"].abs()).all()
    assert frame["beta_error"].abs().max() < 0.11


def test_the_published_two_points():
    frame = cases.swe_frame()
    assert frame["percent"].tolist() == [pytest.approx(15.9), pytest.approx(56)]
    assert cases.coverage_if_alike(0.159, 250) == pytest.approx(1 - 0.841**250)
    assert cases.coverage_if_alike(1.0, 3) == 1


def test_coverage_has_its_three_ways():
    frame = cases.coverage_frame("pythia-1b-math").pivot_table("percent", "k", "way")
    alike, spread = "all problems alike", "problems of differing difficulty"
    assert (frame[alike] >= frame[spread] - 1).all()
    assert frame["measured"].dropna().index.tolist() == list(cases.MEASURED_KS)


@pytest.mark.parametrize("id", ["llama-3-8b-instruct-math", "llama-3-70b-instruct-math"])
def test_a_vote_of_many_ends_where_it_was_measured(id):
    end = cases.vote_curve(id)[-1]
    assert end == pytest.approx(FITS.loc[id, "vote_frac"], abs=0.01)
    with pytest.raises(ValueError, match="unknown coverage with a measured vote"):
        cases.rival_frac("pythia-1b-math")


def test_a_perfect_verifier_is_coverage_and_a_poor_one_less():
    id = "llama-3-8b-instruct-math"
    perfect = cases.attempts_frame(id).pivot(index="k", columns="way", values="percent")
    gap = (perfect["this verifier"] - perfect["perfect verifier"]).abs()
    assert gap.max() < 0.5  # quadrature over difficulty
    poor = cases.attempts_frame(id, 0.9, 0.1).pivot(index="k", columns="way", values="percent")
    assert (poor["this verifier"] <= perfect["perfect verifier"] + 0.5).all()
    assert poor["this verifier"].iloc[0] == pytest.approx(perfect["this verifier"].iloc[0])


def test_thinking_is_a_line_in_the_range_measured_and_nothing_outside():
    id = "claude-3.7-sonnet-aime"
    row = table("thinking_curves").loc[id]
    gain = cases.thinking_accuracy(10_000, id) - cases.thinking_accuracy(5_000, id)
    assert gain == pytest.approx(row.gain_frac_per_doubling)
    with pytest.raises(ValueError, match=r"tokens = 100000 is outside its range: 2180 to 22500"):
        cases.thinking_accuracy(100_000, id)
    with pytest.raises(ValueError, match="unknown thinking curve"):
        cases.thinking_accuracy(5000, "claude")


def test_a_clock_makes_right_answers_dearer_until_none_fits():
    frame = cases.thinking_frame(
        "claude-3.7-sonnet-aime", "deepseek-v3", EIGHT, (60.0, 600.0, math.inf)
    )
    wide = frame.pivot(index="tokens", columns="limit", values="usd_per_correct")
    assert (wide["within 600 s"] >= wide["no limit"] * (1 - 1e-9)).all()
    assert wide["within 60 s"].isna().any()
    assert (frame["usd_per_correct"] * frame["accuracy"]).to_numpy() == pytest.approx(
        frame["usd_per_answer"].to_numpy()
    )


def test_a_family_by_hand():
    frame = cases.family_frame(1e6, 2e-18, PRICE, attempt_tokens=300)
    row = frame[(frame["id"] == "pythia-1b-math") & (frame["k"] == 100)].iloc[0]
    trained = 6 * row.params * 3e11 * 2e-18
    assert row.training_usd == pytest.approx(trained)
    assert row.usd_per_problem == pytest.approx(trained / 1e6 + 100 * 300 * PRICE(row.params))
    assert row.usd_per_solved == pytest.approx(row.usd_per_problem / row.coverage)


def test_more_problems_make_larger_models_cheapest():
    frame = cases.size_frame((1e3, 1e6, 1e11), 0.25, 2e-18, PRICE)
    best = frame.loc[frame.groupby("requests")["usd_per_solved"].idxmin()]
    assert best["params"].is_monotonic_increasing
    assert (frame["coverage"] >= 0.25).all()
    assert best["k"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cases.family_frame(0, 1e-18, PRICE), "n_requests = 0"),
        (lambda: cases.family_frame(1e3, 1e-18, PRICE, family="qwen"), "unknown family"),
        (lambda: cases.size_frame((1e3,), 0.99, 1e-18, PRICE), "no size reaches it"),
        (lambda: cases.measured_frame(("llama",)), "unknown fitted coverage"),
        (lambda: cases.thinking_frame("x", "deepseek-v3", EIGHT, (60,)), "unknown thinking"),
    ],
)
def test_bad_input_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
