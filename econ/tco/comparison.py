"""Buy, rent or call an API: one day's load at one latency promise, and every break-even.

Machines come whole, so costs are staircases in the load while the API's is a straight line: they
can cross many times. Crossings are found between all steps, not sampled, and "never" is an answer.

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
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from econ.catalog import Price
from econ.catalog.guard import each, fraction, in_range, not_negative, positive, shown
from econ.catalog.units import DAYS_PER_YEAR, HOUR_S, HOURS_PER_DAY, MONTHS_PER_YEAR
from econ.catalog.units import usd_per_mtok_from_usd_per_token as per_mtok
from econ.tco.offers import Api, Buy, Machines, Offer, Rent, doubts, refuse_unlike
from econ.terms import Slo

__all__ = ["Api", "Buy", "Comparison", "Price", "Rent", "compare_buy_rent_api", "day_load"]

MOST_STEPS = 50_000  # steps of a staircase that a search looks between
FARTHEST = 20.0  # times the load, where steps allow
EVEN_FRAC = 1e-9  # costs closer than this are equal


def day_load(mean_per_s: float, peak_to_mean_factor: float = 1.5) -> np.ndarray:
    """Requests per second in each hour of a day: a cosine, lowest at midnight.

    >>> day_load(10.0, 1.5).round(1).tolist()[::6]
    [5.1, 10.7, 14.9, 9.3]
    """
    not_negative("mean_per_s", mean_per_s)
    in_range("peak_to_mean_factor", peak_to_mean_factor, 1.0, 2.0)
    edges = np.arange(int(HOURS_PER_DAY) + 1) * 2 * np.pi / HOURS_PER_DAY
    mean_cosine = np.diff(np.sin(edges)) / np.diff(edges)
    return mean_per_s * (1 - (peak_to_mean_factor - 1) * mean_cosine)


@dataclass(frozen=True)
class Comparison:
    """One day's bill of each option, and where each pair breaks even.

    ``frame``: option, usd_per_day, usd_per_request, cost_usd_per_mtok (all tokens), n_gpu (most in
    an hour), gpu_hours, used_frac, cheapest. ``crossings``: option, against, requests_per_day,
    what ("pays from", "no longer from", "always", "never"). ``searched_to_per_day``: the requests a
    day up to which they were sought. ``warnings``: what a reader must know.
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
    load_per_s: Sequence[float],
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

    ``load_per_s``: requests per second in each of 24 hours. ``offers``: any of `Buy`, `Rent`,
    `Api`; their rates must hold at the ``slo``. Options that are not like for like raise
    `UnlikeComparison` naming the difference; with ``allow_unlike`` it becomes a warning. Break-even
    is searched from no load to ``search_to_factor`` times this one, with the shape of the day kept;
    left out, to twenty times, or as far as fifty thousand steps of a staircase reach.

    Raises `ValueError` for a load that is not 24 finite rates, or for no offers.
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
    for offer in offers:
        if not isinstance(offer, Offer):
            raise ValueError(f"{shown(offer)} is no offer: give a Buy, a Rent or an Api")
    if len(offers) < 2:
        raise ValueError(f"{len(offers)} offers: two or more can be compared")
    labels = [o.label for o in offers]
    if len(set(labels)) < len(labels):
        raise ValueError(f"two offers have one name: {', '.join(labels)}; set name=")
    warnings = refuse_unlike(offers, allow_unlike) + doubts(offers, slo, on)
    sizes = {"input_tokens": input_tokens, "output_tokens": output_tokens,
             "cached_frac": cached_frac}  # fmt: skip
    requests = float(load.sum() * HOUR_S)
    rows = []
    for offer in offers:
        usd = float(usd_per_day(offer, load, **sizes))
        row = {"option": offer.label, "usd_per_day": usd, "usd_per_request": usd / requests}
        row["cost_usd_per_mtok"] = per_mtok(usd / requests / (input_tokens + output_tokens))
        if isinstance(offer, Machines):
            gpus = offer.gpus(load)
            could = gpus / offer.gpus_per_instance * offer.per_s_per_instance
            row |= {"n_gpu": gpus.max(), "gpu_hours": gpus.sum()}
            row["used_frac"] = load.sum() / could.sum()
        rows.append(row)
    frame = pd.DataFrame(rows)
    frame["cheapest"] = frame["usd_per_day"] == frame["usd_per_day"].min()
    reach = MOST_STEPS / max(1.0, *(_steps_per_load(o, load) for o in offers))
    most = min(FARTHEST, reach) if search_to_factor is None else search_to_factor
    crossed = [
        found
        for i, a in enumerate(offers)
        for b in offers[i + 1 :]
        for found in _crossings(a, b, load, most, sizes)
    ]
    return Comparison(frame, pd.DataFrame(crossed), most * requests, warnings)


