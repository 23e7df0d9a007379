"""A scenario's cost: layers that sum, what the scenario says is felt, what is unknown is named."""

import dataclasses

import pandas as pd
import pytest

from econ.catalog import Site, accelerator, given
from econ.catalog.ranges import Range
from econ.latency.prediction import DoesNotFit, predict
from econ.latency.users import users_within
from econ.scenario import Scenario
from econ.sweeps import sweep
from econ.tco.bill import cost, cost_scenarios, with_ranges
from econ.tco.layers import owner
from econ.tco.token_cost import cost_usd_per_mtok
from econ.uncertainty import uncertain

CASE = Scenario.default().with_(utilisation_frac=0.6)
OWNED = CASE.with_(tenure="owned")
MY_GPU = dataclasses.replace(accelerator("h100-sxm"), id="my-gpu")
NUMBERS = (
    "usd_per_mtok", "usd_per_gpu_hour", "paid_usd_per_gpu_hour", "usd_per_request", "usd_per_day",
    "output_tokens_per_s_per_gpu", "concurrency",
)  # fmt: skip


def test_a_rented_million_by_hand():
    one = cost(CASE, concurrency=64)
    rate = predict(CASE, concurrency=64).output_tokens_per_s_per_gpu
    assert one.usd_per_mtok == pytest.approx(3.99 / 3600 / (rate * 0.6) * 1e6)
    assert one.usd_per_gpu_hour == pytest.approx(3.99 / 0.6)
    assert one.usd_per_day == pytest.approx(3.99 * 4 * 24)
    per_request = one.usd_per_mtok * CASE.workload.mean_output_tokens / 1e6
    assert one.usd_per_request == pytest.approx(per_request)


def test_an_owned_million_by_hand():
    one = cost(OWNED, concurrency=64)
    hour = owner(OWNED).cost_usd_per_gpu_hour
    assert one.paid_usd_per_gpu_hour == pytest.approx(hour)
    rate = predict(OWNED, concurrency=64).output_tokens_per_s_per_gpu
    assert one.usd_per_mtok == pytest.approx(cost_usd_per_mtok(hour, rate, 0.6))


@pytest.mark.parametrize("s", [CASE, OWNED, CASE.with_(cost_usd_per_gpu_hour=2.0)])
@pytest.mark.parametrize("include", [(), ("licences", "staff")])
def test_the_layers_sum_to_the_cost(s, include):
    one = cost(s, concurrency=32, include=include)
    frame = one.frame()
    assert list(frame) == [
        "layer", "group", "usd_per_gpu_hour", "usd_per_mtok", "share_frac", "source",
    ]  # fmt: skip
    assert frame["usd_per_gpu_hour"].sum() == pytest.approx(one.usd_per_gpu_hour)
    assert frame["usd_per_mtok"].sum() == pytest.approx(one.usd_per_mtok)
    assert frame["share_frac"].sum() == pytest.approx(1)
    assert frame["layer"].iloc[-1] == "idle hours"
    assert frame["share_frac"].iloc[-1] == pytest.approx(0.4)
    assert {"licences", "staff"}.isdisjoint(frame["layer"]) == (not include)
    assert one.groups().sum() == pytest.approx(one.usd_per_mtok)


def test_the_default_users_are_the_most_within_the_slo():
    one = cost(CASE)
    assert one.concurrency == users_within(CASE)
    assert one == cost(CASE, concurrency=users_within(CASE))
    assert cost(CASE.with_(tpot_s=0.02)).usd_per_mtok > one.usd_per_mtok


