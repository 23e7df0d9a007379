"""The menu: every seller and tier of an API, and every term on which each fleet can be had.

An entry knows how to make its `Books` for any market (today's draws, or other volumes for the
break-even), what it binds to, and what leaving after a year costs.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from econ.catalog.prices import Price
from econ.catalog.tables import table
from econ.decision import chance
from econ.decision.books import (
    RESALE_YEARS,
    Books,
    Market,
    api_books,
    by_the_hour,
    by_the_token,
    least_base_frac,
    owned_books,
    rented_books,
)
from econ.decision.fleets import Fleet
from econ.decision.hours import OWN, YOURS, Ask, Hour, hours_of, today
from econ.decision.offers import api_offers
from econ.decision.speeds import Speed, Tests, keeps_slo
from econ.plan.search import in_servers
from econ.plan.sellers import cache_shares
from econ.tco import Api

# kind of a committed or rented hour -> months that it binds
COMMITMENT_MONTHS = {
    "on-demand": 0, "spot": 0, "hyperscaler": 0, "reserved": 12, "reserved-3y": 36, OWN: 36,
}  # fmt: skip
USUAL = ("on-demand", "spot", "reserved", "reserved-3y", OWN)
NO_WAIT = "answers when there is room, within a day: only work with a deadline of a day waits"
NO_CACHED = "no cached price is listed: all input at full price"
ANSWERS_WITHIN_H = {"batch": 24.0, "flex": 24.0}  # services that are not for users who wait
TAKEN = "spot machines may be taken away at any time: only work with a deadline can stand that"


class Mixed(Protocol):
    """Books of a base with what exceeds it: by the hour, or by the token at ``usd``."""

    def __call__(self, market: Market, *, share: float, usd: float | None) -> Books: ...


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the menu before it is judged."""

    kind: str
    seller: str
    model: str
    books: Callable[[Market], Books]
    accelerator: str = ""
    words: str = ""
    as_of: str = ""
    source: str = ""
    evidence: str = ""
    p_keeps_slo: float
    n_gpu_sure: int = 0
    commitment_months: float = 0.0
    exit_usd: Callable[[Books], float] = field(default=lambda books: 0.0)
    fleet: Fleet | None = None
    usd_per_request: float | None = None
    rates: tuple[float, ...] = ()
    reason: str = ""


def api_entries(
    ask: Ask,
    model: str,
    own: Iterable[Price],
    sellers: Sequence[str] | None,
    measured: Tests | None,
) -> list[Entry]:
    """Every seller and tier of the model, at what a mean request of the workload costs there."""
    workload, slo = ask.scenario.workload, ask.scenario.slo
    read_frac, written_frac = cache_shares(workload, ask.cache_ttl_s, are_turns=ask.are_turns)
    entries = []
    for offer in api_offers(model, own=own, sellers=sellers, on=ask.day):
        usd = offer.usd_per_request(
            workload.mean_input_tokens, workload.mean_output_tokens, read_frac,
            written_frac=written_frac, ttl_s=ask.cache_ttl_s,
        )  # fmt: skip
        seller = offer.price.provider
        speed = keeps_slo(seller, slo, measured, offer.price.model or model)
        too_late = ask.deadline_h < ANSWERS_WITHIN_H.get(offer.service, 0.0)
        if ask.deadline_h:
            speed = Speed(1.0, "work that may wait asks for no speed")
        entries.append(
            Entry(
                kind="api" if offer.service == "standard" else f"api-{offer.service}",
                seller=seller,
                model=offer.price.model or model,
                books=_tokens(usd),
                words=_price_words(offer, workload.mean_input_tokens, read_frac),
                as_of=offer.price.in_force_since,
                source=offer.source or YOURS,
                evidence=speed.evidence,
                p_keeps_slo=0.0 if too_late else speed.p_keeps_slo,
                usd_per_request=usd,
                rates=_rates(
                    offer, workload.mean_input_tokens, read_frac, written_frac, ask.cache_ttl_s
                ),
                reason=NO_WAIT if too_late else "",
            )
        )
    return entries


def _tokens(usd_per_request: float) -> Callable[[Market], Books]:
    return lambda market: api_books(market, usd_per_request)


