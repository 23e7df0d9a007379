"""Charts of notebook 05, first half: numbers in words, panels that follow and refuse."""

import pytest

from econ.lessons import chart_scaling as charts
from econ.lessons import scaling_cases as cases
from econ.scaling.fit import loss_points
from econ.scaling.optimal import fit_law


def test_descriptions_come_from_the_tables():
    runs = loss_points("gadre-c4")
    fit = fit_law(runs, n_bootstrap=20)
    words = charts.fitted_chart(cases.fitted_frame(runs, fit.law)).description
    assert words.startswith("34 runs of 6 sizes from 10.6 million to 6.89 billion")
    asked = cases.recommended_frame(fit, 1e21)
    assert "20 resamples: at 1e+21 FLOP" in charts.recommended_chart(asked, 1e21).description
    frame = cases.iso_flop_frame("besiroglu2024", (1e21, 1e23))
    assert "1e+21 FLOP: 2.78 B with 21.5 tokens each" in charts.iso_flop_chart(frame).description
    readings = charts.readings_chart(cases.readings_frame((1e21, 5.76e23, 1e26)))
    assert "Chinchilla, refitted (Besiroglu 2024): 18.3" in readings.description


def test_half_or_twice_the_size_is_read_off_the_curve():
    frame = cases.iso_flop_frame("besiroglu2024", (1e21,), n=401)
    from econ.scaling.optimal import compute_optimal, loss

    params, tokens = compute_optimal(1e21, "besiroglu2024")
    gap = max(
        float(loss(params * f, tokens / f, "besiroglu2024")) for f in (0.5, 2)
    ) - float(loss(params, tokens, "besiroglu2024"))  # fmt: skip
    assert charts._off_by_two(frame) == pytest.approx(gap, rel=0.01)


def test_the_panel_follows_and_says_what_it_shows():
    panel = charts.life_panel()
    assert "6.09 B" in panel.readout
    panel.set(demand=500_000)
    assert "Cheapest for life: 2.55 B" in panel.readout
    panel.set(unit="USD")
    assert "$" in panel.readout
    panel.set(law="kaplan2020", unit="FLOP")
    assert not panel.error
    assert len(panel.static().description) > 200


def test_large_numbers_in_words():
    assert [charts.amount(v) for v in (999, 1e3, 2.5e6, 7e12)] == [
        "999", "1 thousand", "2.5 million", "7 trillion",
    ]  # fmt: skip
