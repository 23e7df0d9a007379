"""Lesson 10: headlines by hand, each table by a second way, panels that follow."""

import numpy as np
import pytest

from econ.catalog import table
from econ.lessons import l10_trends as cases
from econ.trends import hardware
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


def test_the_headline_is_a_product_of_its_parts():
    parts = cases.decomposition_frame()
    assert parts["factor"].prod() == pytest.approx(20 / 0.07)
    assert parts["log_share"].sum() == pytest.approx(1)
    assert parts["factor"].iloc[0] == pytest.approx(0.7 ** -(23 / 12))


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


def test_a_street_price_is_the_middle_of_its_range():
    h100 = cases.street_frame().set_index(["accelerator", "year"]).loc[("h100-sxm", 2023)]
    assert h100["middle_usd"] == pytest.approx((30_000 * 40_000) ** 0.5)


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
