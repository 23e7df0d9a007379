"""Read a bill: usage and cost exports of sellers and gateways, one sniffing reader for all.

`read_usage` finds out which export a file is, and counts tokens by kind, model, service and day.

>>> log = b"start_time,end_time,num_model_requests,model,input_tokens,output_tokens,cost_usd\\n"
>>> log += b"1756684800,1756771200,18000,gpt-5-mini-2025-08-07,22000000,4000000,13.5\\n"
>>> bill = read_usage(log, name="usage.csv")
>>> f"{bill.list_usd:.2f} by the list, {bill.billed_usd:.2f} billed"
'13.50 by the list, 13.50 billed'
"""

from __future__ import annotations

import datetime
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from econ.catalog.documents import json_documents
from econ.catalog.guard import one_of, shown, unknown
from econ.catalog.reading import BadTable, CsvRows, Source, opened
from econ.catalog.units import DAY_S
from econ.tokens.flat import flat_records, may_hold_json, open_cells
from econ.tokens.trace_columns import MOST_COLUMNS, names_of
from econ.tokens.trace_rows import MOST_OTHER_RECORDS, check_size, parquet_records
from econ.tokens.usage_bill import COLUMNS, UsageBill, list_bill
from econ.tokens.usage_columns import PLAIN, columns_of_usage, form_of, is_benchmark
from econ.tokens.usage_lines import KINDS, Currencies, Key, Tally, check_rates

ENDINGS = (".csv", ".json", ".jsonl", ".ndjson", ".parquet")
LONGEST_NAME = 256  # characters of a model's name or of what was billed


def read_usage(
    *sources: Source,
    name: str | Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    usd_per: Currencies | None = None,
) -> UsageBill:
    """A bill from usage or cost exports, as sellers and gateways write them.

    Parameters
    ----------
    *sources : path or bytes
        One file, or a usage export and the cost export of the same days: CSV, JSON, JSON lines or
        Parquet, perhaps gzipped. OpenAI usage and costs, Anthropic usage and costs (console or
        API), OpenRouter activity, LiteLLM spend logs and daily spend, Langfuse observations and
        daily metrics (also with JSON in a cell), FOCUS columns, or plain columns of day, model and
        tokens.
    name : str or sequence of str, optional
        Names of uploads: their endings say what they are.
    columns : mapping, optional
        The file's names to ours: ``day``, ``model``, ``provider``, ``service``, ``n_requests``,
        ``input``, ``fresh``, ``read``, ``write``, ``write_1h``, ``output``, ``reasoning``, ``usd``.
    usd_per : mapping, optional
        What another currency is worth, e.g. ``{"EUR": 1.08}``.

    Returns
    -------
    UsageBill
        Tokens by kind, model, service and day, with what was billed and what the list says.

    Raises
    ------
    ValueError
        For a file that is no such export, with the columns it has; for a cell that is no number,
        with row and column; for a currency without a rate; for two files that both bill one day of
        a model.

    Notes
    -----
    List prices are those of `econ.catalog.price_now` on the day: with the price package of today's
    prices, else those of the dated table. What is billed by other rates than tokens (searches,
    storage, audio, taxes) is counted as billed and has no list price.

    Examples
    --------
    >>> log = b"created_at,model,tokens_prompt,tokens_completion,tokens_cached,cost_total\\n"
    >>> log += b"2026-03-02T10:01:02.5Z,qwen/qwen3-32b,812,320,512,0.00041\\n"
    >>> bill = read_usage(log, name="activity.csv")
    >>> bill.lines[["fresh_input_tokens", "cache_read_tokens", "billed_usd"]].iloc[0].tolist()
    [300.0, 512.0, 0.00041]
    """
    if not sources:
        raise ValueError("no file: give a usage export")
    names = [name] * len(sources) if name is None or isinstance(name, str) else list(name)
    if len(names) != len(sources):
        raise ValueError(f"name = {shown(name)} is outside its range: {len(sources)} names")
    rates = check_rates(dict(usd_per or {}))
    tallies = [
        _tally(source, known_as, dict(columns or {}), rates)
        for source, known_as in zip(sources, names, strict=True)
    ]
    lines = pd.concat([_frame(tally) for tally in _same_names(tallies)], ignore_index=True)
    _check_billed_once(lines, tallies)
    start = min(t.starts_s for t in tallies)
    end = max(t.ends_s for t in tallies)
    first = tallies[0]
    read = {
        "file": ", ".join(t.name for t in tallies),
        "format": ", ".join(dict.fromkeys(t.form.name for t in tallies)),
        "rows": sum(t.n_rows for t in tallies),
        "dropped": dict(sum((t.dropped for t in tallies[1:]), first.dropped)),
        "unknown_lengths": sum(t.n_unknown_lengths for t in tallies),
        "start": datetime.datetime.fromtimestamp(start, datetime.UTC).isoformat(),
        "end": datetime.datetime.fromtimestamp(end, datetime.UTC).isoformat(),
    }
    return UsageBill(
        lines.drop(columns="file").sort_values(list(Key._fields), ignore_index=True),
        _requests(first) if len(tallies) == 1 else _requests(None),
        end - start if end > start else DAY_S,
        read,
    )


