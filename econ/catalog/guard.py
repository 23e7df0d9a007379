"""Errors that help: a bad number repeats name, value and range; an unknown name lists the nearest.

>>> positive("ttft_s", 0.3)
0.3
>>> positive("ttft_s", -1)
Traceback (most recent call last):
    ...
ValueError: ttft_s = -1 is outside its range: a finite number above 0
>>> fraction("cached_frac", 92)
Traceback (most recent call last):
    ...
ValueError: cached_frac = 92 is outside its range: 0 to 1 (a share, not a percentage)
>>> raise unknown("accelerator", "h100", ["h100-sxm", "h100-pcie", "l4"])
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown accelerator 'h100'; nearest: h100-sxm, h100-pcie
"""

from __future__ import annotations

import difflib
import math
import re
import sys
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np

MOST = sys.float_info.max
MOST_SHOWN = 120  # characters of a bad value that a message repeats
MOST_NAMES = 40  # names that a message lists


class UnknownName(KeyError, ValueError):
    """An identifier that no table holds; the message names the nearest ones."""

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0])


def unknown(kind: str, name: object, known: Iterable[str]) -> UnknownName:
    """The error to raise for ``name``, with the nearest of ``known`` (or the first of them)."""
    known = list(known)
    folded = {k.lower(): k for k in known}
    text = str(name).lower()
    near = [folded[m] for m in difflib.get_close_matches(text, folded, n=5, cutoff=0.65)]
    near += [k for f, k in folded.items() if text and text in f and k not in near][:5]
    if near:
        return UnknownName(f"unknown {kind} {name!r}; nearest: {', '.join(near[:5])}")
    others = f" and {len(known) - MOST_NAMES} others" if len(known) > MOST_NAMES else ""
    names = ", ".join(known[:MOST_NAMES]) or "none"
    return UnknownName(f"unknown {kind} {name!r}; known: {names}{others}")


def one_of(kind: str, name: Any, known: Collection[Any]) -> Any:
    """``name``, which has to be one of ``known``.

    >>> one_of("law", "sigmid", ["line", "sigmoid"])
    Traceback (most recent call last):
        ...
    econ.catalog.guard.UnknownName: unknown law 'sigmid'; nearest: sigmoid
    """
    if name not in known:
        raise unknown(kind, name, known)
    return name


def in_range(
    name: str,
    value: float,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
    says: str | None = None,
) -> float:
    """``value`` if it is a finite number in ``low``..``high``, else a `ValueError`."""
    plain = type(value) in (float, int) and -MOST < value < MOST
    if plain and low <= value <= high and not (open_low and value == low):
        return value
    try:
        number = float(value) if np.ndim(value) == 0 else math.nan
    except (TypeError, ValueError, OverflowError):  # the last: an int beyond all floats
        number = math.nan
    inside = math.isfinite(number) and low <= number <= high and not (open_low and number == low)
    if isinstance(value, bool | str) or not inside:
        says = says or f"{'above ' if open_low else ''}{low:g} to {high:g}"
        raise ValueError(f"{name} = {shown(value)} is outside its range: {says}")
    return value


def shown(value: Any) -> str:
    """A value as a message repeats it: whole if short, else its beginning."""
    try:
        text = repr(value)
    except ValueError:  # an int of more digits than Python writes
        text = f"a number of {value.bit_length():,} bits"
    text = text.replace("\n", " ")
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def positive(name: str, value: float, high: float = math.inf) -> float:
    """``value`` if it is finite and above 0."""
    says = "a finite number above 0" if high == math.inf else f"above 0, up to {high:g}"
    return in_range(name, value, 0.0, high, open_low=True, says=says)


def not_negative(name: str, value: float, high: float = math.inf) -> float:
    """``value`` if it is finite and not below 0."""
    says = "a finite number, 0 or above" if high == math.inf else f"0 to {high:g}"
    return in_range(name, value, 0.0, high, says=says)


def fraction(name: str, value: float) -> float:
    """``value`` if it is a share between 0 and 1."""
    return in_range(name, value, 0.0, 1.0, says="0 to 1 (a share, not a percentage)")


def count(name: str, value: float, low: int = 0, high: float = 1e12) -> int:
    """``value`` as an ``int`` if it is a whole number in ``low``..``high``."""
    in_range(name, value, low, high, says=f"a whole number from {low:g} to {high:g}")
    if value != int(value):
        raise ValueError(f"{name} = {value!r} is outside its range: a whole number")
    return int(value)


def each(check: Callable[..., Any], name: str, values: Any, *limits: float) -> Any:
    """A number that ``check`` passes, or an array of such; the worst entry is named.

    NaN in an array is an empty cell, as in a table, and stays one. Text and truth values are no
    numbers, in an array as alone.

    >>> each(positive, "tokens_per_s_per_gpu", np.array([900.0, 0.0]))
    Traceback (most recent call last):
        ...
    ValueError: tokens_per_s_per_gpu[1] = 0.0 is outside its range: a finite number above 0
    """
    try:
        is_one = np.ndim(values) == 0
        array = None if is_one else np.asarray(values, dtype=float)
    except (TypeError, ValueError, OverflowError):  # lists of unlike lengths among them
        is_one, array = False, None
    if is_one:
        return check(name, values, *limits)
    if array is None or not _all_numbers(values):
        raise ValueError(f"{name} = {shown(values)} is outside its range: numbers")
    known = array[~np.isnan(array)]
    if known.size:
        for worst in (known.min(), known.max()):
            try:
                check(name, float(worst), *limits)
            except ValueError:
                place = int(np.flatnonzero(array.ravel() == worst)[0])
                check(f"{name}[{place}]", float(worst), *limits)
    return values if hasattr(values, "index") and hasattr(values, "dtype") else array


def _all_numbers(values: Any) -> bool:
    """Whether no entry is text or a truth value, which NumPy would quietly turn into a number."""
    raw = np.asarray(values)
    if raw.dtype.kind == "O":
        return not any(isinstance(v, bool | np.bool_ | str | bytes) for v in raw.ravel())
    return raw.dtype.kind in "fiu"


def check_date(as_of: str) -> str:
    """The date, or an error: a year, a month or a day, ``"2026-05-31"``; empty for today."""
    if as_of and not re.fullmatch(r"20\d\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", as_of):
        raise ValueError(
            f"as_of = {as_of!r} is outside its range: a date from 2000 to 2099 like 2026-05-31, "
            "2026-05 or 2026; empty for today"
        )
    return as_of
