"""From names to numbers: checks of a deployment, and its `Case` for the step equations.

One deployment raises; a table of them gets a reason per row. Both use the same rules:

* ``n_gpu`` = tp · pp · dp · replicas; replicas share the users evenly
* a dense model under ``dp`` is as many independent replicas; a mixture shares its experts over
  tp · dp accelerators, whether by expert (``ep``) or by slice
* tp divides the heads, pp and dp are at least 1, ep is at most the number of experts
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog import catalog
from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator
from econ.catalog.units import GB
from econ.latency import shapes, steps
from econ.latency.calibration import ENGINES
from econ.latency.steps import Case

REQUIRED = ("model", "accelerator", "input_tokens", "output_tokens", "concurrency")
COUNTS = ("n_gpu", "tp", "pp", "ep", "dp")
LARGEST = {"input_tokens": 1e8, "output_tokens": 1e8, "concurrency": 1e7, "software_maturity": 1e3}
MOST_GPU = 1e6


def as_model(model: Model | str) -> Model:
    """The model itself, or the catalogue's by identifier."""
    return model if isinstance(model, Model) else catalog.model(model)


def as_accelerator(accelerator: Accelerator | str) -> Accelerator:
    """The accelerator itself, or the catalogue's by identifier."""
    if isinstance(accelerator, Accelerator):
        return accelerator
    return catalog.accelerator(accelerator)


def case(model: Model, chip: Accelerator, precision: str, engine: str = "") -> Case:
    """The shape of one model on one accelerator, without deployment and load."""
    kv = shapes.kv_bytes_per_element(precision, engine)
    c = Case()
    c.__dict__.update(zip(shapes.SHAPE, shapes.shape(model, precision, kv), strict=True))
    c.__dict__.update(zip(shapes.CHIP, shapes.chip(chip, precision), strict=True))
    c.is_sglang, c.is_trtllm = float(engine == "sglang"), float(engine == "trtllm")
    return c


def split(c: Case, *, n_gpu, tp, pp, ep, dp, concurrency) -> Case:
    """Add the parallelism inside a replica, the number of replicas and the users of each."""
    c.n_gpu, c.tp, c.pp = n_gpu, tp, pp
    c.dp = 1 + (dp - 1) * c.is_moe
    c.n_replicas = n_gpu / (tp * pp * c.dp)
    c.concurrency = concurrency / c.n_replicas
    c.ep = ep
    return c


def replicas(model: Model, n_gpu: int, tp: int, dp: int, pp: int = 1) -> tuple[int, int]:
    """Ranks that share the experts of a replica, and the number of replicas.

    >>> replicas(as_model("llama-3.1-70b"), 8, tp=4, dp=2), replicas(as_model("glm-5"), 8, 1, 8)
    ((1, 2), (8, 1))
    """
    shared = dp if model.is_moe else 1
    return shared, n_gpu // (tp * pp * shared)


def faults(c: Case, tp, pp, ep, dp, n_gpu) -> dict[str, tuple[object, str]]:
    """Rules that a deployment breaks: name → (mask or truth, what would be possible).

    The texts are format strings over the row's values.
    """
    used = tp * pp * dp
    return {
        "n_gpu": (
            np.mod(n_gpu, used) != 0,
            "n_gpu = {n_gpu:g} is outside its range: a multiple of tp × pp × dp = {used:g}",
        ),
        "tp": (
            np.mod(c.n_heads, tp) != 0,
            "tp = {tp:g} is outside its range: a divisor of the {n_heads:g} attention heads",
        ),
        "pp": (
            pp > c.n_layers,
            "pp = {pp:g} is outside its range: 1 to the {n_layers:g} layers",
        ),
        "ep": (
            (ep > 1) & ((c.is_moe == 0) | (ep > c.n_experts) | (ep > tp * dp)),
            "ep = {ep:g} is outside its range: 1 to the lesser of {n_experts:g} experts and "
            "tp × dp = {shared:g}",
        ),
        "link": (
            (c.link <= 0) & (tp * dp * pp > 1),
            "the link bandwidth of this accelerator is unknown, so it cannot be split over",
        ),
    }


def missing_bytes(c: Case):
    """Bytes by which weights and one sequence exceed the memory of a replica (0 if they fit)."""
    per_gpu = c.weights_held + steps.held(c, c.input_tokens + c.output_tokens) / c.kv_shard
    return np.maximum(per_gpu - c.memory, 0) * c.tp * c.pp * c.dp


def lacks(c: Case, missing_bytes: float) -> str:
    """The sentence for a deployment that does not fit."""
    n = c.tp * c.pp * c.dp
    hold = n * c.memory
    return (
        f"does not fit: {missing_bytes / GB:.1f} GB missing; weights and one sequence need "
        f"{(missing_bytes + hold) / GB:.1f} GB, {n:g} accelerators hold {hold / GB:.1f} GB"
    )


def known_engine(engine: object) -> str:
    """The engine's name in lower case if its habits are calibrated, else empty: the common ones."""
    text = str(engine).lower().replace("-", "").replace("_", "")
    text = {"tensorrtllm": "trtllm", "trt": "trtllm"}.get(text, text)
    return text if text in ENGINES else ""


def columns(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """The numeric columns of a frame of deployments, with the defaults of those left out.

    ``tp`` defaults to what ``n_gpu`` leaves; ``n_gpu`` to tp · pp · dp; ``dp`` to 1, or, for
    experts spread wider than ``tp``, to what ``n_gpu`` leaves.
    """
    size = len(frame)
    numbers: dict[str, np.ndarray] = {}
    for name in (*COUNTS, "input_tokens", "output_tokens", "concurrency", "software_maturity"):
        if name in frame:
            numbers[name] = pd.to_numeric(frame[name], errors="coerce").to_numpy("float64")
    one = np.ones(size)
    for name in ("pp", "ep"):
        numbers.setdefault(name, one)
    if "dp" not in numbers:
        numbers["dp"] = one
        if "tp" in numbers and "n_gpu" in numbers:
            left = numbers["n_gpu"] / (numbers["tp"] * numbers["pp"])
            numbers["dp"] = np.where(numbers["ep"] > numbers["tp"], left, one)
    if "tp" not in numbers:
        whole = numbers.get("n_gpu", one)
        numbers["tp"] = whole / (numbers["pp"] * numbers["dp"])
    numbers.setdefault("n_gpu", numbers["tp"] * numbers["pp"] * numbers["dp"])
    numbers.setdefault("software_maturity", one)
    return numbers
