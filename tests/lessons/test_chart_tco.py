"""The panels of notebook 07 follow their controls, answer fast, and say what cannot be."""

import pytest

from econ.lessons import chart_stack, chart_tco, tco_choice, tco_stack
from econ.scenario import Scenario
from econ.terms import Slo

CASE = Scenario.default()
PANELS = {
    "bill": (lambda: chart_tco.bill_panel(CASE), {"peak": 1.2}),
    "surface": (lambda: chart_tco.surface_panel(CASE, 1.8), {"rate": 5}),
    "explorer": (lambda: chart_tco.explorer_panel(CASE, 1.8), {"api_usd": 0.2}),
}


@pytest.mark.parametrize("name", PANELS)
def test_panels_follow_their_controls(name):
    make, values = PANELS[name]
    panel = make()
    before = panel.readout
    panel.set(**values)
    assert panel.error == ""
    assert panel.readout != before
    assert len(panel.static().description) > 200


def test_a_promise_nobody_keeps_is_said_not_drawn():
    strict = CASE.with_(slo=Slo(ttft_s=1e-5, tpot_s=1e-5))
    with pytest.raises(ValueError, match="no token is good"):
        chart_tco.bill_panel(strict)
    panel = chart_tco.bill_panel(CASE).set(mean_per_s=1)
    assert "whole servers" in panel.readout


def test_a_map_without_a_good_token_has_words():
    panel = chart_tco.surface_panel(CASE, 1.8).set(rate=12)
    assert "cannot be kept at any price" in panel.readout


def test_a_stale_price_is_written_on_the_chart():
    seller = tco_choice.seller()
    frame = tco_stack.who_frame(CASE, seller.price)
    fresh, stale = (
        chart_stack.who_chart(frame, seller, on=day).title.subtitle
        for day in (tco_choice.DAY, "2030-01-01")
    )
    assert "checked again" not in fresh
    assert f"checked again after {seller.stale_after}" in stale
