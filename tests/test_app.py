"""The form of the app and of notebook 15."""

from __future__ import annotations

import base64
import re

import pandas as pd
import pytest

from econ.app import Cancelled, Form
from econ.scenario import Scenario
from econ.tokens.workloads import workload

TRACE = workload("chat").sample(600, 4)
QUICK = {"n_refined": 1, "precisions": ["fp8"], "n_draws": 100}


@pytest.fixture
def form():
    form = Form(n_requests=300)
    form.controls["model"].value = "Qwen/Qwen3-32B"
    form.controls["accelerators"].value = ("h100-sxm",)
    return form


def test_the_form_decides_what_its_controls_say(form):
    form.controls["itl"].value = "0.04"
    form.controls["amount"].value = "80M"
    assert form.scenario.slo.tpot_s == 0.04
    w = form.scenario.workload
    day = w.rate_per_s * 86_400 * (w.mean_input_tokens + w.mean_output_tokens)
    assert day == pytest.approx(80e6)
    form.run(wait=True, **QUICK)
    assert form.readout == str(form.decision)
    assert "API $" in form.readout
    assert "rent $" in form.readout
    assert form._shows.value.index("How sure") < form._shows.value.index("Evidence")
    links = dict(re.findall(r'download="([^"]+)" href="data:[^;]+;base64,([^"]+)"',
                            form._shows.value))  # fmt: skip
    assert list(links) == ["memo.html", "memo.md", "finance.xlsx", "options.csv", "scenario.json"]
    taken = Scenario.from_json(base64.b64decode(links["scenario.json"]).decode())
    assert taken == form.scenario


def test_a_link_carries_the_state(form):
    form.controls["no_api"].value = True
    form.controls["price"].value = "H100=2.5"
    assert Form.of_link(form.link).words == form.words
    assert "cannot be read" in Form.of_link("?ask=zz").readout


def test_an_upload_takes_the_workloads_place(form):
    data = TRACE.to_csv(index=False).encode()
    form.load("trace", "monday.csv", data)
    assert form.readout.startswith("Qwen3-32B: monday, ")
    assert len(form.trace) == 600
    assert "--trace" in form.words
    form.controls["workload"].value = "rag"
    assert "--trace" not in form.words
    assert form.scenario.workload.id == "rag"


def test_a_config_takes_the_models_place(form):
    config = (
        b'{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 4096, '
        b'"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, '
        b'"intermediate_size": 14336, "vocab_size": 128256, "torch_dtype": "bfloat16", '
        b'"max_position_embeddings": 131072, "tie_word_embeddings": false}'
    )
    form.load("model", "config.json", config)
    assert form.scenario.resolved_model.n_layers == 32
    form.load("model", "config.json", b"{}")
    assert form.scenario.resolved_model.n_layers == 32


def test_a_logs_own_columns_are_named_in_the_form(form):
    data = TRACE.rename(columns={"arrival_s": "when"}).to_csv(index=False).encode()
    form.load("trace", "monday.csv", data)
    assert "no column arrival_s; it has when" in form.readout
    form.controls["columns"].value = "when=arrival_s"
    form.load("trace", "monday.csv", data)
    assert form.readout.startswith("Qwen3-32B: monday, ")


def test_a_bad_upload_is_said_and_the_last_good_one_stays(form):
    before = form.words
    form.load("trace", "<i>x</i>.csv", b"arrival_s,input_tokens,output_tokens\n0,1,=2\n")
    assert "is a formula" in form.readout
    assert "<i>" not in form._says.value
    assert form.words == before
    form.upload.value = ({"name": "x.xlsx", "type": "", "size": 1, "content": memoryview(b"x"),
                          "last_modified": pd.Timestamp("2026-01-01", tz="UTC")},)  # fmt: skip
    assert "give a .csv, .json, .jsonl, .ndjson, .log or .parquet file" in form.readout


def test_an_upload_that_is_too_large_lets_go_of_the_one_before(form, monkeypatch):
    data = TRACE.to_csv(index=False).encode()
    form.load("trace", "monday.csv", data)
    assert "--trace" in form.words
    form.watch.refused = ["trace", "year.csv", 300_000_000, 1]  # by the page, which did not send it
    assert form.readout.startswith("year.csv: 300 MB; at most 32 MB are taken")
    assert "--trace" not in form.words
    form.load("trace", "monday.csv", data)
    monkeypatch.setattr("econ.app.MOST_UPLOAD_BYTES", 100)
    form.load("trace", "monday.csv", data)
    assert "at most 0 MB" in form.readout
    assert "--trace" not in form.words


def test_where_python_has_no_threads_it_decides_at_once(form, monkeypatch):
    def none(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", none)
    form.run(**QUICK)
    assert form.decision is not None
    assert not form.button.disabled


def test_what_cannot_be_decided_is_said(form):
    form.controls["itl"].value = "fast"
    form.run(wait=True)
    assert "'fast' is no time: give seconds such as 0.5, or 500ms" in form.readout
    form.controls["itl"].value = "0.0005"
    form.controls["no_api"].value = True
    form.run(wait=True, **QUICK)
    assert "the nearest that can be kept" in form.readout
    assert form.decision is None
    assert not form.button.disabled
    assert form.stop.disabled


def test_work_can_be_called_off(form):
    form._cancel.set()
    with pytest.raises(Cancelled):
        form._watch("searching")
    form.run(wait=False, **QUICK)
    form._cancel.set()
    form._thread.join()
    assert form.decision is None
    assert "Cancelled" in form.readout


def test_its_twin_in_print_is_words(form, monkeypatch, capsys):
    monkeypatch.setenv("ECON_STATIC", "1")
    form._ipython_display_()
    assert "a form stands here" in capsys.readouterr().out
