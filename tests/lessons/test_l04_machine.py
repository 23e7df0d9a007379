"""Lesson 04: the recorded machine stands in, and its charts say what its numbers say."""

import dataclasses

import pandas as pd
import pytest

from econ import machine as lab
from econ.lessons import l04_machine as lesson


@pytest.fixture(scope="module")
def recorded():
    return lab.recorded()


def test_in_committed_outputs_the_recorded_machine_stands_in(recorded, monkeypatch, capsys):
    monkeypatch.setenv("ECON_STATIC", "1")
    machine = lesson.your_machine()
    assert machine.is_recorded
    assert "recorded machine" in capsys.readouterr().out
    assert lesson.your_batches(machine).equals(recorded.runs)
    assert lesson.your_service(machine, recorded.runs) is recorded
    assert lesson.your_threads(machine)["n_threads"].tolist() == [1, 2, 4, 8]


@pytest.mark.parametrize("anyway", [False, True])
def test_a_busy_computer_is_said_and_left_to_the_learner(recorded, monkeypatch, capsys, anyway):
    monkeypatch.delenv("ECON_STATIC", raising=False)
    own = dataclasses.replace(recorded.machine, is_recorded=False, reasons=("It is busy.",))
    monkeypatch.setattr(lesson.lab, "measure", lambda power_w: own)
    machine = lesson.your_machine(anyway=anyway)
    said = capsys.readouterr().out
    assert "It is busy." in said
    assert machine.is_recorded is not anyway
    assert ("goes on with the recorded machine" in said) is not anyway


def test_what_is_measured_goes_to_the_lab(recorded, monkeypatch):
    own = dataclasses.replace(recorded.machine, is_recorded=False)
    monkeypatch.setattr(lesson, "MODEL_PARAMS", 1e6)
    monkeypatch.setattr(lesson.lab, "runs_frame", lambda model: model.shape.id)
    monkeypatch.setattr(lesson.lab, "record", lambda machine, **more: (machine, more))
    monkeypatch.setattr(lesson.lab, "threads_frame", lambda numbers: numbers)
    assert lesson.your_batches(own).startswith("tiny-")
    runs = pd.DataFrame({"batch": [1]})
    assert lesson.your_service(own, runs) == (own, {"n_params": 1e6, "runs": runs})
    assert lesson.your_threads(own) == [1, 2, 4, 8]


def test_the_knee_is_simulated_on_the_requests_that_were_served(recorded):
    frame = lesson.knee_frame(recorded)
    curve = frame[frame["source"] == "simulated"].set_index("rate_per_s")["p95_ttft_s"]
    points = frame[frame["source"] == "measured"].set_index("rate_per_s")["p95_ttft_s"]
    assert len(points) == 3
    for rate, measured_s in points.items():
        nearest = curve.iloc[abs(curve.index - rate).argmin()]
        assert nearest / measured_s == pytest.approx(1, rel=0.35)
    assert "3 points" in lesson.knee_chart(frame).description


def test_goodput_is_counted_and_simulated_under_the_same_limits(recorded):
    loose = lesson.goodput_frame(recorded, ttft_factor=1e3, tpot_factor=1e3)
    assert (loose[["good_frac", "simulated_good_frac"]] == 1).all().all()
    tight = lesson.goodput_frame(recorded, ttft_factor=2, tpot_factor=1.5)
    assert tight["load"].tolist() == ["50%", "80%", "110%"]
    assert tight["good_frac"].is_monotonic_decreasing
    assert (abs(tight["good_frac"] - tight["simulated_good_frac"]) < 0.35).all()


def test_the_panel_says_what_a_token_costs():
    panel = lesson.cost_panel(5.0)
    own = lab.own_cost(5.0, price_usd=0, power_w=60, electricity_usd_per_kwh=0.25).usd_per_mtok
    panel.set(price_usd=0)
    assert f"{own / lesson.api_usd_per_mtok():,.0f} times" in panel.readout


def test_a_class_of_two_is_one_chart(recorded, tmp_path):
    for name in ("ada", "grace"):
        recorded.save(tmp_path / f"{name}.json")
    chart = lesson.pool_chart(lab.pool_frame(tmp_path))
    assert "on 2 computers" in chart.description
