"""Runs whose power was measured: accelerators alone by software, whole servers at the wall.

What ships is what its licence allows: the ML.ENERGY runs of 2024 as rows
(``data/energy/measured_energy.csv``), the later ones as fitted values and errors, MLPerf's wall
meters as ratios (``data/energy/wall_power.csv``). `read_power_runs` reads the later runs where
someone has them.

>>> runs = power_runs()
>>> sorted(set(runs["accelerator"]))
['a100-sxm-40gb', 'h100-sxm']
>>> bool((runs["energy_j_per_token"] > 0).all())
True
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from econ.catalog.reading import read_columns
from econ.catalog.tables import table
from econ.latency.runs import in_our_names

RUN = [
    *("model", "accelerator", "n_gpu", "tp", "pp", "ep", "dp", "precision", "engine"),
    *("input_tokens", "output_tokens", "concurrency", "output_tokens_per_s_per_gpu"),
    *("energy_j_per_token", "source"),
]
RAW = [
    *("source", "model", "w_prec", "gpu", "n_gpu", "tp", "pp", "ep", "dp", "engine", "isl", "osl"),
    *("len_scale", "conc", "output_tok_s_per_gpu", "power_w"),
]


def power_runs() -> pd.DataFrame:
    """The runs that ship with the kit; ``concurrency`` is the mean batch that was running."""
    rows = table("measured_energy").reset_index(drop=True)
    return rows.assign(ep=1, dp=1, engine="vllm")[RUN]


def read_power_runs(path: str | Path) -> pd.DataFrame:
    """The rows with a power reading of a file of measured serving runs.

    Their prompt lengths are assumed by the file's compiler, so they serve energy, not latency.
    """
    raw = read_columns(path, RAW)
    raw = raw[raw["power_w"].notna() & raw["output_tok_s_per_gpu"].gt(0)]
    runs = in_our_names(raw, Path(path).name)
    runs["output_tokens_per_s_per_gpu"] = raw["output_tok_s_per_gpu"]
    runs["energy_j_per_token"] = raw["power_w"] / raw["output_tok_s_per_gpu"]
    return runs[RUN].reset_index(drop=True)


def wall_runs() -> pd.DataFrame:
    """Whole servers at the wall: MLPerf runs, power and energy per output token, host included."""
    return table("wall_power").reset_index(drop=True)
