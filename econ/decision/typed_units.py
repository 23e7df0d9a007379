"""Times, shares and factors as people type them: with a unit or a sign, or as plain numbers.

>>> seconds("1"), seconds("500ms"), seconds("0.5 s"), hours("24h"), hours("90 min"), years("3y")
(1.0, 0.5, 0.5, 24.0, 1.5, 3)
>>> share("0.8"), share("80%"), factor("1.5"), factor("1.5x"), factor("+20%")
(0.8, 0.8, 1.5, 1.5, 1.2)
>>> seconds("soon")
Traceback (most recent call last):
    ...
argparse.ArgumentTypeError: 'soon' is no time: give seconds such as 0.5, or 500ms
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping

from econ.catalog.units import DAY_S, HOUR_S, MICRO, MILLI, MINUTE_S, MONTHS_PER_YEAR

PERCENT = 100.0
TIMES = {
    "us": MICRO, "µs": MICRO, "ms": MILLI, "msec": MILLI, "s": 1.0, "sec": 1.0, "second": 1.0,
    "seconds": 1.0, "min": MINUTE_S, "minute": MINUTE_S, "minutes": MINUTE_S, "h": HOUR_S,
    "hour": HOUR_S, "hours": HOUR_S, "d": DAY_S, "day": DAY_S, "days": DAY_S,
}  # fmt: skip
YEARS = {"": 1.0, "y": 1.0, "yr": 1.0, "yrs": 1.0, "year": 1.0, "years": 1.0}
MEASURE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-zµμ%×]*)")


def seconds(text: str) -> float:
    """A time in seconds where no unit is said."""
    return _measured(text, {"": 1.0, **TIMES}, "no time: give seconds such as 0.5, or 500ms")


def hours(text: str) -> float:
    """A time in hours where no unit is said."""
    in_s = _measured(text, {"": HOUR_S, **TIMES}, "no time: give hours such as 24, or 90min")
    return in_s / HOUR_S


def years(text: str) -> int:
    """Whole years; months where they make whole years."""
    units = YEARS | dict.fromkeys(("m", "mo", "month", "months"), 1 / MONTHS_PER_YEAR)
    n = _measured(text, units, "no number of years: give 3")
    if n != round(n):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of whole years: give 3")
    return round(n)


def share(text: str) -> float:
    """A share, or percent."""
    return _measured(text, {"": 1.0, "%": 1 / PERCENT}, "no share: give 0.8, or 80%")


def factor(text: str) -> float:
    """A factor, ``1.5`` or ``1.5x``; what is added in percent, ``+20%``."""
    if text.strip().endswith("%") and text.strip()[0] in "+-":
        return 1 + share(text)
    units = {"": 1.0, "x": 1.0, "×": 1.0, "%": 1 / PERCENT}
    return _measured(text, units, "no factor: give 1.5, or +50%")


def _measured(text: str, units: Mapping[str, float], problem: str) -> float:
    match = MEASURE.fullmatch(text.strip().lower())
    if match is None or match[2] not in units:
        raise argparse.ArgumentTypeError(f"{text!r} is {problem}")
    number, unit = float(match[1]), units[match[2]]
    return number / round(1 / unit) if 0 < unit < 1 else number * unit  # 80 % are 0.8 exactly