def _tally(source: Source, name: str | None, stated: dict[str, str], rates: Currencies) -> Tally:
    """One file, row by row."""
    for ours in stated.values():
        one_of("column of a bill", ours, names_of("usage"))
    with opened(source, name, ENDINGS, remedy="take a part of the days") as (stream, known_as):
        tally = Tally(known_as, PLAIN, rates)
        by_keys: dict[tuple[str, ...], dict[str, str] | None] = {}
        seen: dict[str, None] = {}
        for number, record in _records(stream, known_as):
            keys = tuple(record)
            if keys not in by_keys:
                if len(keys) > MOST_COLUMNS:
                    raise BadTable(f"{known_as}: {len(keys):,} columns: keep those of a bill")
                _refuse_benchmark(keys, known_as)
                seen |= dict.fromkeys(keys[:100])
                form, places_now = form_of(keys), None
                places = columns_of_usage(keys, form, stated)
                money = "usd" in places and (form.is_cost or "model" in places)
                if "day" in places and (money or {"input", "fresh", "output"} & set(places)):
                    places_now, tally.form = places, form
                by_keys[keys] = places_now
            check_size(tally.n_rows + 1, known_as)
            if tally.n_rows > MOST_OTHER_RECORDS and not any(by_keys.values()):
                break
            if (columns := by_keys[keys]) is not None:
                tally.add(number, record, columns)
            else:
                tally.n_rows += 1
                tally.dropped["no day, tokens or cost"] += 1
    if missing := [theirs for theirs in stated if theirs not in seen]:
        raise unknown(f"column of {known_as}", missing[0], seen)
    if not any(by_keys.values()):
        has = ", ".join(key[:40] for key in list(seen)[:12]) or "nothing"
        raise BadTable(
            f"{known_as}: no usage or cost export: looked for a day, a model and tokens or a cost; "
            f"it has {has}. Say which they are with columns={{'…': 'day', '…': 'input'}}"
        )
    if not tally.sums:
        reasons = "; ".join(f"{n:,} {why}" for why, n in tally.dropped.items())
        raise BadTable(f"{known_as}: holds no row that was billed ({reasons or 'none at all'})")
    return tally


