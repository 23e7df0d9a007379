"""Published figures, recomputed and held within the tolerance or band each row states."""

import math
import re

import pytest

from econ.catalog import table
from econ.ledger import ledger

FRAME = ledger.ledger_frame()
ROWS = table("published_figures")
DIGITS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


@pytest.mark.parametrize("id", FRAME.index[FRAME["asserted"]])
def test_ours_is_within_the_rows_tolerance(id):
    row = FRAME.loc[id]
    assert row.within, (
        f"ours {row.ours:g}, published {row.published:g} {row.unit} ({row.gap:+.2%}); "
        f"agrees from {row.low:g} to {row.high:g}"
    )


def _rounding_frac(published: float, reason: str) -> float | None:
    """Half a unit of the last digit that the reason says was published, relative."""
    if said := re.search(r"rounded to (\w+) digits?", reason):
        unit = 10 ** (math.floor(math.log10(published)) - DIGITS[said[1]] + 1)
    elif "a whole number" in reason:
        unit = 1
    elif reason.startswith("exact") or "all digits" in reason:
        return 2e-4
    else:
        return None
    return unit / 2 / published


@pytest.mark.parametrize("id", ROWS.index[ROWS["asserted"] & ROWS["tolerance_frac"].notna()])
def test_a_tolerance_is_the_rounding_or_says_in_figures_why_it_is_more(id):
    row = ROWS.loc[id]
    rounding = _rounding_frac(row.published, row.tolerance_reason)
    if rounding is not None:
        assert row.tolerance_frac <= rounding * 1.0001, (
            f"tolerance_frac {row.tolerance_frac:g} is wider than what the reason "
            f"{row.tolerance_reason!r} allows, {rounding:.2g}"
        )
        return
    assert re.search(r"\d", row.tolerance_reason), "which figure differs at the source?"
    assert row.tolerance_frac <= 0.04 or id == "kv-per-token-13b"  # a rule of thumb to one digit
    # no wider than the gap it explains, with some room
    assert row.tolerance_frac <= 3 * abs(FRAME.loc[id, "gap"])


@pytest.mark.parametrize("id", ROWS.index[ROWS["asserted"] & ROWS["tolerance_frac"].isna()])
def test_a_band_that_teaches_a_gap_says_so_and_is_one_a_bad_model_would_miss(id):
    row = ROWS.loc[id]
    assert len(row.tolerance_reason) > 20
    if row.compute.endswith(".weights_s"):  # a bound may not exceed the measurement
        assert row.kind == "measured"
        assert row.high == row.published
        assert row.low >= 0.3 * row.published


def test_what_is_asserted_has_a_link_and_what_is_not_says_why():
    links = table("sources")["url"]
    held = ROWS[ROWS["asserted"]]
    assert links[held["source"]].str.startswith("https://").all()
    assert (ROWS.loc[~ROWS["asserted"], "note"].str.len() > 10).all()


def test_no_figure_is_there_twice():
    assert not ROWS.duplicated(["compute", "inputs", "published"]).any()
