"""A trace from somebody else's file: read in pieces, held to limits, refused with row and remedy.

Nothing in a file is ever executed or evaluated: cells are numbers or the file is refused. Only the
columns a trace needs are kept, whatever else the file holds, so memory follows the number of rows.

>>> read_trace(b"arrival_s,input_tokens,output_tokens\\n0,10,=1+1\\n", name="log.csv")
Traceback (most recent call last):
    ...
ValueError: log.csv row 1, column output_tokens: '=1+1' is a formula, not a number: save its value
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from econ.catalog.guard import shown, unknown
from econ.catalog.units import DAY_S, KILO, MEGA, MINUTE_S
from econ.tokens.trace_check import (
    OPTIONAL,
    SHOWN,
    TRACE_COLUMNS,
    check_trace,
    remedy,
    seconds_of,
)

MOST_BYTES, MOST_ROWS = 256 * MEGA, 5_000_000
LONGEST_LINE_BYTES = 1_000_000
LONGEST_CELL = 131_072  # characters
ROWS_A_PIECE = 200_000
UNITS = ("s", "ms")
EPOCH_S, EPOCH_MS = 1e8, 1e11  # a clock that counts from 1970 passed these in 1973
# names that other logs give to what a trace needs
OTHER_NAMES = {
    "arrival_s": ("arrival", "timestamp", "time", "start_time", "request_time", "arrived_at"),
    "input_tokens": ("prompt_tokens", "contexttokens", "context_tokens", "input_length", "isl"),
    "output_tokens": ("completion_tokens", "generatedtokens", "generated_tokens",
                      "output_length", "osl"),
}  # fmt: skip
MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16", b"PK\x03\x04": "a workbook"}


def read_trace(
    source: str | Path | bytes | memoryview,
    *,
    name: str | None = None,
    unit: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """A trace from CSV or Parquet: arrival_s, input_tokens, output_tokens, maybe cached_tokens.

    ``source`` is a path, or the bytes of an upload whose file ``name`` says its kind. ``columns``
    renames: ``{"timestamp": "arrival_s"}``. ``unit`` of the arrivals: s or ms; where it is not
    given, arrivals that look like milliseconds or like a clock are refused. With it, they count
    from the first. Further columns are dropped. The first bad row is named, with what to do.
    """
    if unit is not None and unit not in UNITS:
        raise unknown("unit of arrivals", unit, UNITS)
    if not isinstance(source, str | Path | bytes | bytearray | memoryview):
        raise ValueError(f"source = {shown(source)} is neither a path nor the bytes of a file")
    if isinstance(source, str | Path):
        path = Path(source)
        name, size = path.name, path.stat().st_size if path.exists() else 0
    else:
        name, size = str(name or "upload.csv"), len(source)
    ending = Path(name).suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise ValueError(f"{name}: give a .csv or a .parquet file")
    if size > MOST_BYTES:
        raise ValueError(
            f"{name}: {size / MEGA:,.0f} MB; at most {MOST_BYTES / MEGA:.0f} MB are read: "
            f"keep {', '.join(TRACE_COLUMNS)}, or save as Parquet, or take part of the day"
        )
    read = _parquet if ending == ".parquet" else _csv
    opened = path.open("rb") if isinstance(source, str | Path) else io.BytesIO(source)
    with opened as stream:
        frame = read(stream, name, dict(columns or {}), unit)
    return _in_seconds(frame, name, unit)


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


def _check_types(schema, wanted: dict[str, str], name: str, unit: str | None) -> None:
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


@contextlib.contextmanager
def _cell_limit() -> Iterator[None]:
    """Hold csv to its own limit on a cell, which others in this process may have raised."""
    usual = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


@_cell_limit()
def _csv(stream: BinaryIO, name: str, columns: dict[str, str], unit: str | None) -> pd.DataFrame:
    head = _scan(stream, name)
    if not head:
        raise ValueError(f"{name}: not a .csv file: it is empty")
    stream.seek(0)
    wanted = _wanted(head, name, columns)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    places = [head.index(old) for old in wanted]
    pieces, start = [], 0
    try:
        next(reader)  # the header
        while rows := list(itertools.islice(reader, ROWS_A_PIECE)):
            _check_cells(rows, len(head), start, name)
            piece = {new: [r[k] for r in rows if r] for new, k in zip(wanted.values(), places,
                                                                     strict=True)}  # fmt: skip
            pieces.append(_numbers(pd.DataFrame(piece, dtype=str), start, name))
            start += len(rows)
            _check_size(start, name)
    except csv.Error as error:
        long = "limit" in str(error)
        remedy = "leave out columns of text" if long else "quote whole cells, or save it anew"
        raise ValueError(
            f"{name} line {reader.line_num}: not a .csv file: {error}: {remedy}"
        ) from None
    finally:
        text.detach()
    if not pieces:
        raise ValueError(f"{name}: holds no rows")
    return pd.concat(pieces, ignore_index=True)


def _check_cells(rows: list[list[str]], n_cells: int, start: int, name: str) -> None:
    """Refuse a row with a cell too many or too few; a blank line is none."""
    if set(map(len, rows)) <= {n_cells, 0}:
        return
    for i, row in enumerate(rows):
        if row and len(row) != n_cells:
            more = "more" if len(row) > n_cells else "fewer"
            raise ValueError(
                f"{name} row {start + i + 1}: {more} cells than the header has names "
                f"({len(row)}, not {n_cells}): mend the row, or quote its commas"
            )


def _scan(stream: BinaryIO, name: str) -> list[str]:
    """The header, after a look at every line's encoding and length, in bounded memory."""
    head = b""
    for number, line in enumerate(_lines(stream), 1):
        if number == 1:
            for mark, what in MARKS.items():
                if line.startswith(mark):
                    raise ValueError(f"{name}: this is {what}: save it as CSV in UTF-8")
            head = line
        if len(line) > LONGEST_LINE_BYTES:
            raise ValueError(
                f"{name} line {number}: longer than {LONGEST_LINE_BYTES / MEGA:.0f} MB: leave out "
                "columns of text"
            )
        if b"\0" in line:
            raise ValueError(f"{name} line {number}: holds a zero byte: save it as CSV in UTF-8")
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{name} line {number}: not UTF-8 at byte {error.start + 1}: save it in UTF-8"
            ) from None
    try:
        rows = list(csv.reader([head.decode("utf-8-sig")]))
    except csv.Error as error:
        raise ValueError(
            f"{name} line 1: not a .csv file: {error}: end its lines with a line feed, and keep "
            "the names of columns short"
        ) from None
    return [cell.strip("\r\n") for cell in rows[0]] if rows else []


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(LONGEST_LINE_BYTES + 1):
        yield line


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
            raise ValueError(f"{name}: column {column} is there twice: keep one")
    lacking = [c for c in TRACE_COLUMNS if c not in wanted.values()]
    if not lacking:
        return wanted
    for mark, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 and mark in names[0]:
            raise ValueError(f"{name}: its cells are parted by {word}: save it with commas")
    hints = {}
    for column in lacking:
        stem = column.removesuffix("_s")
        for old in names:
            plain = old.strip().lower()
            if plain in OTHER_NAMES[column] or plain.startswith(stem):
                hints.setdefault(column, old)
    has = ", ".join(str(n)[:SHOWN] for n in names[:12]) or "nothing"
    said = f"{name}: no column {', '.join(lacking)}; it has {has}. "
    if hints:
        pairs = ", ".join(f"{old!r}: {new!r}" for new, old in hints.items())
        slow = [o for o in hints.values() if "ms" in o.lower() or "milli" in o.lower()]
        unit = ", unit='ms'" if slow else ""
        raise ValueError(f"{said}If these are they, read it with columns={{{pairs}}}{unit}")
    raise ValueError(f"{said}A trace needs {', '.join(TRACE_COLUMNS)}")


def _numbers(piece: pd.DataFrame, start: int, name: str) -> pd.DataFrame:
    """The columns of a piece as numbers; the first cell that is none is named."""
    out = {}
    for column in [c for c in (*TRACE_COLUMNS, OPTIONAL) if c in piece]:
        values = pd.to_numeric(piece[column], errors="coerce").to_numpy("float64")
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(np.argmax(bad))
            cell = str(piece[column].iloc[row])
            said = repr(cell[:SHOWN]) + ("…" if len(cell) > SHOWN else "")
            raise ValueError(
                f"{name} row {start + row + 1}, column {column}: {said} {remedy(cell, column)}"
            )
        out[column] = values
    return pd.DataFrame(out)


def _check_size(n_rows: int, name: str) -> None:
    if n_rows > MOST_ROWS:
        raise ValueError(f"{name}: more than {MOST_ROWS:,} rows: take part of the day, or a sample")
