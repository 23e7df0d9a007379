"""Every format that is read: a made-up file under its real column names, and its broken twins."""

from __future__ import annotations

import codecs
import gzip
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest

from econ.catalog import documents
from econ.latency import read_bench
from econ.tokens import Workload, describe_trace, read_trace, read_usage

FIXTURES = Path(__file__).parents[1] / "fixtures"
TRACES, BENCH, USAGE = FIXTURES / "traces", FIXTURES / "bench", FIXTURES / "usage"

# file -> format, unit, requests, requests per second, mean input tokens, dropped
RIGHT = {
    "azure_2023.csv": ("Azure", "moments", 3, 1.0, 2699.3, 0),
    "azure_2024.csv": ("Azure", "moments", 3, 1.0, 1545.7, 0),
    "burstgpt.csv": ("BurstGPT", "s", 4, 0.015, 519.0, 1),
    "langfuse.csv": ("Langfuse export", "moments", 2, 0.25, 862.0, 1),
    "litellm_spend_logs.csv": ("LiteLLM spend log", "moments", 2, 0.788, 141.0, 0),
    "mooncake.jsonl": ("Mooncake", "ms", 4, 0.5, 5901.5, 0),
    "mooncake_like_ms_ticks.csv": ("plain columns", "ms", 900, 3.027, 6000.0, 0),
    "openai_usage.json": ("OpenAI usage", "s", 30, 0.167, 1200.0, 1),
    "openai_usage_completions.csv": ("OpenAI usage", "s", 18_234, 0.211, 1213.3, 0),
    "openai_usage_minute_buckets.csv": ("OpenAI usage", "s", 1320, 0.367, 1104.3, 0),
    "openrouter_activity.csv": ("OpenRouter activity", "moments", 2, 1.965, 862.0, 0),
    "otel_console.jsonl": ("OpenTelemetry spans", "moments", 2, 0.25, 862.0, 0),
    "jaeger.json": ("OpenTelemetry spans", "us", 2, 0.25, 862.0, 0),
    "otel_console_pretty.json": ("OpenTelemetry spans", "moments", 2, 0.25, 862.0, 0),
    "otlp_spans.json": ("OpenTelemetry spans", "ns", 2, 0.25, 862.0, 1),
    "sglang_requests.jsonl": ("SGLang request log", "moments", 2, 0.5, 22.0, 1),
    "sglang_text.log": ("SGLang request log", "moments", 2, 0.5, 22.0, 0),
    "vllm_detailed.json": ("vLLM detailed results", "s", 3, 1.0, 545.3, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("packed", [False, True])
def test_a_log_is_read_as_what_it_is(name, packed):
    form, unit, n, rate_per_s, mean_input, n_dropped = RIGHT[name]
    data = (TRACES / name).read_bytes()
    trace = (
        read_trace(gzip.compress(data), name=f"{name}.gz") if packed else read_trace(TRACES / name)
    )
    read = trace.attrs["read"]
    assert (read["format"], read["unit"], len(trace)) == (form, unit, n)
    assert sum(read["dropped"].values()) == n_dropped
    assert (n - 1) / trace["arrival_s"].iloc[-1] == pytest.approx(rate_per_s, rel=0.08)
    assert trace["input_tokens"].mean() == pytest.approx(mean_input, abs=0.1)
    assert f"{n:,} requests" in describe_trace(trace)
    Workload.from_trace(trace)


def test_a_parquet_file_of_another_tool_is_read(tmp_path):
    at = pd.to_datetime(["2026-01-01T00:00:00Z", "2026-01-01T00:00:02Z"])
    frame = pd.DataFrame({"timestamp": at, "prompt_tokens": [5, 6], "completion_tokens": [7, 8]})
    for stamps in (at, at.astype(str), at.as_unit("ms").astype("int64")):
        frame.assign(timestamp=stamps).to_parquet(tmp_path / "a.parquet")
        assert read_trace(tmp_path / "a.parquet")["arrival_s"].tolist() == [0.0, 2.0]


def test_names_of_ones_own_and_the_hour_that_summer_time_skips():
    data = b"when,isl,osl\n2026-03-29T01:59:59+01:00,100,10\n2026-03-29T03:00:01+02:00,100,10\n"
    trace = read_trace(data, name="a.csv", columns={"when": "arrival_s"})
    assert trace["arrival_s"].tolist() == [0.0, 2.0]
    assert trace.attrs["read"]["zone"] == "UTC"


def test_sums_without_a_number_of_requests_are_no_trace():
    with pytest.raises(ValueError, match=r"anthropic_usage\.csv: its rows are sums of tokens"):
        read_trace(TRACES / "anthropic_usage.csv")
    hours = "".join(f"2026-01-01T{h:02d}:00:00Z,90000,9000\n" for h in range(9))
    with pytest.raises(ValueError, match="covers 3,600 s: a sum of requests"):
        read_trace(f"time,prompt_tokens,completion_tokens\n{hours}".encode(), name="a.csv")


def test_sums_keep_their_totals():
    raw = pd.read_csv(TRACES / "openai_usage_minute_buckets.csv")
    trace = read_trace(TRACES / "openai_usage_minute_buckets.csv")
    assert len(trace) == raw["num_model_requests"].sum()
    for side in ("input_tokens", "output_tokens"):
        assert trace[side].sum() == raw[side].sum()
    assert trace["cached_tokens"].sum() == raw["input_cached_tokens"].sum()
    per_minute = (trace["arrival_s"] // 60).value_counts().sort_index()
    assert per_minute.tolist() == raw["num_model_requests"].tolist()


EPOCH = 1_767_225_600  # seconds from 1970 to 2026
HEAD = "arrival_s,input_tokens,output_tokens\n"


@pytest.mark.parametrize(("unit", "per_s"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("head", [HEAD, "timestamp,prompt_tokens,completion_tokens\n"])
def test_a_clock_from_1970_shows_its_unit(unit, per_s, head):
    rows = "".join(f"{(EPOCH * 2 + i) * per_s // 2},10,5\n" for i in range(0, 40, 2))
    trace = read_trace((head + rows).encode(), name="a.csv")
    assert trace.attrs["read"]["unit"] == unit
    assert trace["arrival_s"].tolist() == pytest.approx(range(20))
    other = "s" if unit != "s" else "ms"
    with pytest.raises(ValueError, match=f"counts .*read it with unit='{unit}'"):
        read_trace((head + rows).encode(), name="a.csv", unit=other)


@pytest.mark.parametrize(
    ("cells", "unit"),
    [
        ([50 * i for i in range(40)], "ms"),
        ([1250 * i for i in range(40)], "ms"),
        ([333.25 * i for i in range(40)], "ms"),
        ([41.7 * i for i in range(40)], "ms"),
        ([250_000 * i for i in range(40)], "us"),
        ([250_000_000 * i for i in range(40)], "ns"),
    ],
)
def test_a_clock_in_doubt_is_asked_for_and_then_believed(cells, unit):
    data = (HEAD + "".join(f"{c},10,5\n" for c in cells)).encode()
    with pytest.raises(ValueError, match=f"a.csv row 2, column arrival_s: .*unit='{unit}'"):
        read_trace(data, name="a.csv")
    per_s = {"ms": 1e3, "us": 1e6, "ns": 1e9}[unit]
    got = read_trace(data, name="a.csv", unit=unit)["arrival_s"].iloc[-1]
    assert got == pytest.approx(cells[-1] / per_s)


def test_a_unit_in_the_name_that_the_clock_contradicts_is_asked_for():
    rows = "".join(f"{i // 9 * 3},10,5\n" for i in range(900))
    with pytest.raises(ValueError, match="as milliseconds there would be 3,030 requests"):
        read_trace(f"arrival_ms,input_tokens,output_tokens\n{rows}".encode(), name="a.csv")
    seconds = f"timestamp_ms,input_tokens,output_tokens\n{EPOCH},1,1\n{EPOCH + 1},1,1\n"
    with pytest.raises(ValueError, match="counts seconds from 1970, not milliseconds"):
        read_trace(seconds.encode(), name="a.csv")


ODD = {
    "US dates": ("01/02/2026 10:00,10,5", r"row 3, column timestamp: '01/02/2026 10:00' is not"),
    "no such month": ("2026-13-01 10:00:00,10,5", "row 3, column timestamp: '2026-13-01"),
    "text": ("2026-01-01 10:00:02,10,x", "row 3, column completion_tokens: 'x' is not a finite"),
    "negative": ("2026-01-01 10:00:02,10,-4", "row 3, column completion_tokens: -4 is below 0"),
    "half": ("2026-01-01 10:00:02,10,4.5", "row 3, column completion_tokens: 4.5 is not a whole"),
    "one zone": ("2026-01-01 10:00:02Z,10,4", "some cells state a time zone and some do not"),
    "formula": ("2026-01-01 10:00:02,=1+1,4", r"row 3, column prompt_tokens: '=1\+1' is a formula"),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_cell_is_named_by_its_row_in_the_file(odd):
    row, says = ODD[odd]
    head = "timestamp,prompt_tokens,completion_tokens\n2026-01-01 10:00:00,10,5\n"
    failed = "2026-01-01 10:00:01,10,0\n"  # dropped, and counted as a row all the same
    with pytest.raises(ValueError, match=f"a.csv,? .*{says}"):
        read_trace(f"{head}{failed}{row}\n".encode(), name="a.csv")
    assert read_trace((head + failed).encode(), name="a.csv").attrs["read"]["dropped"]


def test_sums_of_less_than_a_token_a_request_are_counted():
    head = "start_time_iso,end_time_iso,num_model_requests,input_tokens,output_tokens\n"
    row = "2025-09-01T00:00:00+00:00,2025-09-02T00:00:00+00:00,60,2400,30\n"
    trace = read_trace((head + row).encode(), name="a.csv")
    assert len(trace) == 30
    assert trace.attrs["read"]["dropped"] == {"less than one token, as the sums say": 30}
    for bad, says in (("2.5,2400", "2.5 is not a whole"), ("-1,2400", "-1 is below 0")):
        with pytest.raises(ValueError, match=f"row 1, column num_model_requests: {says}"):
            read_trace((head + row.replace("60,2400", bad)).encode(), name="a.csv")


# -- benchmarks ------------------------------------------------------------------------------------
SAME = ["sglang.jsonl", "inference_perf.json", "llmperf.json", "trtllm_bench.json",
        "inferencex.json"]  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_all_tools_give_the_same_run(name):
    row = read_bench(BENCH / name).iloc[0]
    assert row["tool"].startswith(name[:6].replace("_", "-")[:6].rstrip("-"))
    assert (row["input_tokens"], row["output_tokens"]) == (1000, 250)
    assert (row["ttft_s"], row["tpot_s"]) == (pytest.approx(0.060), pytest.approx(0.0096))
    assert (row["requests_per_s"], row["output_tokens_per_s"]) == (6.4, 1600)
    assert row["concurrency"] == pytest.approx(15.7, rel=0.002)
    assert row["ttft_p50_s"] == pytest.approx(0.0551)
    assert row["ttft_p99_s"] == pytest.approx(0.1402)


def test_capitals_and_separators_of_genai_perf():
    row = read_bench(BENCH / "genai_perf_export.csv").iloc[0]
    assert row["n_requests"] == 1250
    assert (row["ttft_s"], row["tpot_s"]) == (pytest.approx(0.20538), pytest.approx(0.011))
    assert (row["input_tokens"], row["output_tokens"]) == (2048, 145)
    assert row["requests_per_s"] == 31.45
    assert row["ttft_p99_s"] == pytest.approx(0.24602)


def test_single_requests_of_aiperf_are_one_run():
    row = read_bench(BENCH / "aiperf_requests.jsonl").iloc[0]
    assert (row["n_requests"], row["n_failed"], row["n_unfinished"]) == (2, 0, 1)
    assert (row["ttft_s"], row["tpot_s"]) == (pytest.approx(0.06), pytest.approx(0.01))
    assert (row["requests_per_s"], row["concurrency"]) == (0.5, 1.25)  # 2 in 4 s, 2 + 3 s busy


@pytest.mark.parametrize("name", ["mlperf_log_summary.txt", "mlperf_log_detail.txt"])
def test_logs_of_mlperf_state_rates_and_times(name):
    row = read_bench(BENCH / name).iloc[0]
    assert (row["tool"], row["rate_per_s"], row["output_tokens"]) == ("mlperf", 6.5, 250)
    assert (row["ttft_s"], row["tpot_s"]) == (pytest.approx(0.060), pytest.approx(0.0096))
    assert (row["requests_per_s"], row["output_tokens_per_s"]) == (6.4, 1600)
    assert row["concurrency"] == pytest.approx(6.4 * 2.4504)
    assert (row["ttft_p50_s"], row["ttft_p99_s"]) == (pytest.approx(0.0551), pytest.approx(0.1402))
    assert row[["n_requests", "n_failed", "input_tokens"]].isna().all()


def test_an_offline_run_of_mlperf_has_rates_alone():
    row = read_bench(BENCH / "mlperf_offline.txt").iloc[0]
    assert (row["tool"], row["requests_per_s"], row["output_tokens"]) == ("mlperf-offline", 64, 250)
    assert row[["ttft_s", "tpot_s"]].isna().all()


def test_what_vllm_and_sglang_print_is_their_run():
    row = read_bench(BENCH / "vllm_screen.txt").iloc[0]
    assert (row["n_requests"], row["n_failed"], row["limit_concurrency"]) == (600, 4, 16)
    assert (row["input_tokens"], row["output_tokens"]) == (1000, 250)
    assert (row["ttft_s"], row["tpot_p99_s"]) == (pytest.approx(0.060), pytest.approx(0.014))
    two = (BENCH / "vllm_screen.txt").read_text() * 2
    sglang = two.replace("Successful requests:", "Backend: sglang\nSuccessful requests:")
    assert read_bench(sglang.encode(), name="a.log")["tool"].tolist() == ["sglang"] * 2
    with pytest.raises(ValueError, match=r"a\.txt run 1 .* 4 of 604 requests failed"):
        read_bench(two.encode(), name="a.txt", most_failed_frac=0.001)


def test_a_run_that_mostly_failed_is_refused_unless_it_is_wanted():
    path = BENCH / "vllm_988_of_1000_failed.json"
    with pytest.raises(ValueError, match=r"988 of 1,000 requests failed .* \(98\.8 %\)"):
        read_bench(path)
    row = read_bench(path, most_failed_frac=1).iloc[0]
    assert (row["n_requests"], row["n_failed"], row["n_unfinished"]) == (12, 988, 0)
    with pytest.raises(ValueError, match="most_failed_frac = 5"):
        read_bench(path, most_failed_frac=5)


def test_what_was_not_finished_is_a_count():
    row = read_bench(BENCH / "guidellm.json").iloc[0]
    assert (row["n_failed"], row["n_unfinished"]) == (0, 4)


# -- broken twins ----------------------------------------------------------------------------------
def _cut(data: bytes, name: str) -> bytes:
    text = data.rstrip()
    return text[: text.rindex(b",")] if name.endswith("csv") else text[:-8]


def _twice(data: bytes) -> bytes:
    return data.replace(b"{", b'{"a": 1, "a": 2, ', 1)


TWINS = {
    "cut short": _cut,
    "utf-16": lambda data, _: data.decode().encode("utf-16"),
    "a zero byte": lambda data, _: data[:-9] + b"\0" + data[-9:],
    "latin-1": lambda data, _: data[:-9] + b"\xe9" + data[-9:],
    "empty": lambda data, _: b"",
}
JSON_TWINS = {
    "a key twice": lambda data, _: _twice(data),
    "NaN": lambda data, _: data.replace(b"{", b'{"a": NaN, ', 1),
    "400 digits": lambda data, _: data.replace(b"{", b'{"a": %s, ' % (b"9" * 400), 1),
    "deep": lambda data, _: data.replace(b"{", b'{"a": %s, ' % (b"[" * 100_000), 1),
}
FILES = [
    *((read_trace, TRACES / n) for n in RIGHT if n != "sglang_text.log"),
    *(
        (read_bench, BENCH / n)
        for n in (*SAME, "aiperf.json", "guidellm.json", "vllm.json", "mlperf_log_detail.txt")
    ),
    *((read_usage, path) for path in sorted(USAGE.iterdir())),
]
CASES = [
    (read, path, twin)
    for read, path in FILES
    for twin in (*TWINS, *(JSON_TWINS if "json" in path.suffix else ()))
]


@pytest.mark.parametrize(("read", "path", "twin"), CASES)
def test_a_broken_twin_is_refused_by_name(read, path, twin):
    data = (TWINS | JSON_TWINS)[twin](path.read_bytes(), path.name)
    with pytest.raises(ValueError, match=r"^" + path.name) as caught:
        read(data, name=path.name)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("read", [read_trace, read_bench, read_usage])
def test_a_gzip_that_is_cut_broken_or_a_bomb_is_refused(read):
    name = "a.csv"
    packed = gzip.compress((TRACES / "azure_2023.csv").read_bytes())
    for bad in (packed[:-9], packed[:20] + b"xxxx" + packed[24:], b"no gzip"):
        with pytest.raises(ValueError, match=r"a\.csv\.gz: not a gzipped file"):
            read(bad, name=f"{name}.gz")
    bomb = gzip.compress(b"0" * 100_000_000, 9)
    tracemalloc.start()
    with pytest.raises(ValueError, match="unpacks to more than 200 times its size"):
        read(bomb, name=f"{name}.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


def test_ten_million_columns_are_refused_before_they_are_read(monkeypatch):
    wide = b",".join([b"c"] * 10_000_000) + b"\n"
    for read in (read_trace, read_usage):
        with pytest.raises(ValueError, match="line 1: longer than 1 MB"):
            read(wide, name="a.csv")
    monkeypatch.setattr(documents, "MOST_KEYS", 1000)
    keys = ", ".join(f'"k{i}": 1' for i in range(2000))
    for read in (read_trace, read_bench, read_usage):
        with pytest.raises(ValueError, match="an object of 2,000 keys"):
            read(f"{{{keys}}}".encode(), name="a.json")
    monkeypatch.setattr(documents, "MOST_JSON_BYTES", 1000)
    with pytest.raises(ValueError, match="one JSON document of more than"):
        read_bench(f"{{{keys}}}".encode(), name="a.json")


def test_mixed_line_ends_and_marks_change_nothing():
    data = (TRACES / "azure_2023.csv").read_bytes()
    plain = read_trace(data, name="a.csv")
    first, rest = data.split(b"\n", 1)
    for twin in (data.replace(b"\n", b"\r\n"), first + b"\r\n" + rest, codecs.BOM_UTF8 + data):
        pd.testing.assert_frame_equal(read_trace(twin, name="a.csv"), plain)
