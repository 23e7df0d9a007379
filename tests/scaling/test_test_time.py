"""Attempts, votes, verifiers: counting, simulation, limits, bad input."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.scaling.coverage import Difficulty, coverage_curve, difficulty, pass_at_k
from econ.scaling.test_time import (
    Verifier,
    best_of_n_accuracy,
    majority_vote_accuracy,
    verifiers_frame,
)

SHARE = st.floats(0, 1)
BETA = st.builds(Difficulty, a=st.floats(0.05, 5), b=st.floats(0.05, 200))


@settings(deadline=None)
@given(st.data())
def test_pass_at_k_is_the_ratio_of_binomials(data):
    n = data.draw(st.integers(1, 300))
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    exact = 1 - Fraction(math.comb(n - c, k), math.comb(n, k))
    assert pass_at_k(n, c, k) == pytest.approx(float(exact), rel=1e-9, abs=1e-12)


def test_pass_at_k_is_stable_where_binomials_overflow():
    assert pass_at_k(10**8, 1, 10**7) == pytest.approx(0.1, rel=1e-6)
    assert pass_at_k(10**6, 3, 1) == pytest.approx(3e-6, rel=1e-6)


@pytest.mark.parametrize(
    ("n", "c", "k", "says"),
    [
        (10, 2, 11, "k = 11 is outside its range: at most n = 10"),
        (10, 11, 1, "c = 11 is outside its range: at most n = 10"),
        (10, -1, 1, "c = -1"), (0, 0, 1, "n = 0"), (10, 1, 0, "k = 0"), (10, 1.5, 1, "c = 1.5"),
        (10, math.nan, 1, "c = nan"),
    ],
)  # fmt: skip
def test_impossible_counts_are_refused(n, c, k, says):
    with pytest.raises(ValueError, match=says):
        pass_at_k(n, c, k)


def test_coverage_of_two_problems_by_hand():
    frame = coverage_curve([4, 4], [4, 0], [1, 2, 4])
    assert frame["coverage"].tolist() == [0.5, 0.5, 0.5]  # one always, one never
    assert frame["independent"].tolist() == [0.5, 0.75, pytest.approx(1 - 0.5**4)]
    with pytest.raises(ValueError, match="numbers, at least one"):
        coverage_curve([], [], [1])


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=20), st.integers(1, 50))
def test_unequal_problems_never_cover_more_than_equal_ones_would(right, k):
    """Jensen: the chance of a miss is convex in p."""
    law = Difficulty(a=1 + sum(right) / 50, b=3.0)
    assert law.coverage(k) <= 1 - (1 - law.mean_frac) ** k + 1e-12
    assert law.coverage(1) == pytest.approx(law.mean_frac)


@settings(max_examples=30, deadline=None)  # the first call makes the nodes
@given(st.floats(0.2, 5), st.floats(0.2, 200), st.integers(1, 60))
def test_coverage_is_the_mean_over_difficulties(a, b, k):
    law = Difficulty(a=a, b=b)
    p, weight = law.quantiles(200)
    assert weight @ (1 - (1 - p) ** k) == pytest.approx(law.coverage(k), abs=0.01)


def test_the_tail_is_a_power_of_the_attempts():
    law = Difficulty(a=0.3, b=12.0)
    rest = [1 - law.coverage(k) for k in (1e5, 1e7)]
    assert math.log(rest[0] / rest[1]) / math.log(100) == pytest.approx(0.3, abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 2), st.floats(0.5, 20))
def test_fits_find_the_law_again(a, b):
    law = Difficulty(a=a, b=b)
    through = Difficulty.through(law.coverage(1), 100, law.coverage(100))
    assert (through.a, through.b) == (pytest.approx(a, rel=1e-4), pytest.approx(b, rel=1e-4))


def test_the_beta_binomial_fit_on_drawn_counts():
    rng = np.random.default_rng(0)
    right = rng.binomial(1000, rng.beta(0.4, 4.0, 2000))
    found = Difficulty.fit(np.full(2000, 1000), right)
    assert (found.a, found.b) == (pytest.approx(0.4, rel=0.1), pytest.approx(4.0, rel=0.15))
    with pytest.raises(ValueError, match="no spread to fit"):
        Difficulty.fit([10, 10], [0, 0])


@settings(deadline=None)
@given(BETA, st.floats(0.01, 0.9))
def test_attempts_for_undoes_coverage(law, share):
    if law.coverage(1e9) <= share:
        with pytest.raises(ValueError, match="more than 1e\\+09 attempts"):
            law.attempts_for(share)
    else:
        k = law.attempts_for(share)
        assert law.coverage(k) == pytest.approx(max(share, law.coverage(1)), rel=1e-6)


def test_what_no_two_points_allow_is_refused():
    with pytest.raises(ValueError, match=r"between 0\.159, one attempt, and"):
        Difficulty.through(0.159, 250, 0.1)
    with pytest.raises(ValueError, match="no number of attempts"):
        Difficulty(a=1, b=1).attempts_for(1.0)
    with pytest.raises(ValueError, match="nearest: pythia-12b-math"):
        difficulty("pythia-12b")


# -- votes -------------------------------------------------------------------------------------
def _vote_by_counting(p, rival, k):
    """All sequences of right, rival and lone answers; ties by lot among those in front."""
    won = 0.0
    for votes in product("xyz", repeat=k):
        x, y, z = (votes.count(v) for v in "xyz")
        chance = p**x * rival**y * (1 - p - rival) ** z
        front = max(x, y, 1 if z else 0)
        if x == front:
            tied = 1 + (y == front) + (z if front == 1 else 0)
            won += chance / tied
    return won


@settings(max_examples=40, deadline=None)
@given(SHARE, SHARE, st.integers(1, 6))
def test_a_vote_is_what_counting_gives(p, rival_frac, k):
    counted = _vote_by_counting(p, rival_frac * (1 - p), k)
    assert majority_vote_accuracy(p, k, rival_frac) == pytest.approx(counted, abs=1e-9)


@settings(deadline=None)
@given(SHARE, st.integers(0, 20))
def test_two_answers_are_symmetric(p, half):
    k = 2 * half + 1
    both = majority_vote_accuracy(p, k) + majority_vote_accuracy(1 - p, k)
    assert both == pytest.approx(1, abs=1e-9)


@settings(deadline=None)
@given(st.floats(0.55, 0.95))
def test_many_votes_end_where_the_jury_theorem_says(p):
    assert majority_vote_accuracy(p, 100_001) == pytest.approx(1, abs=1e-6)
    assert majority_vote_accuracy(1 - p, 100_001) == pytest.approx(0, abs=1e-6)


@settings(deadline=None)
@given(st.floats(0.05, 0.95), st.floats(0.1, 1))
def test_exact_and_approximate_votes_meet(p, rival_frac):
    exact, near = (majority_vote_accuracy(p, k, rival_frac) for k in (64, 65))
    assert near == pytest.approx(exact, abs=0.05)


@pytest.mark.parametrize(
    ("p", "rival_frac", "k"), [(0.001, 0.0, 100), (0.02, 0.01, 200), (0.05, 0.1, 65)]
)
def test_many_votes_of_which_few_agree_are_counted(p, rival_frac, k):
    rival = rival_frac * (1 - p)
    drawn = np.random.default_rng(1).multinomial(k, [p, rival, 1 - p - rival], 100_000)
    right, other, alone = drawn.T
    most = np.maximum(np.maximum(right, other), alone > 0)
    tied = (right == most) * 1 + (other == most) + np.where(most == 1, alone, 0)
    share = np.where((right == most) & (right > 0), 1 / np.maximum(tied, 1), 0.0).mean()
    assert majority_vote_accuracy(p, k, rival_frac) == pytest.approx(share, abs=0.005)


def test_a_vote_of_one_is_an_answer():
    p = np.linspace(0, 1, 11)
    assert majority_vote_accuracy(p, 1, 0.3) == pytest.approx(p)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: majority_vote_accuracy(1.2, 5), "p = 1.2"),
        (lambda: majority_vote_accuracy(0.5, 0), "k = 0"),
        (lambda: majority_vote_accuracy(0.5, 5, 2), "rival_frac = 2"),
        (lambda: best_of_n_accuracy(-0.1, 5), "p = -0.1"),
        (lambda: best_of_n_accuracy(0.5, 0), "n = 0"),
        (lambda: best_of_n_accuracy(0.5, 5, true_positive_frac=90), "not a percentage"),
        (lambda: Difficulty(a=0, b=1), "a = 0"),
    ],
)
def test_bad_shares_and_counts_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# -- verifiers ---------------------------------------------------------------------------------
@settings(deadline=None)
@given(SHARE, st.integers(1, 1000))
def test_a_perfect_verifier_gives_coverage(p, n):
    assert best_of_n_accuracy(p, n) == pytest.approx(1 - (1 - p) ** n, abs=1e-9)


@settings(deadline=None)
@given(SHARE, SHARE, st.integers(1, 1000))
def test_a_verifier_that_knows_nothing_gains_nothing(p, passes, n):
    blind = best_of_n_accuracy(p, n, true_positive_frac=passes, false_positive_frac=passes)
    assert blind == pytest.approx(p, abs=1e-9)


def test_the_ceiling_of_a_verifier_that_errs():
    got = best_of_n_accuracy(0.1, 10**6, true_positive_frac=0.9, false_positive_frac=0.05)
    assert got == pytest.approx(0.09 / 0.135)


def test_picking_by_simulation():
    rng, p, n, t, f = np.random.default_rng(0), 0.2, 6, 0.8, 0.1
    right = rng.random((60_000, n)) < p
    passed = rng.random(right.shape) < np.where(right, t, f)
    order = rng.random(right.shape) + passed  # those passed first, by lot
    picked = np.take_along_axis(right, order.argmax(axis=1)[:, None], axis=1).mean()
    ours = best_of_n_accuracy(p, n, true_positive_frac=t, false_positive_frac=f)
    assert ours == pytest.approx(picked, abs=0.006)


LAW = Difficulty(a=0.4, b=1.2)


def test_tests_as_a_verifier_give_coverage():
    assert Verifier(name="tests").accuracy_frac(LAW, 50) == pytest.approx(
        float(LAW.coverage(50)), abs=2e-3
    )


def test_one_attempt_needs_no_verifier():
    for wrong in (0.0, 0.3):
        one = Verifier(name="any", false_positive_frac=wrong, true_positive_frac=0.8)
        assert one.accuracy_frac(LAW, 1) == pytest.approx(LAW.mean_frac, rel=1e-2)


def test_errors_lower_the_ceiling_and_the_price_raises_the_cost():
    frame = verifiers_frame(
        [
            Verifier(name="tests", usd_per_attempt=1e-5),
            Verifier(name="judge", usd_per_attempt=1e-3, false_positive_frac=0.1),
            Verifier(name="person", usd_per_attempt=1.0),
        ],
        LAW,
        attempt_usd=0.002,
    ).set_index("verifier")
    assert frame.loc["judge", "best_frac"] < frame.loc["tests", "best_frac"]
    assert frame.loc["judge", "n_attempts"] < frame.loc["tests", "n_attempts"]
    person = frame.loc["person"]
    assert person["checking_share_frac"] > 0.99
    assert person["usd_per_right"] == pytest.approx(
        person["n_attempts"] * 1.002 / person["right_frac"]
    )


@pytest.mark.parametrize("wrong", [{"usd_per_attempt": -1}, {"false_positive_frac": 1.5}])
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Verifier(name="x", **wrong)
    with pytest.raises(ValueError, match="no verifiers"):
        verifiers_frame([], LAW, attempt_usd=0.002)
