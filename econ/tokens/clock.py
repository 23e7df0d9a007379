"""The clock of a log: which unit its numbers count, which zone its moments are in, or a question.

Numbers of a clock that counts from 1970 show their unit by their size: seconds of this century have
ten digits, milliseconds thirteen. Numbers that count from a start do not. Whole ticks that many
requests share cannot be seconds (nobody stamps requests every fifty minutes); long gaps may be
seconds of a quiet service or milliseconds of a busy one, and then the user is asked.

>>> clock = unit_of(np.array([0.0, 0.0, 3000.0, 3000.0, 6000.0, 6000.0]), "log.csv", "arrival")
>>> clock.unit, clock.why
('ms', 'several requests at each tick of 3000')
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from econ.catalog.reading import BadTable
from econ.catalog.units import DAY_S

Numbers = npt.NDArray[Any]
PER_S = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
UNITS = tuple(PER_S)
WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
EPOCH_S = (1e9, 4.2e9)  # 2001 to 2103
LONGEST_GAP_S = 10.0  # whole numbers with longer gaps on average may be milliseconds
LONGEST_DECIMAL_GAP_S = 30.0  # decimals with longer ones
LONGEST_FEW_S = 600.0  # a gap of a few rows
FASTEST_PER_S = 1000.0  # a unit that gives a higher rate is asked for
SLOWEST_PER_S = 0.05  # a unit that gives a lower rate is not proposed
COARSE_S = (60, 300, 600, 900, 1800, 3600, 86_400)  # seconds that are rounded to these are seconds
ENDINGS = (  # of a column's name, with what it then counts
    (re.compile(r"(nano(second)?s?|_ns)$", re.I), "ns"),
    (re.compile(r"(micro(second)?s?|_us)$", re.I), "us"),
    (re.compile(r"(milli(second)?s?|_ms|[a-z]Ms)$", re.I), "ms"),
    (re.compile(r"(_s|_sec(ond)?s?|[a-z]Seconds)$", re.I), "s"),
)
ZONED = re.compile(r"\d\d:?\d\d.*(?:[zZ]|[+-]\d\d(?::?\d\d)?)$")
DATED = re.compile(r"^\d{4}-?\d\d-?\d\d")


@dataclass(frozen=True)
class Clock:
    """What the numbers of a clock count, and how that is known."""

    unit: str
    why: str
    since_1970: bool = False


def numbers_of(cells: pd.Series) -> Numbers | None:
    """Cells as numbers, whole ones exactly; None where one is none."""
    try:
        values: Numbers = pd.to_numeric(cells, errors="raise").to_numpy()
    except (ValueError, TypeError, OverflowError):
        return None
    if values.dtype.kind == "i":
        return values
    try:
        return values.astype("float64")
    except (ValueError, TypeError, OverflowError):
        return None


def moments_of(cells: pd.Series) -> tuple[Numbers, bool] | int | str:
    """ISO 8601 as nanoseconds from 1970 and whether a zone is stated.

    Where a cell is no moment, its place; where some state a zone and some do not, what to do.
    """
    text = cells.astype(str).str.strip().str.replace(r"\s*UTC$", "Z", regex=True)
    dated = text.str.match(DATED).to_numpy(dtype=bool)
    if not dated.all():
        return int(np.argmin(dated))
    zoned = text.str.contains(ZONED).to_numpy(dtype=bool)
    if zoned.any() and not zoned.all():
        return "some cells state a time zone and some do not: write the zone into all"
    at = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    if at.isna().any():
        return int(np.argmax(at.isna().to_numpy()))
    return at.dt.as_unit("ns").astype("int64").to_numpy(), bool(zoned.all())


def stated_unit(column: str) -> str | None:
    """The unit that a column's name states.

    >>> stated_unit("startTimeUnixNano"), stated_unit("timestamp_ms"), stated_unit("timestamp")
    ('ns', 'ms', None)
    """
    return next((unit for ending, unit in ENDINGS if ending.search(column)), None)


def epoch_unit(value: float) -> str | None:
    """The unit in which a number is a moment of this century.

    >>> epoch_unit(1.73e9), epoch_unit(1.73e15), epoch_unit(3600)
    ('s', 'us', None)
    """
    low, high = EPOCH_S
    return next((u for u, per_s in PER_S.items() if low * per_s <= value <= high * per_s), None)


def unit_of(
    values: npt.NDArray[Any],
    name: str,
    column: str,
    unit: str | None = None,
    *,
    known: str | None = None,
) -> Clock:
    """What the numbers of a clock count.

    Parameters
    ----------
    values : array
        Arrivals as the file has them, finite, in any order.
    name, column : str
        What an error calls them.
    unit : str, optional
        What the user says; it is believed unless the numbers then lie beyond this century.
    known : str, optional
        What the format or the column's name says.

    Raises
    ------
    BadTable
        Where the unit is in doubt, or contradicts the clock; the message names the likely one.
    """
    order = np.sort(values)
    middle = float(order[len(order) // 2])
    first = f"{name} row 1, column {column}: {float(values[0]):.15g}"
    since_1970 = epoch_unit(middle)
    if since_1970:
        stated = unit or known
        if stated and stated != since_1970:
            raise BadTable(
                f"{first} counts {WORDS[since_1970]} from 1970, not {WORDS[stated]}: read it with "
                f"unit={since_1970!r}"
            )
        return Clock(since_1970, f"counts {WORDS[since_1970]} from 1970", since_1970=True)
    if unit:
        return Clock(unit, "as stated")
    if known:
        span = float(order[-1] - order[0]) / PER_S[known]
        if span and len(order) >= 10 and len(order) / span > FASTEST_PER_S:
            raise BadTable(
                f"{first}: as {WORDS[known]} there would be {len(order) / span:,.0f} requests per "
                f"second: say what the clock counts with unit='s' or unit={known!r}"
            )
        return Clock(known, "as the format or the column's name says")
    return _from_gaps(order, first, name, column)


def _from_gaps(order: Numbers, first: str, name: str, column: str) -> Clock:
    """Seconds, where the gaps allow no doubt; shared ticks beyond what seconds can be are ms."""
    seconds = Clock("s", "gaps of seconds")
    gaps = np.diff(order.astype("float64"))
    if not len(gaps) or gaps.max() == 0:
        return seconds
    gap, ticks = float(gaps.mean()), gaps[gaps > 0]
    is_whole = bool((order % 1 == 0).all())
    per_tick = len(order) / (len(ticks) + 1)
    if is_whole and per_tick >= 1.5 and len(ticks) >= 2:
        tick = int(np.gcd.reduce(ticks.astype("int64")))
        if tick >= 100 and tick not in COARSE_S:
            unit = _likely(gap)
            return Clock(unit, f"several requests at each tick of {tick}")
    limit = LONGEST_GAP_S if is_whole else LONGEST_DECIMAL_GAP_S
    if len(gaps) < 3:
        limit = LONGEST_FEW_S
    if gap <= limit:
        return seconds
    unit = _likely(gap)
    row = int(np.argmax(gaps > 0)) + 2
    kind = "whole numbers" if is_whole else "decimals"
    raise BadTable(
        f"{name} row {row}, column {column}: {float(order[row - 1]):.15g} looks like "
        f"{WORDS[unit]}: {kind}, {gap:,.0f} from one request to the next, "
        f"{float(order[-1] - order[0]) / DAY_S:,.1f} days in all as seconds. "
        f"Read it with unit={unit!r}, or with unit='s' if seconds are right"
    )


def _likely(gap: float) -> str:
    """The coarsest unit below seconds that makes a gap that of a service in use."""
    return next((u for u in ("ms", "us") if PER_S[u] / gap >= SLOWEST_PER_S), "ns")


def seconds_from_start(values: Numbers, per_s: int) -> Numbers:
    """Arrivals as seconds from the first; whole numbers are subtracted before they are divided."""
    return np.asarray((values - values.min()) / per_s, dtype="float64")
