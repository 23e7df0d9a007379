"""Sweeps: the same rows on one core, several, and a dask cluster; common random numbers."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from econ.serving.goodput import at_rate, serve, summary
from econ.serving.rate_sweep import sweep_frame
from econ.serving.simulation import Replica, StepCost
from econ.terms import Slo
from econ.tokens.workloads import workload

SLO = Slo(ttft_s=0.5, tpot_s=0.05)
SLOW = Replica(cost=StepCost.affine(8e-3, 45e-6, per_ctx_token_s=45e-9), kv_tokens=200_000)
FAST = SLOW.replace(cost=StepCost.affine(6e-3, 45e-6, per_ctx_token_s=45e-9))
CALL = {"seeds": range(4), "n": 300, "engine": "python", "progress": False}


def swept(**more) -> pd.DataFrame:
    return sweep_frame(
        workload("chat"), {"slow": SLOW, "fast": FAST}, [3.0, 6.0], SLO, **CALL, **more
    )


def test_each_row_is_its_own_simulation():
    frame = swept()
    assert len(frame) == 2 * 2 * 4
    row = frame.query("configuration == 'fast' and rate_per_s == 6.0 and seed == 2").iloc[0]
    alone = summary(serve(at_rate(workload("chat"), 6.0, 300, 2), FAST, "python"), SLO)
    for name, value in alone.items():
        assert row[name] == value, name


@pytest.mark.slow
def test_workers_give_the_same_rows():
    pd.testing.assert_frame_equal(swept(), swept(n_jobs=2))


def test_common_random_numbers_narrow_a_difference():
    frame = swept().query("rate_per_s == 3.0")
    slow, fast = (
        frame.query("configuration == @name")["p50_tpot_s"].to_numpy() for name in ("slow", "fast")
    )
    assert (slow - fast).var() < 0.5 * (slow.var() + fast.var())


def test_progress_counts_every_simulation(capfd):
    sweep_frame(workload("chat"), {"fast": FAST}, [1.0], SLO, seeds=range(12), n=20)
    assert "12/12" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the cluster's own chatter is not under test
def test_a_dask_cluster_gives_the_same_rows():
    distributed = pytest.importorskip("distributed")
    joblib = pytest.importorskip("joblib")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster),
            joblib.parallel_config(backend="dask"),
        ):
            there = swept()
    pd.testing.assert_frame_equal(swept(), there)


def test_numbers_of_requests_are_checked():
    with pytest.raises(ValueError, match="n = 0"):
        sweep_frame(workload("chat"), {"fast": FAST}, [1.0], SLO, n=0, progress=False)
    assert np.isfinite(swept()["good_frac"]).all()
