"""The measured runs, as questions to a peer, and what this kit says without having seen them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from econ.catalog import accelerator, model
from econ.latency.fit import groups, held_out
from econ.latency.runs import configuration, measured_runs, read_medians, read_runs

ASKED = [
    *("model", "accelerator", "n_gpu", "tp", "pp", "ep", "dp", "precision", "kv_precision"),
    *("engine", "input_tokens", "output_tokens", "concurrency"),
]
REFERENCE = "econ"
UNSEEN = {  # the line, and what its fit has not seen
    REFERENCE: "configuration",
    "econ, accelerator unseen": "accelerator",
    "econ, model unseen": "model",
}


def load(runs: Path | None, medians: Path | None) -> pd.DataFrame:
    """The shipped samples, or the full files, with repeated questions left in."""
    rows = measured_runs(
        read_runs(runs) if runs else None, read_medians(medians) if medians else None
    )
    return rows.reset_index(drop=True)


def questions(rows: pd.DataFrame) -> dict[str, Any]:
    """What a peer is told: the rows without their measurements, and the facts of what they name."""
    asked = rows[ASKED].assign(kv_precision=rows["kv_precision"].fillna("").astype(str))
    models = {}
    for name in rows["model"].unique():
        m = model(name)
        counts = {"params": m.n_params, "active_params": m.active_params}
        models[name] = asdict(m) | counts
    chips = {name: asdict(accelerator(name)) for name in rows["accelerator"].unique()}
    return {"rows": asked.to_dict("records"), "models": models, "accelerators": chips}


def ours(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """This kit's predictions of each run, by fits that have not seen it."""
    return {line: held_out(rows, split) for line, split in UNSEEN.items()}


def parts(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """The runs by accelerator, engine, model and half-year."""
    kinds = {kind: rows[kind].astype(str) for kind in ("accelerator", "engine", "model")}
    return kinds | {"half-year": groups(rows, "half-year")}


def clusters(rows: pd.DataFrame) -> pd.Series:
    """Runs of one configuration err together."""
    return configuration(rows)
