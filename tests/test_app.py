"""The form of the app and of notebook 15."""

from __future__ import annotations

import base64
import re

import pandas as pd
import pytest

from econ.app import Planner
from econ.scenario import Scenario
from econ.tokens.workloads import workload

TRACE = workload("chat").sample(600, 4)
QUICK = {"n_refined": 1, "n": 400, "precisions": ["fp8"], "concurrencies": [8, 32],
         "parallelism": [(1, 1, 1, 1), (4, 1, 1, 1)]}  # fmt: skip


@pytest.fixture
def form():
    return Planner(n_requests=300)


def test_the_form_plans_what_its_controls_say(form):
    form.controls["accelerators"].value = ("h100-sxm", "h200-sxm")
    form.controls["tpot"].value = 0.04
    form.controls["rate"].value = 2.0
    assert form.scenario.slo.tpot_s == 0.04
    assert form.scenario.workload.rate_per_s == pytest.approx(2 * workload("chat").rate_per_s)
    form.run(**QUICK)
    assert form.plan is not None
    assert form.readout.split(" × ")[1].startswith(("h100-sxm", "h200-sxm"))
    links = re.findall(r'download="([^"]+)" href="data:[^;]+;base64,([^"]+)"', form._shows.value)
    assert [name for name, _ in links] == ["report.html", "plan.csv", "plan.parquet",
                                           "scenario.json"]  # fmt: skip
    taken = Scenario.from_json(base64.b64decode(links[3][1]).decode())
    assert taken == form.scenario


def test_an_upload_takes_the_workloads_place(form):
    data = TRACE.to_csv(index=False).encode()
    form.load("monday.csv", data)
    assert form.readout.startswith("monday: 600 requests. ")
    assert form.scenario.workload.id == "own"
    assert len(form.trace) == 600
    form.controls["workload"].value = "rag"
    assert form.workload.id == "rag"


def test_a_logs_own_columns_are_named_in_the_form(form):
    data = TRACE.rename(columns={"arrival_s": "when"}).to_csv(index=False).encode()
    form.load("monday.csv", data)
    assert "no column arrival_s; it has when" in form.readout
    form.controls["columns"].value = "when=arrival_s"
    form.load("monday.csv", data)
    assert form.readout.startswith("monday: 600 requests. ")
    form.controls["columns"].value = "when"
    form.load("monday.csv", data)
    assert "give THEIRS=OURS" in form.readout


def test_a_bad_upload_is_said_and_the_last_good_one_stays(form):
    before = form.trace
    form.load("<i>x</i>.csv", b"arrival_s,input_tokens,output_tokens\n0,1,=2\n")
    assert "is a formula" in form.readout
    assert "<i>" not in form._says.value
    assert form.trace is before
    form.upload.value = ({"name": "x.xlsx", "type": "", "size": 1, "content": memoryview(b"x"),
                          "last_modified": pd.Timestamp("2026-01-01", tz="UTC")},)  # fmt: skip
    assert "give a .csv, .json, .jsonl, .ndjson, .log or .parquet file" in form.readout


def test_what_cannot_be_planned_is_said(form):
    form.controls["tpot"].value = 0.001
    form.run(**QUICK)
    assert "meets the SLO; ruled out by" in form.readout
    assert form.plan is None
    assert not form.button.disabled


def test_its_twin_in_print_is_words(form, monkeypatch, capsys):
    monkeypatch.setenv("ECON_STATIC", "1")
    form._ipython_display_()
    assert "a form stands here" in capsys.readouterr().out
