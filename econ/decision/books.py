"""What each way of serving costs, year by year and draw by draw, from the hours of a day.

Every way is a `Books`: operating cost by year, capital when it is bought, resale at the horizon.
The load has 24 rates; replicas and servers are whole in every hour, year and draw. Committed units
(reserved, owned) are paid all day; what exceeds them is rented by the hour or sent to an API.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from econ.catalog import Accelerator, given
from econ.catalog.guard import in_range, positive
from econ.catalog.units import DAYS_PER_YEAR, HOUR_S, HOURS_PER_DAY, HOURS_PER_YEAR, MONTHS_PER_YEAR
from econ.decision import chance
from econ.decision.chance import Draws
from econ.decision.fleets import Fleet
from econ.tco import Ownership, day_load, owner

SLACK = 1 - 1e-9  # a load that fills a unit exactly does not open the next
GPUS_PER_SERVER = 8  # that a quarter person runs
RESALE_YEARS = 3.0  # age at which the data quote a resale price
Array = np.ndarray
Owned = tuple[str, float, float | None]  # accelerator, PUE, stated life
Parts = dict[str, float]  # USD of the first year by what it is paid for


@dataclass(frozen=True)
class Market:
    """What all options share: the load of the day, its growth, the draws, the years.

    ``load_per_s`` holds 24 rates today; ``grown`` their factor in each draw and year;
    ``at_work_frac`` the share of hours in which that load comes at all.
    """

    load_per_s: Array
    draws: Draws
    n_years: int
    at_work_frac: float = 1.0
    n_times: Array | float = 1.0
    owners: dict[Owned, Ownership] = field(default_factory=dict, repr=False)

    @property
    def grown(self) -> Array:
        """Factor on the load, draws × years."""
        return np.asarray(
            self.draws.path(chance.GROWTH, self.years) * np.reshape(self.n_times, (-1, 1))
        )

    @property
    def years(self) -> Array:
        """0 for the first year, 1 for the next, …"""
        return np.arange(self.n_years)

    def paid(self, name: str) -> Array:
        """Factor of a price that is paid as it comes: that of the middle of each year."""
        return self.draws.path(name, self.years + 0.5)

    def requests_per_year(self, per_s: Array) -> Array:
        """Requests of a year from 24 rates on the last axis."""
        return np.asarray(per_s.sum(axis=-1) * HOUR_S * DAYS_PER_YEAR * self.at_work_frac)

    def life(self, life_years: float | None) -> Array:
        """The life of servers in each draw, or as it is stated."""
        draws = self.draws
        return draws.of(chance.LIFE) if life_years is None else np.full(draws.n_rows, life_years)

    def owner_of(self, chip: Accelerator, pue: float, life_years: float | None) -> Ownership:
        """What an owner's hour is made of in each draw: built once."""
        key = chip.id, pue, life_years
        if key not in self.owners:
            draws = self.draws
            self.owners[key] = owner(
                chip,
                include=("support", "insurance"),
                server_usd=draws.of(chance.SERVER + chip.id) * (1 - draws.of(chance.DISCOUNT)),
                electricity_usd_per_kwh=draws.of(chance.ELECTRICITY),
                pue=pue,
                cost_of_capital_frac=draws.of(chance.RATE),
                life_years=self.life(life_years),
            )
        return self.owners[key]

    def units(self, fleet: Fleet) -> Array:
        """Replicas that each hour needs, spares too: draws × years × 24."""
        rate = fleet.rate_per_s * self.draws.of(chance.SPEED + fleet.speed)
        if fleet.n_replicas > 1:  # a single one is down as a whole: no share of it is spare
            rate = rate * self.draws.of(chance.AVAILABLE) / self.draws.of(chance.AVAILABLE)[0]
        load = self.grown[..., None] * self.load_per_s
        need: Array = np.ceil(load / rate[:, None, None] * SLACK)
        return np.asarray(np.maximum(need, 1.0) + fleet.n_spare)


