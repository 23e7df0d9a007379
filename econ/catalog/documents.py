"""JSON that others wrote: one document, one a line, or one after the other; strict and bounded.

>>> strict_documents('{"a": 1}\\n{\\n"a": 2}', "spans.json")
[{'a': 1}, {'a': 2}]

Small files, whole: read up to a bound, and written so that they appear complete or not at all.

>>> import tempfile
>>> file = Path(tempfile.mkdtemp()) / "a.json"
>>> text_of(write_new(file, b"{}"), 10, "a note")
'{}'
>>> text_of(file, 1, "a note")
Traceback (most recent call last):
    ...
econ.catalog.reading.BadTable: a.json: larger than 1 bytes: not a note
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from econ.catalog.guard import shown
from econ.catalog.reading import BadTable, Source, decoded, opened, size_of
from econ.catalog.units import MEGA

MOST_JSON_BYTES = 64 * MEGA  # of one document, which is read whole
LONGEST_JSON_LINE_BYTES = 16_000_000
MOST_KEYS = 200_000  # of one JSON object
MOST_DIGITS = 40
NOT_BLANK = re.compile(r"[^ \t\r\n]")
TOO_LONG = b"\0"  # stands for a line that is not read
MOST_VALUES = 6_000_000  # of one JSON document
MOST_DOCUMENTS = 1_000_000


def read_documents(source: Source, name: str | None, endings: Sequence[str]) -> list[Any]:
    """The documents of a JSON file: one, or one a line; a list of them is opened up.

    Raises
    ------
    BadTable
        For what is no JSON, is nested too deeply, gives a key twice, or holds NaN or a number of
        hundreds of digits.
    """
    with opened(source, name, endings) as (stream, known_as):
        documents = [
            document
            for _, document in itertools.islice(
                json_documents(stream, known_as), MOST_DOCUMENTS + 1
            )
        ]
    if len(documents) > MOST_DOCUMENTS:
        raise BadTable(f"{known_as}: more than {MOST_DOCUMENTS:,} documents: give a summary")
    return documents


def json_documents(stream: BinaryIO, name: str) -> Iterator[tuple[int, Any]]:
    """The documents of a stream of JSON, each with its line, or its place in a list.

    Where the first line is a document and another follows, each line is one, and memory follows a
    line; else the whole is read, and may be no larger than 64 MB.
    """
    start = stream.tell()
    first, second = b"", b""
    for line in _json_lines(stream, name):
        first, second = (first, line[1]) if first else (line[1], b"")
        if second:
            break
    stream.seek(start)
    if second and _is_json(first):
        for number, text in _json_lines(stream, name):
            if text == TOO_LONG:
                most = LONGEST_JSON_LINE_BYTES / MEGA
                raise BadTable(f"{name} line {number}: longer than {most:.0f} MB: leave out text")
            yield number, strict_json(decoded(text, f"{name} line {number}"), name, number)
        return
    data = stream.read(int(MOST_JSON_BYTES) + 1)
    if len(data) > MOST_JSON_BYTES:
        raise BadTable(
            f"{name}: one JSON document of more than {MOST_JSON_BYTES / MEGA:.0f} MB: write one "
            "record a line, or leave out text"
        )
    if data.count(b",") > MOST_VALUES:
        raise BadTable(
            f"{name}: one JSON document of more than {MOST_VALUES / MEGA:.0f} million values: "
            "write one record a line, or leave out what is not needed"
        )
    documents = strict_documents(decoded(data, name), name)
    if len(documents) == 1 and isinstance(documents[0], list):
        documents = documents[0]
    yield from enumerate(documents, 1)


def _json_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := stream.readline(int(LONGEST_JSON_LINE_BYTES) + 1):
        number += 1
        if len(line) > LONGEST_JSON_LINE_BYTES:
            yield number, TOO_LONG  # no document: what follows the line is not looked at
            return
        if line.strip():
            yield number, line


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def strict_json(text: str, name: str, n_line: int | None = None) -> Any:
    """A JSON text as Python's objects; what the standard forbids, or leaves open, is refused.

    >>> strict_json('{"a": 1, "a": 2}', "r.json")
    Traceback (most recent call last):
        ...
    econ.catalog.reading.BadTable: r.json: the key 'a' is there twice in one object: keep one
    """
    return _parsed(text, name, n_line, many=False)[0]


def strict_documents(text: str, name: str) -> list[Any]:
    """The JSON documents of a text, one after the other, as some exporters print them.

    >>> strict_documents('{"a": 1}\\n{\\n"a": 2}', "spans.json")
    [{'a': 1}, {'a': 2}]
    """
    return _parsed(text, name, None, many=True)


def _parsed(text: str, name: str, n_line: int | None, *, many: bool) -> list[Any]:
    where = name if n_line is None else f"{name} line {n_line}"
    decoder = _strict_decoder(where)
    documents: list[Any] = []
    place = _next_place(text, 0)
    try:
        while place < len(text) or not documents:
            document, place = decoder.raw_decode(text, place)
            documents.append(document)
            place = _next_place(text, place)
            if place < len(text) and not (many and text[place] in "{["):
                raise json.JSONDecodeError("Extra data", text, place)
    except RecursionError:
        raise BadTable(f"{where}: nested too deeply") from None
    except json.JSONDecodeError as error:
        at = (n_line or 1) + error.lineno - 1
        raise BadTable(
            f"{name} line {at}: not JSON: {error.msg} at character {error.colno}: the file may be "
            "cut short"
        ) from None
    return documents


def _next_place(text: str, place: int) -> int:
    """The next character that is no white space."""
    match = NOT_BLANK.search(text, place)
    return match.start() if match else len(text)


def _strict_decoder(where: str) -> json.JSONDecoder:
    """A decoder that refuses keys that stand twice, huge numbers, and words that are no JSON."""

    def refuse(what: str) -> BadTable:
        return BadTable(f"{where}: {what}")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(pairs) > MOST_KEYS:
            raise refuse(f"an object of {len(pairs):,} keys: not a log or a result file")
        values = dict(pairs)
        if len(values) < len(pairs):
            n_of = Counter(key for key, _ in pairs)
            twice = next(key for key, n in n_of.items() if n > 1)
            raise refuse(f"the key {shown(twice)} is there twice in one object: keep one")
        return values

    def integer(digits: str) -> int:
        if len(digits) > MOST_DIGITS:
            raise refuse(f"a number of {len(digits):,} digits")
        return int(digits)

    def decimal(digits: str) -> float:
        value = float(digits)
        if len(digits) > 10 * MOST_DIGITS or not math.isfinite(value):
            raise refuse(f"a number that is too large or too long: {digits[:20]}…")
        return value

    def constant(word: str) -> float:
        if word == "Infinity":  # as SGLang writes a rate without limit
            return math.inf
        raise refuse(f"{word} is no JSON: leave the key out, or write null")

    return json.JSONDecoder(
        object_pairs_hook=unique, parse_int=integer, parse_float=decimal, parse_constant=constant
    )


READABLE = 0o644


def text_of(path: str | Path, most_bytes: int, what: str) -> str:
    """The text of a UTF-8 file, a mark at its start left out.

    Parameters
    ----------
    path : str or Path
        The file; a pipe is read as well.
    most_bytes : int
        The longest that is read, e.g. 1,000,000.
    what : str
        What it should be, for messages, e.g. ``"a scenario"``.

    Raises
    ------
    BadTable
        For a longer file, a device, or one that is no UTF-8.
    OSError
        For a file that cannot be opened.
    """
    path = Path(path)
    size = 0 if path.is_fifo() else size_of(path)
    if size <= most_bytes:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    if size > most_bytes or len(data) > most_bytes:
        raise BadTable(f"{path.name}: larger than {most_bytes:,} bytes: not {what}")
    return decoded(data, path.name)


@contextlib.contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """A file of this process's own beside another, removed at the end if it is still there."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".econ-", suffix=".part")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold other processes off a folder's files while one is read and written anew."""
    try:
        import fcntl
    except ImportError:  # Windows: the last one to write wins, whole
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)  # ends with the process at the latest
        yield
    finally:
        os.close(handle)


def replace(path: Path, data: bytes, *, is_private: bool = False) -> Path:
    """Write a file, over one that is there: a reader meets the old one or the new, never half."""
    with draft_of(path) as draft:
        draft.write_bytes(data)
        if not is_private:  # as temporary files are
            os.chmod(draft, READABLE)
        os.replace(draft, path)
    return path


def write_new(path: Path, data: bytes) -> Path:
    """Write a file where none is.

    Raises
    ------
    FileExistsError
        Where there is one, perhaps since a moment; it is left as it is, and a free name is given.
    """
    check_free(path)
    with draft_of(path) as draft:
        draft.write_bytes(data)
        os.chmod(draft, READABLE)
        try:
            os.link(draft, path)  # fails where something has appeared there meanwhile
        except FileExistsError:
            check_free(path)
            raise
        except (OSError, AttributeError):  # a file system without links
            with path.open("xb") as file:
                try:
                    file.write(data)
                except OSError:
                    path.unlink()
                    raise
    return path


def check_free(path: Path) -> None:
    """Refuse a name under which something lies, with a free one."""
    if path.exists() or path.is_symlink():
        free = free_name(path).name
        raise FileExistsError(
            f"{path.name} is there already and is left as it is; a free name: {free}"
        )


def check_writable(path: str | Path) -> None:
    """Refuse, before any work, a name that could not be written after it.

    Raises
    ------
    FileExistsError
        Where something lies under the name.
    FileNotFoundError
        Where the folder does not exist.
    PermissionError
        Where the folder takes no file.
    """
    path = Path(path)
    check_free(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.name}: the folder {path.parent.name!r} is not there")
    try:
        with draft_of(path):
            pass
    except OSError as error:
        raise PermissionError(
            f"{path.name}: the folder {path.parent.name!r} takes no file: {error.strerror}"
        ) from None


def free_name(path: str | Path) -> Path:
    """The path itself if nothing is there, else the first free one of ``name-2``, ``name-3``, …"""
    path = Path(path)
    candidate, number = path, 1
    while candidate.exists() or candidate.is_symlink():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate
