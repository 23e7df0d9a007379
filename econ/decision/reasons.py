"""Why this option, from which volume another, what would change it, and what to find out first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from econ.catalog.ranges import Range
from econ.catalog.units import MONTHS_PER_YEAR
from econ.decision import chance
from econ.decision.books import Market
from econ.decision.fleets import Fleet
from econ.decision.hours import Ask
from econ.decision.menu import Entry
from econ.decision.result import FAMILIES, Option, family_of
from econ.decision.words import share_words
from econ.tco import break_even
from econ.uncertainty import with_error

SCALES = 2.0 ** np.arange(-6, 14.01, 0.125)  # times today's load at which break-even is sought
SURE = 0.9
ROOM = 1.2  # times the load: asked anew at another volume, a replica carries up to a sixth less
LEAST_FRAC = 0.005  # of a price: less is none
PRICED = ("tokens", "machines", "burst", "capital", "support", "insurance")  # move with a price
PART_NAMES = {"burst": "machines by the hour", "capital": "capital", "colocation": "space"}


def break_even_frame(
    options: Sequence[Option],
    entries: Mapping[str, Entry],
    ask: Ask,
    ranges: Mapping[str, Range],
    tokens_per_day: float,
) -> pd.DataFrame:
    """From which volume each way of having machines costs less than the best API, for good.

    The least fleet never shrinks as the load grows: what today's machines cost at least is paid at
    every larger volume, and up to the one for which the API asks as much none costs less. At the
    other end the fleets of today, more of each as the load grows and with room for a fifth more of
    it, bound what is paid from above.

    Returns
    -------
    pandas.DataFrame
        Columns option, against, tokens_per_day (at the latest; NaN where never, up to 16,000 times
        the load), api_tokens_per_day (up to which, from today's on, no machine costs less than the
        API; NaN where one does today), and year: the first of the horizon in which its typical
        cost is the lower (NaN where none).
    """
    columns = ["option", "against", "tokens_per_day", "api_tokens_per_day", "year"]
    apis = [o for o in options if o.is_api and not o.reason]
    machines = [o for o in options if not o.is_api and "+" not in o.kind and not o.reason]
    if not apis or not machines:
        return pd.DataFrame(columns=columns)
    drawn = chance.typical(ranges, len(SCALES))
    market = Market(ask.market.load_per_s, drawn, 1, ask.market.at_work_frac, SCALES)
    api = min(apis, key=lambda option: option.usd_per_day)
    least_usd = min(o.usd_per_day for o in options if not (o.is_api or o.reason or _sends(o)))
    up_to = least_usd / api.usd_per_day if api.usd_per_day else np.inf
    api_tokens = tokens_per_day * up_to if up_to >= 1 else np.nan
    api_usd = entries[api.name].books(market).year_usd[:, 0]
    roomy = Market(ask.market.load_per_s, drawn, 1, ask.market.at_work_frac, ROOM * SCALES)
    rows = []
    for option in machines:
        usd = entries[option.name].books(roomy).year_usd[:, 0]
        lasting = break_even(SCALES * tokens_per_day, usd, api_usd).lasting
        cheaper = np.array(option.by_year_usd) <= np.array(api.by_year_usd)
        year = float(np.argmax(cheaper)) + 1 if cheaper.any() else np.nan
        latest = np.nan if lasting is None else lasting
        rows.append((option.name, api.name, latest, api_tokens, year))
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values("tokens_per_day", kind="stable", ignore_index=True)


def _sends(option: Option) -> bool:
    """Whether its peaks go to an API."""
    return option.kind.endswith("+api")


def cash_frame(
    options: Sequence[Option], entries: Mapping[str, Entry], plain: Market
) -> pd.DataFrame:
    """Cash by month of the best API, rent and own in the typical case.

    Columns option, month (from 0), usd (what is paid; negative for a resale), total_usd.
    """
    parts = []
    for family in FAMILIES:
        option = next((o for o in options if not o.reason and family_of(o) == family), None)
        if option is None:
            continue
        books = entries[option.name].books(plain)
        months = int(plain.n_years * MONTHS_PER_YEAR)
        usd = np.zeros(months + 1)
        usd[:-1] = np.repeat(books.running[0] / MONTHS_PER_YEAR, int(MONTHS_PER_YEAR))
        if books.capital is not None and books.resale is not None:
            usd[: months : int(MONTHS_PER_YEAR)] += books.capital[0]
            usd[-1] -= books.resale[0]
        frame = pd.DataFrame({"month": np.arange(months + 1), "usd": usd})
        parts.append(frame.assign(option=option.name, total_usd=frame["usd"].cumsum()))
    columns = ["option", "month", "usd", "total_usd"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def what_changes(
    options: Sequence[Option],
    crossings: pd.DataFrame,
    fleet: Fleet | None,
    tokens_per_day: float,
) -> list[str]:
    """Sentences: volume, year, price, the SLO, what may not be used."""
    able = [o for o in options if not o.reason]
    chosen = able[0]
    sentences = []
    known = crossings.dropna(subset=["tokens_per_day"])
    if len(known):
        first = known.iloc[0]
        times = first["tokens_per_day"] / tokens_per_day
        latest = (
            f"from {volume_words(first['tokens_per_day'], tokens_per_day)} on at the latest, "
            f"machines cost less than the {first['against']} for good: {first['option']} at "
            f"today's size, {'fewer there' if times < 0.95 else 'more as it grows'}"
        )
        up_to = first["api_tokens_per_day"]
        if np.isnan(up_to):
            down = "how far below that volume they still do is not computed"
            machine = next((o for o in able if o.name == first["option"]), chosen)
            sentences.append(f"Volume: {latest}; {down}.{all_the_same_words(chosen, machine)}")
        else:
            sentences.append(
                f"Volume: up to {volume_words(up_to, tokens_per_day)} no machine costs less than "
                f"the {first['against']}; {latest}. In between, ask again with that volume."
            )
    elif len(crossings):
        volume, api = tokens_words(SCALES[-1] * tokens_per_day), crossings["against"].iloc[0]
        sentences.append(
            f"Volume: up to {volume} tokens a day no machine costs less than the {api}."
        )
    timed = crossings.dropna(subset=["year"])
    if len(timed) and chosen.is_api:
        first = timed.sort_values("year").iloc[0]
        if first["year"] > 1:
            sentences.append(f"Time: in year {first['year']:.0f} {first['option']} costs less.")
    others = [able[1]] if len(able) > 1 else []
    others += [o for o in able if family_of(o) != family_of(chosen)][:1]
    for other in dict.fromkeys(o.name for o in others):
        option = next(o for o in able if o.name == other)
        if 1 - chosen.npv_usd / option.npv_usd >= LEAST_FRAC:
            sentences.append(price_words(chosen, option))
    if chosen.p_keeps_slo < SURE:
        sure = next((o for o in able if o.p_keeps_slo >= SURE), None)
        sentences.append(
            f"Speed: {chosen.in_words} keeps the SLO with a probability of "
            f"{chosen.p_keeps_slo:.0%} ({chosen.evidence}). "
            + (f"If it does not, take {sure.in_words}: ${sure.usd_per_day:,.0f} a day "
               f"({share_words(sure.p_keeps_slo)})."
               if sure else "Nothing on the menu keeps it with 90%.")
        )  # fmt: skip
    if fleet and fleet.n_sure > fleet.n_replicas:
        sentences.append(
            f"Rate: replicas in the typical case: {fleet.n_replicas}; in nine of ten "
            f"{fleet.n_sure} suffice."
        )
    for family, why in (("api", "no API may be used"), ("rent", "data must stay in the house")):
        if _is(chosen, family):
            rest = [o for o in able if not o.is_api]
            rest = rest if family == "api" else [o for o in rest if _is(o, "own")]
            if rest:
                one = rest[0]
                only = f", but only {share_words(one.p_keeps_slo)} sure to keep the SLO"
                sentences.append(
                    f"Rules: if {why}, take {one.name}: ${one.usd_per_day:,.0f} a day"
                    f"{only if one.p_keeps_slo < SURE else ''}."
                )
    return sentences


def all_the_same_words(chosen: Option, machine: Option) -> str:
    """Why an API is taken where a machine costs less today; else nothing."""
    if not chosen.is_api:
        return ""
    if machine.npv_usd > chosen.npv_usd:
        return " Over the horizon the API costs less all the same, as prices of tokens fall."
    return " Over the horizon the two tie within the band, and the API is surer or binds less."


def volume_words(tokens: float, today_tokens: float) -> str:
    """A volume, and how many times today's it is.

    >>> volume_words(9e8, 4e7), volume_words(4.1e7, 4e7)
    ("about 900 M tokens a day (22 times today's)", "about 41 M tokens a day (about today's)")
    """
    times = tokens / today_tokens
    today = f"{times:,.0f} times today's" if times >= 10 else f"{times:.2g} times today's"
    today = "about today's" if 0.95 < times < 1.05 else today
    return f"about {tokens_words(tokens)} tokens a day ({today})"


def price_words(chosen: Option, other: Option) -> str:
    """By how much the price of another option has to fall until it costs what the chosen one does.

    Staff, power and what else is paid beside it do not fall with a price.
    """
    total = sum(other.parts.values())
    beside = sum(usd for name, usd in other.parts.items() if name not in PRICED)
    priced_usd = other.npv_usd * (1 - beside / total) if total else other.npv_usd
    cheaper = (other.npv_usd - chosen.npv_usd) / priced_usd if priced_usd else np.inf
    if other.is_api:
        return (
            f"Price: {other.name} would have to become {cheaper:.0%} cheaper to cost the same over "
            "the horizon."
        )
    what = "its servers" if family_of(other) == "own" else "its rent"
    if cheaper < 1:
        return (
            f"Price: {what} would have to become {cheaper:.0%} cheaper for {other.name} to cost "
            "the same over the horizon."
        )
    names = [PART_NAMES.get(name, name) for name, usd in other.parts.items()
             if usd > 0 and name not in PRICED]  # fmt: skip
    return (
        f"Price: no price of its accelerators makes {other.name} as cheap: what comes beside it "
        f"({', '.join(names)}) is ${beside:,.0f} a year."
    )


def what_to_measure(options: Sequence[Option], worth: pd.DataFrame) -> list[str]:
    """Sentences, what is worth most first: only what can be found out before choosing."""
    able = [o for o in options if not o.reason]
    chosen = able[0]
    candidates: list[tuple[float, str]] = []
    sure = next((o for o in able if o.p_keeps_slo >= SURE), None)
    if chosen.p_keeps_slo < SURE:
        saved = (sure.npv_usd - chosen.npv_usd) * chosen.p_keeps_slo if sure else 0.0
        drawn = [o.se_usd.get("npv_usd", 0.0) for o in (chosen, sure) if o]
        usd = with_error(saved, math.hypot(*drawn) * chosen.p_keeps_slo)
        what = (
            "TTFT and tokens per second of the"
            if chosen.is_api
            else "TTFT and ITL of one replica of"
        )
        candidates.append(
            (
                saved,
                f"{what} {chosen.name} at your lengths, for a day"
                + (f": worth up to {usd} over the horizon: what it saves, times the "
                   "chance that it keeps the SLO."
                   if sure else "."),
            )
        )  # fmt: skip
    least = np.maximum(max(1.0, 1e-4 * chosen.npv_usd), worth["value_se_usd"])
    listed = worth[worth["value_usd"] >= least]
    for place, row in enumerate(listed.itertuples(), start=1):
        usd = with_error(row.value_usd, row.value_se_usd)
        open_rank = row.may_swap and place < len(listed)
        also = " (other draws could rank the next one first)" if open_rank else ""
        what = row.input.partition(" (")[0]
        candidates.append((row.value_usd, f"{what}: {row.how}, worth {usd}{also}."))
    candidates.sort(key=lambda pair: -pair[0])
    if not candidates:
        return ["Nothing that can be measured first would change the choice."]
    return [text[0].upper() + text[1:] for _, text in candidates[:4]]


def _is(option: Option, family: str) -> bool:
    return family_of(option) == family


def tokens_words(n: float) -> str:
    """A number of tokens as people say it: 40 M, 1.2 B."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if n >= size * (1 - 5e-4):  # three digits of 999.6 M are 1 B
            return f"{n / size:.3g} {letter}"
    return f"{n:.0f}"


def missing_of(
    options: Sequence[Option],
    kinds: Sequence[str],
    no_api: str,
    problem: str,
    no_rent: str = "",
    no_machine: str = "only sellers are weighed",
) -> dict[str, str]:
    """Why nothing of a family (api, rent, own) can be chosen: of the best of it, or of them all."""
    why: dict[str, str] = {"api": no_api} if no_api else {}
    why |= {"rent": no_rent} if no_rent else {}
    if not kinds:
        why |= {"rent": no_machine, "own": no_machine}
    if problem:
        why |= {"own": problem} if "own" in kinds else {}
        why |= {"rent": problem if "own" not in why else "as own"} if set(kinds) - {"own"} else {}
    for option in options:
        if option.reason:
            why.setdefault(family_of(option), option.reason)
    return why
