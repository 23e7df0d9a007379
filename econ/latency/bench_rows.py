"""Benchmark rows of your own, as the tools write them: vLLM, SGLang, AIPerf, GuideLLM.

One row a run: mean lengths, requests in flight, mean TTFT and TPOT, throughput. The tools name
things differently, and one name means two things: GuideLLM's *time per output token* counts the
first token in, so its *inter token latency* is read instead; with AIPerf that name is a mean per
request, as TPOT is here, and vLLM's *ITL* is a mean over tokens, so its *TPOT* is read.

``concurrency`` is the mean number of requests in flight, from Little's law: completed requests per
second × mean time in system. A cap or a requested rate, where there is one, is kept beside it.
"""

from __future__ import annotations

import csv
import io
import math
from collections import deque
from collections.abc import Iterator
from typing import Any

import pandas as pd

from econ.catalog.guard import UnknownName, unknown
from econ.catalog.reading import Source, decoded, opened, read_documents
from econ.catalog.units import MICRO, MILLI, NANO
from econ.latency.steps import answer_s

SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), MILLI),
    **dict.fromkeys(("us", "µs", "microsecond", "microseconds"), MICRO),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), NANO),
}
COLUMNS = ["tool", "model_name", "n_requests", "input_tokens", "output_tokens", "concurrency",
           "limit_concurrency", "rate_per_s", "requests_per_s", "output_tokens_per_s", "ttft_s",
           "tpot_s"]  # fmt: skip
TIMES = ("time_to_first_token", "inter_token_latency")  # what AIPerf gives with a unit of time
TOOLS = ("vllm", "aiperf", "guidellm")


def read_bench(source: Source, name: str | None = None) -> pd.DataFrame:
    """The runs in a result file of a benchmark tool; its keys show which tool wrote it.

    Parameters
    ----------
    source : path or bytes
        vLLM ``bench serve`` and SGLang ``bench_serving``: JSON, JSON lines, or a CSV of the same
        keys. AIPerf (and GenAI-Perf): ``profile_export_aiperf.json`` or ``.csv``. GuideLLM:
        ``benchmarks.json`` or ``.csv``.
    name : str, optional
        Name of an upload: its ending says what it is.

    Returns
    -------
    DataFrame
        One row a run: `COLUMNS`, in seconds and tokens.

    Raises
    ------
    ValueError
        With file, run and key, for a file of another tool or a run without its times.
    """
    endings = (".json", ".jsonl", ".csv", ".txt")
    remedy = "write it without the single requests"
    with opened(source, name, endings, remedy=remedy) as (stream, known_as):
        name, data = known_as, stream.read()
    is_csv = name.lower().endswith(".csv")
    try:
        found = list(
            _from_csv(decoded(data, name), name)
            if is_csv
            else _from_documents(read_documents(data, name, endings), name)
        )
    except UnknownName as error:
        raise ValueError(f"{name}: {error}") from None
    if not found:
        raise ValueError(f"{name}: holds no run")
    return pd.DataFrame([_checked(run, i, name) for i, run in enumerate(found, 1)], columns=COLUMNS)


def _from_documents(docs: list[Any], name: str) -> Iterator[dict[str, Any]]:
    for number, doc in enumerate(docs, 1):
        if not isinstance(doc, dict):
            raise ValueError(f"{name} run {number}: expected an object, not {str(doc)[:40]!r}")
        if "benchmarks" in doc:
            runs = doc["benchmarks"]
            yield from (_guidellm(run) for run in (runs if isinstance(runs, list) else []))
        elif isinstance(doc.get("time_to_first_token"), dict):
            yield _aiperf(doc)
        elif "mean_ttft_ms" in doc:
            yield _vllm(doc)
        else:
            keys = ", ".join(str(k)[:30] for k in list(doc)[:8]) or "none"
            raise ValueError(
                f"{name} run {number}: written by none of {', '.join(TOOLS)}: it has the keys "
                f"{keys}; looked for mean_ttft_ms, time_to_first_token or benchmarks"
            )