@dataclass(frozen=True)
class Books:
    """Cost of one way of serving: arrays of draws × years, in USD.

    ``running`` is paid through each year, ``capital`` at its start, ``resale`` comes back at the
    horizon (draws); ``level`` is what capital costs by the year, as an annuity over its life.
    ``n_gpu`` are accelerators at the peak of the first year in the typical case; ``parts`` says
    what that year pays for, ``bought`` what its capital is.
    """

    running: Array
    level: Array
    n_gpu: float = 0.0
    capital: Array | None = None
    resale: Array | None = None
    parts: Parts = field(default_factory=dict)
    bought: Parts = field(default_factory=dict)

    @property
    def year_usd(self) -> Array:
        """What each year costs, capital as its annuity."""
        return np.asarray(self.running + self.level)

    def present_usd(self, rate: Array) -> Array:
        """Cost in today's money: capital at the start of a year, the rest in its middle."""
        years = np.arange(self.running.shape[1])
        growth = 1 + rate[:, None]
        total: Array = (self.running / growth ** (years + 0.5)).sum(axis=1)
        if self.capital is not None:
            total = total + (self.capital / growth**years).sum(axis=1)
        if self.resale is not None:
            total = total - self.resale / growth[:, 0] ** self.running.shape[1]
        return total


def hourly_load(mean_per_s: float, peak_factor: float = 1.0) -> Array:
    """Requests per second in each hour of a day, the busiest ``peak_factor`` times the mean.

    A cosine up to a factor of 2 (`econ.tco.day_load`); above it a power of the raised cosine.

    >>> [round(float(hourly_load(10.0, p).max()), 6) for p in (1.0, 1.5, 4.0)]
    [10.0, 15.0, 40.0]
    """
    positive("mean_per_s", mean_per_s, 1e9)
    in_range("peak_factor", peak_factor, 1.0, HOURS_PER_DAY)
    if peak_factor <= 2:
        swing = day_load(mean_per_s, peak_factor) - mean_per_s
        widest = swing.max() or 1.0
        return np.asarray(mean_per_s + swing * (peak_factor - 1) * mean_per_s / widest)
    from scipy.optimize import brentq

    n_hours = int(HOURS_PER_DAY)
    angle = np.arange(n_hours) * 2 * np.pi / n_hours
    raised = (1 - np.cos(angle)) / 2

    def excess(power: float) -> float:
        return float(1 / np.mean(raised**power)) - peak_factor

    hours = raised ** brentq(excess, 0.5, 10_000.0)
    return np.asarray(hours / hours.mean() * mean_per_s)


def api_books(market: Market, usd_per_request: float) -> Books:
    """Every request at its price; the price follows the path of token prices."""
    requests = market.requests_per_year(market.grown[..., None] * market.load_per_s)
    usd = requests * usd_per_request * market.paid(chance.TOKENS)
    return Books(usd, np.zeros_like(usd), parts={"tokens": float(usd[0, 0])})


Burst = Callable[[Array, Fleet], Array]  # replicas wanted beyond the base -> USD a year


def by_the_hour(market: Market, usd_per_gpu_hour: float) -> Burst:
    """What exceeds the base, rented by the hour."""

    def usd(beyond: Array, fleet: Fleet) -> Array:
        path = market.paid(chance.RENTS)
        hours = beyond.sum(axis=-1) * DAYS_PER_YEAR * market.at_work_frac
        return np.asarray(hours * fleet.n_gpu_per_replica * usd_per_gpu_hour * path)

    return usd


def by_the_token(market: Market, usd_per_request: float) -> Burst:
    """What exceeds the base, sent to an API: the requests of the hours above it."""

    def usd(beyond: Array, fleet: Fleet) -> Array:
        rate = fleet.rate_per_s * market.draws.of(chance.SPEED + fleet.speed)
        load = market.grown[..., None] * market.load_per_s
        base = market.units(fleet) - beyond
        over = np.where(beyond > 0, np.maximum(load - base * rate[:, None, None], 0.0), 0.0)
        path = market.paid(chance.TOKENS)
        return np.asarray(market.requests_per_year(over) * usd_per_request * path)

    return usd


