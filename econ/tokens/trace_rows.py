"""The rows of a log as columns under our names: from CSV, JSON, JSON lines and Parquet.

Only the columns that a trace needs are kept, so that memory follows the number of rows. Cells stay
as they were written; `econ.tokens.traces` turns them into numbers.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from econ.catalog.documents import json_documents
from econ.catalog.reading import LONGEST_LINE_BYTES, BadTable, CsvRows
from econ.catalog.units import MEGA
from econ.tokens.flat import flat_records
from econ.tokens.trace_columns import columns_of, format_of

MOST_ROWS = 5_000_000
MOST_OTHER_RECORDS = 200_000  # before the first that is a request
MOST_FOOTER_BYTES = 16 * MEGA  # of a Parquet file: its columns' names and places
PARQUET_ROWS = 20_000  # read at a time as records
MOST_TEXT_BYTES = 512 * MEGA  # of a Parquet column of text
STAMPED = re.compile(rb"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)")
COUNTED = re.compile(
    rb"['\"](prompt_tokens|completion_tokens|cached_tokens|e2e_latency)['\"]: ?([0-9.]{1,20})"
)


@dataclass(frozen=True)
class Rows:
    """Some rows of a file: cells under our names, and the number of each row in the file."""

    cells: pd.DataFrame
    number: np.ndarray
    columns: dict[str, str]  # our name -> the file's
    form: str  # what wrote it
    unit: str | None  # of its clock, where the format says it


def check_size(n_rows: float, name: str, what: str = "rows") -> None:
    """Refuse more rows than a trace may have."""
    if n_rows > MOST_ROWS:
        raise BadTable(f"{name}: more than {MOST_ROWS:,} {what}: take part of the day, or a sample")


def rows_of(stream: BinaryIO, name: str, columns: Mapping[str, str]) -> Iterator[Rows]:
    """The rows of a file in pieces; its ending says its kind."""
    ending = name.lower().rpartition(".")[2]
    if ending == "parquet":
        yield _parquet(stream, name, columns)
    elif ending == "csv":
        yield from _csv(stream, name, columns)
    else:
        yield _json(_documents(stream, name), name, columns)


def _csv(stream: BinaryIO, name: str, columns: Mapping[str, str]) -> Iterator[Rows]:
    rows = CsvRows(stream, name)
    wanted = columns_of(rows.head, name, columns)
    form, unit = format_of(rows.head)
    places = {new: rows.head.index(old) for new, old in wanted.items()}
    n_rows = 0
    for start, cells in rows:
        n_rows += len(cells)
        check_size(n_rows, name)
        text = {new: [row[place] for row in cells] for new, place in places.items()}
        number = np.arange(start, start + len(cells))
        yield Rows(pd.DataFrame(text, dtype=str), number, wanted, form, unit)


def _documents(stream: BinaryIO, name: str) -> Iterator[tuple[int, Any]]:
    """JSON, or the lines of a text log of SGLang that say a request is finished."""
    start = stream.read(200).lstrip(b"\xef\xbb\xbf \t\r\n")
    stream.seek(0)
    is_text = start[:1] not in (b"", b"{", b"[") or STAMPED.match(start[1:]) is not None
    return _text_log(stream, name) if is_text else json_documents(stream, name)


def _text_log(stream: BinaryIO, name: str) -> Iterator[tuple[int, Any]]:
    """Each line with ``Finish:``: its moment less the latency, and the counts of tokens."""
    n_requests = number = 0
    while line := stream.readline(LONGEST_LINE_BYTES + 1):
        number += 1
        if len(line) > LONGEST_LINE_BYTES or b"\0" in line:
            raise BadTable(f"{name} line {number}: longer than 1 MB, or holds a zero byte")
        if b"Finish:" not in line:
            continue
        facts = {k: v for key, v in COUNTED.findall(line) if (k := key.decode())}
        at, latency = STAMPED.search(line), facts.pop("e2e_latency", None)
        if at is None or not {"prompt_tokens", "completion_tokens"} <= set(facts):
            raise BadTable(f"{name} line {number}: no moment or no counts of tokens in it")
        moment = pd.Timestamp(at.group(1).decode().replace(",", "."))
        if latency is not None:  # the line is written when the answer ends
            moment -= pd.Timedelta(seconds=float(latency))
        n_requests += 1
        counts = {f"meta_info.{k}": int(v) for k, v in facts.items()}
        yield number, {"start_time": moment.isoformat(), **counts}
    if not n_requests:
        raise BadTable(
            f"{name}: neither JSON nor a log with 'Finish:' lines, as SGLang writes with "
            "--log-requests; vLLM's text log has no output tokens: give its OpenTelemetry spans, "
            "or the file of bench serve --save-detailed"
        )


def _json(documents: Iterable[tuple[int, Any]], name: str, columns: Mapping[str, str]) -> Rows:
    wanted: dict[str, str] = {}
    cells: dict[str, list[Any]] = {}
    number: list[int] = []
    form: tuple[str, str | None] = ("plain columns", None)
    seen: dict[str, None] = {}
    keys: set[str] = set()
    no_request: set[frozenset[str]] = set()  # keys of records that are none
    n_records = 0
    for place, record in flat_records(documents, name):
        n_records += 1
        check_size(n_records, name)
        if not wanted:
            these = frozenset(record)
            if these in no_request:
                if n_records > MOST_OTHER_RECORDS:
                    break
                continue
            no_request.add(these)
            seen |= dict.fromkeys(list(record)[:100])
            try:
                wanted = columns_of(list(record), name, columns)
            except ValueError:
                if len(seen) > 2000 or n_records > MOST_OTHER_RECORDS:
                    break
                continue  # a span, or a line, that is no request
            form = format_of(list(record))
            cells, keys = {new: [] for new in wanted}, set(record)
        if record.get(wanted["input_tokens"]) is record.get(wanted["output_tokens"]) is None:
            continue
        if not keys >= record.keys():  # further columns may come later
            keys |= record.keys()
            for new, old in columns_of(list(record), name, {}, strict=False).items():
                if new not in wanted:
                    wanted[new], cells[new] = old, [None] * len(number)
        number.append(place)
        for new, old in wanted.items():
            cells[new].append(record.get(old))
    if not wanted:
        if not n_records:
            raise BadTable(f"{name}: holds no rows")
        columns_of(list(seen), name, columns)  # raises, with the names that are there
        raise BadTable(f"{name}: no record has both a time and counts of tokens")
    frame = pd.DataFrame(cells, dtype=object)
    rows = Rows(frame, np.array(number), wanted, *form)
    rows.cells.attrs["n_other"] = n_records - len(number)
    return rows


def _parquet(stream: BinaryIO, name: str, columns: Mapping[str, str]) -> Rows:
    file = _parquet_file(stream, name)
    names = file.schema_arrow.names
    wanted = columns_of(names, name, columns)
    _check_types(file, wanted, name)
    try:
        frame = file.read(columns=list(dict.fromkeys(wanted.values()))).to_pandas()
    except (ValueError, OSError) as error:
        raise BadTable(f"{name}: not a .parquet file: {str(error).strip()[:200]}") from None
    cells = pd.DataFrame({new: frame[old] for new, old in wanted.items()})
    return Rows(cells, np.arange(1, len(cells) + 1), wanted, *format_of(names))


def parquet_records(stream: BinaryIO, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a Parquet file as records, in pieces; columns of lists or long text are left out.

    Raises
    ------
    BadTable
        For what is no Parquet file, or has too many rows.
    ImportError
        Without pyarrow.
    """
    file = _parquet_file(stream, name)
    import pyarrow.types as kinds

    columns = [
        f.name
        for f in file.schema_arrow
        if not kinds.is_nested(f.type) and not kinds.is_binary(f.type)
        if not kinds.is_string(f.type) or _text_bytes(file, f.name) <= MOST_TEXT_BYTES
    ]
    number = 0
    try:
        for batch in file.iter_batches(PARQUET_ROWS, columns=columns):
            for record in batch.to_pylist():
                number += 1
                yield number, record
    except (ValueError, OSError) as error:
        raise BadTable(f"{name}: not a .parquet file: {str(error).strip()[:200]}") from None


