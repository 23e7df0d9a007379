"""What a stranger tries on the public functions: each is refused by name, or answered rightly."""

import math

import numpy as np
import pandas as pd
import pytest

from econ import trends
from econ.catalog import Price, guard
from econ.catalog.ranges import Range
from econ.energy import boundaries, power
from econ.energy import consumption as energy
from econ.latency import predict_frame
from econ.scaling import (
    coverage,
    laws,
    post_training,
)
from econ.scaling import (
    fit as scaling_fit,
)
from econ.scaling import (
    optimal as scaling,
)
from econ.scaling import (
    price as model_prices,
)
from econ.scenario import Scenario
from econ.tco import (
    comparison as compare,
)
from econ.tco import (
    finance,
    fleet,
    layers,
    offers,
    revenue,
)
from econ.tco import (
    whole_units as staircase,
)
from econ.tco.token_cost import (
    Utilisation,
    cost_usd_per_accepted_task,
    cost_usd_per_mtok,
    marginal_cost_frame,
    pool_cost_frame,
    request_gpu_s,
)
from econ.trends import forecast

MACHINE = {"model": "m", "cost_usd_per_gpu_hour": 1.0, "per_s_per_instance": 1.0}
POOLS = {"prefill_gpu_hours": 10, "decode_gpu_hours": 1, "fresh_tokens": 0, "output_tokens": 5}
LIFE = {"capital_usd_per_gpu": 1, "operating_usd_per_gpu_hour": 1, "tokens_per_s_per_gpu": 1,
        "price_usd_per_mtok": 1}  # fmt: skip
KEEP = {
    "old_operating_usd_per_gpu_hour": 0.44, "old_tokens_per_s_per_gpu": 1_000,
    "resale_usd_per_gpu": 12_000, "resale_after_frac": 0.7, "new_capital_usd_per_gpu": 56_000,
    "new_operating_usd_per_gpu_hour": 0.60, "new_tokens_per_s_per_gpu": 3_000,
    "rate_per_year": 0.1,
}  # fmt: skip
LOAD = [1.0] * 24
SIZES = {"input_tokens": 1, "output_tokens": 1}


@pytest.mark.parametrize(
    "numbers",
    [np.array(["1", "2"]), pd.Series(["1", "2"]), [True, False], pd.Series([1, pd.NA]), [10**400],
     np.array(["2020-01-01"], dtype="M8[s]"), ["a"]],
)  # fmt: skip
def test_text_truth_and_dates_are_no_numbers_in_an_array_either(numbers):
    with pytest.raises(ValueError, match=r"capital_usd = .* is outside its range: numbers"):
        finance.annuity_usd_per_month(numbers, 0.1, 5)


@pytest.mark.parametrize(
    "bad", [10**400, 10**5000, -(10**400)], ids=["huge", "unprintable", "negative"]
)
def test_an_int_beyond_all_floats_is_out_of_range(bad):
    with pytest.raises(ValueError, match=r"capital_usd = .* is outside its range"):
        finance.annuity_usd_per_month(bad, 0.1, 5)


def test_a_message_repeats_the_beginning_of_a_long_value():
    with pytest.raises(ValueError, match="…") as found:
        guard.positive("x", "9" * 1_000_000)
    assert len(str(found.value)) < 300


