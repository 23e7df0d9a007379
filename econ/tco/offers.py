"""Three ways to get an answer, and the guard that names what makes them unlike.

A comparison is fair when all serve the same model within the same latency limits, in one
currency, at prices still in force. What differs is named; what cannot be compared is refused.

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

from econ.catalog import Price, price
from econ.catalog.audit import is_stale
from econ.catalog.guard import count, fraction, not_negative, positive
from econ.tco.whole_units import units, whole
from econ.terms import Slo
from econ.tokens.bill import token_bill

__all__ = ["Api", "Buy", "Offer", "Rent", "UnlikeComparison", "price"]


class UnlikeComparison(ValueError):
    """Options that differ in more than their price; the message names each difference."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What every option states about itself."""

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


@dataclass(frozen=True, kw_only=True)
class Machines(Offer):
    """Accelerators by the hour; ``per_s_per_instance`` is the rate that meets the SLO."""

    cost_usd_per_gpu_hour: float
    per_s_per_instance: float
    gpus_per_instance: int = 1
    gpus_per_server: int = 8

    def __post_init__(self) -> None:
        not_negative("cost_usd_per_gpu_hour", self.cost_usd_per_gpu_hour)
        positive("per_s_per_instance", self.per_s_per_instance)
        count("gpus_per_instance", self.gpus_per_instance, 1)
        count("gpus_per_server", self.gpus_per_server, 1)


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

    def gpus(self, rate_per_s: np.ndarray) -> np.ndarray:
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


@dataclass(frozen=True, kw_only=True)
class Rent(Machines):
    """Rented instances: by the hour following the load, or ``reserved`` for the peak all day."""

    reserved: bool = False
    n_least: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        count("n_least", self.n_least)

    def gpus(self, rate_per_s: np.ndarray) -> np.ndarray:
        """GPUs paid in each hour of the day (last axis)."""
        n = np.maximum(whole(rate_per_s, self.per_s_per_instance), self.n_least)
        if self.reserved:
            n = np.broadcast_to(n.max(axis=-1, keepdims=True), n.shape)
        return n * self.gpus_per_instance


@dataclass(frozen=True, kw_only=True)
class Api(Offer):
    """A price list; the seller keeps the machines."""

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


def unlike(offers: Sequence[Offer]) -> list[str]:
    """What makes a comparison unfair: other models, other promises, other currencies."""
    found = []
    for what, of in (
        ("currency", lambda o: o.currency),
        ("model", lambda o: o.model),
        ("SLO", lambda o: o.slo and _slo(o.slo)),
    ):
        said = {o.label: of(o) for o in offers if of(o)}
        if len(set(said.values())) > 1:
            words = " against ".join(f"{value} ({name})" for name, value in said.items())
            found.append(f"{what}: {words}")
    return found


def doubts(offers: Sequence[Offer], slo: Slo | None = None, on: str | None = None) -> list[str]:
    """What a reader must know beside a fair comparison: stale prices, other bits, no promise.

    ``on``: the day as YYYY-MM-DD, today if left out.
    """
    found = []
    for o in offers:
        if is_stale(o.stale_after, on):
            found.append(f"{o.label}: price to be checked again after {o.stale_after}")
        if slo is not None and o.slo is None and isinstance(o, Api):
            found.append(f"{o.label}: latency is not promised")
    bits = {o.label: o.precision for o in offers if o.precision}
    if len(set(bits.values())) > 1:
        found.append("precision: " + " against ".join(f"{v} ({k})" for k, v in bits.items()))
    return found


def refuse_unlike(offers: Sequence[Offer], allow_unlike: bool) -> list[str]:
    """The differences if allowed, else the error; two currencies are never allowed."""
    found = unlike(offers)
    never = [f for f in found if f.startswith("currency")]
    if never or (found and not allow_unlike):
        raise UnlikeComparison("not like for like: " + "; ".join(never or found))
    return found


def _slo(slo: Slo) -> str:
    return f"TTFT {slo.ttft_s:g} s, TPOT {slo.tpot_s:g} s for {slo.attainment_frac:.0%}"
