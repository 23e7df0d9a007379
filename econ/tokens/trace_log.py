"""From the cells of a log to numbers: tokens, moments, rows that are no requests, and sums.

A row that is a failed or empty request is dropped and counted with its reason; a cell that is
neither a number nor empty is an error with row and column. Files with our own names are taken at
their word: there an empty or zero cell is an error too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from econ.catalog.reading import BadTable
from econ.tokens.clock import (
    PER_S,
    Clock,
    moments_of,
    numbers_of,
    seconds_from_start,
    stated_unit,
    unit_of,
)
from econ.tokens.trace_columns import N_REQUESTS, OPTIONAL, SHOWN, TRACE_COLUMNS
from econ.tokens.trace_rows import Rows, check_size

Numbers = npt.NDArray[Any]
FAILED = ("failure", "failed", "error", "false", "0", "500", "cancelled", "timeout")
STRETCHES_S = (60, 300, 600, 900, 1800, 3600, 21_600, 43_200, 86_400, 604_800)


@dataclass
class Log:
    """Numbers of a log; arrivals are as the file has them until `clock` makes them seconds."""

    frame: pd.DataFrame
    times: dict[str, Numbers]  # arrival_s and perhaps end
    zone: str  # of moments; empty for numbers
    is_plain: bool  # own names: nothing is dropped or sorted
    form: str
    unit: str | None
    columns: dict[str, str]
    n_rows: int
    n_dropped: dict[str, int] = field(default_factory=dict)

    def clock(self, name: str, unit: str | None) -> Clock:
        """What the clock counts; the frame's arrivals become seconds."""
        column = self.columns["arrival_s"]
        arrival = self.times["arrival_s"]
        if self.zone:
            if unit is not None:
                raise BadTable(
                    f"{name}, column {column}: holds moments, not numbers: leave out unit={unit!r}"
                )
            clock = Clock("moments", "ISO 8601 or the file's own type of time")
            self._set(seconds_from_start(arrival, PER_S["ns"]) if len(arrival) else arrival, 1)
        elif len(arrival):
            stated = stated_unit(column) if column != "arrival_s" else None
            known = self.unit or (stated if stated != "s" else None)
            clock = unit_of(arrival, name, column, unit, known=known)
            keep = self.is_plain and clock.unit == "s" and not clock.since_1970 and unit is None
            per_s = PER_S[clock.unit]
            self._set(arrival.astype(float) if keep else seconds_from_start(arrival, per_s), per_s)
        else:
            clock = Clock(unit or "s", "no rows")
        self._refuse_sums(name, unit)
        return clock

    def _set(self, arrival_s: Numbers, per_s: int) -> None:
        """Arrivals in seconds, and how long the stretch is that a row sums."""
        self.frame["arrival_s"] = arrival_s
        if "end" in self.times and len(arrival_s):
            per_s = PER_S["ns"] if self.zone else per_s
            self.frame["stretch_s"] = (self.times["end"] - self.times["arrival_s"]) / per_s

    def _refuse_sums(self, name: str, unit: str | None) -> None:
        """Refuse rows that sum a stretch of time without saying how many requests it had."""
        if N_REQUESTS in self.frame or unit is not None or len(self.frame) < 2:
            return
        stretch = self.frame.get("stretch_s")
        starts = np.unique(self.frame["arrival_s"].to_numpy())
        gaps = np.diff(starts)
        even = len(gaps) > 3 and gaps.min() == gaps.max() and bool(self.zone or self.unit is None)
        of_clock = even and gaps[0] in STRETCHES_S
        if stretch is not None and set(stretch) <= set(STRETCHES_S):
            length = float(stretch.iloc[0])
        elif of_clock and len(starts) > 3 and not self.is_plain:
            length = float(gaps[0])
        else:
            return
        raise BadTable(
            f"{name}: each row covers {length:,.0f} s: a sum of requests, not a request. Add a "
            f"column {N_REQUESTS}, or name it with columns={{'…': {N_REQUESTS!r}}}"
        )


