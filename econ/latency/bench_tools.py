"""What the result files of benchmark tools hold, tool by tool: keys, units, failures, percentiles.

Each function turns one document into one run: a dictionary of `COLUMNS`, in seconds and tokens.
What a tool does not state is left out. Names that differ: GuideLLM's *time per output token* counts
the first token in, so its *inter token latency* is read; llmperf's *inter token latency* does too,
so TPOT comes from its end-to-end latency; with AIPerf that name is a mean per request, as TPOT is
here, and vLLM's *ITL* is a mean over tokens, so its *TPOT* is read.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np

from econ.catalog.guard import one_of
from econ.catalog.units import MICRO, MILLI, MINUTE_S, NANO

SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), MILLI),
    **dict.fromkeys(("us", "µs", "microsecond", "microseconds"), MICRO),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), NANO),
}
QUANTILES = (50, 90, 95, 99)
LENGTHS = ("input_sequence_length", "output_sequence_length")
TIMES = ("time_to_first_token", "inter_token_latency")  # what AIPerf gives with a unit of time
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
Run = dict[str, Any]


def vllm(doc: Run) -> Run:
    """vLLM ``bench serve`` and SGLang ``bench_serving``."""
    n, rate = number(doc.get("completed")), number(doc.get("request_rate"))
    n_prompts, failed = number(doc.get("num_prompts")), number(doc.get("failed"))
    errors = doc.get("errors")
    if math.isnan(failed) and isinstance(errors, list):
        failed = float(sum(bool(e) for e in errors))
    rest = n_prompts - n
    if math.isnan(failed):
        failed, unfinished = rest, math.nan  # SGLang counts only those that succeeded
    else:
        unfinished = max(rest - failed, 0.0)
    return {
        "tool": "sglang" if "sglang" in str(doc.get("backend")) else "vllm",
        "model_name": str(doc.get("model_id") or doc.get("model") or ""),
        "n_requests": n,
        "n_failed": failed,
        "n_unfinished": unfinished,
        "n_rejected": number(doc.get("rejected")),
        "input_tokens": _over(doc.get("total_input_tokens"), n),
        "output_tokens": _over(doc.get("total_output_tokens"), n),
        "concurrency": number(doc.get("concurrency")),
        "limit_concurrency": number(doc.get("max_concurrency")),
        "rate_per_s": rate if math.isfinite(rate) else math.nan,
        "requests_per_s": number(doc.get("request_throughput")),
        "output_tokens_per_s": number(doc.get("output_throughput")),
        "ttft_s": number(doc.get("mean_ttft_ms")) * MILLI,
        "tpot_s": number(doc.get("mean_tpot_ms")) * MILLI,
    } | {
        f"{name}_p{q}_s": number(
            doc.get(f"p{q}_{name}_ms", doc.get(f"median_{name}_ms") if q == 50 else None)
        )
        * MILLI
        for name in ("ttft", "tpot")
        for q in QUANTILES
    }


def aiperf(doc: Run) -> Run:
    """AIPerf and GenAI-Perf, the summary of a run."""

    def mean(key: str, of: str = "avg") -> float:
        metric = obj(doc.get(key))
        value = number(metric.get(of))
        timed = key in TIMES and not math.isnan(value)  # what is missing is told as such
        return value * _unit_s(metric.get("unit"), key) if timed else value

    phases = deep(doc.get("input_config"), "phases")
    named = [p for p in phases if isinstance(p, dict)] if isinstance(phases, list) else []
    load = next((p for p in named if "warm" not in str(p.get("name"))), {})
    old = obj(deep(doc.get("input_config"), "loadgen", "stimulus"))  # before there were phases
    models = deep(doc.get("input_config"), "models", "model_names", "items", "model")
    cancelled = number(doc.get("was_cancelled"))
    return {
        "tool": "aiperf",
        "model_name": first_name(models),
        "n_requests": mean("request_count"),
        "n_failed": mean("error_request_count"),
        "n_unfinished": mean("cancelled_request_count") if math.isnan(cancelled) else cancelled,
        "input_tokens": mean("input_sequence_length"),
        "output_tokens": mean("output_sequence_length"),
        "concurrency": mean("effective_concurrency"),
        "limit_concurrency": number(load.get("concurrency", old.get("concurrency"))),
        "rate_per_s": number(load.get("rate", old.get("request_rate"))),
        "requests_per_s": mean("request_throughput"),
        "output_tokens_per_s": mean("output_token_throughput"),
        "ttft_s": mean("time_to_first_token"),
        "tpot_s": mean("inter_token_latency"),
    } | {
        f"{name}_p{q}_s": mean(key, f"p{q}")
        for name, key in zip(("ttft", "tpot"), TIMES, strict=True)
        for q in QUANTILES
    }


def aiperf_requests(docs: Iterable[Run]) -> Run:
    """AIPerf's ``profile_export.jsonl``: one line a request."""
    failed = cancelled = 0
    rows: list[list[float]] = []
    model = ""
    for doc in docs:
        about, metrics = obj(doc.get("metadata")), obj(doc.get("metrics"))
        if "warm" in str(about.get("benchmark_phase")):
            continue
        model = model or first_name(about.get("model") or about.get("model_name"))
        if about.get("was_cancelled"):
            cancelled += 1
        elif doc.get("error") is not None:
            failed += 1
        else:
            rows.append([
                *(_value(metrics, k) for k in (*TIMES, *LENGTHS)),
                *(number(about.get(k)) * NANO for k in ("request_start_ns", "request_end_ns")),
            ])  # fmt: skip
    run: Run = {"tool": "aiperf", "model_name": model, "n_requests": float(len(rows)),
                "n_failed": float(failed), "n_unfinished": float(cancelled)}  # fmt: skip
    if not rows:
        return run
    ttft, tpot, n_input, n_output, start, end = np.array(rows).T
    tpot = tpot[np.isfinite(tpot)]  # an answer of one token has none
    span = float(end.max() - start.min())
    run |= {
        "input_tokens": float(n_input.mean()),
        "output_tokens": float(n_output.mean()),
        "requests_per_s": len(rows) / span if span > 0 else math.nan,
        "output_tokens_per_s": float(n_output.sum()) / span if span > 0 else math.nan,
        "concurrency": float((end - start).sum()) / span if span > 0 else math.nan,
        "ttft_s": float(ttft.mean()),
        "tpot_s": float(tpot.mean()) if len(tpot) else math.nan,
    }
    for name, values in (("ttft", ttft), ("tpot", tpot)):
        for q in QUANTILES if len(values) else ():
            run[f"{name}_p{q}_s"] = float(np.percentile(values, q))
    return run