def _rates(
    offer: Api, input_tokens: float, read_frac: float, written_frac: float, ttl_s: float | None
) -> tuple[float, float, float, float]:
    """USD per Mtok of new and cached input, and of output; the share of input that is cached."""
    rates = offer.price.rates(input_tokens, offer.service)
    written = written_frac / (1 - read_frac) if read_frac < 1 else 0.0
    new = (1 - written) * rates.input_usd_per_mtok + written * rates.write_usd_per_mtok(ttl_s)
    return new, rates.read_usd_per_mtok, rates.output_usd_per_mtok, read_frac


def _price_words(offer: Api, input_tokens: float, cached_frac: float) -> str:
    rates = offer.price.rates(input_tokens, offer.service)
    cached = rates.cached_input_usd_per_mtok
    words = f"${rates.input_usd_per_mtok:g} in, ${rates.output_usd_per_mtok:g} out per Mtok"
    if cached is not None:
        return f"{words}, ${cached:g} cached"
    return f"{words}; {NO_CACHED}" if cached_frac else words


def fleet_entries(
    ask: Ask, fleets: Sequence[Fleet], kinds: Sequence[str], apis: Sequence[Entry], notes: list[str]
) -> list[Entry]:
    """Each fleet on each term, alone and as a base for what exceeds it by the hour or token."""
    live = [entry for entry in apis if not entry.reason and entry.usd_per_request is not None]
    cheapest = min(live, key=lambda entry: entry.usd_per_request or 0.0, default=None)
    entries = []
    for fleet in fleets:
        chip = fleet.accelerator
        hours = {kind: profile for kind in kinds if (profile := hours_of(ask, chip, kind))}
        hourly = min(hours.get("on-demand", ()), key=lambda hour: hour.usd, default=None)
        for kind, listed in hours.items():
            for hour in listed if (kind == OWN) == fleet.is_owned else ():
                entries += _rented(ask, fleet, kind, hour, hourly, cheapest)
        if fleet.is_owned and chip.id in ask.servers:
            entries += _owned(ask, fleet, hourly, cheapest, notes)
    return entries


