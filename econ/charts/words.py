"""What a column is called: titles, units and number words, from the columns dictionary.

A column that the dictionary does not know is read from its own name, which carries its unit.

>>> axis_title("tpot_ms", log=True), axis_title("cost_usd_per_mtok")
('Time per output token (ms, log)', 'Cost (USD/Mtok)')
>>> amount(12.345, "power_w"), amount(0.0712, "saving_frac")
('12.3 W', '7.1 %')
"""

from __future__ import annotations

import functools
import re

import pandas as pd

from econ.catalog.columns import UNWRITTEN, columns
from econ.catalog.units import short

MOST_LISTED = 8  # rows a listener will follow; beyond them only the ends are named
UNITS = {
    "s": "s", "ms": "ms", "us": "µs", "min": "min", "h": "h", "hours": "hours", "years": "years",
    "months": "months", "j": "J", "wh": "Wh", "kwh": "kWh", "w": "W", "kw": "kW", "mw": "MW",
    "g": "g", "kg": "kg", "l": "L", "usd": "USD", "kusd": "thousand USD", "percent": "%",
    "bytes": "bytes", "gb": "GB", "tokens": "tokens", "mtok": "Mtok", "flop": "FLOP",
    "tflops": "TFLOP/s", "px": "px", "nats": "nats", "requests": "requests", "gpu": "GPU",
    "gpus": "GPUs", "b": "billion",
}  # fmt: skip
SPELLED = {
    "tpot": "time per output token", "ttft": "time to first token", "kv": "KV", "pue": "PUE",
    "slo": "SLO", "p99": "P99 of", "p50": "median", "params": "parameters", "gpu": "GPU",
    "tp": "tensor slices", "n": "number of", "usd": "USD",
}  # fmt: skip
SCALED = (("_ms", "_s", "ms"), ("_percent", "_frac", "%"), ("_gb", "_bytes", "GB"),
          ("_kusd", "_usd", "thousand USD"), ("_b", "", "billion"))  # fmt: skip
FIRST_YEAR = 1900  # a smaller number of years is a span
SHARES = ("frac", "share")


def _read(name: str) -> tuple[str, str]:
    """Title and unit of a column out of its name."""
    parts = name.split("_")
    for i, part in enumerate(parts):
        if part in UNITS and (i + 1 == len(parts) or parts[i + 1] == "per"):
            unit = " ".join(UNITS.get(p, p) for p in parts[i:])
            unit = re.sub(r" per s\b", "/s", unit)
            head = parts[:i]
            break
    else:
        head, unit = [p for p in parts if p != "frac"], ""
    title = " ".join(SPELLED.get(p, p) for p in head) or unit
    return title[:1].upper() + title[1:], unit


@functools.cache
def title_and_unit(name: str) -> tuple[str, str]:
    """Title and unit of a column; the unit is empty for shares, counts and names."""
    known = columns()
    if name in known:
        entry = known[name]
        return entry.title, "" if entry.unit in UNWRITTEN else entry.unit
    for ending, base, unit in SCALED:  # the same quantity in a unit that a reader prefers
        if name.endswith(ending) and name.removesuffix(ending) + base in known:
            return known[name.removesuffix(ending) + base].title, unit
    return _read(name)


def is_share(name: str) -> bool:
    """Whether a column holds shares of one, which are written in percent."""
    if name in columns():
        return columns()[name].unit == "share"
    return name.split("_")[-1] in SHARES or name.startswith("share_")


def axis_title(name: str, log: bool = False) -> str:
    """Title of an axis, with the unit and, where it is logarithmic, that word."""
    title, unit = title_and_unit(name)
    notes = ", ".join(
        filter(None, ("" if unit.lower() == title.lower() else unit, "log" if log else ""))
    )
    return f"{title} ({notes})" if notes else title


def number(value: float, name: str) -> str:
    """A value of a column to three digits, without its unit; shares in percent."""
    if name == "year" and value > FIRST_YEAR:
        return f"{value:.1f}"
    if is_share(name):
        return f"{100 * value:.0f} %" if abs(value) >= 0.1 else f"{100 * value:.2g} %"
    return short(float(value))


def amount(value: float, name: str) -> str:
    """A value of a column in words: to three digits, with its unit."""
    unit = title_and_unit(name)[1]
    return f"{number(value, name)} {unit}" if unit else number(value, name)


def describe(frame: pd.DataFrame, value: str, by: str, unit: str | None = None) -> str:
    """A column's numbers in words: each named by ``by``, or the ends where there are many.

    >>> many = pd.DataFrame({"n": range(1, 21), "wait_ms": [10.0 * n for n in range(1, 21)]})
    >>> describe(many, "wait_ms", "n")
    '20 values from 10 ms (1) to 200 ms (20)'
    """
    rows = frame.dropna(subset=[value])
    if rows.empty:
        return "no value"

    def say(v: float) -> str:
        return amount(v, value) if unit is None else f"{short(float(v))} {unit}".strip()

    if len(rows) <= MOST_LISTED:
        return "; ".join(f"{n} {say(v)}" for n, v in zip(rows[by], rows[value], strict=True))
    values, names = rows[value].to_numpy(), rows[by].to_numpy()
    low, high = values.argmin(), values.argmax()
    return (
        f"{len(rows)} values from {say(values[low])} ({names[low]}) "
        f"to {say(values[high])} ({names[high]})"
    )
