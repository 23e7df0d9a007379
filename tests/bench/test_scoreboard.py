"""The scoreboard's arithmetic on a fixture that a reader can do by hand; no peer and no network."""

import numpy as np
import pandas as pd
import pytest

from bench.scoreboard.adapters.asking import by_little
from bench.scoreboard.board import (
    METRICS,
    _medians,
    best_setting,
    board,
    difference_interval,
    verdict,
)
from bench.scoreboard.peers import NOT_ASKED, PEERS, answers_frame, version
from bench.scoreboard.rows import REFERENCE
from econ.catalog import table

RUNS = pd.Index(["a1", "a2", "a3", "b1", "b2"])
CLUSTERS = pd.Series(["a", "a", "a", "b", "b"], index=RUNS)
TRUTH = pd.DataFrame({name: [0.010, 0.020, 0.040, 0.050, 0.080] for name in METRICS}, index=RUNS)


def predicted(*factors: float) -> pd.DataFrame:
    """The truth times a factor, run by run."""
    return TRUTH.mul(list(factors), axis=0)


OURS = predicted(1.1, 0.9, 1.1, 1.2, 0.8)  # errors 10, 10, 10, 20, 20 %
THEIRS = predicted(1.3, 0.7, np.nan, 1.1, 0.9)  # errors 30, 30, none, 10, 10 %
PARTS = {"accelerator": pd.Series(["h", "h", "h", "b", "b"], index=RUNS)}


def scored(theirs: pd.DataFrame) -> pd.DataFrame:
    """The rows of the peer for one metric, by group."""
    tools = {REFERENCE: OURS, "peer": theirs}
    rows = board(TRUTH, tools, PARTS, CLUSTERS, REFERENCE)
    return rows[(rows["metric"] == "tpot_s") & (rows["tool"] == "peer")].set_index("group")


def test_a_comparison_counts_the_runs_that_both_answered():
    rows = scored(THEIRS)
    every = rows.loc["all"]
    assert (every["n_rows"], every["n_answered"]) == (5, 4)
    # theirs 30, 30, 10, 10 → 20 %; ours on the same four 10, 10, 20, 20 → 15 %
    assert every["median_error_frac"] == pytest.approx(0.20)
    assert every["paired_reference_error_frac"] == pytest.approx(0.15)
    assert every["difference_frac"] == pytest.approx(0.05)
    assert every["closer_frac"] == 0.5
    assert rows.loc["h", "difference_frac"] == pytest.approx(0.20)
    assert rows.loc["b", "difference_frac"] == pytest.approx(-0.10)


def test_answers_in_another_order_than_the_runs_are_refused():
    with pytest.raises(ValueError, match="same runs"):
        scored(THEIRS.iloc[::-1])


def test_a_shuffled_pairing_would_change_the_summary():
    moved = THEIRS.iloc[[1, 2, 3, 4, 0]].set_axis(RUNS)
    assert scored(moved).loc["all", "difference_frac"] != pytest.approx(0.05)


def test_the_interval_draws_whole_configurations():
    off = pd.Series([0.3, 0.3, np.nan, 0.1, 0.1], index=RUNS)
    ours = pd.Series([0.1, 0.1, 0.1, 0.2, 0.2], index=RUNS)
    middle, low, high = difference_interval(off, ours, CLUSTERS)
    # a drawn twice: +20 points; b drawn twice: −10; one of each: +5. Nothing else can come.
    assert (round(middle, 6), round(low, 6), round(high, 6)) == (0.05, -0.1, 0.2)
    drawn = [np.repeat(ours, 2), np.repeat(off.dropna(), 3)]
    for values in drawn:  # a median of counts is the median of what was drawn
        once, times = np.unique(values, return_counts=True)
        assert _medians(once, times[None, :])[0] == np.median(values)
    alone = difference_interval(off[:2], ours[:2], CLUSTERS)
    assert np.isnan(alone[1])  # one configuration tells no interval


def test_verdict_names_the_better_side():
    def of(**values: object) -> str:
        row = {"tool": "peer", "n_answered": 4, "difference_low_frac": -0.2,
               "difference_high_frac": -0.1}  # fmt: skip
        return verdict(pd.Series(row | values), REFERENCE)

    assert of() == "better"
    assert of(difference_high_frac=0.1) == "not told apart"
    assert of(difference_low_frac=np.nan, difference_high_frac=np.nan) == "not told apart"
    assert of(difference_low_frac=0.1, difference_high_frac=0.2) == "worse"
    assert of(n_answered=0) == "no answer"
    assert of(tool=REFERENCE) == "reference"


def test_the_setting_that_answers_more_then_errs_less_counts():
    full = predicted(1.3, 0.7, 1.3, 1.1, 0.9)
    assert best_setting({"few": THEIRS, "all": full}, TRUTH) == "all"
    assert best_setting({"wide": full, "near": OURS}, TRUTH) == "near"


def test_failures_are_counted_and_answers_keep_their_places():
    fine = {"ttft_s": 0.1, "tpot_s": 0.01, "output_tokens_per_s_per_gpu": 50.0}
    frame = answers_frame([fine, {"error": "no"}, fine, fine, fine], TRUTH)
    assert frame["tpot_s"].notna().tolist() == [True, False, True, True, True]
    assert frame["benchmark_mean_ttft_s"].equals(frame["ttft_s"].rename("benchmark_mean_ttft_s"))
    assert frame.loc["a2", "error"] == "no"
    with pytest.raises(ValueError, match="4 answers to 5"):
        answers_frame([fine] * 4, TRUTH)


def test_throughput_follows_from_the_times_as_for_the_measured_runs():
    row = {"output_tokens": 101, "concurrency": 8, "n_gpu": 2}
    found = by_little(row, ttft_s=0.5, tpot_s=0.015)
    assert found["output_tokens_per_s_per_gpu"] == pytest.approx(8 * 101 / 2.0 / 2)


def test_the_stored_board_is_of_the_pinned_versions_and_complete():
    tools = table("scoreboard_tools").set_index("tool")
    for peer in PEERS:
        assert tools.loc[peer.name, "version"] == version(peer)
        assert peer.name not in NOT_ASKED
    rows = table("scoreboard").reset_index(drop=True)
    every = rows[rows["part"] == "all"]
    assert set(every["tool"]) == set(tools.index)
    for part in ("accelerator", "engine", "model", "half-year"):
        one = rows[(rows["part"] == part) & (rows["metric"] == "tpot_s")]
        whole = every[every["metric"] == "tpot_s"].set_index("tool")
        counts = ["n_rows", "n_answered"]
        sums = one.groupby("tool")[counts].sum().loc[whole.index]
        assert (sums == whole[counts]).all(axis=None), part
    pairs = rows.dropna(subset=["difference_low_frac"])
    assert (pairs["difference_low_frac"] <= pairs["difference_high_frac"]).all()
    # small groups: resampled medians need not surround the median of all, so only the whole is held
    whole = every.dropna(subset=["difference_low_frac"])
    inside = whole["difference_frac"].between(
        whole["difference_low_frac"], whole["difference_high_frac"]
    )
    assert inside.all()
