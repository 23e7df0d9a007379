"""Lesson 03: its tables by a second route, its panel, speculation against its formula."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import econ
from econ.catalog import table
from econ.latency.prediction import DoesNotFit
from econ.latency.speculation import speculation_frame, tokens_per_check
from econ.lessons import l03_anatomy as cases
from econ.lessons.l02_latency import CASE
from econ.scenario import Scenario

SERVED = {"tp": 4, "precision": "fp8", "input_tokens": 1000}
PAIR = ("llama-3.1-70b", "h100-sxm")


def test_the_parts_of_a_step_are_about_its_time():
    frame = cases.anatomy_frame(*PAIR, **SERVED)
    whole = frame.groupby("batch")["time_ms"].sum()
    total = frame.groupby("batch")["total_ms"].first()
    # weights and compute overlap smoothly; the larger is shown whole
    assert (whole <= total * 1.001).all()
    assert (whole >= total * 0.8).all()


def test_the_anatomy_ends_where_memory_does():
    assert cases.anatomy_frame(*PAIR, **SERVED)["batch"].max() <= 1024
    with pytest.raises(DoesNotFit, match="GB missing"):
        cases.anatomy_frame("deepseek-v3", "h100-sxm", tp=1, precision="fp8", input_tokens=100)


def test_touched_experts_by_counting():
    frame = cases.touched_frame(["mixtral-8x7b"], (1, 2)).set_index("batch")["touched_percent"]
    assert frame[1] == pytest.approx(25)
    assert frame[2] == pytest.approx(100 * (1 - 0.75**2))


def test_the_shipped_sample_is_predicted_within_reason():
    factor = cases.parity_frame()["factor"]
    assert 0.9 < factor.median() < 1.1
    assert (factor - 1).abs().median() < 0.12


@given(st.floats(0, 1), st.integers(0, 20))
def test_tokens_per_check_is_a_sum_of_powers(a, k):
    assert tokens_per_check(a, k) == pytest.approx(sum(a**i for i in range(k + 1)))


@pytest.mark.parametrize("bad", [-0.1, 1.1, 70])
def test_acceptance_is_a_share(bad):
    with pytest.raises(ValueError, match="acceptance_frac"):
        tokens_per_check(bad, 4)


def test_speculation_fades_with_the_batch_and_can_lose():
    good = speculation_frame(Scenario.of(*PAIR, **SERVED, output_tokens=500))["speedup"]
    assert (good.diff().dropna() <= 1e-9).all()
    assert good.iloc[0] < tokens_per_check(0.7, 4)
    poor = speculation_frame(
        Scenario.of(*PAIR, **SERVED, output_tokens=500), acceptance_frac=0.1, draft_cost_frac=0.2
    )["speedup"]
    assert poor.iloc[-1] < 1


def test_a_model_too_large_is_said_not_drawn():
    panel = cases.anatomy_panel().set(model="deepseek-v3", tp=1)
    assert "does not fit" in panel.readout
    assert panel._live.rows == []


def test_the_anatomy_follows_its_controls():
    panel = cases.anatomy_panel()
    before = panel.readout
    panel.set(model="gpt-oss-120b")
    assert panel.readout != before
    assert len(panel.static().description) > 200


def test_waits_are_those_of_the_prediction():
    one = econ.latency.predict(Scenario.of(**CASE), concurrency=64)
    frame = cases.waits_frame(one).set_index("statistic")
    assert frame.loc["median user", "times_median"] == 1
    burst = one.benchmark_mean_ttft_s / one.ttft_p50_s
    assert frame.loc["mean of a benchmark", "times_median"] == pytest.approx(burst)
    assert burst > 1.3  # the opening burst makes a benchmark's mean


def test_a_flag_leaves_the_mean_and_moves_the_gaps():
    frame = cases.flag_frame(Scenario.of(**CASE), concurrency=64).set_index("stream_interval")
    assert frame["tpot_ms"].nunique() == 1
    # thirty tokens come at once, so the gap before them is thirty times the mean
    assert frame.loc[30, "median_gap_ms"] == pytest.approx(30 * frame.loc[30, "tpot_ms"], rel=0.1)


def test_dated_launches_are_the_same_launch_on_two_days():
    frame = cases.dated_frame()
    assert (frame["days"] >= cases.LEAST_DAYS).all()
    runs = table("measured_medians").query("accelerator == 'b200-sxm' and concurrency == 4")
    runs = runs[(runs["input_tokens"] < 1000) & (runs["output_tokens"] < 1000)].sort_values("as_of")
    row = frame[frame["launch"].str.startswith("b200-sxm, 4 users, 922 in, 922")].iloc[0]
    assert row.after_ms == pytest.approx(1e3 * runs["tpot_s"].iloc[-1])
    assert (frame["change_percent"].abs() > 10).mean() > 0.5  # the lesson: tens of percent


def test_coverage_holds_what_the_lesson_says():
    frame = cases.coverage_frame()
    assert frame["percent"].is_monotonic_increasing
    assert frame["percent"].iloc[0] > 85