def test_a_rate_that_loses_more_than_all_in_a_period_has_no_worth():
    assert finance.present_value_usd([1.0, 1.0], -0.4, 0.5) == pytest.approx(1 + 1 / 0.2)
    with pytest.raises(ValueError, match=r"rate_per_year = -0\.9"):
        finance.present_value_usd([1.0, 1.0], -0.9, 0.5)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: offers.Rent(**MACHINE, n_least=math.nan), "n_least = nan"),
        (lambda: offers.Rent(**MACHINE, n_least=-5), "n_least = -5"),
        (lambda: offers.Buy(**MACHINE, n_spare_servers=-1), "n_spare_servers = -1"),
        (lambda: offers.Buy(**MACHINE, staff_usd_per_month=-1), "staff_usd_per_month = -1"),
        (lambda: offers.Buy(**MACHINE, spare_frac=math.nan), "spare_frac = nan"),
        (lambda: compare.compare_buy_rent_api(LOAD, offers.Buy(**MACHINE), 5, **SIZES),
         "offers = 5 is outside its range: an Offer"),
        (lambda: compare.compare_buy_rent_api(LOAD, offers.Buy(**MACHINE), offers.Rent(**MACHINE),
                                              **SIZES, cached_frac=3), "cached_frac = 3"),
        (lambda: staircase.break_even([1, 2], [1, math.nan], [2, 2]), r"challenger_usd\[1\] = nan"),
        (lambda: pool_cost_frame(2.0, **POOLS, cached_tokens=100, cached_time_frac=0.0),
         "prefill_gpu_hours = 10, but no token"),
        (lambda: pool_cost_frame(2.0, **(POOLS | {"prefill_gpu_hours": 0, "output_tokens": 0})),
         "decode_gpu_hours = 1, but no token"),
        (lambda: request_gpu_s(Scenario.default(), cached_tokens=-1, concurrency=4),
         "cached_tokens = -1"),
        (lambda: revenue.ladder_frame(), "no layers"),
        (lambda: revenue.tiers_of(Price(model="m", input_usd_per_mtok=2, output_usd_per_mtok=8),
                                  fresh_tokens=-1, output_tokens=5, cached_tokens=2),
         "fresh_tokens = -1"),
        (lambda: fleet.life_frame(**LIFE, years=0.01), "years = 0.01"),
        (lambda: fleet.keep_or_replace(**KEEP | {"resale_after_frac": 1.3}),
         "resale_after_frac = 1.3"),
        (lambda: fleet.keep_or_replace(**KEEP, kept_years=0), "kept_years = 0"),
        (lambda: fleet.keep_or_replace(**KEEP | {"old_operating_usd_per_gpu_hour": -1}),
         "old_operating_usd_per_gpu_hour = -1"),
        (lambda: layers.owner("h100-sxm", powr_load_frac=1), "nearest: power_load_frac"),
        (lambda: layers.owner("h100-sxm", network_usd_per_gpu=-5), "network_usd_per_gpu = -5"),
    ],
)  # fmt: skip
def test_a_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_lists_are_arrays():
    use = Utilisation(available_frac=[0.5, 1.0], busy_frac=[0.5, 0.5])
    assert use.useful_frac.tolist() == [0.25, 0.5]
    assert cost_usd_per_accepted_task([1, 2], 0.5, [3, 4]).tolist() == [8, 12]
    pair = layers.owner("h100-sxm", network_usd_per_gpu=[1_000.0, 2_000.0]).cost_usd_per_gpu_hour
    one = layers.owner("h100-sxm", network_usd_per_gpu=2_000.0).cost_usd_per_gpu_hour
    assert pair.shape == (2,)
    assert pair[1] == pytest.approx(one)


@pytest.mark.parametrize("name", ["licence_usd_per_gpu_per_year", "staff_usd_per_year"])
def test_samples_that_begin_at_nothing_are_still_charged(name):
    pair = layers.owner("h100-sxm", **{name: np.array([0.0, 4_500.0])}).cost_usd_per_gpu_hour
    one = layers.owner("h100-sxm", **{name: 4_500.0}).cost_usd_per_gpu_hour
    assert pair[1] == pytest.approx(one)
    assert pair[0] < pair[1]


def test_where_capital_is_free_every_price_pays_or_none():
    free = KEEP | {"rate_per_year": 0.0, "new_residual_frac": 1.0}
    assert fleet.keep_or_replace(**free).pays_below_price_usd == math.inf
    dear = free | {"new_operating_usd_per_gpu_hour": 50.0}
    assert fleet.keep_or_replace(**dear).pays_below_price_usd == -math.inf


