"""Typed tables from ``data/``, each checked against the data package when it is read.

The package (``data/datapackage.json``, Frictionless Data) states every column's type, unit,
meaning and limits. A table that breaks one names the file, the row, the column and the rule.

>>> table("accelerators").loc["h100-sxm", "tdp_w"]
np.float64(700.0)
>>> table("acelerators")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown table 'acelerators'; nearest: accelerators...
"""

from __future__ import annotations

import datetime
import functools
import itertools
import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from econ.catalog.documents import replace
from econ.catalog.guard import one_of, unknown
from econ.catalog.reading import BadTable, read_rows

Function = TypeVar("Function", bound=Callable[..., Any])
KINDS = ("measured", "list_price", "vendor_claim", "derived", "assumed")
DATE = r"\d{4}(-\d{2}){0,2}"  # a year, a month or a day


def data_dir() -> Path:
    """The folder with the tables: ``ECON_DATA`` if set, else that of a clone or of the wheel.

    Raises
    ------
    FileNotFoundError
        If there is no data package in it.
    """
    named = os.environ.get("ECON_DATA")
    package_dir = Path(__file__).resolve().parents[1]
    homes = [Path(named)] if named else [package_dir.parent / "data", package_dir / "data"]
    for folder in homes:
        if (folder / "datapackage.json").exists():
            return folder
    raise FileNotFoundError(
        f"no datapackage.json in {' or '.join(map(str, homes))}: install the package again, or set "
        "ECON_DATA to the folder with the tables"
    )


@functools.cache
def package() -> dict[str, Any]:
    """The data package's descriptor."""
    descriptor: dict[str, Any] = json.loads(
        (data_dir() / "datapackage.json").read_text(encoding="utf-8")
    )
    return descriptor


def resource(name: str) -> dict[str, Any]:
    """The descriptor of one table."""
    known: dict[str, dict[str, Any]] = {r["name"]: r for r in package()["resources"]}
    one_of("table", name, known)
    return known[name]


def table_names() -> list[str]:
    """The names of all tables."""
    return [r["name"] for r in package()["resources"]]


def table(name: str) -> pd.DataFrame:
    """A checked copy of a table.

    Parameters
    ----------
    name : str
        E.g. ``"accelerators"``; `table_names` lists them.

    Returns
    -------
    DataFrame
        Typed columns, indexed by the primary key where that is one column.

    Raises
    ------
    UnknownName
        For an unknown table, with the nearest.
    BadTable
        For a cell that breaks a rule of the data package: file, row, column, rule.
    """
    return _read(name).copy(deep=False)  # pandas copies what is written to


def row_of(name: str, key: str, what: str) -> pd.Series:
    """One row of a table by its key; for an unknown one, ``what`` it is and the nearest.

    >>> float(row_of("slos", "chat", "SLO preset")["ttft_s"])
    2.0
    """
    rows = table(name)
    return rows.loc[one_of(what, key, rows.index)]


def write_table(name: str, rows: pd.DataFrame) -> Path:
    """Write a table of the data package: its columns in order, whole or not at all."""
    descriptor = resource(name)
    names = [field["name"] for field in descriptor["schema"]["fields"]]
    path = data_dir() / str(descriptor["path"])
    text = rows[names].to_csv(index=False, lineterminator="\n", float_format="%.6g")
    return replace(path, text.encode())


def remember(function: Function) -> Function:
    """Compute what rests on a table once, until `forget`: a decorator."""
    cached = functools.cache(function)
    _remembered.append(cached)
    return cached  # type: ignore[return-value]


def forget() -> None:
    """Read every table anew when it is next asked for: after one of them was written."""
    for cached in (package, _read, *_remembered):
        cached.cache_clear()


_remembered: list[Any] = []


@functools.cache
def _read(name: str) -> pd.DataFrame:
    descriptor = resource(name)
    schema = descriptor["schema"]
    path = data_dir() / descriptor["path"]
    frame = read_checked(path, schema)
    for rule in schema.get("foreignKeys", []):
        _check_names(path.name, frame[rule["fields"]], rule["reference"])
    key = schema.get("primaryKey")
    return frame.set_index(key, drop=False) if isinstance(key, str) else frame


