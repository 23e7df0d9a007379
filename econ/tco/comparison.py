"""Buy, rent or call an API: one day's load at one SLO, and every break-even.

Machines come whole, so costs are staircases in the load while the API's is a straight line: they
can cross many times. Crossings are found between all steps, not sampled, and "never" is an answer.
A comparison is fair when all serve the same model within the same SLO, in one currency, at prices
still in force: `unlike` and `doubts` name what differs; what cannot be compared is refused.

>>> from econ.catalog import Price, price
>>> from econ.tco.offers import Buy, Rent
>>> own = Buy(model="m", cost_usd_per_gpu_hour=1.6, per_s_per_instance=6.0, gpus_per_instance=4)
>>> cloud = Rent(model="m", cost_usd_per_gpu_hour=3.8, per_s_per_instance=6.0, gpus_per_instance=4)
>>> listed = Price(model="m", input_usd_per_mtok=0.9, output_usd_per_mtok=0.9)
>>> api = Api(model="m", price=listed)
>>> day = compare_buy_rent_api(day_load(20.0), own, cloud, api,
...                            input_tokens=1000, output_tokens=200)
>>> day.cheapest
'buy'
>>> day.frame[["option", "usd_per_day", "n_gpu"]].round(0).to_dict("records")[0]
{'option': 'buy', 'usd_per_day': 922.0, 'n_gpu': 24.0}
>>> other = Api(model="gpt-4o-mini", price=price("gpt-4o-mini"))
>>> unlike([own, other]), doubts([own, other], slo=Slo())
(['model: m (buy) against gpt-4o-mini (api)'], ['api: latency is not promised'])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog.audit import is_stale
from econ.catalog.guard import each, fraction, in_range, not_negative, positive, shown
from econ.catalog.units import HOUR_S, HOURS_PER_DAY
from econ.catalog.units import usd_per_mtok_from_usd_per_token as per_mtok
from econ.tco.offers import Api, Machines, Offer
from econ.terms import Slo

MOST_STEPS = 50_000  # steps of a staircase that a search looks between
FARTHEST = 20.0  # times the load, where steps allow
EVEN_FRAC = 1e-9  # costs closer than this are equal


def day_load(mean_per_s: float, peak_to_mean_factor: float = 1.5) -> np.ndarray:
    """Requests per second in each hour of a day: a cosine, lowest at midnight.

    Parameters
    ----------
    mean_per_s : float
        Requests per second over the day, e.g. 10.
    peak_to_mean_factor : float
        1 for a flat day, up to 2.

    Returns
    -------
    numpy.ndarray
        24 rates.

    Examples
    --------
    >>> day_load(10.0, 1.5).round(1).tolist()[::6]
    [5.1, 10.7, 14.9, 9.3]
    """
    not_negative("mean_per_s", mean_per_s)
    in_range("peak_to_mean_factor", peak_to_mean_factor, 1.0, 2.0)
    edges = np.arange(int(HOURS_PER_DAY) + 1) * 2 * np.pi / HOURS_PER_DAY
    mean_cosine = np.diff(np.sin(edges)) / np.diff(edges)
    rates: np.ndarray = mean_per_s * (1 - (peak_to_mean_factor - 1) * mean_cosine)
    return rates


@dataclass(frozen=True)
class Comparison:
    """One day's bill of each option, and where each pair breaks even.

    Attributes
    ----------
    frame : pandas.DataFrame
        Columns option, usd_per_day, usd_per_request, cost_usd_per_mtok (all tokens), n_gpu (most
        in an hour), gpu_hours, used_frac, cheapest.
    crossings : pandas.DataFrame
        Columns option, against, requests_per_day, what ("pays from", "no longer from", "always",
        "never").
    searched_to_per_day : float
        Requests a day up to which crossings were sought.
    warnings : list of str
        What a reader must know.
    """

    frame: pd.DataFrame
    crossings: pd.DataFrame
    searched_to_per_day: float = float("nan")
    warnings: list[str] = field(default_factory=list)

    @property
    def cheapest(self) -> str:
        """The option with the lowest bill at this load."""
        return str(self.frame.loc[self.frame["usd_per_day"].idxmin(), "option"])


def compare_buy_rent_api(
    load_per_s: Sequence[float] | np.ndarray,
    *offers: Offer,
    input_tokens: float,
    output_tokens: float,
    cached_frac: float = 0.0,
    slo: Slo | None = None,
    allow_unlike: bool = False,
    on: str | None = None,
    search_to_factor: float | None = None,
) -> Comparison:
    """The same day served in every way offered.

    Parameters
    ----------
    load_per_s : sequence of float
        Requests per second in each of 24 hours (`day_load`).
    *offers : Buy, Rent or Api
        Two or more; their rates must hold at the ``slo``.
    input_tokens, output_tokens : float
        Mean lengths of a request.
    cached_frac : float
        Share of the input that an API bills as cached.
    slo : Slo, optional
        What users are promised: an API without one is warned of.
    allow_unlike : bool
        Whether options that are not like for like give a warning in place of an error.
    on : str, optional
        The day as YYYY-MM-DD on which prices must be in force; today if left out.
    search_to_factor : float, optional
        Break-even is searched from no load to so many times this one, with the shape of the day
        unchanged; by default twenty times, or as far as fifty thousand steps of a staircase reach.

    Returns
    -------
    Comparison

    Raises
    ------
    UnlikeComparison
        Where options are not like for like: the message names each difference.
    ValueError
        For a load that is not 24 finite rates, fewer than two offers, or two of one name.
    """
    load = np.asarray(load_per_s, dtype=float)
    if load.shape != (int(HOURS_PER_DAY),) or np.isnan(load).any() or not load.any():
        raise ValueError("load_per_s is outside its range: 24 rates, not all of them 0")
    each(not_negative, "load_per_s", load)
    positive("input_tokens", input_tokens)
    positive("output_tokens", output_tokens)
    if search_to_factor is not None:
        positive("search_to_factor", search_to_factor, 1e6)
    fraction("cached_frac", cached_frac)
    _check_offers(offers)
    warnings = refuse_unlike(offers, allow_unlike) + doubts(offers, slo, on)
    sizes = {"input_tokens": input_tokens, "output_tokens": output_tokens,
             "cached_frac": cached_frac}  # fmt: skip
    requests = float(load.sum() * HOUR_S)
    frame = pd.DataFrame([_day(offer, load, sizes) for offer in offers])
    frame["cheapest"] = frame["usd_per_day"] == frame["usd_per_day"].min()
    reach = MOST_STEPS / max(1.0, *(float(o.steps_per_s(load).sum()) for o in offers))
    most = min(FARTHEST, reach) if search_to_factor is None else search_to_factor
    crossings = [
        row
        for i, a in enumerate(offers)
        for b in offers[i + 1 :]
        for row in _crossings(a, b, load, most, sizes)
    ]
    return Comparison(frame, pd.DataFrame(crossings), most * requests, warnings)


def _check_offers(offers: Sequence[Offer]) -> None:
    for offer in offers:
        if not isinstance(offer, Offer):
            raise ValueError(f"{shown(offer)} is not an offer: give a Buy, a Rent or an Api")
    if len(offers) < 2:
        raise ValueError(f"{len(offers)} offers: two or more can be compared")
    labels = [o.label for o in offers]
    if len(set(labels)) < len(labels):
        raise ValueError(f"two offers have one name: {', '.join(labels)}; set name=")


def _day(offer: Offer, load: np.ndarray, sizes: Mapping[str, float]) -> dict[str, Any]:
    """One option's row of `Comparison.frame`."""
    usd = float(offer.usd_per_day(load, **sizes))
    request_usd = usd / float(load.sum() * HOUR_S)
    row: dict[str, Any] = {
        "option": offer.label,
        "usd_per_day": usd,
        "usd_per_request": request_usd,
        "cost_usd_per_mtok": per_mtok(
            request_usd / (sizes["input_tokens"] + sizes["output_tokens"])
        ),
    }
    if isinstance(offer, Machines):
        gpus = offer.gpus(load)
        possible_per_s = gpus / offer.gpus_per_instance * offer.per_s_per_instance
        row |= {"n_gpu": gpus.max(), "gpu_hours": gpus.sum()}
        row["used_frac"] = load.sum() / possible_per_s.sum()
    return row


