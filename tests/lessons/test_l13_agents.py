"""Lesson 13: its tables by a second route, and what its words say."""

from __future__ import annotations

import pytest

from econ.lessons import l13_agents as lesson


def test_the_loop_by_hand():
    loop = lesson.loop_frame(3, 100)
    assert loop["input_tokens"].tolist() == [1600, 3400, 5200]
    assert (loop["input_tokens"] - loop["repeated_tokens"]).sum() == 100 + 3 * 1500


def test_more_sessions_find_less_in_a_full_memory_and_a_tier_mends_it():
    bare, full = lesson.cost_at(18.0), lesson.cost_at(72.0)
    tiered = lesson.cost_at(72.0, ("host",))
    assert bare.hit_frac > 0.9 > 0.6 > full.hit_frac
    assert tiered.hit_frac > 0.9
    assert (full.meets_slo, tiered.meets_slo) == (False, True)
    assert (bare.cheaper, full.cheaper, tiered.cheaper) == ("api", "api", "own")


def test_a_check_changes_the_order_of_models():
    tokens, checked = lesson.models_frame(0.0), lesson.models_frame(5.0)
    assert tokens["model"].iloc[0] != checked["model"].iloc[0]
    row = checked.iloc[0]
    assert row.usd_per_task == pytest.approx((row.usd_per_attempt + 5) / row.solved_frac)


def test_a_longer_life_finds_more():
    lives = lesson.lifetimes_frame([60, 3600])
    assert lives["hit_frac"].is_monotonic_increasing
    assert lives["user_hit_frac"].diff().iloc[1] > lives["tool_hit_frac"].diff().iloc[1]


def test_where_a_prefix_lies():
    where = lesson.where_frame(40_000).set_index("prefix")["ttft_s"]
    assert where["hbm"] < where["host"] < where["store"] < where["miss"]


def test_the_panel_has_a_row_for_each_memory_and_share():
    frame = lesson.live_frame(36, 60_000)
    assert len(frame) == 4
    assert frame["percent"].between(0, 100).all()