def rented_books(
    market: Market,
    fleet: Fleet,
    usd_per_gpu_hour: float,
    burst: Burst,
    *,
    base_frac: float,
    term_years: int = 1,
    licence_usd_per_gpu_year: float = 0.0,
) -> Books:
    """A base of replicas paid all day on a term, and what exceeds it.

    Parameters
    ----------
    market, fleet
        The load, and what serves it.
    usd_per_gpu_hour : float
        Of the base, before the negotiated discount.
    burst : callable
        `by_the_hour` or `by_the_token`.
    base_frac : float
        Share of the peak's replicas that is the base: 0 for none of them, 1 for all.
    term_years : int
        How long size and price of the base stay as they were when it was signed.
    licence_usd_per_gpu_year : float
        Of software, for every accelerator at the peak.
    """
    need = market.units(fleet)
    peak = need.max(axis=-1)
    signed = market.years // term_years * term_years
    base = np.floor(base_frac * peak / SLACK)[:, signed]
    beyond = np.maximum(need - base[..., None], 0.0)
    path = market.draws.path(chance.RENTS, signed)
    off = 1 - market.draws.of(chance.DISCOUNT)[:, None]
    committed = base * fleet.n_gpu_per_replica * usd_per_gpu_hour * HOURS_PER_YEAR * path * off
    extra = burst(beyond, fleet)
    gpus = peak * fleet.n_gpu_per_replica
    staff, licences = staff_usd(market, gpus), gpus * licence_usd_per_gpu_year
    running = committed + extra + staff + licences
    parts = {"machines": committed, "burst": extra, "staff": staff, "licences": licences}
    return Books(
        running,
        np.zeros_like(running),
        n_gpu=float(gpus[0, 0]),
        parts={name: float(usd[0, 0]) for name, usd in parts.items()},
    )


def owned_books(
    market: Market,
    fleet: Fleet,
    burst: Burst | None,
    *,
    base_frac: float = 1.0,
    pue: float,
    life_years: float | None = None,
    licence_usd_per_gpu_year: float = 0.0,
) -> Books:
    """Whole servers of one's own, bought as the load grows, and what exceeds them.

    Support and insurance are the owner's. Servers last their life and are replaced at the price of
    that year; at the horizon they are sold at what the market then pays for their age.

    Parameters
    ----------
    market, fleet, burst
        As in `rented_books`; None for a base that serves the peak.
    base_frac : float
        Share of the peak's servers that is bought.
    pue : float
        Of the place.
    life_years : float, optional
        Of the servers, where the owner states it.
    licence_usd_per_gpu_year : float
        Of software, for every owned accelerator.
    """
    draws, chip = market.draws, fleet.accelerator
    stated = market.life(life_years)
    own = market.owner_of(chip, pue, life_years)
    per_server = int(own.n_gpu)
    per_replica = fleet.n_gpu_per_replica
    need = market.units(fleet)
    peak = need.max(axis=-1)
    wanted = _servers(peak, per_replica, per_server)
    servers = wanted if burst is None else np.floor(base_frac * wanted / SLACK)
    n_servers = np.maximum.accumulate(servers, axis=1)  # none is sold before the horizon
    replicas = n_servers * per_server // per_replica
    capital_each = np.broadcast_to(own.capital_usd, draws.n_rows)
    capital, resale = _cohorts(market, n_servers, capital_each, stated)
    yearly = np.broadcast_to(own.operating_usd_per_gpu_hour, draws.n_rows) * HOURS_PER_YEAR
    operating = n_servers * per_server * yearly[:, None]
    level = (
        n_servers
        * np.broadcast_to(own.capital_usd_per_month * MONTHS_PER_YEAR, draws.n_rows)[:, None]
    )
    beyond = np.maximum(need - replicas[..., None], 0.0)
    extra = np.zeros_like(operating) if burst is None else burst(beyond, fleet)
    gpus = n_servers * per_server
    staff, licences = staff_usd(market, gpus), gpus * licence_usd_per_gpu_year
    running = operating + extra + staff + licences
    n_first = float(n_servers[0, 0])
    charges = {
        part.name: float(n_first * np.ravel(part.usd_per_month)[0] * MONTHS_PER_YEAR)
        for part in own.charges
    }
    parts = {"burst": extra, "staff": staff, "licences": licences}
    return Books(
        running,
        level,
        n_gpu=float(gpus[0, 0]),
        capital=capital,
        resale=resale,
        parts={"capital": float(level[0, 0])}
        | charges
        | {name: float(usd[0, 0]) for name, usd in parts.items()},
        bought={part.name: float(n_first * np.ravel(part.capital_usd)[0]) for part in own.assets},
    )


