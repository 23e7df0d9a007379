"""What is optional may be missing: the core runs, and what needs it says so in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys

CODE = r"""
import json, pkgutil, sys
MISSING = {"numba", "tokenizers", "mistral_common", "vl_convert", "pyarrow", "genai_prices",
           "SALib", "dask", "distributed", "pooch"}

sys.modules |= dict.fromkeys(MISSING)  # None: it cannot be imported
import importlib, tempfile
from pathlib import Path
import econ
for module in pkgutil.walk_packages(econ.__path__, "econ."):
    if not module.name.endswith(("__main__", "_engine")):
        importlib.import_module(module.name)
from econ.scenario import Scenario
from econ.serving import compiled
compiled.native = lambda: None  # nor was the engine in C built
s = Scenario.default()
assert not compiled.available()
requests = econ.tokens.workload("chat").sample(200, 1)
served = econ.serving.simulate(s)
best = econ.plan.plan(s, ["h100-sxm"], ["fp8"], [(4, 1, 1, 1)], n_refined=0).best
figures = [econ.latency.predict(s, concurrency=8).ttft_s, best["accelerator"],
           econ.tco.cost(s, concurrency=8).usd_per_mtok]
folder = Path(tempfile.mkdtemp())
from econ.charts import live, render
from econ.tokens import count_tokens, read_trace
from econ.tokens.count import train_bpe
asked = {
    "parquet out": lambda: econ.plan.export(requests, folder / "a.parquet"),
    "parquet in": lambda: read_trace(b"PAR1", name="a.parquet"),
    "bpe": lambda: train_bpe("low lower", 12),
    "tokens": lambda: count_tokens("low lower"),
    "live": live.script,
    "numba": lambda: econ.serving.simulate(s, engine="numba"),
}
said = {}
for name, ask in asked.items():
    try:
        ask()
        said[name] = "answered"
    except Exception as error:
        said[name] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""


def test_the_core_runs_without_any_and_what_needs_one_says_so():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    for name, words in said.items():
        assert words == "answered" or (" need" in words and "halted" not in words), (name, words)
        assert "\n" not in words
