"""Traces: when requests arrived and how long they were, from a table, a file or a public source.

A trace has rising arrivals in seconds and whole counts of tokens. A file is read in pieces, so that
memory follows the number of rows; columns that a trace does not need are dropped.

>>> check_trace(pd.DataFrame({"arrival_s": [0, 1], "input_tokens": 10, "output_tokens": [5, 0]}))
Traceback (most recent call last):
    ...
ValueError: trace row 2, column output_tokens: 0 is below 1 token: drop failed requests first
>>> read_trace(b"arrival_s,input_tokens,output_tokens\\n0,10,=1+1\\n", name="log.csv")
Traceback (most recent call last):
    ...
econ.catalog.reading.BadTable: log.csv row 1, column output_tokens: '=1+1' is a formula, not a \
number: save its value
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from econ.catalog.guard import not_negative, shown, unknown
from econ.catalog.reading import BadTable, CsvRows, Source, opened
from econ.catalog.units import DAY_S, KILO, MINUTE_S

TRACE_COLUMNS = ["arrival_s", "input_tokens", "output_tokens"]
OPTIONAL = "cached_tokens"  # of each prompt, served by a prefix cache
MAX_TOKENS = 100_000_000
SHOWN = 40  # characters of a bad cell that a message repeats
MOST_ROWS = 5_000_000
UNITS = ("s", "ms")
EPOCH_S, EPOCH_MS = 1e8, 1e11  # a clock that counts from 1970 passed these in 1973
# names that other logs give to what a trace needs
OTHER_NAMES = {
    "arrival_s": ("arrival", "timestamp", "time", "start_time", "request_time", "arrived_at"),
    "input_tokens": ("prompt_tokens", "contexttokens", "context_tokens", "input_length", "isl"),
    "output_tokens": ("completion_tokens", "generatedtokens", "generated_tokens",
                      "output_length", "osl"),
}  # fmt: skip


def check_trace(frame: pd.DataFrame, name: str = "trace") -> pd.DataFrame:
    """The columns of a trace as numbers.

    Parameters
    ----------
    frame : DataFrame
        ``arrival_s`` (numbers, or moments), ``input_tokens``, ``output_tokens`` and perhaps
        ``cached_tokens``; further columns are dropped.
    name : str
        What an error calls it.

    Returns
    -------
    DataFrame
        Arrivals as floats, tokens as whole numbers.

    Raises
    ------
    ValueError
        With the first row and column that break a rule, and what to do.
    """
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
        refuse(~np.isfinite(out[c].to_numpy()), c, _remedy("", c))
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


def _remedy(cell: str, column: str) -> str:
    if cell.strip()[:1] in ("=", "+", "@"):
        return "is a formula, not a number: save its value"
    unit = "seconds since the start" if column == "arrival_s" else "a count of tokens"
    return f"is not a finite number: give {unit}"


def read_trace(
    source: Source,
    *,
    name: str | None = None,
    unit: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """A trace from a CSV (perhaps gzipped) or Parquet file.

    Parameters
    ----------
    source : path or bytes
        The file, or what an upload holds.
    name : str, optional
        Name of an upload: its ending says its kind.
    unit : str, optional
        Of the arrivals: ``"s"`` or ``"ms"``; they then count from the first. Where it is left out,
        arrivals that look like milliseconds or like a clock are refused.
    columns : mapping, optional
        The file's names to those here, e.g. ``{"timestamp": "arrival_s"}``.

    Returns
    -------
    DataFrame
        ``arrival_s``, ``input_tokens``, ``output_tokens``, and ``cached_tokens`` where it is there.

    Raises
    ------
    ValueError
        For what is no trace: the first bad row and column, and what to do.
    ImportError
        For Parquet without pyarrow.
    """
    if unit is not None and unit not in UNITS:
        raise unknown("unit of arrivals", unit, UNITS)
    keep = f"keep {', '.join(TRACE_COLUMNS)}, or save as Parquet, or take part of the day"
    with opened(source, name, (".csv", ".parquet"), remedy=keep) as (stream, known_as):
        read = _parquet if known_as.lower().endswith(".parquet") else _csv
        frame = read(stream, known_as, dict(columns or {}), unit)
    return _in_seconds(frame, known_as, unit)


def _in_seconds(frame: pd.DataFrame, name: str, unit: str | None) -> pd.DataFrame:
    """Arrivals in seconds from the start; refused where the unit is in doubt."""
    arrival = frame["arrival_s"].to_numpy(dtype="float64")
    if unit is None:
        _doubt_unit(arrival, name)
    else:
        at_start = np.nanmin(arrival) if np.isfinite(arrival).any() else 0.0
        scale = KILO if unit == "ms" else 1.0
        frame = frame.assign(arrival_s=(arrival - at_start) / scale)
    return check_trace(frame, name)


def _doubt_unit(arrival: np.ndarray, name: str) -> None:
    """Refuse arrivals that are probably not seconds from the start."""
    known = arrival[np.isfinite(arrival)]
    if not len(known):
        return
    first = f"{name} row 1, column arrival_s: {known[0]:.15g}"
    if known[0] > EPOCH_MS:
        raise ValueError(f"{first} counts milliseconds from 1970: read it with unit='ms'")
    if known[0] > EPOCH_S:
        raise ValueError(f"{first} counts seconds from 1970: read it with unit='s'")
    gaps = np.diff(known)
    if len(gaps) < 10 or (known % 1 != 0).any():
        return
    if gaps.mean() > MINUTE_S and np.median(gaps) > 0:
        row = int(np.argmax(gaps > 0)) + 2
        raise ValueError(
            f"{name} row {row}, column arrival_s: {known[row - 1]:.15g} looks like milliseconds: "
            f"whole numbers, {gaps.mean():,.0f} from one request to the next, "
            f"{(known[-1] - known[0]) / DAY_S:,.1f} days in all as seconds. "
            "Read it with unit='ms', or with unit='s' if seconds are right"
        )


def _parquet(
    stream: BinaryIO, name: str, columns: dict[str, str], unit: str | None
) -> pd.DataFrame:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise ImportError(
            f"{name}: Parquet needs pyarrow: pip install 'inference-economics[notebooks]'"
        ) from None
    try:
        file = pq.ParquetFile(stream)
    except (ValueError, OSError) as error:  # what Arrow raises on a broken file
        raise ValueError(f"{name}: not a .parquet file: {str(error).strip()[:200]}") from None
    _check_size(file.metadata.num_rows, name)
    wanted = _wanted(file.schema_arrow.names, name, columns)
    _check_types(file.schema_arrow, wanted, name, unit)
    try:
        frame = file.read(columns=list(wanted)).to_pandas()
    except (ValueError, OSError) as error:
        raise ValueError(f"{name}: not a .parquet file: {str(error).strip()[:200]}") from None
    frame = frame.rename(columns=wanted)
    return frame.assign(arrival_s=seconds_of(frame["arrival_s"]))


def _check_types(schema: Any, wanted: dict[str, str], name: str, unit: str | None) -> None:
    """Refuse columns that are no numbers before they are read: text can be of any size."""
    import pyarrow.types as kinds

    for old, new in wanted.items():
        kind = schema.field(old).type
        is_time = kinds.is_timestamp(kind) or kinds.is_duration(kind)
        if new == "arrival_s" and is_time:
            if unit is not None:
                raise ValueError(f"{name}, column {old}: is a {kind}: leave out unit={unit!r}")
        elif not (kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind)):
            raise ValueError(f"{name}, column {old}: is of type {kind}: save it as numbers")


def _csv(stream: BinaryIO, name: str, columns: dict[str, str], unit: str | None) -> pd.DataFrame:
    rows = CsvRows(stream, name)
    wanted = _wanted(rows.head, name, columns)
    places = {new: rows.head.index(old) for old, new in wanted.items()}
    pieces, n_rows = [], 0
    for start, cells in rows:
        n_rows += len(cells)
        _check_size(n_rows, name)
        text = {new: [row[place] for row in cells] for new, place in places.items()}
        pieces.append(_numbers(pd.DataFrame(text, dtype=str), start, name))
    if not pieces:
        raise BadTable(f"{name}: holds no rows")
    return pd.concat(pieces, ignore_index=True)


def _wanted(names: list[str], name: str, columns: dict[str, str]) -> dict[str, str]:
    """The columns to read and what they are called here; a missing one suggests its likely name."""
    for old in columns:
        if old not in names:
            raise unknown(f"column of {name}", old, names)
    called = {old: columns.get(old, old) for old in names}
    wanted = {old: new for old, new in called.items() if new in (*TRACE_COLUMNS, OPTIONAL)}
    for column in (*TRACE_COLUMNS, OPTIONAL):
        n = [called[old] for old in names].count(column)
        if n > 1:
            raise BadTable(f"{name}: column {column} is there twice: keep one")
    lacking = [c for c in TRACE_COLUMNS if c not in wanted.values()]
    if not lacking:
        return wanted
    for mark, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 and mark in names[0]:
            raise BadTable(f"{name}: its cells are parted by {word}: save it with commas")
    hints: dict[str, str] = {}
    for column in lacking:
        stem = column.removesuffix("_s")
        for old in names:
            plain = old.strip().lower()
            if plain in OTHER_NAMES[column] or plain.startswith(stem):
                hints.setdefault(column, old)
    has = ", ".join(str(n)[:SHOWN] for n in names[:12]) or "nothing"
    text = f"{name}: no column {', '.join(lacking)}; it has {has}. "
    if hints:
        pairs = ", ".join(f"{old!r}: {new!r}" for new, old in hints.items())
        slow = [o for o in hints.values() if "ms" in o.lower() or "milli" in o.lower()]
        unit = ", unit='ms'" if slow else ""
        raise BadTable(f"{text}If these are they, read it with columns={{{pairs}}}{unit}")
    raise BadTable(f"{text}A trace needs {', '.join(TRACE_COLUMNS)}")


def _numbers(piece: pd.DataFrame, start: int, name: str) -> pd.DataFrame:
    """The columns of a piece as numbers; the first cell that is none is named."""
    out = {}
    for column in [c for c in (*TRACE_COLUMNS, OPTIONAL) if c in piece]:
        values = pd.to_numeric(piece[column], errors="coerce").to_numpy("float64")
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(np.argmax(bad))
            cell = str(piece[column].iloc[row])
            text = repr(cell[:SHOWN]) + ("…" if len(cell) > SHOWN else "")
            raise BadTable(
                f"{name} row {start + row}, column {column}: {text} {_remedy(cell, column)}"
            )
        out[column] = values
    return pd.DataFrame(out)


def _check_size(n_rows: int, name: str) -> None:
    if n_rows > MOST_ROWS:
        raise BadTable(f"{name}: more than {MOST_ROWS:,} rows: take part of the day, or a sample")