def _servers(replicas: Array, per_replica: int, per_server: int) -> Array:
    """Whole servers for so many replicas; a larger replica takes whole servers."""
    inside = per_server // per_replica
    if inside:
        return np.asarray(np.ceil(replicas / inside))
    return np.asarray(replicas * np.ceil(per_replica / per_server))


def _cohorts(
    market: Market, n_servers: Array, usd_each: Array, life_years: Array
) -> tuple[Array, Array]:
    """Capital by year and resale at the horizon, of servers bought when needed or worn out."""
    draws, n_years = market.draws, market.n_years
    life = np.maximum(np.rint(life_years), 1.0)
    price = usd_each[:, None] * draws.path(chance.SERVERS, market.years)
    fade = draws.of(chance.RESIDUAL)
    bought = np.zeros((draws.n_rows, n_years))
    for year in range(n_years):
        ages = year - np.arange(year)
        alive = (bought[:, :year] * (ages < life[:, None])).sum(axis=1)
        bought[:, year] = np.maximum(n_servers[:, year] - alive, 0.0)
    ages = n_years - np.arange(n_years)
    alive = bought * (ages <= life[:, None])
    worth = price * fade[:, None] ** (ages / RESALE_YEARS)
    return bought * price, (alive * worth).sum(axis=1)


@dataclass(frozen=True)
class Crew:
    """What machines cost a year beside themselves: their share of a team, and licences.

    >>> Crew(360_000.0, 1_000.0).usd_per_year(np.array([1.0, 9.0])).tolist()
    [31000.0, 69000.0]
    """

    team_usd: Array | float
    licence_usd_per_gpu: float = 0.0

    def staff_usd(self, gpus: Array) -> Array:
        """A quarter person a server, up to a whole team."""
        row = given("layers", "staff")
        share = np.ceil(gpus / GPUS_PER_SERVER) * (row.low / row.typical)
        return np.asarray(self.team_usd * np.minimum(share, 1.0))

    def usd_per_year(self, gpus: Array) -> Array:
        """Staff and licences of so many accelerators."""
        return np.asarray(self.staff_usd(gpus) + gpus * self.licence_usd_per_gpu)


def staff_usd(market: Market, gpus: Array) -> Array:
    """Who runs machines, bought or rented: a quarter person a server, up to a whole team.

    The team is the ``staff`` input; the quarter is the low end of the row ``staff`` of
    ``data/tco/layers.csv``. A seller's price of tokens holds its staff already.
    """
    return Crew(market.draws.of(chance.STAFF)[:, None]).staff_usd(gpus)


def least_base_frac(books: Callable[..., Books], n_most: int) -> tuple[float, Books]:
    """The share of the peak that is cheapest as a base, of the typical case's first year."""
    shares = np.unique(np.linspace(0, 1, min(n_most, 48) + 1))
    tried = [(float(share), books(share=float(share))) for share in shares]
    return min(tried, key=lambda pair: float(pair[1].year_usd[0, 0]))
