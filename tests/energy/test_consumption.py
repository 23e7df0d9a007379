"""Energy per token: conserved, equal by every route, near what was measured, clear when refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import UnknownName
from econ.energy.consumption import (
    COLUMNS,
    bands,
    energy,
    energy_frame,
    energy_j_per_token,
    energy_j_per_total_token,
)
from econ.energy.power import PowerLaw
from econ.latency import deployments as dep
from econ.latency.prediction import DoesNotFit, max_throughput_frame, predict, predict_frame
from econ.latency.regimes import REGIMES
from econ.scenario import Scenario

CASE = {"tp": 4, "precision": "fp8", "input_tokens": 1000, "output_tokens": 500, "concurrency": 32}
PAIR = ("llama-3.1-70b", "h100-sxm")
SCENARIO = Scenario.of(*PAIR, tp=4, precision="fp8", input_tokens=1000, output_tokens=500)


def case_of():
    """The `Case` behind `CASE`, not yet prepared."""
    c = dep.case(dep.as_model(PAIR[0]), dep.as_accelerator(PAIR[1]), "fp8")
    c.input_tokens, c.output_tokens = 1000.0, 500.0
    return dep.split(c, n_gpu=4, tp=4, pp=1, ep=1, dp=1, concurrency=32)


def test_energy_is_power_over_the_latency_models_throughput():
    one, fast = energy(*PAIR, **CASE), predict(SCENARIO, concurrency=32)
    assert one.output_tokens_per_s_per_gpu == pytest.approx(fast.output_tokens_per_s_per_gpu)
    joules = one.power_w / fast.output_tokens_per_s_per_gpu
    assert one.energy_j_per_token == pytest.approx(joules)
    assert energy_j_per_token(*PAIR, **CASE) == one.energy_j_per_token
    assert energy_j_per_total_token(*PAIR, **CASE) == pytest.approx(joules * 500 / 1500)
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
        case = {n: one[n] for n in CASE}
        assert row["energy_j_per_token"] == pytest.approx(
            energy_j_per_token(one["model"], one["accelerator"], **case), rel=1e-12
        )
    assert made["reason"].str.contains("no published TDP").sum() == 2  # the 8B model on a TPU
    assert made["reason"].str.contains("does not fit").any()
    assert made["reason"].str.contains("unknown model 'llama-9'").sum() == 4


def test_a_given_operating_point_counts():
    row = pd.DataFrame([{"model": PAIR[0], "accelerator": PAIR[1], **CASE}])
    made = predict_frame(row)
    half = made.assign(output_tokens_per_s_per_gpu=made["output_tokens_per_s_per_gpu"] / 2)
    ours, slower = energy_frame(made).iloc[0], energy_frame(half).iloc[0]
    assert ours["energy_j_per_token"] == pytest.approx(energy_j_per_token(*PAIR, **CASE))
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
    one = energy("llama-3.1-8b", "h100-sxm", input_tokens=100, output_tokens=397, concurrency=users)
    low, high = one.band()
    assert low < measured < high
    near = one.band(coverage_frac=0.5)
    assert low < near[0] < near[1] < high


def test_batch_is_everything():
    made = [
        energy("llama-3.1-8b", "h100-sxm", input_tokens=100, output_tokens=400, concurrency=n)
        for n in (1, 8, 64)
    ]
    joules = [one.energy_j_per_token for one in made]
    assert joules == sorted(joules, reverse=True)
    assert joules[0] > 10 * joules[2]
    power = [one.power_w for one in made]
    assert power == sorted(power)


def test_every_figure_is_a_range():
    frame = energy(*PAIR, **CASE).frame()
    assert (frame["low"] < frame["typical"]).all()
    assert (frame["typical"] < frame["high"]).all()
    assert set(frame["unit"]) == {"J"}
    by = frame.set_index("figure")["typical"]
    assert by["a request"] == pytest.approx(500 * by["per output token"])


def test_an_energy_is_an_uncertain_input():
    one = energy(*PAIR, **CASE)
    made = one.range()
    assert (made.low, made.high) == one.band()
    assert float(made.quantile(0.05)) == pytest.approx(made.low)
    assert one.range("prefill_energy_j_per_token").typical == one.prefill_energy_j_per_token


def test_bands_widen_away_from_what_was_measured():
    factors = bands()
    assert set(factors) == set(REGIMES)
    for near, far in factors.values():
        assert 1 < near < far
    assert factors["beyond"][1] >= factors["new model"][1] >= factors["calibrated"][1]


@pytest.mark.parametrize(
    ("where", "changed", "error", "says"),
    [
        (PAIR, {"concurrency": 0}, ValueError, "concurrency = 0 is outside its range"),
        (PAIR, {"output_tokens": float("nan")}, ValueError, "output_tokens = nan"),
        (PAIR, {"tp": 6}, ValueError, "a divisor of the 64 attention heads"),
        (PAIR, {"precision": "fp5"}, ValueError, "unknown precision 'fp5'"),
        (PAIR, {"tp": 1, "precision": "bf16"}, DoesNotFit, "GB missing"),
        (("llama-3.1-70b", "h100"), {}, UnknownName, "nearest: h100-sxm"),
        (("llama-3.1-71b", "h100-sxm"), {}, UnknownName, "llama-3.1-70b"),
        (("llama-3.1-70b", "tpu-v6e"), {"tp": 8}, ValueError, "tpu-v6e has no published TDP"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(where, changed, error, says):
    with pytest.raises(error, match=says):
        energy(*where, **(CASE | changed))


def test_a_band_of_power_or_of_another_width_is_refused():
    one = energy(*PAIR, **CASE)
    with pytest.raises(UnknownName, match="energy_j_per_token"):
        one.band("power_w")
    with pytest.raises(ValueError, match=r"coverage_frac = 0.8"):
        one.band(coverage_frac=0.8)
