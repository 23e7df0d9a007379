"""Power and purchases by hand."""

import math

import numpy as np
import pytest

from econ.catalog import table
from econ.energy import energy
from econ.scenario import Scenario
from econ.tco import cost
from econ.value import (
    capped,
    capped_speed_frac,
    caps_frame,
    curtailment_usd_per_mw_hour,
    megawatts,
    power_bill_usd_per_month,
    reserved_unit,
    seat_frame,
    site_w_per_gpu,
)

S = Scenario.default()


def test_a_site_provides_the_server_and_its_cooling():
    assert site_w_per_gpu(S) == pytest.approx(10960 / 8 * S.resolved_site.pue)
    assert site_w_per_gpu(S.with_(pue=2.0)) == pytest.approx(10960 / 8 * 2)
    near = site_w_per_gpu(S.with_(accelerator="rtx-4090")) / S.resolved_site.pue
    assert 450 < near < 1200  # no server is listed: TDP and what servers add to it


def test_a_megawatt_by_hand():
    site = S.with_(site_mw=1.0, pue=1.25)
    ours = megawatts(site, concurrency=64, value_usd_per_answer=0.002, right_frac=0.6)
    n_gpu = int(1e6 // (10960 * 1.25)) * 8  # 72 servers
    hour = cost(S, concurrency=64)
    rate = n_gpu * hour.output_tokens_per_s_per_gpu
    worth = 3600 * rate / S.workload.mean_output_tokens * 0.6 * 0.95 * 0.002
    assert ours.n_gpu == n_gpu == 576
    assert ours.output_tokens_per_s == pytest.approx(rate)
    assert ours.profit_usd_per_hour == pytest.approx(worth - n_gpu * 3.99)
    with pytest.raises(ValueError, match=r"rack_kw = 9 holds no h100-sxm: .* takes 11.0 kW"):
        megawatts(site.with_(rack_kw=9))
    with pytest.raises(ValueError, match="no site_mw is set"):
        megawatts(S)


def test_take_or_pay_bills_the_contract_and_more_where_more_is_drawn():
    terms = {"usd_per_kwh": 0.07, "demand_usd_per_kw_month": 10, "contracted_kw": 1000}
    assert power_bill_usd_per_month(100_000, 500, **terms) == pytest.approx(7000 + 8500)
    assert power_bill_usd_per_month(100_000, 950, **terms) == pytest.approx(7000 + 9500)


def test_batch_work_is_cut_first():
    full = curtailment_usd_per_mw_hour(1000, cut_frac=0.25, batch_frac=0.0)
    part = curtailment_usd_per_mw_hour(1000, cut_frac=0.25, batch_frac=0.15)
    none = curtailment_usd_per_mw_hour(1000, cut_frac=0.25, batch_frac=0.25)
    assert (full, round(part, 9), none) == (250, 100, 0)


def test_a_cap_costs_prefill_more_than_decode():
    for cap in np.linspace(0.45, 0.99, 9):
        assert capped_speed_frac(cap, "prefill") < capped_speed_frac(cap, "decode") <= 1
    rows = caps_frame()
    lowest = rows[rows.phase == "prefill"].sort_values("cap_frac").energy_frac.iloc[0]
    assert lowest > 1.5  # too deep a cap costs energy, as the floor is paid for longer
    with pytest.raises(ValueError, match=r"outside its range: 0\.286 to 1"):
        capped_speed_frac(0.1, "decode")


def test_a_reserved_unit_by_hand():
    unit = reserved_unit("azure-gpt-5-hourly", output_input_ratio=0.0)
    assert unit.full_use_usd_per_mtok == pytest.approx(1e6 / (4750 * 60))
    assert unit.break_even_use_frac == pytest.approx(unit.full_use_usd_per_mtok / 1.25)
    with pytest.raises(ValueError, match="reserved unit"):
        reserved_unit("azure-gpt-9")


def test_seats_by_simulation():
    rows = seat_frame(median_usd=20, p99_median_ratio=30)
    sigma = math.log(30) / 2.3263478740408408
    use = 20 * np.exp(sigma * np.random.default_rng(0).standard_normal(400_000))
    assert rows.mean_usd[0] == pytest.approx(use.mean(), rel=0.02)
    for row in rows.itertuples():
        assert row.cheaper_frac == pytest.approx((use > row.usd_per_seat_month).mean(), abs=0.005)
        best = np.minimum(use, row.usd_per_seat_month).mean()
        assert row.usd_per_user_best == pytest.approx(best, rel=0.02)


def test_a_cap_above_what_a_phase_draws_changes_nothing():
    none = capped(S, cap_frac=1.0, concurrency=32)
    assert (none.time_factor, none.energy_factor) == (1.0, pytest.approx(1.0))
    some = capped(S, cap_frac=0.714, concurrency=32)  # 500 W: decode draws 467
    assert some.decode_speed_frac == 1.0
    assert some.prefill_speed_frac == pytest.approx(0.853)
    one = energy(S, concurrency=32)
    prefill = one.prefill_share_frac * one.j_per_output_token
    by_hand = one.j_per_output_token - prefill + prefill * 0.714 / 0.853
    assert some.j_per_output_token == pytest.approx(by_hand)
    hard = capped(S, cap_frac=0.571, concurrency=32)  # 400 W: both
    assert hard.decode_speed_frac == pytest.approx(0.941)
    assert hard.tpot_s > some.tpot_s


def test_another_card_lies_on_the_line_of_decode():
    other = table("power_caps").loc["rtx5060-decode-150"]
    ours = capped_speed_frac(float(other["cap_frac"]), "decode")
    assert ours == pytest.approx(other["speed_frac"], abs=0.002)
