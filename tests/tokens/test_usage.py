"""Bills: every export under its real column names, recomputed by hand."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from econ.catalog import Price, price_now
from econ.catalog.prices import prices_now_frame
from econ.catalog.tables import table
from econ.scenario import Scenario
from econ.tokens import read_trace, read_usage
from econ.tokens.usage_lines import PROMPT_LIMITS

USAGE = Path(__file__).parents[1] / "fixtures" / "usage"
CONSOLE = 3.0 + 4 * 0.3 + 0.2 * 3.75 + 0.1 * 6 + 0.3 * 15  # Sonnet 4.5, a day in USD

# file -> format, requests, fresh, read, written (5 min + 1 h), output, reasoning, billed, list
RIGHT = {
    "anthropic_console.csv": ("Anthropic usage", 0, 3e6, 4e6, 3e5, 4e5, 0, None, CONSOLE + 3.75),
    "anthropic_cost.csv": ("Anthropic costs", 0, 0, 0, 0, 0, 0, 10.15, 0),
    "anthropic_costs.json": ("Anthropic costs", 0, 0, 0, 0, 0, 0, 7.6, 0),  # cents
    "anthropic_usage.json": (
        "Anthropic usage", 0, 4e6, 4e6, 3e5, 4.1e5, 0, None, CONSOLE + 3.75 + 6 + 0.01 * 22.5),
    "focus.csv": ("FOCUS", 0, 12e6, 10e6, 0, 4e6, 0, 11.15, 11.25),
    "langfuse_days.json": ("Langfuse daily metrics", 90, 1e6, 0, 0, 125e3, 0, 0.5, 0.5),
    "langfuse_observations.csv": (
        "Langfuse export", 2, 1800, 200, 0, 300, 50, 0.001055, 0.00045 + 0.000005 + 0.0006),
    "litellm_days.json": (
        "LiteLLM daily spend", 903, 1e6, 2e5, 0, 3e5, 0, 7.2, 0.8 * 2.5 + 0.2 * 0.25 + 4.5 + 0.2),
    "litellm_spend_logs.csv": (
        "LiteLLM spend log", 2, 265, 2000, 0, 524, 0, 0.0065361, 0.0005 + 0.0075),
    "openai_activity_old.json": (
        "OpenAI usage", 40, 3e4, 1e4, 0, 8e3, 0, None, 0.0045 + 0.00075 + 0.0048),
    "openai_costs.csv": ("OpenAI costs", 0, 0, 0, 0, 0, 0, 11.65, 0),
    "openai_costs.json": ("OpenAI costs", 0, 0, 0, 0, 0, 0, 11.0, 0),
    "openai_usage.json": (
        "OpenAI usage", 20_010, 19e6, 10e6, 0, 5.1e6, 0, None,
        11.25 + 4 * 1.25 + 7.5 + 3 * 2.5 + 0.1 * 11.25),  # flex, prompts of 300,000
    "openrouter_activity.csv": ("OpenRouter activity", 2, 1212, 512, 0, 740, 0, 0.00093, None),
    "openrouter_days.json": ("OpenRouter activity", 500, 1e6, 0, 0, 2e5, 12e4, 0.5, None),
    "otlp_spans.json": ("OpenTelemetry spans", 2, 1724, 0, 0, 740, 0, None, 0),
    "plain.csv": ("plain columns", 1500, 3e6, 0, 0, 375e3, 0, 1.5, 1.5),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("packed", [False, True])
def test_an_export_is_read_as_what_it_is(name, packed):
    form, n, fresh, read, written, output, reasoning, billed, listed = RIGHT[name]
    data = (USAGE / name).read_bytes()
    bill = (
        read_usage(gzip.compress(data), name=f"{name}.gz") if packed else read_usage(USAGE / name)
    )
    sums = bill.row()
    assert bill.read["format"] == form
    assert sums["n_requests"] == n
    assert (sums["fresh_input_tokens"], sums["cache_read_tokens"]) == (fresh, read)
    assert sums["cache_write_tokens"] + sums["cache_write_1h_tokens"] == written
    assert (sums["output_tokens"], sums["reasoning_tokens"]) == (output, reasoning)
    assert bill.billed_usd == pytest.approx(
        billed if billed is not None else float("nan"), nan_ok=True
    )
    if listed is not None:
        assert bill.list_usd == pytest.approx(listed)
    assert form.split(",")[0] in bill.describe()
    parts = bill.kinds()
    assert parts["usd"].sum() == pytest.approx(bill.list_usd)


def test_a_usage_and_a_cost_export_are_one_bill():
    bill = read_usage(USAGE / "openai_usage.json", USAGE / "openai_costs.csv")
    mini = bill.by("model").loc["gpt-5-mini-2025-08-07"]
    assert (mini["billed_usd"], mini["list_usd"]) == (11.25, pytest.approx(11.25))
    assert bill.paid_usd == pytest.approx(11.65 + 21.125)  # the others at their list
    titled = read_usage(USAGE / "anthropic_console.csv", USAGE / "anthropic_cost.csv")
    both = titled.by("day", "model").loc[("2026-10-20", "claude-sonnet-4-5-20250929")]
    assert both["billed_usd"] == pytest.approx(both["list_usd"]) == pytest.approx(CONSOLE)
    data = (USAGE / "openai_usage.json").read_bytes()
    with pytest.raises(ValueError, match=r"both count gpt-5-mini-2025-08-07 on 2026-10-20"):
        read_usage(data, data, name=["a.json", "b.json"])


def test_the_same_tokens_elsewhere():
    bill = read_usage(USAGE / "openai_usage.json")
    half = bill.services().set_index(["model", "service"])["usd"]
    assert half["gpt-5-mini-2025-08-07", "batch"] == pytest.approx(
        half["gpt-5-mini-2025-08-07", "standard"] / 2
    )
    own = Price(model="own", input_usd_per_mtok=0.1, output_usd_per_mtok=0.3)
    assert bill.usd_on(own) == pytest.approx(29 * 0.1 + 5.1 * 0.3)
    assert bill.usd_on(own, model="gpt-5.4-2026-03-05") == pytest.approx(7 * 0.1 + 1.1 * 0.3)
    with pytest.raises(ValueError, match=r"unknown model of the bill 'gpt-5\.5'"):
        bill.usd_on(own, model="gpt-5.5")
    with pytest.raises(ValueError, match="unknown part of a bill 'modle'; nearest: model"):
        bill.by("modle")


def test_a_bill_is_a_load():
    bill = read_usage(USAGE / "openai_usage.json")
    asked = bill.workload("gpt-5-mini-2025-08-07")
    assert asked.rate_per_s == pytest.approx(18_000 / 86_400)
    assert asked.mean_input_tokens == pytest.approx(22e6 / 18e3)
    assert asked.mean_output_tokens == pytest.approx(4e6 / 18e3)
    assert asked.cached_frac == pytest.approx(10 / 22)
    spread = bill.workload("gpt-5-mini-2025-08-07", like="chat")
    assert spread.mean_input_tokens == pytest.approx(22e6 / 18e3, rel=0.01)
    assert spread.input_quantile_tokens[0] < spread.input_quantile_tokens[-1]
    served = Scenario.default().with_(workload=asked, model="qwen3-32b")
    assert Scenario.from_json(served.to_json()).workload == asked
    for name in ("focus.csv", "anthropic_usage.json", "openai_costs.csv"):
        with pytest.raises(ValueError, match="no number of requests"):
            read_usage(USAGE / name).workload()
    asked = read_usage(USAGE / "focus.csv").workload(requests_per_day=20_000)
    assert (asked.rate_per_s, asked.mean_input_tokens) == (pytest.approx(20_000 / 86_400), 1100)


def test_single_requests_give_the_load_of_their_trace():
    data = (USAGE / "openrouter_activity.csv").read_bytes()
    first = data.splitlines()[1]
    data += first.replace(b"10:01:02.511", b"10:01:07.511") + b"\n"
    bill, trace = read_usage(data, name="a.csv"), read_trace(data, name="a.csv")
    asked = bill.workload()
    assert bill.workload(bill.models[0]).rate_per_s == asked.rate_per_s
    assert asked.rate_per_s == pytest.approx(2 / trace["arrival_s"].iloc[-1])
    assert asked.mean_input_tokens == pytest.approx(trace["input_tokens"].mean(), rel=0.01)


def test_parquet_and_lines_and_other_names(tmp_path):
    frame = pd.read_csv(USAGE / "focus.csv").astype({"x_model": str})
    frame["ChargePeriodStart"] = pd.to_datetime(frame["ChargePeriodStart"])
    frame.to_parquet(tmp_path / "focus.parquet")
    assert read_usage(tmp_path / "focus.parquet").list_usd == pytest.approx(11.25)
    rows = json.loads((USAGE / "openai_usage.json").read_text())["data"][0]["results"]
    lines = "\n".join(json.dumps(row | {"start_time": 1792454400}) for row in rows)
    assert read_usage(lines.encode(), name="a.jsonl").list_usd == pytest.approx(32.375)
    own = b"when,llm,in,out\n2026-10-20,gpt-5-mini,1000000,125000\n"
    columns = {"when": "day", "llm": "model", "in": "input", "out": "output"}
    assert read_usage(own, name="a.csv", columns=columns).list_usd == pytest.approx(0.5)
    with pytest.raises(ValueError, match="unknown column of a bill 'inputs'; nearest: input"):
        read_usage(own, name="a.csv", columns={"in": "inputs"})
    with pytest.raises(ValueError, match=r"unknown column of a\.csv 'inn'; nearest: in"):
        read_usage(own, name="a.csv", columns=columns | {"inn": "fresh"})


def test_another_currency_needs_a_rate():
    data = (USAGE / "focus.csv").read_bytes().replace(b",USD,", b",EUR,")
    with pytest.raises(ValueError, match="row 1, column BillingCurrency: 'EUR' is not USD"):
        read_usage(data, name="focus.csv")
    bill = read_usage(data, name="focus.csv", usd_per={"EUR": 1.1})
    assert bill.billed_usd == pytest.approx(11.15 * 1.1)
    with pytest.raises(ValueError, match=r"usd_per\['EUR'\] = 0"):
        read_usage(data, name="focus.csv", usd_per={"EUR": 0})


ROW = "2026-10-20,gpt-5-mini,{},{},{}\n"
ODD = {
    "text": (("x", "5", "0"), "row 1, column input_tokens: 'x' is not a number"),
    "negative": (("-5", "5", "0"), "row 1, column input_tokens: '-5' is outside its range"),
    "more cached than read": (
        ("5", "5", "9"),
        "column cached_tokens: '9' is more than the input of 5",
    ),
    "NaN": (("5", "inf", "0"), "row 1, column output_tokens: 'inf' is not a number"),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_cell_is_named(odd):
    cells, says = ODD[odd]
    head = "date,model,input_tokens,output_tokens,cached_tokens\n"
    with pytest.raises(ValueError, match=f"a.csv .*{says}"):
        read_usage((head + ROW.format(*cells)).encode(), name="a.csv")
    for bad in ("10/20/2026", "tomorrow"):
        with pytest.raises(ValueError, match=r"column date: .* is no day or moment"):
            read_usage(f"{head}{bad},m,5,5,0\n".encode(), name="a.csv")


def test_totals_of_langfuse_show_what_is_counted_in_what():
    head = "startTime,providedModelName,usageDetails\n"
    details = '{{""input"": 100, ""cache_read_input_tokens"": 40, ""output"": 10, ""total"": {}}}'
    row = f'2026-10-20T10:00:00Z,gpt-5-mini,"{details}"\n'
    fresh = {
        total: read_usage((head + row.format(total)).encode(), name="a.csv").row()
        for total in (110, 150)
    }
    assert [fresh[t]["fresh_input_tokens"] for t in (110, 150)] == [60, 100]
    with pytest.raises(ValueError, match="the total of 120 tokens is neither"):
        read_usage((head + row.format(120)).encode(), name="a.csv")


def test_what_is_no_bill_says_what_it_has():
    with pytest.raises(ValueError, match=r"a.csv: no usage or cost export: .* it has a, b"):
        read_usage(b"a,b\n1,2\n", name="a.csv")
    with pytest.raises(ValueError, match="holds no row that was billed"):
        read_usage(b"date,model,input_tokens,output_tokens\n2026-10-20,m,0,0\n", name="a.csv")
    with pytest.raises(ValueError, match="column model is there twice"):
        read_usage(b"date,model,model,input_tokens,output_tokens\n", name="a.csv")
    with pytest.raises(ValueError, match="no file"):
        read_usage()


def test_no_list_price_is_a_reason():
    head = "date,model,provider,service_tier,input_tokens,output_tokens,input_audio_tokens\n"
    rows = ("2026-10-20,gtp-9,,,5,5,0\n2026-10-20,gpt-5-mini,,flax,5,5,0\n"
            "2026-10-20,llama,hosted_vllm,,5,5,0\n2026-10-20,gpt-5,,,5,5,5\n"
            "2026-10-20,gpt-5-mini,Elsewhere,,5,5,0\n")  # fmt: skip
    reasons = set(read_usage((head + rows).encode(), name="a.csv").lines["reason"])
    assert reasons == {
        "gtp-9: no list price",
        "unknown service 'flax'; nearest: flex",
        "llama: served by yourself (hosted_vllm)",
        "gpt-5: audio tokens have a price of their own",
        "gpt-5-mini: no list price at Elsewhere",
    }


def test_every_length_at_which_a_list_changes_is_a_limit():
    listed = {r.above_input_tokens for rates in prices_now_frame()["other_rates"] for r in rates}
    assert listed | set(table("api_rates")["above_input_tokens"]) <= {0, *PROMPT_LIMITS}


def test_a_failed_call_that_was_billed_counts():
    data = (USAGE / "litellm_spend_logs.csv").read_bytes()
    paid = data.replace(b"r-3,acompletion,k,0,0,0,0,", b"r-3,acompletion,k,0.001,400,400,0,")
    bill = read_usage(paid, name="a.csv")
    assert bill.billed_usd == pytest.approx(0.0065361 + 0.001)
    assert bill.read["dropped"] == {"an answer from the gateway's cache": 1}


def test_prices_are_those_of_the_day():
    head = "date,model,input_tokens,output_tokens\n"
    rows = "2026-10-20,gpt-5-mini,1000000,0\n2026-10-21,gpt-5-mini,1000000,0\n"
    lines = read_usage((head + rows).encode(), name="a.csv").lines
    usd = [price_now("gpt-5-mini", on=pd.Timestamp(d, tz="UTC")).input_usd_per_mtok
           for d in ("2026-10-20", "2026-10-21")]  # fmt: skip
    assert lines["list_usd"].tolist() == pytest.approx(usd)
