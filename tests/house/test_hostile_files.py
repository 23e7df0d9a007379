"""Hostile files and settings: a message with the remedy, nothing executed, nothing half-written."""

import csv
import json

import pandas as pd
import pytest

from econ.catalog.ranges import Range
from econ.latency.bench_rows import read_bench
from econ.latency.own_stack import fit_stack
from econ.plan import export, plan
from econ.plan.stress import stress_frame
from econ.scenario import Scenario
from econ.tokens.traces import check_trace, read_trace

HEAD = b"arrival_s,input_tokens,output_tokens\n"
TRACE = pd.DataFrame({"arrival_s": [0.0, 1.0], "input_tokens": [1, 2], "output_tokens": [1, 2]})
VLLM = {
    "completed": 10, "total_input_tokens": 100, "total_output_tokens": 100,
    "request_throughput": 1.0, "output_throughput": 10.0, "mean_ttft_ms": 10.0, "mean_tpot_ms": 5.0,
}  # fmt: skip
AIPERF = {
    name: {"avg": 5.0}
    for name in (
        "request_count",
        "input_sequence_length",
        "output_sequence_length",
        "request_throughput",
        "output_token_throughput",
    )
}
AIPERF |= {n: {"avg": 5.0, "unit": "ms"} for n in ("time_to_first_token", "inter_token_latency")}


def parquet(tmp_path, frame):
    path = tmp_path / "t.parquet"
    frame.to_parquet(path, index=False)
    return path


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (HEAD.replace(b"\n", b"\r") + b"0,10,5\r", "line 1: .*line feed"),
        (b"a" * 200_000 + b"," + HEAD + b"0,0,1,1\n", "line 1: .*names of columns short"),
        (HEAD.replace(b",", b";") + b"0;1;2\n", "parted by semicolons"),
        (HEAD.replace(b",", b"\t") + b"0\t1\t2\n", "parted by tabs"),
        (b"cached_tokens,cached_tokens," + HEAD + b"1,9,0,10,2\n", "cached_tokens is there twice"),
    ],
)
def test_a_broken_csv_says_how_to_mend_it(data, says):
    with pytest.raises(ValueError, match=f"log.csv.*{says}"):
        read_trace(data, name="log.csv")


@pytest.mark.parametrize("bad", [None, 5, [1]])
def test_what_is_no_file_is_refused(bad):
    with pytest.raises(ValueError, match="is outside its range: a Path or a bytes"):
        read_trace(bad)


def test_moments_and_spans_of_parquet_are_seconds(tmp_path):
    days = pd.to_datetime(["2024-01-01 10:00", "2024-01-01 10:01"])
    moments = read_trace(parquet(tmp_path, TRACE.assign(arrival_s=days)))
    assert moments["arrival_s"].tolist() == [0, 60]
    spans = pd.to_timedelta([0, 1500], unit="ms")
    path = parquet(tmp_path, TRACE.assign(arrival_s=spans))
    assert read_trace(path)["arrival_s"].tolist() == [0, 1.5]
    with pytest.raises(ValueError, match="leave out unit='ms'"):
        read_trace(path, unit="ms")
    assert check_trace(TRACE.assign(arrival_s=days))["arrival_s"].tolist() == [0, 60]


@pytest.mark.parametrize("cells", [["1", "2"], [True, True], [[1], [2]]])
def test_parquet_columns_that_are_no_numbers_are_not_even_read(tmp_path, cells):
    with pytest.raises(ValueError, match=r"column input_tokens: is of type .*: save it as numbers"):
        read_trace(parquet(tmp_path, TRACE.assign(input_tokens=cells)))


@pytest.mark.parametrize(
    ("doc", "says"),
    [
        (AIPERF | {"request_count": 5}, "n_requests is missing"),
        (AIPERF | {"time_to_first_token": {"avg": 1, "unit": "fortnight"}},
         "r.json: unknown unit of time_to_first_token 'fortnight'"),
        (AIPERF | {"inter_token_latency": {"avg": 1}}, "unknown unit of inter_token_latency ''"),
        ({"benchmarks": [{"strategy": "x", "metrics": []}]}, "n_requests is missing"),
    ],
)  # fmt: skip
def test_a_result_of_the_wrong_shape_is_named(doc, says):
    with pytest.raises(ValueError, match=says):
        read_bench(json.dumps(doc).encode(), "r.json")


@pytest.mark.parametrize("config", [{"phases": 5}, {"loadgen": [5]}, {"phases": ["x"]}, 7])
def test_settings_of_the_wrong_shape_only_lack_a_limit(config):
    run = read_bench(json.dumps(AIPERF | {"input_config": config}).encode(), "r.json")
    assert run["limit_concurrency"].isna().all()


def test_a_number_of_thousands_of_digits_is_refused():
    for read in (lambda t: read_bench(t.encode(), "r.json"), Scenario.from_json):
        with pytest.raises(ValueError, match=r"a number of 5,000 digits|number too long"):
            read('{"mean_ttft_ms": ' + "9" * 5_000 + "}")


