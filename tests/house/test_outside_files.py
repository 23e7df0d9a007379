"""Every reader of files that others wrote is bounded; every writer leaves a whole file or none."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="Windows has no limits to set")

READERS = r"""
import json, os, resource, sys, tracemalloc
from pathlib import Path
from econ.catalog.architecture import Model
from econ.decide_command import flags_of_file, read_scenario
from econ.decision.typed import read_quotes
from econ.energy.fit import read_power_runs
from econ.latency.bench_rows import read_bench
from econ.latency.runs import read_medians, read_runs
from econ.lessons import memory
from econ.machine.recording import pool_frame
from econ.tokens.traces import read_azure
from econ.tokens.session_traces import read_sessions
from econ.tokens.traces import read_trace
from econ.tokens.usage import read_usage

MOST_BYTES = 200e6
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))  # what never ends fails, not the machine

def pooled(path):
    raise ValueError(f"{path.name}: {pool_frame([path])['reason'][0]}")

JSON = {"config": Model.from_hf_config, "scenario": read_scenario, "progress": memory.read,
        "recording": pooled, "bench": read_bench, "bill": read_usage, "trace": read_trace}
CSV = {"quotes": read_quotes, "power": read_power_runs, "runs": read_runs, "medians": read_medians,
       "azure": read_azure, "sessions": read_sessions, "log": read_trace, "bench": read_bench,
       "bill": read_usage}
TOML = {"init": flags_of_file}
folder = Path(sys.argv[1])
deep, digits = "[" * 1000 + "]" * 1000, "9" * 400
TEXTS = {
    ".json": {"deep": '{"a": %s}' % deep, "digits": '{"a": %s}' % digits,
              "a mark": "\ufeff{}", "zero": '{"a": "\0"}'},
    ".csv": {"digits": "a,arrival_s,input_tokens,output_tokens\n1,0,1,%s\n" % digits},
    ".toml": {"deep": "a = " + "[" * 3000 + "]" * 3000, "digits": "a = " + "9" * 5000},
}
for ending, readers in ((".json", JSON), (".csv", CSV), (".toml", TOML)):
    files = {}
    for name, text in TEXTS[ending].items():
        files[name] = folder / f"{name.replace(' ', '-')}{ending}"
        files[name].write_text(text, encoding="utf-8")
    files["a device"] = folder / f"device{ending}"
    files["a device"].symlink_to("/dev/zero")
    files["10 GB"] = folder / f"large{ending}"
    files["10 GB"].touch()
    os.truncate(files["10 GB"], 10**10)
    files["a folder"] = folder / f"folder{ending}"
    files["a folder"].mkdir()
    for reader, read in readers.items():
        for name, path in files.items():
            tracemalloc.start()
            try:
                read(path)
                words = "read"
            except (ValueError, OSError) as error:
                words = str(error)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            line = [f"{ending} {reader}, {name}", words, path.name]
            print(json.dumps([*line, peak < MOST_BYTES, len(words) < 400]))
"""


def _run(code: str, *words: object, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=600,
        env={**_environment(), **environment},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _environment() -> dict[str, str]:
    import os

    return {k: v for k, v in os.environ.items() if k != "ECON_STATIC"}


def test_every_reader_is_bounded_and_names_the_file(tmp_path):
    rows = [json.loads(line) for line in _run(READERS, tmp_path).splitlines()]
    assert len(rows) >= 90
    mark = {row[0]: row[1] for row in rows if row[0].endswith("a mark")}
    assert mark[".json progress, a mark"] == "read"
    bad = [
        (case, words)
        for case, words, name, is_small, is_short in rows
        if not (is_small and is_short and name in words)
        and not (case.endswith("a mark") and "BOM" not in words and "UTF" not in words)
    ]
    assert not bad, bad


WRITERS = r"""
import os, resource, sys
from pathlib import Path
import pandas as pd
from econ.lessons import memory
from econ.machine.recording import recorded
from econ.plan import export
from econ.scenario import Scenario

folder = Path(sys.argv[1])
os.environ["ECON_STATE"] = str(folder / "learner.json")
memory.remember("exercises", "x", {"solved": True})
recording, rows = recorded(), pd.DataFrame({"a": range(10_000)})
recording.save(folder / "mine.json")
before = {p.name: p.read_bytes() for p in folder.iterdir()}
resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))  # as a disk that fills up
writers = [lambda: export(rows, folder / "a.csv"), lambda: export("x" * 99, folder / "a.html"),
           lambda: export(Scenario.default(), folder / "a.json"),
           lambda: recording.save(folder / "mine.json")]
for write in writers:
    try:
        write()
        print("written?")
    except OSError as error:
        assert error.strerror, error
memory.remember("exercises", "y", {"solved": True})
memory.remember("exercises", "z", {"solved": True})
assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
"""


def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path):
    out = _run(WRITERS, tmp_path)
    assert out.count("Your progress cannot be stored") == 1
    assert "written?" not in out


LEARNER = """
import sys
from econ.lessons import memory
for i in range(15):
    memory.remember("exercises", f"{sys.argv[1]}-{i}", {"attempts": i})
"""


def test_two_notebooks_at_once_lose_nothing(tmp_path):
    file = tmp_path / "learner.json"
    words = [sys.executable, "-c", LEARNER]
    both = [
        subprocess.Popen([*words, name], env={**_environment(), "ECON_STATE": str(file)})
        for name in "ab"
    ]
    assert [one.wait(600) for one in both] == [0, 0]
    assert len(json.loads(file.read_text())["exercises"]) == 30
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