def _records(stream: BinaryIO, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Flat records of a file, each with its row."""
    ending = Path(name).suffix.lower()
    if ending not in (".csv", ".parquet"):
        yield from flat_records(json_documents(stream, name), name, LONGEST_NAME)
        return
    nested: list[str] | None = None
    for number, record in (_csv_records if ending == ".csv" else parquet_records)(stream, name):
        nested = may_hold_json(record) if nested is None else nested
        yield number, open_cells(record, nested, f"{name} row {number}", LONGEST_NAME)


def _csv_records(stream: BinaryIO, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = CsvRows(stream, name)
    _refuse_benchmark(rows.head, name)
    if twice := [c for c, n in Counter(rows.head).items() if n > 1]:
        raise BadTable(f"{name}: column {twice[0][:40]} is there twice: keep one")
    for start, piece in rows:
        for number, cells in enumerate(piece, start):
            yield number, dict(zip(rows.head, cells, strict=True))


def _refuse_benchmark(keys: Sequence[str], name: str) -> None:
    if is_benchmark(keys):
        raise BadTable(f"{name}: this is a benchmark: econ.latency.read_bench")


def _frame(tally: Tally) -> pd.DataFrame:
    """The lines of one file, with their list prices."""
    rows = []
    for key, sums in tally.sums.items():
        tokens = {f"{kind}_tokens": sums[kind] for kind in KINDS}
        row = {**key._asdict(), "n_requests": sums["n_requests"], **tokens}
        row["billed_usd"] = sums["usd"] if sums["n_usd"] else math.nan
        rows.append(row | {"audio_tokens": sums["audio"], "file": tally.name})
    frame = pd.DataFrame(rows)
    bills = [list_bill(line) for line in frame.itertuples(index=False)]
    frame["list_usd"] = [bill.total_usd if bill else math.nan for bill, _ in bills]
    frame["reason"] = [reason for _, reason in bills]
    return frame[[*COLUMNS, "file"]]


def _same_names(tallies: Sequence[Tally]) -> Sequence[Tally]:
    """Costs under the names of the usage export, where a cost export writes titles.

    ``Claude Sonnet 4.5`` in one is ``claude-sonnet-4-5-20250929`` in the other.
    """
    counted = {key.model for t in tallies for key in t.sums if not t.form.is_cost}
    by_title: dict[str, set[str]] = {}
    for model in counted:
        by_title.setdefault(_plain_name(model), set()).add(model)
    for tally in tallies:
        for key in [k for k in tally.sums if k.model not in counted]:
            if len(names := by_title.get(_plain_name(key.model), set())) == 1:
                here = key._replace(model=next(iter(names)))
                sums = tally.sums.setdefault(here, defaultdict(float))
                for column, value in tally.sums.pop(key).items():
                    sums[column] += value
    return tallies


def _plain_name(model: str) -> str:
    """A model's name without its date, case and marks."""
    return re.sub(r"\W", "", re.sub(r"\W20\d\d-?\d\d-?\d\d$", "", model.lower()))


def _check_billed_once(lines: pd.DataFrame, tallies: Sequence[Tally]) -> None:
    """Refuse files that both give money, or both give tokens, for one day of a model."""
    if len(tallies) < 2:
        return
    for what, column in (("bill", "billed_usd"), ("count", "output_tokens")):
        here = lines[lines[column] > 0].groupby(["day", "model"])["file"].unique()
        if len(twice := here[here.map(len) > 1]):
            day, model = twice.index[0]
            files = " and ".join(twice.iloc[0])
            raise ValueError(f"{files} both {what} {model} on {day}: give each day once")


def _requests(tally: Tally | None) -> pd.DataFrame:
    """Single requests in order of arrival."""
    names = ["arrival_s", "input_tokens", "output_tokens", "cached_tokens", "model"]
    if tally is None or not len(tally.requests["at_s"]):
        return pd.DataFrame(columns=names)
    values = [np.array(column) for column in tally.requests.values()]
    models = np.array(list(tally.models), dtype=object)
    frame = pd.DataFrame(dict(zip(names, values, strict=True)))
    frame["arrival_s"] -= frame["arrival_s"].min()
    frame["model"] = models[values[-1].astype(int)]
    frame[names[1:4]] = frame[names[1:4]].astype("int64")
    return frame.sort_values("arrival_s", kind="stable", ignore_index=True)
