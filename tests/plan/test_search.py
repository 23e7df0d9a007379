"""Rows of the screen against single predictions, and fleets by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from econ.catalog import accelerators_frame
from econ.latency.prediction import max_batch, predict
from econ.plan import Demand, candidates_frame, concurrency_grid, plan, search_frame, splits_of
from econ.plan.candidates import CONSTRAINTS
from econ.plan.search import KEYS
from tests.plan.cases import FEW, PRICES, QUICK, SCENARIO


def test_a_row_is_what_the_single_prediction_says(screened):
    row = screened[(screened["basis"] == "screened") & (screened["tp"] == 4)].iloc[0]
    w = SCENARIO.workload
    replica = SCENARIO.with_(
        accelerator=row.accelerator, n_gpu=int(row.tp * row.pp), tp=int(row.tp), pp=int(row.pp),
        precision=row.precision,
    )  # fmt: skip
    one = predict(replica, concurrency=float(row.concurrency))
    assert (row.ttft_s, row.tpot_s) == (pytest.approx(one.ttft_s), pytest.approx(one.tpot_s))
    assert (row.tpot_low_s, row.tpot_high_s) == pytest.approx(one.band("tpot_s"))
    rate = row.requests_per_s_per_replica * w.mean_output_tokens / row.n_gpu
    assert rate == pytest.approx(one.output_tokens_per_s_per_gpu)
    assert row.regime == one.regime
    assert row.most_sequences == max_batch(replica)


def test_the_fleet_and_its_cost_by_hand(screened):
    w = SCENARIO.workload
    for row in screened[screened["basis"] == "screened"].sample(20, random_state=0).itertuples():
        n = math.ceil(w.rate_per_s / row.requests_per_s_per_replica)
        assert row.n_replicas == n
        assert row.fleet_gpus == n * row.tp * row.pp * row.dp
        usd_per_s = row.fleet_gpus * PRICES[row.accelerator] / 3600
        per_mtok = usd_per_s / (w.rate_per_s * w.mean_output_tokens) * 1e6
        assert row.cost_usd_per_good_mtok == pytest.approx(per_mtok)
        assert row.cost_low_usd_per_good_mtok <= per_mtok <= row.cost_high_usd_per_good_mtok
        assert row.busy_frac == pytest.approx(w.rate_per_s / n / row.requests_per_s_per_replica)
        assert row.busy_frac <= 1


def test_a_peak_and_spares_enlarge_the_fleet(screened):
    more = plan(SCENARIO, n_refined=0, peak_factor=3.0, n_spare=1, **QUICK).frame()
    keys = [*KEYS, "concurrency"]
    both = screened.merge(more, on=keys, suffixes=("", "_more")).query("basis == 'screened'")
    peak = np.ceil(3 * SCENARIO.workload.rate_per_s / both["requests_per_s_per_replica"]) + 1
    assert (both["n_replicas_more"] == peak).all()
    assert (both["cost_usd_per_good_mtok_more"] > both["cost_usd_per_good_mtok"]).all()


def test_every_loser_names_its_constraint(screened):
    lost = screened[screened["basis"] == "rejected"]
    assert (lost["reason"] != "").all()
    assert set(lost["constraint"]) <= set(CONSTRAINTS)
    assert set(lost["constraint"]) >= {"precision", "memory", "split", "kv cache", "ttft", "tpot"}
    late = lost[lost["constraint"] == "ttft"]
    assert (late["ttft_s"] > SCENARIO.slo.ttft_s).all()
    slow = lost[lost["constraint"] == "tpot"]
    assert (slow["tpot_s"] > SCENARIO.slo.tpot_s).all()
    assert (slow["ttft_s"] <= SCENARIO.slo.ttft_s).all()
    kept = screened[screened["basis"] == "screened"]
    assert (kept["ttft_s"] <= SCENARIO.slo.ttft_s).all()
    assert (kept["tpot_s"] <= SCENARIO.slo.tpot_s).all()
    counts = plan(SCENARIO, n_refined=0, **QUICK).constraints()
    assert (
        counts["n_deployments"].sum()
        == len(screened)
        == 4 * 2 * len(splits_of("llama-3.1-70b")) * 4
    )


def test_a_prefix_cache_saves_reading(screened):
    cached = plan(SCENARIO.with_(cached_frac=0.8), n_refined=0, **QUICK).frame()
    keys = [*KEYS, "concurrency"]
    both = screened.merge(cached, on=keys, suffixes=("", "_c")).dropna(subset=["ttft_s"])
    assert (both["ttft_s_c"] < both["ttft_s"]).all()
    assert (both["tpot_s_c"] <= both["tpot_s"] * (1 + 1e-12)).all()


def test_a_batch_limit_ends_the_search():
    rows = plan(SCENARIO.with_(max_batch=8), ["h100-sxm"], **FEW).rows
    assert rows.loc[rows["concurrency"] == 32, "constraint"].tolist() == ["max batch"]
    assert rows.loc[rows["concurrency"] == 32, "reason"].iloc[0] == (
        "32 sequences at a time, max_batch is 8"
    )


def test_a_hundred_thousand_deployments_are_looked_at():
    names = accelerators_frame()["id"].tolist()
    rows = candidates_frame(SCENARIO, names, ["bf16", "fp8", "fp4", "int4"],
                            prices_usd_per_gpu_hour=dict.fromkeys(names, 2.0))  # fmt: skip
    assert len(search_frame(rows, concurrency_grid(1024, 8), Demand(SCENARIO))) >= 100_000


def test_utilisation_prices_the_hours_without_load():
    half = plan(SCENARIO.with_(utilisation_frac=0.5), ["h100-sxm"], **FEW)
    whole = plan(SCENARIO, ["h100-sxm"], **FEW)
    assert half.cost_usd_per_good_mtok == pytest.approx(2 * whole.cost_usd_per_good_mtok)
    assert half.best["usd_per_hour"] == whole.best["usd_per_hour"]
    assert half.best["site_energy_j_per_token"] > whole.best["site_energy_j_per_token"]
