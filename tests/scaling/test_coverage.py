"""Shared-out attempts: optimal by brute force, and who wins on which fifth."""

import numpy as np
import pytest

from econ.scaling.coverage import (
    Difficulty,
    attempts_by_difficulty,
    difficulty,
    fifths_frame,
    split_frame,
)


def test_no_exchange_of_attempts_solves_more():
    rng = np.random.default_rng(1)
    p, weight = rng.uniform(0.001, 0.9, 6), np.full(6, 1 / 6)
    best = attempts_by_difficulty(p, weight, 5.0)
    assert weight @ best == pytest.approx(5.0)
    solved = (1 - (1 - p) ** best).sum()
    for i in range(6):
        for j in range(6):
            moved = best.copy()
            step = min(0.05, best[i])
            moved[i] -= step
            moved[j] += step
            assert (1 - (1 - p) ** moved).sum() <= solved + 1e-12


def test_until_one_passes_makes_the_mean_it_is_given():
    """By simulation: patience K with stops has the promised mean and solves the promised share."""
    law = Difficulty(a=0.5, b=1.5)
    share = split_frame(law, 16).set_index("way").loc["until one passes", "solved_frac"]
    patience = law.attempts_for(share)
    rng = np.random.default_rng(0)
    first = rng.geometric(np.clip(rng.beta(0.5, 1.5, 400_000), 1e-12, 1))
    assert np.minimum(first, patience).mean() == pytest.approx(16, rel=0.02)
    assert (first <= patience).mean() == pytest.approx(share, abs=0.01)


def test_sharing_out_saves_attempts():
    for id in ("llama-3-8b-instruct-math", "pythia-12b-math"):
        rows = split_frame(difficulty(id), 64).set_index("way")
        assert rows.loc["all alike", "saving_factor"] == pytest.approx(1)
        assert (rows["saving_factor"].drop("all alike") > 1.4).all()


def test_many_small_attempts_win_the_easy_fifths_and_lose_the_hardest_of_pythia():
    """The headline of the lesson, and its counter-example: it hangs on the pair of models."""
    pythia = fifths_frame(difficulty("pythia-410m-math"), difficulty("pythia-12b-math"), 29)
    assert pythia["better"].tolist()[:3] == ["small"] * 3
    assert pythia["better"].iloc[-1] == "large"
    llama = fifths_frame(
        difficulty("llama-3-8b-instruct-math"), difficulty("llama-3-70b-instruct-math"), 8.8
    )
    assert set(llama["better"]) == {"small"}
    for rows in (pythia, llama):
        assert rows["large_frac"].is_monotonic_decreasing
    mean = pythia["large_frac"].mean()
    assert mean == pytest.approx(difficulty("pythia-12b-math").mean_frac, rel=0.03)