def _vllm(doc: dict[str, Any]) -> dict[str, Any]:
    n, rate = _number(doc.get("completed")), _number(doc.get("request_rate"))
    return {
        "tool": "vllm",
        "model_name": str(doc.get("model_id") or doc.get("model") or ""),
        "n_requests": n,
        "input_tokens": _over(doc.get("total_input_tokens"), n),
        "output_tokens": _over(doc.get("total_output_tokens"), n),
        "limit_concurrency": _number(doc.get("max_concurrency")),
        "rate_per_s": rate if math.isfinite(rate) else math.nan,
        "requests_per_s": _number(doc.get("request_throughput")),
        "output_tokens_per_s": _number(doc.get("output_throughput")),
        "ttft_s": _number(doc.get("mean_ttft_ms")) * MILLI,
        "tpot_s": _number(doc.get("mean_tpot_ms")) * MILLI,
    }


def _aiperf(doc: dict[str, Any]) -> dict[str, Any]:
    def mean(key: str) -> float:
        metric = _object(doc.get(key))
        value = _number(metric.get("avg"))
        timed = key in TIMES and not math.isnan(value)  # what is missing is told as such
        return value * _unit_s(metric.get("unit"), key) if timed else value

    phases = _deep(doc.get("input_config"), "phases")
    named = [p for p in phases if isinstance(p, dict)] if isinstance(phases, list) else []
    load = next((p for p in named if "warm" not in str(p.get("name"))), {})
    old = _object(_deep(doc.get("input_config"), "loadgen"))  # before the phases there was this
    models = _deep(doc.get("input_config"), "models", "model_names", "items", "model")
    return {
        "tool": "aiperf",
        "model_name": _first_name(models),
        "n_requests": mean("request_count"),
        "input_tokens": mean("input_sequence_length"),
        "output_tokens": mean("output_sequence_length"),
        "limit_concurrency": _number(load.get("concurrency", old.get("concurrency"))),
        "rate_per_s": _number(load.get("rate", old.get("request_rate"))),
        "requests_per_s": mean("request_throughput"),
        "output_tokens_per_s": mean("output_token_throughput"),
        "ttft_s": mean("time_to_first_token"),
        "tpot_s": mean("inter_token_latency"),
    }


def _guidellm(run: Any) -> dict[str, Any]:
    metrics = _object(_object(run).get("metrics"))

    def mean(key: str) -> float:
        return _number(_deep(_deep(metrics, key), "successful", inner="mean"))

    strategy, totals = _object(_deep(run, "strategy")), _object(metrics.get("request_totals"))
    return {
        "tool": "guidellm",
        "model_name": _first_name(_deep(run, "backend", inner="model")),
        "n_requests": _number(totals.get("successful")),
        "input_tokens": mean("prompt_token_count"),
        "output_tokens": mean("output_token_count"),
        "limit_concurrency": _number(strategy.get("streams", strategy.get("max_concurrency"))),
        "rate_per_s": _number(strategy.get("rate")),
        "requests_per_s": mean("requests_per_second"),
        "output_tokens_per_s": mean("output_tokens_per_second"),
        "ttft_s": mean("time_to_first_token_ms") * MILLI,
        "tpot_s": mean("inter_token_latency_ms") * MILLI,
    }


# a column of GuideLLM's CSV (group, status and unit, statistic) -> what it is here, and its unit
GUIDELLM_CSV = {
    ("Request Counts", "Successful", ""): ("n_requests", 1.0),
    ("Token Metrics", "Successful Input Tokens", "Mean"): ("input_tokens", 1.0),
    ("Token Metrics", "Successful Output Tokens", "Mean"): ("output_tokens", 1.0),
    ("Server Throughput", "Successful Requests/Sec", "Mean"): ("requests_per_s", 1.0),
    ("Token Throughput", "Successful Output Tokens/Sec", "Mean"): ("output_tokens_per_s", 1.0),
    ("Time to First Token", "Successful ms", "Mean"): ("ttft_s", MILLI),
    ("Inter Token Latency", "Successful ms", "Mean"): ("tpot_s", MILLI),
}
AIPERF_CSV = {
    "Request Count": "request_count",
    "Input Sequence Length": "input_sequence_length",
    "Output Sequence Length": "output_sequence_length",
    "Request Throughput": "request_throughput",
    "Output Token Throughput": "output_token_throughput",
    "Time to First Token": "time_to_first_token",
    "Inter Token Latency": "inter_token_latency",
}


