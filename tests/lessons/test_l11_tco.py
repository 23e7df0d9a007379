"""The cases of notebook 11: layers that sum, choices that follow their prices, ranges from rows."""

import numpy as np
import pytest

from econ.catalog import Price
from econ.catalog.tables import table
from econ.lessons import l11_stack as stack
from econ.lessons import l11_tco as lesson
from econ.scenario import Scenario
from econ.tco import cost, owner, with_ranges
from econ.tco.token_cost import cost_usd_per_good_mtok
from econ.terms import Slo
from econ.uncertainty import uncertain

CASE = Scenario.default()
POINT = lesson.operating_point(CASE)


@pytest.mark.parametrize("mean", [3.0, 100.0, 733.0])
@pytest.mark.parametrize("peak", [1.0, 1.7])
def test_the_layers_sum_to_the_cost_of_a_good_token(mean, peak):
    bill = lesson.bill_frame(CASE, mean_per_s=mean, peak_to_mean_factor=peak)
    use = lesson.utilisation(mean, POINT, peak, 0.9795)
    whole = cost_usd_per_good_mtok(
        owner(CASE).cost_usd_per_gpu_hour,
        POINT.output_tokens_per_s_per_gpu,
        POINT.good_frac,
        use.useful_frac,
    )
    assert bill["usd"].sum() == pytest.approx(whole)
    assert (bill["usd"] >= 0).all()


def test_a_point_keeps_its_slo_and_an_impossible_one_is_refused():
    assert POINT.good_frac >= CASE.slo.attainment_frac
    with pytest.raises(ValueError, match="no token is good"):
        lesson.operating_point(CASE.with_(slo=Slo(ttft_s=1e-6, tpot_s=1e-6)))


def test_lives_of_the_published_server():
    h200 = lesson.h200()
    lives = lesson.lives(h200.capital_usd, 0.1025, h200.operating_usd_per_month)
    assert lives["annuity"] == pytest.approx(1.74, abs=0.005)
    assert lives["whole hour"] == pytest.approx(1.53, abs=0.005)
    assert lives["straight line"] == pytest.approx(2)
    assert lesson.use_frame(h200.cost_usd_per_gpu_hour)["usd_per_useful_hour"][5] == pytest.approx(
        5.31, abs=0.005
    )


def test_published_owner_costs_are_met_within_a_quarter_and_inside_our_range():
    frame = lesson.published_frame()
    assert len(frame) >= 8
    assert frame["gap"].abs().max() < 0.25
    assert frame["published_usd"].between(frame["low_usd"], frame["high_usd"]).all()


def test_half_the_list_is_half_the_revenue():
    full, half = lesson.day_of_deepseek(), lesson.day_of_deepseek(realised_frac=0.5)
    assert half.revenue_usd == pytest.approx(full.revenue_usd / 2)
    assert half.cost_usd == full.cost_usd


def test_a_tighter_slo_never_costs_less():
    frame = lesson.surface_frame(CASE, rate_per_s=8, cost_usd_per_gpu_hour=2.0)
    grid = frame.pivot_table(
        index="tpot_ms", columns="ttft_ms", values="usd_per_good_mtok", dropna=False
    ).fillna(np.inf)
    usd = grid.to_numpy()  # infinite under limits that no token meets
    assert (usd[1:] <= usd[:-1] + 1e-9).all()
    assert (usd[:, 1:] <= usd[:, :-1] + 1e-9).all()
    assert np.isfinite(usd).sum() >= 12
    twice = lesson.surface_frame(CASE, rate_per_s=8, cost_usd_per_gpu_hour=4.0)
    assert twice["usd_per_good_mtok"].min() == pytest.approx(2 * frame["usd_per_good_mtok"].min())


def test_what_is_kept_adds_up_to_the_sales():
    price = Price(model="m", input_usd_per_mtok=1.0, output_usd_per_mtok=1.0)
    who = stack.who_frame(CASE, price, point=POINT)
    tokens = sum(lesson.sizes_of(CASE).values())
    per_hour = POINT.requests_per_s * 3600 / 4 / 1.5 * tokens / 1e6
    assert who["kept_usd"].sum() == pytest.approx(per_hour)
    assert who["share_frac"].sum() == pytest.approx(1)
    poor = stack.who_frame(
        CASE, Price(model="m", input_usd_per_mtok=0.01, output_usd_per_mtok=0.01), point=POINT
    )
    assert poor["kept_usd"].iloc[-1] < 0


