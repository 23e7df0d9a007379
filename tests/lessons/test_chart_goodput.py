"""The panels of notebook 03 follow their controls and say how much they simulate."""

import re

import pytest

from econ.lessons import chart_goodput, chart_serving, goodput_cases
from econ.serving import engine, warm_up

PANELS = {
    "load": (chart_goodput.load_panel, {"rate": 11}),
    "policies": (chart_serving.policies_panel, {"limit": 50}),
    "cost": (chart_serving.cost_panel, {"rate": 11}),
}


@pytest.fixture(autouse=True, scope="module")
def _warm():
    warm_up()


@pytest.mark.parametrize("name", PANELS)
def test_panels_follow_their_controls(name):
    build, move = PANELS[name]
    panel = build()
    before, spec, rows = panel.readout, panel._live.spec, panel._live.rows
    panel.set(**move)
    assert panel.readout != before
    assert panel._live.rows != rows
    assert panel._live.spec is spec  # rows and title move in place; nothing is drawn anew
    assert len(panel.static().description) > 200


def test_without_numba_the_panel_says_so(monkeypatch):
    monkeypatch.setattr(engine, "_is_compiled", False)
    monkeypatch.setattr(engine, "available", lambda: False)
    panel = chart_goodput.load_panel()
    assert "1,000 requests" in panel.readout
    assert "Without numba" in panel.readout
    assert f"{goodput_cases.LIVE_REQUESTS_WITHOUT_NUMBA:,} simulated requests" in str(
        panel._live.spec
    )


def test_more_load_is_fewer_good_and_an_overload_is_named():
    panel = chart_goodput.load_panel()
    shares = []
    for rate in (4, 9, 14):
        panel.set(rate=rate)
        shares.append(float(re.search(r"([\d.]+)% are good", panel.readout)[1]))
    assert shares == sorted(shares, reverse=True)
    assert "the queue grows" in panel.readout


def test_a_price_without_a_good_token_is_said():
    panel = chart_serving.cost_panel().set(rate=14, burst=4)
    assert "no token is good" in panel.readout
    assert any(row["cost"] is None for row in panel._live.rows)


def test_the_knee_marks_the_guess():
    case, _ = goodput_cases.default_case()
    frame = goodput_cases.knee_frame(case, [4.0, 8.0, 12.0], n=500)
    bare = chart_goodput.knee_chart(frame)
    marked = chart_goodput.knee_chart(frame, guess=6.0)
    assert len(marked.layer) == len(bare.layer) + 2
    assert "fall to" in bare.description
