"""Turns, sessions and finished tasks in cost, energy, bill, plan and decision alike."""

from __future__ import annotations

import pytest

import econ
from econ.plan import agent_cost, plan_sessions
from econ.serving import simulate_sessions
from econ.tokens import Task

S = econ.Scenario.of("qwen3-32b", "h200-sxm", precision="fp8", ttft_s=2.0)


@pytest.fixture(scope="module")
def calls():
    served = simulate_sessions(S, "support", rate_per_s=0.2, n=60)
    s = served.scenario
    return s.with_(task=Task(load="support", n_turns=served.mean_turns,
                             solved_frac=served.solved_frac, review_usd=0.5))  # fmt: skip


def test_a_task_by_hand():
    task = Task(n_turns=8, solved_frac=0.25, review_usd=1.0)
    figures = task.figures(usd=0.5, site_j=100.0, duration_s=3.0)
    assert figures["usd_per_session"] == 4
    assert figures["usd_per_task"] == (4 + 1) * 4  # four attempts, each checked
    assert figures["site_j_per_task"] == 100 * 8 * 4  # a review takes no joules of the site
    assert figures["task_s"] == 3 * 8 * 4
    assert Task(n_turns=2, solved_frac=0.0).figures(usd=1.0)["usd_per_task"] == float("inf")
    for wrong in ({"n_turns": 0.5}, {"n_turns": 2, "solved_frac": 2},
                  {"n_turns": 2, "review_usd": -1}):  # fmt: skip
        with pytest.raises(ValueError, match=list(wrong)[-1]):
            Task(**wrong)


def test_stations_speak_of_tasks_where_the_calls_are_turns(calls):
    task = calls.workload.task
    money, joules = econ.tco.cost(calls, concurrency=8), econ.energy.energy(calls, concurrency=8)
    whole = econ.bill(calls, concurrency=8, n=200)
    attempts = 1 / task.solved_frac
    session_usd = money.usd_per_request * task.n_turns
    assert money.row()["usd_per_task"] == pytest.approx((session_usd + 0.5) * attempts)
    assert whole.row()["usd_per_task"] == pytest.approx(money.row()["usd_per_task"])
    assert whole.row()["site_j_per_task"] == pytest.approx(joules.row()["site_j_per_task"])
    assert whole.row()["task_s"] == pytest.approx(whole.answer_s * task.n_turns * attempts)
    low, high = whole.band("usd_per_task")
    assert 0.5 * attempts < low < whole.row()["usd_per_task"] < high
    for answer in (money, joules, whole):
        assert answer.per_frame()["per"].tolist() == ["turn", "session", "task"]
    table = whole.frame().set_index("quantity")
    assert table.loc["site_j_per_session", "station"] == "energy"
    assert whole.against(econ.bill(S, concurrency=8, n=200))["before"].isna().any()


def test_tables_say_the_same_as_stations(calls):
    frame = econ.sweep(econ.tco.cost, calls, precision=["fp8", "bf16"], concurrency=[8])
    one = econ.tco.cost(calls.with_(precision="bf16"), concurrency=8).row()
    assert frame["usd_per_task"].iloc[1] == pytest.approx(one["usd_per_task"])
    joules = econ.sweep(econ.energy.energy, calls, utilisation_frac=[0.5, 1.0], concurrency=[8])
    assert joules["site_j_per_task"].is_monotonic_decreasing


def test_a_share_that_one_fleet_served_is_no_other_fleets(calls):
    for search in (econ.plan.plan, econ.decide, econ.value.megawatts):
        with pytest.raises(ValueError, match=r"task: .*plan_sessions\(scenario, 'support'\)"):
            search(calls)
    # and with the sessions themselves, or the share kept on purpose, there is an answer
    found = plan_sessions(calls, "support", ["h200-sxm"], ["fp8"], rate_per_s=0.5, n=60, n_shapes=1)
    assert found.scenario.workload.task.load == "support"
    kept = econ.plan.plan(calls.with_(task=None), ["h200-sxm"], ["fp8"], n_refined=0)
    assert len(kept.rows)


def test_the_review_stays_with_the_task():
    cost = agent_cost(S, "support", rate_per_s=0.2, n=60, review_usd=0.5)
    task = cost.scenario.workload.task
    assert task.review_usd == 0.5
    again = task.figures(usd=cost.usd_per_turn, site_j=cost.site_j_per_turn)
    assert again["usd_per_task"] == pytest.approx(cost.usd_per_task)
    assert again["site_j_per_task"] == pytest.approx(cost.site_j_per_task)


def test_single_requests_have_no_task():
    with pytest.raises(ValueError, match=r"econ\.tokens\.Task"):
        econ.tco.cost(S, concurrency=8).per_frame()
    with pytest.raises(ValueError, match="task = 3"):
        S.with_(task=3)


def test_a_task_survives_json(calls):
    assert econ.Scenario.from_json(calls.to_json()) == calls
    assert econ.Scenario.from_json(S.to_json()).workload.task is None
