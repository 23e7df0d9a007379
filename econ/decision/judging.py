"""Every entry of the menu as an option: its cost in all draws, and why it cannot be chosen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from econ.catalog.units import DAYS_PER_YEAR
from econ.decision import chance
from econ.decision.books import Market
from econ.decision.fleets import BINDING_P
from econ.decision.menu import Entry
from econ.decision.result import Option
from econ.decision.valued import Acceptance
from econ.uncertainty import interval

LEAVABLE_P = 0.25
TIE_FRAC = 0.03  # of the mean cost: nobody knows next year's prices so closely


def judged(
    entries: Sequence[Entry],
    market: Market,
    least_p_frac: float | None,
    deadline_h: float,
    accept: Acceptance | None = None,
) -> tuple[list[Option], dict[str, Entry], pd.DataFrame, tuple[str, ...]]:
    """Every entry as an option with its reason, best first; its entry and draws by its name.

    Best is the least mean cost, or what `Acceptance.less_value` makes of it. Last, the names of the
    options that tie with the first.
    """
    options: list[Option] = []
    npv: dict[str, np.ndarray] = {}
    of: dict[str, Entry] = {}
    minimised: dict[str, float] = {}
    rate = market.draws.of(chance.RATE)
    for entry in entries:
        books = entry.books(market)
        first = books.year_usd[:, 0]
        present = books.present_usd(rate)
        year, horizon = interval(first[1:]), interval(present[1:])
        option = Option(
            kind=entry.kind, seller=entry.seller, model=entry.model,
            accelerator=entry.accelerator, n_gpu=round(books.n_gpu),
            usd_per_day=float(first[0]) / DAYS_PER_YEAR, usd_per_year=float(first[0]),
            low_usd_per_year=min(year.low, float(first[0])),
            high_usd_per_year=max(year.high, float(first[0])),
            npv_usd=horizon.mean, npv_low_usd=horizon.low, npv_high_usd=horizon.high,
            p_keeps_slo=entry.p_keeps_slo,
            n_gpu_sure=max(entry.n_gpu_sure, round(books.n_gpu)),
            commitment_months=entry.commitment_months,
            exit_usd=entry.exit_usd(books), as_of=entry.as_of, source=entry.source,
            evidence=entry.evidence, words=entry.words, rates=entry.rates, parts=books.parts,
            bought=books.bought, npv_typical_usd=float(present[0]),
            reason=entry.reason or _too_unsure(entry, least_p_frac, deadline_h),
            by_year_usd=tuple(books.year_usd[0].tolist()),
            running_by_year_usd=tuple(books.running[0].tolist()),
            capital_by_year_usd=() if books.capital is None else tuple(books.capital[0].tolist()),
            resale_usd=0.0 if books.resale is None else float(books.resale[0]),
            se_usd={
                "low_usd_per_year": year.low_se if year.low < first[0] else 0.0,
                "high_usd_per_year": year.high_se if year.high > first[0] else 0.0,
                "npv_usd": horizon.mean_se, "npv_low_usd": horizon.low_se,
                "npv_high_usd": horizon.high_se,
            },
        )  # fmt: skip
        known = of.get(option.name)
        if known is not None and known.fleet is not entry.fleet and entry.fleet is not None:
            option = dataclasses.replace(option, variant=entry.fleet.words)
        if option.name not in npv:
            options.append(option)
            npv[option.name] = present[1:]
            if accept is not None:
                frac = accept.accepted_frac(entry.fleet)
                present = accept.less_value(present, market, frac)
            minimised[option.name] = float(present[1:].mean())
            of[option.name] = entry
    options.sort(key=lambda option: (bool(option.reason), minimised[option.name]))
    frame = pd.DataFrame(npv)
    options, ties = _preferred(options, minimised)
    able = [option.name for option in options if not option.reason]
    if able:
        least = frame[able].min(axis=1)
        over = {option.name: interval(frame[option.name] - least) for option in options}
        options = [
            dataclasses.replace(
                option, regret_usd=over[option.name].mean,
                se_usd=option.se_usd | {"regret_usd": over[option.name].mean_se},
            )
            for option in options
        ]  # fmt: skip
    return options, of, frame, ties


def _preferred(
    options: list[Option], minimised: Mapping[str, float]
) -> tuple[list[Option], tuple[str, ...]]:
    """The preferred of the cheapest options that tie put first, and the names of the others.

    Options tie where what is minimised differs by no more than `TIE_FRAC` of the mean cost. Of
    those the surer of the SLO is preferred (in steps of ten points), then the one that binds for
    less time, then the cheaper.
    """
    able = [option for option in options if not option.reason]
    if not able:
        return options, ()
    best = able[0]
    most = minimised[best.name] + TIE_FRAC * max(best.npv_usd, minimised[best.name])
    tied = [option for option in able if minimised[option.name] <= most]
    first = min(
        tied,
        key=lambda o: (-round(o.p_keeps_slo, 1), o.commitment_months, minimised[o.name]),
    )
    others = tuple(option.name for option in tied if option is not first)
    return [first, *(option for option in options if option is not first)], others


def _too_unsure(entry: Entry, least_p_frac: float | None, deadline_h: float) -> str:
    if deadline_h:
        return ""
    needed = (
        (BINDING_P if entry.commitment_months else LEAVABLE_P)
        if least_p_frac is None
        else least_p_frac
    )
    if entry.p_keeps_slo >= needed:
        return ""
    return (
        f"keeps the SLO with a probability of {entry.p_keeps_slo:.0%}, and at least {needed:.0%} "
        "is required"
    )
