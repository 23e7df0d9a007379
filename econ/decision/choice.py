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

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd

from econ.catalog import given
from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator
from econ.catalog.guard import count, not_negative
from econ.catalog.prices import CACHE_TTL_S, Price
from econ.catalog.ranges import Range
from econ.catalog.scores import BENCHMARK
from econ.catalog.units import DAY_S, DAYS_PER_YEAR
from econ.decision import chance
from econ.decision.answer import Decision
from econ.decision.asking import (
    Weights,
    around,
    as_range,
    question_of,
    server_prices,
    terms_of,
    within_window,
)
from econ.decision.books import Crew, Market
from econ.decision.caveats import assumptions, caveats, not_served, nothing_words, thinking_note
from econ.decision.fleets import BINDING_P
from econ.decision.hours import Ask, Lists, Quotes
from econ.decision.judging import judged
from econ.decision.launch import weights_of
from econ.decision.menu import Entry, api_entries, fleet_entries
from econ.decision.reasons import (
    break_even_frame,
    cash_frame,
    missing_of,
    what_changes,
    what_to_measure,
)
from econ.decision.regions import ANYWHERE, rents_at
from econ.decision.result import family_of
from econ.decision.searching import Searched, searched_fleets
from econ.decision.sizing import size_words
from econ.decision.speeds import Tests
from econ.decision.tasks import Tasks, sized, tasks_note, tasks_of
from econ.decision.valued import acceptance_of, best_of_menu, offer_of, offer_rows
from econ.scenario import Scenario
from econ.station import station
from econ.tco.earning import Tiers, Worth
from econ.tokens import Replay, SessionLoad, Sessions

MOST_YEARS = 15
# arguments of `decide` that a menu asks one by one
MENU = ("scenario", "value_usd_per_answer", "models", "tiers", "right_frac", "benchmark",
        "floor_frac")  # fmt: skip
LONGEST_WAIT_H = 168.0
N_DRAWS = 1_000
FEW_REQUESTS = 100  # of a log
NOBODY, STAYS = "nobody sells this model, as you say", "data must stay"
DISCOUNTS = Range(0.0, 0.0, 0.25, "share", source="assumed")  # off committed list prices


