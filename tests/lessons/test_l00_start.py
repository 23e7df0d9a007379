"""The tables of lesson 00 against the envelope that they are made of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ import energy
from econ.latency.bound import envelope
from econ.latency.steps import DoesNotFit
from econ.lessons import l00_start as lesson
from econ.scenario import Scenario

BASE = Scenario.default()
BATCHES = st.integers(1, 500)


@settings(deadline=None)
@given(BATCHES, st.integers(1, 20_000))
def test_the_parts_are_the_whole(batch, output_tokens):
    try:
        whole = envelope(BASE, batch, output_tokens=output_tokens)
    except DoesNotFit:
        return
    parts = lesson.parts_frame(BASE, batch, output_tokens=output_tokens)
    assert parts["usd_per_1000"].sum() == pytest.approx(1000 * whole.accelerator_usd)
    assert (parts["usd_per_1000"] >= 0).all()


def test_the_bill_is_a_range_in_order():
    bill = lesson.bill_frame(BASE, 64)
    assert (bill["low"] <= bill["typical"]).all()
    assert (bill["typical"] <= bill["high"]).all()
    ranges = lesson.ranges_frame(BASE)
    assert (ranges["low_usd"] <= ranges["high_usd"]).all()
    typical = bill.set_index("link").loc["rent per million output tokens", "typical"]
    assert ranges["base_usd"].iloc[0] == pytest.approx(typical)


def test_the_energy_of_the_power_law_lies_inside_that_at_tdp():
    joules = lesson.bill_frame(BASE, 64).set_index("link").loc["accelerators' energy at TDP"]
    law = energy.energy(BASE, concurrency=64).j_per_output_token
    assert joules["low"] < law * BASE.workload.mean_output_tokens < joules["high"]


def test_no_batch_at_all_says_by_how_much():
    with pytest.raises(DoesNotFit, match=r"141 GB of weights; 1 × h100-sxm hold 80 GB"):
        lesson.batches_frame(Scenario.of("llama-3.1-70b", "h100-sxm"))
