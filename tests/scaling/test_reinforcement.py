"""Reward over compute: the printed points of the sigmoid, and two recipes that cross."""

import numpy as np
import pytest

from econ.catalog import table
from econ.scaling.reinforcement import RewardLaw, crossing_gpu_hours, rl_law, rl_laws_frame


def test_the_sigmoid_by_hand():
    law = RewardLaw(ceiling_frac=0.6, midpoint_gpu_hours=1000, steepness=2)
    assert law.gained(0) == 0
    assert law.gained(1000) == 0.5
    assert law.gained(3000) == pytest.approx(9 / 10)
    assert law.at(3000, 0.1) == pytest.approx(0.1 + 0.5 * 0.9)
    assert law.gpu_hours_for(0.9) == pytest.approx(3000)
    assert np.asarray(law.gained(np.array([1e3, 3e3]))).tolist() == pytest.approx([0.5, 0.9])


def test_the_leader_of_a_short_trial_loses_in_the_long_run():
    """The headline: from 20 to 40 % at the start the larger batch is worse first, better last."""
    quick, slow = rl_law("scalerl-8b-batch-512"), rl_law("scalerl-8b-batch-2048")
    for start in (0.2, 0.3, 0.4):
        hours = crossing_gpu_hours(quick, slow, start)
        assert 10_000 < hours < 60_000
        assert quick.at(hours, start) == pytest.approx(slow.at(hours, start))
        assert quick.at(hours / 5, start) > slow.at(hours / 5, start)
        assert quick.at(hours * 5, start) < slow.at(hours * 5, start)
    with pytest.raises(ValueError, match="does not pass"):
        crossing_gpu_hours(slow, quick, 0.3)


def test_every_published_law_is_there_and_ends_below_one():
    frame = rl_laws_frame()
    assert set(frame["recipe"]) == set(table("rl_laws")["title"])
    assert frame["gained_percent"].between(0, 100).all()
    assert frame.groupby("recipe")["gained_percent"].is_monotonic_increasing.all()
    assert (frame["ceiling_frac"] < 0.75).all()


@pytest.mark.parametrize("start", [-0.1, 0.7])
def test_a_start_above_the_ceiling_is_refused(start):
    with pytest.raises(ValueError, match="start_frac"):
        rl_law("scalerl-8b").at(1000, start)
