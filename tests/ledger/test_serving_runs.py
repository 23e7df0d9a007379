"""The simulator against measured runs."""

from __future__ import annotations

from econ.latency.runs import sample_runs
from econ.ledger.serving_runs import gap_frame, simulated_runs_frame


def test_measured_runs_are_met_within_the_stated_gap():
    """A bound just above what docs and reports state, over every pair of the shipped sample."""
    runs = sample_runs()
    compared = simulated_runs_frame(runs[runs["concurrency"] / runs["n_gpu"] <= 32].iloc[::2])
    assert compared.groupby(["model", "accelerator"]).ngroups >= 15
    gaps = gap_frame(compared.assign(all=1), by=["all"]).iloc[0]
    assert gaps.tpot_gap_x < 1.15
    assert gaps.ttft_gap_x < 1.35
    assert gap_frame(compared)["tpot_gap_x"].max() < 1.4
