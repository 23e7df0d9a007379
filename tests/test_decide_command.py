"""`econ decide` and `econ init`: flags as people type them, JSON that parses, whole files."""

import json

import pytest

from econ.cli import main
from econ.decision.answer import JSON_KEYS

ASK = ["decide", "--model", "Qwen/Qwen3-32B", "--tokens-per-day", "40M", "--ttft", "1", "--itl",
       "0.05", "--accelerator", "H100", "--precision", "fp8"]  # fmt: skip


def test_json_has_the_keys_that_were_promised(capsys):
    assert main([*ASK, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {"question", "chosen", "options", "what_would_change_it", "measure_next"} <= set(said)
    assert all(tuple(one) == JSON_KEYS for one in said["options"])
    kinds = {one["kind"] for one in said["options"]}
    assert {"api", "on-demand", "reserved", "own"} <= kinds


def test_a_closed_model_is_priced_at_its_sellers(capsys):
    assert main(["decide", "--model", "gpt-5-mini", "--tokens-per-day", "40M", "--json"]) == 0
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert {one["kind"].partition("-")[0] for one in said["options"]} == {"api"}
    assert "of gpt-5-mini" in said["question"]
    assert "only its sellers are weighed" in err


def test_files_are_written_once(tmp_path, capsys):
    out = [str(tmp_path / f"memo{ending}") for ending in (".html", ".md", ".xlsx")]
    assert main([*ASK, "--term", "on-demand,own", "--out", *out]) == 0
    assert "Take the API of" in capsys.readouterr().out
    page = (tmp_path / "memo.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "what to run" in page
    assert (tmp_path / "memo.md").read_text(encoding="utf-8").startswith("# ")
    assert (tmp_path / "memo.xlsx").read_bytes()[:2] == b"PK"
    assert main([*ASK, "--out", out[1]]) == 2
    assert "is there already" in capsys.readouterr().err


def test_init_writes_what_decide_reads(tmp_path, capsys):
    file = tmp_path / "service.toml"
    assert main(["init", str(file)]) == 0
    assert main(["init", str(file)]) == 2
    capsys.readouterr()
    quick = ["--accelerator", "H100", "--precision", "fp8", "--term", "on-demand", "--json"]
    assert main(["decide", str(file), *quick, "--requests-per-s", "1"]) == 2
    assert "not both" in capsys.readouterr().err
    assert main(["decide", str(file), *quick]) == 0
    said = json.loads(capsys.readouterr().out)
    assert 3 < said["chosen"]["usd_per_day"] < 6
    file.write_text('modell = "qwen3-32b"\n')
    assert main(["decide", str(file)]) == 2
    assert "nearest: model" in capsys.readouterr().err


def test_quotes_of_a_file(tmp_path, capsys):
    prices = tmp_path / "prices.csv"
    prices.write_text("provider,input_usd_per_mtok,output_usd_per_mtok,accelerator,term,"
                      "usd_per_gpu_hour\nAcme,0.01,0.02,,,\n,,,H100,,2.5\n")  # fmt: skip
    assert main([*ASK, "--prices", str(prices), "--term", "on-demand", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["chosen"]["seller"] == "Acme"
    rented = next(one for one in said["options"] if one["kind"] == "on-demand")
    assert (rented["seller"], rented["n_gpu"]) == ("your quote", 1)
    prices.write_text("provider,input_usd_per_mtok,output_usd_per_mtok\nAcme,cheap,1\n")
    assert main([*ASK, "--prices", str(prices)]) == 2
    assert "prices.csv row 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give --model"),
        (["--model", "qwen3-32c"], "qwen3-32b"),
        ([*ASK[1:], "--api-price", "Acme"], "SELLER=IN/OUT"),
        ([*ASK[1:], "--measured", "Acme=fast"], "SELLER=TOKENS_PER_S/TTFT_S"),
        ([*ASK[1:], "--region", "atlantis"], "unknown region 'atlantis'"),
        ([*ASK[1:], "--region", "eu-central-9"], "nearest: eu-central-2, eu-central-1"),
        (["--model", "gpt-5-mini", "--no-api"], "closed model: it has no weights to serve"),
        ([*ASK[1:], "--tokens-per-day", "0"], "--tokens-per-day = 0"),
        ([*ASK[1:], "--out", "memo.pdf"], ".xlsx"),
    ],
)
def test_bad_words_are_named(words, said, capsys):
    assert main(["decide", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_terminal_says_what_was_assumed_and_what_is_not_published(capsys):
    long = ["--input-tokens", "20000", "--output-tokens", "400", "--cached-frac", "0.95"]
    words = [*ASK[:3], "--requests-per-s", "1", *long, *ASK[9:], "--term", "on-demand"]
    assert main([*words, "--seller", "HuggingFace (nscale)"]) == 0
    said = capsys.readouterr().out
    unproven = "Unproven: the speed of HuggingFace (nscale) is not published. Take the API of"
    assert said.startswith(unproven)
    line = next(one for one in said.splitlines() if one.startswith("assumed: "))
    for part in ("1 requests/s", "95% of them cached", "TTFT within 1 s", "staff of machines",
                 "no cached price is listed: all input at full price"):  # fmt: skip
        assert part in line
    assert said.index("assumed") < said.index("would change it")


def test_a_price_beyond_the_slo_warns(capsys):
    words = ["cost", "--model", "qwen3-8b", "--accelerator", "h100-sxm"]
    assert main([*words, "--concurrency", "100000"]) == 0
    assert "beyond the SLO" in capsys.readouterr().out


def test_sessions_take_the_place_of_requests_and_say_what_a_task_costs(tmp_path, capsys):
    ask = ["decide", "--model", "Qwen/Qwen3-32B", "--sessions", "support", "--term", "api"]
    page = tmp_path / "memo.md"
    assert main([*ask, "--sessions-per-s", "1", "--json", "--out", str(page)]) == 0
    said = json.loads(capsys.readouterr().out)
    rows = {row["option"]: row for row in said["per_task"]}
    chosen = rows[said["chosen"]["name"]]
    assert chosen["usd_per_turn"] < chosen["usd_per_session"] < chosen["usd_per_task"]
    assert chosen["site_j_per_task"] is None
    memo = page.read_text(encoding="utf-8")
    assert "## What a finished task costs" in memo
    assert "its joules and seconds are not published" in memo


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--sessions", "suport"], "nearest: support"),
        (["--sessions", "support", "--tokens-per-day", "40M"], "--tokens-per-day is of single"),
        (["--sessions-per-s", "1"], "--sessions-per-s belongs to --sessions"),
    ],
)
def test_what_contradicts_sessions_is_refused(flags, words, capsys):
    assert main(["decide", "--model", "qwen3-32b", *flags]) == 2
    assert words in capsys.readouterr().err