def test_throughput_is_the_better_thing_to_interpolate():
    frame = stack.interpolation_frame().set_index("way")
    assert frame.loc["from throughput", "median_frac"] < frame.loc["cost itself", "median_frac"]
    assert (frame["n"] >= 25).all()


def test_the_chips_draw_less_than_is_provisioned():
    own = owner(CASE).groups()["electricity"]
    provisioned = own / 3600 / POINT.output_tokens_per_s_per_gpu * 1e6
    drawn = stack.accelerators_electricity_usd_per_mtok(CASE)
    assert 0.3 * provisioned < drawn < provisioned


def test_what_moves_the_cost_is_the_throughput():
    costs = uncertain(cost, with_ranges(CASE), n=64)
    assert costs.tornado()["input"][0] == "deployment.software_maturity"
    assert stack.title("finance.server_usd") == "Server (USD)"


def test_measured_points_by_hand_and_within_sight_of_ours():
    frame = stack.frontier_frame()
    measured, ours = frame.dropna(subset="measured_usd"), frame[frame["measured_usd"].isna()]
    assert set(measured["accelerator"]) == {"h100-sxm", "h200-sxm", "b200-sxm", "mi300x", "mi355x"}
    assert len(measured) == len(ours)
    assert (ours["low_usd"] <= ours["ours_usd"]).all()
    assert (ours["ours_usd"] <= ours["high_usd"]).all()
    run = table("measured_serving").query(
        "model == 'llama-3.1-70b' and accelerator == 'h100-sxm' and input_tokens == 921.6"
        " and output_tokens == 921.6"
    )
    per_s = run["concurrency"] * 921.6 / (run["ttft_s"] + 920.6 * run["tpot_s"]) / run["n_gpu"]
    usd = owner("h100-sxm").cost_usd_per_gpu_hour / 3600 / per_s * 1e6
    shown = measured.query("model == 'llama-3.1-70b' and accelerator == 'h100-sxm'")
    assert set(shown["measured_usd"].round(6)) <= set(usd.round(6))


def test_books_fall_on_a_line_and_rents_do_not_care():
    rows = stack.books_frame()
    for _, part in rows.groupby("accelerator"):
        books = part[part["what"] == "books, 6 years"].sort_values("year")
        assert books["usd"].is_monotonic_decreasing
        three = part[part["what"] == "books, 3 years"]["usd"].to_numpy()
        assert (three <= books["usd"].to_numpy()).all()


def test_a_makers_margin_is_its_reports():
    margins = stack.makers_frame().set_index("vendor")["margin_frac"]
    assert margins["NVIDIA"] == pytest.approx(0.750, abs=0.001)  # as its report prints it
    assert margins["AMD"] == pytest.approx(0.49, abs=0.005)


# -- the panel and the map
def test_the_panel_follows_its_controls():
    panel = lesson.bill_panel(CASE)
    before = panel.readout
    panel.set(peak=1.2)
    assert panel.error == ""
    assert panel.readout != before
    assert len(panel.static().description) > 200


def test_an_slo_that_nobody_keeps_is_refused_not_drawn():
    strict = CASE.with_(slo=Slo(ttft_s=1e-5, tpot_s=1e-5))
    with pytest.raises(ValueError, match="no token is good"):
        lesson.bill_panel(strict)
    panel = lesson.bill_panel(CASE).set(mean_per_s=1)
    assert "whole servers" in panel.readout


def test_a_map_without_a_good_token_has_words():
    frame = lesson.surface_frame(CASE, rate_per_s=12, cost_usd_per_gpu_hour=1.8)
    assert "cannot be met at any price" in lesson.surface_chart(frame).description
    nothing = frame.assign(usd_per_good_mtok=np.nan)
    assert "no token is good" in lesson.surface_chart(nothing).description
