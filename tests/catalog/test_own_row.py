"""An accelerator is a row: with it alone the stations know the device."""

import json
import os
import shutil
import subprocess
import sys

from econ.catalog.tables import data_dir

CODE = """
import json, econ
from econ import catalog
s = econ.Scenario.of("Qwen/Qwen3-32B", "X100", n_gpu=2)
print(json.dumps([s.deployment.accelerator, catalog.accelerator("Acme X100 200GB").memory_bytes,
                  econ.latency.predict(s, concurrency=8).tpot_s]))
"""


def test_a_new_accelerator_is_one_row(tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(data_dir(), folder)
    path = folder / "catalog" / "accelerators.csv"
    head = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    row = {
        "id": "x100-oam",
        "name": "X100 200GB",
        "vendor": "Acme",
        "memory_bytes": "2e11",
        "memory_bandwidth_bytes_per_s": "1e13",
        "peak_bf16_flop_per_s": "3e15",
        "scaleup_bandwidth_bytes_per_s": "9e11",
        "scaleup_domain": "8",
        "in_lessons": "false",
        "source": "own-text",
        "as_of": "2026-11",
        "kind": "assumed",
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(",".join(row.get(column, "") for column in head) + "\n")
    out = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "ECON_DATA": str(folder)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    id, memory_bytes, tpot_s = json.loads(out.stdout)
    assert (id, memory_bytes) == ("x100-oam", 2e11)
    assert 0.002 < tpot_s < 0.05
