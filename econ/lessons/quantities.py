"""Numbers as learners write them: "10.3 ms", "0.0103 s", "1,137 tokens", "12 %", "$2.30".

>>> parse("0.0103 s", "ms"), parse("12 %", "share"), parse("$2.30", "USD")
(10.3, 0.12, 2.3)
>>> parse("ten", "ms")
Traceback (most recent call last):
    ...
ValueError: 'ten' is not a number; give a number, the unit is ms
"""

from __future__ import annotations

import math
import numbers
import re
from typing import Any

from econ.catalog.guard import shown
from econ.catalog.units import (
    DAY_S,
    GIB,
    GIGA,
    HOUR_S,
    HOURS_PER_YEAR,
    KILO,
    KWH_J,
    MEGA,
    MICRO,
    MILLI,
    MINUTE_S,
    MONTHS_PER_YEAR,
    TERA,
    WH_J,
)  # fmt: skip

# per dimension: unit → its size in the first one
DIMENSIONS: tuple[dict[str, float], ...] = (
    {"s": 1.0, "ms": MILLI, "µs": MICRO, "min": MINUTE_S, "h": HOUR_S, "days": DAY_S},
    {"J": 1.0, "kJ": KILO, "MJ": MEGA, "Wh": WH_J, "kWh": KWH_J},
    {"W": 1.0, "kW": KILO, "MW": MEGA, "GW": GIGA},
    {"bytes": 1.0, "kB": KILO, "MB": MEGA, "GB": GIGA, "TB": TERA, "GiB": GIB, "bits": 0.125},
    {"share": 1.0, "percent": 0.01},
    {"tokens": 1.0, "thousand tokens": KILO, "million tokens": MEGA},
    {"USD": 1.0, "cents": 0.01, "thousand USD": KILO, "million USD": MEGA},
    {"USD per million tokens": 1.0, "USD per thousand tokens": KILO, "USD per token": MEGA},
    {"J per token": 1.0, "Wh per token": WH_J, "kWh per million tokens": KWH_J / MEGA},
    {"requests/s": 1.0, "requests per minute": 1 / MINUTE_S, "requests per hour": 1 / HOUR_S},
    {"USD per month": 1.0, "USD per year": 1 / MONTHS_PER_YEAR},
    {"USD per GPU-hour": 1.0, "USD per GPU-year": 1 / HOURS_PER_YEAR},
    {"GPU-hours": 1.0, "GPU-seconds": 1 / HOUR_S, "GPU-days": DAY_S / HOUR_S},
    {"g": 1.0, "kg": KILO}, {"L": 1.0, "mL": MILLI},
    {"L per million tokens": 1.0, "mL per million tokens": MILLI},
    {"billion parameters": 1.0, "parameters": 1 / GIGA},
)  # fmt: skip
SPELLINGS = {
    "%": "percent", "per cent": "percent", "sec": "s", "second": "s", "seconds": "s", "us": "µs",
    "μs": "µs", "millisecond": "ms", "milliseconds": "ms", "minute": "min", "minutes": "min",
    "hour": "h", "hours": "h", "day": "days", "byte": "bytes", "b": "bytes", "bit": "bits",
    "joule": "J", "joules": "J", "watt": "W", "watts": "W", "token": "tokens",
    "mtok": "million tokens", "ktok": "thousand tokens", "$": "USD", "dollar": "USD",
    "dollars": "USD", "cent": "cents", "usd/mtok": "USD per million tokens",
    "$/mtok": "USD per million tokens", "usd per mtok": "USD per million tokens",
    "usd/token": "USD per token", "j/token": "J per token", "wh/token": "Wh per token",
    "kwh/mtok": "kWh per million tokens", "req/s": "requests/s",
    "requests per second": "requests/s", "usd/month": "USD per month", "usd/year": "USD per year",
    "usd/gpu-hour": "USD per GPU-hour", "usd/h": "USD per GPU-hour", "litres": "L", "liters": "L",
    "requests/min": "requests per minute", "requests/h": "requests per hour",
}  # fmt: skip
ABOUT = re.compile(r"^\s*(?:about|roughly|approx\.?|ca\.?|[~≈])?\s*", re.IGNORECASE)
NUMBER = re.compile(r"[-+−]?(?:\d[\d,_' ]*)?\.?\d+(?:[eE][-+]?\d+)?")
DECIMAL_COMMA = re.compile(r"[-+]?\d+,(?:\d{1,2}|\d{4,})")


def units_of(unit: str) -> dict[str, float]:
    """The units of the same dimension, each as a multiple of ``unit``, and its short form.

    >>> units_of("ms")["s"], units_of("USD per million tokens")["cents"]
    (1000.0, 0.01)
    """
    unit = canonical(unit)
    if not unit:
        return {}
    short = {unit: 1.0, unit.partition(" per ")[0]: 1.0, unit.partition("/")[0]: 1.0}
    if "USD" in short:
        short["cents"] = 0.01
    for dimension in DIMENSIONS:
        if unit in dimension:
            return short | {name: size / dimension[unit] for name, size in dimension.items()}
    return short


def canonical(unit: str) -> str:
    """A unit by the name that this kit uses, e.g. ``"seconds"`` as ``"s"``."""
    unit = " ".join(unit.split())
    return SPELLINGS.get(unit) or SPELLINGS.get(unit.lower()) or unit


def parse(answer: Any, unit: str) -> float:
    """An answer as a number of ``unit``.

    Parameters
    ----------
    answer : number or str
        ``0.0103``, ``"10.3 ms"``, ``"1,137"``; a plain number is in ``unit``.
    unit : str
        The unit that is asked for, e.g. ``"ms"``.

    Returns
    -------
    float
        Finite.

    Raises
    ------
    ValueError
        A sentence for the learner, for anything that is not a finite number of this dimension.
    """
    expectation = f"give a number, the unit is {unit}" if unit else "give a number"
    if isinstance(answer, str):
        return _finite(_from_text(answer, unit, expectation))
    if isinstance(answer, bool) or not isinstance(answer, numbers.Real):
        raise ValueError(f"this is a {type(answer).__name__}; {expectation}")
    return _finite(answer)


def _from_text(text: str, unit: str, expectation: str) -> float:
    stripped = ABOUT.sub("", text).replace("−", "-")
    if stripped.startswith("$") and "USD" not in units_of(unit):
        raise ValueError(f"{shown(text)} is in dollars; {expectation}")
    stripped = stripped.removeprefix("$").lstrip()
    match = NUMBER.match(stripped)
    if not match:
        raise ValueError(f"{shown(text)} is not a number; {expectation}")
    digits, rest = match[0], stripped[match.end() :].strip()
    comma = DECIMAL_COMMA.fullmatch(digits.strip())
    digits = digits.replace(",", ".") if comma else re.sub(r"[,_' ]", "", digits)
    if not rest:
        return float(digits)
    known = units_of(unit)
    by_case = {name.lower(): name for name in known}
    name = canonical(rest)
    name = name if name in known else by_case.get(rest.lower(), "")
    if name not in known:
        others = ", ".join(known) or "no unit"
        raise ValueError(
            f"{shown(rest)} is not a unit of this answer; {expectation} (known: {others})"
        )
    return float(digits) * known[name]


def _finite(number: Any) -> float:
    try:
        value = float(number)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError(f"{shown(number)} is not a finite number")
    return value
