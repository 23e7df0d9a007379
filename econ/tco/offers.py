"""Three ways to get an answer: own machines, rented ones, an API; each bills a day's load.

>>> own = Buy(model="llama-3.1-70b", cost_usd_per_gpu_hour=1.55, per_s_per_instance=6.0,
...           gpus_per_instance=4)
>>> round(float(own.usd_per_day([10.0] * 24, input_tokens=1000, output_tokens=200)), 2)
297.6
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from econ.catalog import Price, price, table
from econ.catalog.guard import count, fraction, not_negative, positive
from econ.catalog.prices import CACHE_TTL_S
from econ.catalog.rents import rent_rows
from econ.catalog.units import (
    DAYS_PER_YEAR,
    HOUR_S,
    MONTHS_PER_YEAR,
    usd_per_token_from_usd_per_mtok,
)
from econ.scenario import Scenario
from econ.tco.finance import Amount
from econ.tco.layers import owner
from econ.tco.whole_units import units, units_needed
from econ.terms import Slo


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What every option states about itself.

    Parameters
    ----------
    model : str
        What it serves; options that serve different models are not compared unless asked.
    name : str
        What a reader calls it; by default what it is (buy, rent, api).
    slo : Slo, optional
        What its rate keeps; None where nothing is promised.
    precision : str
        Format of the weights, where known.
    currency : str
        Of its prices; two currencies are never compared.
    stale_after : str
        The day (YYYY-MM-DD) after which its price is to be checked again.
    source : str
        Where the price comes from.
    """

    model: str
    name: str = ""
    slo: Slo | None = None
    precision: str = ""
    currency: str = "USD"
    stale_after: str = ""
    source: str = ""

    @property
    def label(self) -> str:
        """Its name, or what it is."""
        return self.name or type(self).__name__.lower()

    def usd_per_day(
        self,
        load_per_s: ArrayLike,
        *,
        input_tokens: float,
        output_tokens: float,
        cached_frac: float = 0.0,
    ) -> Amount:
        """The day's bill; the 24 hours are the last axis of the load."""
        raise NotImplementedError

    def steps_per_s(self, load_per_s: ArrayLike) -> Amount:
        """How fast units open in each hour as the load grows: steps per scale of the load."""
        return np.empty(0)


@dataclass(frozen=True, kw_only=True)
class Machines(Offer):
    """Accelerators by the hour.

    Parameters
    ----------
    cost_usd_per_gpu_hour : float
        Of every hour paid for, e.g. 3.85.
    per_s_per_instance : float
        Requests per second of one instance within the SLO.
    gpus_per_instance, gpus_per_server : int
        Accelerators of an instance, and of a server that is bought whole.
    """

    cost_usd_per_gpu_hour: float
    per_s_per_instance: float
    gpus_per_instance: int = 1
    gpus_per_server: int = 8

    def __post_init__(self) -> None:
        not_negative("cost_usd_per_gpu_hour", self.cost_usd_per_gpu_hour)
        positive("per_s_per_instance", self.per_s_per_instance)
        count("gpus_per_instance", self.gpus_per_instance, 1)
        count("gpus_per_server", self.gpus_per_server, 1)

    def gpus(self, rate_per_s: ArrayLike) -> Amount:
        """GPUs paid in each hour of the day (last axis)."""
        raise NotImplementedError

    def usd_per_day(
        self,
        load_per_s: ArrayLike,
        *,
        input_tokens: float,
        output_tokens: float,
        cached_frac: float = 0.0,
    ) -> Amount:
        """Hours paid at their price; lengths and hits are inside the rate of an instance."""
        return self.gpus(np.asarray(load_per_s)).sum(axis=-1) * self.cost_usd_per_gpu_hour

    def rates_per_s(self, load_per_s: ArrayLike) -> Amount:
        """The hours' rates that open units: the peak's where it is paid all day."""
        return np.array([np.max(load_per_s)])

    def steps_per_s(self, load_per_s: ArrayLike) -> Amount:
        """Units that each rate fills at this load."""
        return self.rates_per_s(load_per_s) / self.per_s_per_instance


@dataclass(frozen=True, kw_only=True)
class Buy(Machines):
    """Own servers for the peak, whole ones and spares, paid in every hour.

    ``cost_usd_per_gpu_hour`` is the owner's, for all hours (`econ.tco.owner`);
    ``staff_usd_per_month`` does not grow with the fleet.
    """

    n_spare_servers: int = 0
    spare_frac: float = 0.0
    staff_usd_per_month: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        count("n_spare_servers", self.n_spare_servers)
        fraction("spare_frac", self.spare_frac)
        not_negative("staff_usd_per_month", self.staff_usd_per_month)

    @classmethod
    def of(cls, s: Scenario, *, per_s_per_instance: float, name: str = "own") -> Buy:
        """The owner of a scenario's deployment, which is one instance (`econ.tco.owner`).

        >>> buy = Buy.of(Scenario.default(), per_s_per_instance=9.0)
        >>> buy.gpus_per_instance, round(buy.cost_usd_per_gpu_hour, 2)
        (4, 1.83)
        """
        hour = owner(s).cost_usd_per_gpu_hour
        return cls(name=name, cost_usd_per_gpu_hour=hour, **_instance(s, per_s_per_instance))

    def gpus(self, rate_per_s: ArrayLike) -> Amount:
        """GPUs paid in each hour of the day (last axis): the peak's, all day."""
        need = units(
            peak_per_s=np.asarray(rate_per_s).max(axis=-1),
            per_s_per_instance=self.per_s_per_instance,
            gpus_per_instance=self.gpus_per_instance,
            gpus_per_server=self.gpus_per_server,
            n_spare_servers=self.n_spare_servers,
            spare_frac=self.spare_frac,
        ).n_gpu
        return np.broadcast_to(np.asarray(need)[..., None], np.shape(rate_per_s))

    def usd_per_day(self, load_per_s: ArrayLike, **sizes: float) -> Amount:
        """The servers of the peak all day, and the staff."""
        staff_usd = self.staff_usd_per_month * MONTHS_PER_YEAR / DAYS_PER_YEAR
        return super().usd_per_day(load_per_s, **sizes) + staff_usd