def test_an_owner_feels_the_site_a_renter_does_not():
    virginia, france = cost(OWNED, concurrency=32), cost(OWNED.with_(site="france"), concurrency=32)
    layers = [c.frame().set_index("layer")["usd_per_gpu_hour"] for c in (virginia, france)]
    more = layers[1]["electricity"] - layers[0]["electricity"]
    watt, load = 10_960 / 8 / 1000, 0.8
    assert more == pytest.approx(watt * load * 1.54 * (0.1024 - 0.0899))
    hours = france.paid_usd_per_gpu_hour - virginia.paid_usd_per_gpu_hour
    assert hours == pytest.approx(more)
    google = cost(OWNED.with_(operator="google"), concurrency=32)
    assert google.usd_per_mtok < virginia.usd_per_mtok
    rented = [cost(s, concurrency=32).usd_per_mtok for s in (CASE, CASE.with_(site="france"))]
    assert rented[0] == rented[1]


def test_a_pipeline_of_two_is_priced_as_one():
    split = CASE.with_(tp=2, pp=2)
    rate = predict(split, concurrency=32).output_tokens_per_s_per_gpu
    assert cost(split, concurrency=32).output_tokens_per_s_per_gpu == rate
    assert rate < predict(CASE, concurrency=32).output_tokens_per_s_per_gpu


def test_an_owners_terms_are_felt():
    base = cost(OWNED, concurrency=32).usd_per_mtok
    for change in ({"life_years": 3.0}, {"cost_of_capital_frac": 0.2}, {"utilisation_frac": 0.3}):
        assert cost(OWNED.with_(**change), concurrency=32).usd_per_mtok > base


def test_the_band_is_that_of_the_throughput():
    one = cost(CASE, concurrency=32)
    low, high = one.band("usd_per_mtok")
    slow, fast = predict(CASE, concurrency=32).band("output_tokens_per_s_per_gpu")
    assert (low, high) == pytest.approx(
        tuple(cost_usd_per_mtok(3.99, rate, 0.6) for rate in (fast, slow))
    )
    assert one.regime == predict(CASE, concurrency=32).regime


@pytest.mark.parametrize("concurrency", [None, 32])
def test_the_table_of_scenarios_is_the_station_row_by_row(concurrency):
    scenarios = [
        CASE, OWNED, OWNED.with_(life_years=4.0), OWNED.with_(site="france"),
        CASE.with_(tp=2, pp=2), CASE.with_(accelerator=MY_GPU, cost_usd_per_gpu_hour=2.0),
    ]  # fmt: skip
    frame = cost_scenarios(scenarios, concurrency=concurrency, include=("staff",))
    for row, s in zip(frame.to_dict("records"), scenarios, strict=True):
        one = cost(s, concurrency=concurrency, include=("staff",)).row()
        assert [row[name] for name in NUMBERS] == pytest.approx([one[name] for name in NUMBERS])
        assert (row["regime"], row["tenure"], row["reason"]) == (one["regime"], one["tenure"], "")


def test_the_users_of_many_scenarios_are_those_of_each():
    scenarios = [
        CASE.with_(software_maturity=m, n_gpu=n, tpot_s=t, accelerator=chip)
        for m in (0.5, 1.0, 1.3) for n in (4, 8) for t in (0.015, 0.05)
        for chip in ("h100-sxm", "b200-sxm", "l4")
    ]  # fmt: skip
    users = cost_scenarios(scenarios)["concurrency"].fillna(0).tolist()
    assert users == [users_within(s) for s in scenarios]
    assert 0 in users


def test_a_sweep_gives_a_reason_where_there_is_no_cost():
    frame = sweep(
        cost, OWNED, accelerator=["h100-sxm", "tpu-v5p", MY_GPU], n_gpu=[4, 8], concurrency=16
    )
    priced = frame["usd_per_mtok"].notna()
    assert priced.tolist() == [True, True, False, False, False, False]
    assert (frame["reason"] == "").tolist() == priced.tolist()
    assert "server_usd of my-gpu: unknown" in frame["reason"].iloc[-1]
    assert "licences" in sweep(cost, CASE, include=[(), ("licences",)]).to_csv()


def test_an_accelerator_of_ones_own_is_owned_at_its_price():
    mine = dataclasses.replace(MY_GPU, n_per_server=8, server_power_w=10_960.0)
    s = OWNED.with_(accelerator=mine, server_usd=258_000.0)
    assert cost(s, concurrency=32).usd_per_mtok == pytest.approx(
        cost(OWNED, concurrency=32).usd_per_mtok, rel=1e-9
    )
    assert cost(OWNED.with_(server_usd=1e5)).usd_per_mtok < cost(OWNED).usd_per_mtok