def parsed(rows: Rows, name: str) -> Log:
    """One piece of a log as numbers; rows that are no requests are dropped and counted."""
    cells, columns = rows.cells, rows.columns
    n_rows, n_other = len(cells), int(cells.attrs.get("n_other", 0))
    is_plain = all(columns[c] == c for c in TRACE_COLUMNS) and rows.form == "plain columns"
    dropped: Counter[str] = Counter()
    if n_other:
        dropped["no tokens (not a request)"] = n_other
    number, keep = rows.number, np.ones(n_rows, dtype=bool)

    def drop(bad: Numbers, why: str) -> None:
        nonlocal keep
        if n := int((bad & keep).sum()):
            dropped[why] += n
            keep = keep & ~bad

    if not is_plain:
        drop(_blank(cells["output_tokens"]), "no output tokens")
        drop(_blank(cells["input_tokens"]), "no input tokens")
        drop(_blank(cells["arrival_s"]), "no time")
        if "status" in cells:
            drop(_lower(cells["status"]).isin(FAILED).to_numpy(), "a failed call")
        if "cache_hit" in cells:
            hit = (_lower(cells["cache_hit"]) == "true").to_numpy()
            drop(hit, "an answer from the gateway's cache")
        cells, number = cells[keep], number[keep]
        keep = np.ones(len(cells), dtype=bool)
    out: dict[str, Numbers] = {}
    for target in (*TRACE_COLUMNS[1:], OPTIONAL, N_REQUESTS, "written"):
        if target in cells:
            column = cells[target]
            if target in (OPTIONAL, "written") or (target == N_REQUESTS and not is_plain):
                column = column.mask(_blank(column), "0")
            out[target] = _tokens(column, number, name, columns[target])
    if "written" in out:  # Anthropic counts what is read from and written to a cache apart
        out["input_tokens"] = out["input_tokens"] + out.pop("written") + out.get(OPTIONAL, 0)
    if OPTIONAL in out and (over := out[OPTIONAL] > out["input_tokens"]).any() and not is_plain:
        row = int(np.argmax(over))
        raise BadTable(
            f"{name} row {number[row]}, column {columns[OPTIONAL]}: {out[OPTIONAL][row]:g} is more "
            "than the prompt has"
        )
    if not is_plain:
        drop(out["output_tokens"] == 0, "no output tokens")
        drop(out["input_tokens"] == 0, "no input tokens")
        if N_REQUESTS in out:
            drop(out[N_REQUESTS] == 0, "no requests")
    times, zone = {}, ""
    for target in ("arrival_s", *(["end"] if "end" in cells and N_REQUESTS in out else [])):
        times[target], zone = _times(cells[target], number, name, columns[target])
        times[target] = times[target][keep]
    frame = pd.DataFrame({c: v[keep] for c, v in out.items()})
    return Log(frame, times, zone, is_plain, rows.form, rows.unit, columns, n_rows + n_other,
               dict(dropped))  # fmt: skip


def joined(pieces: list[Log], name: str) -> Log:
    """The pieces of a log as one."""
    first = pieces[0]
    filled = [p for p in pieces if len(p.frame)] or [first]
    if len({p.zone for p in filled}) > 1:
        raise BadTable(
            f"{name}, column {first.columns['arrival_s']}: holds numbers and moments, or moments "
            "with a zone and without: write one kind"
        )
    dropped: Counter[str] = Counter()
    for piece in pieces:
        dropped.update(piece.n_dropped)
    times = {k: np.concatenate([p.times[k] for p in filled]) for k in first.times}
    frame = pd.concat([p.frame for p in filled], ignore_index=True)
    return Log(frame, times, filled[0].zone, first.is_plain, first.form, first.unit,
               first.columns, sum(p.n_rows for p in pieces), dict(dropped))  # fmt: skip


def _blank(cells: pd.Series) -> Numbers:
    text = cells.astype(str).str.strip().str.lower()
    blank = cells.isna() | text.isin(("", "none", "null", "nan", "n/a"))
    return np.asarray(blank, dtype=bool)


def _lower(cells: pd.Series) -> pd.Series:
    return cells.astype(str).str.strip().str.lower()