def test_large_whole_numbers_of_numpy_do_not_wrap_round():
    big = np.int64(10**10)
    assert revenue.seats(big, 20.0, big, days=30).tokens == 1e20


def test_a_frame_with_one_index_twice_stays_row_by_row():
    rates = pd.Series([1.0, 2.0], index=[0, 0])
    assert cost_usd_per_mtok(3.6, rates).tolist() == [1000.0, 500.0]


# -- scaling laws --------------------------------------------------------------------------------
RUNS = pd.DataFrame({"params": [1e6, 2e6, 3e6] * 3, "loss": 3.0})
RUNS["tokens"] = np.repeat([1e9, 2e9, 3e9], 3)
HOFFMANN = laws.law("hoffmann2022")
USD = {"training_usd_per_flop": 1e-18}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: scaling.lifetime_optimal(HOFFMANN.E + 1e-15, 1e12, HOFFMANN), "target_loss = 1"),
        (lambda: scaling.lifetime_frame(HOFFMANN.E + 1e-15, 1e12, HOFFMANN), "target_loss = 1.69"),
        (lambda: scaling.lifetime_frame(2.0, 1e12, HOFFMANN, n=0), "n = 0"),
        (lambda: scaling.lifetime_optimal(2.0, 1e12, HOFFMANN, **USD, inference_usd_per_token=3),
         "inference_usd_per_token = 3 is outside its range"),
        (lambda: scaling.lifetime_optimal(2.0, 1e12, HOFFMANN, **USD,
                                          inference_usd_per_token=lambda n: -1.0),
         "inference_usd_per_token = -1"),
        (lambda: scaling.lifetime_optimal(2.0, 1e12, HOFFMANN, **USD,
                                          inference_usd_per_token=lambda n: math.nan),
         "inference_usd_per_token = nan"),
        (lambda: scaling_fit.fit_law(RUNS.assign(loss=[3.0] * 8 + [math.nan])), "loss = .* row 8"),
        (lambda: scaling_fit.fit_law(RUNS.assign(params="big")), "params = 'big' in row 0"),
        (lambda: post_training.distil_flop(7e10, 8e9, "x"), "tokens = 'x'"),
        (lambda: model_prices.answer_price(Scenario.default().with_(model="llama-9")),
         "unknown model 'llama-9'"),
        (lambda: model_prices.answer_price(Scenario.default(), answer_limit_s="5"),
         "answer_limit_s = '5'"),
        (lambda: model_prices.answer_prices([]), "no scenarios"),
        (lambda: model_prices.SizePrice(np.array([1e9]), np.array([1.0])), "two sizes or more"),
        (lambda: coverage.coverage_curve([0, 5], [0, 1], [1]), "n = 0"),
        (lambda: coverage.Difficulty(a=1, b=1).coverage(-5), "k = -5"),
    ],
)  # fmt: skip
def test_scaling_names_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_an_unknown_model_is_not_merely_too_slow():
    with pytest.raises(guard.UnknownName):
        model_prices.answer_price(Scenario.default().with_(model="llama-9"))


def test_work_of_many_attempts_does_not_wrap_round():
    many = np.int64(10**7)
    assert post_training.rl_flop(8e9, many, many, many, 400) == pytest.approx(10 * 8e9 * 4e23)


# -- energy and trends ---------------------------------------------------------------------------
POINT = {"input_tokens": 1000, "output_tokens": 100, "concurrency": 8}
DATED = pd.DataFrame({"date": ["2021", "2022", "2023"], "value": [3.0, 4.0, 2.0]})


