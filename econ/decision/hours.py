"""What an accelerator-hour costs on a term: your quote, else the lists' median and the cheapest.

>>> from econ.catalog.rents import rent
>>> rent("H100", "reserved-3y") < rent("H100")
True
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from econ.catalog import catalog
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import positive
from econ.catalog.prices import CACHE_TTL_S
from econ.catalog.ranges import Range
from econ.catalog.tables import remember, table
from econ.decision.books import Market
from econ.scenario import Scenario

OWN = "own"
YOURS, LISTS = "your quote", "lists of clouds"
Quotes = Mapping[str, float]  # accelerator, or accelerator:term -> USD per GPU-hour


@dataclass(frozen=True, kw_only=True)
class Lists:
    """Where prices of hours are read: your quotes, the scenario's own, lists of a region, today."""

    scenario: Scenario
    quotes: Quotes
    day: datetime.date
    region: str = ""


@dataclass(frozen=True, kw_only=True)
class Ask(Lists):
    """What a menu is made for: prices, the market in draws and in the plain case."""

    market: Market
    plain: Market
    servers: Mapping[str, Range]
    licence_usd_per_gpu_year: float
    deadline_h: float
    cache_ttl_s: float | None = CACHE_TTL_S
    are_turns: bool = False


@dataclass(frozen=True)
class Hour:
    """A price of an accelerator-hour, or of a server, and whose it is."""

    usd: float
    seller: str
    as_of: str
    source: str
    per_server: bool = False


def hours_of(ask: Lists, chip: Accelerator, kind: str) -> list[Hour]:
    """The rents on a term: your quote alone where there is one, else the lists'."""
    if kind == OWN:
        return _own_hour(ask, chip)
    quote = _quote(ask, chip, kind)
    if quote:
        return [quote]
    median = None if ask.region else _median(chip.id, kind)
    return [hour for hour in (median, _cheapest(chip.id, kind, ask.region)) if hour]


def _quote(ask: Lists, chip: Accelerator, kind: str) -> Hour | None:
    """A rent of your own: by flag or argument, or the scenario's."""
    for name, usd in ask.quotes.items():
        quoted, _, term = name.partition(":")
        if (term or "on-demand") == kind and _is(quoted, chip):
            return Hour(positive(f"price of {name}", usd, 10_000), YOURS, today(ask), YOURS)
    finance = ask.scenario.finance
    own = ask.scenario.deployment.resolved_accelerator
    stated = finance.cost_usd_per_gpu_hour if finance.tenure == "rented" and chip == own else None
    if kind == "on-demand" and stated is not None:
        return Hour(stated, YOURS, today(ask), finance.source or YOURS)
    return None


def _median(accelerator: str, kind: str) -> Hour | None:
    """The latest median over lists."""
    return _medians().get((rented_as(accelerator), kind))


def _cheapest(accelerator: str, kind: str, region: str) -> Hour | None:
    """The cheapest single list of a cloud that is dated to the day; in the region, where asked."""
    return _least(region).get((rented_as(accelerator), kind))


@remember
def rented_as(accelerator: str) -> str:
    """The catalogue's name of an accelerator; that of one's own is its own."""
    try:
        return catalog.accelerator(accelerator).id
    except ValueError:
        return accelerator


@remember
def _medians() -> dict[tuple[str, str], Hour]:
    """The latest median over lists by accelerator and term."""
    rows = table("rentals").sort_values("as_of", kind="stable")
    return {
        (row.accelerator, row.term): Hour(row.usd_per_gpu_hour, LISTS, row.as_of, row.source)
        for row in rows.itertuples()
    }


@remember
def _least(region: str) -> dict[tuple[str, str], Hour]:
    """The cheapest of the latest lists of single clouds, by accelerator and term."""
    rows = table("rent_offers")
    dated = rows["as_of"].str.len() == len("2026-10-10")
    rows = rows[dated & (rows["market"] != "marketplace")]
    rows = rows[rows["region"] == region] if region else rows
    latest = rows.sort_values("as_of", kind="stable").drop_duplicates(
        ["accelerator", "term", "provider", "region"], keep="last"
    )
    least: dict[tuple[str, str], Hour] = {}
    for row in latest.itertuples():
        hour = Hour(row.usd_per_gpu_hour, row.provider, row.as_of, row.source)
        known = least.setdefault((row.accelerator, row.term), hour)
        if hour.usd < known.usd:
            least[row.accelerator, row.term] = hour
    return least


def _own_hour(ask: Lists, chip: Accelerator) -> list[Hour]:
    """An owner's whole hour, where the scenario states it instead of a server's price."""
    finance, own = ask.scenario.finance, ask.scenario.deployment.resolved_accelerator
    if finance.tenure == "owned" and finance.cost_usd_per_gpu_hour and chip == own:
        source = finance.source or YOURS
        return [Hour(finance.cost_usd_per_gpu_hour, OWN, today(ask), source)]
    return []


def today(ask: Lists) -> str:
    return ask.day.isoformat()


def _is(name: str, chip: Accelerator) -> bool:
    if name == chip.id:
        return True
    try:
        return catalog.accelerator(name).id == chip.id
    except ValueError:
        return False
