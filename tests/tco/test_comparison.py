"""Buy, rent or API: bills by hand, crossings by brute force, unlike and stale options named."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import Price
from econ.scenario import Scenario
from econ.tco import compare_buy_rent_api as front_door
from econ.tco.comparison import UnlikeComparison, compare_buy_rent_api, day_load, doubts, unlike
from econ.tco.layers import owner
from econ.tco.offers import Api, Buy, Rent
from econ.terms import Slo

LIST = Price(model="m", input_usd_per_mtok=0.5, output_usd_per_mtok=1.5)
SIZES = {"input_tokens": 1000, "output_tokens": 200}
OWN = Buy(model="m", cost_usd_per_gpu_hour=1.6, per_s_per_instance=6.0, gpus_per_instance=4)
CLOUD = Rent(model="m", cost_usd_per_gpu_hour=3.9, per_s_per_instance=6.0, gpus_per_instance=4)
API = Api(model="m", price=LIST)
DAY = day_load(20.0)


def test_the_front_door_is_the_function():
    assert front_door is compare_buy_rent_api


def test_the_day_is_a_cosine_with_its_mean_and_peak():
    assert DAY.mean() == pytest.approx(20)
    assert DAY.argmax() in (11, 12)
    assert DAY.max() == pytest.approx(30, rel=0.005)
    assert day_load(5.0, 1.0) == pytest.approx(np.full(24, 5.0))


def test_bills_by_hand():
    flat = np.full(24, 10.0)  # two instances: one server; 8 GPUs rented
    day = compare_buy_rent_api(flat, OWN, CLOUD, API, **SIZES)
    bills = day.frame.set_index("option")["usd_per_day"]
    assert bills["buy"] == pytest.approx(8 * 24 * 1.6)
    assert bills["rent"] == pytest.approx(8 * 24 * 3.9)
    assert bills["api"] == pytest.approx(10 * 86_400 * (1000 * 0.5 + 200 * 1.5) / 1e6)
    assert day.cheapest == "buy"
    per_request = day.frame.set_index("option")["usd_per_request"]
    assert per_request["api"] == pytest.approx(0.0008)


def test_rent_follows_the_load_and_a_reservation_does_not():
    reserved = Rent(model="m", name="reserved", cost_usd_per_gpu_hour=3.9,
                    per_s_per_instance=6.0, gpus_per_instance=4, reserved=True)  # fmt: skip
    follows = CLOUD.gpus(DAY)
    by_hand = np.maximum(np.ceil(DAY / 6.0), 1) * 4
    assert follows.tolist() == by_hand.tolist()
    assert (reserved.gpus(DAY) == by_hand.max()).all()
    assert reserved.usd_per_day(DAY, **SIZES) > CLOUD.usd_per_day(DAY, **SIZES)


@settings(max_examples=25, deadline=None)
@given(
    own=st.floats(0.5, 4), rent=st.floats(0.5, 8), api=st.floats(0.05, 3),
    mean=st.floats(0.5, 30), peak=st.floats(1, 2), instance=st.sampled_from([1, 2, 4, 8]),
)  # fmt: skip
def test_crossings_are_those_of_a_dense_search(own, rent, api, mean, peak, instance):
    """A fine grid can miss a crossing but never see one that is not listed."""
    listed = Price(model="m", input_usd_per_mtok=api, output_usd_per_mtok=api)
    size = {"per_s_per_instance": 3.0, "gpus_per_instance": instance}
    offers = [
        Buy(model="m", cost_usd_per_gpu_hour=own, **size),
        Rent(model="m", cost_usd_per_gpu_hour=rent, **size),
        Api(model="m", price=listed),
    ]
    load = day_load(mean, peak)
    found = compare_buy_rent_api(load, *offers, **SIZES, search_to_factor=4.0).crossings
    scales = np.linspace(0, 4.0, 3001)[1:]
    loads = scales[:, None] * load
    wide = pd.DataFrame({o.label: o.usd_per_day(loads, **SIZES) for o in offers},
                        index=loads.sum(axis=1) * 3600)  # fmt: skip
    for (a, b), listed_rows in found.groupby(["option", "against"]):
        close = np.isclose(wide[a], wide[b], rtol=1e-9)
        pays = wide[a].to_numpy() <= wide[b].to_numpy() * (1 + 1e-9)
        said = np.zeros(len(pays), bool)
        state = False
        points = listed_rows.dropna(subset=["requests_per_day"])
        if len(points) == 0:
            state = listed_rows["what"].iloc[0] == "always"
            said[:] = state
        for point in points.itertuples():
            said[wide.index.to_numpy() > point.requests_per_day * (1 + 1e-9)] = (
                point.what == "pays from"
            )
        near = np.zeros(len(pays), bool)
        for point in points.itertuples():
            near |= np.isclose(wide.index, point.requests_per_day, rtol=1e-6)
        assert (said == pays)[~near & ~close].all()


def test_never_and_always_are_listed():
    dear = Api(model="m", price=Price(model="m", input_usd_per_mtok=90, output_usd_per_mtok=90))
    free = Buy(model="m", cost_usd_per_gpu_hour=0.0, per_s_per_instance=6.0)
    found = compare_buy_rent_api(DAY, free, dear, **SIZES).crossings
    assert found["what"].tolist() == ["always"]
    found = compare_buy_rent_api(
        DAY, Api(model="m", name="dear", price=dear.price), API, **SIZES
    ).crossings
    assert found["what"].tolist() == ["never"]


def test_an_unlike_comparison_is_refused_by_name_or_warned_of():
    frontier = Api(model="claude", price=LIST)
    with pytest.raises(UnlikeComparison, match=r"model: m \(buy\) against claude \(api\)"):
        compare_buy_rent_api(DAY, OWN, frontier, **SIZES)
    day = compare_buy_rent_api(DAY, OWN, frontier, **SIZES, allow_unlike=True)
    assert day.warnings[0].startswith("model: m (buy)")


def test_promises_and_bits_that_differ_are_named():
    fast = Buy(model="m", name="fast", slo=Slo(tpot_s=0.02), precision="bf16",
               cost_usd_per_gpu_hour=1.0, per_s_per_instance=1.0)  # fmt: skip
    slow = Rent(model="m", name="slow", slo=Slo(tpot_s=0.2), precision="fp4",
                cost_usd_per_gpu_hour=1.0, per_s_per_instance=1.0)  # fmt: skip
    (said,) = unlike([fast, slow])
    assert said.startswith("SLO: TTFT 1 s, TPOT 0.02 s")
    assert doubts([fast, slow]) == ["precision: bf16 (fast) against fp4 (slow)"]


def test_offers_come_from_a_scenario_and_the_lists():
    s = Scenario.default()
    own = Buy.of(s, per_s_per_instance=9.0)
    rent, year = (Rent.of(s, per_s_per_instance=9.0, term=t) for t in ("on-demand", "reserved"))
    api = Api.listed("llama-3.1-70b-turbo", "DeepInfra", serves="llama-3.1-70b")
    assert own.cost_usd_per_gpu_hour == owner(s).cost_usd_per_gpu_hour
    assert rent.cost_usd_per_gpu_hour == 3.99
    assert (rent.reserved, year.reserved) == (False, True)
    assert all(o.stale_after and o.source for o in (rent, year, api))
    day = compare_buy_rent_api(DAY, own, rent, year, api, **SIZES, slo=s.slo, on="2026-11-24")
    assert day.warnings == ["api: latency is not promised"]
    with pytest.raises(ValueError, match=r"unknown provider of llama-3\.1-70b-turbo"):
        Api.listed("llama-3.1-70b-turbo", "DeepInfre")


def test_two_currencies_are_never_compared():
    euro = Api(model="m", name="euro", price=LIST, currency="EUR")
    with pytest.raises(UnlikeComparison, match=r"currency: USD \(buy\) against EUR \(euro\)"):
        compare_buy_rent_api(DAY, OWN, euro, **SIZES, allow_unlike=True)


def test_a_stale_price_and_an_unpromised_latency_are_warned_of():
    old = Api(model="m", price=LIST, stale_after="2026-05-31")
    day = compare_buy_rent_api(DAY, OWN, old, **SIZES, slo=Slo(), on="2026-11-24")
    assert day.warnings == [
        "api: price to be checked again after 2026-05-31",
        "api: latency is not promised",
    ]
    assert compare_buy_rent_api(DAY, OWN, old, **SIZES, on="2026-05-31").warnings == []


@pytest.mark.parametrize(
    ("load", "more", "says"),
    [
        (np.ones(23), {}, "24 rates"),
        (np.zeros(24), {}, "24 rates"),
        (np.full(24, np.nan), {}, "24 rates"),
        (-np.ones(24), {}, r"load_per_s\[0\] = -1.0"),
        (DAY, {"input_tokens": 0}, "input_tokens = 0"),
        (DAY, {"search_to_factor": 1e5}, "steps of buy"),
        (DAY, {"cached_frac": 92}, "cached_frac = 92"),
        (DAY, {"on": "soon"}, "on = 'soon'"),
    ],
)
def test_bad_input_is_named(load, more, says):
    api = Api(model="m", price=LIST, stale_after="2026-05-31")
    with pytest.raises(ValueError, match=says):
        compare_buy_rent_api(load, OWN, api, **SIZES | more)


def test_a_large_service_is_searched_as_far_as_its_steps_reach():
    day = compare_buy_rent_api(day_load(50_000.0), OWN, CLOUD, API, **SIZES)
    requests = 50_000 * 86_400
    assert 0.05 * requests < day.searched_to_per_day < requests
    small = compare_buy_rent_api(DAY, OWN, CLOUD, API, **SIZES)
    assert small.searched_to_per_day == pytest.approx(20 * 20 * 86_400)


def test_one_option_or_one_name_twice_is_no_comparison():
    with pytest.raises(ValueError, match="1 offers"):
        compare_buy_rent_api(DAY, OWN, **SIZES)
    with pytest.raises(ValueError, match="two offers have one name"):
        compare_buy_rent_api(DAY, OWN, OWN, **SIZES)
