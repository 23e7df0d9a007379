"""The price of a solved task: by hand, and beside the price of a token."""

import pytest

from econ.trends.tasks import FIRST, LAST, cheapest_task, task_falls_frame, task_runs_frame


def test_a_solved_task_pays_for_the_failed_ones():
    row = task_runs_frame().set_index("run").loc["GPT-5 (2025-08-07) (medium reasoning)"]
    assert row["usd_per_solved"] == pytest.approx(0.2804 / 0.65, rel=2e-3)
    assert row["price_usd_per_mtok"] == pytest.approx((3 * 1.25 + 10) / 4)


def test_tasks_fell_at_every_level_and_not_as_their_tokens_did():
    """The headline of notebook 10: between the same two models, task and token fall apart."""
    falls = task_falls_frame().set_index("level_frac")
    assert (falls["task_fall"] > 1).all()
    half = falls.loc[0.55]
    assert half["task_fall"] > 3 * half["token_fall"] > 3
    low = falls.loc[0.2]  # and the other way round at another level
    assert low["token_fall"] > low["task_fall"]


def test_the_cheapest_task_is_known_on_its_day():
    first, last = cheapest_task(0.55, FIRST), cheapest_task(0.55, LAST)
    assert first["as_of"] <= FIRST
    assert last["usd_per_solved"] < first["usd_per_solved"]
    with pytest.raises(ValueError, match="no run by"):
        cheapest_task(0.9, LAST)
