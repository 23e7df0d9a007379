"""Three ways to get an answer, and the guard that names what makes them unlike.

A comparison is fair when all serve the same model within the same SLO, in one currency, at prices
still in force. What differs is named; what cannot be compared is refused.

>>> from econ.catalog import price
>>> own = Buy(model="llama-3.1-70b", cost_usd_per_gpu_hour=1.55, per_s_per_instance=6.0,
...           gpus_per_instance=4)
>>> api = Api(model="gpt-4o-mini", price=price("gpt-4o-mini"))
>>> unlike([own, api])
['model: llama-3.1-70b (buy) against gpt-4o-mini (api)']
>>> from econ.terms import Slo
>>> doubts([own, api], slo=Slo())
['api: latency is not promised']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from econ.catalog import Price
from econ.catalog.audit import is_stale
from econ.catalog.guard import count, fraction, not_negative, positive
from econ.catalog.units import DAYS_PER_YEAR, HOUR_S, MONTHS_PER_YEAR
from econ.tco.finance import Amount
from econ.tco.whole_units import units, whole
from econ.terms import Slo
from econ.tokens.bill import token_bill


class UnlikeComparison(ValueError):
    """Options that differ in more than their price; the message names each difference."""


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
        load_per_s: Amount,
        *,
        input_tokens: float,
        output_tokens: float,
        cached_frac: float = 0.0,
    ) -> Amount:
        """The day's bill; the 24 hours are the last axis of the load."""
        raise NotImplementedError

    def steps_per_s(self, load_per_s: Amount) -> Amount:
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

    def gpus(self, rate_per_s: Amount) -> Amount:
        """GPUs paid in each hour of the day (last axis)."""
        raise NotImplementedError

    def usd_per_day(
        self,
        load_per_s: Amount,
        *,
        input_tokens: float,
        output_tokens: float,
        cached_frac: float = 0.0,
    ) -> Amount:
        """Hours paid at their price; lengths and hits are inside the rate of an instance."""
        return self.gpus(np.asarray(load_per_s)).sum(axis=-1) * self.cost_usd_per_gpu_hour

    def rates_per_s(self, load_per_s: Amount) -> Amount:
        """The hours' rates that open units: the peak's where it is paid all day."""
        return np.array([np.max(load_per_s)])

    def steps_per_s(self, load_per_s: Amount) -> Amount:
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

    def gpus(self, rate_per_s: Amount) -> Amount:
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

    def usd_per_day(self, load_per_s: Amount, **sizes: float) -> Amount:
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

    def gpus(self, rate_per_s: Amount) -> Amount:
        """GPUs paid in each hour of the day (last axis)."""
        n = np.maximum(whole(rate_per_s, self.per_s_per_instance), self.n_least)
        if self.reserved:
            n = np.broadcast_to(n.max(axis=-1, keepdims=True), n.shape)
        return n * self.gpus_per_instance

    def rates_per_s(self, load_per_s: Amount) -> Amount:
        """Every hour's rate, or the peak's where it is reserved."""
        load = np.asarray(load_per_s)
        return super().rates_per_s(load) if self.reserved else np.unique(load[load > 0])


@dataclass(frozen=True, kw_only=True)
class Api(Offer):
    """A price list, in batch where ``batch``; the seller keeps the machines."""

    price: Price
    batch: bool = False

    def usd_per_request(
        self, input_tokens: float, output_tokens: float, cached_frac: float = 0.0
    ) -> float:
        """The list-price bill of one request (`econ.tokens.bill`)."""
        fraction("cached_frac", cached_frac)
        return token_bill(
            self.price,
            input_tokens=input_tokens,
            cache_read_tokens=input_tokens * cached_frac,
            output_tokens=output_tokens,
            batch=self.batch,
        ).total_usd

    def usd_per_day(
        self,
        load_per_s: Amount,
        *,
        input_tokens: float,
        output_tokens: float,
        cached_frac: float = 0.0,
    ) -> Amount:
        """Every request at its list price."""
        request_usd = self.usd_per_request(input_tokens, output_tokens, cached_frac)
        return np.asarray(load_per_s, dtype=float).sum(axis=-1) * HOUR_S * request_usd


def unlike(offers: Sequence[Offer]) -> list[str]:
    """What makes a comparison unfair: other models, other SLOs, other currencies."""
    differences = []
    for what, values in (
        ("currency", {o.label: o.currency for o in offers}),
        ("model", {o.label: o.model for o in offers}),
        ("SLO", {o.label: _words(o.slo) for o in offers if o.slo}),
    ):
        if len({value for value in values.values() if value}) > 1:
            words = " against ".join(f"{value} ({name})" for name, value in values.items() if value)
            differences.append(f"{what}: {words}")
    return differences


def doubts(offers: Sequence[Offer], slo: Slo | None = None, on: str | None = None) -> list[str]:
    """What a reader must know beside a fair comparison: stale prices, other bits, no SLO.

    ``on``: the day as YYYY-MM-DD, today if left out.
    """
    warnings = []
    for offer in offers:
        if is_stale(offer.stale_after, on):
            warnings.append(f"{offer.label}: price to be checked again after {offer.stale_after}")
        if slo is not None and offer.slo is None and isinstance(offer, Api):
            warnings.append(f"{offer.label}: latency is not promised")
    formats = {o.label: o.precision for o in offers if o.precision}
    if len(set(formats.values())) > 1:
        words = " against ".join(f"{value} ({name})" for name, value in formats.items())
        warnings.append(f"precision: {words}")
    return warnings


def refuse_unlike(offers: Sequence[Offer], allow_unlike: bool) -> list[str]:
    """The differences if allowed, else `UnlikeComparison`; two currencies are never allowed."""
    differences = unlike(offers)
    never = [text for text in differences if text.startswith("currency")]
    if never or (differences and not allow_unlike):
        raise UnlikeComparison("not like for like: " + "; ".join(never or differences))
    return differences


def _words(slo: Slo) -> str:
    return f"TTFT {slo.ttft_s:g} s, TPOT {slo.tpot_s:g} s for {slo.attainment_frac:.0%}"