@pytest.mark.parametrize("name", list(POINT))
@pytest.mark.parametrize("bad", [None, "8", True, 0, math.nan, 10**400], ids="abcdef")
def test_energy_refuses_a_load_that_is_none(name, bad):
    load = POINT | {name: bad}
    users = load.pop("concurrency")
    with pytest.raises(ValueError, match=f"{name} = .* is outside its range"):
        energy.energy(Scenario.of("llama-3.1-8b", "h100-sxm", **load), concurrency=users)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: energy.energy(Scenario.of("llama-3.1-8b", "tpu-v5e", tp=2), concurrency=8),
         "tpu-v5e has no published TDP"),
        (lambda: boundaries.boundary_frame(energy.energy(Scenario.default(), concurrency=8),
                                           pue=Range(0.9, 1.1, 1.2)), "pue = 0.9"),
        (lambda: power.unit_energy("tpu-v5e"), "tpu-v5e has no published TDP"),
        (lambda: trends.record_lows(DATED.assign(value=[3, math.nan, 2])), "value = nan in row 1"),
        (lambda: trends.record_lows(DATED.assign(value=["3", "x", "2"])), "value = x in row 1"),
        (lambda: trends.spend_ratio(1e-300, -40), "price_ratio = 1e-300"),
    ],
)  # fmt: skip
def test_energy_and_trends_name_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_numbers_as_text_are_compared_as_numbers():
    lows = trends.record_lows(DATED.assign(value=["3", "20", "2"]))
    assert lows["value"].tolist() == [3, 2]


def test_a_backtest_sees_no_future_whatever_the_order_of_rows():
    rng = np.random.default_rng(1)
    dates = pd.date_range("2020-01-01", periods=16, freq="QS").strftime("%Y-%m-%d")
    made = pd.DataFrame({"date": dates, "value": np.exp(rng.normal(size=16) - np.arange(16) / 5)})
    mixed = made.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(forecast.backtest_frame(mixed), forecast.backtest_frame(made))


def test_a_large_table_keeps_its_rows_and_says_what_is_wrong_with_each():
    n = 100_000
    table = pd.DataFrame(
        {"model": "llama-3.1-8b", "accelerator": "h100-sxm", **POINT}, index=[0] * n
    )
    table["concurrency"] = np.tile([8.0, math.nan, -1.0, math.inf, 4.0], n // 5)
    table["model"] = np.tile(["llama-3.1-8b"] * 4 + [None], n // 5)
    out = energy.energy_frame(table)
    good = out["reason"].to_numpy() == ""
    assert good.tolist() == [True, True, False, False, False] * (n // 5)  # none: as many as fit
    assert out.index.equals(table.index)
    drawn = out["energy_j_per_token"] * out["output_tokens_per_s_per_gpu"]
    np.testing.assert_allclose(drawn[good], out["power_w"][good], rtol=1e-12)
    for row, number in ((2, "-1"), (3, "inf")):
        says = f"concurrency = {number} is outside its range"
        assert out["reason"].iloc[row].startswith(says)
    alone = energy.energy_frame(table.iloc[1:2].assign(concurrency="max"))
    assert out["energy_j_per_token"].iloc[1] == alone["energy_j_per_token"].iloc[0]
    many = table.iloc[1:2]
    assert out["regime"].iloc[1] == predict_frame(many)["regime"].iloc[0]


@pytest.mark.parametrize("users", [8, 64, 200])
def test_a_longer_answer_never_makes_a_request_cheaper(users):
    case = Scenario.default().with_(input_tokens=1000)
    lengths = (1, 2, 3, 4, 8, 16, 32, 64, 128)
    whole_s = [request_gpu_s(case.with_(output_tokens=n), concurrency=users) for n in lengths]
    assert whole_s == sorted(whole_s)


@pytest.mark.parametrize("n_out", [1, 2, 3, 16, 64])
def test_an_output_token_among_others_costs_something_and_less_than_alone(n_out):
    case = Scenario.default().with_(
        cost_usd_per_gpu_hour=2.0, input_tokens=1000, output_tokens=n_out
    )
    alone, shared = (
        marginal_cost_frame(case, concurrency=n)
        .set_index("kind")
        .loc["output", "cost_usd_per_mtok"]
        for n in (1, 64)
    )
    assert 0 < shared < 0.25 * alone
