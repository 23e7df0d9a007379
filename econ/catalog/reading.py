"""The one reader of files that others wrote: CSV, JSON, JSON lines, also gzipped; bounded, strict.

Nothing in a file is executed or evaluated. An error names the file, the row or line, the column,
and what to do.

>>> with opened(b"a,b\\n1,2\\n3\\n", "log.csv", (".csv",)) as (stream, name):
...     list(CsvRows(stream, name))
Traceback (most recent call last):
    ...
econ.catalog.reading.BadTable: log.csv row 2, column b: fewer cells than the header has names \
(1, not 2): mend the row, or quote its commas
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import csv
import gzip
import io
import itertools
import stat
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from econ.catalog.guard import shown
from econ.catalog.units import MEGA

Source = str | Path | bytes | bytearray | memoryview
MOST_BYTES = 256 * MEGA
MOST_TIMES = 200  # a log unpacks to 5 to 50 times its size, a bomb to a thousand
LONGEST_LINE_BYTES = 1_000_000
LONGEST_CELL = 131_072  # characters
ROWS_A_PIECE = 200_000
SCANNED_BYTES = 1 << 18
MARKS = {
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
    b"PK\x03\x04": "a workbook",
}


class BadTable(ValueError):
    """A file that cannot be read as what it should be; the message names where and why."""


@contextlib.contextmanager
def opened(
    source: Source,
    name: str | None,
    endings: Sequence[str],
    *,
    remedy: str = "take a part of it",
) -> Iterator[tuple[BinaryIO, str]]:
    """A file or the bytes of an upload as a stream, and its name without ``.gz``.

    Parameters
    ----------
    source : path or bytes
        Where the file is, or what is in it.
    name : str, optional
        Name of an upload: its ending says what it is.
    endings : sequence of str
        Endings that the caller reads, e.g. ``(".csv", ".json")``; each may be gzipped.
    remedy : str
        What to do about a file that is larger.

    Raises
    ------
    BadTable
        For another ending, or for more than 256 MB unpacked.
    FileNotFoundError
        For a path where there is none.
    """
    if not isinstance(source, Source):
        raise BadTable(f"source = {shown(source)} is neither a path nor the bytes of a file")
    path = Path(source) if isinstance(source, str | Path) else None
    data = b"" if isinstance(source, str | Path) else bytes(source)
    name = path.name if path else str(name or f"upload{endings[0]}")
    packed = name.lower().endswith(".gz")
    plain = name[: -len(".gz")] if packed else name
    if Path(plain).suffix.lower() not in endings:
        kinds = f"{', '.join(endings[:-1])} or {endings[-1]}" if endings[1:] else endings[0]
        raise BadTable(f"{name}: give a {kinds} file")
    size = size_of(path) if path else len(data)
    with contextlib.ExitStack() as stack:
        opening: Any = path.open("rb") if path else io.BytesIO(data)
        stream: BinaryIO = stack.enter_context(opening)
        if packed:
            size, stream = _unpacked(stream, name)
        if size > MOST_BYTES:
            raise BadTable(
                f"{name}: {size / MEGA:,.0f} MB; at most {MOST_BYTES / MEGA:.0f} MB are read: "
                f"{remedy}"
            )
        yield stream, plain


def file_error(error: Exception) -> str:
    """What is wrong, in our words where Python names an error number."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    words = {FileNotFoundError: "there is no such file", PermissionError: "may not be opened"}
    reason = words.get(type(error), error.strerror.lower())
    return f"{error.filename}: {reason}" if error.filename else reason


