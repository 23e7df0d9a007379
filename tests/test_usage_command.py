"""``econ usage``: the bill in words and as JSON, and the scenario that goes on into a plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from econ import usage_command
from econ.cli import main, read_scenario
from econ.decision import decide

USAGE = Path(__file__).parent / "fixtures" / "usage"
BENCH = USAGE.parent / "bench"
MINI = str(USAGE / "openai_usage.json")


def test_a_bill_in_words_and_as_json(capsys, tmp_path):
    out = tmp_path / "mine.json"
    costs = str(USAGE / "openai_costs.csv")
    assert main(["usage", MINI, costs, "--model", "Qwen/Qwen3-32B", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "$11.65 billed, $32.38 at list prices" in said
    assert "$32.77 and 34,100,000 tokens a day" in said
    scenario = read_scenario(str(out))
    assert scenario.model == "qwen3-32b"
    assert scenario.workload.rate_per_s == pytest.approx(20_010 / 86_400)
    assert main(["usage", MINI, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["billed_usd"] is None
    assert found["list_usd"] == pytest.approx(32.375)
    assert {row["service"] for row in found["services"]} == {
        "standard",
        "batch",
        "flex",
        "priority",
    }
    assert main(["usage", MINI, "--model", "qwen3-32b", "--out", str(out)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_bill_of_an_open_model_needs_no_name(tmp_path):
    out = tmp_path / "mine.json"
    assert main(["usage", str(USAGE / "openrouter_activity.csv"), "--out", str(out)]) == 0
    assert read_scenario(str(out)).model == "qwen3-32b"


def test_you_pay_this_and_here_is_what_else(capsys, monkeypatch):
    asked = []

    def quick(scenario):
        asked.append(scenario)
        return decide(scenario, ["H100"], ["fp8"], n_refined=0, n_draws=200)

    monkeypatch.setattr(usage_command, "decide", quick)
    words = ["usage", MINI, "--model", "qwen3-32b", "--like", "chat", "--decide"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "You pay $32.38 a day. On qwen3-32b:" in said
    assert "than you pay." in said
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    chosen = quick(asked[0]).chosen
    assert found["decision"]["chosen"]["usd_per_day"] == pytest.approx(chosen.usd_per_day)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([MINI, "--model", "gpt-5-mini"], "gpt-5-mini is a closed model"),
        ([MINI, "--out", "never.json"], "is an open model of the catalogue: name the one"),
        ([str(USAGE / "focus.csv"), "--model", "qwen3-32b"], "give requests_per_day"),
        ([MINI, "--usd-per", "EUR=x"], "give CURRENCY=USD"),
        ([MINI, "--columns", "model"], "give THEIRS=OURS"),
        (["missing.csv"], "missing.csv: there is no such file"),
        ([str(BENCH / "vllm.json")], "this is a benchmark: econ.latency.read_bench"),
        ([str(BENCH / "genai_perf_export.csv")], "this is a benchmark: econ.latency.read_bench"),
    ],
)
def test_what_is_wrong_is_one_line(words, says, capsys):
    assert main(["usage", *words]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_seconds_are_not_a_day(capsys, tmp_path):
    log = tmp_path / "seconds.csv"
    log.write_text("created_at,model,tokens_prompt,tokens_completion,cost_total\n"
                   "2026-03-02T10:01:02Z,qwen/qwen3-32b,812,320,0.0004\n"
                   "2026-03-02T10:01:03Z,qwen/qwen3-32b,912,420,0.0005\n")  # fmt: skip
    assert main(["usage", str(log)]) == 0
    assert capsys.readouterr().out.startswith("Warning: seconds.csv spans 1 s: too short")
    assert main(["usage", str(log), "--decide"]) == 2
    assert "give an hour or more" in capsys.readouterr().err
