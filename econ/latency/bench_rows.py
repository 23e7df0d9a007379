"""Benchmark rows of your own, as the tools write them; a file's keys show which tool wrote it.

One row a run: mean lengths, requests in flight, mean TTFT and TPOT, percentiles where they are
stated, throughput, and how many requests failed, were not finished or were rejected. A run where
many failed is refused: what is left is fast because it is small.

``concurrency`` is the mean number of requests in flight: the tool's own where it states one, else
from Little's law (completed requests per second × mean time in system). A cap or a requested rate,
where there is one, is kept beside it.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from econ.catalog.documents import read_documents
from econ.catalog.guard import UnknownName, fraction
from econ.catalog.reading import Source, decoded, opened
from econ.catalog.units import MILLI
from econ.latency import bench_tools as tools
from econ.latency.bench_text import is_report, text_runs
from econ.latency.bench_tools import QUANTILES, Run, number
from econ.latency.steps import answer_s

COUNTS = ["n_failed", "n_unfinished", "n_rejected"]
COLUMNS = ["tool", "model_name", "n_requests", *COUNTS, "input_tokens", "output_tokens",
           "concurrency", "limit_concurrency", "rate_per_s", "requests_per_s",
           "output_tokens_per_s", "ttft_s", "tpot_s",
           *(f"{name}_p{q}_s" for name in ("ttft", "tpot") for q in QUANTILES)]  # fmt: skip
NEEDED = ("n_requests", "input_tokens", "output_tokens", "requests_per_s", "ttft_s", "tpot_s")
ENDINGS = (".json", ".jsonl", ".csv", ".txt", ".log")
# what a tool does not state
UNSTATED = {
    "inferencex": ("n_requests",),
    "mlperf": ("n_requests", "input_tokens"),
    "mlperf-offline": ("n_requests", "input_tokens", "ttft_s", "tpot_s"),
}
# how a document shows its tool: the tool, a key (or two) that only it has, what reads it
BY_KEY: tuple[tuple[str, tuple[str, ...], Callable[[Run], Run]], ...] = (
    ("vllm", ("mean_ttft_ms",), tools.vllm),
    ("inference-perf", ("load_summary", "successes"), tools.inference_perf),
    ("trtllm-bench", ("request_info", "performance"), tools.trtllm),
    ("llmperf", ("results_ttft_s_mean",), tools.llmperf),
    ("llmperf", ("results_num_requests_started",), tools.llmperf),
    ("llmperf", ("results", "num_concurrent_requests"), tools.llmperf),
    ("inferencex", ("hw", "conc"), tools.inferencex),
)
TOOLS = ("vllm", "sglang", "aiperf", "genai-perf", "guidellm", "inference-perf", "llmperf",
         "trtllm-bench", "inferencex", "mlperf")  # fmt: skip


def read_bench(
    source: Source, name: str | None = None, *, most_failed_frac: float = 0.05
) -> pd.DataFrame:
    """The runs in a result file of a benchmark tool; its keys show which tool wrote it.

    Parameters
    ----------
    source : path or bytes
        vLLM ``bench serve`` and SGLang ``bench_serving``: JSON, JSON lines, or a CSV of the same
        keys. AIPerf and GenAI-Perf: the summary (JSON or CSV) or AIPerf's lines of single requests.
        GuideLLM: ``benchmarks.json`` or ``.csv``. inference-perf, llmperf, ``trtllm-bench`` and
        InferenceX: their JSON summaries. MLPerf: ``mlperf_log_summary.txt`` or the detailed log.
        What vLLM and SGLang print, saved as ``.txt`` or ``.log``.
    name : str, optional
        Name of an upload: its ending says what it is.
    most_failed_frac : float
        Share of requests that failed or were rejected, above which a run is refused.

    Returns
    -------
    DataFrame
        One row a run: `COLUMNS`, in seconds and tokens; empty where a tool does not say.

    Raises
    ------
    ValueError
        With file, run and key, for a file of another tool, a run without its times, or one where
        too many requests failed.
    """
    fraction("most_failed_frac", most_failed_frac)
    remedy = "write it without the single requests"
    with opened(source, name, ENDINGS, remedy=remedy) as (stream, known_as):
        name, data = known_as, stream.read()
    ending = name.lower().rpartition(".")[2]
    try:
        if ending == "csv":
            runs = list(_from_csv(decoded(data, name), name))
        elif ending in ("txt", "log") and is_report(text := decoded(data, name)):
            runs = list(text_runs(text, name))
        else:
            runs = list(_from_documents(read_documents(data, name, ENDINGS), name))
    except UnknownName as error:
        raise ValueError(f"{name}: {error}") from None
    if not runs:
        raise ValueError(f"{name}: holds no run")
    runs = [_checked(run, i, name, most_failed_frac) for i, run in enumerate(runs, 1)]
    return pd.DataFrame(runs, columns=COLUMNS)


def _from_documents(docs: list[Any], name: str) -> Iterator[Run]:
    for i, doc in enumerate(docs, 1):
        if not isinstance(doc, dict):
            raise ValueError(f"{name} run {i}: expected an object, not {str(doc)[:40]!r}")
    if docs and all(isinstance(d.get("metadata"), dict) and "metrics" in d for d in docs):
        yield tools.aiperf_requests(docs)
        return
    for i, doc in enumerate(docs, 1):
        read = next((r for _, keys, r in BY_KEY if all(k in doc for k in keys)), None)
        if "benchmarks" in doc:
            runs = doc["benchmarks"]
            yield from (tools.guidellm(run) for run in (runs if isinstance(runs, list) else []))
        elif isinstance(doc.get("time_to_first_token"), dict):
            yield tools.aiperf(doc)
        elif read:
            yield read(doc)
        else:
            keys = ", ".join(str(k)[:30] for k in list(doc)[:8]) or "none"
            raise ValueError(
                f"{name} run {i}: written by none of {', '.join(TOOLS)}: it has the keys "
                f"{keys}; looked for mean_ttft_ms, time_to_first_token, benchmarks, load_summary, "
                "request_info, results_ttft_s_mean or conc"
            )


# a column of GuideLLM's CSV (group, status and unit, statistic) -> what it is here, and its unit
GUIDELLM_CSV = {
    ("Request Counts", "Successful", ""): ("n_requests", 1.0),
    ("Request Counts", "Errored", ""): ("n_failed", 1.0),
    ("Request Counts", "Incomplete", ""): ("n_unfinished", 1.0),
    ("Token Metrics", "Successful Input Tokens", "Mean"): ("input_tokens", 1.0),
    ("Token Metrics", "Successful Output Tokens", "Mean"): ("output_tokens", 1.0),
    ("Server Throughput", "Successful Requests/Sec", "Mean"): ("requests_per_s", 1.0),
    ("Token Throughput", "Successful Output Tokens/Sec", "Mean"): ("output_tokens_per_s", 1.0),
    ("Time to First Token", "Successful ms", "Mean"): ("ttft_s", MILLI),
    ("Inter Token Latency", "Successful ms", "Mean"): ("tpot_s", MILLI),
}
AIPERF_CSV = {
    "request count": "request_count",
    "error request count": "error_request_count",
    "input sequence length": "input_sequence_length",
    "output sequence length": "output_sequence_length",
    "request throughput": "request_throughput",
    "output token throughput": "output_token_throughput",
    "time to first token": "time_to_first_token",
    "inter token latency": "inter_token_latency",
    "effective concurrency": "effective_concurrency",
}


def _from_csv(text: str, name: str) -> Iterator[Run]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if any(row)]
    except csv.Error as error:
        raise ValueError(f"{name}: not a CSV file: {error}") from None
    head = [cell.strip() for cell in rows[0]] if rows else []
    flat = next((r for _, keys, r in BY_KEY if all(k in head for k in keys)), None)
    if flat:
        for i, row in enumerate(rows[1:], 2):
            if len(row) != len(head) or len(set(head)) < len(head):
                raise ValueError(
                    f"{name} row {i}: {len(row)} cells for {len(set(head))} different names of "
                    f"columns in a header of {len(head)}: the file may be cut short"
                )
            yield flat({k: v for k, v in zip(head, row, strict=True) if v != ""})
    elif "Run Info" in head and len(rows) > 3:
        keys = list(zip(*(r + [""] * (len(head) - len(r)) for r in rows[:3]), strict=True))
        for row in rows[3:]:
            run: Run = {"tool": "guidellm", "model_name": ""}
            for place, cell in zip(keys, row, strict=False):
                if place in GUIDELLM_CSV:
                    column, scale = GUIDELLM_CSV[place]
                    run[column] = number(cell) * scale
            yield run
    elif head[:1] == ["Metric"] and len(head) > 1:
        doc: Run = {}
        names = head[1:]
        for row in rows:
            if row[0] == "Metric":
                names = ["avg" if cell == "Value" else cell for cell in row[1:]]
            metric, _, unit = row[0].partition(" (")
            key = AIPERF_CSV.get(metric.strip().lower())
            if key and len(row) > 1:
                if key in doc:
                    raise ValueError(f"{name}: {row[0]} is there twice: keep one")
                doc[key] = dict(zip(names, row[1:], strict=False)) | {"unit": unit.rstrip(")")}
        yield tools.aiperf(doc)
    else:
        header = ", ".join(cell[:30] for cell in head[:6]) or "nothing"
        raise ValueError(f"{name}: written by none of {', '.join(TOOLS)}: its header has {header}")


def _checked(run: Run, i: int, name: str, most_failed_frac: float) -> Run:
    """A run with its requests in flight; a key that is missing or no number is named."""
    run = {c: run.get(c, math.nan) for c in COLUMNS} | {"tool": run["tool"]}
    where = f"{name} run {i} ({run['tool']})"
    done = run["n_requests"] if math.isfinite(run["n_requests"]) else 0.0
    lost = sum(run[c] for c in ("n_failed", "n_rejected") if math.isfinite(run[c]))
    if any(math.isfinite(run[c]) and run[c] < 0 for c in COUNTS):
        raise ValueError(f"{where}: more requests completed than were sent")
    if done > 0 and lost > most_failed_frac * (done + lost):
        raise ValueError(
            f"{where}: {lost:,.0f} of {done + lost:,.0f} requests failed or were rejected "
            f"({100 * lost / (done + lost):.1f} %), more than most_failed_frac = "
            f"{most_failed_frac:g}: run it anew, or raise most_failed_frac"
        )
    for key in NEEDED:
        value = run[key]
        if math.isnan(value) and key in UNSTATED.get(run["tool"], ()):
            continue
        if not (math.isfinite(value) and value > 0) and not (key == "tpot_s" and value == 0):
            fault = "is missing" if math.isnan(value) else f"= {value:g} is not above 0"
            streamed = key in ("ttft_s", "tpot_s")
            remedy = "streaming must be on" if streamed else "did every call fail?"
            raise ValueError(f"{where}: {key} {fault}: {remedy}")
    if math.isnan(run["output_tokens_per_s"]):
        run["output_tokens_per_s"] = run["requests_per_s"] * run["output_tokens"]
    if not (math.isfinite(run["concurrency"]) and run["concurrency"] > 0):
        whole_s = answer_s(run["ttft_s"], run["tpot_s"], run["output_tokens"])
        run["concurrency"] = run["requests_per_s"] * whole_s
    return run | {"model_name": _name(run["model_name"])}


def _name(value: Any) -> str:
    return value if isinstance(value, str) else ""