@contextlib.contextmanager
def wrong_input(parser: argparse.ArgumentParser) -> Iterator[None]:
    """What is wrong with a command's input ends it in one sentence, with exit code 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        parser.error(file_error(error))


def size_of(path: Path) -> int:
    """Bytes of a file; a folder, or a device or pipe that may never end, is refused by name."""
    try:
        known = path.stat()
    except ValueError as error:  # a name that no file can have
        raise BadTable(f"{str(path)!r} is no file: {error}") from None
    if stat.S_ISDIR(known.st_mode):
        raise IsADirectoryError(f"{path.name or path}: a folder, not a file")
    if not stat.S_ISREG(known.st_mode):
        raise BadTable(f"{path.name}: a device or a pipe, not a file: save it as one first")
    return known.st_size


def _unpacked(stream: BinaryIO, name: str) -> tuple[int, BinaryIO]:
    """The content of a gzipped file, up to one byte more than the limit."""
    packed_bytes = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    content = io.BytesIO()
    try:
        with gzip.open(stream) as file:
            while content.tell() <= MOST_BYTES and (piece := file.read(1 << 22)):
                content.write(piece[: int(MOST_BYTES) + 1 - content.tell()])
                times = content.tell() / packed_bytes
                if content.tell() > 8 * MEGA and times > MOST_TIMES:
                    raise BadTable(
                        f"{name}: unpacks to more than {MOST_TIMES} times its size: not a log or a "
                        "result file"
                    )
    except (OSError, EOFError, zlib.error) as error:
        raise BadTable(f"{name}: not a gzipped file: {error}") from None
    size = content.tell()
    content.seek(0)
    return size, content


class CsvRows:
    """The header of a CSV file and its rows, as text, in pieces.

    ``first_row`` is the number of the first row below the header in messages: 1 where rows are
    counted, 2 where lines are. A blank line is no row.
    """

    def __init__(self, stream: BinaryIO, name: str, *, first_row: int = 1) -> None:
        if not hasattr(stream, "read"):
            raise BadTable(f"{name}: not a .csv file but {stream!r:.60}")
        self.stream, self.name, self.first_row = stream, name, first_row
        self.head = _scan(stream, name)
        if not self.head:
            raise BadTable(f"{name}: not a .csv file: it is empty")
        stream.seek(0)

    def __iter__(self) -> Iterator[tuple[int, list[list[str]]]]:
        """Pieces of rows, each with the number of its first."""
        text = io.TextIOWrapper(self.stream, encoding="utf-8-sig", newline="")
        reader, start = csv.reader(text, strict=True), self.first_row
        try:
            with _cell_limit():
                next(reader)  # the header
            while True:
                with _cell_limit():
                    rows = list(itertools.islice(reader, ROWS_A_PIECE))
                if not rows:
                    return
                self._check_cells(rows, start)
                yield start, [row for row in rows if row]
                start += len(rows)
        except csv.Error as error:
            too_long = "limit" in str(error)
            remedy = "leave out columns of text" if too_long else "quote whole cells"
            raise BadTable(
                f"{self.name} line {reader.line_num}: not a .csv file: {error}: {remedy}, or save "
                "it anew"
            ) from None
        finally:
            if not self.stream.closed:  # a caller that failed may have closed it
                text.detach()

    def _check_cells(self, rows: list[list[str]], start: int) -> None:
        """Refuse a row with a cell too many or too few: it would shift the rest."""
        n_cells = len(self.head)
        if set(map(len, rows)) <= {n_cells, 0}:
            return
        row, cells = next((i, r) for i, r in enumerate(rows) if r and len(r) != n_cells)
        more = "more" if len(cells) > n_cells else "fewer"
        column = self.head[min(len(cells), n_cells - 1)]  # the first that is empty, or the last
        raise BadTable(
            f"{self.name} row {start + row}, column {column[:40]}: {more} cells than the header "
            f"has names ({len(cells)}, not {n_cells}): mend the row, or quote its commas"
        )


def read_rows(source: Source, name: str | None = None) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV file, as text."""
    with opened(source, name, (".csv",)) as (stream, known_as):
        rows = CsvRows(stream, known_as, first_row=2)
        return rows.head, [row for _, piece in rows for row in piece]


