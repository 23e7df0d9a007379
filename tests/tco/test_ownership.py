"""Owned GPU-hours from assets and charges: the published build-up, closed forms, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.tco.layers import owner
from econ.tco.ownership import (
    Asset,
    Charge,
    Ownership,
    assets,
    colocation,
    electricity,
    per_year,
    share_of_capital,
)


def test_capital_and_operation_add_up_by_hand():
    own = Ownership(
        n_gpu=2,
        assets=assets({"server": 2400.0, "network": 1200.0}, 0.0, 1),
        charges=(Charge("services", 73.0), per_year("licence", 438.0, n=2)),
    )
    assert own.usd_per_month == pytest.approx(300 + 73 + 73)
    assert own.cost_usd_per_gpu_hour == pytest.approx(446 / 730 / 2)
    frame = own.frame()
    assert frame["share_frac"].sum() == pytest.approx(1)
    assert frame["usd_per_gpu_hour"].sum() == pytest.approx(own.cost_usd_per_gpu_hour)
    assert (frame["expense"] == "capital").sum() == 2


def test_the_published_server_to_the_cent_from_rows_and_by_hand():
    """$361,255 for eight GPUs, 10.25 %, six years: $1.15 capital and $0.44 operation."""
    rows = owner("h200-sxm", server_usd=258_001, spare_frac=0, life_years=6)
    by_hand = Ownership(
        n_gpu=8,
        assets=(Asset("all", 361_255, 0.1025, 6),),
        charges=(
            colocation(10_930, 150),
            electricity(10_930, 0.087, pue=1.35, power_load_frac=0.8),
            Charge("services", 131 + 39),
        ),
    )
    assert rows.capital_usd == pytest.approx(361_255, abs=0.005)
    for own in (rows, by_hand):
        hours = (own.capital_usd_per_gpu_hour, own.operating_usd_per_gpu_hour)
        assert [f"{usd:.2f}" for usd in (*hours, own.cost_usd_per_gpu_hour)] == [
            "1.15", "0.44", "1.59",
        ]  # fmt: skip
    assert rows.cost_usd_per_gpu_hour == pytest.approx(by_hand.cost_usd_per_gpu_hour)


@given(n=st.integers(1, 72), scale=st.floats(0.1, 100))
def test_more_machines_of_a_kind_cost_the_same_per_gpu_hour(n, scale):
    one, more = (
        Ownership(
            n_gpu=n * k,
            assets=(Asset("all", 1000.0 * n * k, 0.1, 5),),
            charges=(Charge("all", 7.0 * n * k),),
        ).cost_usd_per_gpu_hour
        for k in (1, scale)
    )
    assert one == pytest.approx(more)


def test_the_straight_line_is_a_switch_on_all_assets():
    own = Ownership(n_gpu=8, assets=assets({"a": 1e5, "b": 2e5}, 0.1, 5))
    line = own.with_method("straight line")
    assert line.capital_usd_per_month == pytest.approx(3e5 / 60)
    assert own.capital_usd_per_month > line.capital_usd_per_month
    by_name = owner("h100-sxm", method="straight line")
    assert by_name.frame().equals(owner("h100-sxm").with_method("straight line").frame())


def test_support_is_a_share_of_all_capital():
    assert share_of_capital(120_000, 0.05).usd_per_month == pytest.approx(500)
    own = owner("h100-sxm", include=["support"])
    charges = {c.name: c.usd_per_month for c in own.charges}
    assert charges["support"] == pytest.approx(own.capital_usd * 0.05 / 12)


def test_a_charge_is_not_negative():
    with pytest.raises(ValueError, match=r"services: usd_per_month\[1\]"):
        Charge("services", np.array([1.0, -1.0]))
