"""From joules to USD, carbon and water by hand; the ladder; what is refused, not borrowed."""

import functools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ import catalog
from econ.catalog import Site, site, table
from econ.catalog.ranges import Range
from econ.energy import boundaries, sites
from econ.energy import footprint as fp
from econ.energy.boundaries import boundary_frame, idle_j_per_token, ladder_j
from econ.energy.consumption import energy
from econ.scenario import Scenario
from econ.uncertainty import sample_frame

ONE = energy(Scenario.default().with_(input_tokens=1000, output_tokens=500), concurrency=32)
PUE = Range(1.08, 1.2, 1.54)


def test_the_cost_identity_by_hand():
    # 3.6 J per token are 1 kWh per million; at $0.10 and a PUE of 1.2 that is $0.12
    assert fp.energy_kwh_per_mtok(3.6) == pytest.approx(1.0)
    assert fp.energy_cost_usd_per_mtok(3.6, 0.10, pue=1.2) == pytest.approx(0.12)
    assert fp.energy_cost_usd_per_mtok(3.6, 0.10) == pytest.approx(0.10)
    assert fp.carbon_g_per_mtok(3.6, 250, 1.2, embodied_g_per_mtok=7) == pytest.approx(307)
    # site water on IT energy, grid water on site energy
    assert fp.water_l_per_mtok(3.6, 1.0, 3.0, pue=1.2) == pytest.approx(1.0 + 3.6)
    assert fp.tokens_per_s_per_mw(2.0) == pytest.approx(500_000)


@given(st.floats(0, 100), st.floats(0, 1), st.floats(1, 3))
def test_a_pue_scales_what_the_site_pays(joules, price, pue):
    bare = fp.energy_cost_usd_per_mtok(joules, price)
    assert fp.energy_cost_usd_per_mtok(joules, price, pue) == pytest.approx(bare * pue)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fp.energy_cost_usd_per_mtok(1, 0.1, pue=0.99), "pue = 0.99 is outside its range"),
        (lambda: fp.energy_cost_usd_per_mtok(1, 0.1, pue=float("nan")), "pue = nan"),
        (lambda: fp.energy_cost_usd_per_mtok(-1, 0.1), "energy_j_per_token = -1"),
        (lambda: fp.energy_cost_usd_per_mtok(1, float("inf")), "electricity_usd_per_kwh = inf"),
        (lambda: fp.carbon_g_per_mtok(1, -5), "carbon_g_per_kwh = -5"),
        (lambda: fp.water_l_per_mtok(1, -1), "wue_l_per_kwh = -1"),
        (lambda: idle_j_per_token(400, 460, 0), "busy_frac = 0 is outside its range"),
        (lambda: idle_j_per_token(400, 460, 80), "a share, not a percentage"),
        (lambda: sites.carbon_intensity_g_per_kwh("us-virgina"), "nearest: us-virginia"),
        (lambda: sites.carbon_intensity_g_per_kwh("france", "markt"), "nearest: market"),
        (lambda: fp.tokens_per_s_per_mw(0), "site_j_per_token = 0"),
        (lambda: sites.site_figure(site("france"), "pue"), "no pue is known of its operator"),
        (lambda: sites.site_figure(site("india"), "electricity_usd_per_kwh"), "known of the place"),
    ],
)
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# -- the two conventions -------------------------------------------------------------------------
def test_the_conventions_stay_apart():
    assert sites.carbon_intensity_g_per_kwh("us-oregon", operator="google") == 165.5
    assert sites.carbon_intensity_g_per_kwh("us-oregon", "market", "google") == 125
    assert sites.carbon_intensity_g_per_kwh("us-oregon", "market", "meta") == 0
    assert sites.carbon_intensity_g_per_kwh("france", "lifecycle") == 41.4


@pytest.mark.parametrize("operator", [None, "aws", "industry"])
def test_no_market_figure_is_borrowed(operator):
    with pytest.raises(ValueError, match=r"no market-based carbon .* \(google, meta\)"):
        sites.carbon_intensity_g_per_kwh("us-virginia", "market", operator)
    assert np.isnan(sites.site_bill(1.8, site("us-virginia", operator or "aws"))["market_g"])


def test_a_missing_lifecycle_figure_says_so():
    with pytest.raises(ValueError, match="no lifecycle carbon is known for Virginia"):
        sites.carbon_intensity_g_per_kwh("us-virginia", "lifecycle")


def test_a_site_bill_is_its_single_functions():
    place = site("spain", "google")
    bill = sites.site_bill(1.8, place)
    usd = fp.energy_cost_usd_per_mtok(1.8, place.electricity_usd_per_kwh, place.pue)
    assert bill["electricity_usd"] == pytest.approx(usd)
    grams = fp.carbon_g_per_mtok(1.8, place.carbon_g_per_kwh, place.pue)
    assert bill["carbon_g"] == pytest.approx(grams)
    water = fp.water_l_per_mtok(1.8, place.wue_l_per_kwh, place.grid_water_l_per_kwh, place.pue)
    assert bill["site_water_l"] + bill["grid_water_l"] == pytest.approx(water)


# -- the ladder ----------------------------------------------------------------------------------
def test_the_ladder_by_hand():
    frame = boundary_frame(ONE, pue=1.2, busy_frac=0.5, host_frac=0.4).set_index("rung")
    chips, rate = ONE.j_per_output_token, ONE.output_tokens_per_s_per_gpu
    host = chips + 0.4 * 700 / rate
    idle = host + (0.4 * 700 + ONE.idle_power_w) * (1 - 0.5) / 0.5 / rate
    assert frame["typical"].tolist() == pytest.approx([chips, host, idle, idle * 1.2])
    assert frame["adds"].sum() == pytest.approx(frame.loc["building", "typical"])