def _parquet_file(stream: BinaryIO, name: str) -> Any:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise ImportError(
            f"{name}: Parquet needs pyarrow: pip install 'inference-economics[notebooks]'"
        ) from None
    _check_footer(stream, name)
    try:
        file = pq.ParquetFile(stream)
    except (ValueError, OSError, MemoryError) as error:  # what Arrow raises on a broken file
        raise BadTable(f"{name}: not a .parquet file: {str(error).strip()[:200]}") from None
    check_size(file.metadata.num_rows, name)
    return file


def _check_footer(stream: BinaryIO, name: str) -> None:
    """Refuse a file whose list of columns is itself larger than a log's."""
    size = stream.seek(0, io.SEEK_END)
    if size >= 8:
        stream.seek(-8, io.SEEK_END)
        (footer_bytes,) = struct.unpack("<I", stream.read(4))
        if stream.read(4) == b"PAR1" and footer_bytes > MOST_FOOTER_BYTES:
            raise BadTable(
                f"{name}: its list of columns takes {footer_bytes / MEGA:,.0f} MB: keep the "
                "columns of a trace"
            )
    stream.seek(0)


def _check_types(file: Any, wanted: dict[str, str], name: str) -> None:
    """Refuse columns that are no numbers before they are read: text can be of any size."""
    import pyarrow.types as kinds

    schema = file.schema_arrow
    for new, old in wanted.items():
        kind = schema.field(old).type
        is_text = kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_dictionary(kind)
        if new in ("arrival_s", "end", "status", "cache_hit"):
            is_time = kinds.is_timestamp(kind) or kinds.is_duration(kind)
            if is_time or kinds.is_boolean(kind):
                continue
            if is_text and _text_bytes(file, old) <= MOST_TEXT_BYTES:
                continue
        if not (kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind)):
            raise BadTable(f"{name}, column {old}: is of type {kind}: save it as numbers")


def _text_bytes(file: Any, column: str) -> int:
    meta = file.metadata
    place = next(i for i in range(meta.num_columns) if meta.schema.column(i).path == column)
    return sum(
        meta.row_group(g).column(place).total_uncompressed_size for g in range(meta.num_row_groups)
    )
