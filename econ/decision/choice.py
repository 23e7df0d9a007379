"""`decide`: API, rent, own or a mix, for this model, load and SLO, over these years.

>>> import econ
>>> s = econ.Scenario.of("qwen3-32b", "h100-sxm", rate_per_s=0.34)
>>> answer = decide(s, ["H100"], precisions=["fp8"], n_refined=1)
>>> sorted({option.kind for option in answer.options})[:3]
['api', 'on-demand', 'own']
>>> answer.chosen.kind, answer.best_of("rent").n_gpu
('api', 1)
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import catalog, given
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import count, in_range, not_negative, unknown
from econ.catalog.prices import Price
from econ.catalog.ranges import Range, ends
from econ.catalog.rents import rents
from econ.catalog.tables import table
from econ.catalog.units import DAY_S, HOUR_S
from econ.decision import chance
from econ.decision.answer import Decision
from econ.decision.books import Market, hourly_load
from econ.decision.fleets import Fleet, fleets_of
from econ.decision.menu import COMMITMENT_MONTHS, USUAL, Ask, Entry, api_entries, fleet_entries
from econ.decision.reasons import break_even_frame, cash_frame, what_changes, what_to_measure
from econ.decision.result import Option
from econ.decision.waiting import spread_load
from econ.deployment import MOST_GPU
from econ.plan import Plan, plan
from econ.scenario import Scenario
from econ.station import station
from econ.tco import owner

LEAVABLE_P, BINDING_P = 0.25, 0.9
MOST_YEARS = 15
N_DRAWS = 1_000
DISCOUNTS = Range(0.0, 0.0, 0.25, "share", source="assumed")  # off committed list prices
N_FLEETS = 3  # to rent, and as many that can be bought
SLOWEST_TPOT_S = HOUR_S  # where work may wait, only the rate counts


@station(headline="usd_per_year")
def decide(
    scenario: Scenario,
    accelerators: Iterable[str | Accelerator] | None = None,
    precisions: Iterable[str] | None = None,
    *,
    horizon_years: int = 3,
    peak_factor: float = 1.0,
    load_by_hour: Sequence[float] | None = None,
    growth_per_year: float | Range = 1.0,
    deadline_h: float = 0.0,
    no_api: bool = False,
    on_premises: bool = False,
    terms: Iterable[str] | None = None,
    sellers: Sequence[str] | None = None,
    region: str = "",
    sold_as: str = "",
    api_prices: Iterable[Price] = (),
    measured: Mapping[str, tuple[float, float]] | None = None,
    prices_usd_per_gpu_hour: Mapping[str, float] | None = None,
    discount_frac: float | Range | None = None,
    staff_usd_per_year: float | Range | None = None,
    licence_usd_per_gpu_year: float = 0.0,
    n_spare: int = 0,
    least_p_keeps_slo: float | None = None,
    trace: pd.DataFrame | None = None,
    n_refined: int = 6,
    n_draws: int = N_DRAWS,
    seed: int = 0,
    on: datetime.date | None = None,
    progress: bool = False,
) -> Decision:
    """Which way to serve a scenario's load: an API, rented or own machines, or a mix of them.

    Parameters
    ----------
    scenario : Scenario
        Model, load, lengths, cached share, SLO, place and finance. Accelerator, split, precision
        and fleet are searched by `econ.plan.plan`.
    accelerators, precisions, trace, n_refined
        As in `econ.plan.plan`.
    horizon_years : int
        Over which options are compared, 1 to 15, e.g. 3.
    peak_factor : float
        Rate of the busiest hour over the mean, 1 to 24, e.g. 1.5; the day is a cosine up to 2.
    load_by_hour : sequence of float, optional
        24 weights of your own day in place of that curve.
    growth_per_year : float or Range
        Factor on the load each year, e.g. 1.5, or ``Range(1.0, 1.5, 3.0)``.
    deadline_h : float
        Hours that work may wait, e.g. 24: batch tiers and spot machines come in, the load is
        spread over the day, and the SLO on single requests no longer counts.
    no_api : bool
        Nobody sells this model (an own fine-tune).
    on_premises : bool
        Data must stay: only machines of one's own.
    terms : iterable of str, optional
        Of `COMMITMENT_MONTHS` other than APIs: on-demand, spot, reserved, reserved-3y,
        hyperscaler, own; None for all but hyperscaler.
    sellers : sequence of str, optional
        Of APIs; None for all that list the model.
    region : str
        Of a cloud that rents (``"us-east-1"``): only lists of that region; the electricity of
        one's own machines is the scenario's site's.
    sold_as : str
        The model's name on price lists where it is not its own, e.g. that of a thinking variant.
    api_prices : iterable of Price
        Quotes of your own, before the lists of their ``provider``.
    measured : mapping of str to (float, float), optional
        Your own tests of sellers (`econ.decision.speeds.keeps_slo`).
    prices_usd_per_gpu_hour : mapping of str to float, optional
        Your own rents by accelerator, for all rented terms.
    discount_frac : float or Range, optional
        Off the list price of what is reserved or bought; by default none to 25 %, most likely none.
    staff_usd_per_year : float or Range, optional
        The team that runs a large fleet; a server takes a quarter person of it. By default the row
        ``staff`` of ``data/tco/layers.csv``.
    licence_usd_per_gpu_year : float
        Of software; 0 for open engines.
    n_spare : int
        Replicas beyond need.
    least_p_keeps_slo : float, optional
        What is chosen keeps the SLO with at least this probability. By default one in four for
        what can be left at once and thus be tried, nine in ten for what binds.
    n_draws, seed : int
        Draws of what is uncertain.
    on : datetime.date, optional
        The day whose prices count; today by default.
    progress : bool
        Show the plan's bar.

    Returns
    -------
    Decision

    Raises
    ------
    ValueError
        For a number outside its range, or where nothing keeps the SLO: the message says the
        nearest that can be kept, and what it costs.
    UnknownName
        For an unknown term, seller or accelerator.

    Notes
    -----
    Options are compared by mean cost over the horizon in today's money. Running costs come in the
    middle of each year, capital at its start; the discount rate is the cost of capital. A seller's
    price holds staff, insurance and margin; machines carry them as lines of their own.
    """
    years = count("horizon_years", horizon_years, 1, MOST_YEARS)
    draws_wanted = count("n_draws", n_draws, 50, 200_000)
    not_negative("deadline_h", deadline_h, 24.0 * 7)
    not_negative("licence_usd_per_gpu_year", licence_usd_per_gpu_year, 1e6)
    growth = _as_range(growth_per_year, "growth_per_year", 0.05, 100.0)
    discount = _as_range(
        DISCOUNTS if discount_frac is None else discount_frac, "discount_frac", 0.0, 0.95
    )
    kinds = _terms(terms, on_premises)
    asked, load = _asked(scenario, peak_factor, load_by_hour, deadline_h)
    notes: list[str] = []
    searched: Plan | None = None
    fleets: list[Fleet] = []
    if kinds:
        searched, fleets, problem = _fleets(
            asked, accelerators, precisions, prices_usd_per_gpu_hour,
            {"peak_factor": float(load.max() / load.mean()), "n_spare": n_spare, "trace": trace,
             "n_refined": n_refined, "seed": seed, "progress": progress},
        )  # fmt: skip
        notes += [problem] if problem else []
    site = scenario.resolved_site
    servers, unpriced = _server_prices(scenario, fleets) if "own" in kinds else ({}, [])
    notes += unpriced
    ranges = chance.inputs(
        [f.accelerator.id for f in fleets],
        {f.accelerator.id: f.rate_p90_factor for f in fleets},
        servers,
        growth=growth,
        discount=discount,
        staff=_as_range(given("layers", "staff") if staff_usd_per_year is None
                        else staff_usd_per_year, "staff_usd_per_year", 0.0, 1e9),
        rate=_around(given("tco_inputs", "cost-of-capital"),
                     scenario.finance.cost_of_capital_frac),
        electricity=_around(given("layers", "electricity"), site.electricity_usd_per_kwh),
    )  # fmt: skip
    draws = chance.draw(ranges, draws_wanted, seed)
    use = float(scenario.finance.utilisation_frac)
    market = Market(load, draws, years, use)
    ask = Ask(
        scenario=scenario,
        market=market,
        plain=Market(load, chance.typical(ranges, 1), years, use),
        servers=servers,
        quotes=dict(prices_usd_per_gpu_hour or {}),
        licence_usd_per_gpu_year=licence_usd_per_gpu_year,
        deadline_h=deadline_h,
        day=on or datetime.datetime.now(datetime.UTC).date(),
        region=_region(region),
    )
    apis: list[Entry] = []
    if not no_api and not on_premises:
        apis = api_entries(ask, sold_as or scenario.model_id, api_prices, sellers, measured)
        if not apis:
            notes.append(f"no seller lists {sold_as or scenario.model_id}: give api_prices")
    entries = apis + fleet_entries(ask, fleets, kinds, apis, notes)
    options, by_option, npv = _judged(entries, market, least_p_keeps_slo, deadline_h)
    if not options or options[0].reason:
        raise ValueError(_nothing(asked, searched, options, notes))
    notes += _assumptions(asked, load, ranges, years, deadline_h, bool(fleets))
    requests_per_day = float(load.mean()) * DAY_S * use
    workload = scenario.workload
    tokens = requests_per_day * (workload.mean_input_tokens + workload.mean_output_tokens)
    crossings = break_even_frame(options, by_option, ask, ranges, tokens)
    worth = chance.value_of_knowing(draws, ranges, npv[[o.name for o in options if not o.reason]])
    return Decision(
        scenario=scenario,
        weights=sold_as or scenario.model_id,
        options=tuple(options),
        horizon_years=years,
        tokens_per_day=tokens,
        plan=searched,
        fleets={f.accelerator.id: f for f in fleets},
        break_even=crossings,
        worth=worth,
        npv_draws=npv,
        ranges=ranges,
        life_years=scenario.finance.life_years or ranges[chance.LIFE].typical,
        cash=cash_frame(options, by_option, ask.plain),
        what_would_change_it=tuple(what_changes(options, crossings, fleets, tokens)),
        measure_next=tuple(what_to_measure(options, worth)),
        notes=tuple(notes),
    )


def _as_range(value: float | Range, name: str, low: float, high: float) -> Range:
    """A number or a range, both ends within the limits."""
    ends(in_range, name, value, low, high)
    return value if isinstance(value, Range) else Range(value, value, value)


def _around(span: Range, given_value: float | None) -> Range:
    """The data's range; a value that the scenario states is certain."""
    return span if given_value is None else Range(given_value, given_value, given_value, span.unit)


