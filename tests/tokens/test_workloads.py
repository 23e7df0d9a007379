"""Workloads: samples against their quantiles, traces read back, bad traces named."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.catalog import table
from econ.tokens.traces import check_trace, read_trace
from econ.tokens.workloads import QUANTILES, Workload, workload

SHARED = Path(__file__).resolve().parents[3] / "shared" / "sources"
NAMES = ["chat", "code", "rag", "reasoning", "batch"]


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_has_the_workloads_quantiles_and_mean(name):
    load = workload(name)
    drawn = load.sample(200_000, seed=3)
    for side in ("input", "output"):
        want = np.array(getattr(load, f"{side}_quantile_tokens"))[2:-2]
        got = drawn[f"{side}_tokens"].quantile(QUANTILES[2:-2]).to_numpy()
        assert np.allclose(got, want, rtol=0.03, atol=1.0)
        mean = getattr(load, f"mean_{side}_tokens")
        assert drawn[f"{side}_tokens"].mean() == pytest.approx(mean, rel=0.03)


@pytest.mark.parametrize("name", ["chat", "rag"])
def test_arrivals_have_rate_variation_and_correlation(name):
    load = workload(name)
    drawn = load.sample(200_000, seed=5)
    gaps = np.diff(drawn["arrival_s"])
    assert 1 / gaps.mean() == pytest.approx(load.rate_per_s, rel=0.05)
    assert gaps.std() / gaps.mean() == pytest.approx(load.arrival_cv, rel=0.05)
    rho = drawn["input_tokens"].corr(drawn["output_tokens"], method="spearman")
    assert rho == pytest.approx(load.rank_correlation, abs=0.02)


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match=r"seed = .* is outside its range: a whole number"):
        workload("chat").sample(10, seed)


def test_the_same_seed_gives_the_same_trace():
    assert workload("chat").sample(100, 7).equals(workload("chat").sample(100, 7))


def test_a_batch_is_all_there_at_once():
    assert (workload("batch").sample(50)["arrival_s"] == 0).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_a_trace_gives_back_its_workload(seed):
    trace = workload("chat").sample(3000, seed)
    again = Workload.from_trace(trace)
    assert again.mean_input_tokens == pytest.approx(trace["input_tokens"].mean(), rel=0.1)
    assert again.rate_per_s == pytest.approx(
        (len(trace) - 1) / (trace["arrival_s"].iloc[-1] - trace["arrival_s"].iloc[0])
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_is_read_back(tmp_path, ending):
    trace = workload("code").sample(200, 1)
    path = tmp_path / f"trace.{ending}"
    getattr(trace.assign(note="x"), f"to_{ending}")(path, index=False)
    pd.testing.assert_frame_equal(read_trace(path), trace)


GOOD = {"arrival_s": [0.0, 1.0, 2.0], "input_tokens": [5, 6, 7], "output_tokens": [1, 2, 3]}
BAD = [
    ({"input_tokens": [5, 0, 7]}, r"row 2, column input_tokens: .*0.* is below 1 token"),
    ({"output_tokens": [1, 2, -3]}, r"row 3, column output_tokens"),
    ({"arrival_s": [0.0, 2.0, 1.0]}, r"row 3, column arrival_s: .* comes before the row above"),
    ({"arrival_s": [0.0, float("nan"), 1.0]}, "row 2, column arrival_s: .*not a finite"),
    ({"input_tokens": [5, "six", 7]}, r"row 2, column input_tokens: 'six'"),
    ({"input_tokens": [5, 6.5, 7]}, "not a whole number"),
    ({"arrival_s": [-1.0, 2.0, 3.0]}, "arrival_s"),
    ({"input_tokens": [5, 10**12, 7]}, "is above 100,000,000 tokens"),
]


@pytest.mark.parametrize(("change", "match"), BAD)
def test_a_bad_trace_names_row_and_column(change, match):
    with pytest.raises(ValueError, match=match):
        check_trace(pd.DataFrame({**GOOD, **change}))


def test_missing_columns_and_endings():
    with pytest.raises(ValueError, match="no column output_tokens"):
        check_trace(pd.DataFrame(GOOD).drop(columns="output_tokens"))
    with pytest.raises(ValueError, match="holds no rows"):
        check_trace(pd.DataFrame(GOOD).head(0))
    with pytest.raises(ValueError, match=r"\.log or \.parquet"):
        read_trace("trace.xlsx")


FILES = {
    "extra.csv": (
        "arrival_s,input_tokens,output_tokens\n0,100,10,7\n",
        "row 1, column output_tokens: more cells",
    ),
    "ragged.csv": (
        "arrival_s,input_tokens,output_tokens\n0,9,1\n1,9,1,7\n",
        "row 2, column output_tokens: more cells",
    ),
    "twice.csv": (
        "arrival_s,input_tokens,output_tokens,output_tokens\n0,1,2,3\n",
        "is there twice",
    ),
    "clock.csv": (
        "arrival_s,input_tokens,output_tokens\n12:30:01,9,1\n",
        "seconds since the start",
    ),
    "empty.csv": ("", "not a .csv file"),
    "broken.parquet": ("xx", "not a .parquet file"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_named_not_shifted(tmp_path, name):
    text, match = FILES[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=match) as caught:
        read_trace(tmp_path / name)
    assert str(caught.value).startswith(name)


def test_a_coarse_clock_does_not_make_poisson_arrivals_bursty():
    calm = replace(workload("rag"), arrival_cv=1.0).sample(20_000, seed=2)
    bursty = replace(workload("rag"), arrival_cv=2.0).sample(20_000, seed=2)
    for trace, cv in [(calm, 1.0), (bursty, 2.0)]:
        coarse = trace.assign(arrival_s=trace["arrival_s"] // 3 * 3)
        gaps = np.diff(coarse["arrival_s"])
        assert gaps.std() / gaps.mean() > 2.5  # what the tick alone would say
        assert Workload.from_trace(coarse).arrival_cv == pytest.approx(cv, rel=0.12)


def test_bursts_without_a_clock_keep_their_gaps():
    # at a variation of 13 most gaps vanish beside the sum; that is no tick
    trace = workload("code").sample(5000, seed=1)
    gaps = np.diff(trace["arrival_s"])
    assert (gaps == 0).mean() > 0.5
    assert Workload.from_trace(trace).arrival_cv == pytest.approx(gaps.std() / gaps.mean())


def test_a_long_pause_on_a_coarse_clock_is_counted_without_filling_memory():
    stamps = np.repeat(np.arange(2000) * 1e-3, 4)
    stamps[-4:] += 1e8  # three years: ten billion windows, nearly all empty
    trace = pd.DataFrame({"arrival_s": stamps, "input_tokens": 5, "output_tokens": 6})
    assert Workload.from_trace(trace).arrival_cv > 1


def test_equal_lengths_do_not_correlate():
    same = pd.DataFrame({**GOOD, "input_tokens": [5, 5, 5]})
    load = Workload.from_trace(same)
    assert load.rank_correlation == 0
    assert (load.sample(10)["input_tokens"] == 5).all()


@pytest.mark.parametrize("bad", [5, ["a"] * len(QUANTILES), [1.0, math.nan, *[2.0] * 16]])
def test_quantiles_must_be_rising_numbers(bad):
    with pytest.raises(ValueError, match="output_quantile_tokens"):
        replace(workload("chat"), output_quantile_tokens=bad)


def test_impossible_workloads_are_refused():
    with pytest.raises(ValueError, match="input_quantile_tokens"):
        Workload(id="x", input_quantile_tokens=(3, 2), output_quantile_tokens=(1, 2))
    with pytest.raises(ValueError, match="unknown arrival process"):
        Workload(
            id="x",
            arrival="poison",
            input_quantile_tokens=(1,) * len(QUANTILES),
            output_quantile_tokens=(1,) * len(QUANTILES),
        )


def _raw(name: str) -> pd.DataFrame:
    if name in ("chat", "code"):
        part = {"chat": "conv", "code": "code"}[name]
        raw = pd.read_csv(SHARED / f"azure_llm_2023/AzureLLMInferenceTrace_{part}.csv")
        return raw.rename(
            columns={"ContextTokens": "input_tokens", "GeneratedTokens": "output_tokens"}
        )
    if name == "rag":
        lines = (SHARED / "mooncake/conversation_trace.jsonl").read_text().splitlines()
        raw = pd.DataFrame(map(json.loads, lines))
        return raw.rename(
            columns={"input_length": "input_tokens", "output_length": "output_tokens"}
        )
    raw = pd.read_csv(
        SHARED / "vidur_traces/arxiv_summarization_stats_llama2_tokenizer_filtered_v2.csv"
    )
    return raw.rename(
        columns={"num_prefill_tokens": "input_tokens", "num_decode_tokens": "output_tokens"}
    )


@pytest.mark.skipif(not SHARED.exists(), reason="the raw traces are not here")
@pytest.mark.parametrize("name", ["chat", "code", "rag", "batch"])
def test_the_tables_quantiles_are_those_of_the_raw_trace(name):
    raw, load = _raw(name), workload(name)
    for side in ("input_tokens", "output_tokens"):
        want = raw[side].quantile(QUANTILES).round()
        have = table("workload_lengths").query("workload == @name")[side]
        assert np.allclose(have, want, atol=1)
    assert load.mean_input_tokens == pytest.approx(raw["input_tokens"].mean(), rel=0.02)
    # worst: 2.6 %, the outputs of `code`
    assert load.mean_output_tokens == pytest.approx(raw["output_tokens"].mean(), rel=0.03)


@pytest.mark.skipif(not SHARED.exists(), reason="the raw traces are not here")
@pytest.mark.parametrize("name", ["chat", "code", "rag", "batch"])
def test_the_tables_arrivals_are_those_of_the_raw_trace(name):
    raw, load = _raw(name), workload(name)
    if name == "batch":
        arrival = pd.Series(0.0, index=raw.index)
    elif name == "rag":
        arrival = raw["timestamp"] / 1e3
    else:
        stamp = pd.to_datetime(raw["TIMESTAMP"])
        arrival = (stamp - stamp.iloc[0]).dt.total_seconds()
    again = Workload.from_trace(raw.assign(arrival_s=arrival))
    assert again.arrival == load.arrival
    assert again.rate_per_s == pytest.approx(load.rate_per_s, rel=1e-3)
    assert again.arrival_cv == pytest.approx(load.arrival_cv, rel=1e-3)
    assert again.rank_correlation == pytest.approx(load.rank_correlation, abs=1e-3)


@pytest.mark.skipif(not SHARED.exists(), reason="the raw traces are not here")
def test_the_cached_share_is_that_of_the_raw_blocks():
    seen, hits, blocks = set(), 0, 0
    for ids in _raw("rag")["hash_ids"]:
        known = [block in seen for block in ids]
        hits += known.index(False) if False in known else len(known)
        blocks += len(ids)
        seen.update(ids)
    assert hits / blocks == pytest.approx(workload("rag").cached_frac, abs=1e-3)