def _check_names(file: str, names: pd.Series, reference: dict[str, str]) -> None:
    """Every name is a key of another table: a misspelt source is an error, with the nearest."""
    known = table(reference["resource"]).index
    odd = set(names.unique()) - {""} - set(known)
    for row in itertools.islice((row for row, name in names.items() if name in odd), 1):
        where = reference["resource"]
        error = unknown(f"key of {where}", names[row], known)
        rule = f"is not known: {error}; a new one needs its row in {where} first"
        _fail(file, row, str(names.name), names[row], rule)


def read_checked(path: Path, schema: dict[str, Any]) -> pd.DataFrame:
    """Read a CSV file and hold every cell to ``schema``; the first breach is a `BadTable`.

    Besides types and limits: the key is there once, and low ≤ typical ≤ high.
    """
    cells = _read_text(path, [f["name"] for f in schema["fields"]])
    columns = {f["name"]: _column(path.name, cells[f["name"]], f) for f in schema["fields"]}
    key = schema.get("primaryKey") or []
    key = [key] if isinstance(key, str) else key
    seen: set[tuple[str, ...]] = set()
    for row, value in enumerate(zip(*(cells[name] for name in key), strict=True)):
        if value in seen:
            _fail(path.name, row, "+".join(key), list(value), "is there twice")
        seen.add(value)
    frame = pd.DataFrame(columns)
    for run in schema.get("ordered", []):
        for lower, upper in itertools.pairwise(run):
            if (wrong := frame[lower] > frame[upper]).any():
                row = int(wrong.idxmax())
                _fail(path.name, row, lower, cells[lower][row], f"is above {upper}")
    return frame


def _read_text(path: Path, names: list[str]) -> dict[str, list[str]]:
    """Every cell as text; a row with a cell too many or too few is refused, not shifted."""
    head, rows = read_rows(path)
    if head != names:
        odd = sorted(set(head) ^ set(names)) or "their order, or one is there twice"
        raise BadTable(f"{path.name}: columns differ from the data package: {odd}")
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def _fail(file: str, row: int, column: str, value: object, rule: str) -> None:
    raise BadTable(f"{file} row {row + 2}, column {column}: {value!r} {rule}")  # row 1: the names


def _column(file: str, cells: list[str], field: dict[str, Any]) -> Any:
    """One column as its type, or the first cell that breaks a rule; equal cells count once."""
    name, kind, rules = field["name"], field["type"], field.get("constraints", {})

    def check(is_right: Callable[[Any], bool], rule: str, values: dict[str, Any]) -> None:
        bad = {cell for cell, value in values.items() if not is_right(value)}
        if bad:
            row = next(row for row, cell in enumerate(cells) if cell in bad)
            _fail(file, row, name, cells[row], rule)

    different = dict.fromkeys(cells)
    if rules.get("required") and "" in different:
        _fail(file, cells.index(""), name, "", "is empty, but the column is required")
    different.pop("", None)
    text = {cell: cell for cell in different}
    if kind in ("number", "integer"):
        numbers = {cell: _number(cell) for cell in different}
        check(math.isfinite, f"is not a finite {kind}", numbers)
        if kind == "integer":
            check(float.is_integer, "is not a whole number", numbers)
        if (low := rules.get("minimum")) is not None:
            check(lambda n: n >= low, f"is below the minimum {low}", numbers)
        if (high := rules.get("maximum")) is not None:
            check(lambda n: n <= high, f"is above the maximum {high}", numbers)
        column = np.array([numbers.get(cell, math.nan) for cell in cells], "float64")
        if kind == "number":
            return column
        empty = np.isnan(column)
        return pd.arrays.IntegerArray(np.where(empty, 1, column).astype("int64"), empty)
    if kind == "boolean":
        check(("true", "false").__contains__, "is neither true nor false", text)
        words = np.array(cells, dtype=object)
        return pd.arrays.BooleanArray(words == "true", words == "")
    if kind == "date":
        check(_is_day, "is not YYYY-MM-DD", text)
    if "enum" in rules:
        check(rules["enum"].__contains__, f"is not one of {', '.join(rules['enum'])}", text)
    if "pattern" in rules:
        pattern = re.compile(rules["pattern"])
        check(lambda t: bool(pattern.fullmatch(t)), f"does not match {rules['pattern']}", text)
    return pd.array(cells, dtype="str")


def _number(cell: str) -> float:
    """The number that a cell states in plain digits; NaN where it states none."""
    try:
        return math.nan if "_" in cell else float(cell)
    except ValueError:
        return math.nan


def _is_day(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
