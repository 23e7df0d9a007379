"""The fit and its report: it finds what made the data, and says honestly how far it is off."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from econ import calibrate
from econ.catalog import tables
from econ.catalog.reading import BadTable
from econ.catalog.tables import read_checked, resource
from econ.latency.calibration import Calibration
from econ.latency.fit import (
    START,
    accuracy_frame,
    alike,
    configuration,
    fit,
    fit_dated,
    held_out,
    is_mean,
    kendall_within,
    ladder_frame,
    runs_table,
    solve,
    summary,
)
from econ.latency.runs import measured_runs, read_medians, read_runs, sample_runs
from econ.latency.software import Software
from tests.latency.test_calibration import FULL, MEDIANS

with_full = pytest.mark.skipif(not FULL.exists(), reason="the full file is not here")


def made(k: Calibration) -> pd.DataFrame:
    """The samples' runs as the model itself would have measured them."""
    runs = measured_runs()
    ttft_s, tpot_s = alike(solve(runs_table(runs), k), is_mean(runs))
    return runs.assign(ttft_s=ttft_s, tpot_s=tpot_s)


def test_the_fit_finds_the_parameters_that_made_the_data():
    changes = {
        "weight_bandwidth_frac": 0.7, "kv_bandwidth_frac": 0.6, "kernel_s": 8e-6,
        "sglang.opening_s": 3.0, "vllm.first_token_s": 0.05,
    }  # fmt: skip
    truth = Calibration.fitted().replace(**changes)
    found = fit(made(truth), names=list(changes), start=Calibration.fitted())
    for name, value in changes.items():
        assert truth.value(name) == value
        assert found.value(name) == pytest.approx(value, rel=0.05), name  # the prior pulls a little


def test_held_out_runs_are_predicted_perfectly_when_the_model_is_true():
    undated = dataclasses.replace(Calibration.fitted(), software=Software())
    runs = made(undated)
    table = summary(runs, held_out(runs, names=["kernel_s"], start=undated))
    assert table["p90_frac"].max() < 0.005
    assert table["kendall_tau"].min() > 0.995


def test_held_out_errors_do_see_a_group_that_differs():
    """Slow one accelerator's runs down: left out, it is under-predicted; the rest is not."""
    runs = made(Calibration.fitted())
    slow = runs["accelerator"] == "b200-sxm"
    runs.loc[slow, "tpot_s"] *= 2
    predicted = held_out(runs, "accelerator", names=["kernel_s"], start=Calibration.fitted())
    ratio = predicted["tpot_s"] / runs["tpot_s"]
    assert ratio[slow].median() < 0.65
    with pytest.raises(ValueError, match="unknown split"):
        accuracy_frame("colour")


def test_accuracy_on_the_sample():
    table = accuracy_frame("configuration")
    assert table.loc["tpot_s", "median_frac"] < 0.10
    assert table.loc["tpot_s", "p90_frac"] < 0.30
    assert table.loc["ttft_s", "median_frac"] < 0.35
    assert table.loc["benchmark_mean_ttft_s", "median_frac"] < 0.35
    assert abs(table.loc["tpot_s", "bias_frac"]) < 0.06


def test_the_ladder_descends():
    """On every third configuration; Notebook 03 shows that of all."""
    runs = measured_runs()
    names = configuration(runs)
    table = ladder_frame(runs[names.isin(names.unique()[::3])])
    assert table["rung"].iloc[0] == "datasheet"
    assert table["median_frac"].iloc[0] > 0.5  # the bound explains a third of the time
    assert table["median_frac"].iloc[-1] < 0.25 * table["median_frac"].iloc[0]
    assert table["n_parameters"].iloc[-1] == len(START)
    assert (table["p90_frac"].diff().dropna() < 0.1).all()


def test_kendall_counts_pairs_inside_a_workload_only():
    runs = pd.DataFrame({"model": ["a"] * 5 + ["b"] * 5, "input_tokens": 1, "output_tokens": 1})
    up = pd.Series(np.arange(10.0))
    mixed = pd.Series([0, 1, 2, 3, 4, -1, -2, -3, -4, -5.0])
    assert kendall_within(runs, up, up) == pytest.approx(1)
    assert kendall_within(runs, up, mixed) == pytest.approx(
        0
    )  # one workload in order, the other reversed
    assert np.isnan(kendall_within(runs.iloc[:3], up[:3], up[:3]))


def test_a_bad_run_stops_the_fit():
    runs = sample_runs().iloc[:3].assign(tp=7)
    with pytest.raises(ValueError, match="run 0: "):
        runs_table(runs)


