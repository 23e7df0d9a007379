"""Prices of tokens: headlines by hand from the tables, and what each frame promises."""

import pytest

from econ.catalog import table
from econ.lessons import trend_cases as cases
from econ.trends.rates import fit_trend

PRICE = cases.PRICE


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


@pytest.mark.parametrize("basis", cases.BASES)
@pytest.mark.parametrize(("measure", "level"), [("mmlu", 0.648), ("mmlu", 0.86), ("gpqa", 0.5)])
def test_a_frontier_holds_able_models_at_falling_prices(measure, level, basis):
    rows = cases.frontier_frame(measure, level, basis)
    assert (rows["score_frac"] >= level - 1e-9).all()
    assert rows[PRICE].is_monotonic_decreasing
    assert rows["date"].is_monotonic_increasing
    able = cases.able_frame(measure, level, basis)
    assert rows[PRICE].min() == able[PRICE].min()


def test_a_higher_level_is_never_cheaper():
    for basis in cases.BASES:
        lows = [cases.able_frame("gpqa", q, basis)[PRICE].min() for q in (0.3, 0.5, 0.7)]
        assert lows == sorted(lows)


def test_dated_lists_fall_more_slowly_than_the_study_says():
    for benchmark, level in (("mmlu", 0.648), ("mmlu", 0.86), ("gpqa", 0.5)):
        falls = [
            fit_trend(cases.frontier_frame(benchmark, level, b), PRICE, interval="t").fall_per_year
            for b in cases.BASES
        ]
        assert falls[1] < falls[0]


def test_the_published_fits_agree_with_the_rows_that_are_here():
    fits = table("price_trend_fits")
    for id, benchmark, level in (
        ("mmlu-gpt-3-5", "mmlu", 0.648),
        ("mmlu-gpt-4-0314", "mmlu", 0.86),
        ("gpqa-gpt-4-turbo", "gpqa", 0.50),
    ):
        ours = fit_trend(cases.frontier_frame(benchmark, level), PRICE, interval="t")
        assert ours.fall_per_year == pytest.approx(fits.loc[id, "fall_per_year"], rel=1e-3)
        assert ours.n_points == fits.loc[id, "n_points"]


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
    assert records[PRICE].tolist() == cases.frontier_frame("mmlu", 0.648)[PRICE].tolist()
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


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cases.frontier_frame("mmlu-pro", 0.5), "unknown benchmark 'mmlu-pro'"),
        (
            lambda: cases.frontier_frame("mmlu", 0.5, "lists"),
            "unknown basis 'lists'; nearest: list",
        ),
        (lambda: cases.frontier_frame("mmlu", 64.8), "a share, not a percentage"),
        (lambda: cases.frontier_frame("gpqa", 0.99), "no model with a price"),
        (lambda: cases.line_frame("gpqa", 0.61), "2 dated points are no trend"),
        (lambda: cases.blended_usd_per_mtok(1, 2, 3), "input_frac = 3"),
    ],
)
def test_what_is_not_there_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
