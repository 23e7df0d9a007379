"""What a stranger tries on the public functions: each is refused by name, or answered rightly."""

import json
import math
import time

import numpy as np
import pandas as pd
import pytest

from econ.facts import Price, guard
from econ.models import (
    compare,
    finance,
    fleet,
    laws,
    model_prices,
    offers,
    owners,
    ownership,
    post_training,
    revenue,
    scaling,
    scaling_fit,
    staircase,
    test_time,
)
from econ.models.bench_rows import read_bench
from econ.models.exports import export
from econ.models.plan import plan
from econ.models.scenario import Scenario
from econ.models.token_cost import Utilisation, cost_usd_per_accepted_task, cost_usd_per_mtok
from econ.models.token_time import machine_s, pool_cost_frame
from econ.models.trace_check import check_trace
from econ.models.trace_files import read_trace

MACHINE = {"model": "m", "cost_usd_per_gpu_hour": 1.0, "per_s_per_instance": 1.0}
POOLS = {"prefill_gpu_hours": 10, "decode_gpu_hours": 1, "fresh_tokens": 0, "output_tokens": 5}
LIFE = {"capital_usd_per_gpu": 1, "operating_usd_per_gpu_hour": 1, "tokens_per_s_per_gpu": 1,
        "price_usd_per_mtok": 1}  # fmt: skip
KEEP = {
    "old_operating_usd_per_gpu_hour": 0.44, "old_tokens_per_s_per_gpu": 1_000,
    "resale_usd_per_gpu": 12_000, "resale_after_frac": 0.7, "new_capital_usd_per_gpu": 56_000,
    "new_operating_usd_per_gpu_hour": 0.60, "new_tokens_per_s_per_gpu": 3_000,
    "rate_per_year": 0.1,
}  # fmt: skip
LOAD = [1.0] * 24
SIZES = {"input_tokens": 1, "output_tokens": 1}


@pytest.mark.parametrize(
    "numbers",
    [np.array(["1", "2"]), pd.Series(["1", "2"]), [True, False], pd.Series([1, pd.NA]), [10**400],
     np.array(["2020-01-01"], dtype="M8[s]"), ["a"]],
)  # fmt: skip
def test_text_truth_and_dates_are_no_numbers_in_an_array_either(numbers):
    with pytest.raises(ValueError, match=r"capital_usd = .* is outside its range: numbers"):
        finance.annuity_usd_per_month(numbers, 0.1, 5)


@pytest.mark.parametrize(
    "bad", [10**400, 10**5000, -(10**400)], ids=["huge", "unprintable", "negative"]
)
def test_an_int_beyond_all_floats_is_out_of_range(bad):
    with pytest.raises(ValueError, match=r"capital_usd = .* is outside its range"):
        finance.annuity_usd_per_month(bad, 0.1, 5)


def test_a_message_repeats_the_beginning_of_a_long_value():
    with pytest.raises(ValueError, match="…") as found:
        guard.positive("x", "9" * 1_000_000)
    assert len(str(found.value)) < 300


