"""What price lists and tests leave open: the speed of sellers, and whether so much can be had.

>>> print(size_note("rent", "64 × h100-sxm", 64))
<BLANKLINE>
>>> print(size_note("rent", "h100-sxm", 400))
Lists price single servers and say nothing about 400 × h100-sxm at once: ask whether, when and at \
what price so many can be had.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from econ.catalog.guard import UnknownName
from econ.catalog.names import maker_name
from econ.catalog.ranges import Range
from econ.catalog.scores import BENCHMARK, quality
from econ.catalog.tables import table
from econ.catalog.units import DAY_S, MINUTE_S, MTOK
from econ.decision import chance
from econ.decision.horizon import growth_words
from econ.decision.offers import CLOSED, sold_as
from econ.decision.result import Option, chips_words, family_of
from econ.scenario import Scenario

MANY_GPUS = 64  # eight servers; assumed: no list says how many it has
MANY_MTOK_PER_MINUTE = 1.0  # at the busiest hour; assumed likewise
THOUGHT_TOKENS = 1_000  # of an answer with its thoughts, at least
BURSTY = 2.0  # variation of the gaps between arrivals
MANY_REASONS = 4  # options whose reasons are named
MANY_THOUGHTS = 4  # times the output that is asked about


def thinking_note(name: str, output_tokens: float) -> str:
    """That thoughts are output, where a model's answers in tests are far longer than those here.

    >>> print(thinking_note("deepseek-r1", 212.0))
    Thoughts are output: deepseek-r1 wrote 8,000 tokens an answer in a test (GPQA-Diamond, \
artificial-analysis, 2026-07-10), 212 are counted here. Give output_tokens if yours thinks.
    >>> thinking_note("deepseek-r1", 8000.0), thinking_note("llama-3.1-8b", 212.0)
    ('', '')
    """
    try:
        known = quality(name)
        tokens, source = known.output_tokens_per_answer or 0.0, f"{known.source}, {known.as_of}"
    except UnknownName:
        tokens, source = 0.0, ""
    if tokens > max(MANY_THOUGHTS * output_tokens, 2 * THOUGHT_TOKENS):
        wrote = f"{name} wrote {tokens:,.0f} tokens an answer in a test ({BENCHMARK}, {source})"
    elif sold_as(name).is_thinking and output_tokens < THOUGHT_TOKENS:
        wrote = f"{name} thinks before it answers"
    else:
        return ""
    return (
        f"Thoughts are output: {wrote}, {output_tokens:,.0f} are counted here. Give output_tokens "
        "if yours thinks."
    )


def caveats(options: Sequence[Option], tokens_per_day: float, peak_factor: float) -> list[str]:
    """Sentences about the options that can be chosen.

    Parameters
    ----------
    options : sequence of Option
        Best first.
    tokens_per_day : float
        Of today's load, input and output.
    peak_factor : float
        Busiest hour over the mean.
    """
    able = [option for option in options if not option.reason]
    sentences = []
    if any(option.is_unproven for option in able):
        sentences.append(speed_note())
    mtok = tokens_per_day * peak_factor / DAY_S * MINUTE_S / MTOK
    if mtok > MANY_MTOK_PER_MINUTE and any(option.is_api for option in able):
        sentences.append(
            f"An API has to take {mtok:,.3g} M tokens a minute in the busiest hour: price lists do "
            "not say whether a seller does, so ask for that limit in writing."
        )
    for family in ("rent", "own"):
        best = next((o for o in able if o.accelerator and family_of(o) == family), None)
        if best and (note := size_note(family, best.accelerator, best.n_gpu)):
            sentences.append(note)
    return sentences


def size_note(family: str, accelerator: str, n_gpu: int) -> str:
    """That so many accelerators may not be there to rent or to buy; nothing for a few servers."""
    if n_gpu <= MANY_GPUS:
        return ""
    what = "Lists price single servers and say" if family == "rent" else "A server's price says"
    return (
        f"{what} nothing about {chips_words(n_gpu, accelerator)} at once: ask whether, when and at "
        "what price so many can be had."
    )


def speed_note() -> str:
    """What P(SLO) of a seller without a published speed rests on."""
    row = table("host_speeds").iloc[0]
    return (
        "P(SLO) of a seller whose speed is not published is that of sellers in general: "
        f"{row['note'][0].lower()}{row['note'][1:]} ({row['source']}, {row['as_of']}). It says "
        "little of one seller, less of a closed model, and nothing of your hour of the day: test "
        "the seller and give what you find (--measured SELLER=TOKENS_PER_S/TTFT_S)."
    )


def not_served(sold_name: str) -> str:
    """Why no machine is weighed.

    >>> not_served("claude-sonnet-4-5"), not_served("qwen3-32b")
    ('a closed model has no weights to serve', 'machines were not asked for')
    """
    if CLOSED.match(maker_name(sold_name)):
        return "a closed model has no weights to serve"
    return "machines were not asked for"


def nothing_words(question: Scenario, options: Sequence[Option], notes: Sequence[str]) -> str:
    """Why nothing can be chosen: each reason once."""
    names: dict[str, list[str]] = {}
    for option in options[:MANY_REASONS]:
        names.setdefault(option.reason, []).append(option.name)
    reasons = [*dict.fromkeys(notes), *(f"{', '.join(of)}: {why}" for why, of in names.items())]
    cause = "; ".join(reasons) or "no term, seller or accelerator is left to choose from"
    return f"nothing keeps the SLO of {question.name!r}: {cause}"


def assumptions(
    question: Scenario,
    load: np.ndarray,
    ranges: Mapping[str, Range],
    years: int,
    deadline_h: float,
    has_fleets: bool,
    families: Collection[str],
) -> list[str]:
    """What the answer rests on, in sentences; of prices those of the families on the menu."""
    w, slo = question.workload, question.slo
    notes = []
    if has_fleets and not deadline_h:
        notes.append(
            f"Counts of accelerators rest on simulated arrivals (gaps vary by {w.arrival_cv:.2f} "
            f"of their mean) and on {slo.attainment_frac:.0%} of requests within both limits."
        )
        if float(w.arrival_cv) > BURSTY:
            notes.append(
                f"These arrivals come in bursts (Poisson arrivals have 1 in the place of "
                f"{w.arrival_cv:.2g}), for which machines wait: with a log of your own (trace) the "
                "counts may be far smaller."
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
    if grows := growth_words(ranges[chance.GROWTH]):
        notes.append(f"The load is taken to grow {grows}, as is stated.")
    else:
        notes.append("The load is taken not to grow: give growth_per_year.")
    rents_, tokens = ranges[chance.RENTS], ranges[chance.TOKENS]
    paths = [
        f"{what} by × {path.low:.2f} to {path.high:.2f}"
        for family, what, path in (("rent", "rents", rents_), ("api", "prices of tokens", tokens))
        if family in families
    ]
    if paths:
        changing = " and ".join(paths).replace(" by ", " change by ", 1)
        notes.append(
            f"Prices of later years: no list reaches so far, so {changing} a year, as any twelve "
            f"months of the past did, each year of {years} alike; typical is no change."
        )
    holds = "A seller's price holds its staff, insurance and margin"
    carry = "achines carry staff, and owned ones support and insurance, as lines of their own"
    if "api" not in families:
        notes.append(f"M{carry}. Who builds the product is in none of them.")
    elif has_fleets:
        notes.append(f"{holds}; m{carry}. Who builds the product is in neither.")
    else:
        notes.append(f"{holds}. Who builds the product is not in it.")
    return notes
