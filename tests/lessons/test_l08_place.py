"""Lesson 08 by a second route, and its panel."""

import pytest

from econ.catalog import table
from econ.lessons import l08_place as cases
from econ.lessons.l07_energy import served
from econ.scenario import Scenario

SERVED = Scenario.default()


def test_electricity_is_a_small_share_where_it_is_cheap():
    frame = cases.price_share_frame(["us-texas"]).iloc[0]
    pue, price = table("operators").loc["industry", "pue"], 0.0612
    assert frame["usd_per_gpu_hour"] == pytest.approx(1.275 * pue * price)
    assert frame["low"] < frame["share"] < frame["high"] < 0.15


def test_a_megawatt_is_a_megawatt():
    frame = cases.megawatt_frame(SERVED, (32,), pue=1.2, usd_per_kwh=0.1).iloc[0]
    assert frame["tokens_per_s_per_mw"] * frame["site_j_per_token"] == pytest.approx(1e6)
    per_gpu_w = 1e6 / frame["gpus_per_mw"]
    assert 700 < per_gpu_w < 2000  # accelerator, host, idle and building


def test_making_weighs_most_on_a_clean_grid():
    frame = cases.embodied_frame(served(), ["sweden", "poland"])
    assert frame["share"].is_monotonic_decreasing
    assert (frame["embodied_low_g"] < frame["embodied_g"]).all()


def test_a_panel_says_what_is_not_known():
    made = cases.place_panel().set(place="us-virginia", operator="industry")
    assert "no market-based figure is known" in made.readout
    assert "share of solar here is not known" in made.readout
    made.set(place="india", operator="google")
    assert "electricity" not in made.readout


def test_a_million_tokens_by_hand():
    frame = cases.places_frame(3.6, ["poland", "sweden"], "google").set_index("site")
    grid = table("sites").loc[["poland", "sweden"], "carbon_g_per_kwh"].to_numpy()
    # 3.6 J a token are one kWh per million
    assert frame["carbon_g"].to_numpy() == pytest.approx(grid * 1.09)


def test_demand_is_billed_on_top_of_energy():
    frame = cases.bill_frame(2.0, 0.5).set_index("tariff")
    assert frame["energy_usd"].nunique() == 1
    assert frame.loc["PJM 2027/28", "demand_usd"] == pytest.approx(
        2000 * 333.44 * 365 / 12 / 1e3, rel=2e-3
    )


def test_the_panel_follows_its_controls():
    made = cases.place_panel()
    before = made.readout
    assert made.set(place="poland").readout != before
    assert not made.error
    assert len(made.static().description) > 200