def read_columns(source: Source, columns: Sequence[str], name: str | None = None) -> pd.DataFrame:
    """Some columns of a CSV file: numbers where every cell is one, else text; empty is missing.

    Raises
    ------
    BadTable
        For a file that lacks one of ``columns``, and for what `CsvRows` refuses.
    """
    with opened(source, name, (".csv",)) as (stream, known_as):
        rows = CsvRows(stream, known_as, first_row=2)
        if missing := [column for column in columns if column not in rows.head]:
            raise BadTable(f"{known_as}: no column {', '.join(missing)}")
        places = [rows.head.index(column) for column in columns]
        cells = [[row[place] for place in places] for _, piece in rows for row in piece]
    text = pd.DataFrame(cells, columns=list(columns), dtype=str)
    return pd.DataFrame({column: _typed(text[column]) for column in columns})


def _typed(text: pd.Series) -> pd.Series:
    known = text.where(text != "")
    numbers = pd.to_numeric(known, errors="coerce")
    return known if (numbers.isna() & known.notna()).any() else numbers


def decoded(data: bytes, name: str) -> str:
    """Bytes as text in UTF-8, without a mark that some editors write."""
    for mark, what in MARKS.items():
        if data.startswith(mark):
            raise BadTable(f"{name}: this is {what}: save it in UTF-8")
    if b"\0" in data:
        raise BadTable(f"{name}: holds a zero byte: save it in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadTable(f"{name}: not UTF-8 at byte {error.start + 1}: save it in UTF-8") from None


@contextlib.contextmanager
def _cell_limit() -> Iterator[None]:
    """Hold csv to our limit on a cell, which others in this process may have changed."""
    usual = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def _scan(stream: BinaryIO, name: str) -> list[str]:
    """The header, after a look at every byte's encoding and every line's length, in blocks."""
    head = stream.readline(LONGEST_LINE_BYTES + 1)
    for mark, what in MARKS.items():
        if head.startswith(mark):
            raise BadTable(f"{name}: this is {what}: save it as CSV in UTF-8")
    block, pending = head, b""  # what of a character its block leaves to the next
    n_lines = n_open = 0  # lines so far; bytes since the last line end
    while block:
        n_before = n_open - len(pending)  # bytes of the line before the text
        n_open, too_long = _open_line(block, n_open)
        zero = block.find(b"\0")
        places = [p for p in (zero, too_long) if p >= 0]
        where = f"{name} line {n_lines + block.count(10, 0, min(places)) + 1}" if places else ""
        if places and min(places) == too_long:
            raise BadTable(
                f"{where}: longer than {LONGEST_LINE_BYTES / MEGA:.0f} MB: leave out columns of "
                "text"
            )
        if places:
            raise BadTable(f"{where}: holds a zero byte: save it as CSV in UTF-8")
        following = stream.read(SCANNED_BYTES)
        text = pending + block
        try:
            pending = text[codecs.utf_8_decode(text, "strict", not following)[1] :]
        except UnicodeDecodeError as error:
            n_lines += text.count(10, 0, error.start)
            line = text.rfind(b"\n", 0, error.start)
            place = error.start - line + (n_before if line < 0 else 0)
            raise BadTable(
                f"{name} line {n_lines + 1}: not UTF-8 at byte {place}: save it in UTF-8"
            ) from None
        n_lines += block.count(10)
        block = following
    try:
        with _cell_limit():
            rows = list(csv.reader([head.decode("utf-8-sig")]))
    except csv.Error as error:
        raise BadTable(
            f"{name} line 1: not a .csv file: {error}: end its lines with a line feed, and keep "
            "the names of columns short"
        ) from None
    return [cell.strip("\r\n") for cell in rows[0]] if rows else []


def _open_line(block: bytes, n_open: int) -> tuple[int, int]:
    """Bytes since the last line end of a block, and where a line in it grows too long, or -1."""
    start = -n_open  # of the line that is open
    while len(block) - start > LONGEST_LINE_BYTES:
        end = block.rfind(b"\n", max(start, 0), start + LONGEST_LINE_BYTES + 1)
        if end < 0:
            return 0, max(start, 0)
        start = end + 1
    end = block.rfind(b"\n", max(start, 0))
    return len(block) - (end + 1 if end >= 0 else start), -1
