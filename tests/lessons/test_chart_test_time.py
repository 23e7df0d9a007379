"""Charts of notebook 05, second half: numbers in words, panels that follow and refuse."""

import pytest

from econ.lessons import chart_test_time as charts
from econ.lessons import scaling_cases, test_time_cases
from econ.scaling.post_training import rl_frame, routes_frame


def test_descriptions_come_from_the_tables():
    pythia = test_time_cases.coverage_frame("pythia-12b-math")
    chart = charts.coverage_chart(pythia, test_time_cases.swe_frame(), guess=90)
    assert "88 % at 10,000" in chart.description
    assert "SWE-bench Lite: 15.9 % at 1, 56 % at 250" in chart.description
    assert "your guess" in str(chart.to_dict())
    words = charts.rl_chart(rl_frame(["qwen3-1.7b-gsm8k", "qwen3-14b-gsm8k"]))
    assert words.title.text == "The smallest, trained: 82 %; the largest, untrained: 78 %"
    frame = test_time_cases.size_frame((1e4, 1e8), 0.25, 1.8e-18, scaling_cases.lesson_price())
    assert "10 thousand problems: 160M" in charts.family_chart(frame).description


def test_a_route_that_cannot_be_served_is_left_out():
    lengths = {"input_tokens": 500, "output_tokens": 300}
    routes = [
        {"route": "small", "model": "llama-3.1-8b", "tp": 1, **lengths},
        {"route": "huge on one chip", "model": "llama-3.1-405b", "tp": 1, **lengths},
    ]
    frame = routes_frame(routes, scaling_cases.lesson_serving(), 1.8e-18)
    words = charts.routes_chart(frame, 1e9).description
    assert "Cost of 1 ways" in words
    assert "huge" not in words


def test_the_attempts_panel_follows_the_verifier():
    panel = charts.attempts_panel()
    before = panel.readout
    panel.set(passed=20.0)
    assert panel.readout != before
    assert "majority vote 41 %" in panel.readout
    panel.set(id="llama-3-70b-instruct-math", found=100, passed=0.0)
    assert "perfect verifier 99 %; this verifier 99 %" in panel.readout
    assert len(panel.static().description) > 200


def test_the_bill_panel_follows_and_its_shares_are_whole():
    panel = charts.bill_panel()
    assert "test-time compute" in panel.readout
    panel.set(thinking=0, attempts=1)
    assert "at last: plain answers" in panel.readout
    panel.set(model="llama-3.1-405b", post=100.0)
    assert not panel.error
    rows = panel._live.rows
    first = sum(r["share"] for r in rows if r["n_requests"] == rows[0]["n_requests"])
    assert first == pytest.approx(1)
    assert len(panel.static().description) > 200