def _region(name: str) -> str:
    """A region of a cloud that the table of rents knows."""
    known = sorted(set(table("rent_offers")["region"]) - {""})
    if name and name not in known:
        raise unknown("region of a cloud", name, known)
    return name


def _terms(terms: Iterable[str] | None, on_premises: bool) -> tuple[str, ...]:
    kinds = tuple(USUAL if terms is None else terms)
    for kind in kinds:
        if kind not in (*COMMITMENT_MONTHS, "api"):
            raise unknown("term", kind, [*COMMITMENT_MONTHS, "api"])
    if on_premises:
        return ("own",)
    return tuple(kind for kind in kinds if kind != "api")


def _asked(
    scenario: Scenario,
    peak_factor: float,
    load_by_hour: Sequence[float] | None,
    deadline_h: float,
) -> tuple[Scenario, np.ndarray]:
    """The scenario to plan for, and the load of the day: smoothed where work may wait."""
    mean = float(scenario.workload.rate_per_s)
    if load_by_hour is None:
        load = hourly_load(mean, peak_factor)
    else:
        weights = np.asarray(load_by_hour, dtype=float)
        if weights.shape != (24,) or not np.isfinite(weights).all() or (weights < 0).any():
            raise ValueError("load_by_hour is outside its range: 24 weights of 0 or above")
        if not weights.any():
            raise ValueError("load_by_hour is outside its range: not all of them 0")
        load = weights / weights.mean() * mean
    if not deadline_h:
        return scenario, load
    slo = {"ttft_s": min(deadline_h * HOUR_S, DAY_S), "tpot_s": SLOWEST_TPOT_S}
    return scenario.with_(arrival="all_at_once", **slo), spread_load(load, deadline_h)


