"""Fleets of sessions: the smallest that keeps the SLO, by simulation."""

from __future__ import annotations

import pytest

from econ.plan import plan_sessions
from econ.plan.session_fleets import draws_of, smallest
from econ.scenario import Scenario
from econ.serving import simulate_sessions
from econ.terms import Slo

S = Scenario.of(
    "qwen3-32b", "h200-sxm", precision="fp8", slo=Slo(ttft_s=1.0, tpot_s=0.02, attainment_frac=0.9)
)
RATE, N = 6.0, 300


@pytest.fixture(scope="module")
def found():
    return plan_sessions(S, "support", ["h200-sxm"], ["fp8"], [(1, 1, 1, 1)], rate_per_s=RATE, n=N,
                         routings=("prefix_aware", "random"), price="gpt-4o-mini")  # fmt: skip


def test_the_best_keeps_the_slo_on_each_draw_and_one_replica_less_does_not(found):
    best = found.best
    draws, _ = draws_of("support", RATE, N, 0)
    n, per = int(best["n_replicas"]), int(best["n_gpu"])
    one = found.scenario.with_(n_gpu=per)
    tiers = () if best["tiers"] == "none" else tuple(best["tiers"].split(" + "))
    fleet = {"tiers": tiers, "routing": best["routing"]}
    kept = [
        [simulate_sessions(one.with_(n_gpu=k * per), d, **fleet).meets_slo for d in draws]
        for k in (n, n - 1)
    ]
    assert n > 1
    assert all(kept[0])
    assert not all(kept[1])


def test_rows_are_in_the_order_of_cost_and_the_hit_share_depends_on_the_fleet(found):
    usd = found.rows["usd_per_task"].dropna()
    assert usd.is_monotonic_increasing
    by_rule = found.rows.set_index("routing")["reason"]
    assert (by_rule["prefix_aware"] == "").all()
    # sent anywhere, too many turns meet a replica that does not know them, however many there are
    assert by_rule["random"].str.contains("more replicas do not help").all()
    assert found.usd_per_task == usd.min()
    assert found.scenario.workload.cached_frac == found.best["hit_frac"]
    assert found.best["cheaper"] in ("own", "api")
    assert found.best["api_usd_per_task"] > found.best["api_usd_per_session"] > 0
    low, high = found.band("usd_per_task")
    assert low < found.usd_per_task < high
    assert found.row()["usd_per_task"] == found.usd_per_task


def test_more_sessions_never_need_fewer_replicas(found):
    shape = found.scenario.with_(n_gpu=int(found.best["n_gpu"]))
    sizes = [smallest(shape, draws_of("support", rate, N, 0)[0])[0] for rate in (1.0, RATE, 12.0)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


def test_what_no_fleet_can_keep_says_why():
    strict = S.with_(tpot_s=1e-4)
    answer = plan_sessions(strict, "support", ["h200-sxm"], ["fp8"], [(1, 1, 1, 1)], rate_per_s=1.0,
                           n=20)  # fmt: skip
    assert "reason" in answer.row()
    with pytest.raises(ValueError, match="SLO"):
        _ = answer.best
    with pytest.raises(ValueError, match=r"turn \d+: .* reads"):
        plan_sessions(S, "coding-agent", ["h200-sxm"], rate_per_s=0.01, n=20)