# -- the command ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--write"], "--write needs --runs and --medians"),
        (["--runs", "missing"], "missing: give a .csv file"),
        (["--medians", "missing.csv"], "missing.csv: there is no such file"),
    ],
)
def test_what_is_wrong_with_the_input_is_one_sentence(words, why, capsys):
    with pytest.raises(SystemExit, match="2"):
        calibrate.main(words)
    assert f"error: {why}" in capsys.readouterr().err


def test_tables_are_written_whole_and_read_back(tmp_path, monkeypatch):
    def write(name, rows):
        with monkeypatch.context() as patched:
            patched.setattr(tables, "data_dir", lambda: tmp_path)
            return tables.write_table(name, rows)

    (folder := tmp_path / "latency").mkdir()
    runs = sample_runs().iloc[::6].reset_index(drop=True)
    k = Calibration.fitted()
    rows = calibrate.calibration_rows(k, runs, "2026-11-24")
    path = write("calibration", rows)
    again = read_checked(path, resource("calibration")["schema"]).set_index("name")
    assert again.loc["kernel_s", "value"] == pytest.approx(k.kernel_s, rel=1e-3)
    assert list(folder.iterdir()) == [path]
    with pytest.raises(ValueError, match=r"has no column .'note'"):
        write("calibration", rows.drop(columns="note"))
    assert list(folder.iterdir()) == [path]
    found = k.replace(**{"sglang.first_token_s": 0.2})
    found = dataclasses.replace(
        found, intervals={**found.intervals, "sglang.first_token_s": (0.1, 0.3)}
    )
    path = write("engines", calibrate.engine_rows(found, 99, "2026-12-01"))
    again = read_checked(path, resource("engines")["schema"]).set_index("name")
    names = ["first_token_low_s", "first_token_s", "first_token_high_s", "n_runs", "policy"]
    assert again.loc["sglang", names].tolist() == [0.1, 0.2, 0.3, 99, "prefill_first"]
    assert again.loc["vllm", "first_token_s"] == k.value("vllm.first_token_s")
    path = write("measured_serving", calibrate.sample_rows(runs))
    assert len(read_checked(path, resource("measured_serving")["schema"])) == len(runs)
    path.write_text(path.read_text().replace("measured", "guessed", 1))
    with pytest.raises(BadTable):
        read_checked(path, resource("measured_serving")["schema"])


@pytest.mark.slow
def test_the_report_prints_every_split(monkeypatch, capsys):
    runs = calibrate.measured_runs(None, None)
    few = runs[runs["model"].isin(runs["model"].value_counts().index[:2])].iloc[::6]
    monkeypatch.setattr(calibrate, "measured_runs", lambda *files: few.reset_index(drop=True))
    calibrate.main([])
    out = capsys.readouterr().out
    for line in ("Left out: configuration", "Left out: accelerator", "ladder", "kernel_s"):
        assert line in out


@with_full
@pytest.mark.slow
def test_the_committed_calibration_is_what_the_full_file_gives():
    runs = measured_runs(read_runs(FULL), read_medians(MEDIANS))
    found, kept = fit_dated(runs), Calibration.fitted()
    for name in START:
        low, high = kept.intervals[name]
        near = pytest.approx(kept.value(name), rel=0.02, abs=0.02 * (high - low))
        assert found.value(name) == near, name


@with_full
@pytest.mark.slow
@pytest.mark.parametrize(
    ("split", "median", "p90"),
    [("accelerator", 0.11, 0.30), ("model", 0.11, 0.30)],
)
def test_accuracy_on_the_full_file(split, median, p90):
    """The targets of an unseen accelerator or model."""
    table = accuracy_frame(split, read_runs(FULL))
    assert table.loc["tpot_s", "median_frac"] <= median
    assert table.loc["tpot_s", "p90_frac"] <= p90


@with_full
@pytest.mark.slow
def test_accuracy_on_means_and_medians_alike():
    """The targets of unseen configurations."""
    table = accuracy_frame("configuration", measured_runs(read_runs(FULL), read_medians(MEDIANS)))
    assert table.loc["tpot_s", "median_frac"] <= 0.10
    assert table.loc["tpot_s", "p90_frac"] <= 0.30
    assert table.loc["ttft_s", "median_frac"] <= 0.20
    assert table.loc["ttft_s", "p90_frac"] <= 0.50
    assert table.loc["benchmark_mean_ttft_s", "median_frac"] <= 0.25
    assert table.loc["tpot_s", "kendall_tau"] >= 0.78
    assert table.loc["output_tokens_per_s_per_gpu", "median_frac"] <= 0.10
