"""What a trace must be: rising arrivals, whole counts of tokens; the first bad row is named.

>>> check_trace(pd.DataFrame({"arrival_s": [0, 1], "input_tokens": 10, "output_tokens": [5, 0]}))
Traceback (most recent call last):
    ...
ValueError: trace row 2, column output_tokens: 0 is below 1 token: drop failed requests first
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog.guard import not_negative, shown

TRACE_COLUMNS = ["arrival_s", "input_tokens", "output_tokens"]
OPTIONAL = "cached_tokens"  # of each prompt, found in a prefix cache
MAX_TOKENS = 100_000_000
SHOWN = 40  # characters of a bad cell that a message repeats


def check_trace(frame: pd.DataFrame, name: str = "trace") -> pd.DataFrame:
    """The columns of a trace as numbers, or one error that names the first bad row."""
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(f"{name}: {shown(frame)} is no table")
    missing = [c for c in TRACE_COLUMNS if c not in frame.columns]
    if missing:
        raise ValueError(
            f"{name}: no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}. "
            f"A trace needs {', '.join(TRACE_COLUMNS)}"
        )
    for column in (*TRACE_COLUMNS, OPTIONAL):
        if list(frame.columns).count(column) > 1:
            raise ValueError(f"{name}: column {column} is there twice: keep one")
    if frame.empty:
        raise ValueError(f"{name}: holds no rows")
    frame = frame.assign(arrival_s=seconds_of(frame["arrival_s"]))
    names = [*TRACE_COLUMNS, *([OPTIONAL] if OPTIONAL in frame.columns else [])]
    out = pd.DataFrame(
        {c: pd.to_numeric(frame[c], errors="coerce").to_numpy("float64") for c in names}
    )

    def refuse(bad: np.ndarray, column: str, what: str) -> None:
        if bad.any():
            row = int(np.argmax(bad))
            value = frame[column].iloc[row]
            value = value.item() if isinstance(value, np.generic) else value
            shown = repr(value)
            shown = shown if len(shown) <= SHOWN else shown[:SHOWN] + "…"
            raise ValueError(f"{name} row {row + 1}, column {column}: {shown} {what}")

    for c in names:
        refuse(~np.isfinite(out[c].to_numpy()), c, remedy("", c))
    for c in names[1:]:
        least = 1 if c != OPTIONAL else 0
        refuse((out[c] < least).to_numpy(), c, "is below 1 token: drop failed requests first")
        refuse((out[c] > MAX_TOKENS).to_numpy(), c, f"is above {MAX_TOKENS:,} tokens")
        refuse((out[c] % 1 != 0).to_numpy(), c, "is not a whole number of tokens")
    if OPTIONAL in names:
        over = (out[OPTIONAL] > out["input_tokens"]).to_numpy()
        refuse(over, OPTIONAL, "is more than the prompt has")
    arrival = out["arrival_s"].to_numpy()
    not_negative(f"{name} row 1, column arrival_s", float(arrival[0]))
    refuse(
        np.diff(arrival, prepend=arrival[0]) < 0, "arrival_s", "comes before the row above: sort"
    )
    return out.astype(dict.fromkeys(names[1:], "int64"))


def seconds_of(arrival: pd.Series) -> pd.Series:
    """Moments as seconds from the first, spans as seconds; numbers as they are.

    >>> seconds_of(pd.Series(pd.to_datetime(["2024-01-01 10:00", "2024-01-01 10:01"]))).tolist()
    [0.0, 60.0]
    """
    if pd.api.types.is_datetime64_any_dtype(arrival):
        arrival = arrival - arrival.min()
    return arrival.dt.total_seconds() if arrival.dtype.kind == "m" else arrival


def remedy(cell: str, column: str) -> str:
    if cell.strip()[:1] in ("=", "+", "@"):
        return "is a formula, not a number: save its value"
    unit = "seconds since the start" if column == "arrival_s" else "a count of tokens"
    return f"is not a finite number: give {unit}"
