"""The scenario with the ranges of data/: what they hold, what they give."""

import pytest

from econ.catalog import given
from econ.scenario import Scenario
from econ.tco import cost, with_ranges
from econ.uncertainty import uncertain

CASE = Scenario.default().with_(tenure="owned")


def test_ranges_are_rows_around_what_the_scenario_says():
    ranges = with_ranges(CASE).ranges()
    life = given("tco_inputs", "life")
    assert (ranges["finance.life_years"].low, ranges["finance.life_years"].high) == (
        life.low, life.high,
    )  # fmt: skip
    price = ranges["site.electricity_usd_per_kwh"]
    assert price.typical == CASE.resolved_site.electricity_usd_per_kwh
    old = with_ranges(CASE.with_(life_years=8.0)).ranges()["finance.life_years"]
    assert (old.low, old.typical, old.high) == (life.low, 8.0, 8.0)


def test_the_typical_cost_lies_inside_and_throughput_explains_most():
    answer = uncertain(cost, with_ranges(CASE), n=256)
    typical = {name: r.typical for name, r in answer.ranges.items()}
    middle = cost(with_ranges(CASE).at(typical)).usd_per_mtok
    assert answer.interval.low < middle < answer.interval.high
    assert answer.tornado()["input"].iloc[0] == "deployment.software_maturity"
    assert answer.tornado()["typical"].iloc[0] == pytest.approx(middle)


def test_the_maturity_moves_the_throughput_by_about_its_band():
    maturity = with_ranges(CASE).ranges()["deployment.software_maturity"]
    slow, base, fast = (
        cost(CASE.with_(software_maturity=m)).output_tokens_per_s_per_gpu
        for m in (maturity.low, maturity.typical, maturity.high)
    )
    # slower steps leave fewer users within the SLO too, so that it can be a little more
    assert base / slow == pytest.approx(maturity.high, rel=0.06)
    assert fast / base == pytest.approx(maturity.high, rel=0.05)