def test_a_rate_that_loses_more_than_all_in_a_period_has_no_worth():
    assert finance.present_value_usd([1.0, 1.0], -0.4, 0.5) == pytest.approx(1 + 1 / 0.2)
    with pytest.raises(ValueError, match=r"rate_per_year = -0\.9"):
        finance.present_value_usd([1.0, 1.0], -0.9, 0.5)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: offers.Rent(**MACHINE, n_least=math.nan), "n_least = nan"),
        (lambda: offers.Rent(**MACHINE, n_least=-5), "n_least = -5"),
        (lambda: offers.Buy(**MACHINE, n_spare_servers=-1), "n_spare_servers = -1"),
        (lambda: offers.Buy(**MACHINE, staff_usd_per_month=-1), "staff_usd_per_month = -1"),
        (lambda: offers.Buy(**MACHINE, spare_frac=math.nan), "spare_frac = nan"),
        (lambda: compare.compare_buy_rent_api(LOAD, offers.Buy(**MACHINE), 5, **SIZES),
         "5 is no offer"),
        (lambda: compare.compare_buy_rent_api(LOAD, offers.Buy(**MACHINE), offers.Rent(**MACHINE),
                                              **SIZES, cached_frac=3), "cached_frac = 3"),
        (lambda: compare.scales_frame(LOAD, offers.Buy(**MACHINE), scales=[0, 1], **SIZES),
         r"scales\[0\] = 0"),
        (lambda: staircase.break_even([1, 2], [1, math.nan], [2, 2]), r"challenger_usd\[1\] = nan"),
        (lambda: pool_cost_frame(2.0, **POOLS, cached_tokens=100, cached_time_frac=0.0),
         "prefill_gpu_hours = 10, but no token"),
        (lambda: pool_cost_frame(2.0, **(POOLS | {"prefill_gpu_hours": 0, "output_tokens": 0})),
         "decode_gpu_hours = 1, but no token"),
        (lambda: machine_s(fresh_tokens=100, output_tokens=9, cached_tokens=-1,
                           model="llama-3.1-8b", accelerator="h100-sxm", concurrency=4),
         "cached_tokens = -1"),
        (lambda: revenue.ladder_frame(), "no layers"),
        (lambda: revenue.tiers_of(Price(model="m", input_usd_per_mtok=2, output_usd_per_mtok=8),
                                  fresh_tokens=-1, output_tokens=5, cached_tokens=2),
         "fresh_tokens = -1"),
        (lambda: fleet.life_frame(**LIFE, years=0.01), "years = 0.01"),
        (lambda: fleet.keep_or_replace(**KEEP | {"resale_after_frac": 1.3}),
         "resale_after_frac = 1.3"),
        (lambda: fleet.keep_or_replace(**KEEP, kept_years=0), "kept_years = 0"),
        (lambda: fleet.keep_or_replace(**KEEP | {"old_operating_usd_per_gpu_hour": -1}),
         "old_operating_usd_per_gpu_hour = -1"),
        (lambda: owners.owner("h100-sxm", powr_load_frac=1), "nearest: power_load_frac"),
        (lambda: owners.owner("h100-sxm", network_usd_per_gpu=-5), "network_usd_per_gpu = -5"),
        (lambda: ownership.owner_cost_usd_per_gpu_hour([ownership.Asset("a", 1, 0.1, 3), 5]),
         r"capital_usd\[1\] = 5 is no Asset"),
    ],
)  # fmt: skip
def test_a_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_lists_are_arrays():
    use = Utilisation(available_frac=[0.5, 1.0], busy_frac=[0.5, 0.5])
    assert use.useful_frac.tolist() == [0.25, 0.5]
    assert cost_usd_per_accepted_task([1, 2], 0.5, [3, 4]).tolist() == [8, 12]
    pair = owners.owner("h100-sxm", network_usd_per_gpu=[1_000.0, 2_000.0]).cost_usd_per_gpu_hour
    one = owners.owner("h100-sxm", network_usd_per_gpu=2_000.0).cost_usd_per_gpu_hour
    assert pair.shape == (2,)
    assert pair[1] == pytest.approx(one)


@pytest.mark.parametrize("name", ["licence_usd_per_gpu_per_year", "staff_usd_per_gpu_per_year"])
def test_samples_that_begin_at_nothing_are_still_charged(name):
    pair = owners.owner("h100-sxm", **{name: np.array([0.0, 4_500.0])}).cost_usd_per_gpu_hour
    one = owners.owner("h100-sxm", **{name: 4_500.0}).cost_usd_per_gpu_hour
    assert pair[1] == pytest.approx(one)
    assert pair[0] < pair[1]