def usd_per_day(
    offer: Offer,
    load_per_s: np.ndarray,
    *,
    input_tokens: float,
    output_tokens: float,
    cached_frac: float = 0.0,
) -> np.ndarray:
    """The day's bill of one option; the hours are the last axis of the load."""
    load = np.asarray(load_per_s, dtype=float)
    if isinstance(offer, Api):
        each_usd = offer.usd_per_request(input_tokens, output_tokens, cached_frac)
        return load.sum(axis=-1) * HOUR_S * each_usd
    staff = getattr(offer, "staff_usd_per_month", 0.0) * MONTHS_PER_YEAR / DAYS_PER_YEAR
    return offer.gpus(load).sum(axis=-1) * offer.cost_usd_per_gpu_hour + staff


def scales_frame(
    load_per_s: Sequence[float], *offers: Offer, scales: np.ndarray, **sizes: float
) -> pd.DataFrame:
    """Bills over the size of the load, the day's shape kept: option, requests_per_day, usd_per_day.

    Also ``cost_usd_per_mtok`` over all tokens. ``sizes`` as `usd_per_day`.
    """
    factors = np.asarray(each(positive, "scales", scales), dtype=float)
    loads = factors[:, None] * np.asarray(load_per_s, dtype=float)
    requests = loads.sum(axis=1) * HOUR_S
    tokens = requests * (sizes["input_tokens"] + sizes["output_tokens"])
    parts = []
    for offer in offers:
        usd = usd_per_day(offer, loads, **sizes)
        made = {"requests_per_day": requests, "usd_per_day": usd}
        made["cost_usd_per_mtok"] = per_mtok(usd / tokens)
        parts.append(pd.DataFrame({"option": offer.label, **made}))
    return pd.concat(parts, ignore_index=True)


def _crossings(a: Offer, b: Offer, load, most: float, sizes: dict) -> list[dict]:
    """Where ``a`` costs no more than ``b``, as the load grows: exact between the steps of both.

    Between two steps each bill is constant or a line through no load, so their difference is a
    line: its ends decide, and its zero is the crossing.
    """
    steps = np.unique(np.concatenate([[0.0, most], _steps(a, load, most), _steps(b, load, most)]))
    low, high = steps[:-1], steps[1:]
    third = (high - low) / 3  # two points inside each piece give its line
    at = [usd_per_day(a, s[:, None] * load, **sizes) - usd_per_day(b, s[:, None] * load, **sizes)
          for s in (low + third, high - third)]  # fmt: skip
    slope = (at[1] - at[0]) / third
    starts, ends = at[0] - slope * third, at[1] + slope * third
    tiny = EVEN_FRAC * np.maximum(
        np.abs(at[0]), usd_per_day(b, (low + third)[:, None] * load, **sizes)
    )
    touch = np.abs(starts) <= tiny, np.abs(ends) <= tiny  # there the other end decides
    pays_start = np.where(touch[0], ends <= tiny, starts <= tiny)
    pays_end = np.where(touch[1], starts <= tiny, ends <= tiny)
    inside = pays_start != pays_end
    with np.errstate(divide="ignore", invalid="ignore"):
        zero = np.where(inside, low - starts / slope, np.nan)
    points = np.concatenate([low, zero[inside]])
    now = np.concatenate([pays_start, pays_end[inside]])
    order = np.argsort(points, kind="stable")
    points, now = points[order], now[order]
    change = np.flatnonzero(np.diff(now)) + 1
    per_day = float(np.sum(load) * HOUR_S)
    row = {"option": a.label, "against": b.label}
    if not len(change):
        return [row | {"requests_per_day": np.nan, "what": "always" if now[0] else "never"}]
    found = [row | {"requests_per_day": 0.0, "what": "pays from"}] if now[0] else []
    return found + [
        row | {"requests_per_day": float(points[i]) * per_day,
               "what": "pays from" if now[i] else "no longer from"}
        for i in change
    ]  # fmt: skip


def _rates(offer: Offer, load: np.ndarray) -> np.ndarray:
    """The hours' rates that open units: the peak's for what is paid all day."""
    if isinstance(offer, Api):
        return np.empty(0)
    always = isinstance(offer, Buy) or offer.reserved
    return np.array([load.max()]) if always else np.unique(load[load > 0])


def _steps_per_load(offer: Offer, load: np.ndarray) -> float:
    """Units opened over all hours at this load: steps up to its factor one."""
    return float(_rates(offer, load).sum()) / getattr(offer, "per_s_per_instance", 1.0)


def _steps(offer: Offer, load: np.ndarray, most: float) -> np.ndarray:
    """The scales at which another unit is needed, up to ``most``."""
    rates = _rates(offer, load)
    if not rates.size:
        return rates
    n = np.floor(most * rates / offer.per_s_per_instance)
    if n.sum() > MOST_STEPS:
        raise ValueError(
            f"search_to_factor = {most:g} is outside its range: {n.sum():,.0f} steps of "
            f"{offer.label} lie below it; at most {MOST_STEPS:,} are searched"
        )
    ends = [
        np.arange(1, k + 1) * offer.per_s_per_instance / r for k, r in zip(n, rates, strict=True)
    ]
    return np.concatenate(ends)
