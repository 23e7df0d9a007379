"""The course's bill: each step replaces lines that the stations compute, and no others."""

import pytest

from econ import energy, latency
from econ.lessons import running_bill, service_bill
from econ.scenario import Scenario

BASE = Scenario.default()
LINES = {
    "03": {"time to first token", "time per output token", "whole answer", "energy of an answer",
           "cost of an answer", "cost of a million output tokens"},
    "05": {"cost of an answer", "cost of a million output tokens"},
    "07": {"energy of an answer"},
    "11": {"cost of an answer", "cost of a million output tokens"},
    "12": {"time to first token", "time per output token", "whole answer", "energy of an answer",
           "cost of an answer", "cost of a million output tokens"},
    "14": {"worth of an answer", "profit of an answer"},
}  # fmt: skip


@pytest.mark.parametrize("lesson", LINES)
def test_a_lesson_replaces_its_lines_and_starts_where_the_one_before_ended(lesson):
    step = service_bill(lesson).frame.set_index("line")
    changed = step.index[~(step["after"] / step["before"]).between(1 - 1e-9, 1 + 1e-9)]
    assert set(changed) == LINES[lesson]
    numbers = list(running_bill.STEPS)
    last = service_bill(numbers[numbers.index(lesson) - 1]).frame.set_index("line")
    assert step["before"].dropna().tolist() == last.iloc[:, -2].tolist()


def test_the_lines_are_those_of_the_stations():
    one = latency.predict(BASE, concurrency=64)
    lines = service_bill("03").frame.set_index("line")["after"]
    assert lines["time per output token"] == pytest.approx(1e3 * one.tpot_s)
    usd = 4 * BASE.cost_usd_per_gpu_hour / 3600 * lines["whole answer"] / 64
    assert lines["cost of an answer"] == pytest.approx(usd, rel=0.01)  # by the mean TTFT
    loaded = service_bill("05").frame.set_index("line")["after"]
    share = BASE.workload.rate_per_s * lines["whole answer"] / 64
    assert loaded["cost of an answer"] == pytest.approx(usd / share, rel=0.01)
    law = energy.energy(BASE, concurrency=64).j_per_output_token * BASE.workload.mean_output_tokens
    assert law < lines["energy of an answer"]  # no more than TDP times the time


def test_the_decision_pays_for_its_machines_and_staff_and_an_answer_earns_what_is_left():
    lines = service_bill("14").frame.set_index("line")["after"]
    decision = running_bill._decision()
    rent = decision.best_of("rent")
    answers_per_day = BASE.workload.rate_per_s * 86_400
    assert lines["cost of an answer"] * answers_per_day == pytest.approx(rent.usd_per_day)
    assert rent.parts["staff"] > 0
    per_mtok = lines["cost of an answer"] / BASE.workload.mean_output_tokens * 1e6
    assert lines["cost of a million output tokens"] == pytest.approx(per_mtok)
    left = lines["worth of an answer"] - lines["cost of an answer"]
    assert lines["profit of an answer"] == pytest.approx(left)
    assert 0 < lines["worth of an answer"] < 0.002  # not all are right


def test_a_lesson_without_a_line_is_refused_by_name():
    with pytest.raises(ValueError, match="nearest"):
        service_bill("3")