def _fleets(
    asked: Scenario,
    accelerators: Iterable[str | Accelerator] | None,
    precisions: Iterable[str] | None,
    quotes: Mapping[str, float] | None,
    settings: Mapping[str, Any],
) -> tuple[Plan | None, list[Fleet], str]:
    """The plan and its fleets; where none keeps the SLO, the nearest that can be kept in words."""
    prices = {name: usd for name, usd in (quotes or {}).items() if ":" not in name}
    named = None if accelerators is None else _listed(accelerators)
    prices = _any_prices(asked, named) | prices
    searched: Plan = plan(asked, named, precisions, prices_usd_per_gpu_hour=prices, **settings)
    try:
        _ = searched.best
    except ValueError as error:
        return searched, [], _nearest(searched, str(error))
    fleets = fleets_of(searched, N_FLEETS)
    if named is None:  # what is cheap to rent is not what can be bought
        there = {fleet.accelerator.id for fleet in fleets}
        for_sale = [name for name in table("servers").index if name not in there]
        more: Plan = plan(asked, for_sale, precisions, prices_usd_per_gpu_hour=prices, **settings)
        fleets += fleets_of(more, N_FLEETS)
    fits = [f for f in fleets if f.n_replicas * f.gpus_per_replica <= MOST_GPU]
    if not fits:
        most = max(f.rate_per_s / f.gpus_per_replica for f in fleets) * MOST_GPU
        raise ValueError(
            f"rate_per_s = {asked.workload.rate_per_s:g} is outside its range: at most {most:,.0f} "
            f"requests per second, what {MOST_GPU:,} accelerators serve"
        )
    return searched, fits, ""


