"""A decision in words: one line, and one page for whoever decides.

The page says the question, the answer with its next best and both bands, API, rent and own side by
side, how sure it is, what would change it, what to find out first, and how to start the fleet.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from econ.catalog.units import HOURS_PER_DAY, MILLI
from econ.decision.beside import beside, case_words
from econ.decision.chance import DISCOUNT, GROWTH, RATE, STAFF
from econ.decision.fleets import Fleet
from econ.decision.horizon import (
    build_up_words,
    first_year_words,
    growth_words,
    horizon_words,
    purchases_words,
)
from econ.decision.launch import launch_lines
from econ.decision.reasons import SURE, tokens_words
from econ.decision.result import Option, Weighing, chips_words
from econ.decision.speeds import UNPUBLISHED
from econ.decision.words import (
    drawn_words,
    money,
    share_words,
    unproven_words,
    usd_words,
    year_words,
)

HEADS = ("option", "USD a day", "USD in the first year (nine cases in ten)",
         "chance to keep the SLO", "commitment", "price dated")  # fmt: skip
TERMS = (
    "Terms: the SLO is the waiting that users accept, as the question states it; TTFT is the time "
    "to the first token; Mtok are a million tokens; between the figures in brackets lie nine cases "
    "in ten."
)
GLOSSARY = (
    "In the table: bf16, fp8, fp4 are number formats of the weights (16, 8 or 4 bits each); TP is "
    "tensor parallelism, the accelerators that share every layer of one replica. Electricity of "
    "own servers includes cooling by the PUE, the building's power over that of its machines."
)
FAMILIES = {"api": "API", "rent": "rent", "own": "own"}


def question(decision: Weighing) -> str:
    """What was asked, in one sentence."""
    return f"{load_words(decision)}: what hardware, at what cost, and rent, API or buy?"


def load_words(decision: Weighing) -> str:
    """Load, lengths, cached share, and SLO or deadline."""
    s = decision.scenario
    slo, w = s.slo, s.workload
    rate = f"{w.rate_per_s:,.0f}" if w.rate_per_s >= 1000 else f"{w.rate_per_s:.3g}"
    model = s.resolved_model.name or s.model_id if decision.plan else decision.weights
    limits = (
        f"each done within {decision.deadline_h:g} h"
        if decision.deadline_h
        else f"{slo.attainment_frac:.0%} of requests with TTFT within {slo.ttft_s:g} s and "
        f"{slo.tpot_s / MILLI:g} ms per token"
    )
    grows = growth_words(decision.ranges[GROWTH])
    return (
        f"{tokens_words(decision.tokens_per_day)} tokens a day{f', {grows},' if grows else ''} of "
        f"{model} "
        f"({rate} requests/s, {w.mean_input_tokens:,.0f} tokens in"
        + f", {w.cached_frac:.0%} of them cached"
        + f", {w.mean_output_tokens:,.0f} out), {limits}"
    )


def answer_line(decision: Weighing) -> str:
    """The answer in one line: the choice, and API, rent and own side by side in USD per day."""
    best = {family: decision.best_of(family) for family in FAMILIES}
    sides = [
        f"{FAMILIES[family]} {money(option.usd_per_day)} ({option.name})"
        for family, option in best.items()
        if option
    ]
    reasons = [
        f"{FAMILIES[family]} ({decision.missing.get(family, 'not asked for')})"
        for family, option in best.items()
        if option is None
    ]
    none = f"; left out: {', '.join(reasons)}" if reasons else ""
    one = decision.chosen
    head = f"Unproven: {unproven_words(one)}. " if one.is_unproven else ""
    whose = " (sellers in general)" if one.evidence == UNPUBLISHED else ""
    if one.n_gpu_sure > one.n_gpu > 0:
        whose = f" (with up to {one.n_gpu_sure} of them)"
    nothing = nothing_line(decision)
    take = "If it is to be served all the same, take" if nothing else "Take"
    day, year = f"{money(one.usd_per_day)} a day", first_year_words(one)
    chance = "keeps the SLO with a probability of"
    share = f"{share_words(one.p_keeps_slo)}{whose}"
    if decision.deadline_h:
        costs = f"{day}, {year}, done within {decision.deadline_h:g} h"
    elif one.p_keeps_slo < SURE:  # said as early as the price
        costs = f"{day}, but it {chance} only {share}; {year}"
    else:
        costs = f"{day}, {year}, {chance} {share}"
    return (
        f"{nothing}{head}{take} {one.in_words}: {costs}"
        f". {tie_words(decision)}Per day: {', '.join(sides)}{none}.{later_words(decision)}"
    )  # fmt: skip


def later_words(decision: Weighing) -> str:
    """Why something that costs less today is not taken: what both cost over the horizon."""
    one = decision.chosen
    sides = [o for o in map(decision.best_of, FAMILIES) if o and o.usd_per_day < one.usd_per_day]
    if decision.offer is not None or not sides:
        return ""
    less = min(sides, key=lambda option: option.usd_per_day)
    return (
        f" Over {decision.horizon_years} years, as prices and load move, {one.in_words} costs "
        f"{drawn_words(one, 'npv_usd')} in today's money, {less.in_words} "
        f"{drawn_words(less, 'npv_usd')}."
    )


def nothing_line(decision: Weighing) -> str:
    """That every option loses money, and from which value on one pays; else nothing."""
    offer = decision.offer
    if offer is None or offer.serves:
        return ""
    first = offer.frame().iloc[0]
    if np.isnan(first["value_usd_per_answer"]):
        return ""
    edge = usd_words(offer.break_even_usd_per_answer)
    return (
        f"Offer nothing: at {usd_words(first['value_usd_per_answer'])} an accepted answer every "
        f"option loses money over the horizon; it pays from {edge}, with the {first['option']} of "
        f"{first['model']}. "
    )


def worth_line(decision: Weighing) -> str:
    """What accepted answers earn, or cost, and from which value on they pay; else nothing."""
    offer = decision.offer
    if offer is None or nothing_line(decision):
        return ""
    edge = usd_words(offer.break_even_usd_per_answer)
    rows = offer.frame()
    first = rows.iloc[0]
    usd, right = first["value_usd_per_answer"], first["right_frac"]
    n_models = len(set(rows["model"]))
    of = f" of {n_models} models" if n_models > 1 else ""
    head = f"{first['model']} ({right:.0%} right){of}"
    if np.isnan(usd):
        return f"{head}: an accepted answer costs {usd_words(first['usd_per_answer'])}."
    day = [first[f"profit_{end}usd_per_hour"] * HOURS_PER_DAY for end in ("", "low_", "high_")]
    over = "".join(
        f", {money(first[name])} {words}"
        for name, words in (("profit_usd_per_gpu_hour", "per GPU-hour"),
                            ("profit_usd_per_mw_hour", "per MWh of the site"))
        if not np.isnan(first[name])
    )  # fmt: skip
    return (
        f"{head} earns {money(day[0])} a day ({money(day[1])} to {money(day[2])}){over} at "
        f"{usd_words(usd)} an accepted answer, each of which costs "
        f"{usd_words(first['usd_per_answer'])}; it pays from {edge}."
    )


def tie_words(decision: Weighing) -> str:
    """With what else the chosen option ties within the band, and the rule; else nothing.

    The same machine on another list is nothing else.
    """
    one = decision.chosen
    others = [
        o
        for o in decision.eligible
        if o.name in decision.tied_with
        and (o.is_api or (o.kind, o.accelerator) != (one.kind, one.accelerator))
    ]
    if not others:
        return ""
    *most, last = [f"{o.in_words} ({money(o.usd_per_day)} a day)" for o in others[:3]]
    names = f"{', '.join(most)} and {last}" if most else last
    return (
        f"Over {decision.horizon_years} years it ties, within the band, with {names}: of a tie "
        "the surer of the SLO is taken, then what binds for less time, then the cheaper. "
    )


def assumed_line(decision: Weighing) -> str:
    """Load, lengths, cached share, SLO, place, staff and the API's price, in one line."""
    staff, api = decision.ranges[STAFF], decision.best_of("api")
    pay = money(staff.typical)
    pay += "" if staff.is_fixed else f" ({money(staff.low)} to {money(staff.high)})"
    price = f"; {api.name}: {api.words}" if api else ""
    site = decision.scenario.resolved_site
    power = f"electricity of {site.name}"
    if site.electricity_usd_per_kwh is None:
        power = f"electricity at a typical price, as none is known of {site.name}"
    machines = (
        f"; {power}; staff of machines: a quarter person a server, at most a team at {pay} a year"
    )
    return f"{load_words(decision)}{machines if decision.plan else ''}{price}"


