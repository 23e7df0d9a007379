"""The plan as a result: best, fewest, bands, scenario."""

from __future__ import annotations

import dataclasses

import pytest

from econ.catalog.ranges import Range
from econ.plan import plan
from econ.plan.optimum import Proof
from econ.scenario import Scenario
from econ.sweeps import sweep
from econ.uncertainty import uncertain
from tests.plan.cases import PRICES, QUICK, SCENARIO


def test_an_slo_nobody_meets_says_what_stands_in_the_way():
    hard = SCENARIO.with_(ttft_s=1e-3, tpot_s=1e-4)
    lost = plan(hard, n_refined=2, **QUICK)
    assert set(lost.rows["basis"]) == {"rejected"}
    for ask in (lambda: lost.best, lost.scenario):
        with pytest.raises(ValueError, match=r"none of 1?[\d,]+ deployments meets the SLO.*ttft"):
            ask()
    tails = SCENARIO.with_(ttft_s=0.25, tpot_s=0.05, attainment_frac=1.0)
    some = plan(tails, n_refined=1, n=1000, policies=["prefill_first"], **QUICK).frame()
    bad = some[(some["policy"] == "prefill_first") & (some["basis"] == "rejected")]
    assert bad["reason"].str.contains("meet the SLO for").all()


def test_a_plan_is_a_result_with_bands(answer):
    assert answer.row()["cost_usd_per_good_mtok"] == answer.cost_usd_per_good_mtok
    low, high = answer.band("cost_usd_per_good_mtok")
    assert low <= answer.cost_usd_per_good_mtok <= high
    assert answer.band("ttft_s") == (answer.best["ttft_low_s"], answer.best["ttft_high_s"])
    assert answer.regime == answer.best["regime"]
    assert plan.headline == "cost_usd_per_good_mtok"
    with pytest.raises(ValueError, match="unknown metric with a band 'price'"):
        answer.band("price")
    with pytest.raises(ValueError, match=r"coverage_frac = 0\.5"):
        answer.band("ttft_s", 0.5)


def test_the_plan_becomes_a_scenario(answer):
    best, made = answer.best, answer.scenario()
    assert made.deployment.n_gpu == best["fleet_gpus"]
    assert made.deployment.max_batch == best["concurrency"]
    assert made.finance.cost_usd_per_gpu_hour == PRICES[best["accelerator"]]
    assert Scenario.from_json(made.to_json()) == made


def test_mixtures_with_attention_replicas_come_as_whole_fleets():
    load = {"rate_per_s": 60.0, "ttft_s": 3.0, "tpot_s": 0.1}
    base = Scenario.of("deepseek-v3", "gb200-nvl72", tp=2, dp=8, ep=16, precision="fp8", **load)
    answer = plan(base, ["gb200-nvl72"], ["fp8"], [(2, 1, 16, 8)], n_refined=1, n=400,
                  concurrencies=[64])  # fmt: skip
    best, made = answer.best, answer.scenario()
    assert best["n_replicas"] > 1
    assert (made.deployment.tp, made.deployment.dp, made.deployment.ep) == (2, 8, 16)
    assert made.deployment.n_gpu == best["fleet_gpus"] == 16 * best["n_replicas"]
    assert made.n_replicas == best["n_replicas"]
    assert made.workload == base.workload


def test_the_frontier_in_the_plan(screened):
    kept = screened[screened["basis"] == "screened"]
    edge = kept[kept["on_frontier"]]
    assert len(edge) >= 3
    assert kept["cost_usd_per_good_mtok"].min() == edge["cost_usd_per_good_mtok"].min()
    assert kept["tokens_per_s_per_user"].max() == edge["tokens_per_s_per_user"].max()


def test_frontiers_fall_to_the_left(answer):
    for _, rows in answer.frontiers().groupby("accelerator"):
        assert rows["tokens_per_s_per_user"].is_monotonic_increasing
        assert rows["cost_usd_per_good_mtok"].is_monotonic_increasing
    lost = answer.screen[answer.screen["constraint"] != ""]
    none = dataclasses.replace(answer, screen=lost, evidence=Proof(lost[:0]))
    assert none.frontiers().empty


def test_a_plan_is_swept_and_asked_under_uncertainty():
    few = {"n_refined": 0, "accelerators": [["h100-sxm"]], "precisions": [["fp8"]],
           "concurrencies": [[8, 32]]}  # fmt: skip
    table = sweep(plan, SCENARIO, rate_per_s=[2.0, 40.0], tpot_s=[0.001, 0.05], **few)
    assert table["reason"].str.contains("meets the SLO").tolist() == [True, False, True, False]
    assert table["fleet_gpus"].iloc[3] > table["fleet_gpus"].iloc[1]
    use = SCENARIO.with_(utilisation_frac=Range(0.3, 0.5, 0.9))
    one = {name: value[0] if isinstance(value, list) else value for name, value in few.items()}
    interval = uncertain(plan, use, n=8, **one).interval
    sure = plan(SCENARIO, **one).cost_usd_per_good_mtok
    assert sure / 0.9 < interval.low < interval.high < sure / 0.3
