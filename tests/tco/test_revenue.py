"""Revenue and margins: a published day, identities, refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.catalog import Price, price
from econ.tco.revenue import Statement, Tier, ladder_frame, seats, tiers_of

R1 = price("deepseek-reasoner-r1", "DeepSeek")


def _day(**more):
    tiers = tiers_of(
        Price(model="r1", input_usd_per_mtok=R1.input_usd_per_mtok,
              cached_input_usd_per_mtok=0.14, output_usd_per_mtok=R1.output_usd_per_mtok),
        fresh_tokens=266e9, cached_tokens=342e9, output_tokens=168e9, **more,
    )  # fmt: skip
    hours = 226.75 * 8 * 24
    return Statement(
        tiers=tiers, cost_usd=hours * 2.0, gpu_hours=hours, days=1, it_power_w=226.75 * 10_200
    )


def test_the_published_day():
    day = _day()
    assert day.cost_usd == pytest.approx(87_072)
    assert day.revenue_usd == pytest.approx(562_027, rel=3e-4)
    assert day.markup_frac == pytest.approx(5.45, rel=2e-3)
    assert day.margin_frac == pytest.approx(0.845, abs=5e-4)
    assert day.n_gpu == pytest.approx(1814)


def test_a_margin_by_hour_is_the_profit():
    day = _day()
    assert day.profit_usd_per_gpu_hour * day.gpu_hours == pytest.approx(day.profit_usd)


def test_the_statement_lists_tiers_cost_and_profit():
    frame = _day().frame()
    assert frame["part"].tolist() == ["fresh input", "cached input", "output", "cost", "profit"]
    assert frame["usd"].iloc[:-1].sum() == pytest.approx(frame["usd"].iloc[-1])


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6))
def test_margin_and_markup_are_two_shares_of_one_profit(revenue, cost):
    s = Statement(tiers=(Tier("all", 0, revenue),), cost_usd=cost, gpu_hours=1, days=1)
    assert s.margin_frac < 1
    assert 1 / (1 - s.margin_frac) == pytest.approx(1 + s.markup_frac)


@given(share=st.floats(0, 1), paid=st.floats(0, 1))
def test_batch_and_realised_share_scale_the_list(share, paid):
    listed = Price(model="m", input_usd_per_mtok=2, output_usd_per_mtok=8, batch_discount_frac=0.5)
    sold = tiers_of(listed, fresh_tokens=3e6, output_tokens=1e6, batch_frac=share,
                    realised_frac=paid)  # fmt: skip
    assert sum(t.revenue_usd for t in sold) == pytest.approx(14 * paid * (1 - share / 2))
    assert sum(t.tokens for t in sold) == pytest.approx(4e6)


def test_seats_pay_by_the_month_however_much_is_used():
    light, heavy = (seats(100, 20.0, n, days=365) for n in (1e3, 1e9))
    assert light.revenue_usd == heavy.revenue_usd == pytest.approx(24_000)


def test_layers_share_the_last_price():
    ladder = ladder_frame(power=0.13, owner=1.59, renter=4.47)
    assert ladder["kept_usd"].sum() == pytest.approx(4.47)
    assert ladder["share_frac"].sum() == pytest.approx(1)
    assert ladder["margin_frac"].iloc[-1] == pytest.approx(1 - 1.59 / 4.47)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Tier("x", -1, 0), "x: tokens = -1"),
        (lambda: Tier("x", 1, 1, 50), "x: realised_frac = 50"),
        (lambda: Statement(tiers=(), cost_usd=1, gpu_hours=0, days=1), "gpu_hours = 0"),
        (lambda: Statement(tiers=(), cost_usd=1, gpu_hours=1, days=1).margin_frac, "revenue_usd"),
        (lambda: Statement(tiers=(), cost_usd=0, gpu_hours=1, days=1).markup_frac, "cost_usd = 0"),
        (lambda: tiers_of(R1, fresh_tokens=1, output_tokens=1, batch_frac=0.5), "no batch"),
        (lambda: Tier.at("x", 1, -3), "price_usd_per_mtok = -3"),
        (lambda: ladder_frame(chip=0), "chip = 0"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