def glossary(decision: Weighing) -> str:
    """The words in the table that belong to machines; nothing where it holds none."""
    return "" if all(option.is_api for option in beside(decision)) else GLOSSARY


def side_rows(decision: Weighing) -> list[tuple[str, ...]]:
    """The options that stand side by side, in words."""
    return [option_words(option, decision.deadline_h) for option in beside(decision)]


def price_line(decision: Weighing) -> str:
    """Where the prices that are shown come from, and what money of later years counts."""
    lists = dict.fromkeys(f"{o.source} ({o.as_of})" for o in beside(decision) if o.source)
    rate, off = (decision.ranges.get(name) for name in (RATE, DISCOUNT))
    words = f"Prices: {'; '.join(lists)}."
    if rate:
        words += f" Money of later years is discounted at {rate.typical:.2%} a year."
    if off and off.high and not all(o.is_api for o in beside(decision)):
        words += f" Of committed list prices {off.low:.0%} to {off.high:.0%} are negotiated off."
    return words


def option_words(option: Option, deadline_h: float = 0.0) -> tuple[str, ...]:
    """One option as the cells under `HEADS`; with a deadline no request has an SLO."""
    bound = "no" if not option.commitment_months else f"{option.commitment_months:.0f} months"
    return (
        f"{option.name} ({option.words})",
        money(option.usd_per_day),
        year_words(option),
        "may wait" if deadline_h else share_words(option.p_keeps_slo),
        bound,
        option.as_of,
    )


