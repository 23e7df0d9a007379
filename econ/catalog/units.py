"""The one home of conversion factors: everything inside ``econ`` is in base units.

Base units are seconds, bytes, joules, watts, tokens, FLOP and USD. Tables and screens
use the customary multiples; they are converted here, by name, at the border.

>>> 80 * GB                              # a datasheet's "80 GB"
80000000000.0
>>> round(80 * GB / GIB, 1)              # the same in binary gigabytes
74.5
>>> usd_per_mtok_from_usd_per_token(2.5e-6)
2.5
>>> kwh_from_j(3.6e6)
1.0
"""

import math
from typing import Any

import numpy as np

KILO, MEGA, GIGA, TERA, PETA = 1e3, 1e6, 1e9, 1e12, 1e15
MILLI, MICRO, NANO = 1e-3, 1e-6, 1e-9

GB = GIGA  # decimal, as datasheets count memory and bandwidth
GIB = float(2**30)  # binary, as operating systems count memory

MTOK = MEGA  # prices are quoted per million tokens

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0
HOURS_PER_DAY, DAYS_PER_YEAR, MONTHS_PER_YEAR = 24.0, 365.0, 12.0
HOURS_PER_YEAR = HOURS_PER_DAY * DAYS_PER_YEAR
HOURS_PER_MONTH = HOURS_PER_YEAR / MONTHS_PER_YEAR
YEAR_S = HOURS_PER_YEAR * HOUR_S

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

KWH_J = KILO * HOUR_S
WH_J = HOUR_S


def usd_per_mtok_from_usd_per_token(usd_per_token: float) -> float:
    """USD per token to USD per million tokens."""
    return usd_per_token * MTOK


def usd_per_token_from_usd_per_mtok(usd_per_mtok: float) -> float:
    """USD per million tokens to USD per token."""
    return usd_per_mtok / MTOK


def kwh_from_j(energy_j: float) -> float:
    """Joules to kilowatt-hours."""
    return energy_j / KWH_J


def per_second_from_per_hour(per_hour: float) -> float:
    """A rate per hour to the same rate per second."""
    return per_hour / HOUR_S


def short(value: Any, digits: int = 3) -> str:
    """A number as a reader takes it in: some digits, large ones in words, powers only beyond.

    >>> short(1165.3), short(0.00000482), short(2.0), short(113_502_060_544)
    ('1,165', '0.00000482', '2', '114 billion')
    >>> short(1.26e24), short(float("nan"))
    ('1.26 × 10²⁴', 'nan')
    """
    if not isinstance(value, int | float | np.number):
        raise ValueError(f"value = {value!r:.60} is outside its range: a number")
    number = float(value)
    size = abs(number)
    if not math.isfinite(number) or number == 0:
        return f"{number:g}"
    if size >= PETA:
        mantissa, exponent = f"{number:.{digits - 1}e}".split("e+")
        return f"{float(mantissa):g} × 10{exponent.translate(RAISED)}"
    for unit, word in ((TERA, "trillion"), (GIGA, "billion")):
        if size >= unit:
            return f"{number / unit:.{digits}g} {word}"
    if size >= KILO:
        return f"{number:,.0f}"
    return np.format_float_positional(number, precision=digits, fractional=False, trim="-")
