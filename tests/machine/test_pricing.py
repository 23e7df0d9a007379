"""What a token costs on a machine of one's own, by hand and against others' runs."""

import pytest

from econ.catalog import accelerator, table
from econ.latency import DoesNotFit
from econ.machine import (
    desk_frame,
    held_out_reach_frame,
    own_cost,
    reach,
    recorded,
    scaled_tokens_per_s,
)


def test_a_token_by_hand():
    cost = own_cost(
        20.0, price_usd=3650, power_w=100, electricity_usd_per_kwh=0.30, life_years=5,
        hours_per_day=2,
    )  # fmt: skip
    assert cost.capital_usd_per_hour == pytest.approx(1.0)  # 3,650 USD over 3,650 hours
    assert cost.electricity_usd_per_hour == pytest.approx(0.03)
    assert cost.usd_per_mtok == pytest.approx(1.03 / (20 * 3600) * 1e6)
    assert cost.j_per_token == 5
    assert cost.usd_per_hour == pytest.approx(1.03)


def test_interest_and_idle_hours_make_it_dearer_and_a_free_machine_draws_power_alone():
    terms = {"price_usd": 2000, "power_w": 80, "electricity_usd_per_kwh": 0.2}
    base = own_cost(30, **terms).usd_per_mtok
    assert own_cost(30, **terms, cost_of_capital_frac=0.1).usd_per_mtok > base
    assert own_cost(30, **terms, hours_per_day=24).usd_per_mtok < base / 5
    free = own_cost(30, **{**terms, "price_usd": 0})
    assert free.usd_per_mtok == pytest.approx(80 / 30 / 3.6e6 * 0.2 * 1e6)


@pytest.mark.parametrize(
    "bad", [{"hours_per_day": 25}, {"power_w": 0}, {"price_usd": -1}, {"life_years": 0}]
)
def test_numbers_that_cannot_be_are_named(bad):
    terms = {"price_usd": 2000, "power_w": 80, "electricity_usd_per_kwh": 0.2} | bad
    (name,) = bad
    with pytest.raises(ValueError, match=name):
        own_cost(30, **terms)


def test_every_desk_machine_is_one_of_the_catalogue_and_is_predicted():
    rows = desk_frame()
    assert rows["reason"].eq("").all()
    assert (rows["low_tokens_per_s"] < rows["tokens_per_s_per_user"]).all()
    assert (rows["tokens_per_s_per_user"] < rows["bound_tokens_per_s"]).all()
    assert (rows["cost_low_usd_per_mtok"] < rows["usd_per_mtok"]).all()
    for id in table("desk_machines").index:
        assert accelerator(id).memory_bandwidth_bytes_per_s > 2e11


def test_what_does_not_fit_has_a_reason():
    rows = desk_frame("llama-3.1-70b", precision="bf16").set_index("accelerator")
    assert "missing" in rows.loc["rtx-4090", "reason"]
    assert rows.loc["apple-m3-ultra", "tokens_per_s_per_user"] > 3


def test_a_share_by_hand():
    # public run: 130.58 tokens/s of an 8B model in 4 bits on 1,008 GB/s, 512 tokens from nothing
    read = 6.979e9 * 0.5625 + 0.525e9 * 2 + 256 * 131_072
    row = table("desk_reach").reset_index().set_index(["accelerator", "model", "precision"])
    share = row.loc[("rtx-4090", "llama-3.1-8b", "int4")]
    assert read / 1.008e12 * 130.58 == pytest.approx(share["high_frac"], rel=0.01)


def test_most_devices_are_within_a_quarter_of_what_the_others_say():
    ratio = held_out_reach_frame()["ratio"]
    off = ratio.where(ratio > 1, 1 / ratio)
    assert off.quantile(0.75) < 1.3
    assert off.max() < 1.8


def test_a_machine_that_no_run_knows_of_still_lands_in_the_band():
    # Strix Halo wrote 52 tokens/s of gpt-oss-120b: 5.1 B active in 4.25 bits, 94 at the bound
    share = reach("unified", "int4")
    assert 94 * share["low"] < 52 < 94 * share["high"]


def test_no_run_of_a_format_says_so():
    with pytest.raises(ValueError, match="no public run of a card in fp8"):
        reach("card", "fp8")
    with pytest.raises(ValueError, match="no public run of a card in fp8"):
        desk_frame(precision="fp8")


def test_a_real_model_on_the_recorded_machine():
    machine = recorded().machine
    speed = scaled_tokens_per_s(machine, 0.8, context_tokens=100)
    read = 6.979e9 * 0.5625 + 0.525e9 * 2
    assert speed == pytest.approx(0.8 * machine.memory_bandwidth_bytes_per_s / read, rel=0.01)
    with pytest.raises(DoesNotFit):
        scaled_tokens_per_s(machine, 0.8, model="llama-3.1-70b")
