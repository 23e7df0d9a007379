"""What tokens earn: tiers of price, seats, and the margin by hour, megawatt and year.

>>> day = Statement(
...     tiers=tiers_of(Price(model="r1", input_usd_per_mtok=0.55, cached_input_usd_per_mtok=0.14,
...                          output_usd_per_mtok=2.19),
...                    fresh_tokens=266e9, cached_tokens=342e9, output_tokens=168e9),
...     cost_usd=226.75 * 8 * 24 * 2.0, gpu_hours=226.75 * 8 * 24, days=1)
>>> round(day.cost_usd), round(day.revenue_usd)
(87072, 562100)
>>> f"{day.markup_frac:.1%} on cost, {day.margin_frac:.1%} on revenue"        # one profit
'545.6% on cost, 84.5% on revenue'
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from econ.catalog import Price
from econ.catalog.guard import fraction, not_negative, positive
from econ.catalog.units import (
    DAYS_PER_YEAR,
    HOURS_PER_DAY,
    MONTHS_PER_YEAR,
    usd_per_token_from_usd_per_mtok,
)
from econ.tokens.bill import token_bill


@dataclass(frozen=True)
class Tier:
    """One thing sold.

    Parameters
    ----------
    name : str
        What a statement calls it, e.g. ``"output"``.
    tokens : float
        How many.
    list_usd : float
        What they cost by the list.
    realised_frac : float
        Paid over listed: free use and rebates lower it.
    """

    name: str
    tokens: float
    list_usd: float
    realised_frac: float = 1.0

    def __post_init__(self) -> None:
        not_negative(f"{self.name}: tokens", self.tokens)
        not_negative(f"{self.name}: list_usd", self.list_usd)
        fraction(f"{self.name}: realised_frac", self.realised_frac)

    @classmethod
    def at(
        cls, name: str, tokens: float, price_usd_per_mtok: float, realised_frac: float = 1.0
    ) -> Tier:
        """Tokens sold at a rate."""
        not_negative(f"{name}: price_usd_per_mtok", price_usd_per_mtok)
        list_usd = tokens * usd_per_token_from_usd_per_mtok(price_usd_per_mtok)
        return cls(name, tokens, list_usd, realised_frac)

    @property
    def revenue_usd(self) -> float:
        """What comes in: the list times the share that is paid."""
        return self.list_usd * self.realised_frac


def tiers_of(
    price: Price,
    *,
    fresh_tokens: float,
    output_tokens: float,
    cached_tokens: float = 0.0,
    batch_frac: float = 0.0,
    realised_frac: float = 1.0,
    n_requests: float | None = None,
) -> tuple[Tier, ...]:
    """Fresh, cached and output tokens on one price list; a share of all in batch, at its discount.

    Parameters
    ----------
    price : Price
        Of the seller.
    fresh_tokens, cached_tokens, output_tokens : float
        What is sold.
    batch_frac : float
        Share of all that is sold in batch, at the list's discount.
    realised_frac : float
        Paid over listed.
    n_requests : float, optional
        Requests that the tokens are the sum of, for a list with other rates for long prompts; left
        out, prompts are taken to be short.

    Returns
    -------
    tuple of Tier
        Fresh input, cached input, output and batch, without those of no tokens.

    Examples
    --------
    >>> listed = Price(model="m", input_usd_per_mtok=2, output_usd_per_mtok=8,
    ...                batch_discount_frac=0.5)
    >>> [(t.name, t.revenue_usd) for t in tiers_of(listed, fresh_tokens=1e6, output_tokens=1e6,
    ...                                            batch_frac=0.5)]
    [('fresh input', 1.0), ('output', 4.0), ('batch', 2.5)]
    """
    fraction("batch_frac", batch_frac)
    not_negative("fresh_tokens", fresh_tokens)
    not_negative("cached_tokens", cached_tokens)
    input_tokens = fresh_tokens + cached_tokens
    bill, in_batch = (
        token_bill(
            price,
            input_tokens=input_tokens,
            cache_read_tokens=cached_tokens,
            output_tokens=output_tokens,
            n_requests=n_requests or max(input_tokens, 1.0),
            batch=batch,
        )
        for batch in (False, batch_frac > 0)
    )
    live = 1 - batch_frac
    sold = [
        ("fresh input", fresh_tokens, bill.fresh_input_usd),
        ("cached input", cached_tokens, bill.cache_read_usd),
        ("output", output_tokens, bill.answer_usd),
    ]
    tiers = [Tier(n, t * live, usd * live, realised_frac) for n, t, usd in sold if t]
    if batch_frac:
        tokens = (input_tokens + output_tokens) * batch_frac
        tiers.append(Tier("batch", tokens, in_batch.total_usd * batch_frac, realised_frac))
    return tuple(tiers)


def seats(n_seats: float, price_usd_per_month: float, tokens_per_seat: float, days: float) -> Tier:
    """Flat subscriptions: paid by the month however many tokens are used in these days.

    Parameters
    ----------
    n_seats : float
        Subscribers.
    price_usd_per_month : float
        Of a seat, e.g. 20.
    tokens_per_seat : float
        Used by a seat in these days.
    days : float
        Of the statement, e.g. 30.

    Examples
    --------
    >>> round(seats(1000, 20.0, 3e6, days=365 / 12).revenue_usd)
    20000
    """
    not_negative("n_seats", n_seats)
    not_negative("price_usd_per_month", price_usd_per_month)
    not_negative("tokens_per_seat", tokens_per_seat)
    positive("days", days)
    months = days / DAYS_PER_YEAR * MONTHS_PER_YEAR
    return Tier(
        "seats", float(n_seats) * float(tokens_per_seat), n_seats * price_usd_per_month * months
    )


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Revenue and cost of some days of service.

    Parameters
    ----------
    tiers : tuple of Tier
        What is sold.
    cost_usd : float
        What the days cost.
    gpu_hours : float
        Hours paid for.
    days : float
        How many.
    it_power_w : float, optional
        Power that is provisioned; at the meter if the margin per megawatt is to be the site's.
    """

    tiers: tuple[Tier, ...]
    cost_usd: float
    gpu_hours: float
    days: float
    it_power_w: float | None = None

    def __post_init__(self) -> None:
        not_negative("cost_usd", self.cost_usd)
        positive("gpu_hours", self.gpu_hours)
        positive("days", self.days)
        if self.it_power_w is not None:
            positive("it_power_w", self.it_power_w)

    @property
    def revenue_usd(self) -> float:
        """All tiers."""
        return sum(t.revenue_usd for t in self.tiers)

    @property
    def profit_usd(self) -> float:
        """Revenue less cost; negative for a loss."""
        return self.revenue_usd - self.cost_usd

    @property
    def margin_frac(self) -> float:
        """Profit over revenue: what an annual report calls a margin."""
        if not self.revenue_usd:
            raise ValueError("revenue_usd = 0 is outside its range: a margin needs a revenue")
        return self.profit_usd / self.revenue_usd

    @property
    def markup_frac(self) -> float:
        """Profit over cost: the larger-looking share of the same profit."""
        if not self.cost_usd:
            raise ValueError("cost_usd = 0 is outside its range: a markup needs a cost")
        return self.profit_usd / self.cost_usd

    @property
    def profit_usd_per_gpu_hour(self) -> float:
        """By accelerator-hour paid for."""
        return self.profit_usd / self.gpu_hours

    @property
    def n_gpu(self) -> float:
        """Accelerators on average."""
        return self.gpu_hours / (self.days * HOURS_PER_DAY)

    def frame(self) -> pd.DataFrame:
        """Tier by tier, cost and profit: part, tokens, usd, share_frac (of revenue)."""
        rows = [(t.name, t.tokens, t.revenue_usd) for t in self.tiers]
        rows += [("cost", float("nan"), -self.cost_usd), ("profit", float("nan"), self.profit_usd)]
        frame = pd.DataFrame(rows, columns=["part", "tokens", "usd"])
        return frame.assign(share_frac=frame["usd"] / (self.revenue_usd or float("nan")))


def ladder_frame(**layers_usd: float) -> pd.DataFrame:
    """Who keeps what of the last price: layers from the ground up, each selling to the next.

    Parameters
    ----------
    **layers_usd : float
        What each layer's customer pays for the same unit, lowest first.

    Returns
    -------
    pandas.DataFrame
        Columns layer, price_usd, kept_usd, margin_frac, share_frac. A layer's cost is the price of
        the one below it, so ``margin_frac`` is before costs of its own that are not named.

    Examples
    --------
    >>> ladder_frame(electricity=0.13, owner=1.59, renter=4.6)["kept_usd"].round(2).tolist()
    [0.13, 1.46, 3.01]
    """
    if not layers_usd:
        raise ValueError("no layers: name at least one price, the lowest first")
    for name, usd in layers_usd.items():
        positive(name, usd)
    frame = pd.DataFrame({"layer": list(layers_usd), "price_usd": list(layers_usd.values())})
    below = frame["price_usd"].shift(fill_value=0.0)
    return frame.assign(
        kept_usd=frame["price_usd"] - below,
        margin_frac=1 - below / frame["price_usd"],
        share_frac=(frame["price_usd"] - below) / frame["price_usd"].iloc[-1],
    )
