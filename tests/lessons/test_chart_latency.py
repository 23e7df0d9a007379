"""The panels of notebook 02 follow their controls and say what cannot be."""

import pytest

from econ.lessons import chart_latency


@pytest.mark.parametrize("name", ["anatomy", "memory", "roof"])
def test_panels_follow_their_controls(name):
    panel = getattr(chart_latency, f"{name}_panel")()
    before = panel.readout
    panel.set(model="gpt-oss-120b")
    assert panel.readout != before
    assert len(panel.static().description) > 200


def test_a_model_too_large_is_said_not_drawn():
    panel = chart_latency.anatomy_panel().set(model="deepseek-v3", tp=1)
    assert "does not fit" in panel.readout
    assert panel._live.rows == []
