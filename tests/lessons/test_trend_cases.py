"""Prices of tokens: headlines by hand from the tables, and what each frame promises."""

import pytest

from econ.catalog import table
from econ.lessons import trend_cases as cases
from econ.trends.prices import PRICE, frontier_frame


def test_the_headline_from_two_rows_by_hand():
    prices = table("api_prices").set_index(["model", "provider"])
    davinci = prices.loc[("text-davinci-003", "OpenAI")]
    flash = prices.loc[("gemini-1.5-flash-8b", "Google")]
    blend = (3 * flash["input_usd_per_mtok"] + flash["output_usd_per_mtok"]) / 4
    assert blend == pytest.approx(0.065625)
    headline = cases.phases_frame().set_index("span").loc["headline's"]
    assert headline["total_factor"] == pytest.approx(davinci["input_usd_per_mtok"] / blend)


def test_spans_multiply_to_the_whole():
    spans = cases.phases_frame().set_index("span")["total_factor"]
    parts = ["first four months", "then", "the year after", "since the last record"]
    assert spans[parts].prod() == pytest.approx(spans["whole"])
    assert spans["headline's"] * spans[parts[2:]].prod() == pytest.approx(spans["whole"])


def test_the_wrong_rows_of_the_second_set_are_wrong_by_our_own_tables():
    """It lists the model nine months before its release."""
    assert table("models").loc["qwen3-235b-a22b", "release"] > "2024-07"
    rates = cases.second_set_frame().set_index(["level", "basis", "rows"])["fall_per_year"]
    level = "GPQA score of 75 %"
    assert rates[(level, "run", "all")] > 3 * rates[(level, "run", "three left out")]


def test_the_line_of_a_level_is_its_trend():
    frame = cases.line_frame("mmlu", 0.648)
    assert (frame["low"] < frame["fitted"]).all()
    assert (frame["fitted"] < frame["high"]).all()
    assert frame["year"].is_monotonic_increasing
    records = frame.dropna(subset=[PRICE])
    assert records[PRICE].tolist() == frontier_frame("mmlu", 0.648)[PRICE].tolist()
    assert frame["fall_per_year"].iloc[0] == pytest.approx(15.83, abs=0.01)
    frame[PRICE] = -1  # a copy: the next caller sees nothing of it
    assert cases.line_frame("mmlu", 0.648)[PRICE].max() == 20


def test_changes_by_hand():
    changes = cases.changes_frame().set_index(["provider", "model", "date"])["change_factor"]
    assert changes[("OpenAI", "gpt-5.6-luna", "2026-07")] == pytest.approx(0.2)
    assert not changes.index.get_level_values("model").str.endswith("-latest").any()
    counts = cases.direction_frame()
    assert counts["n"].sum() == len(changes)
    assert counts.groupby("year")["share"].sum().round(9).eq(1).all()
    rises = counts.query("direction == 'rises'").set_index("year")["n"]
    assert (changes > 1).sum() == rises.sum() > 0


def test_lines_are_in_the_order_of_time():
    for _, rows in cases.lines_frame().groupby("line"):
        assert rows["date"].is_monotonic_increasing


def test_the_catalogues_median_stayed_while_it_grew():
    rows = cases.catalogue_frame()
    assert rows["n_entries"].iloc[-1] > 30 * rows["n_entries"].iloc[0]
    assert rows["median_usd_per_mtok"].between(1, 2.5).all()


def test_two_records_are_no_line():
    with pytest.raises(ValueError, match="2 dated points are no trend"):
        cases.line_frame("gpqa", 0.61)
