"""Errors that help: names, values, ranges, nearest matches."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog import guard, units


@pytest.mark.parametrize("bad", [-1, 0, math.nan, math.inf, -math.inf, "3", None, True])
def test_positive_refuses_and_repeats(bad):
    with pytest.raises(ValueError, match=r"ttft_s = .* is outside its range: .*above 0"):
        guard.positive("ttft_s", bad)


@pytest.mark.parametrize("bad", [-0.01, 1.01, 92, math.nan])
def test_a_share_is_not_a_percentage(bad):
    with pytest.raises(ValueError, match="0 to 1"):
        guard.fraction("cached_frac", bad)


@pytest.mark.parametrize("bad", [0.5, -1, math.nan, 1e13])
def test_count_takes_whole_numbers(bad):
    with pytest.raises(ValueError, match="n = "):
        guard.count("n", bad)


@given(st.floats(0, 1e9))
def test_what_is_in_range_comes_back_unchanged(x):
    assert guard.not_negative("x", x) == x


def test_unknown_lists_the_nearest_and_else_all():
    assert "gpt-4o" in str(guard.unknown("model", "gpt4o", ["gpt-4o", "llama"]))
    assert "known: a, b" in str(guard.unknown("thing", "zzz", ["a", "b"]))


@given(st.floats(1e-9, 1e9))
def test_units_there_and_back(x):
    back = units.usd_per_token_from_usd_per_mtok(units.usd_per_mtok_from_usd_per_token(x))
    assert math.isclose(back, x, rel_tol=1e-12)


def test_units_against_the_definitions():
    assert units.HOURS_PER_YEAR == 8760
    assert units.YEAR_S == 31_536_000
    assert units.per_second_from_per_hour(3600) == 1
    assert units.KWH_J == 3.6e6
    assert round(units.GIB / units.GB, 4) == 1.0737
