"""Measured runs in the catalogue's names and units, ready to be predicted or fitted.

The compact sample in ``data/latency/measured_serving.csv`` ships with the kit; the full file, where
someone has it, is read with `read_runs`. Names are mapped by ``data/latency/model_aliases.csv``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from econ.catalog.engines import engine_names
from econ.catalog.guard import unknown
from econ.catalog.reading import BadTable, read_columns
from econ.catalog.tables import table
from econ.catalog.units import KILO

CONFIGURATION = ["model", "precision", "accelerator", "tp", "pp", "ep", "dp", "engine"]
WORKLOAD = ["model", "input_tokens", "output_tokens"]
RUN = [
    *("model", "accelerator", "n_gpu", "tp", "pp", "ep", "dp", "precision", "engine"),
    *("input_tokens", "output_tokens", "concurrency", "ttft_s", "tpot_s", "source", "as_of"),
]
RAW = [
    *("source", "date", "model", "w_prec", "gpu", "n_gpu", "tp", "pp", "ep", "dp", "engine"),
    *("isl", "osl", "len_scale", "conc", "ttft_ms", "tpot_ms", "quality"),
]


def aliases(what: str) -> dict[str, str]:
    """Name in the measured file → identifier here; ``what``: model, accelerator or source."""
    rows = table("model_aliases")
    if what not in set(rows["what"]):
        raise unknown("kind of alias", what, rows["what"].unique())
    rows = rows[rows["what"] == what]
    return dict(zip(rows["name"], rows["stands_for"], strict=True))


def in_our_names(raw: pd.DataFrame, name: str) -> pd.DataFrame:
    """Who ran what with how many users, in our names, from rows of the file ``name``."""
    runs = raw[["n_gpu", "tp", "pp", "ep", "dp", "engine"]].copy()
    for ours, theirs in (("model", "model"), ("accelerator", "gpu"), ("source", "source")):
        names = aliases(ours)
        runs[ours] = raw[theirs].map(names)
        for row in runs.index[runs[ours].isna()][:1]:
            reason = unknown(f"{ours} alias", raw.loc[row, theirs], names)
            raise BadTable(f"{name} row {row + 2}, column {theirs}: {reason}")
    runs["precision"] = raw["w_prec"]
    runs["input_tokens"] = raw["isl"] * raw["len_scale"]
    runs["output_tokens"] = raw["osl"] * raw["len_scale"]
    runs["concurrency"] = raw["conc"]
    return runs


def read_runs(path: str | Path) -> pd.DataFrame:
    """The usable rows of a file of measured serving runs: quality ok, engines that are calibrated.

    Lengths are scaled to what was really drawn (``len_scale``), times are seconds.
    """
    raw = read_columns(path, RAW)
    raw = raw[(raw["quality"] == "ok") & raw["engine"].isin(engine_names())]
    runs = in_our_names(raw, Path(path).name)
    runs["ttft_s"], runs["tpot_s"] = raw["ttft_ms"] / KILO, raw["tpot_ms"] / KILO
    runs["as_of"] = raw["date"].astype(str).str[:10].where(raw["date"].notna(), "2025")
    return runs[RUN].reset_index(drop=True)


def sample_runs() -> pd.DataFrame:
    """The measured runs that ship with the kit."""
    return table("measured_serving").reset_index(drop=True)


def configuration(runs: pd.DataFrame) -> pd.Series:
    """One label per configuration: what runs on what, split how, served by which engine."""
    return runs[CONFIGURATION].astype(str).agg(" ".join, axis=1)


def folds(labels: pd.Series, n_folds: int = 5) -> pd.Series:
    """A fold per label that depends on the label alone, so a rerun or a subset keeps it."""
    names = labels.unique()
    ranked = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    place = {name: i % n_folds for i, name in enumerate(ranked)}
    return labels.map(place)


def thin(runs: pd.DataFrame, n_per_configuration: int = 4) -> pd.DataFrame:
    """A stratified sample: from each configuration and source, runs spread over load and length."""
    runs = runs.drop_duplicates(subset=[n for n in RUN if n != "as_of"])
    runs = runs.sort_values([*CONFIGURATION, "source", "concurrency", "input_tokens", "tpot_s"])
    picked = []
    for _, rows in runs.groupby([configuration(runs), "source"], sort=True):
        step = max(len(rows) / n_per_configuration, 1)
        places = sorted({int((i + 0.5) * step) for i in range(n_per_configuration)})
        picked.append(rows.iloc[[p for p in places if p < len(rows)]])
    return pd.concat(picked).reset_index(drop=True)
