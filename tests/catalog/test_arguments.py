"""What the door takes: the range that a name's unit allows, as the dictionary knows it."""

import math
from pathlib import Path

import pandas as pd
import pytest

import econ
from econ.arguments import WrongArgument, wanted
from econ.catalog.columns import columns
from econ.latency.runs import sample_runs
from econ.latency.steady import matured_s
from econ.ledger.serving_runs import simulated_runs_frame
from econ.lessons.predictions import calibration_words
from econ.quantities import AMOUNT, SHARE, span_of
from econ.serving import StepCost
from econ.uncertainty.samples import propagate

NEVER_BELOW_0 = ("s", "ms", "h", "years", "months", "days", "tokens", "B", "bytes", "W", "J", "Wh",
                 "FLOP", "gCO2e", "L", "USD", "requests/s", "tokens/s", "USD/Mtok", "USD/GPU-hour",
                 "USD/kWh", "J/token", "parameters", "GPU-hours", "FLOP/s", "B/s")  # fmt: skip
# differences, which may be negative; names without a unit, whose functions know their range
SIGNED = ("profit", "npv", "usd", "net_usd")
NO_UNIT = ("optimum_coefficient", "stream_interval", "token_budget")


def test_the_range_of_a_name_is_that_of_its_unit():
    for name, column in columns().items():
        span = span_of(name)
        if name.endswith("_frac"):
            assert (span, column.unit) == (SHARE, "share"), name
        if column.unit in NEVER_BELOW_0 and "_" in name and span is None:
            assert name in NO_UNIT or any(word in name for word in SIGNED), name


def test_a_number_beyond_its_unit_is_refused_at_the_door_whatever_the_function():
    for call, words in (
        (lambda: econ.tco.annuity_usd_per_month(-1, 0.1, 5), "capital_usd = -1 .*0 or above"),
        (lambda: econ.decision.launch.weights_of(5), "scenario = 5"),
        (lambda: econ.latency.users_within(econ.Scenario.default(), n_most=-3), "n_most = -3"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    assert span_of("profit_usd_per_hour") is None
    assert wanted("profit_usd_per_hour", "float", {}).check(-2.0) == -2.0
    assert wanted("growth_per_year", "float", {}).check(-0.3) == -0.3
    assert wanted("peak_factor", "float", {}).check(5) == 5  # a gain above 1 is no share
    assert wanted("timeout_s", "float", {}, math.inf).check(math.inf) == math.inf
    assert wanted("cached_frac", "float", {}).span == SHARE
    assert wanted("ttft_s", "float | None", {}).span == AMOUNT


@pytest.mark.parametrize("value", [1.01, -0.01, 92])
def test_a_share_is_no_percentage(value):
    with pytest.raises(
        ValueError, match=r"accepted_frac = .* 0 to 1 \(a share, not a percentage\)"
    ):
        wanted("accepted_frac", "float", {}).check(value)


def test_a_sum_without_a_value_names_the_numbers_it_is_laid_to():
    with pytest.raises(WrongArgument, match=r"matured_s: .* software_maturity = 0.0 ") as raised:
        matured_s(0.03, 0.01, 0.0)
    assert isinstance(raised.value.__cause__, FloatingPointError)
    with pytest.raises(WrongArgument, match=r"with software_maturity = 5e-324 \(overflow"):
        matured_s(0.03, 0.01, 5e-324)
    with pytest.raises(WrongArgument, match=r"linear_steps_s: .* n = 1000000000000000 "):
        StepCost.affine(1.0).linear_steps_s(10**15)
    # a model of the reader's own may pass through such points; what it answers is looked at
    with pytest.raises(ValueError, match="gives no number for 'value' at rent = "):
        propagate(lambda rent: 0 * rent / (rent - rent), {"rent": econ.Range(1, 2, 3)}, n=5)


def test_a_table_that_does_not_fit_says_how():
    guesses = pd.DataFrame({"factor": ["x"], "right": [True]})
    with pytest.raises(
        WrongArgument, match=r"does not fit: .*; its columns: factor \(str\), right"
    ):
        calibration_words(guesses)
    runs = sample_runs().head(1)
    with pytest.raises(WrongArgument, match="the table has no column tp; it has id, model"):
        simulated_runs_frame(runs.drop(columns="tp"))


def test_a_path_has_no_zero_byte():
    for value in ("a\0b", Path("a\0b")):
        with pytest.raises(WrongArgument, match="a path without a zero byte"):
            wanted("folder", "str | Path", {}).check(value)
    assert wanted("folder", "str | Path", {}).check("a") == "a"