def _listed(accelerators: Iterable[str | Accelerator]) -> list[str | Accelerator]:
    return [accelerators] if isinstance(accelerators, str | Accelerator) else list(accelerators)


def _any_prices(
    asked: Scenario, accelerators: Sequence[str | Accelerator] | None
) -> dict[str, float]:
    """A price for what has no rent by the hour but another: for the order of the search alone."""
    own = asked.deployment.resolved_accelerator
    stated = asked.finance.cost_usd_per_gpu_hour
    hourly: dict[str, float] = rents()
    prices: dict[str, float] = {}
    for term in ("spot", "reserved", "reserved-3y"):
        listed = rents(term)
        dearer = np.median([hourly[name] / listed[name] for name in listed if name in hourly])
        for name in listed.keys() - hourly.keys():
            prices.setdefault(name, float(listed[name] * dearer))
    if accelerators is None:
        return {n: usd for n, usd in prices.items() if stated is None or n != own.id}
    for item in accelerators:
        chip = item if isinstance(item, Accelerator) else catalog.accelerator(item)
        is_stated = stated is not None and chip == own
        if chip.id not in hourly and chip.id not in prices and not is_stated:
            if chip.id not in table("servers").index and not chip.server_power_w:
                raise ValueError(
                    f"nobody in the tables rents out {chip.id}: give prices_usd_per_gpu_hour="
                    f"{{{chip.id!r}: …}} (--price), or set cost_usd_per_gpu_hour"
                )
            prices[chip.id] = _owned_hour(asked, chip)
    ids = {c.id if isinstance(c, Accelerator) else catalog.accelerator(c).id for c in accelerators}
    return {n: usd for n, usd in prices.items() if n in ids and (stated is None or n != own.id)}


def _owned_hour(asked: Scenario, chip: Accelerator) -> float:
    return float(owner(chip, pue=asked.resolved_site.pue or 1.35).cost_usd_per_gpu_hour)


def _nearest(searched: Plan, problem: str) -> str:
    """The nearest SLO that a fleet can keep, and what it then costs a day."""
    slo, rows = searched.demand.slo, searched.rows
    late = rows[rows["constraint"].isin(["ttft", "tpot"]) & rows["ttft_s"].notna()]
    if late.empty:
        return problem
    beyond = np.maximum(late["ttft_s"] / slo.ttft_s, late["tpot_s"] / slo.tpot_s)
    best = late.loc[beyond.idxmin()]
    ttft_s, tpot_s = (
        max(float(best[f"{name}_s"]) * 1.05, getattr(slo, f"{name}_s")) for name in ("ttft", "tpot")
    )
    relaxed = searched.demand.scenario.with_(ttft_s=ttft_s, tpot_s=tpot_s)
    chip = str(best["accelerator"])
    row = plan(
        relaxed, [searched.accelerators[chip]], peak_factor=searched.demand.peak_factor,
        n_refined=0, prices_usd_per_gpu_hour={chip: best["usd_per_gpu_hour"]},
    ).best  # fmt: skip
    return (
        f"no fleet keeps TTFT {slo.ttft_s:g} s and {slo.tpot_s:g} s per token; the nearest that "
        f"can be kept is TTFT {ttft_s:.2g} s and {tpot_s:.2g} s per token, on "
        f"{row['fleet_gpus']:.0f} × {row['accelerator']} {row['precision']}, for "
        f"${row['usd_per_hour'] * 24:,.0f} a day"
    )


def _server_prices(
    scenario: Scenario, fleets: Sequence[Fleet]
) -> tuple[dict[str, Range], list[str]]:
    """Price of a server of each accelerator that can be bought, and why others cannot."""
    rows, finance = table("servers"), scenario.finance
    own = scenario.deployment.resolved_accelerator
    servers, notes = {}, []
    for chip in (fleet.accelerator for fleet in fleets):
        if chip == own and finance.server_usd is not None:
            servers[chip.id] = _as_range(finance.server_usd, "server_usd", 0.0, 1e9)
        elif chip.id in rows.index:
            servers[chip.id] = given("servers", chip.id)
        else:
            notes.append(f"own {chip.id}: no price of a server is known; set server_usd (owned)")
    return servers, notes