def test_blank_lines_of_a_result_table_are_none():
    text = ",".join(VLLM) + "\n" + ",".join(map(str, VLLM.values())) + "\n\n"
    assert len(read_bench(text.encode(), "r.csv")) == 1


def test_a_wide_result_is_read_to_its_end():
    doc = {"benchmarks": [{"metrics": {str(i): {"a": 1} for i in range(60_000)}}]}
    with pytest.raises(ValueError, match="n_requests is missing"):
        read_bench(json.dumps(doc).encode(), "r.json")


def test_a_scenario_nested_without_end_or_no_text_is_refused():
    for bad in ("[" * 100_000, None, b"{}"):
        with pytest.raises(ValueError, match=r"scenario|text = "):
            Scenario.from_json(bad)
    text = Scenario.default().to_json()
    assert Scenario.from_json("\ufeff" + text) == Scenario.from_json(text)


def test_names_of_columns_are_no_formulas_either(tmp_path):
    twice = pd.DataFrame([["=1", 2], ["b", 3]], columns=["=cmd()", "=b"])
    assert export(twice, tmp_path / "a.csv").read_text() == "'=cmd(),'=b\n'=1,2\nb,3\n"


def test_a_table_that_parquet_cannot_hold_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"a\.parquet: Parquet cannot hold"):
        export(pd.DataFrame({"a": [1, "x"]}), tmp_path / "a.parquet")
    assert not list(tmp_path.iterdir())


# -- the planner --------------------------------------------------------------------------------
FEW = {"accelerators": "h100-sxm", "precisions": "fp8", "parallelism": [(4, 1, 1, 1)],
       "concurrencies": 8, "n_refined": 0}  # fmt: skip


def test_a_single_name_is_a_list_of_one():
    found = plan(Scenario.default(), **FEW)
    assert found.rows[["accelerator", "precision", "tp", "concurrency"]].to_numpy().tolist() == [
        ["h100-sxm", "fp8", 4, 8]
    ]
    twice = plan(Scenario.default(), **FEW | {"accelerators": ["h100-sxm", "h100-sxm"]})
    assert len(twice.rows) == 1


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"precisions": ["fp9"]}, "unknown precision 'fp9'; nearest: fp8"),
        ({"precisions": [None]}, r"precisions\[0\] = None"),
        ({"policies": "chunked"}, "unknown policy 'chunked'; nearest: chunked_prefill"),
        ({"policies": [], "n_refined": 1}, "no policy"),
        ({"parallelism": [(1, 1)]}, r"parallelism\[0\] = .* 4 entries"),
        ({"parallelism": [("a", 1, 1, 1)]}, r"parallelism\[0\]\[0\] = 'a'"),
        ({"parallelism": [(0, 1, 1, 1)]}, "tp = 0"),
        ({"accelerators": None, "concurrencies": {}}, "concurrencies = {}"),
        ({"accelerators": object()}, "accelerators = "),
        ({"peak_factor": "2"}, "peak_factor = '2'"),
        ({"seed": "a"}, "seed = 'a'"),
        ({"seed": -1}, "seed = -1"),
        ({"trace": 5}, "trace = 5 is outside its range: a pandas DataFrame"),
        ({"trace": TRACE.assign(input_tokens=0)}, "trace row 1, column input_tokens"),
    ],
)
def test_a_plan_names_what_is_wrong(settings, says):
    with pytest.raises(ValueError, match=says):
        plan(Scenario.default(), **FEW | settings)


# -- the decision, and a stack of one's own ------------------------------------------------------
RUNS = read_bench(json.dumps(VLLM).encode(), "r.json")
OWN = {"model": "llama-3.1-8b", "accelerator": "h100-sxm"}


@pytest.mark.parametrize(
    ("runs", "says"),
    [
        (RUNS.iloc[:0], "no runs"),
        (RUNS.drop(columns="ttft_s"), "no column ttft_s"),
        (RUNS.assign(ttft_s=float("nan")), "ttft_s of run 1 = nan"),
        (RUNS.assign(tpot_s=0.0), "tpot_s of run 1 = 0"),
        (RUNS.assign(input_tokens="x"), "run 1 cannot be predicted: input_tokens"),
    ],
)
def test_runs_that_teach_nothing_are_refused(runs, says):
    with pytest.raises(ValueError, match=says):
        fit_stack(runs, **OWN)


def test_a_stress_needs_a_factor_and_a_load():
    scenario = Scenario.default()
    with pytest.raises(ValueError, match="rate_per_s = -3"):
        scenario.with_(rate_per_s=Range(-3, 5, 9))
    with pytest.raises(ValueError, match="price_factor = -1"):
        stress_frame(scenario, price_factor=-1)


def test_a_limit_that_others_raised_changes_nothing():
    usual = csv.field_size_limit(10**9)
    try:
        wide = b"arrival_s,input_tokens,output_tokens," + b"x" * 200_000 + b"\n0,1,1,1\n"
        with pytest.raises(ValueError, match="names of columns short"):
            read_trace(wide, name="log.csv")
        assert csv.field_size_limit() == 10**9
    finally:
        csv.field_size_limit(usual)
