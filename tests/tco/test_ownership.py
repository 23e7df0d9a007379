"""Owned GPU-hours: the published build-up to the cent, closed forms, arrays and refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.tco.ownership import (
    Asset,
    Charge,
    Ownership,
    assets,
    colocation,
    electricity,
    owner_cost_usd_per_gpu_hour,
    per_year,
    share_of_capital,
)

CASE = {
    "n_gpu": 8, "provisioned_w": 10_930, "colocation_usd_per_kw_per_month": 150,
    "electricity_usd_per_kwh": 0.087, "pue": 1.35, "power_load_frac": 0.8,
    "other_usd_per_month": 170,
}  # fmt: skip


def test_capital_and_operation_add_up_by_hand():
    own = Ownership(
        n_gpu=2,
        assets=assets({"server": 2400.0, "network": 1200.0}, 0.0, 1),
        charges=(Charge("hands", 73.0), per_year("licence", 438.0, n=2)),
    )
    assert own.usd_per_month == pytest.approx(300 + 73 + 73)
    assert own.cost_usd_per_gpu_hour == pytest.approx(446 / 730 / 2)
    frame = own.frame()
    assert frame["share_frac"].sum() == pytest.approx(1)
    assert frame["usd_per_gpu_hour"].sum() == pytest.approx(own.cost_usd_per_gpu_hour)
    assert (frame["sort"] == "capital").sum() == 2


def test_the_flat_call_equals_the_parts():
    own = Ownership(
        n_gpu=8,
        assets=(Asset("all", 361_255, 0.1025, 6),),
        charges=(
            colocation(10_930, 150),
            electricity(10_930, 0.087, pue=1.35, power_load_frac=0.8),
            Charge("hands", 170),
        ),
    )
    flat = owner_cost_usd_per_gpu_hour(361_255, 0.1025, 6, **CASE)
    assert flat == pytest.approx(own.cost_usd_per_gpu_hour)
    assert f"{flat:.2f}" == "1.59"


def test_classes_of_their_own_life_need_no_common_one():
    each = [Asset("chips", 25.5e9, 0.068, 5), Asset("building", 12.5e9, 0.068, 14)]
    split = owner_cost_usd_per_gpu_hour(each, n_gpu=1e6)
    sums = sum(owner_cost_usd_per_gpu_hour([a], n_gpu=1e6) for a in each)
    assert split == pytest.approx(sums)
    with pytest.raises(ValueError, match="belong to each Asset"):
        owner_cost_usd_per_gpu_hour(each, 0.1, 5)


@given(n=st.integers(1, 72), scale=st.floats(0.1, 100))
def test_more_machines_of_a_kind_cost_the_same_per_gpu_hour(n, scale):
    one = owner_cost_usd_per_gpu_hour(1000.0 * n, 0.1, 5, n_gpu=n, other_usd_per_month=7.0 * n)
    more = owner_cost_usd_per_gpu_hour(
        1000.0 * n * scale, 0.1, 5, n_gpu=n * scale, other_usd_per_month=7.0 * n * scale
    )
    assert one == pytest.approx(more)


@given(use=st.floats(0.01, 1.0))
def test_useful_hours_cost_more_by_the_use(use):
    owned = owner_cost_usd_per_gpu_hour(361_255, 0.1025, 6, **CASE)
    useful = owner_cost_usd_per_gpu_hour(361_255, 0.1025, 6, **CASE, utilisation_frac=use)
    assert useful * use == pytest.approx(owned)


def test_a_table_of_owners_at_once():
    rows = pd.DataFrame({"capital": [250e3, 320e3], "watt": [10_200.0, 14_300.0]})
    got = owner_cost_usd_per_gpu_hour(
        rows["capital"].to_numpy(), 0.1, 5, n_gpu=8, provisioned_w=rows["watt"].to_numpy(),
        electricity_usd_per_kwh=0.09, support_frac_per_year=0.02,
    )  # fmt: skip
    one = [
        owner_cost_usd_per_gpu_hour(
            r.capital, 0.1, 5, n_gpu=8, provisioned_w=r.watt, electricity_usd_per_kwh=0.09,
            support_frac_per_year=0.02,
        )
        for r in rows.itertuples()
    ]  # fmt: skip
    assert got.tolist() == pytest.approx(one)


def test_the_straight_line_is_a_switch_on_all_assets():
    own = Ownership(n_gpu=8, assets=assets({"a": 1e5, "b": 2e5}, 0.1, 5))
    line = own.with_method("straight line")
    assert line.capital_usd_per_month == pytest.approx(3e5 / 60)
    assert own.capital_usd_per_month > line.capital_usd_per_month


def test_support_is_a_share_of_all_capital():
    assert share_of_capital(120_000, 0.05).usd_per_month == pytest.approx(500)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"utilisation_frac": 0}, "utilisation_frac = 0"),
        ({"utilisation_frac": 1.01}, "utilisation_frac = 1.01"),
        ({"n_gpu": 0}, "n_gpu = 0"),
        ({"pue": 0.9}, "pue = 0.9"),
        ({"power_load_frac": 80}, "power_load_frac = 80"),
        ({"provisioned_w": -1}, "provisioned_w = -1"),
        ({"support_frac_per_year": 5}, "support_frac_per_year = 5"),
        ({"licence_usd_per_gpu_per_year": float("nan")}, "licences: usd_per_year = nan"),
    ],
)
def test_bad_input_is_named(more, says):
    with pytest.raises(ValueError, match=says):
        owner_cost_usd_per_gpu_hour(1000.0, 0.1, 5, **more)


def test_a_life_and_a_rate_are_asked_for():
    with pytest.raises(ValueError, match="years = None"):
        owner_cost_usd_per_gpu_hour(1000.0, 0.1)
    with pytest.raises(ValueError, match=r"hands: usd_per_month\[1\]"):
        Charge("hands", np.array([1.0, -1.0]))