@dataclass(frozen=True, kw_only=True)
class Rent(Machines):
    """Rented instances: by the hour following the load, or ``reserved`` for the peak all day.

    ``n_least`` instances are paid in every hour.
    """

    reserved: bool = False
    n_least: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        count("n_least", self.n_least)

    @classmethod
    def of(
        cls, s: Scenario, *, per_s_per_instance: float, term: str = "on-demand", name: str = ""
    ) -> Rent:
        """A scenario's deployment, which is one instance, at its latest rent on a term.

        What is reserved is paid for the peak all day.

        >>> Rent.of(Scenario.default(), per_s_per_instance=9.0).cost_usd_per_gpu_hour
        3.99
        """
        latest = rent_rows(s.deployment.accelerator_id, term).iloc[-1]
        return cls(
            name=name or term,
            reserved=term.startswith("reserved"),
            cost_usd_per_gpu_hour=float(latest["usd_per_gpu_hour"]),
            stale_after=str(latest["stale_after"]),
            source=str(latest["source"]),
            **_instance(s, per_s_per_instance),
        )

    def gpus(self, rate_per_s: ArrayLike) -> Amount:
        """GPUs paid in each hour of the day (last axis)."""
        n = np.maximum(units_needed(rate_per_s, self.per_s_per_instance), self.n_least)
        if self.reserved:
            n = np.broadcast_to(n.max(axis=-1, keepdims=True), n.shape)
        return n * self.gpus_per_instance

    def rates_per_s(self, load_per_s: ArrayLike) -> Amount:
        """Every hour's rate, or the peak's where it is reserved."""
        load = np.asarray(load_per_s)
        return super().rates_per_s(load) if self.reserved else np.unique(load[load > 0])


@dataclass(frozen=True, kw_only=True)
class Api(Offer):
    """A price list and one of its services; the seller keeps the machines."""

    price: Price
    service: str = "standard"

    @classmethod
    def listed(cls, model: str, provider: str, *, serves: str = "", name: str = "api") -> Api:
        """The latest list of a seller, with the day on which it is to be checked again.

        ``serves``: the model it stands for in a comparison, where its own name differs.

        >>> Api.listed("llama-3.1-70b-turbo", "DeepInfra", serves="llama-3.1-70b").model
        'llama-3.1-70b'
        """
        rows = table("api_prices").query("model == @model and provider == @provider")
        listed = price(model, provider)
        latest = rows.sort_values("in_force_since").iloc[-1]
        return cls(
            model=serves or model,
            name=name,
            price=listed,
            stale_after=str(latest["stale_after"]),
            source=str(latest["source"]),
        )

    def usd_per_request(
        self,
        input_tokens: float,
        output_tokens: float,
        cached_frac: float = 0.0,
        *,
        written_frac: float = 0.0,
        ttl_s: float | None = CACHE_TTL_S,
    ) -> float:
        """The list-price bill of one request.

        Parameters
        ----------
        input_tokens, output_tokens : float
            Of the request, e.g. 1,000 and 200.
        cached_frac, written_frac : float
            Shares of the input that are read from the seller's cache, and written to it.
        ttl_s : float, optional
            For how long they are written, e.g. 300 or 3600.

        Examples
        --------
        >>> from econ.catalog import price
        >>> claude = Api(model="claude", price=price("claude-opus-4-8"))
        >>> [claude.usd_per_request(1e6, 0, 0.5, written_frac=0.5, ttl_s=t) for t in (300, 3600)]
        [3.375, 5.25]
        """
        not_negative("input_tokens", input_tokens, 1e15)
        not_negative("output_tokens", output_tokens, 1e15)
        fraction("cached_frac + written_frac", cached_frac + written_frac)
        rates = self.price.rates(input_tokens, self.service)
        usd_per_mtok = (
            (1 - cached_frac - written_frac) * rates.input_usd_per_mtok
            + cached_frac * rates.read_usd_per_mtok
            + written_frac * rates.write_usd_per_mtok(ttl_s)
        )
        return input_tokens * usd_per_token_from_usd_per_mtok(
            usd_per_mtok
        ) + output_tokens * usd_per_token_from_usd_per_mtok(rates.output_usd_per_mtok)

    def usd_per_day(
        self,
        load_per_s: ArrayLike,
        *,
        input_tokens: float,
        output_tokens: float,
        cached_frac: float = 0.0,
    ) -> Amount:
        """Every request at its list price."""
        request_usd = self.usd_per_request(input_tokens, output_tokens, cached_frac)
        return np.asarray(load_per_s, dtype=float).sum(axis=-1) * HOUR_S * request_usd


def _instance(s: Scenario, per_s_per_instance: float) -> dict[str, Any]:
    """What the machines of a scenario state about themselves."""
    d = s.deployment
    return {
        "model": s.model_id,
        "slo": s.slo,
        "precision": d.precision,
        "per_s_per_instance": per_s_per_instance,
        "gpus_per_instance": d.n_gpu,
        "gpus_per_server": d.resolved_accelerator.n_per_server or 8,
    }