def test_ranges_of_a_scenario_give_a_range_of_its_cost():
    unsure = OWNED.with_(electricity_usd_per_kwh=Range(0.06, 0.09, 0.15), life_years=Range(3, 5, 6))
    answer = uncertain(cost, unsure, n=64)
    assert answer.metric == "usd_per_mtok"
    assert answer.interval.low < cost(OWNED).usd_per_mtok < answer.interval.high
    assert answer.measure_next()["input"].iloc[0] == "finance.life_years"


@pytest.mark.parametrize(
    ("s", "says"),
    [
        (CASE.with_(accelerator=MY_GPU), "unknown rented accelerator 'my-gpu'"),
        (OWNED.with_(accelerator=MY_GPU), "server_usd of my-gpu: .* cost_usd_per_gpu_hour"),
        (OWNED.with_(site=Site(id="moon", pue=1.1), operator=""), "electricity_usd_per_kwh of m"),
        (OWNED.with_(site="france", operator=""), "pue of france is unknown"),
        (CASE.with_(ttft_s=1e-4), "waits .* loosen the SLO or give concurrency"),
        (CASE.with_(term="weekly"), "unknown term of h100-sxm 'weekly'"),
    ],
)  # fmt: skip
def test_what_is_unknown_is_refused_by_name_alone_and_in_a_table(s, says):
    with pytest.raises(ValueError, match=says):
        cost(s)
    row = cost_scenarios([s, CASE]).iloc[0]
    assert pd.Series([row["reason"]]).str.contains(says).item()
    assert pd.isna(row["usd_per_mtok"])


def test_what_does_not_fit_or_is_no_layer_of_a_renter_is_said():
    with pytest.raises(DoesNotFit):
        cost(CASE.with_(n_gpu=1, tp=1, precision="bf16"))
    with pytest.raises(ValueError, match="support is counted in share of capital"):
        cost(CASE, include=["support"])
    with pytest.raises(ValueError, match="concurrency = 0"):
        cost(CASE, concurrency=0)


MINE = Scenario.default().with_(tenure="owned")


def test_ranges_are_rows_around_what_the_scenario_says():
    ranges = with_ranges(MINE).ranges()
    life = given("tco_inputs", "life")
    assert (ranges["finance.life_years"].low, ranges["finance.life_years"].high) == (
        life.low, life.high,
    )  # fmt: skip
    price = ranges["site.electricity_usd_per_kwh"]
    assert price.typical == MINE.resolved_site.electricity_usd_per_kwh
    old = with_ranges(MINE.with_(life_years=8.0)).ranges()["finance.life_years"]
    assert (old.low, old.typical, old.high) == (life.low, 8.0, 8.0)


def test_the_typical_cost_lies_inside_and_throughput_explains_most():
    answer = uncertain(cost, with_ranges(MINE), n=256)
    typical = {name: r.typical for name, r in answer.ranges.items()}
    middle = cost(with_ranges(MINE).at(typical)).usd_per_mtok
    assert answer.interval.low < middle < answer.interval.high
    assert answer.tornado()["input"].iloc[0] == "deployment.software_maturity"
    assert answer.tornado()["typical"].iloc[0] == pytest.approx(middle)


def test_the_maturity_moves_the_throughput_by_about_its_band():
    maturity = with_ranges(MINE).ranges()["deployment.software_maturity"]
    slow, base, fast = (
        cost(MINE.with_(software_maturity=m)).output_tokens_per_s_per_gpu
        for m in (maturity.low, maturity.typical, maturity.high)
    )
    # slower steps leave fewer users within the SLO too, so that it can be a little more
    assert base / slow == pytest.approx(maturity.high, rel=0.06)
    assert fast / base == pytest.approx(maturity.high, rel=0.05)
