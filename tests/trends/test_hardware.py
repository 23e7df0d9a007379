"""Hardware over time: headlines from rows, and each frame against a second way of getting it."""

import pytest

from econ.catalog import table
from econ.trends import hardware


def test_both_headlines_of_hardware_come_out_of_the_rows():
    rates = hardware.hardware_frame().set_index("trend")
    cost = rates.loc["USD per FLOP/s, newest format"]
    gain = rates.loc["FLOP/s per W, newest format"]
    assert cost["low"] < -0.30 < cost["high"]
    assert gain["low"] < 0.40 < gain["high"]


def test_one_makers_boards_gain_as_notebook_04_has_it():
    ours = hardware.hardware_frame().set_index("trend")["change_per_year"]
    theirs = hardware.efficiency_growth_per_year("bf16")["growth"]
    assert ours["FLOP/s per W, always 16-bit tensor"] == pytest.approx(theirs, rel=0.01)


@pytest.mark.parametrize("segment", hardware.SEGMENTS)
def test_within_one_format_the_fall_is_slower(segment):
    rates = hardware.hardware_frame(segment).set_index("trend")["change_per_year"]
    newest = rates["USD per FLOP/s, newest format"]
    assert newest < rates["USD per FLOP/s, always 32 bits"]
    assert newest < rates["USD per FLOP/s, always 16-bit tensor"]
    assert newest < rates["USD per byte/s of memory"]
    assert rates["FLOP/s per W, newest format"] > rates["FLOP/s per W, always 16-bit tensor"]


def test_a_launch_by_hand():
    a100 = hardware.launches_frame().set_index("id").loc["a100-sxm4-40-gb"]
    assert a100["usd_per_flop_per_s"] == pytest.approx(15_000 / 312e12)
    assert a100["flop_per_s_per_w"] == pytest.approx(312e12 / 400)


def test_rents_agree_with_the_cited_points():
    cited = table("rentals").query(
        "accelerator == 'h100-sxm' and term == 'on-demand' and as_of == '2026-09'"
    )
    quarter = hardware.rents_frame(("h100-sxm",)).iloc[-1]
    assert quarter["usd_per_gpu_hour"] == pytest.approx(cited["usd_per_gpu_hour"].item(), rel=0.05)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: hardware.launches_frame("datacentre"), "nearest: data centre"),
        (lambda: hardware.rents_frame(("h100",)), "unknown rented accelerator 'h100'"),
        (lambda: hardware.efficiency_growth_per_year("bf17"), "unknown measure of efficiency"),
    ],
)
def test_unknown_names_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