def _value(metrics: Run, key: str) -> float:
    metric = obj(metrics.get(key))
    value = number(metric.get("value"))
    timed = key in TIMES and not math.isnan(value)
    return value * _unit_s(metric.get("unit"), key) if timed else value


def guidellm(run: Any) -> Run:
    """One of GuideLLM's benchmarks."""
    metrics = obj(obj(run).get("metrics"))

    def mean(key: str) -> float:
        return number(deep(deep(metrics, key), "successful", inner="mean"))

    def share(key: str, q: int) -> float:
        done = obj(deep(deep(metrics, key), "successful"))
        value = obj(done.get("percentiles")).get(f"p{q:02d}")
        return number(done.get("median") if value is None and q == 50 else value) * MILLI

    strategy, totals = obj(deep(run, "strategy")), obj(metrics.get("request_totals"))
    return {
        "tool": "guidellm",
        "model_name": first_name(deep(run, "backend", inner="model")),
        "n_requests": number(totals.get("successful")),
        "n_failed": number(totals.get("errored")),
        "n_unfinished": number(totals.get("incomplete")),
        "input_tokens": mean("prompt_token_count"),
        "output_tokens": mean("output_token_count"),
        "concurrency": mean("request_concurrency"),
        "limit_concurrency": number(strategy.get("streams", strategy.get("max_concurrency"))),
        "rate_per_s": number(strategy.get("rate")),
        "requests_per_s": mean("requests_per_second"),
        "output_tokens_per_s": mean("output_tokens_per_second"),
        "ttft_s": mean("time_to_first_token_ms") * MILLI,
        "tpot_s": mean("inter_token_latency_ms") * MILLI,
    } | {
        f"{name}_p{q}_s": share(key, q)
        for name, key in (("ttft", "time_to_first_token_ms"), ("tpot", "inter_token_latency_ms"))
        for q in QUANTILES
    }


