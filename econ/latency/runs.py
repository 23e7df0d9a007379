"""Measured runs in the catalogue's names and units, ready to be predicted or fitted.

Two kinds of rows: means of a benchmark that starts all users at once (its opening burst is in
them), and dated medians. Compact samples of both ship with the kit
(``data/latency/measured_serving.csv``, ``measured_medians.csv``); the full files, where someone has
them, are read with `read_runs` and `read_medians`. How the engines were started stands in
``benchmark_launches.csv``, names are mapped by ``model_aliases.csv``.

>>> sorted(set(measured_runs()["statistic"]))
['mean', 'median']
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from econ.catalog.catalog import accelerator
from econ.catalog.engines import engine, engine_names
from econ.catalog.guard import one_of, unknown
from econ.catalog.reading import BadTable, read_columns
from econ.catalog.tables import table
from econ.catalog.units import KILO
from econ.latency.calibration import CROWD
from econ.latency.shapes import generation

CONFIGURATION = ["model", "precision", "accelerator", "tp", "pp", "ep", "dp", "engine"]
WORKLOAD = ["model", "input_tokens", "output_tokens"]
LOAD = ["input_tokens", "output_tokens", "concurrency"]
SAME_LOG = (1e-4, 1e-3)  # TTFT and TPOT of one measurement, as it is published here and there
RUN = [
    *("model", "accelerator", "n_gpu", "tp", "pp", "ep", "dp", "precision", "engine"),
    *("input_tokens", "output_tokens", "concurrency", "ttft_s", "tpot_s", "source", "as_of"),
]
MEDIAN = [*RUN[: RUN.index("engine")], "kv_precision", *RUN[RUN.index("engine") :]]
MEDIAN += ["output_tokens_per_s_per_gpu"]
RAW_MEDIANS = [
    *("date", "model", "w_prec", "kv_prec_assumed", "gpu", "n_gpu", "tp", "pp", "ep", "dp"),
    *("engine", "isl", "osl", "len_scale", "conc", "ttft_ms", "tpot_ms", "output_tok_s_per_gpu"),
]
RAW = [
    *("source", "date", "model", "w_prec", "gpu", "n_gpu", "tp", "pp", "ep", "dp", "engine"),
    *("isl", "osl", "len_scale", "conc", "ttft_ms", "tpot_ms", "quality"),
]


def aliases(what: str) -> dict[str, str]:
    """Name in the measured file → identifier here; ``what``: model, accelerator or source."""
    rows = table("model_aliases")
    one_of("kind of alias", what, rows["what"].unique())
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


def each_once(runs: pd.DataFrame) -> pd.DataFrame:
    """Without the runs that stand there already, published again under another date or source.

    One measurement: the same deployment under the same load, TTFT equal to four digits and TPOT to
    three, as far as one of the publishers rounds. Runs that were measured anew differ by more. The
    earliest of the fullest dates stays.
    """
    from_full = -runs["as_of"].str.len()
    order = runs.assign(fullness=from_full).sort_values(["fullness", "as_of"], kind="stable").index
    again = pd.Series(False, runs.index)
    for _, alike in runs.loc[order].groupby([*CONFIGURATION, "n_gpu", *LOAD], dropna=False):
        times = np.log(alike[["ttft_s", "tpot_s"]].to_numpy("float64"))
        near = (np.abs(times[:, None] - times[None]) < SAME_LOG).all(axis=2)
        again[alike.index] = np.tril(near, -1).any(axis=1)
    return runs[~again]


def comparable(runs: pd.DataFrame) -> pd.DataFrame:
    """Without the runs of ``left_out_runs.csv``, whose load or decoding is not the recorded one."""
    odd = pd.Series(False, runs.index)
    for row in table("left_out_runs").itertuples():
        here = (runs["concurrency"] >= row.users_from) & (runs["as_of"] == row.as_of)
        here &= (runs["tp"] == row.tp) | pd.isna(row.tp)
        for name in ("model", "accelerator", "engine", "precision"):
            here &= runs[name] == getattr(row, name)
        odd |= here & (runs["input_tokens"] >= row.input_from_tokens) & (runs["ep"] == 1)
    return runs[~odd]


def read_runs(path: str | Path) -> pd.DataFrame:
    """The usable rows of a file of measured serving runs: quality ok, engines that are calibrated,
    `each_once`, `comparable`.

    Lengths are scaled to what was really drawn (``len_scale``), times are seconds.
    """
    raw = read_columns(path, RAW)
    raw = raw[(raw["quality"] == "ok") & raw["engine"].isin(engine_names())]
    runs = in_our_names(raw, Path(path).name)
    runs["ttft_s"], runs["tpot_s"] = raw["ttft_ms"] / KILO, raw["tpot_ms"] / KILO
    runs["as_of"] = raw["date"].astype(str).str[:10].where(raw["date"].notna(), "2025")
    return comparable(each_once(runs[RUN])).reset_index(drop=True)


def read_medians(path: str | Path) -> pd.DataFrame:
    """The rows of a file of dated runs whose times are medians over the run."""
    raw = read_columns(path, RAW_MEDIANS)
    raw = raw.assign(source="InferenceX (dated medians)")
    runs = in_our_names(raw, Path(path).name)
    runs["engine"] = [engine(name).name for name in raw["engine"]]
    runs["kv_precision"] = raw["kv_prec_assumed"]
    runs["ttft_s"], runs["tpot_s"] = raw["ttft_ms"] / KILO, raw["tpot_ms"] / KILO
    runs["output_tokens_per_s_per_gpu"] = raw["output_tok_s_per_gpu"]
    return comparable(runs.assign(as_of=raw["date"])[MEDIAN]).reset_index(drop=True)


def sample_runs() -> pd.DataFrame:
    """The measured runs that ship with the kit: means of benchmarks."""
    return table("measured_serving").reset_index(drop=True)


def sample_medians() -> pd.DataFrame:
    """The dated medians that ship with the kit."""
    return table("measured_medians").reset_index(drop=True)


def measured_runs(
    means: pd.DataFrame | None = None, medians: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Means and medians in one table, with ``statistic`` and the launch settings of each run.

    The shipped samples by default.
    """
    means = sample_runs() if means is None else means
    medians = sample_medians() if medians is None else medians
    runs = pd.concat(
        [means.assign(statistic="mean"), medians.assign(statistic="median")], ignore_index=True
    )
    words = ["model", "accelerator", "precision", "kv_precision", "engine", "source", "as_of"]
    runs[words] = runs[words].astype(object).where(runs[words].notna(), "")
    return with_launches(runs)


