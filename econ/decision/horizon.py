"""What the years cost, in words: growth, each year, purchases and resale, and the total of today.

>>> growth_words(Range(1.0, 1.3, 2.0)), growth_words(Range(1.5, 1.5, 1.5))
('× 1.3 a year (1 to 2)', '× 1.5 a year')
>>> growth_words(Range(1.0, 1.0, 1.0))
''
"""

from __future__ import annotations

import numpy as np

from econ.catalog.ranges import Range
from econ.decision import chance
from econ.decision.reasons import PART_NAMES
from econ.decision.result import Option, Weighing
from econ.decision.words import money, present_words, year_words

LEAST_CHANGE = 0.005  # of the first year's cost: less is the same year


def growth_words(growth: Range) -> str:
    """By how much the load grows each year; empty where it does not."""
    if growth.is_fixed:
        return f"× {growth.typical:g} a year" if growth.typical != 1 else ""
    return f"× {growth.typical:g} a year ({growth.low:g} to {growth.high:g})"


def changes(option: Option) -> bool:
    """Whether a later year typically costs another sum than the first."""
    years = np.array(option.by_year_usd)
    return bool((np.abs(years - years[0]) > LEAST_CHANGE * years[0]).any())


def first_year_words(option: Option) -> str:
    """What the first year costs, with the band; said to be the first where others differ."""
    return year_words(option, " in the first year" if changes(option) else " a year")


def horizon_words(decision: Weighing) -> str:
    """The choice and the next best over the horizon with both bands, and what their money buys."""
    both = [o for o in (decision.chosen, decision.next_best) if o]
    ends = [f"{o.name} {present_words(o)}" for o in both]
    built = built_option(decision)
    paid = [
        f"{o.name} {'as built up below' if o is built else f'for {parts_words(o)}'}" for o in both
    ]
    typical = " and ".join(money(o.npv_typical_usd) for o in both)
    prices = "prices stay as they are today"
    if grows := growth_words(decision.ranges[chance.GROWTH]):
        prices += f" and the load grows {grows.partition(' (')[0]}"
    words = (
        f"Over {decision.horizon_years} years, in today's money: {', next '.join(ends)}. The first "
        f"year pays with {'; with '.join(paid)}. "
    )
    if later := [f"{o.name} {years_words(o)}" for o in both if changes(o)]:
        words += f"Year by year, typically: {'; '.join(later)}. "
    return (
        f"{words}These totals are means over the draws of prices, speed, staff and growth; the "
        f"workbook computes the typical case of each ({typical}), in which {prices}."
        f"{_turned_words(decision)}"
    )


def _turned_words(decision: Weighing) -> str:
    """That the typical case ranks the choice and the next best the other way round; else nothing.

    >>> from types import SimpleNamespace as Of
    >>> one, other = (Of(in_words=w, npv_usd=m, npv_typical_usd=t)
    ...               for w, m, t in (("the API of A", 1.0, 3.0), ("1 × chip", 2.0, 2.0)))
    >>> _turned_words(Of(chosen=one, next_best=other))
    ' There 1 × chip costs less: that the API of A is taken rests on what may change.'
    >>> _turned_words(Of(chosen=other, next_best=one))
    ''
    """
    one, other = decision.chosen, decision.next_best
    if other is None or one.npv_usd > other.npv_usd:
        return ""
    if one.npv_typical_usd <= other.npv_typical_usd:
        return ""
    why = f"that {one.in_words} is taken rests on what may change"
    return f" There {other.in_words} costs less: {why}."


def years_words(option: Option) -> str:
    """The typical cost of each year."""
    return ", ".join(money(usd) for usd in option.by_year_usd)


def parts_words(option: Option) -> str:
    """What the first year is paid for, largest first."""
    parts = sorted(option.parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{PART_NAMES.get(name, name)} {money(usd)}" for name, usd in parts if usd > 0)


def built_option(decision: Weighing) -> Option | None:
    """The first of the choice, the next best and the best owned that buys servers."""
    options = [decision.chosen, decision.next_best, decision.best_of("own")]
    return next((o for o in options if o and o.bought), None)


def build_up_words(decision: Weighing) -> str:
    """What servers of one's own cost in the first year, from their price to the sum; else nothing.

    In whole USD, so that the lines add up to what is said above.
    """
    option = built_option(decision)
    if option is None:
        return ""
    rate = decision.ranges[chance.RATE].typical
    bought = ", ".join(f"{name} ${usd:,.0f}" for name, usd in option.bought.items())
    yearly = ", ".join(
        f"{PART_NAMES.get(name, name)} ${usd:,.0f}"
        for name, usd in option.parts.items()
        if usd > 0 and name != "capital"
    )
    return (
        f"The year of {option.name}: bought for ${sum(option.bought.values()):,.0f} ({bought}), "
        f"which is ${option.parts['capital']:,.0f} a year over {decision.life_years:g} years at "
        f"{rate:.2%}, paid back by the month; {yearly}: in all ${option.usd_per_year:,.0f} a year."
    )


def purchases_words(decision: Weighing) -> str:
    """What the total counts in the place of that annuity: each purchase, less the resale."""
    option = built_option(decision)
    if option is None:
        return ""
    first, *later = option.capital_by_year_usd
    more = "".join(f", ${usd:,.0f} in year {k}" for k, usd in enumerate(later, start=2) if usd)
    return (
        f"Over {decision.horizon_years} years {option.name} costs {present_words(option)} in "
        f"today's money. That counts no annuity but the purchases themselves (${first:,.0f} at the "
        f"start{more}), less what they are sold for at the end: typically "
        f"${option.resale_usd:,.0f}."
    )