def inference_perf(doc: Run) -> Run:
    """A stage or the summary of inference-perf; its times are seconds."""
    load, done = obj(doc.get("load_summary")), obj(doc.get("successes"))
    late, flow = obj(done.get("latency")), obj(done.get("throughput"))
    ttft, tpot = obj(late.get("time_to_first_token")), obj(late.get("time_per_output_token"))
    n, failed = number(done.get("count")), number(obj(doc.get("failures")).get("count"))
    return {
        "tool": "inference-perf",
        "n_requests": n,
        "n_failed": failed,
        "n_unfinished": max(number(load.get("count")) - n - failed, 0.0),
        "input_tokens": number(obj(done.get("prompt_len")).get("mean")),
        "output_tokens": number(obj(done.get("output_len")).get("mean")),
        "limit_concurrency": number(load.get("concurrency")),
        "rate_per_s": number(load.get("requested_rate")),
        "requests_per_s": number(flow.get("requests_per_sec")),
        "output_tokens_per_s": number(flow.get("output_tokens_per_sec")),
        "ttft_s": number(ttft.get("mean")),
        "tpot_s": number(tpot.get("mean")),
    } | {
        f"{name}_p{q}_s": number(of.get(f"p{q}", of.get("median") if q == 50 else None))
        for name, of in (("ttft", ttft), ("tpot", tpot))
        for q in QUANTILES
    }


def llmperf(doc: Run) -> Run:
    """The summary of llmperf, flat or with its ``results`` as an object."""
    flat: Run = {}

    def spread(value: Any, path: str) -> None:
        for key, inner in value.items():
            name = f"{path}_{key}" if path else str(key)
            if isinstance(inner, dict):
                spread(inner, name)
            else:
                flat[name] = inner

    spread(doc, "")

    def of(key: str) -> float:
        return number(flat.get(f"results_{key}"))

    n_output, ttft = of("number_output_tokens_mean"), of("ttft_s_mean")
    total_s = of("end_to_end_latency_s_mean")
    if math.isnan(total_s):
        total_s = of("inter_token_latency_s_mean") * n_output  # the first token is counted in
    run = {
        "tool": "llmperf",
        "model_name": str(flat.get("model") or ""),
        "n_requests": of("num_completed_requests"),
        "n_failed": of("number_errors"),
        "input_tokens": of("number_input_tokens_mean"),
        "output_tokens": n_output,
        "limit_concurrency": number(flat.get("num_concurrent_requests")),
        "requests_per_s": of("num_completed_requests_per_min") / MINUTE_S,
        "output_tokens_per_s": of("mean_output_throughput_token_per_s"),
        "ttft_s": ttft,
        "tpot_s": (total_s - ttft) / (n_output - 1) if n_output > 1 else math.nan,
    }
    return run | {f"ttft_p{q}_s": of(f"ttft_s_quantiles_p{q}") for q in QUANTILES}


