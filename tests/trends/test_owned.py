"""What rents make an accelerator worth: present value by hand, and beside the books."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.trends.owned import owned_value_frame, value_of_rents_usd


def test_a_year_without_interest_by_hand():
    assert value_of_rents_usd(3.0, 0.5, 2, sold_frac=0.5, rate_per_year=0.0) == pytest.approx(
        (0.5 * 3.0 - 0.5) * 2 * 8760
    )
    assert value_of_rents_usd(0.1, 0.5, 5) == 0.0  # switched off
    assert value_of_rents_usd(3.0, 0.5, 0) == 0.0


@given(st.floats(0.5, 20), st.floats(0.0, 1.0), st.floats(0.5, 6), st.floats(0.5, 1.5))
def test_more_rent_more_time_and_cheaper_money_are_worth_more(rent, running, years, change):
    one = value_of_rents_usd(rent, running, years, rent_change_per_year=change)
    assert one >= 0
    one *= 1 - 1e-12  # sums round
    assert value_of_rents_usd(rent * 1.1, running, years, rent_change_per_year=change) >= one
    assert value_of_rents_usd(rent, running, years + 1, rent_change_per_year=change) >= one
    assert (
        value_of_rents_usd(rent, running, years, rent_change_per_year=change, rate_per_year=0.02)
        >= one
    )


def test_an_h100_is_worth_more_than_its_books_while_rents_rise():
    path = owned_value_frame("h100-sxm", bought="2023-11").set_index("date")
    assert (path["value_low_usd"] <= path["value_usd"]).all()
    assert (path["value_usd"] <= path["value_high_usd"]).all()
    assert path["book_usd"].is_monotonic_decreasing
    assert path.loc["2026-08", "value_over_book"] > 1.5
    rose = path.loc["2026-08", "value_usd"] > path.loc["2026-02", "value_usd"]
    assert rose  # older, and worth more: the rent rose by more than half a year took away
    assert path.loc["2023-11", "book_usd"] == pytest.approx(path["book_usd"].max())


def test_a_dear_purchase_is_dearer_in_the_books_alone():
    cheap, dear = (owned_value_frame(price_usd=usd) for usd in (20_000, 60_000))
    assert cheap["value_usd"].tolist() == dear["value_usd"].tolist()
    assert dear["book_usd"].to_numpy() == pytest.approx(3 * cheap["book_usd"].to_numpy())


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: owned_value_frame("l4"), "unknown rented accelerator 'l4'"),
        (lambda: owned_value_frame(bought="2030-01"), "bought = '2030-01': no rent"),
        (lambda: value_of_rents_usd(-1, 0.5, 1), "rent_usd_per_gpu_hour = -1"),
        (lambda: value_of_rents_usd(1, 0.5, 1, sold_frac=70), "sold_frac = 70"),
    ],
)
def test_what_is_not_known_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
