"""Benchmarks that print a report: MLPerf's logs, and what vLLM and SGLang write on the screen.

MLPerf's ``mlperf_log_summary.txt`` and ``mlperf_log_detail.txt`` state no lengths of prompts and
no number of requests; lengths of answers follow from its two rates. Its Offline scenario has no
times to first token.

>>> report = "Scenario : Server\\nCompleted samples per second : 80\\n"
>>> report += "Completed tokens per second : 24000\\nMean latency (ns) : 6000000000\\n"
>>> run = mlperf(report)
>>> run["output_tokens"], run["concurrency"]          # 24000 / 80; 80 a second for 6 s
(300.0, 480.0)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from econ.catalog.documents import strict_json
from econ.catalog.units import NANO
from econ.latency.bench_tools import QUANTILES, Run, number, vllm

SUMMARY, DETAIL = "MLPerf Results Summary", ":::MLLOG"
BLOCK = re.compile(r"^=+ (?:Serving|Online|Offline|Bench)[\w .]*Result\w* =+$", re.M)
LINE = re.compile(r"^\s*([A-Za-z0-9][^:=]*?)\s*[:=]\s*(\S.*?)\s*$", re.M)
# a line of the screen -> the key of the JSON that says the same
SCREEN = {
    "backend": "backend",
    "successful requests": "completed",
    "failed requests": "failed",
    "maximum request concurrency": "max_concurrency",
    "max request concurrency": "max_concurrency",
    "max reqeuest concurrency": "max_concurrency",  # as SGLang spells it
    "request rate configured (rps)": "request_rate",
    "traffic request rate": "request_rate",
    "total input tokens": "total_input_tokens",
    "total generated tokens": "total_output_tokens",
    "request throughput (req/s)": "request_throughput",
    "output token throughput (tok/s)": "output_throughput",
    "concurrency": "concurrency",
}
TIMED = re.compile(r"(mean|median|p\d\d) (ttft|tpot) \(ms\)")


def is_report(text: str) -> bool:
    """Whether a text is a report that `text_runs` reads."""
    return SUMMARY in text or DETAIL in text or BLOCK.search(text) is not None


def text_runs(text: str, name: str) -> Iterator[Run]:
    """The runs of a report; ``name`` is what an error calls the file."""
    if SUMMARY in text or DETAIL in text:
        yield mlperf(text, name)
        return
    blocks = BLOCK.split(text)
    for block in blocks[1:]:
        facts = {name.strip().lower(): value for name, value in LINE.findall(block)}
        doc = {key: facts[name] for name, key in SCREEN.items() if name in facts}
        for name, value in facts.items():
            if match := TIMED.fullmatch(name):
                doc["_".join(match.groups()) + "_ms"] = value
        yield vllm(doc)


def mlperf(text: str, name: str = "log") -> Run:
    """A run of MLPerf Inference, from its summary or its detailed log."""
    facts = _logged(text, name) if DETAIL in text else _summed(text)

    def of(*words: str) -> float:
        """The value of the first name that has all words and is no minimum, maximum or target."""
        odd = {"min", "max", "target", "scheduled", "early"} - set(words)
        for key, value in facts.items():
            parts = set(re.split(r"[^a-z0-9.]+", key))
            if parts >= set(words) and not parts & odd and math.isfinite(number(value)):
                return number(value)
        return math.nan

    offline = "offline" in str(facts.get("scenario") or facts.get("effective_scenario")).lower()
    per_s, tokens_per_s = _rate(facts, "samples"), _rate(facts, "tokens")
    whole_s = next(
        (number(v) * NANO for n, v in facts.items()
         if re.fullmatch(r"(result_)?mean[ _]latency[ _]\(?ns\)?", n)), math.nan,
    )  # fmt: skip
    return {
        "tool": "mlperf-offline" if offline else "mlperf",
        "model_name": "",
        "rate_per_s": number(facts.get("target_qps", facts.get("effective_target_qps"))),
        "requests_per_s": per_s,
        "output_tokens_per_s": tokens_per_s,
        "output_tokens": tokens_per_s / per_s if per_s else math.nan,
        "concurrency": per_s * whole_s,
        "ttft_s": of("mean", "first", "token") * NANO,
        "tpot_s": of("mean", "time", "output", "token") * NANO,
    } | {
        f"{name}_p{q}_s": of(f"{q}.00", "percentile", *words) * NANO
        for name, words in (("ttft", ("first", "token")), ("tpot", ("time", "output", "token")))
        for q in QUANTILES
    }


def _rate(facts: Run, what: str) -> float:
    """Samples or tokens per second; what was scheduled is no result."""
    names = re.compile(rf"(result_)?((completed|inferred)[ _])?{what}[ _]per[ _]sec(ond)?")
    return next((number(v) for n, v in facts.items() if names.fullmatch(n)), math.nan)


def _summed(text: str) -> Run:
    return {name.strip().lower(): value for name, value in LINE.findall(text)}


def _logged(text: str, name: str) -> Run:
    """The keys of a detailed log."""
    facts: Run = {}
    for n_line, line in enumerate(text.splitlines(), 1):
        if line.startswith(DETAIL):
            entry = strict_json(line.removeprefix(DETAIL), name, n_line)
            if isinstance(entry, dict):
                facts[str(entry.get("key", "")).lower()] = entry.get("value")
    return facts
