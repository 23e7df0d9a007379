"""Machines: headlines from rows, and each frame against a second way of getting it."""

import numpy as np
import pytest

from econ.catalog import table
from econ.lessons import hardware_cases as machines
from econ.trends.hardware import rents_frame


def test_the_headline_is_a_product_of_its_parts():
    parts = machines.decomposition_frame()
    assert parts["factor"].prod() == pytest.approx(20 / 0.07)
    assert parts["log_share"].sum() == pytest.approx(1)
    assert parts["factor"].iloc[0] == pytest.approx(0.7 ** -(23 / 12))


def test_the_h100_turned_and_rose():
    bend = machines.rent_break()
    assert bend.earned
    assert bend.before_per_year < 0.8
    assert bend.after_per_year > 1.05
    rents = rents_frame(("h100-sxm",)).set_index("date")["usd_per_gpu_hour"]
    assert rents["2026-08"] > rents["2025-08"]


def test_software_gains_by_hand():
    soft = machines.software_frame().set_index("id")
    assert soft.loc["llama-2-70b-h100-sxm-32", "gain_per_year"] == pytest.approx(1.51 ** (12 / 13))


def test_the_fleets_ratios_multiply():
    fleet = machines.fleet_frame()
    np.testing.assert_allclose(fleet["price_ratio"] * fleet["volume_ratio"], fleet["spend_ratio"])
    last = fleet.iloc[-1]
    assert machines.fleet_elasticity() == pytest.approx(
        np.log(last["volume_ratio"]) / np.log(last["price_ratio"])
    )


def test_duels_are_fair_and_odds_grow_tenfold():
    assert machines.duel_frac(400) == pytest.approx(10 / 11)
    assert machines.duel_frac(60) + machines.duel_frac(-60) == pytest.approx(1)


def test_gaps_in_points_and_in_errors():
    row = machines.gap_frame().iloc[0]
    assert row["lead_frac"] == pytest.approx(0.624 / 0.5092 - 1)
    assert row["errors_ratio"] == pytest.approx((1 - 0.5092) / (1 - 0.624))


def test_a_street_price_is_the_middle_of_its_range():
    h100 = machines.street_frame().set_index(["accelerator", "year"]).loc[("h100-sxm", 2023)]
    assert h100["middle_usd"] == pytest.approx((30_000 * 40_000) ** 0.5)


def test_the_floor_is_rent_over_tokens():
    floor = machines.floor_frame().set_index("part")
    rent = table("rentals").query("accelerator == 'h100-sxm' and term == 'reserved'")
    rent = rent["usd_per_gpu_hour"].item()
    by_hand = rent / (floor["tokens_per_s"].iloc[0] * 3600) * 1e6
    assert floor.loc["rent", "usd_per_mtok"] == pytest.approx(by_hand)
    assert floor.loc["electricity", "usd_per_mtok"] < floor.loc["rent", "usd_per_mtok"] / 10


def test_a_short_series_is_refused():
    with pytest.raises(ValueError, match="carry no bend"):
        machines.rent_break("b200-sxm", since="2026")