def trtllm(doc: Run) -> Run:
    """The report of ``trtllm-bench`` (``--report_json``), with streaming on."""
    about, speed = obj(doc.get("request_info")), obj(doc.get("performance"))
    stream = obj(doc.get("streaming_metrics"))

    def mean(name: str) -> float:
        value = stream.get(f"avg_{name}_ms")
        shares = _percentiles(name)
        return number(shares.get("average", shares.get("avg")) if value is None else value) * MILLI

    def _percentiles(name: str) -> Run:
        return obj(stream.get(f"{name}_percentiles_ms", stream.get(f"{name}_percentiles")))

    return {
        "tool": "trtllm-bench",
        "model_name": first_name(deep(doc.get("engine"), "model")),
        "n_requests": number(about.get("num_requests")),
        "n_failed": number(about.get("num_failed_requests", about.get("num_errors"))),
        "input_tokens": number(about.get("avg_input_length")),
        "output_tokens": number(about.get("avg_output_length")),
        "concurrency": number(about.get("avg_num_concurrent_requests")),
        "requests_per_s": number(speed.get("request_throughput_req_s")),
        "output_tokens_per_s": number(speed.get("system_output_throughput_tok_s")),
        "ttft_s": mean("ttft"),
        "tpot_s": mean("tpot"),
    } | {
        f"{name}_p{q}_s": number(_percentiles(name).get(f"p{q}")) * MILLI
        for name in ("ttft", "tpot")
        for q in QUANTILES
    }


def inferencex(doc: Run) -> Run:
    """An aggregated result of InferenceX (InferenceMAX); its times are seconds.

    It states throughput, mostly per GPU, and a limit on concurrency, not always a count.
    """

    def of(*keys: str) -> float:
        return number(next((doc[k] for key in keys for k in (key, f"{key}_s") if k in doc), None))

    sizes = [number(doc.get(k)) for k in ("num_gpus", "n_gpu", "tp")]
    n_gpu = next((n for n in sizes if math.isfinite(n)), math.nan)
    n_output = number(doc.get("osl", doc.get("mean_output_tokens")))
    output_per_s = number(doc.get("output_tput_tps"))
    if math.isnan(output_per_s):
        output_per_s = number(doc.get("output_tput_per_gpu")) * n_gpu
    return {
        "tool": "inferencex",
        "model_name": str(doc.get("model") or ""),
        "n_requests": number(doc.get("num_requests", doc.get("completed"))),
        "n_failed": number(doc.get("num_failed", doc.get("failed"))),
        "input_tokens": number(doc.get("isl", doc.get("mean_input_tokens"))),
        "output_tokens": n_output,
        "limit_concurrency": number(doc.get("conc")),
        "requests_per_s": output_per_s / n_output if n_output else math.nan,
        "output_tokens_per_s": output_per_s,
        "ttft_s": of("mean_ttft", "median_ttft"),
        "tpot_s": of("mean_tpot", "median_tpot"),
    } | {
        f"{name}_p{q}_s": of(f"p{q}_{name}", *([f"median_{name}"] if q == 50 else []))
        for name in ("ttft", "tpot")
        for q in QUANTILES
    }


def _unit_s(unit: Any, key: str) -> float:
    """Seconds in a unit of time; one that is not known is refused, not taken for seconds."""
    name = str(unit or "").strip().lower()
    one_of(f"unit of {key}", name, SECONDS)
    return SECONDS[name]


def obj(value: Any) -> dict[str, Any]:
    """A JSON object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def number(value: Any) -> float:
    """A number, also with separators of thousands; NaN for what is none."""
    if isinstance(value, bool) or value is None:
        return math.nan
    if isinstance(value, str) and THOUSANDS.fullmatch(value.strip()):
        value = value.replace(",", "")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _over(value: Any, n: float) -> float:
    return number(value) / n if n else math.nan


def deep(doc: Any, *keys: str, inner: str | None = None) -> Any:
    """The value of the first of some keys, wherever in nested objects it is; then one within it."""
    todo, value = deque([doc]), None
    while todo and value is None:
        here = todo.popleft()
        if isinstance(here, dict):
            value = next((here[k] for k in keys if here.get(k) is not None), None)
            todo.extend(here.values())
    if inner is None or value is None:
        return value
    return value.get(inner) if isinstance(value, dict) else None


def first_name(models: Any) -> str:
    while isinstance(models, list | dict):
        if isinstance(models, list):
            models = models[0] if models else ""
        else:
            models = models.get("name") or models.get("items") or models.get("model") or ""
    return str(models or "")
