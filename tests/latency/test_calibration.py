"""The calibration: what it may hold, where it comes from, and the evidence behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from econ.catalog import BadTable, table
from econ.latency.calibration import REGIMES, Calibration, bands
from econ.latency.fit import FIXED, START
from econ.latency.runs import (
    RAW,
    aliases,
    configuration,
    each_once,
    folds,
    measured_runs,
    read_medians,
    read_runs,
    sample_medians,
    sample_runs,
    thin,
)
from econ.scenario import Scenario

FULL = Path(__file__).resolve().parents[3] / "shared/measured/serving_measurements.csv"

MEDIANS = FULL.parent / "serving_history.csv"


def test_the_table_holds_every_parameter_and_no_other():
    rows = table("calibration")
    assert sorted(rows.index) == sorted(Calibration.names())
    fitted = set(rows[rows["n_runs"] > 0].index)
    assert fitted == {name for name in START if "." not in name}
    assert len(START) <= 25
    assert not fitted & set(FIXED)
    for name, value in FIXED.items():
        assert rows.loc[name, "value"] == pytest.approx(value)


def test_fitted_values_lie_in_their_intervals_and_are_physical():
    k = Calibration.fitted()
    assert set(k.intervals) == set(START)
    for name, (low, high) in k.intervals.items():
        assert low <= k.value(name) <= high, name
    frame = k.frame().set_index("name")
    assert frame["low"].notna().sum() == len(START)
    # a kernel launch takes microseconds, a grouped product is less efficient than a dense one
    assert 1e-6 < k.kernel_s < 2e-5
    assert k.expert_compute_frac < 1


def test_datasheet_is_perfect_and_textbook_between():
    best, middle = Calibration.datasheet(), Calibration.textbook()
    for name in Calibration.names():
        if name.endswith(("compute_frac", "memory_frac", "bandwidth_frac", "link_frac")):
            assert getattr(best, name) == 1
            assert 0 < getattr(middle, name) <= 1
    assert best.kernel_s == best.value("vllm.first_token_s") == 0 < middle.kernel_s
    assert all(e.host_s_per_sequence == 0 for e in best.engines)


def test_bad_values_are_refused():
    with pytest.raises(ValueError, match="kv_bandwidth_frac = 75 is outside its range"):
        Calibration(kv_bandwidth_frac=75)
    with pytest.raises(ValueError, match="link_frac = 0 is outside its range: above 0"):
        Calibration(link_frac=0.0)
    with pytest.raises(ValueError, match="kernel_s = -1"):
        Calibration.fitted().replace(kernel_s=-1)
    with pytest.raises(ValueError, match="nearest: kernel_s"):
        Calibration.fitted().replace(kernels_s=1e-6)
    assert "kernel_s" not in Calibration.fitted().replace(kernel_s=1e-6).intervals


def test_bands_cover_every_regime_and_widen_with_distance():
    for metric in ("ttft_s", "tpot_s", "output_tokens_per_s_per_gpu"):
        wide = [bands()[regime, metric] for regime in REGIMES]
        assert all(1 < band.median_factor < band.p90_factor for band in wide)
        assert all(wide[0].p90_factor <= band.p90_factor for band in wide)
        assert [band.n_rows == 0 for band in wide] == [False, False, False, True, False, True]


# -- the evidence ---------------------------------------------------------------------------
def test_the_sample_is_stratified_and_in_the_catalogues_names():
    runs = sample_runs()
    assert 200 <= len(runs) <= 600
    assert set(runs["model"]) <= set(table("models").index)
    assert set(runs["accelerator"]) <= set(table("accelerators").index)
    per = runs.groupby([configuration(runs), "source"]).size()
    assert len(per) > 100
    assert per.max() <= 4
    assert (runs["n_gpu"] == runs["tp"] * runs["pp"] * runs["dp"]).all()


def test_folds_keep_configurations_whole_and_do_not_depend_on_the_order():
    labels = configuration(sample_runs())
    one = folds(labels)
    assert set(one) == set(range(5))
    assert one.groupby(labels).nunique().max() == 1
    assert folds(labels[::-1]).sort_index().equals(one)


def raw(**change) -> pd.DataFrame:
    row = dict.fromkeys(RAW, 1) | {
        "source": "NVIDIA aic gap-analysis",
        "date": "2025-10-01",
        "model": "llama-8b",
        "w_prec": "bf16",
        "gpu": "H100",
        "engine": "vllm",
        "isl": 1000,
        "osl": 100,
        "len_scale": 0.9,
        "conc": 8,
        "ttft_ms": 250.0,
        "tpot_ms": 10.0,
        "quality": "ok",
    }
    return pd.DataFrame([row, row | change])


def test_a_file_is_read_into_base_units(tmp_path):
    raw(quality="isl assumed").to_csv(tmp_path / "runs.csv", index=False)
    (run,) = read_runs(tmp_path / "runs.csv").to_dict("records")
    assert (run["input_tokens"], run["output_tokens"]) == (900, 90)
    assert (run["ttft_s"], run["tpot_s"]) == (0.25, 0.01)
    assert (run["model"], run["accelerator"]) == ("llama-3.1-8b", "h100-sxm")


def test_a_file_with_strange_names_or_columns_is_refused(tmp_path):
    raw(model="llama-9b").to_csv(tmp_path / "runs.csv", index=False)
    with pytest.raises(BadTable, match=r"runs.csv row 3, column model: unknown model alias"):
        read_runs(tmp_path / "runs.csv")
    raw().drop(columns="isl").to_csv(tmp_path / "less.csv", index=False)
    with pytest.raises(BadTable, match=r"less.csv: no column isl"):
        read_runs(tmp_path / "less.csv")
    with pytest.raises(ValueError, match="unknown kind of alias"):
        aliases("engine")


def test_a_run_that_is_published_twice_counts_once():
    one = sample_runs().iloc[[0]].assign(as_of="2026-03-20")
    times = {name: one[name] * factor for name, factor in (("ttft_s", 1.00005), ("tpot_s", 1.0008))}
    again = one.assign(as_of="2025", source="elsewhere", **times)
    anew, crowd = one.assign(ttft_s=one["ttft_s"] * 1.001), one.assign(concurrency=77)
    rows = pd.concat([again, one, anew, crowd], ignore_index=True)
    assert list(each_once(rows).index) == [1, 2, 3]


@pytest.mark.skipif(not FULL.exists(), reason="the full file is not beside the repository")
def test_the_sample_is_what_the_full_file_gives():
    runs = read_runs(FULL)
    assert len(runs) == 2166  # of 2,671, 463 stand there already and 42 are left out by name
    again, kept = thin(runs), sample_runs()
    assert len(again) == len(kept)
    for name in ("ttft_s", "tpot_s", "input_tokens", "concurrency"):
        assert np.allclose(again[name], kept[name], rtol=1e-5), name


@pytest.mark.skipif(not MEDIANS.exists(), reason="the full file is not beside the repository")
def test_the_medians_sample_is_what_the_full_file_gives():
    medians = read_medians(MEDIANS)
    assert len(medians) == 404  # one of 405 is left out by name
    again, kept = thin(medians), sample_medians()
    assert len(again) == len(kept)
    assert np.allclose(again["ttft_s"], kept["ttft_s"], rtol=1e-5)


def test_launch_settings_of_measured_runs_are_data():
    runs = measured_runs()
    alone = runs[(runs["source"] == "aiconfigurator") & (runs["engine"] == "sglang")]
    assert set(alone["n_rounds"].astype(float)) == {1.0}
    amd = runs[runs["accelerator"].str.startswith("mi")]
    assert set(amd["prefill_budget_tokens"].astype(float)) == {196608.0}
    assert set(amd["statistic"]) == {"median"}


@pytest.mark.skipif(not MEDIANS.exists(), reason="the full file is not beside the repository")
def test_decode_steps_in_a_row_are_not_felt_in_the_medians():
    """Four in a row on AMD would let a request wait for 1.5 TPOT more than on Hopper."""
    runs = read_medians(MEDIANS)
    runs = runs[(runs["engine"] == "sglang") & (runs["input_tokens"] < 1000)]
    times = runs.groupby(["accelerator", "concurrency"])[["ttft_s", "tpot_s"]].median()
    more = times.xs(64, level="concurrency") - times.xs(4, level="concurrency")
    n_steps = more["ttft_s"] / more["tpot_s"]
    assert set(n_steps.index) == {"h200-sxm", "mi300x", "mi355x"}
    assert n_steps.between(1, 2).all()


def test_two_runs_of_one_configuration_differ_more_once_the_software_has_changed():
    kind = ["statistic", "metric", "apart"]
    off = table("repeated_runs").pivot_table("median_frac", kind[:2], kind[2])
    assert (off["a week at most"] < 0.04).all()
    assert (off["more than a week"] > 2 * off["a week at most"]).all()


def test_bands_hold_on_every_group_left_out():
    rows = table("band_coverage")
    assert (rows["covered_frac"] >= 0.85).all()
    assert set(rows["left_out"]) == {
        "configuration", "half-year", "engine", "source", "accelerator", "model"
    }  # fmt: skip
    wide = [band for band in bands().values() if band.reason]
    assert wide
    assert all(np.isinf(band.p90_factor) for band in wide)
    assert all(band.p90_factor <= 4 for band in bands().values() if not band.reason)


def test_software_has_a_date():
    layer = Calibration.fitted().software
    old, new = (layer.maturity("sglang", "cdna4", date) for date in ("2025-12", "2026-05"))
    assert new > 1.2 * old
    assert layer.widening("sglang", "cdna4", "2026-02") == 1.0
    assert layer.widening("sglang", "cdna4", "") > layer.widening("sglang", "cdna4", "2026-06") > 1
    with pytest.raises(ValueError, match="as_of = 'May' is outside its range: a date"):
        Scenario.default().with_(as_of="May")
