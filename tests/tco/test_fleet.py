"""A fleet's life and its replacement: closed forms, second routes, refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.tco.finance import annuity_usd_per_month
from econ.tco.fleet import keep_or_replace, levelised_cost_usd_per_mtok, life_frame, payback_month
from econ.tco.token_cost import cost_usd_per_mtok

LIFE = {
    "capital_usd_per_gpu": 40_000, "operating_usd_per_gpu_hour": 0.44,
    "tokens_per_s_per_gpu": 1000, "price_usd_per_mtok": 1.0, "years": 5,
}  # fmt: skip
SWAP = {
    "old_operating_usd_per_gpu_hour": 0.44, "old_tokens_per_s_per_gpu": 1000,
    "resale_usd_per_gpu": 12_000, "resale_after_frac": 0.7, "new_capital_usd_per_gpu": 56_000,
    "new_operating_usd_per_gpu_hour": 0.6, "new_tokens_per_s_per_gpu": 3000, "rate_per_year": 0.1,
}  # fmt: skip


@given(rate=st.floats(0, 0.3), use=st.floats(0.1, 1), residual=st.floats(0, 0.9))
def test_the_levelised_cost_of_a_steady_life_is_the_annuity(rate, use, residual):
    life = life_frame(**LIFE, rate_per_year=rate, full_utilisation_frac=use, residual_frac=residual)
    hour = annuity_usd_per_month(40_000, rate, 5, residual) / 730 + 0.44
    assert levelised_cost_usd_per_mtok(life) == pytest.approx(cost_usd_per_mtok(hour, 1000, use))


def test_at_the_levelised_price_the_life_is_worth_nothing():
    shape = {"n_ramp_months": 9, "rate_per_year": 0.1, "full_utilisation_frac": 0.6}
    cost = levelised_cost_usd_per_mtok(life_frame(**LIFE, **shape))
    even = life_frame(**LIFE | {"price_usd_per_mtok": cost}, **shape)
    assert even["worth_usd"].iloc[-1] == pytest.approx(0, abs=1e-6 * 40_000)


def test_a_ramp_and_a_falling_price_put_off_the_payback():
    plain = payback_month(life_frame(**LIFE, full_utilisation_frac=0.6))
    slow = payback_month(life_frame(**LIFE, full_utilisation_frac=0.6, n_ramp_months=12))
    falling = life_frame(**LIFE, full_utilisation_frac=0.6, price_change_per_year=-0.5)
    assert plain < slow
    assert payback_month(falling) is None
    assert payback_month(life_frame(**LIFE | {"capital_usd_per_gpu": 0})) == 0


def test_the_ramp_is_a_straight_line():
    life = life_frame(**LIFE, n_ramp_months=4, full_utilisation_frac=0.8)
    assert life["utilisation_frac"].iloc[:7].round(3).tolist() == [0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.8]


def test_the_fair_price_is_where_both_ways_cost_the_same():
    swap = keep_or_replace(**SWAP)
    even = keep_or_replace(**SWAP | {"new_capital_usd_per_gpu": swap.pays_below_price_usd})
    assert even.keep_usd_per_mtok == pytest.approx(even.replace_usd_per_mtok)
    cheaper = keep_or_replace(**SWAP | {"new_capital_usd_per_gpu": swap.pays_below_price_usd - 1})
    assert cheaper.replace


def test_sunk_capital_decides_nothing():
    one, other = (keep_or_replace(**SWAP, book_usd_per_gpu_hour=b) for b in (0.0, 5.0))
    assert (one.replace, one.keep_usd_per_mtok) == (other.replace, other.keep_usd_per_mtok)
    assert other.book_usd_per_mtok > one.book_usd_per_mtok


def test_what_cannot_be_sold_is_kept_longer():
    worthless = keep_or_replace(**SWAP | {"resale_usd_per_gpu": 0})
    assert worthless.keep_usd_per_mtok < keep_or_replace(**SWAP).keep_usd_per_mtok
    assert worthless.keep_usd_per_mtok == pytest.approx(cost_usd_per_mtok(0.44, 1000))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"years": 0}, "years = 0"),
        ({"full_utilisation_frac": 0}, "full_utilisation_frac = 0"),
        ({"price_change_per_year": -1.0}, "price_change_per_year = -1.0"),
        ({"rate_per_year": -2}, "rate_per_year = -2"),
        ({"residual_frac": 1.2}, "residual_frac = 1.2"),
        ({"n_ramp_months": -1}, "n_ramp_months = -1"),
    ],
)
def test_bad_numbers_are_named(more, says):
    with pytest.raises(ValueError, match=says):
        life_frame(**LIFE | more)