def _tokens(cells: pd.Series, number: Numbers, name: str, column: str) -> Numbers:
    """Counts as numbers; the first cell that is none is named."""
    values: Numbers = pd.to_numeric(cells, errors="coerce").to_numpy("float64")
    bad = ~np.isfinite(values)
    if bad.any():
        raise _bad_cell(cells, number, int(np.argmax(bad)), name, column)
    if column in (*TRACE_COLUMNS, OPTIONAL):
        return values  # `check_trace` says the rest
    for bad, what in ((values < 0, "is below 0"), (values % 1 != 0, "is not a whole number")):
        if bad.any():
            row = int(np.argmax(bad))
            raise BadTable(f"{name} row {number[row]}, column {column}: {values[row]:g} {what}")
    return values


def _times(cells: pd.Series, number: Numbers, name: str, column: str) -> tuple[Numbers, str]:
    """A clock's numbers, or moments in ns from 1970 and their zone."""
    if pd.api.types.is_datetime64_any_dtype(cells) or cells.dtype.kind == "m":
        zone = "UTC" if getattr(cells.dt, "tz", None) else "not stated"
        ns = cells.dt.as_unit("ns")
        if ns.isna().any():
            raise _bad_cell(cells, number, int(np.argmax(ns.isna())), name, column)
        return ns.astype("int64").to_numpy(), zone
    values = numbers_of(cells)
    if values is not None:
        bad = ~np.isfinite(values)
        if bad.any():
            raise _bad_cell(cells, number, int(np.argmax(bad)), name, column)
        return values, ""
    numeric = np.isfinite(pd.to_numeric(cells, errors="coerce").to_numpy("float64"))
    if numeric.any():  # numbers and others: the rarer kind is the odd one
        odd = ~numeric if numeric.mean() >= 0.5 else numeric
        raise _bad_cell(cells, number, int(np.argmax(odd)), name, column)
    moments = moments_of(cells)
    if isinstance(moments, str):
        raise BadTable(f"{name}, column {column}: {moments}")
    if isinstance(moments, int):
        raise _bad_cell(cells, number, moments, name, column)
    return moments[0], "UTC" if moments[1] else "not stated"


def _bad_cell(cells: pd.Series, number: Numbers, row: int, name: str, column: str) -> BadTable:
    cell = str(cells.iloc[row])
    text = repr(cell[:SHOWN]) + ("…" if len(cell) > SHOWN else "")
    if cell.strip()[:1] in ("=", "+", "@"):
        what = "is a formula, not a number: save its value"
    elif "arrival" in column or "time" in column.lower() or column in ("ts", "created"):
        what = "is not a finite number: give seconds since the start, or ISO 8601 moments"
    else:
        what = "is not a finite number: give a count of tokens"
    return BadTable(f"{name} row {number[row]}, column {column}: {text} {what}")


def requests_of(log: Log, name: str) -> pd.DataFrame:
    """Rows that sum a stretch of time as that many requests of the mean lengths.

    The sums are kept: of 22 requests with 24,000 tokens, 20 have 1,091 and 2 have 1,090. Moments
    are drawn evenly over the stretch, as those of a Poisson process are, given their number.
    """
    frame = log.frame
    n = frame[N_REQUESTS].to_numpy()
    check_size(float(n.sum()), name, "requests")
    counts = n.astype(np.intp)
    start = frame["arrival_s"].to_numpy(dtype=float)
    if "stretch_s" in frame:
        stretch = frame["stretch_s"].to_numpy(dtype=float)
    else:
        gaps = np.diff(np.unique(start))
        if not len(gaps):
            raise BadTable(f"{name}: one stretch of time without its end: add a column end_time")
        stretch = np.full(len(start), gaps.min())
    if (stretch <= 0).any():
        row = int(np.argmax(stretch <= 0))
        raise BadTable(f"{name} row {row + 1}: ends before it starts")
    which = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    rng = np.random.default_rng(0)
    out = {"arrival_s": start[which] + stretch[which] * rng.random(len(which))}
    for column in (c for c in (*TRACE_COLUMNS[1:], OPTIONAL) if c in frame):
        total = frame[column].to_numpy(dtype=np.int64)
        each, rest = np.divmod(total, counts)
        out[column] = each[which] + (place < rest[which])
    requests = pd.DataFrame(out)
    empty = (requests[TRACE_COLUMNS[1:]] < 1).any(axis=1)
    if empty.any():
        log.n_dropped["less than one token, as the sums say"] = int(empty.sum())
    return requests[~empty].sort_values("arrival_s", kind="stable", ignore_index=True)