def _crossings(
    a: Offer, b: Offer, load: np.ndarray, most: float, sizes: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Where ``a`` costs no more than ``b``, as the load grows: exact between the steps of both.

    Between two steps each bill is constant or a line through no load, so their difference is a
    line: its ends decide, and its zero is the crossing.
    """
    steps = np.unique(np.concatenate([[0.0, most], _steps(a, load, most), _steps(b, load, most)]))
    low, high = steps[:-1], steps[1:]
    third = (high - low) / 3  # two points inside each piece give its line
    of_b = b.usd_per_day((low + third)[:, None] * load, **sizes)
    first = a.usd_per_day((low + third)[:, None] * load, **sizes) - of_b
    second_load = (high - third)[:, None] * load
    second = a.usd_per_day(second_load, **sizes) - b.usd_per_day(second_load, **sizes)
    slope = (second - first) / third
    starts, ends = first - slope * third, second + slope * third
    tiny = EVEN_FRAC * np.maximum(np.abs(first), of_b)
    # where an end is even, the other end decides
    pays_start = np.where(np.abs(starts) <= tiny, ends <= tiny, starts <= tiny)
    pays_end = np.where(np.abs(ends) <= tiny, starts <= tiny, ends <= tiny)
    inside = pays_start != pays_end
    with np.errstate(divide="ignore", invalid="ignore"):
        zero = np.where(inside, low - starts / slope, np.nan)
    points = np.concatenate([low, zero[inside]])
    pays = np.concatenate([pays_start, pays_end[inside]])
    order = np.argsort(points, kind="stable")
    points, pays = points[order], pays[order]
    change = np.flatnonzero(np.diff(pays)) + 1
    per_day = float(np.sum(load) * HOUR_S)
    pair: dict[str, Any] = {"option": a.label, "against": b.label}
    if not len(change):
        return [pair | {"requests_per_day": np.nan, "what": "always" if pays[0] else "never"}]
    rows = [pair | {"requests_per_day": 0.0, "what": "pays from"}] if pays[0] else []
    return rows + [
        pair | {"requests_per_day": float(points[i]) * per_day,
                "what": "pays from" if pays[i] else "no longer from"}
        for i in change
    ]  # fmt: skip


def _steps(offer: Offer, load: np.ndarray, most: float) -> np.ndarray:
    """The scales at which another unit is needed, up to ``most``."""
    per_scale = offer.steps_per_s(load)
    n = np.floor(most * per_scale)
    if n.sum() > MOST_STEPS:
        raise ValueError(
            f"search_to_factor = {most:g} is outside its range: {n.sum():,.0f} steps of "
            f"{offer.label} lie below it; at most {MOST_STEPS:,} are searched"
        )
    ends = [np.arange(1, k + 1) / per for k, per in zip(n, per_scale, strict=True)]
    return np.concatenate(ends) if ends else np.empty(0)


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