def _from_csv(text: str, name: str) -> Iterator[dict[str, Any]]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if any(row)]
    except csv.Error as error:
        raise ValueError(f"{name}: not a CSV file: {error}") from None
    head = [cell.strip() for cell in rows[0]] if rows else []
    if "mean_ttft_ms" in head:
        for row in rows[1:]:
            yield _vllm({k: v for k, v in zip(head, row, strict=False) if v != ""})
    elif "Run Info" in head and len(rows) > 3:
        keys = list(zip(*(r + [""] * (len(head) - len(r)) for r in rows[:3]), strict=True))
        for row in rows[3:]:
            run: dict[str, Any] = {"tool": "guidellm", "model_name": ""}
            for key, cell in zip(keys, row, strict=False):
                if key in GUIDELLM_CSV:
                    column, scale = GUIDELLM_CSV[key]
                    run[column] = _number(cell) * scale
            yield run
    elif head[:2] == ["Metric", "avg"]:
        doc: dict[str, Any] = {}
        for row in rows:
            metric, _, unit = row[0].partition(" (") if row else ("", "", "")
            if metric in AIPERF_CSV and len(row) > 1:
                doc[AIPERF_CSV[metric]] = {"avg": row[1], "unit": unit.rstrip(")")}
        yield _aiperf(doc)
    else:
        shown = ", ".join(cell[:30] for cell in head[:6]) or "nothing"
        raise ValueError(f"{name}: written by none of {', '.join(TOOLS)}: its header has {shown}")


def _checked(run: dict[str, Any], number: int, name: str) -> dict[str, Any]:
    """A run with its requests in flight; a key that is missing or no number is named."""
    run = {c: run.get(c, math.nan) for c in COLUMNS} | {"tool": run["tool"]}
    for key in (
        "n_requests",
        "input_tokens",
        "output_tokens",
        "requests_per_s",
        "ttft_s",
        "tpot_s",
    ):
        value = run[key]
        if not (math.isfinite(value) and value > 0) and not (key == "tpot_s" and value == 0):
            said = "is missing" if math.isnan(value) else f"= {value:g} is not above 0"
            remedy = (
                "streaming must be on" if key in ("ttft_s", "tpot_s") else "did every call fail?"
            )
            raise ValueError(f"{name} run {number} ({run['tool']}): {key} {said}: {remedy}")
    whole_s = answer_s(run["ttft_s"], run["tpot_s"], run["output_tokens"])
    in_flight = run["requests_per_s"] * whole_s
    if math.isnan(run["output_tokens_per_s"]):
        run["output_tokens_per_s"] = run["requests_per_s"] * run["output_tokens"]
    return run | {"concurrency": in_flight, "model_name": str(run["model_name"] or "")}


def _unit_s(unit: Any, key: str) -> float:
    """Seconds in a unit of time; one that is not known is refused, not taken for seconds."""
    name = str(unit or "").strip().lower()
    if name not in SECONDS:
        raise unknown(f"unit of {key}", name, SECONDS)
    return SECONDS[name]


def _object(value: Any) -> dict[str, Any]:
    """A JSON object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float:
    if isinstance(value, bool) or value is None:
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _over(value: Any, n: float) -> float:
    return _number(value) / n if n else math.nan


def _deep(doc: Any, *keys: str, inner: str | None = None) -> Any:
    """The value of the first of some keys, wherever in nested objects it is; then one within it."""
    todo, found = deque([doc]), None
    while todo and found is None:
        here = todo.popleft()
        if isinstance(here, dict):
            found = next((here[k] for k in keys if here.get(k) is not None), None)
            todo.extend(here.values())
    if inner is None or found is None:
        return found
    return found.get(inner) if isinstance(found, dict) else None


def _first_name(models: Any) -> str:
    while isinstance(models, list | dict):
        if isinstance(models, list):
            models = models[0] if models else ""
        else:
            models = models.get("name") or models.get("items") or models.get("model") or ""
    return str(models or "")
