"""The guard of a comparison: it names what makes offers unlike, and what a reader must know.

A comparison is fair when all serve the same model within the same SLO, in one currency, at prices
still in force. What differs is named; what cannot be compared is refused.

>>> from econ.catalog import price
>>> from econ.tco.offers import Api, Buy
>>> own = Buy(model="llama-3.1-70b", cost_usd_per_gpu_hour=1.55, per_s_per_instance=6.0)
>>> api = Api(model="gpt-4o-mini", price=price("gpt-4o-mini"))
>>> unlike([own, api])
['model: llama-3.1-70b (buy) against gpt-4o-mini (api)']
>>> from econ.terms import Slo
>>> doubts([own, api], slo=Slo())
['api: latency is not promised']
"""

from __future__ import annotations

from collections.abc import Sequence

from econ.catalog.audit import is_stale
from econ.tco.offers import Api, Offer
from econ.terms import Slo


class UnlikeComparison(ValueError):
    """Options that differ in more than their price; the message names each difference."""


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