def whole_words(option: Option, fleet: Fleet) -> str:
    """Why more accelerators are bought than the replicas have; nothing where it is no more."""
    n_needed = (fleet.n_replicas + fleet.n_spare) * fleet.n_gpu_per_replica
    if option.kind != "own" or option.n_gpu <= n_needed:
        return ""
    each = chips_words(fleet.n_gpu_per_replica, option.accelerator)
    spare = f" and {fleet.n_spare} to spare" if fleet.n_spare else ""
    return (
        f"{fleet.n_replicas} replica{'s' if fleet.n_replicas > 1 else ''} of {each}{spare} are "
        f"needed; servers are bought whole, which makes {option.n_gpu}."
    )


def sure_words(decision: Weighing) -> list[str]:
    """How sure: what P(SLO) rests on, and the best if all were true."""
    one, sentences = decision.chosen, []
    sentences.append(f"{one.name}: {one.evidence}.")
    if fleet := decision.fleet_of(one):
        sentences += filter(None, [whole_words(one, fleet)])
    if one.n_gpu_sure > one.n_gpu > 0:
        sentences.append(
            f"{chips_words(one.n_gpu, one.accelerator)} are the typical case, {one.n_gpu_sure} "
            "suffice in nine of ten; the band of the cost pays for those that each case needs."
        )
    if decision.regime and decision.regime != "calibrated":
        sentences.append(
            f"The fleet lies outside what the latency model was fitted on ({decision.regime}): its "
            "band is wide."
        )
    true = decision.best_if_true
    if true is not one:
        sentences.append(
            f"The best if every prediction held: {true.name}, {money(true.usd_per_day)} a day."
        )
    return sentences


def sections(decision: Weighing) -> list[tuple[str, Sequence[str]]]:
    """Headings of the page and the sentences under each."""
    return [
        ("How sure", sure_words(decision)),
        ("What would change it", decision.what_would_change_it),
        ("What to find out first", decision.measure_next),
        (
            "What this rests on",
            [f"Assumed: {assumed_line(decision)}.", price_line(decision), *decision.notes, TERMS],
        ),
    ]


def memo_markdown(decision: Weighing) -> str:
    """The page as Markdown."""
    lines = [f"# {decision.scenario.name}: what to run", "", question(decision), "",
             f"**{answer_line(decision)}**", "", *filter(None, [worth_line(decision)]), "",
             *_table(HEADS, side_rows(decision)), ""]  # fmt: skip
    for words in (case_words, glossary, horizon_words, build_up_words, purchases_words):
        lines += [text, ""] if (text := words(decision)) else []
    for title, sentences in sections(decision):
        lines += [f"## {title}", "", *(f"- {text}" for text in sentences), ""]
    lines += launch_markdown(decision)
    return "\n".join(lines).rstrip() + "\n"


def launch_title(decision: Weighing) -> str:
    """The heading over the commands, with the case for which they are there."""
    case = ", if no API may be used" if decision.chosen.is_api else ""
    return f"How to start machines of your own{case}"


def copies_words(fleet: Fleet) -> str:
    """How many replicas to start, spares too, and on what."""
    each = chips_words(fleet.n_gpu_per_replica, fleet.accelerator.id)
    spare = f" ({fleet.n_spare} of them to spare)" if fleet.n_spare else ""
    return f"{fleet.n_replicas + fleet.n_spare} × this{spare}, each on {each}"


def launch_markdown(decision: Weighing) -> list[str]:
    """How to start a replica of the fleet, chosen or in reserve."""
    fleet = decision.fleet()
    if fleet is None:
        return []
    lines = launch_lines(fleet.scenario, decision.weights)
    return [f"## {launch_title(decision)}", "", f"{copies_words(fleet)}:", "",
            *(f"    {line}" for line in lines.values()), ""]  # fmt: skip


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return [line(head), "|" + " --- |" * len(head), *map(line, rows)]


def options_frame(decision: Weighing) -> pd.DataFrame:
    """All options under readable heads, for a table of evidence."""
    rows = [
        (*option_words(o, decision.deadline_h), drawn_words(o, "npv_usd"), o.reason)
        for o in decision.options
    ]
    columns = ["option", *HEADS[1:], f"USD over {decision.horizon_years} years", "why not"]
    return pd.DataFrame(rows, columns=columns)


def break_even_frame(decision: Weighing) -> pd.DataFrame:
    """The break-even volumes and years in words."""
    rows = [
        (
            row.option,
            row.against,
            "" if np.isnan(row.api_tokens_per_day) else tokens_words(row.api_tokens_per_day),
            "never" if np.isnan(row.tokens_per_day) else tokens_words(row.tokens_per_day),
            "none" if np.isnan(row.year) else f"{row.year:.0f}",
        )
        for row in decision.break_even.itertuples()
    ]
    columns = [
        "option", "against", "API no dearer up to (tokens a day)", "machines cheaper from, at the "
        "latest", "cheaper from year",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
