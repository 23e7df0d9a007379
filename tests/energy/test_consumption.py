"""Energy per token: conserved, equal by every route, near what was measured, clear when refused."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import Accelerator, Site, UnknownName
from econ.catalog.ranges import Range
from econ.energy.consumption import NAMES, energy
from econ.energy.frame import COLUMNS, bands, energy_frame
from econ.energy.power import PowerLaw
from econ.latency.calibration import REGIMES
from econ.latency.prediction import DoesNotFit, max_throughput_frame, predict, predict_frame
from econ.scenario import Scenario
from econ.sweeps import sweep
from econ.uncertainty import uncertain

CASE = {"tp": 4, "precision": "fp8", "input_tokens": 1000, "output_tokens": 500, "concurrency": 32}
PAIR = ("llama-3.1-70b", "h100-sxm")
S = Scenario.default().with_(input_tokens=1000, output_tokens=500)
SCENARIO = Scenario.of(*PAIR, tp=4, precision="fp8", input_tokens=1000, output_tokens=500)


def test_energy_is_power_over_the_latency_models_throughput():
    one, fast = energy(S, concurrency=32), predict(S, concurrency=32)
    assert one.output_tokens_per_s_per_gpu == pytest.approx(fast.output_tokens_per_s_per_gpu)
    joules = one.power_w / fast.output_tokens_per_s_per_gpu
    assert one.j_per_output_token == pytest.approx(joules)
    assert one.j_per_total_token == pytest.approx(joules * 500 / 1500)
    assert one.tokens_per_joule == pytest.approx(1 / joules)


cases = st.fixed_dictionaries(
    {
        "input_tokens": st.floats(1, 50_000),
        "output_tokens": st.floats(1, 10_000),
        "concurrency": st.floats(1, 2000),
        "tp": st.sampled_from([2, 4, 8]),
        "accelerator": st.sampled_from(["h100-sxm", "b200-sxm", "mi300x"]),
        "model": st.sampled_from(["llama-3.1-70b", "qwen3-30b-a3b"]),
    }
)


@settings(max_examples=40, deadline=None)
@given(cases)
def test_phases_sum_to_the_whole_and_power_stays_between_awake_and_tdp(case):
    row = energy_frame(pd.DataFrame([case | {"precision": "fp8"}])).iloc[0]
    if row["reason"]:
        return
    read = row["prefill_energy_j_per_token"] * case["input_tokens"]
    written = row["decode_energy_j_per_token"] * case["output_tokens"]
    whole = row["energy_j_per_token"] * case["output_tokens"]
    assert read + written == pytest.approx(whole, rel=1e-9)
    assert min(read, written) >= 0
    awake = PowerLaw.fitted().awake_frac
    tdp_w = {"h100-sxm": 700, "b200-sxm": 1000, "mi300x": 750}[case["accelerator"]]
    for name in ("power_w", "prefill_power_w", "decode_power_w"):
        assert awake * tdp_w * 0.999999 <= row[name] <= tdp_w * 1.000001
    assert row["energy_low_j_per_token"] < row["energy_j_per_token"]
    assert row["energy_high_j_per_token"] > row["energy_j_per_token"]


def test_a_frame_is_its_rows():
    rows = pd.DataFrame(
        [{"model": m, "accelerator": a, **CASE, "concurrency": n}
         for m in ("llama-3.1-8b", "deepseek-v3", "llama-9") for a in ("h100-sxm", "tpu-v6e")
         for n in (1, 64)]
    )  # fmt: skip
    made = energy_frame(rows)
    for i, row in made.iterrows():
        one = rows.loc[i]
        if row["reason"]:
            assert np.isnan(row[list(COLUMNS)].astype(float)).all()
            continue
        case = {n: one[n] for n in CASE if n != "concurrency"}
        s = Scenario.of(one["model"], one["accelerator"], **case)
        alone = energy(s, concurrency=one["concurrency"])
        for column in COLUMNS:
            ours = getattr(alone, NAMES.get(column, column))
            assert row[column] == pytest.approx(ours, rel=1e-12)
    assert made["reason"].str.contains("no published TDP").sum() == 2  # the 8B model on a TPU
    assert made["reason"].str.contains("does not fit").any()
    assert made["reason"].str.contains("unknown model 'llama-9'").sum() == 4


def test_a_given_operating_point_counts():
    row = pd.DataFrame([{"model": PAIR[0], "accelerator": PAIR[1], **CASE}])
    made = predict_frame(row)
    half = made.assign(output_tokens_per_s_per_gpu=made["output_tokens_per_s_per_gpu"] / 2)
    ours, slower = energy_frame(made).iloc[0], energy_frame(half).iloc[0]
    assert ours["energy_j_per_token"] == pytest.approx(energy(S, concurrency=32).j_per_output_token)
    # half the speed draws less power, yet more joules a token
    assert slower["power_w"] < ours["power_w"]
    assert slower["energy_j_per_token"] > ours["energy_j_per_token"]
    bad = made.assign(output_tokens_per_s_per_gpu=0.0)
    assert "must be above 0" in energy_frame(bad)["reason"][0]


def test_offline_throughput_serves_too():
    row = pd.DataFrame([{"model": "llama-2-70b", "accelerator": "h100-sxm", "n_gpu": 8, "tp": 2,
                         "precision": "fp8", "input_tokens": 294, "output_tokens": 294,
                         "concurrency": 1e6}])  # fmt: skip
    made = energy_frame(max_throughput_frame(row)).iloc[0]
    assert 0.05 < made["energy_j_per_token"] < 0.5


@pytest.mark.parametrize(("users", "measured"), [(8, 0.4548), (690.9, 0.0713)])
def test_published_joules_lie_in_the_band(users, measured):
    s = Scenario.of("llama-3.1-8b", "h100-sxm", input_tokens=100, output_tokens=397)
    one = energy(s, concurrency=users)
    low, high = one.band()
    assert low < measured < high
    near = one.band(coverage_frac=0.5)
    assert low < near[0] < near[1] < high


def test_batch_is_everything():
    s = Scenario.of("llama-3.1-8b", "h100-sxm", input_tokens=100, output_tokens=400)
    answers = [energy(s, concurrency=n) for n in (1, 8, 64)]
    joules = [one.j_per_output_token for one in answers]
    assert joules == sorted(joules, reverse=True)
    assert joules[0] > 10 * joules[2]
    power = [one.power_w for one in answers]
    assert power == sorted(power)


def test_every_energy_is_a_range():
    one = energy(S, concurrency=32)
    frame = one.frame().set_index("quantity")
    banded = frame.dropna(subset=["low"])
    for name in ("j_per_output_token", "site_j_per_output_token", "embodied_carbon_g_per_mtok"):
        assert name in banded.index
    assert (banded["low"] < banded["value"]).all()
    assert (banded["value"] < banded["high"]).all()
    assert frame.loc["j_per_request", "value"] == pytest.approx(500 * one.j_per_output_token)
    # Virginia's operator reports no market-based carbon: left out, not filled in
    assert "market_carbon_g_per_mtok" not in frame.index


def test_an_energy_is_an_uncertain_input():
    one = energy(S, concurrency=32)
    joules = one.range()
    assert (joules.low, joules.high) == one.band()
    assert float(joules.quantile(0.05)) == pytest.approx(joules.low)
    assert one.range("prefill_j_per_input_token").typical == one.prefill_j_per_input_token


def test_bands_widen_away_from_what_was_measured():
    factors = bands()
    assert set(factors) == set(REGIMES)
    for near, far in factors.values():
        assert 1 < near < far
    assert factors["beyond"][1] >= factors["new model"][1] >= factors["calibrated"][1]


# -- the site ------------------------------------------------------------------------------------
def test_the_ladder_ends_at_the_sites_figures():
    one = energy(S.with_(utilisation_frac=0.5), concurrency=32)
    rungs = one.ladder().set_index("rung")["typical"]
    assert rungs["accelerators"] == pytest.approx(one.j_per_output_token)
    assert rungs["idle capacity"] == pytest.approx(one.it_j_per_output_token)
    assert rungs["building"] == pytest.approx(one.site_j_per_output_token)
    site = S.resolved_site
    kwh = one.site_j_per_output_token / 3.6
    assert one.electricity_usd_per_mtok == pytest.approx(kwh * site.electricity_usd_per_kwh)
    assert one.location_carbon_g_per_mtok == pytest.approx(kwh * site.carbon_g_per_kwh)


def test_the_site_and_the_time_at_work_are_felt():
    def site_j(**changes):
        return energy(S.with_(**changes), concurrency=32).site_j_per_output_token

    assert site_j(utilisation_frac=0.25) > site_j(utilisation_frac=0.5) > site_j()
    assert site_j(pue=1.1) == pytest.approx(site_j(pue=1.5) * 1.1 / 1.5)
    here = Site(id="here", name="Here", pue=1.1, wue_l_per_kwh=0.5, grid_water_l_per_kwh=2.0)
    own = energy(S.with_(site=here, operator=""), concurrency=32)
    water = own.it_j_per_output_token / 3.6 * np.array([0.5, 1.1 * 2.0])
    assert [own.site_water_l_per_mtok, own.grid_water_l_per_mtok] == pytest.approx(list(water))
    assert np.isnan(own.electricity_usd_per_mtok)


def test_a_site_without_a_pue_has_joules_and_no_building():
    bare = energy(S.with_(site=Site(id="bare", name="Bare"), operator=""), concurrency=32)
    assert bare.it_j_per_output_token > bare.j_per_output_token
    assert np.isnan(bare.site_j_per_output_token)
    with pytest.raises(ValueError, match="Bare: no pue is known"):
        bare.ladder()


def test_an_accelerator_of_ones_own_needs_a_tdp():
    mine = Accelerator(id="mine", memory_bytes=96e9, memory_bandwidth_bytes_per_s=4e12,
                       peak_bf16_flop_per_s=1e15, tdp_w=500.0)  # fmt: skip
    s = Scenario.of("llama-3.1-8b", mine, input_tokens=1000, output_tokens=500)
    one = energy(s, concurrency=32)
    assert 0 < one.power_w <= 500
    assert one.idle_power_w == pytest.approx(60)
    dark = dataclasses.replace(mine, tdp_w=None)
    with pytest.raises(ValueError, match="mine has no published TDP"):
        energy(s.with_(accelerator=dark), concurrency=32)


def test_a_sweep_and_a_range_take_the_table_once():
    frame = sweep(energy, S, site=["us-virginia", "france"], concurrency=[8, 32])
    assert (frame["reason"] == "").all()
    one = energy(S.with_(site="france"), concurrency=32)
    for name in ("j_per_output_token", "electricity_usd_per_mtok", "location_carbon_g_per_mtok"):
        assert frame[name].iloc[3] == pytest.approx(getattr(one, name), rel=1e-12)
    dear = S.with_(electricity_usd_per_kwh=Range(0.05, 0.1, 0.3))
    answer = uncertain(energy, dear, metric="electricity_usd_per_mtok", n=100, concurrency=32)
    assert answer.interval.low < energy(S, concurrency=32).electricity_usd_per_mtok * 2
    with pytest.raises(ValueError, match="is uncertain"):
        energy(dear, concurrency=32)


@pytest.mark.parametrize(
    ("changed", "users", "error", "says"),
    [
        ({}, 0, ValueError, "concurrency = 0 is outside its range"),
        ({"tp": 1, "n_gpu": 1, "precision": "bf16"}, 8, DoesNotFit, "GB missing"),
        ({"accelerator": "tpu-v6e", "n_gpu": 8, "tp": 8, "precision": "bf16"}, 8, ValueError,
         "tpu-v6e has no published TDP"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_a_reason(changed, users, error, says):
    with pytest.raises(error, match=says):
        energy(S.with_(**changed), concurrency=users)


def test_a_band_of_power_or_of_another_width_is_refused():
    one = energy(S, concurrency=32)
    with pytest.raises(UnknownName, match="j_per_output_token"):
        one.band("power_w")
    for metric in ("j_per_output_token", "site_j_per_output_token"):
        with pytest.raises(ValueError, match=r"coverage_frac = 0.8"):
            one.band(metric, coverage_frac=0.8)
