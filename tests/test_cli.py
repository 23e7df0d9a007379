"""The command line: answers, JSON that parses, one line and exit code 2 for what is wrong."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from econ.catalog import accelerator
from econ.catalog.units import HOUR_S, MTOK
from econ.cli import main
from econ.latency.prediction import predict
from econ.latency.users import users_within
from econ.scenario import Scenario
from econ.tokens.workloads import workload

COST = ["cost", "--model", "llama-3.1-8b", "--accelerator", "h100-sxm", "--input-tokens", "1000",
        "--output-tokens", "300", "--concurrency", "16"]  # fmt: skip
PLAN = ["plan", "--accelerators", "h100-sxm", "--precisions", "fp8", "--policies",
        "chunked_prefill"]  # fmt: skip


def test_cost_is_the_models(capsys):
    assert main([*COST, "--usd-per-gpu-hour", "3.6", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    one = predict(
        Scenario.of("llama-3.1-8b", "h100-sxm", input_tokens=1000, output_tokens=300),
        concurrency=16,
    )
    rate = one.output_tokens_per_s_per_gpu
    assert found["cost_usd_per_mtok"] == pytest.approx(3.6 / HOUR_S / rate * MTOK)
    assert found["cost_low_usd_per_mtok"] < found["cost_usd_per_mtok"]
    assert found["tpot_s"] == pytest.approx(one.tpot_s)
    assert main(COST) == 0
    assert "per GPU-hour, 16 users in flight" in capsys.readouterr().out


def test_cost_without_lengths_is_that_of_a_chat(capsys):
    assert main([*COST[:5], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    one = Scenario.of("llama-3.1-8b", "h100-sxm")
    users = users_within(one)
    assert found["concurrency"] == users
    assert found["tpot_s"] == pytest.approx(predict(one, concurrency=users).tpot_s)


def test_a_plan_from_a_file_with_its_reports(tmp_path, capsys):
    scenario = tmp_path / "scenario.json"
    scenario.write_text(Scenario.default().to_json())
    out = [str(tmp_path / name) for name in ("r.html", "p.csv", "p.parquet")]
    assert main([*PLAN[:1], str(scenario), *PLAN[1:], "--out", *out]) == 0
    told = capsys.readouterr().out
    assert "best: " in told
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(pd.read_csv(out[1])) == len(pd.read_parquet(out[2]))
    assert main([*PLAN, "--out", out[0]]) == 2
    assert "is there already and is left as it is" in capsys.readouterr().err


def test_own_objects_in_a_file_are_planned_and_priced(tmp_path, capsys):
    gpu = dataclasses.replace(accelerator("h100-sxm"), id="my-gpu")
    own = Scenario.default().with_(accelerator=gpu, cost_usd_per_gpu_hour=2.0)
    file = tmp_path / "own.json"
    file.write_text(own.to_json())
    few = ["--accelerators", "my-gpu", "h200-sxm", "--precisions", "fp8", "--json"]
    assert main(["plan", str(file), *few]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {row["accelerator"] for row in answer["first"]} == {"my-gpu", "h200-sxm"}
    assert main(["cost", str(file), "--json"]) == 0
    priced = json.loads(capsys.readouterr().out)
    assert priced["usd_per_gpu_hour"] == 2.0
    assert sum(priced["layers_usd_per_mtok"].values()) == pytest.approx(priced["cost_usd_per_mtok"])
    half = ["cost", str(file), "--utilisation-frac", "0.5", "--json"]
    assert main(half) == 0
    idle = json.loads(capsys.readouterr().out)["cost_usd_per_mtok"]
    assert idle == pytest.approx(2 * priced["cost_usd_per_mtok"])


def test_a_models_own_config_is_planned_and_priced(tmp_path, capsys):
    config = tmp_path / "config.json"
    shape = {"model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "vocab_size":
             128256, "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size":
             14336, "max_position_embeddings": 131072, "torch_dtype": "bfloat16",
             "tie_word_embeddings": False}  # fmt: skip
    config.write_text(json.dumps(shape))
    assert main([*PLAN, "--model", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["best"]["accelerator"] == "h100-sxm"
    assert main([*COST[:2], str(config), *COST[3:], "--json"]) == 0
    own = json.loads(capsys.readouterr().out)["tpot_s"]
    assert main([*COST, "--json"]) == 0
    assert own == json.loads(capsys.readouterr().out)["tpot_s"]


def test_a_plan_as_json_alone(capsys):
    assert main([*PLAN, "--json", "--spare", "1", "--rate-per-s", "20"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["best"]["accelerator"] == "h100-sxm"
    assert found["best"]["n_replicas"] >= 2
    assert sum(found["constraints"].values()) == found["n_deployments"]


def test_a_trace_takes_the_workloads_place(tmp_path, capsys):
    path = tmp_path / "day.csv"
    workload("chat").sample(500, 3).to_csv(path, index=False)
    assert main([*PLAN, "--trace", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["best"]["basis"] == "simulated"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plan", "nowhere.json"], "econ plan: nowhere.json: there is no such file\n"),
        (["plan", "BAD"], r"bad.json: a scenario line 1: not JSON"),
        (["plan", "DEEP"], "deep.json: a scenario: nested too deeply"),
        (["plan", "LATIN"], "not UTF-8 at byte"),
        ([*PLAN, "--price", "h100-sxm"], "give ACCELERATOR=USD_PER_HOUR"),
        ([*PLAN, "--price", "h100-smx=3"], "unknown accelerator 'h100-smx'"),
        ([*PLAN, "--price", "mi300x=3"], "price of mi300x: it is not among the accelerators"),
        ([*PLAN, "--rate-per-s", "-1"], "rate_per_s = -1"),
        ([*PLAN, "--out", "plan.xlsx"], "give a .html, .csv or .parquet"),
        ([*PLAN, "--trace", "day.xlsx"], "give a .csv, .json"),
        (["cost", "--model", "llama-3.1-8b"], "or --accelerator"),
        ([*COST[:2], "llama-9", *COST[3:]], "unknown model 'llama-9'"),
        ([*COST, "--n-gpu", "3", "--tp", "2"], "n_gpu = 3"),
        ([*COST[:4], "l4", *COST[5:], "--usd-per-gpu-hour", "1", "--concurrency", "0"], "concurr"),
        ([*COST[:2], "llama-3.1-70b", *COST[3:]], "does not fit"),
        ([*COST, "--utilisation-frac", "90"], "utilisation_frac = 90"),
    ],
)
def test_what_is_wrong_is_one_line(words, says, tmp_path, capsys):
    files = {"BAD": ("bad.json", b"{"), "DEEP": ("deep.json", b"[" * 200_000),
             "LATIN": ("latin.json", b'{"name": "\xe9"}')}  # fmt: skip
    for name, (file, data) in files.items():
        (tmp_path / file).write_bytes(data)
        words = [str(tmp_path / file) if w == name else w for w in words]
    assert main(words) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "econ", "--version"], capture_output=True, text=True, timeout=600,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.strip()
