"""Benchmark files as the tools write them, and what they say about one's own stack."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import table
from econ.latency.bench_rows import COLUMNS, read_bench
from econ.latency.frame import predict_frame
from econ.latency.own_stack import compare_frame, fit_stack

FOLDER = Path(__file__).parents[1] / "fixtures" / "bench"
SAME = ["aiperf.json", "aiperf.csv", "guidellm.json", "guidellm.csv", "vllm_summary.csv"]
WHERE = {"model": "llama-3.1-8b", "accelerator": "h100-sxm"}


@pytest.mark.parametrize("name", SAME)
def test_all_tools_give_the_same_run(name):
    row = read_bench(FOLDER / name).iloc[0]
    assert row["n_requests"] == 160
    assert (row["input_tokens"], row["output_tokens"]) == (1000, 250)
    assert (row["ttft_s"], row["tpot_s"]) == (pytest.approx(0.060), pytest.approx(0.0096))
    assert row["requests_per_s"] == 6.4
    assert row["output_tokens_per_s"] == 1600
    # Little's law: 6.4/s × (0.060 + 249 × 0.0096) s
    own = 15.7 if name == "guidellm.json" else 6.4 * (0.060 + 249 * 0.0096)  # it states a mean
    assert row["concurrency"] == pytest.approx(own)
    if name not in ("aiperf.csv", "guidellm.csv"):
        assert row["limit_concurrency"] == 16


def test_a_run_of_vllm():
    (row,) = read_bench(FOLDER / "vllm.json").to_dict("records")
    assert list(row) == COLUMNS
    assert row["model_name"].endswith("Llama-3.1-8B-Instruct")
    assert (row["input_tokens"], row["output_tokens"]) == (1024, 256)
    assert math.isnan(row["rate_per_s"])  # "inf": as fast as 32 at a time allow
    assert row["concurrency"] == pytest.approx(5.2288 * (0.1524 + 255 * 0.0229))


def test_lines_of_json_and_several_benchmarks():
    both = read_bench(FOLDER / "vllm_sweep.jsonl")
    assert both["rate_per_s"].tolist() == [2.0, 8.0]
    two = read_bench(FOLDER / "guidellm.json")
    assert two["rate_per_s"].tolist()[1] == 2.0
    assert two["tpot_s"].tolist() == pytest.approx([0.0096, 0.0081])  # not time per output token
    listed = json.dumps([json.loads(line) for line in
                         (FOLDER / "vllm_sweep.jsonl").read_text().splitlines()])  # fmt: skip
    pd.testing.assert_frame_equal(read_bench(listed.encode(), "all.json"), both)


def test_units_are_those_the_file_states():
    doc = json.loads((FOLDER / "aiperf.json").read_text())
    doc["time_to_first_token"] = {"unit": "us", "avg": 60_000}
    doc["inter_token_latency"] = {"unit": "sec", "avg": 0.0096}
    row = read_bench(json.dumps(doc).encode(), "a.json").iloc[0]
    assert (row["ttft_s"], row["tpot_s"]) == (pytest.approx(0.06), pytest.approx(0.0096))


def _vllm(**change) -> bytes:
    doc = json.loads((FOLDER / "vllm.json").read_text()) | change
    return json.dumps({k: v for k, v in doc.items() if v != "gone"}).encode()


BAD = {
    "not json": (b"{", "r.json line 1: not JSON"),
    "other keys": (b'{"a": 1}', "run 1: written by none of vllm, sglang, .* keys a"),
    "a list of numbers": (b"[1, 2]", "run 1: expected an object, not '1'"),
    "no run": (b'{"benchmarks": []}', "holds no run"),
    "deep": (b"[" * 100_000, "nested too deeply|not JSON"),
    "no ttft": (_vllm(mean_ttft_ms=None), r"run 1 \(vllm\): ttft_s is missing: streaming must be"),
    "text": (_vllm(mean_tpot_ms="fast"), "tpot_s is missing"),
    "none done": (_vllm(completed=0), "n_requests = 0 is not above 0: did every call fail"),
    "negative": (_vllm(mean_ttft_ms=-1), "ttft_s = -0.001 is not above 0"),
    "latin-1": (b'{"a": "\xe9"}', "not UTF-8 at byte 8"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_names_run_and_key(case):
    data, says = BAD[case]
    with pytest.raises(ValueError, match=says):
        read_bench(data, "r.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["benchmarks", "metrics", "mean_ttft_ms", "completed", "successful",
                         "time_to_first_token", "inter_token_latency", "avg", "unit", "config",
                         "strategy", "backend", "model", "input_config", "phases", "loadgen",
                         "request_totals", "mean", "models", "items"]),
        inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@given(JSON | st.binary(max_size=80))
@settings(max_examples=400, deadline=None)
def test_whatever_comes_is_runs_or_a_value_error(doc):
    data = doc if isinstance(doc, bytes) else json.dumps(doc).encode()
    for name in ("r.json", "r.csv"):
        said, runs = "", None
        try:
            runs = read_bench(data, name)
        except ValueError as error:
            said = str(error)
        assert said.startswith("r.") if runs is None else (runs["ttft_s"] > 0).all()


@pytest.mark.parametrize("key", ["input_config", "inter_token_latency", "request_throughput"])
@pytest.mark.parametrize("odd", [5, "x", [], [1], {"phases": 3, "loadgen": 4, "models": {"a": 1}}])
def test_parts_of_another_shape_are_no_crash(key, odd):
    doc = json.loads((FOLDER / "aiperf.json").read_text()) | {key: odd}
    if key == "input_config":
        assert len(read_bench(json.dumps(doc).encode(), "a.json")) == 1
    else:
        with pytest.raises(ValueError, match="is missing"):
            read_bench(json.dumps(doc).encode(), "a.json")


@pytest.mark.parametrize("odd", [5, "x", [1], {"strategy": 3, "backend": [1]}])
def test_guidellm_of_another_shape_is_no_crash(odd):
    doc = json.loads((FOLDER / "guidellm.json").read_text())
    doc["benchmarks"][0]["config"] = odd
    assert len(read_bench(json.dumps(doc).encode(), "g.json")) == 2
    doc["benchmarks"][0]["metrics"] = odd
    with pytest.raises(ValueError, match=r"run 1 \(guidellm\)"):
        read_bench(json.dumps(doc).encode(), "g.json")


def test_other_endings_and_headers():
    with pytest.raises(ValueError, match=r"give a \.json, \.jsonl, \.csv, \.txt or \.log"):
        read_bench(b"x", "r.xlsx")
    with pytest.raises(ValueError, match="its header has a, b"):
        read_bench(b"a,b\n1,2\n", "r.csv")
    with pytest.raises(ValueError, match="its header has nothing"):
        read_bench(b"", "r.csv")


def _made(maturity: float, overhead_s: float, loads=(1, 4, 16, 64, 128), noise=0.0):
    """Runs of a stack that is known: what the fit must give back."""
    runs = pd.DataFrame({"concurrency": loads, "input_tokens": 1000.0, "output_tokens": 250.0})
    made = predict_frame(runs.assign(software_maturity=maturity, **WHERE))
    rng = np.random.default_rng(1)
    tpot_s = (made["tpot_s"] + overhead_s) * np.exp(noise * rng.standard_normal(len(runs)))
    return runs.assign(ttft_s=made["ttft_s"] + overhead_s, tpot_s=tpot_s,
                       output_tokens_per_s=1.0)  # fmt: skip


@pytest.mark.parametrize(("maturity", "overhead_s"), [(0.7, 2e-3), (1.6, 5e-4), (1.0, 0.0)])
def test_the_fit_gives_a_known_stack_back(maturity, overhead_s):
    stack = fit_stack(_made(maturity, overhead_s), **WHERE)
    assert stack.software_maturity == pytest.approx(maturity, rel=0.01)
    assert stack.step_overhead_s == pytest.approx(overhead_s, abs=2e-5)
    assert stack.tpot_error_after_frac < 1e-3
    assert stack.tpot_error_held_out_frac < 1e-2
    assert stack.ttft_error_after_frac < 0.02
    assert stack.fitted == ("software_maturity", "step_overhead_s")


def test_held_out_is_worse_than_fitted_where_there_is_noise():
    stack = fit_stack(_made(0.7, 2e-3, loads=(1, 2, 8, 16, 64, 128), noise=0.1), **WHERE)
    assert stack.tpot_error_after_frac < stack.tpot_error_held_out_frac
    assert stack.tpot_error_after_frac < stack.tpot_error_before_frac


def test_few_runs_or_one_load_fit_one_number():
    assert fit_stack(_made(0.8, 1e-3, loads=(8,)), **WHERE).fitted == ("software_maturity",)
    same = fit_stack(_made(0.8, 0.0, loads=(16, 16, 17, 18, 16)), **WHERE)
    assert same.fitted == ("software_maturity",)
    assert same.step_overhead_s == 0.0
    assert same.software_maturity == pytest.approx(0.8, rel=0.01)


def test_real_runs_left_out_are_nearer_after_the_fit():
    rows = table("measured_serving")
    rows = rows[(rows["pp"] == 1) & (rows["concurrency"] < 256)].reset_index(drop=True)
    stacks = [
        fit_stack(runs.assign(output_tokens_per_s=1.0))
        for _, runs in rows.groupby(["model", "accelerator", "engine"])
        if len(runs) >= 6
    ]
    assert len(stacks) >= 15
    before = np.median([s.tpot_error_before_frac for s in stacks])
    assert np.median([s.tpot_error_held_out_frac for s in stacks]) < 0.9 * before


def test_runs_beside_their_prediction():
    runs = read_bench(FOLDER / "vllm_summary.csv")
    made = compare_frame(runs, **WHERE)
    assert (made["tpot_s_ratio"] == made["tpot_s_ours"] / made["tpot_s"]).all()
    assert made["tpot_in_band"].dtype == bool
    with pytest.raises(ValueError, match="say which accelerator"):
        compare_frame(runs, model="llama-3.1-8b")
    with pytest.raises(ValueError, match="run 1 cannot be predicted: does not fit"):
        compare_frame(runs, model="llama-3.1-405b", accelerator="l4")
    with pytest.raises(ValueError, match="run 1 cannot be predicted: does not fit"):
        fit_stack(runs, model="llama-3.1-405b", accelerator="l4")
