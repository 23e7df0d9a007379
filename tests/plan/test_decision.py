"""The choice under uncertainty, and under stress."""

from __future__ import annotations

import math

import numpy as np
import pytest

from econ.plan import plan
from econ.plan.decision import (
    LOAD,
    RENT,
    SPEED,
    decide_plan,
    inputs_of,
    measure_next_frame,
    options_of,
    rent_ranges,
    stress_frame,
    swing_frame,
    yearly_cost,
)
from econ.scenario import Scenario
from econ.uncertainty import Range, typical_of

SCENARIO = Scenario.default().with_(rate_per_s=30.0)
LOADED = SCENARIO.with_(rate_per_s=Range(20, 30, 60, "requests per second"))
PRICES = {"h100-sxm": 3.0, "h200-sxm": 4.0, "a100-sxm-80gb": 1.5}
RENTS = {name: Range(0.7 * p, p, 1.5 * p, "USD per GPU-hour") for name, p in PRICES.items()}
QUICK = {"prices_usd_per_gpu_hour": PRICES, "accelerators": list(PRICES),
         "concurrencies": [8, 32, 64, 128],
         "parallelism": [(2, 1, 1, 1), (4, 1, 1, 1)]}  # fmt: skip


@pytest.fixture(scope="module")
def made():
    return plan(SCENARIO, n_refined=6, n=1000, **QUICK)


def test_options_are_the_best_of_each_accelerator(made):
    options = options_of(made)
    assert len(options) >= 2
    assert options["accelerator"].is_unique
    assert options.index.is_unique
    assert options["cost_usd_per_good_mtok"].is_monotonic_increasing


def test_at_typical_inputs_the_years_cost_is_the_plans(made):
    options = options_of(made)
    typical = typical_of(inputs_of(options, SCENARIO, RENTS))
    costs = yearly_cost(options, made.demand)(**typical)
    for name, row in options.iterrows():
        n_gpu = row["fleet_gpus"]
        assert costs[name] <= n_gpu * PRICES[str(row["accelerator"])] * 8760 * (1 + 1e-9)
        assert costs[name] == pytest.approx(n_gpu * PRICES[str(row["accelerator"])] * 8760)


def test_cost_follows_load_speed_and_rent(made):
    options = options_of(made)
    model = yearly_cost(options, made.demand)
    name = options.index[0]
    base = typical_of(inputs_of(options, LOADED, RENTS))
    n = model(**base)[name]
    assert model(**base | {LOAD: 60.0})[name] >= 1.5 * n
    assert model(**base | {SPEED + name: 0.5})[name] >= 1.5 * n
    chip = str(options.loc[name, "accelerator"])
    assert model(**base | {RENT + chip: 2 * base[RENT + chip]})[name] == pytest.approx(2 * n)


def test_the_decision_and_what_to_measure(made):
    got = decide_plan(made, LOADED, RENTS, n=2000)
    assert got.frame["wins_frac"].sum() == pytest.approx(1)
    assert 0 <= got.evpi_usd <= got.frame["mean_usd"].min()
    worth = measure_next_frame(made, LOADED, RENTS, n=256)
    assert set(worth["input"]) == set(inputs_of(options_of(made), LOADED, RENTS))
    assert (worth["value_usd"] >= 0).all()
    assert worth["value_usd"].max() <= 1.2 * got.evpi_usd + 1
    swing = swing_frame(made, LOADED, RENTS)
    assert swing["swing"].is_monotonic_decreasing
    assert len(swing) == 3


def test_what_a_scenario_leaves_open_is_an_input_or_refused(made):
    priced = LOADED.with_(cost_usd_per_gpu_hour=Range(1, 2, 3))
    inputs = inputs_of(options_of(made), priced)
    assert inputs[LOAD] == Range(20, 30, 60, "requests per second")
    assert inputs[RENT + "h100-sxm"] == Range(1, 2, 3)
    with pytest.raises(ValueError, match=r"slo\.tpot_s is uncertain"):
        decide_plan(made, LOADED.with_(tpot_s=Range(0.02, 0.03, 0.05)))


def test_rents_come_from_the_table():
    h100 = rent_ranges(["h100-sxm"])["h100-sxm"]
    assert h100.low < h100.typical == 3.99 <= h100.high
    with pytest.raises(ValueError, match="unknown rented accelerator 'h100'"):
        rent_ranges(["h100"])


def test_stress_says_what_changes():
    frame = stress_frame(SCENARIO, n_refined=1, n=500, **QUICK)
    assert frame["case"].tolist()[0] == "as planned"
    assert frame["cost_over_plan"][0] == 1
    by = frame.set_index("case")
    assert by.loc["twice the load", "fleet_gpus"] > by.loc["as planned", "fleet_gpus"]
    assert by.loc["one spare replica", "fleet_gpus"] > by.loc["as planned", "fleet_gpus"]
    assert by.loc["TPOT limit halved", "cost_over_plan"] >= 0.95
    dearer = by[by.index.str.contains("dearer")].iloc[0]
    assert dearer["cost_over_plan"] > 1


def test_a_case_that_cannot_be_says_so():
    hard = SCENARIO.with_(ttft_s=0.2, tpot_s=0.02)
    frame = stress_frame(hard, n_refined=0, **QUICK)
    assert frame["note"].str.contains("none of .* meets the SLO").any()
    assert all(n is None or isinstance(n, str) or math.isnan(n) for n in frame["accelerator"])
    assert np.isfinite(frame["cost_over_plan"].dropna()).all()