@station(headline="usd_per_year", searches=True)
def decide(
    scenario: Scenario,
    accelerators: Iterable[str | Accelerator] | None = None,
    precisions: Iterable[str] | None = None,
    *,
    sessions: SessionLoad | Replay | Sessions | str | None = None,
    sessions_per_s: float | None = None,
    value_usd_per_answer: Worth | None = None,
    models: Sequence[str | Model] | None = None,
    tiers: Tiers | None = None,
    right_frac: Mapping[str, float] | None = None,
    benchmark: str = BENCHMARK,
    floor_frac: float = 0.0,
    horizon_years: int = 3,
    peak_factor: float = 1.0,
    load_by_hour: Weights | None = None,
    growth_per_year: float | Range = 1.0,
    deadline_h: float = 0.0,
    cache_ttl_s: float | None = CACHE_TTL_S,
    no_api: bool = False,
    on_premises: bool = False,
    terms: Iterable[str] | None = None,
    sellers: Sequence[str] | None = None,
    region: str = "",
    sold_as: str = "",
    api_prices: Iterable[Price] = (),
    measured: Tests | None = None,
    prices_usd_per_gpu_hour: Quotes | None = None,
    discount_frac: float | Range | None = None,
    staff_usd_per_year: float | Range | None = None,
    licence_usd_per_gpu_year: float = 0.0,
    n_spare: int = 0,
    least_p_frac: float | None = None,
    trace: pd.DataFrame | None = None,
    n_refined: int = 6,
    n_draws: int = N_DRAWS,
    seed: int = 0,
    on: datetime.date | None = None,
    watch: Callable[[str], None] | None = None,
) -> Decision:
    """Which way to serve a scenario's load: an API, rented or own machines, or a mix of them.

    Parameters
    ----------
    scenario : Scenario
        Model, load, lengths, cached share, SLO, place and finance. Accelerator, split, precision
        and fleet are searched by `econ.plan.plan`. ``site_mw`` and ``rack_kw`` limit one's own
        machines; what is rented stands elsewhere.
    accelerators, precisions, trace, n_refined
        As in `econ.plan.plan`.
    sessions, sessions_per_s : SessionLoad, Replay, Sessions or str, and float, optional
        Agents or chats in the place of the workload, e.g. ``"coding-agent"`` or a log of your own
        (`econ.tokens.read_sessions`), and how many begin per second, by default their own: fleets
        are sized by simulating them, the hit share comes out, and `Decision.per_task_frame` says
        what a finished task costs.
    value_usd_per_answer : float or mapping of str to float, optional
        What an answer that is right and in time is worth, e.g. 0.01; by tier if they differ. The
        option that earns the most is chosen, and `Decision.offer` says profit and break-even.
    models : sequence of str or Model, optional
        A menu in the place of the scenario's model; one that writes more tokens an answer is
        weighed with that many. Without a value the least USD per accepted answer is chosen.
    tiers : mapping of str to Slo, optional
        Name → limits, of which the one that earns the most is chosen.
    right_frac, benchmark, floor_frac
        Shares of right answers and the least one, as in `econ.catalog.menus.answering`.
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
    cache_ttl_s : float, optional
        Life of an entry in a seller's cache after its last use, e.g. 300, or 3600 at the rate of
        writes for an hour where the list has one; None for ever.
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
        Of a cloud (``"us-east-1"``) or a site: only rents listed there, or all, which the notes
        then say; the electricity of one's own machines is the scenario's site's.
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
    least_p_frac : float, optional
        What is chosen keeps the SLO with at least this probability. By default one in four for
        what can be left at once and thus be tried, nine in ten for what binds.
    n_draws, seed : int
        Draws of what is uncertain.
    on : datetime.date, optional
        The day whose prices count; today by default.
    watch : callable, optional
        Is told what comes next, in words; what it raises ends the work.

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
    Options are compared by mean cost over the horizon in today's money; with a value, by that less
    the value of accepted answers: answers · right share · share the SLO asks to be in time · USD.
    Running costs come in the middle of each year, capital at its start; the discount rate is the
    cost of capital. A seller's price holds staff, insurance and margin; machines carry them as
    lines of their own.
    """
    settings = {name: it for name, it in locals().items() if name not in MENU}
    if models is not None or tiers is not None:
        best: Decision = best_of_menu(
            decide, scenario, settings, models=models, tiers=tiers, worth=value_usd_per_answer,
            right_frac=right_frac, benchmark=benchmark, floor_frac=floor_frac,
        )  # fmt: skip
        return best
    years = count("horizon_years", horizon_years, 1, MOST_YEARS)
    draws_wanted = count("n_draws", n_draws, 50, 200_000)
    not_negative("deadline_h", deadline_h, LONGEST_WAIT_H)
    not_negative("licence_usd_per_gpu_year", licence_usd_per_gpu_year, 1e6)
    growth = as_range(growth_per_year, "growth_per_year", 0.05, 100.0)
    discount = as_range(
        DISCOUNTS if discount_frac is None else discount_frac, "discount_frac", 0.0, 0.95
    )
    staff = as_range(given("layers", "staff") if staff_usd_per_year is None
                     else staff_usd_per_year, "staff_usd_per_year", 0.0, 1e9)  # fmt: skip
    kinds = terms_of(terms, on_premises)
    tasks: Tasks | None = None
    if sessions is not None:
        if trace is not None or deadline_h:
            raise ValueError("sessions have their own calls and an SLO: leave trace and deadline_h")
        tasks = tasks_of(scenario, sessions, sessions_per_s, seed, cache_ttl_s)
    elif sessions_per_s is not None:
        raise TypeError("sessions_per_s belongs to sessions: name them")
    scenario = tasks.own if tasks else scenario
    elsewhere = scenario.with_(site_mw=None, rack_kw=None)  # rented machines stand there
    notes: list[str] = []
    if tasks is None:
        elsewhere, trace, cut = within_window(elsewhere, trace, bool(kinds))
        scenario = scenario.with_(workload=elsewhere.workload)
        notes += [cut] if cut else []
        if trace is not None and len(trace) < FEW_REQUESTS:
            notes.append(f"The log holds {len(trace)} requests: its rate and lengths say little.")
    question, load = question_of(elsewhere, peak_factor, load_by_hour, deadline_h)
    rents_from, unlisted = rents_at(region)
    notes += [unlisted] if unlisted and set(kinds) - {"own"} else []
    step = watch or (lambda words: None)
    lists = Lists(
        scenario=scenario, quotes=dict(prices_usd_per_gpu_hour or {}), region=rents_from,
        day=on or datetime.datetime.now(datetime.UTC).date(),
    )  # fmt: skip
    searched, no_seller = Searched(), ""
    if kinds:
        searched = searched_fleets(
            question, accelerators, precisions, lists, kinds,
            {"peak_factor": max(float(load.max() / load.mean()), 1.0), "n_spare": n_spare,
             "trace": trace, "n_refined": n_refined, "seed": seed}, step,
            chances=() if tasks else sorted({BINDING_P, least_p_frac or BINDING_P}),
            usd_per_year=Crew(staff.typical, licence_usd_per_gpu_year),
        )  # fmt: skip
        notes += [searched.problem] if searched.problem else []
        if searched.n_parts > 1:
            notes.append(
                f"So large a load was simulated as one of {searched.n_parts:,} equal parts, each "
                "on a fleet of its own: that takes up to some 4 % more replicas than one fleet for "
                "all."
            )
    fleets = searched.fleets
    if tasks:
        step("simulating sessions")
        tasks, fleets = sized(tasks, fleets, max(float(load.max() / load.mean()), 1.0))
        scenario = tasks.seller
        notes.append(tasks_note(tasks))
    step("reading prices")
    site = scenario.resolved_site
    servers, unpriced = server_prices(scenario, fleets) if "own" in kinds else ({}, [])
    notes += unpriced if accelerators is not None else []
    ranges = chance.inputs(
        {f.speed: f.rate_p90_factor for f in fleets},
        servers,
        growth=growth,
        discount=discount,
        staff=staff,
        rate=around(given("tco_inputs", "cost-of-capital"),
                     scenario.finance.cost_of_capital_frac),
        electricity=around(given("layers", "electricity"), site.electricity_usd_per_kwh),
    )  # fmt: skip
    draws = chance.draw(ranges, draws_wanted, seed)
    use = float(scenario.finance.utilisation_frac)
    market = Market(load, draws, years, use)
    ask = Ask(
        scenario=scenario,
        market=market,
        plain=Market(load, chance.typical(ranges, 1), years, use),
        servers=servers,
        quotes=lists.quotes,
        licence_usd_per_gpu_year=licence_usd_per_gpu_year,
        deadline_h=deadline_h,
        day=lists.day,
        region=lists.region,
        cache_ttl_s=cache_ttl_s,
        are_turns=tasks is not None,
    )
    apis: list[Entry] = []
    sold_name = sold_as or scenario.model_id
    if not no_api and not on_premises:
        apis = api_entries(ask, sold_name, api_prices, sellers, measured)
        no_seller = "" if apis else f"no seller lists {sold_name}: give api_prices"
        notes += [no_seller] if no_seller else [ANYWHERE] if region else []
    entries = apis + fleet_entries(ask, fleets, kinds, apis, notes)
    step("weighing the options")
    accept = acceptance_of(
        scenario, sold_as or scenario.model, value_usd_per_answer, right_frac, benchmark,
        floor_frac, deadline_h,
    )  # fmt: skip
    options, by_option, npv, ties = judged(entries, market, least_p_frac, deadline_h, accept)
    if not options or options[0].reason:
        raise ValueError(nothing_words(question, options, notes))
    if searched.plan is None:
        notes.append(f"Only sellers of tokens are weighed: {not_served(sold_name)}.")
    weighed = {family_of(option) for option in options}
    notes += assumptions(question, load, ranges, years, deadline_h, bool(fleets), weighed)
    requests_per_day = float(load.mean()) * DAY_S * use
    workload = scenario.workload
    tokens = requests_per_day * (workload.mean_input_tokens + workload.mean_output_tokens)
    thoughts = thinking_note(sold_name, workload.mean_output_tokens)
    notes += [thoughts] if thoughts else []
    notes += caveats(options, tokens, float(load.max() / load.mean()))
    step("looking for break-even and for what to measure")
    able = [o for o in options if not o.reason]
    crossings = break_even_frame(options, by_option, ask, ranges, tokens)
    worth = chance.value_of_knowing(draws, ranges, npv[[o.name for o in able]])
    of_option = {name: one.fleet for name, one in by_option.items() if one.fleet}
    chosen_fleet, size = by_option[options[0].name].fleet, ""
    if chosen_fleet and searched.plan and tasks is None and "+" not in options[0].kind:
        parts = options[0].parts
        machines_usd = sum(parts.values()) - parts.get("staff", 0.0)
        gpu_usd_per_day = machines_usd / max(options[0].n_gpu, 1) / DAYS_PER_YEAR
        size = size_words(chosen_fleet, searched.plan, gpu_usd_per_day)
    offer = None
    if accept is not None:
        offer = offer_of(offer_rows(able, npv, of_option, market, accept, site.pue))
    return Decision(
        scenario=scenario,
        tasks=tasks,
        weights=weights_of(scenario, sold_as) if searched.plan else sold_name,
        options=tuple(options),
        tied_with=ties,
        deadline_h=deadline_h,
        horizon_years=years,
        tokens_per_day=tokens,
        plan=searched.plan,
        fleets={fleet.key: fleet for fleet in reversed(fleets)},
        by_option=of_option,
        missing=missing_of(
            options,
            kinds,
            NOBODY if no_api else STAYS if on_premises else no_seller,
            searched.problem,
            STAYS if on_premises else "",
            not_served(sold_name),
        ),
        offer=offer,
        break_even=crossings,
        worth=worth,
        npv_draws=npv,
        ranges=ranges,
        life_years=scenario.finance.life_years or ranges[chance.LIFE].typical,
        cash=cash_frame(options, by_option, ask.plain),
        what_would_change_it=tuple(
            filter(None, [size, *what_changes(options, crossings, chosen_fleet, tokens)])
        ),
        measure_next=tuple(what_to_measure(options, worth)),
        notes=tuple(notes),
    )