def _judged(
    entries: Sequence[Entry], market: Market, least_p: float | None, deadline_h: float
) -> tuple[list[Option], dict[str, Entry], pd.DataFrame]:
    """Every entry as an option with its reason, best first; its entry and draws by its name."""
    made: list[Option] = []
    npv: dict[str, np.ndarray] = {}
    of: dict[str, Entry] = {}
    rate = market.draws.of(chance.RATE)
    for entry in entries:
        books = entry.books(market)
        first = books.year_usd[:, 0]
        present = books.present_usd(rate)
        low, high = np.quantile(first[1:], [0.05, 0.95])
        npv_low, npv_high = np.quantile(present[1:], [0.05, 0.95])
        option = Option(
            kind=entry.kind, seller=entry.seller, model=entry.model,
            accelerator=entry.accelerator, n_gpu=round(books.n_gpu),
            usd_per_day=float(first[0]) / 365.0, usd_per_year=float(first[0]),
            low_usd_per_year=min(float(low), float(first[0])),
            high_usd_per_year=max(float(high), float(first[0])),
            npv_usd=float(present[1:].mean()), npv_low_usd=float(npv_low),
            npv_high_usd=float(npv_high), p_keeps_slo=entry.p_keeps_slo,
            p_if_resized=entry.p_if_resized, commitment_months=entry.commitment_months,
            exit_usd=entry.exit_usd(books), as_of=entry.as_of, source=entry.source,
            evidence=entry.evidence, words=entry.words, rates=entry.rates, parts=books.parts,
            reason=entry.reason or _too_unsure(entry, least_p, deadline_h),
            by_year_usd=tuple(books.year_usd[0].tolist()),
        )  # fmt: skip
        if option.name not in npv:
            made.append(option)
            npv[option.name] = present[1:]
            of[option.name] = entry
    made.sort(key=lambda option: (bool(option.reason), option.npv_usd))
    frame = pd.DataFrame(npv)
    able = [option.name for option in made if not option.reason]
    if able:
        least = frame[able].min(axis=1)
        made = [
            dataclasses.replace(option, regret_usd=float((frame[option.name] - least).mean()))
            for option in made
        ]
    return made, of, frame


def _too_unsure(entry: Entry, least_p: float | None, deadline_h: float) -> str:
    if deadline_h:
        return ""
    needed = (BINDING_P if entry.commitment_months else LEAVABLE_P) if least_p is None else least_p
    if entry.p_if_resized >= needed:
        return ""
    return f"keeps the SLO with {entry.p_if_resized:.0%}: at least {needed:.0%} is asked of it"


def _nothing(
    asked: Scenario, searched: Plan | None, options: Sequence[Option], notes: Sequence[str]
) -> str:
    """Why nothing can be chosen: each reason once."""
    reasons = dict.fromkeys([*notes, *(f"{o.name}: {o.reason}" for o in options[:4])])
    said = "; ".join(reasons) or "no term, seller or accelerator is left to choose from"
    return f"nothing keeps the SLO of {asked.name!r}: {said}"


def _assumptions(
    asked: Scenario,
    load: np.ndarray,
    ranges: Mapping[str, Range],
    years: int,
    deadline_h: float,
    has_fleets: bool,
) -> list[str]:
    """What the answer rests on, in sentences."""
    w, slo = asked.workload, asked.slo
    notes = []
    if has_fleets and not deadline_h:
        notes.append(
            f"Counts of accelerators rest on simulated arrivals (gaps vary by {w.arrival_cv:.2f} "
            f"of their mean) and on {slo.attainment_frac:.0%} of requests within both limits."
        )
    if has_fleets and deadline_h:
        notes.append(
            f"Work waits up to {deadline_h:g} h: counts of accelerators rest on mean lengths and "
            "on the rate alone."
        )
    factor = float(load.max() / load.mean())
    notes.append(
        "The load is taken as even over the day: give peak_factor or load_by_hour."
        if factor < 1.0001
        else f"The busiest hour has {factor:.2f} times the mean load."
    )
    growth = ranges[chance.GROWTH]
    if growth.is_fixed and growth.typical == 1:
        notes.append("The load is taken not to grow: give growth_per_year.")
    rents_, tokens = ranges[chance.RENTS], ranges[chance.TOKENS]
    notes.append(
        f"Prices of later years: no list reaches so far, so rents change by × {rents_.low:.2f} to "
        f"{rents_.high:.2f} a year and prices of tokens by × {tokens.low:.2f} to "
        f"{tokens.high:.2f}, as any twelve months of the past did, each year of "
        f"{years} alike; typical is no change."
    )
    notes.append(
        "A seller's price holds its staff, insurance and margin; machines carry staff, and owned "
        "ones support and insurance, as lines of their own. Who builds the product is in neither."
    )
    return notes
