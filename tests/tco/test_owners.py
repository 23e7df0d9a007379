"""Owners from the tables: defaults come from rows, ours beside published, bad names."""

import numpy as np
import pytest

from econ.catalog import table
from econ.tco.owners import (
    INPUTS,
    owner,
    owner_inputs,
    owner_of,
    published_frame,
    server,
    tco_input,
)


def test_every_default_is_a_row():
    inputs = owner_inputs("h200-sxm")
    for name, id in INPUTS.items():
        assert inputs[name] == tco_input(id)["typical"]
    assert inputs["server_usd"] == server("h200-sxm")["typical_usd"]


def test_the_published_scope_gives_the_published_hour():
    """The H200 of the analyst: its server price, no spares, six years; the rest is typical."""
    cost = owner("h200-sxm", server_usd=258_001.0, spare_frac=0.0, years=6.0)
    assert f"{cost.cost_usd_per_gpu_hour:.2f}" == "1.59"


def test_published_owner_costs_are_met_within_a_quarter_and_inside_our_range():
    frame = published_frame()
    assert len(frame) >= 8
    assert frame["gap"].abs().max() < 0.25
    assert frame["published_usd"].between(frame["low_usd"], frame["high_usd"]).all()


@pytest.mark.parametrize("accelerator", table("servers").index)
def test_low_typical_high_are_in_order(accelerator):
    levels = [owner(accelerator, level=x).cost_usd_per_gpu_hour for x in ("low", "typical", "high")]
    assert levels == sorted(levels)


def test_a_building_of_ones_own_takes_the_place_of_colocation():
    rented, own = owner("h100-sxm"), owner("h100-sxm", housing="own building")
    assert "colocation" in {c.name for c in rented.charges}
    assert "colocation" not in {c.name for c in own.charges}
    assert own.assets[-1].name == "facility"
    assert own.cost_usd_per_gpu_hour == pytest.approx(rented.cost_usd_per_gpu_hour, rel=0.15)


def test_licences_and_staff_are_added_by_gpu():
    plain = owner("h100-sxm")
    more = owner("h100-sxm", licence_usd_per_gpu_per_year=8760, staff_usd_per_gpu_per_year=876)
    assert more.cost_usd_per_gpu_hour - plain.cost_usd_per_gpu_hour == pytest.approx(1.1)


def test_samples_go_through_at_once():
    price = np.array([200e3, 258e3, 320e3])
    inputs = owner_inputs("h100-sxm")
    got = owner_of(**inputs | {"server_usd": price}).cost_usd_per_gpu_hour
    one = [owner("h100-sxm", server_usd=p).cost_usd_per_gpu_hour for p in price]
    assert got.tolist() == pytest.approx(one)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: owner("h100"), "nearest: h100-sxm"),
        (lambda: owner("h100-sxm", level="mean"), "unknown level"),
        (lambda: owner("h100-sxm", housing="tent"), "unknown housing"),
        (lambda: tco_input("pu"), "nearest: pue"),
        (lambda: owner("h100-sxm", years=0), "years = 0"),
        (lambda: owner("h100-sxm", spare_frac=-0.1), "spare_frac = -0.1"),
    ],
)
def test_bad_names_and_numbers(call, says):
    with pytest.raises(ValueError, match=says):
        call()
