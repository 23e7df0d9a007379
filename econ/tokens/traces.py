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

Real load: public production traces, fetched once from their home and checked.

``data/tokens/traces.csv`` holds their address, checksum and statistics; the rows themselves stay at
their source. A trace of your own is read by `econ.tokens.read_trace`.

>>> traces_frame().loc["azure-code", "gap_cv"]      # Poisson would be 1
np.float64(13.15)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from econ.catalog.guard import not_negative, positive, shown, unknown
from econ.catalog.reading import BadTable, Source, opened, read_columns
from econ.catalog.tables import row_of, table
from econ.tokens.clock import UNITS
from econ.tokens.trace_columns import N_REQUESTS, OPTIONAL, SHOWN, TRACE_COLUMNS
from econ.tokens.trace_log import Log, joined, parsed, requests_of
from econ.tokens.trace_rows import check_size, rows_of

MAX_TOKENS = 100_000_000
ENDINGS = (".csv", ".json", ".jsonl", ".ndjson", ".log", ".parquet")


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
            text = repr(value)
            text = text if len(text) <= SHOWN else text[:SHOWN] + "…"
            raise ValueError(f"{name} row {row + 1}, column {column}: {text} {what}")

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
    """A trace from a log, as engines, gateways and usage exports write it.

    Parameters
    ----------
    source : path or bytes
        The file, or what an upload holds: CSV, JSON, JSON lines or Parquet, perhaps gzipped. Azure
        2023 and 2024, BurstGPT, Mooncake, vLLM and SGLang request logs, OpenTelemetry GenAI spans,
        LiteLLM spend logs, OpenRouter activity, OpenAI usage exports, Langfuse, plain columns.
    name : str, optional
        Name of an upload: its ending says its kind.
    unit : str, optional
        Of a clock of numbers: ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``. Where it is left out, the
        unit is read from the clock, and asked for where it is in doubt.
    columns : mapping, optional
        The file's names to those here, e.g. ``{"when": "arrival_s"}``.

    Returns
    -------
    DataFrame
        ``arrival_s``, ``input_tokens``, ``output_tokens``, and ``cached_tokens`` where it is there.
        ``.attrs["read"]`` says what was understood; `describe_trace` says it in a sentence.

    Raises
    ------
    ValueError
        For what is no trace: the first bad row and column, and what to do. For a clock in doubt or
        one that contradicts ``unit``: the likely unit.
    ImportError
        For Parquet without pyarrow.

    Notes
    -----
    Rows that sum a stretch of time (``num_model_requests`` of a usage export) become that many
    requests of the row's mean lengths, at random moments within the stretch (a Poisson process,
    given its count); the draw is the same each time.

    Examples
    --------
    >>> log = b"created_at,tokens_prompt,tokens_completion\\n2026-03-02 10:01:02.5,812,320\\n"
    >>> trace = read_trace(log + b"2026-03-02 10:01:03,912,0\\n", name="activity.csv")
    >>> trace.to_numpy().tolist(), trace.attrs["read"]["dropped"]
    ([[0.0, 812.0, 320.0]], {'no output tokens': 1})
    """
    if unit is not None and unit not in UNITS:
        raise unknown("unit of arrivals", unit, UNITS)
    keep = f"keep {', '.join(TRACE_COLUMNS)}, or save as Parquet, or take part of the day"
    with opened(source, name, ENDINGS, remedy=keep) as (stream, known_as):
        pieces = [parsed(rows, known_as) for rows in rows_of(stream, known_as, columns or {})]
    if not pieces:
        raise BadTable(f"{known_as}: holds no rows")
    log = joined(pieces, known_as)
    return _finished(log, known_as, unit)


def _finished(log: Log, name: str, unit: str | None) -> pd.DataFrame:
    """Seconds from the start, in order, with what was understood."""
    frame, clock = log.frame, log.clock(name, unit)
    if frame.empty:
        reasons = "; ".join(f"{n:,} {why}" for why, n in log.n_dropped.items())
        raise BadTable(f"{name}: holds no rows that are requests ({reasons or 'none at all'})")
    if N_REQUESTS in frame:
        frame = requests_of(log, name)
        check_size(len(frame), name, "requests")
    if not log.is_plain and not frame["arrival_s"].is_monotonic_increasing:
        frame = frame.sort_values("arrival_s", kind="stable", ignore_index=True)
    names = [*TRACE_COLUMNS, *([OPTIONAL] if OPTIONAL in frame else [])]
    try:
        trace = check_trace(frame[names], name)
    except ValueError as error:
        raise BadTable(str(error)) from None
    span_s = float(trace["arrival_s"].iloc[-1] - trace["arrival_s"].iloc[0])
    trace.attrs["read"] = {
        "file": name,
        "format": log.form,
        "rows": log.n_rows,
        "requests": len(trace),
        "dropped": log.n_dropped,
        "unit": clock.unit,
        "zone": log.zone,
        "why": clock.why,
        "duration_s": span_s,
        "rate_per_s": (len(trace) - 1) / span_s if span_s else None,
        "buckets": N_REQUESTS in log.frame,
        "columns": log.columns,
    }
    return trace


