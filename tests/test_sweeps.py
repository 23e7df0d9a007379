"""Sweeps that leave files behind, on this machine and on a cluster."""

from __future__ import annotations

import pandas as pd
import pytest
from joblib import effective_n_jobs

from econ.cli import main
from econ.latency import predict
from econ.plan import plan
from econ.scenario import Scenario
from econ.serving import simulate
from econ.sweeps import on_cluster, sweep, sweep_to
from tests.plan.cases import QUICK, SCENARIO

GRID = {"accelerator": ["h100-sxm", "l4"], "tp": [2, 4], "concurrency": range(1, 40)}


def test_the_files_hold_what_a_sweep_gives(tmp_path):
    whole = sweep(predict, SCENARIO, **GRID)
    assert (whole["reason"] != "").any()
    folder = sweep_to(tmp_path / "grid", predict, SCENARIO, n_points_per_file=50, **GRID)
    assert len(list(folder.iterdir())) == 4
    read = pd.read_parquet(folder)
    pd.testing.assert_frame_equal(read, whole, check_dtype=False, check_categorical=False)


def test_workers_are_counted_as_joblib_counts_them():
    alone = sweep(predict, SCENARIO, concurrency=[1, 2], n_jobs=-effective_n_jobs(-1))  # one
    pd.testing.assert_frame_equal(alone, sweep(predict, SCENARIO, concurrency=[1, 2]))


def test_a_folder_that_is_there_is_left_alone_and_nothing_is_half_written(tmp_path):
    (tmp_path / "grid").mkdir()
    with pytest.raises(FileExistsError, match="left as it is"):
        sweep_to(tmp_path / "grid", predict, SCENARIO, concurrency=[1])

    def fails(s, *, concurrency):
        if concurrency == 3:
            raise RuntimeError("a bug")
        return 1.0

    with pytest.raises(RuntimeError, match="a bug"):
        sweep_to(tmp_path / "new", fails, SCENARIO, concurrency=[1, 2, 3], n_points_per_file=1)
    assert [path.name for path in tmp_path.iterdir()] == ["grid"]
    with pytest.raises(ValueError, match="n_points_per_file = 0"):
        sweep_to(tmp_path / "new", predict, SCENARIO, concurrency=[1], n_points_per_file=0)


def test_a_cluster_that_does_not_answer_is_named(capsys):
    pytest.importorskip("distributed")
    assert main(["plan", "--cluster", "nowhere"]) == 2
    assert "cluster 'nowhere': no scheduler answers" in capsys.readouterr().err
    with on_cluster(None):
        assert len(sweep(predict, SCENARIO, concurrency=[1, 2])) == 2


@pytest.mark.slow
def test_two_workers_give_the_same_plan_and_the_same_files(tmp_path):
    distributed = pytest.importorskip("distributed")
    settings = {"n_refined": 2, "n": 300, "parallelism": [(4, 1, 1, 1)], **QUICK}
    loads = {"rate_per_s": [1.0, 2.0, 4.0], "seed": range(4), "n": 200}
    one, alone = plan(SCENARIO, **settings), sweep(simulate, Scenario.default(), **loads)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=False
        ) as cluster,
        on_cluster(cluster.scheduler_address),
    ):
        two = plan(SCENARIO, **settings)
        folder = sweep_to(tmp_path / "loads", simulate, Scenario.default(), n_points_per_file=5,
                          **loads)  # fmt: skip
    pd.testing.assert_frame_equal(one.frame(), two.frame())
    pd.testing.assert_frame_equal(pd.read_parquet(folder), alone, check_dtype=False)
