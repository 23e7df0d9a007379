"""What the door takes: the range that a name's unit allows, as the dictionary knows it."""

import math

import pytest

import econ
from econ.arguments import wanted
from econ.catalog.columns import columns
from econ.quantities import AMOUNT, SHARE, span_of

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