def with_launches(runs: pd.DataFrame) -> pd.DataFrame:
    """With a column for each setting of ``benchmark_launches``, where a row of it applies."""
    kind = runs["accelerator"].map(lambda id: generation(accelerator(id)))
    who = runs[["engine", "model"]].assign(generation=kind)
    n_tokens = runs["input_tokens"] + runs["output_tokens"]
    columns: dict[str, pd.Series] = {}
    for row in table("benchmark_launches").itertuples():
        here = (runs["source"] == row.benchmark) & (runs["concurrency"] >= row.users_from)
        here &= ~(runs["tp"] > row.tp_to)  # an empty cell: no limit
        here &= ~(n_tokens > row.up_to_tokens)
        for name in who:
            wanted = getattr(row, name)
            here &= who[name].eq(wanted) | (wanted == "")
        before = columns.get(row.setting, runs.get(row.setting, pd.Series("", index=runs.index)))
        columns[row.setting] = before.astype(object).mask(here, row.value)
    return runs.assign(**columns)


def configuration(runs: pd.DataFrame) -> pd.Series:
    """One label per configuration: what runs on what, split how, served by which engine."""
    return runs[CONFIGURATION].astype(str).agg(" ".join, axis=1)


def crowded(runs: pd.DataFrame) -> pd.Series:
    """Whether a replica has so many users that limits bind which nobody recorded."""
    return runs["concurrency"] * runs["tp"] * runs["pp"] * runs["dp"] / runs["n_gpu"] >= CROWD


def folds(labels: pd.Series, n_folds: int = 5) -> pd.Series:
    """A fold per label that depends on the label alone, so a rerun or a subset keeps it."""
    names = labels.unique()
    ranked = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    place = {name: i % n_folds for i, name in enumerate(ranked)}
    return labels.map(place)


def thin(runs: pd.DataFrame, n_per_configuration: int = 4) -> pd.DataFrame:
    """A stratified sample: from each configuration, source and, of medians, month, runs spread over
    load and length."""
    runs = runs.drop_duplicates(subset=[n for n in runs if n != "as_of"])
    runs = runs.sort_values([*CONFIGURATION, "source", "concurrency", "input_tokens", "tpot_s"])
    picked = []
    month = runs["as_of"].str[:7].where(runs["source"] == "inferencex-medians", "")
    for _, rows in runs.groupby([configuration(runs), "source", month.rename("month")], sort=True):
        step = max(len(rows) / n_per_configuration, 1)
        places = sorted({int((i + 0.5) * step) for i in range(n_per_configuration)})
        picked.append(rows.iloc[[p for p in places if p < len(rows)]])
    return pd.concat(picked).reset_index(drop=True)


def sample_rows(runs: pd.DataFrame, prefix: str = "run") -> pd.DataFrame:
    """A stratified sample as rows of ``measured_serving.csv`` or ``measured_medians.csv``."""
    rows = thin(runs[[name for name in runs if name in MEDIAN]])
    rows.insert(0, "id", [f"{prefix}-{i + 1:03d}" for i in range(len(rows))])
    return rows.assign(kind="measured")
