"""Lesson 10: headlines by hand, each table by a second way, panels that follow."""

import numpy as np
import pytest

from econ.catalog import rent, table
from econ.lessons import l10_trends as cases
from econ.trends import forecast, frontier, hardware
from econ.trends.forecast import scenarios_frame
from econ.trends.hardware import rents_frame
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


def test_directions_count_the_confirmed_changes():
    counts, moves = cases.direction_frame(), cases.moves_frame()
    assert counts["n"].sum() == len(moves)
    assert counts.groupby("year")["share"].sum().round(9).eq(1).all()
    rises = counts.query("direction == 'rises'")["n"].sum()
    assert (moves["change_factor"] > 1).sum() == rises > 0


# -- the headline sentences of today's frontier ------------------------------------------------
def test_four_levels_fell_and_the_record_is_never_above_the_price():
    paths = cases.paths_frame()
    assert paths["level"].nunique() == 4
    assert (paths["usd"] >= paths["record"] * (1 - 1e-12)).all()
    for _, path in paths.groupby("level"):
        assert path["usd"].iloc[-1] < path["usd"].iloc[0]
        assert path["usd"].nunique() < len(path) / 2  # in steps


def test_the_best_rose_and_the_rest_got_cheaper():
    curves = cases.curves_frame()
    best = curves.groupby("date")["score_frac"].max()
    assert best.is_monotonic_increasing
    first, last = (curves[curves["date"] == day] for day in (best.index[0], best.index[-1]))
    for row in first.itertuples():
        as_good = last[last["score_frac"] >= row.score_frac]
        assert as_good["price_usd_per_mtok"].min() < row.price_usd_per_mtok


def test_an_answer_fell_less_at_the_low_levels_and_more_at_the_upper_ones():
    both = cases.token_and_answer_frame()
    low, upper = both.head(3), both.tail(3)
    assert (low["answer_fall"] < low["token_fall"]).all()
    assert (upper["answer_fall"] > upper["token_fall"]).all()
    assert (both[["token_fall", "answer_fall"]] >= 1).all(axis=None)


def test_in_2026_most_levels_fell_more_slowly():
    rates = cases.rates_frame().pivot(index="level_frac", columns="span", values="fall_per_year")
    slower = rates["in 2026"] < rates["since it could be bought"]
    assert slower.sum() > len(rates) / 2


def test_candidates_grew_behind_the_frontier():
    counts = cases.density_frame()["n_models"]
    assert counts.iloc[-1] > 4 * counts.iloc[0]


def test_two_records_are_no_line():
    with pytest.raises(ValueError, match="2 dated points are no trend"):
        cases.line_frame("gpqa", 0.61)


def test_machines_explain_a_range_and_not_a_number():
    parts = cases.headline_split_frame().set_index("part")
    machines = parts.loc[["hardware", "software on the same silicon"]]
    low, high = machines["share_low"].sum(), machines["share_high"].sum()
    assert 0.05 < low < 0.10 < 0.22 < high < 0.28
    rest = parts.iloc[-1]
    assert rest["high"] * parts["low"].iloc[:-1].prod() == pytest.approx(20 / 0.07)
    assert rest["low"] * parts["high"].iloc[:-1].prod() == pytest.approx(20 / 0.07)


def test_between_open_models_the_work_fell_more_than_the_price():
    parts = cases.open_pair_frame().set_index("part")
    assert parts.loc["fewer parameters", "share_low"] > 1
    assert parts.iloc[-1]["high"] < 1  # so something worked against the fall


def test_an_owner_gained_while_rents_rose():
    owner = cases.owner_frame().groupby("what")["usd"].last()
    assert owner["worth by its rents"] > 1.5 * owner["in the books"]


def test_the_h100_turned_and_rose():
    bend = cases.rent_break()
    assert bend.earned
    assert bend.before_per_year < 0.8
    assert bend.after_per_year > 1.05
    rents = rents_frame(("h100-sxm",)).set_index("date")["usd_per_gpu_hour"]
    assert rents["2026-08"] > rents["2025-08"]


def test_software_gains_by_hand():
    soft = cases.software_frame().set_index("id")
    assert soft.loc["llama-2-70b-h100-sxm-32", "gain_per_year"] == pytest.approx(1.51 ** (12 / 13))


def test_the_fleets_ratios_multiply():
    fleet = cases.fleet_frame()
    np.testing.assert_allclose(fleet["price_ratio"] * fleet["volume_ratio"], fleet["spend_ratio"])
    last = fleet.iloc[-1]
    assert cases.fleet_elasticity() == pytest.approx(
        np.log(last["volume_ratio"]) / np.log(last["price_ratio"])
    )


def test_duels_are_fair_and_odds_grow_tenfold():
    assert cases.duel_frac(400) == pytest.approx(10 / 11)
    assert cases.duel_frac(60) + cases.duel_frac(-60) == pytest.approx(1)


def test_gaps_in_points_and_in_errors():
    row = cases.gap_frame().iloc[0]
    assert row["lead_frac"] == pytest.approx(0.624 / 0.5092 - 1)
    assert row["errors_ratio"] == pytest.approx((1 - 0.5092) / (1 - 0.624))


def test_the_floor_is_rent_over_tokens():
    floor = cases.floor_frame().set_index("part")
    rent = table("rentals").query("accelerator == 'h100-sxm' and term == 'reserved'")
    rent = rent["usd_per_gpu_hour"].item()
    by_hand = rent / (floor["tokens_per_s"].iloc[0] * 3600) * 1e6
    assert floor.loc["rent", "usd_per_mtok"] == pytest.approx(by_hand)
    assert floor.loc["electricity", "usd_per_mtok"] < floor.loc["rent", "usd_per_mtok"] / 10


