"""Rents: each accelerator has one or a reason; medians follow from lists; lists by provider."""

import pytest

from econ.catalog import UnknownName, accelerators_frame, rent, rent_offers_frame, table
from econ.catalog.rents import rent_rows, rents


def test_every_accelerator_is_rented_or_says_why_not():
    rented = set(table("rentals")["accelerator"])
    why = accelerators_frame()["why_no_rent"]
    assert rented <= set(why.index)
    for id, reason in why.items():
        assert (id in rented) != bool(reason), id


@pytest.mark.parametrize(
    ("id", "usd_per_gpu_hour"),
    [("h100-sxm", 3.99), ("h200-sxm", 4.875), ("b200-sxm", 7.54), ("b300-sxm", 8.883),
     ("l40s", 1.57), ("mi300x", 2.59), ("mi325x", 3.8), ("mi350x", 5.49)],
)  # fmt: skip
def test_medians_of_october_2026(id, usd_per_gpu_hour):
    assert rent(id) == usd_per_gpu_hour
    assert rents()[id] == usd_per_gpu_hour


def test_a_derived_rent_is_the_median_of_the_lists_it_names():
    lists = table("rent_offers")
    derived = table("rentals").query("source == 'rent-offers' and term == 'on-demand'")
    assert len(derived) > 15
    for row in derived.itertuples():
        names = row.note.partition("(")[2].rstrip(")").split(", ")
        of_row = lists[
            (lists["accelerator"] == row.accelerator)
            & (lists["term"] == "on-demand")
            & (lists["market"] == "neocloud")
            & lists["provider"].isin(names)
        ]
        newest = of_row[of_row["as_of"] == of_row.groupby("provider")["as_of"].transform("max")]
        cheapest = newest.groupby("provider")["usd_per_gpu_hour"].min()
        assert sorted(cheapest.index) == sorted(names)
        assert row.usd_per_gpu_hour == pytest.approx(cheapest.median(), rel=1e-3), row.accelerator


def test_history_stays_and_the_newest_counts():
    rows = rent_rows("h100-sxm")
    assert rows["as_of"].is_monotonic_increasing
    assert {"2023-09", "2026-09", "2026-10"} <= set(rows["as_of"])
    assert rows["usd_per_gpu_hour"].iloc[-1] == rent("h100-sxm")


def test_a_provider_has_regions_terms_and_dates():
    assert rent("B200", provider="AWS", region="ap-south-1") == 20.08
    assert rent("H100", "spot", provider="CoreWeave") == 2.464
    dates = rent_offers_frame("H200", provider="Verda", term="on-demand")["as_of"].tolist()
    assert dates == sorted(dates)
    assert len(dates) >= 3


@pytest.mark.parametrize(
    ("look_up", "says"),
    [
        (lambda: rent("B200", provider="AWS"), r"AWS lists several .* prices of B200: 20\.08"),
        (lambda: rent("H100", region="us-east-1"), "region = 'us-east-1' needs the provider"),
        (lambda: rent("H100", provider="Amazone"), "unknown provider of H100 'Amazone'"),
        (lambda: rent("H100", "spot", provider="Crusoe"), "unknown provider of H100 'Crusoe'"),
        (lambda: rent("VR200"), "no rent of vr200-nvl72: No rent is published"),
        (lambda: rent("DGX Spark", provider="AWS"), "no rent of dgx-spark-gb10: A machine for a"),
    ],
)  # fmt: skip
def test_what_is_not_listed_is_refused_with_what_is(look_up, says):
    with pytest.raises((UnknownName, ValueError), match=says):
        look_up()
