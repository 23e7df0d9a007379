"""An engine is a row: names, habits, and a new one from a table alone."""

import shutil

import pytest

import econ
from econ.catalog.engines import engine, engine_names, find_engine
from econ.catalog.tables import data_dir, forget


def test_spellings_and_unknown_names():
    for name in ("trtllm", "tensorrt-llm", "TensorRT-LLM", "trt-llm", "TRT_LLM"):
        assert engine(name).name == "trtllm"
    assert find_engine("lmdeploy") is None
    with pytest.raises(ValueError, match="unknown engine 'sglan'; nearest: sglang"):
        engine("sglan")


def test_a_deployment_is_strict_and_takes_spellings():
    s = econ.Scenario.default()
    assert s.with_(engine="TensorRT-LLM").deployment.engine == "trtllm"
    with pytest.raises(ValueError, match="unknown engine 'vllmm'; nearest: vllm"):
        s.with_(engine="vllmm")


@pytest.fixture
def one_more(tmp_path, monkeypatch):
    """A data folder with one more engine, whose first tokens are slow."""
    shutil.copytree(data_dir(), tmp_path / "data")
    path = tmp_path / "data/latency/engines.csv"
    first = path.read_text(encoding="utf-8").splitlines()[1]
    cells = first.replace("vllm,vLLM,,", "slow,Slow Engine,tortoise,", 1)
    own_s = engine("vllm").first_token_s
    cells = cells.replace(f",{own_s:g},", ",1.5,", 1)
    with path.open("a", encoding="utf-8") as file:
        file.write(cells + "\n")
    monkeypatch.setenv("ECON_DATA", str(tmp_path / "data"))
    forget()
    yield
    monkeypatch.undo()
    forget()


def test_one_row_adds_an_engine(one_more):
    assert "slow" in engine_names()
    s = econ.Scenario.default()
    slow = s.with_(engine="Tortoise")
    assert slow.deployment.engine == "slow"
    ttft_s = [econ.latency.predict(one, concurrency=1).ttft_s for one in (s, slow)]
    # without a name of its own an engine has the habits of the first
    assert ttft_s[1] - ttft_s[0] == pytest.approx(1.5 - engine("vllm").first_token_s, rel=0.01)
    row = econ.latency.predict.vector([slow], concurrency=1)
    assert row["ttft_s"].iloc[0] == pytest.approx(ttft_s[1])
    assert econ.serving.replica(slow).lag_s == pytest.approx(1.5)