def describe_trace(trace: pd.DataFrame) -> str:
    """What `read_trace` understood, in a sentence.

    >>> log = b"timestamp_ms,prompt_tokens,completion_tokens\\n0,10,5\\n500,10,5\\n"
    >>> describe_trace(read_trace(log, name="log.csv"))
    "log.csv: plain columns, 2 rows, 2 requests in 0.5 s (2 per second); clock in ms (as the \
format or the column's name says)"
    """
    read = trace.attrs.get("read")
    if not read:
        return f"{len(trace):,} requests"
    rate = read["rate_per_s"]
    text = (
        f"{read['file']}: {read['format']}, {read['rows']:,} rows, {read['requests']:,} requests "
        f"in {read['duration_s']:,.6g} s" + (f" ({rate:.3g} per second)" if rate else "")
    )
    text += f"; clock in {read['unit']} ({read['why']})"
    if read["zone"]:
        text += f", zone {read['zone']}"
    if read["buckets"]:
        text += "; each row sums a stretch of time: mean lengths, moments drawn at random within it"
    if read["dropped"]:
        dropped = ", ".join(f"{n:,} with {why}" for why, n in read["dropped"].items())
        text += f"; dropped: {dropped}"
    return text


AZURE_COLUMNS = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
STATISTICS = (0.5, 0.95, 0.99)


def traces_frame() -> pd.DataFrame:
    """The traces that can be fetched, and what they look like."""
    return table("traces")


def fetch_trace(id: str, folder: str | Path | None = None) -> pd.DataFrame:
    """A public trace, downloaded once (needs pooch and a network).

    Parameters
    ----------
    id : str
        A row of `traces_frame`, e.g. ``"azure-conv"``.
    folder : path, optional
        Where the file is kept; the user's cache by default.

    Returns
    -------
    DataFrame
        ``arrival_s``, ``input_tokens``, ``output_tokens``.

    Raises
    ------
    UnknownName
        For an unknown trace.
    ValueError
        For a file that does not match its checksum.
    """
    row = row_of("traces", id, "trace")
    import pooch

    where = folder if folder is not None else pooch.os_cache("inference-economics")
    file = pooch.retrieve(
        row.url, known_hash=f"sha256:{row.sha256}", fname=row.url.rsplit("/", 1)[1], path=where
    )
    return read_azure(file)


def read_azure(path: str | Path) -> pd.DataFrame:
    """A file of the Azure LLM inference trace 2023 in this project's columns.

    Arrival counts from the first request. Requests with the same timestamp keep the file's order.
    """
    raw = read_columns(path, AZURE_COLUMNS)
    at = pd.to_datetime(raw["TIMESTAMP"], format="ISO8601")
    frame = pd.DataFrame(
        {
            "arrival_s": (at - at.iloc[0]) / pd.Timedelta(seconds=1),
            "input_tokens": raw["ContextTokens"],
            "output_tokens": raw["GeneratedTokens"],
        }
    )
    return check_trace(frame.sort_values("arrival_s", kind="stable"), Path(path).name)


def trace_statistics(trace: pd.DataFrame) -> dict[str, float]:
    """Count, rate, burstiness and lengths of a trace: the columns of ``data/tokens/traces.csv``.

    >>> even = pd.DataFrame({"arrival_s": [0, 1, 2], "input_tokens": 9, "output_tokens": 5})
    >>> {k: v for k, v in trace_statistics(even).items() if k in ("rate_per_s", "gap_cv")}
    {'rate_per_s': 1.0, 'gap_cv': 0.0}
    """
    trace = check_trace(trace)
    gaps = np.diff(trace["arrival_s"])
    positive("the time from the first arrival to the last", float(gaps.sum()))
    statistics = {
        "n_requests": len(trace),
        "duration_s": float(gaps.sum()),
        "rate_per_s": float(1 / gaps.mean()),
        "gap_cv": float(gaps.std() / gaps.mean()),
    }
    for name in ("input_tokens", "output_tokens"):
        statistics[f"mean_{name}"] = float(trace[name].mean())
        for q in STATISTICS:
            statistics[f"p{round(q * 100)}_{name}"] = float(trace[name].quantile(q))
    return statistics
