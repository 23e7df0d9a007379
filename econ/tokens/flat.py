"""Flat records of what is nested: pages of results, spans, JSON within a cell of a table.

What stands around a list goes into each of its records, so that a bucket's day is in its results.

>>> page = {"data": [{"date": "2026-03-01", "results": [{"model": "m", "usage": {"input": 5}}]}]}
>>> [record for _, record in flat_records([(1, page)], "page.json")]
[{'date': '2026-03-01', 'model': 'm', 'usage.input': 5}]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from econ.catalog.documents import strict_json
from econ.catalog.reading import BadTable

DEEPEST = 8
LONGEST_TEXT = 64  # characters of a cell in JSON that may be a moment, a number or a name
SHORT = 40  # characters of what is no record
LISTS = ("resourceSpans", "scopeSpans", "spans", "data", "results", "records", "rows", "requests",
         "observations", "items", "usage")  # fmt: skip
CELLS = ("usage", "cost", "metadata", "details", "amount")  # of tables that may hold JSON
Documents = Iterable[tuple[int, Any]]  # each with its place in the file
ARRAYS = ("start_times", "input_lens", "output_lens")


def flat_records(
    documents: Documents, name: str, n_characters: int = LONGEST_TEXT
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Flat records of documents, each with its document's place, without text that is longer.

    Raises
    ------
    BadTable
        For a document that is no object, or lists of one quantity each of different lengths.
    """
    for place, document in documents:
        if not isinstance(document, dict):
            raise BadTable(f"{name} row {place}: expected an object, not {str(document)[:SHORT]!r}")
        for record in _opened(document, {}, DEEPEST, name, n_characters):
            yield place, record


def _opened(
    document: dict[str, Any], around: dict[str, Any], n_levels: int, name: str, n_characters: int
) -> Iterator[dict[str, Any]]:
    inner = [document[k] for k in LISTS if isinstance(document.get(k), list)]
    inner = [items for items in inner if items and isinstance(items[0], dict)]
    if inner and n_levels:
        flat = around | {k: v for k, v in document.items() if isinstance(v, str | int | float)}
        for items in inner:
            for item in items:
                if isinstance(item, dict):
                    yield from _opened(item, flat, n_levels - 1, name, n_characters)
        return
    parts = document.get("breakdown")
    parts = parts.get("models") if isinstance(parts, dict) else None
    if isinstance(parts, dict):  # LiteLLM's days: sums of each model under its name
        flat = around | {k: v for k, v in document.items() if isinstance(v, str | int | float)}
        for model, sums in parts.items():
            record = flat | {"model": model}
            sums = sums.get("metrics", sums) if isinstance(sums, dict) else {}
            flatten(sums, "", record, DEEPEST, n_characters)
            yield record
        return
    lists = {k: document.get(k) for k in ARRAYS}
    if all(isinstance(v, list) for v in lists.values()):  # one list a quantity
        n = min(len(v) for v in lists.values() if v is not None)
        if any(len(v) != n for v in lists.values() if v is not None):
            raise BadTable(f"{name}: lists of different lengths: {', '.join(lists)}")
        for i in range(n):
            yield {k: v[i] for k, v in lists.items() if v is not None}
        return
    record = dict(around)
    flatten(document, "", record, DEEPEST, n_characters)
    yield record


def flatten(
    value: Any,
    path: str,
    into: dict[str, Any],
    n_levels: int = DEEPEST,
    n_characters: int = LONGEST_TEXT,
) -> None:
    """The numbers and short texts within ``value`` under their paths, e.g. ``usage.input``."""
    if isinstance(value, dict) and n_levels:
        for key, inner in value.items():
            flatten(inner, f"{path}.{key}" if path else str(key), into, n_levels - 1, n_characters)
    elif isinstance(value, list):
        if path.endswith(("attributes", "tags")):  # OTLP, Jaeger: a list of key and value
            for pair in value:
                inside = pair.get("value") if isinstance(pair, dict) else None
                if isinstance(inside, dict):
                    inside = next(iter(inside.values()), None)
                if inside is not None:
                    flatten(inside, f"{path}.{pair.get('key')}", into, n_levels - 1, n_characters)
        elif path.endswith("hash_ids"):
            into[path] = "…"  # only that it is there
    elif isinstance(value, bool):
        into[path] = str(value)
    elif isinstance(value, int | float) or (isinstance(value, str) and len(value) <= n_characters):
        into[path] = value


def may_hold_json(columns: Iterable[str]) -> list[str]:
    """The columns of a table into which some exports write objects as JSON.

    >>> may_hold_json(["model", "usageDetails"])
    ['usageDetails']
    """
    return [c for c in columns if any(word in c.lower() for word in CELLS)]


def open_cells(
    record: dict[str, Any], columns: Iterable[str], where: str, n_characters: int = LONGEST_TEXT
) -> dict[str, Any]:
    """A row of a table with the objects in its cells under their paths.

    >>> open_cells({"model": "m", "usageDetails": '{"input": 5}'}, ["usageDetails"], "row 1")
    {'model': 'm', 'usageDetails': '{"input": 5}', 'usageDetails.input': 5}
    """
    for column in columns:
        cell = record.get(column)
        if isinstance(cell, str) and cell.startswith("{") and cell != "{}":
            inside = strict_json(cell, f"{where}, column {column[:SHORT]}")
            flatten(inside, column, record, n_characters=n_characters)
    return record