def test_where_capital_is_free_every_price_pays_or_none():
    free = KEEP | {"rate_per_year": 0.0, "new_residual_frac": 1.0}
    assert fleet.keep_or_replace(**free).pays_below_price_usd == math.inf
    dear = free | {"new_operating_usd_per_gpu_hour": 50.0}
    assert fleet.keep_or_replace(**dear).pays_below_price_usd == -math.inf


def test_large_whole_numbers_of_numpy_do_not_wrap_round():
    big = np.int64(10**10)
    assert revenue.seats(big, 20.0, big, days=30).tokens == 1e20


def test_a_frame_with_one_index_twice_stays_row_by_row():
    rates = pd.Series([1.0, 2.0], index=[0, 0])
    assert cost_usd_per_mtok(3.6, rates).tolist() == [1000.0, 500.0]


# -- scaling laws --------------------------------------------------------------------------------
RUNS = pd.DataFrame({"params": [1e6, 2e6, 3e6] * 3, "loss": 3.0})
RUNS["tokens"] = np.repeat([1e9, 2e9, 3e9], 3)
HOFFMANN = laws.law("hoffmann2022")
USD = {"training_usd_per_flop": 1e-18}
SERVING = model_prices.Serving(accelerator="h100-sxm", tp=4, cost_usd_per_gpu_hour=3.0)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: scaling.lifetime_optimal(HOFFMANN.E + 1e-15, 1e12, HOFFMANN), "target_loss = 1"),
        (lambda: scaling.lifetime_frame(HOFFMANN.E + 1e-15, 1e12, HOFFMANN), "target_loss = 1.69"),
        (lambda: scaling.lifetime_frame(2.0, 1e12, HOFFMANN, n=0), "n = 0"),
        (lambda: scaling.lifetime_optimal(2.0, 1e12, HOFFMANN, **USD, inference_usd_per_token=3),
         "inference_usd_per_token = 3 is no function"),
        (lambda: scaling.lifetime_optimal(2.0, 1e12, HOFFMANN, **USD,
                                          inference_usd_per_token=lambda n: -1.0),
         "inference_usd_per_token = -1"),
        (lambda: scaling.lifetime_optimal(2.0, 1e12, HOFFMANN, **USD,
                                          inference_usd_per_token=lambda n: math.nan),
         "inference_usd_per_token = nan"),
        (lambda: scaling_fit.fit_law(RUNS.assign(loss=[3.0] * 8 + [math.nan])), "loss = .* row 8"),
        (lambda: scaling_fit.fit_law(RUNS.assign(params="big")), "params = 'big' in row 0"),
        (lambda: post_training.distil_flop(7e10, 8e9, "x"), "tokens = 'x'"),
        (lambda: post_training.rl_frame([]), "no curves"),
        (lambda: model_prices.answer_price("llama-9", SERVING, input_tokens=1, output_tokens=1),
         "unknown model 'llama-9'"),
        (lambda: model_prices.answer_price("llama-3.1-70b", SERVING, input_tokens="5",
                                           output_tokens=1), "input_tokens = '5'"),
        (lambda: model_prices.answer_prices_frame(pd.DataFrame(), SERVING), "no cases"),
        (lambda: SERVING.replace(tp=0), "tp = 0"),
        (lambda: model_prices.SizePrice(np.array([1e9]), np.array([1.0])), "two sizes or more"),
        (lambda: test_time.coverage_curve([0, 5], [0, 1], [1]), "n = 0"),
        (lambda: test_time.Difficulty(a=1, b=1).coverage(-5), "k = -5"),
        (lambda: test_time.Difficulty.fit_curve([1, 2], [math.nan, 0.5]), r"coverage\[0\] = nan"),
    ],
)  # fmt: skip
def test_scaling_names_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_an_unknown_model_is_not_merely_too_slow():
    with pytest.raises(guard.UnknownName):
        model_prices.answer_price("llama-9", SERVING, input_tokens=1, output_tokens=1)