def test_each_rung_is_wider_and_dearer():
    frame = boundary_frame(ONE, pue=PUE)
    for column in ("low", "typical", "high"):
        assert frame[column].is_monotonic_increasing
    assert (frame["low"] < frame["typical"]).all()
    assert (frame["typical"] < frame["high"]).all()
    spread = frame["high"] / frame["low"]
    assert spread.iloc[-1] > spread.iloc[0]


def test_ends_say_what_another_seed_would_change(monkeypatch):
    first = boundary_frame(ONE, pue=PUE)
    drawn = []
    for seed in range(1, 31):
        other = functools.partial(boundaries.propagate, seed=seed)
        with monkeypatch.context() as patch:
            patch.setattr(boundaries, "propagate", other)
            drawn.append(boundary_frame(ONE, pue=PUE)[["low", "high"]].iloc[-1])
    seen = pd.DataFrame(drawn).std()
    for end in ("low", "high"):  # draws of a hypercube settle faster than the error says
        assert 0.3 < seen[end] / first[f"{end}_se"].iloc[-1] < 1.5


def test_a_fleet_that_always_works_has_no_idle_rung():
    frame = boundary_frame(ONE, busy_frac=1.0).set_index("rung")
    assert frame.loc["idle capacity", "adds"] == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match=r"pue = 0\.5"):
        boundary_frame(ONE, pue=0.5)


def test_ends_hold_nine_of_ten_samples():
    """Second route: the same samples, one by one."""
    ranges = boundaries.ladder_ranges(ONE, pue=PUE)

    def building(accelerators_j, **inputs):
        rate = ONE.power_w / accelerators_j
        return ladder_j(accelerators_j, rate, 700, **inputs)["building"]

    drawn = sample_frame(ranges, boundaries.N_SAMPLES)
    joules = [building(**row) for row in drawn.to_dict("records")]
    frame = boundary_frame(ONE, pue=PUE).set_index("rung")
    inside = np.mean([frame.loc["building", "low"] <= j <= frame.loc["building", "high"]
                      for j in joules])  # fmt: skip
    assert inside == pytest.approx(0.9, abs=0.005)
    worst = building(**{n: r.high if n != "busy_frac" else r.low for n, r in ranges.items()})
    assert frame.loc["building", "high"] < worst


def test_the_band_of_the_accelerators_moves_the_site_most():
    frame = boundaries.boundary_tornado_frame(ONE, pue=PUE).set_index("input")
    assert frame.index[0] == "accelerators_j"
    # more work means less idling on each token's account
    assert frame.loc["busy_frac", "at_low_input"] > frame.loc["busy_frac", "at_high_input"]
    certain = boundaries.boundary_tornado_frame(ONE, pue=1.2).set_index("input")
    assert certain.loc["pue", "swing"] == 0


def test_inputs_are_ranges_with_a_source():
    made = catalog.given("energy_inputs", "host_frac")
    assert (made.low, made.typical, made.high, made.unit) == (0.3, 0.51, 0.55, "share")
    assert made.source == "mlperf-power"
    with pytest.raises(ValueError, match="nearest: host_frac"):
        catalog.given("energy_inputs", "host_fraction")


def test_our_ladder_is_of_the_size_that_google_published():
    rows = table("prompt_boundaries")["energy_wh"]
    published = rows["building"] / rows["accelerator"]
    made = boundary_frame(ONE, pue=1.09).set_index("rung")
    assert 1.2 < made.loc["building", "low"] / made.loc["accelerators", "low"] < published * 1.2
    assert rows.is_monotonic_increasing


def test_embodied_by_hand():
    # 1 t over 8 + 200 kg, 5 years at work half the time, 100 tokens per second
    made = fp.embodied_g_per_mtok(
        100, years=5, busy_frac=0.5, accelerator_embodied_g=200e3, server_embodied_g=1e6
    )
    assert made == pytest.approx(325e3 / (5 * 8760 * 3600 * 0.5 * 100) * 1e6)


def test_the_range_of_making_is_around_its_typical_value():
    rows = table("energy_inputs")["typical"]
    low, typical, high = sites.embodied_range(ONE)
    assert low < typical < high
    assert typical == pytest.approx(
        fp.embodied_g_per_mtok(
            ONE.output_tokens_per_s_per_gpu, years=rows["life_years"], busy_frac=rows["busy_frac"],
            accelerator_embodied_g=rows["accelerator_embodied_g"],
            server_embodied_g=rows["server_embodied_g"],
        )
    )  # fmt: skip


def test_the_whole_footprint_has_ends_and_leaves_out_the_unknown():
    whole = sites.footprint_frame(ONE, "spain", "google")
    assert len(whole) == 7
    assert (whole["low"] < whole["typical"]).all()
    assert (whole["typical"] < whole["high"]).all()
    known = sites.footprint_frame(ONE, "us-virginia", "industry")["figure"].tolist()
    assert "carbon in use, by market" not in known
    assert not [name for name in known if "water" in name]


def test_published_water_on_both_bases():
    row = table("published_figures").loc["gemini-water"]
    said = json.loads(row["inputs"])
    it_ml = 1e3 * fp.water_l_per_mtok(said["energy_wh"] * 3600 / 1e6, said["wue_l_per_kwh"])
    assert it_ml == pytest.approx(0.253, abs=5e-4)


def test_a_site_made_by_hand_serves_too():
    place = Site(id="here", name="Here", carbon_g_per_kwh=100.0, pue=1.1)
    assert sites.site_bill(3.6, place)["carbon_g"] == pytest.approx(110)
    assert np.isnan(sites.site_bill(3.6, place)["electricity_usd"])
