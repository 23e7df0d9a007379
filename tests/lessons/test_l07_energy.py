"""Lesson 07 by a second route, and its panels."""

import json

import pytest

from econ.catalog import UnknownName, table
from econ.energy.consumption import energy
from econ.energy.fit import parity_frame
from econ.latency.prediction import predict
from econ.lessons import l07_energy as cases
from econ.scenario import Scenario
from econ.trends import hardware as trends

SERVED = Scenario.default()


def test_the_line_over_the_batch_ends_where_memory_does():
    frame = cases.batch_frame("llama-3.1-70b", "h100-sxm", tp=4, precision="fp8",
                              input_tokens=10_000, output_tokens=500)  # fmt: skip
    last = int(frame["concurrency"].max())
    assert 8 <= last < 512
    with pytest.raises(ValueError, match="does not fit"):
        cases.batch_frame("deepseek-v3", "h100-sxm", input_tokens=100, output_tokens=100)


def test_phases_are_those_of_the_request():
    one = cases.served(32)
    frame = cases.phase_frame(SERVED, (one.input_tokens,))
    assert frame["energy_j"].sum() == pytest.approx(one.j_per_request)
    assert frame["share"].sum() == pytest.approx(1)
    assert frame["share"].iloc[0] == pytest.approx(one.prefill_share_frac)
    # prefill by a second route: full power for as long as the machine reads
    read_s = predict(SERVED, concurrency=32).ttft_parts_s["own prompt"]
    assert 0.5 < frame["energy_j"].iloc[0] / (4 * 700 * read_s) <= 1


def test_two_denominators():
    case = SERVED.with_(input_tokens=8000, output_tokens=1000)
    answer = energy(case, concurrency=32)
    assert answer.j_per_output_token / answer.j_per_total_token == pytest.approx(9)


def test_measured_points_come_from_the_ledger():
    frame = cases.measured_batches_frame()
    assert len(frame) == 8
    inside = frame["published"].between(frame["low"], frame["high"])
    assert 6 <= inside.sum() < 8  # what misses is shown, not dropped


def test_the_ledgers_bands_are_the_models_own():
    rows = table("published_figures")
    rows = rows[rows.index.str.fullmatch(cases.PREDICTED_ROWS)]
    for row in rows.itertuples():
        case = json.loads(row.inputs)
        users = case.pop("concurrency")
        one = energy(Scenario.of(case.pop("id"), case.pop("chip"), **case), concurrency=users)
        factor = one.bands["j_per_output_token"][1]
        assert row.high / row.published == pytest.approx(factor, rel=0.03), row.id
        assert row.published / row.low == pytest.approx(factor, rel=0.03), row.id


def test_reasoning_by_the_published_runs():
    frame = cases.reasoning_frame().set_index("case")
    factor = frame.loc["reasoning", "measured_j"] / frame.loc["chat", "measured_j"]
    assert factor == pytest.approx(52.5, abs=0.1)
    assert (frame["measured_j_per_token"] > frame["ours_j_per_token"]).all()


def test_a_request_in_watt_hours():
    one = cases.served(32)
    frame = cases.request_boundary_frame(one, "google")
    assert frame["typical"].iloc[0] * 3600 == pytest.approx(one.j_per_request)
    assert frame["adds"].sum() == pytest.approx(frame["typical"].iloc[-1])
    with pytest.raises(UnknownName, match="google"):
        cases.request_boundary_frame(one, "gogle")


# -- trends --------------------------------------------------------------------------------------
def test_growth_by_the_two_ends_of_the_line():
    """The fitted growth is of the size of the plain growth from the first board to the last."""
    rows = trends.efficiency_frame()
    for measure in trends.MEASURES:
        found = trends.efficiency_growth_per_year(measure)
        span = rows["years"].iloc[-1] - rows["years"].iloc[0]
        plain = (rows[measure].iloc[-1] / rows[measure].iloc[0]) ** (1 / span) - 1
        assert found["low"] - 0.05 < plain < found["high"] + 0.05
        assert found["n"] == len(rows) == 7
    with pytest.raises(UnknownName, match="bf16"):
        trends.efficiency_growth_per_year("bf17")


def test_the_claim_holds_only_for_fewer_bits():
    frame = trends.growth_frame(0.4).set_index("measure")
    assert frame.loc["bf16 FLOP/s per W", "high"] < 40
    assert frame.loc["narrowest FLOP/s per W", "low"] < 40
    assert frame.loc["narrowest FLOP/s per W", "growth"] > 40


def test_faster_software_saves_less_energy_than_time():
    frame = trends.software_frame().set_index("software")
    old, new = frame.loc["2024, measured"], frame.loc["2026, measured"]
    faster = new["output_tokens_per_s_per_gpu"] / old["output_tokens_per_s_per_gpu"]
    leaner = old["energy_j_per_token"] / new["energy_j_per_token"]
    assert faster > 2 * leaner > 2
    assert old["power_w"] < new["power_w"] < 700
    # ours is faster than what was measured, and says so by standing beside it
    assert frame["output_tokens_per_s_per_gpu"].is_monotonic_increasing


def test_parity_is_held_out_and_close():
    factor = parity_frame()["factor"]
    assert (factor - 1).abs().median() < 0.12


# -- panels --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("panel", "moved"),
    [
        (cases.triangle_panel, {"model": "qwen3-32b"}),
        (cases.ladder_panel, {"busy": 10}),
    ],
)
def test_panels_follow_their_controls(panel, moved):
    made = panel()
    before = made.readout
    assert made.set(**moved).readout != before
    assert not made.error
    assert len(made.static().description) > 200


def test_a_panel_says_what_cannot_be():
    made = cases.triangle_panel().set(model="deepseek-v3", tp=1)
    assert "does not fit" in made.readout
    assert made._live.rows == []