def test_work_of_many_attempts_does_not_wrap_round():
    many = np.int64(10**7)
    assert post_training.rl_flop(8e9, many, many, many, 400) == pytest.approx(10 * 8e9 * 4e23)


# -- files ---------------------------------------------------------------------------------------
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
    with pytest.raises(ValueError, match="neither a path nor the bytes"):
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
        with pytest.raises(ValueError, match=r"thousands of digits|number too long"):
            read('{"mean_ttft_ms": ' + "9" * 5_000 + "}")


def test_blank_lines_of_a_result_table_are_none():
    text = ",".join(VLLM) + "\n" + ",".join(map(str, VLLM.values())) + "\n\n"
    assert len(read_bench(text.encode(), "r.csv")) == 1


def test_a_wide_result_takes_time_in_proportion():
    doc = {"benchmarks": [{"metrics": {str(i): {"a": 1} for i in range(30_000)}}]}
    start = time.perf_counter()
    with pytest.raises(ValueError, match="n_requests is missing"):
        read_bench(json.dumps(doc).encode(), "r.json")
    assert time.perf_counter() - start < 1.5  # squared it takes over three


def test_a_scenario_nested_without_end_or_no_text_is_refused():
    for bad in ("[" * 100_000, None, b"{}"):
        with pytest.raises(ValueError, match="scenario"):
            Scenario.from_json(bad)
    text = Scenario.default().to_json()
    assert Scenario.from_json("\ufeff" + text) == Scenario.from_json(text)


def test_names_of_columns_are_no_formulas_either(tmp_path):
    twice = pd.DataFrame([["=1", 2], ["b", 3]], columns=["=cmd()", "=cmd()"])
    assert export(twice, tmp_path / "a.csv").read_text() == "'=cmd(),'=cmd()\n'=1,2\nb,3\n"


def test_a_table_that_parquet_cannot_hold_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"a\.parquet: Parquet cannot hold"):
        export(pd.DataFrame({"a": [1, "x"]}), tmp_path / "a.parquet")
    assert not list(tmp_path.iterdir())


# -- the planner ---------------------------------------------------------------------------------
FEW = {"accelerators": "h100-sxm", "precisions": "fp8", "parallelism": [(4, 1, 1, 1)],
       "concurrencies": 8, "n_refined": 0}  # fmt: skip


def test_a_single_name_is_a_list_of_one():
    found = plan(Scenario.default(), **FEW)
    assert found[["accelerator", "precision", "tp", "concurrency"]].to_numpy().tolist() == [
        ["h100-sxm", "fp8", 4, 8]
    ]
    twice = plan(Scenario.default(), **FEW | {"accelerators": ["h100-sxm", "h100-sxm"]})
    assert len(twice) == 1


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"precisions": ["fp9"]}, "unknown precision 'fp9'; nearest: fp8"),
        ({"precisions": [None]}, "unknown precision"),
        ({"policies": "chunked"}, "unknown policy 'chunked'; nearest: chunked_prefill"),
        ({"policies": [], "n_refined": 1}, "no policy"),
        ({"parallelism": [(1, 1)]}, "is not four numbers"),
        ({"parallelism": [("a", 1, 1, 1)]}, "tp = 'a'"),
        ({"parallelism": [(0, 1, 1, 1)]}, "tp = 0"),
        ({"accelerators": None, "concurrencies": {}}, "no concurrency"),
        ({"accelerators": object()}, "accelerators = .* a list"),
        ({"peak_factor": "2"}, "peak_factor = '2'"),
        ({"seed": "a"}, "seed = 'a'"),
        ({"seed": -1}, "seed = -1"),
        ({"trace": 5}, "trace: 5 is no table"),
        ({"trace": TRACE.assign(input_tokens=0)}, "trace row 1, column input_tokens"),
    ],
)
def test_a_plan_names_what_is_wrong(settings, says):
    with pytest.raises(ValueError, match=says):
        plan(Scenario.default(), **FEW | settings)