def test_a_short_series_is_refused():
    with pytest.raises(ValueError, match="carry no bend"):
        cases.rent_break("b200-sxm", since="2026")


@pytest.mark.parametrize(
    ("name", "control", "value"),
    [("frontier", "level", "GPT-4o on GPQA"), ("market", "years", 2.0), ("bill", "change", 10)],
)
def test_panels_follow_their_controls(name, control, value):
    panel = getattr(cases, f"{name}_panel")()
    before = panel.readout
    panel.set(**{control: value})
    assert panel.error == ""
    assert panel.readout != before
    assert len(panel.static().description) > 200


@pytest.mark.parametrize("dates", cases.BASES)
@pytest.mark.parametrize("level", cases.LEVELS)
def test_every_level_has_a_trend(level, dates):
    panel = cases.frontier_panel().set(level=level, dates=dates)
    assert panel.error == ""


def test_the_bill_says_which_way_it_goes():
    panel = cases.bill_panel()
    for elasticity, word in ((-0.5, "shrinks"), (-1.0, "stays"), (-1.5, "grows")):
        assert panel.set(elasticity=elasticity).readout.endswith(f"the bill {word}.")


def test_scenarios_are_told_with_their_bands():
    rents = hardware.rents_frame(("h100-sxm",))[["date", "usd_per_gpu_hour"]]
    ahead = scenarios_frame(rents, 1, {"flat": 1.0}, "usd_per_gpu_hour")
    last = ahead.iloc[-1]
    words = cases.scenarios_chart(rents, ahead).description
    assert f"flat {last['value']:.2f} ({last['low']:.2f} to {last['high']:.2f})" in words


def test_a_record_was_lost_and_the_sentence_says_where():
    lost = cases.lost_record_frame()
    assert (lost["purchasable"] > 1.01 * lost["record_low"]).all()
    assert lost["date"].iloc[-1] == frontier.window_end()


def test_moving_the_level_by_an_error_changes_the_factor_manyfold():
    falls = frontier.sensitivity_frame(0.62)["fall_factor"]
    assert falls.max() > 5 * falls.min()


def test_the_courses_rent_is_above_the_indexs_last_median():
    """3.85 in August, 3.99 in October: another month and another panel, both shown."""
    rows = cases.rents_shown_frame()
    for id, part in rows.groupby("accelerator"):
        index, course = part["usd_per_gpu_hour"].dropna(), part["course"].dropna()
        assert course.iloc[-1] == rent(id)
        assert 1.0 < course.iloc[-1] / index.iloc[-1] < 1.35
        assert part["date"].iloc[-1] > part.loc[part["usd_per_gpu_hour"].notna(), "date"].max()


def test_every_headline_of_the_lesson_has_rows_with_source_and_date():
    sources = set(table("sources").index)
    steps = cases.steps_frame()
    assert set(steps["source"]) | set(steps["score_source"]) <= sources
    assert (steps["since"] <= steps["date"]).all()
    last = steps.groupby("level", sort=False)["price_usd_per_mtok"].last()
    assert last.tolist() == [
        frontier.on_sale_frame(level, frontier.window_end())["price_usd_per_mtok"].min()
        for level in cases.NAMES
    ]
    moved = cases.moved_rows_frame()
    assert len(moved) == len(cases.moves_frame())
    assert set(moved["source"].dropna()) <= sources
    assert moved["source"].notna().mean() > 0.9
    assert set(cases.tasks_frame()["source"]) <= sources
    assert set(cases.rents_shown_frame()["source"]) <= sources


def test_an_owner_who_bought_in_2023_holds_more_than_the_books_say():
    end = cases.owner_frame().groupby("what")[["low", "usd"]].last()
    assert end.loc["worth by its rents", "low"] > end.loc["in the books", "usd"]


def test_machines_explain_less_than_half_at_their_upper_bound():
    parts = cases.headline_split_frame()
    machines = parts[parts["part"].str.contains("hardware|software")]
    assert 0 < machines["share_low"].sum() < machines["share_high"].sum() < 0.5


def test_a_level_fell_ever_more_slowly():
    pace = cases.phases_frame().set_index("span")["fall_per_year"]
    assert pace["headline's"] > 1.5 * pace["whole"] > 1.5


def test_the_longer_a_study_watched_the_smaller_its_rate():
    fits = cases.fits_frame()
    assert len(fits) == 21  # the sentence's number
    ranks = fits[["years", "fall_per_year"]].rank()
    assert ranks["years"].corr(ranks["fall_per_year"]) < -0.4
    far = fits[fits["fall_per_year"] >= 100]
    assert far["n_points"].between(4, 6).all()
    assert (far["years"] <= 13.5 / 12).all()


def test_hardware_fell_less_within_one_format_than_across_formats():
    rate = hardware.hardware_frame()["change_per_year"]
    assert rate[0] < rate[2] < 0


def test_the_trend_was_the_better_forecast_only_at_first():
    lows = cases.to_today_frame("mmlu", cases.LEVEL_GPT_3_5)
    tested = forecast.backtest_frame(lows, n_known=3, value=PRICE)
    first, last = tested.iloc[0], tested.iloc[-1]
    assert first["trend_off"] < first["no_change_off"]
    assert last["trend_off"] > last["no_change_off"]