def _rented(
    ask: Ask, fleet: Fleet, kind: str, hour: Hour, hourly: Hour | None, api: Entry | None
) -> list[Entry]:
    """A term alone; with a commitment, also as the base below what is bought hour by hour."""
    by_hour = COMMITMENT_MONTHS[kind] == 0
    years = max(COMMITMENT_MONTHS[kind] // 12, 1)
    above = hourly.usd if hourly else hour.usd

    def alone(market: Market) -> Books:
        return rented_books(
            market, fleet, hour.usd, by_the_hour(market, hour.usd if by_hour else above),
            base_frac=0.0 if by_hour else 1.0, term_years=years,
            licence_usd_per_gpu_year=ask.licence_usd_per_gpu_year,
        )  # fmt: skip

    entries = [_entry(ask, fleet, kind, hour, alone)]
    if by_hour or kind == OWN:
        return entries

    def mixed(market: Market, *, share: float, usd: float | None) -> Books:
        burst = by_the_hour(market, above) if usd is None else by_the_token(market, usd)
        return rented_books(
            market, fleet, hour.usd, burst, base_frac=share, term_years=years,
            licence_usd_per_gpu_year=ask.licence_usd_per_gpu_year,
        )  # fmt: skip

    return entries + _mixes(ask, fleet, kind, hour, mixed, hourly, api, fleet.n_replicas)


def _owned(
    ask: Ask, fleet: Fleet, hourly: Hour | None, api: Entry | None, notes: list[str]
) -> list[Entry]:
    """Servers of one's own for the peak, and as the base below what exceeds them."""
    finance, chip = ask.scenario.finance, fleet.accelerator
    pue = ask.scenario.resolved_site.pue
    if pue is None:
        notes.append(f"own {chip.id}: pue of {ask.scenario.resolved_site.id} is unknown: set pue")
        return []

    def mixed(market: Market, *, share: float, usd: float | None) -> Books:
        burst = (
            by_the_token(market, usd)
            if usd is not None
            else by_the_hour(market, hourly.usd if hourly else 0.0)
        )
        return owned_books(
            market, fleet, burst, base_frac=min(share, held_frac), pue=pue,
            life_years=finance.life_years,
            licence_usd_per_gpu_year=ask.licence_usd_per_gpu_year,
        )  # fmt: skip

    def alone(market: Market) -> Books:
        return owned_books(
            market, fleet, None, pue=pue, life_years=finance.life_years,
            licence_usd_per_gpu_year=ask.licence_usd_per_gpu_year,
        )  # fmt: skip

    price, dates = ask.servers[chip.id], table("servers")["as_of"]
    as_of = today(ask) if price.is_fixed else str(dates[chip.id])
    whose = Hour(price.typical, OWN, as_of, price.source or YOURS, per_server=True)
    try:
        n_gpu = alone(ask.plain).n_gpu
    except ValueError as error:
        notes.append(f"own {chip.id}: {error}")
        return []
    one = _entry(ask, fleet, OWN, whose, alone)
    most_gpu, limit = ask.scenario.power_limit(chip)
    if n_gpu > most_gpu:
        one = dataclasses.replace(one, reason=f"{limit}; the peak takes {n_gpu:,.0f}")
    if not most_gpu:
        return [one]
    held_frac = min(most_gpu / n_gpu, 1.0)  # the mixes' base is what the site holds at most
    n_servers = max(round(n_gpu / (chip.n_per_server or 8)), 1)
    return [one, *_mixes(ask, fleet, OWN, whose, mixed, hourly, api, n_servers)]


def _mixes(
    ask: Ask,
    fleet: Fleet,
    kind: str,
    hour: Hour,
    mixed: Mixed,
    hourly: Hour | None,
    api: Entry | None,
    n_most: int,
) -> list[Entry]:
    """Base and burst, base and API: only where the cheapest base is a part of the peak."""
    entries: list[Entry] = []
    if n_most < 2:
        return entries
    for suffix, usd, possible in (
        ("burst", None, hourly is not None),
        ("api", api.usd_per_request if api else None, api is not None),
    ):
        if not possible:
            continue
        share, books = least_base_frac(functools.partial(mixed, market=ask.plain, usd=usd), n_most)
        if not 0 < share < 1 or books.parts["burst"] <= 0:
            continue
        also = api.p_keeps_slo if suffix == "api" and api else 1.0
        entries.append(
            _entry(
                ask, fleet, f"{kind}+{suffix}", hour,
                functools.partial(mixed, share=share, usd=usd), also,
            )
        )  # fmt: skip
    return entries


def _entry(
    ask: Ask,
    fleet: Fleet,
    kind: str,
    hour: Hour,
    books: Callable[[Market], Books],
    p_of_the_rest: float = 1.0,
) -> Entry:
    base = kind.partition("+")[0]
    seller = "lists of hyperscalers" if kind == "hyperscaler" else hour.seller
    per = "a server" if hour.per_server else "per GPU-hour"
    n_sure = (fleet.n_sure + fleet.n_spare) * fleet.n_gpu_per_replica
    return Entry(
        kind="on-demand" if kind == "hyperscaler" else kind,
        seller=seller,
        model=ask.scenario.model_id,
        books=books,
        fleet=fleet,
        accelerator=fleet.accelerator.id,
        words=f"{fleet.words}, ${hour.usd:,.{0 if hour.per_server else 2}f} {per}",
        rates=(hour.usd,),
        as_of=hour.as_of,
        source=hour.source,
        evidence=f"{fleet.basis}, latency model: {fleet.regime}",
        p_keeps_slo=min(fleet.p_keeps_slo, p_of_the_rest),
        n_gpu_sure=int(in_servers(n_sure, fleet.accelerator)) if kind == OWN else n_sure,
        commitment_months=float(COMMITMENT_MONTHS[base]),
        exit_usd=_exit(ask, base),
        reason=TAKEN if kind == "spot" and not ask.deadline_h else "",
    )  # fmt: skip


def _exit(ask: Ask, base: str) -> Callable[[Books], float]:
    """What leaving after one year costs, in the typical case."""

    def usd(books: Books) -> float:
        if base == OWN and books.capital is not None:
            after_three = float(ask.market.draws.of(chance.RESIDUAL)[0])
            yearly_factor: float = after_three ** (1 / RESALE_YEARS)
            return float(books.capital[0, 0]) * (1 - yearly_factor)
        years_left = COMMITMENT_MONTHS[base] / 12 - 1
        return max(years_left, 0.0) * books.parts.get("machines", 0.0)

    return usd
