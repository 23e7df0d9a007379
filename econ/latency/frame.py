"""The latency model over a table: a million rows a second, and a reason beside every bad one.

Names are looked up once per distinct value; the equations run in blocks that stay in cache.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from econ.catalog.precision import check_precision
from econ.latency import deployments as dep
from econ.latency import shapes, steps
from econ.latency.calibration import Calibration, bands
from econ.latency.regimes import REGIMES, place, regime_code
from econ.latency.steps import Case

BLOCK = 8192  # rows whose columns fit in the second-level cache
COUNTS_OF_LOAD = ("input_tokens", "output_tokens", "concurrency", "software_maturity")


class Lookup:
    """Distinct names of a column, each resolved once; what cannot be resolved keeps its reason."""

    def __init__(self, values: pd.Series, resolve: Callable) -> None:
        self.code, names = pd.factorize(values, use_na_sentinel=False)
        self.items, self.reasons = [], []
        for name in names:
            try:
                self.items.append(resolve(name))
                self.reasons.append("")
            except (ValueError, TypeError) as error:
                self.items.append(None)
                self.reasons.append(str(error))


def _text(frame: pd.DataFrame, name: str, default: str) -> pd.Series:
    if name in frame:
        return frame[name]
    return pd.Series(pd.Categorical.from_codes(np.zeros(len(frame), "int8"), [default]))


def encode(frame: pd.DataFrame) -> tuple[dict, np.ndarray, dict]:
    """Codes into the tables of shapes and chips, what is wrong with each row, the numbers."""
    if lacking := [name for name in dep.REQUIRED if name not in frame]:
        raise ValueError(f"the frame has no column {', '.join(lacking)}")
    size = len(frame)
    reason = np.full(size, "", dtype=object)
    model = Lookup(frame["model"], dep.as_model)
    chip = Lookup(frame["accelerator"], dep.as_accelerator)
    precision = Lookup(_text(frame, "precision", "bf16"), check_precision)
    engine = Lookup(_text(frame, "engine", ""), dep.known_engine)
    for column in (model, chip, precision):
        if any(column.reasons):
            texts = np.array(column.reasons, dtype=object)[column.code]
            reason = np.where((reason == "") & (texts != ""), texts, reason)

    n_p, n_e, n_c = len(precision.items), len(engine.items), len(chip.items)
    shape_key = (model.code * n_p + precision.code) * n_e + engine.code
    chip_key = chip.code * n_p + precision.code
    shape_rows = np.full((len(model.items) * n_p * n_e, len(shapes.SHAPE)), np.nan)
    chip_rows = np.full((n_c * n_p, len(shapes.CHIP)), np.nan)
    for key in np.flatnonzero(np.bincount(shape_key, minlength=len(shape_rows))):
        rest, e = divmod(int(key), n_e)
        m, p = divmod(rest, n_p)
        if model.items[m] is not None and precision.items[p] is not None:
            kv = shapes.kv_bytes_per_element(precision.items[p], engine.items[e])
            shape_rows[key] = shapes.shape(model.items[m], precision.items[p], kv)
    for key in np.flatnonzero(np.bincount(chip_key, minlength=len(chip_rows))):
        a, p = divmod(int(key), n_p)
        if chip.items[a] is not None and precision.items[p] is not None:
            try:
                chip_rows[key] = shapes.chip(chip.items[a], precision.items[p])
            except ValueError as error:
                reason[(chip_key == key) & (reason == "")] = str(error)
    engines = np.array(engine.items, dtype=object)
    codes = {
        "shape": (shape_key, np.ascontiguousarray(shape_rows.T)),
        "chip": (chip_key, np.ascontiguousarray(chip_rows.T)),
        "names": (model, chip),
        "novelty": regime_code(model, chip),
        "is_sglang": (engines == "sglang").astype(float)[engine.code],
        "is_trtllm": (engines == "trtllm").astype(float)[engine.code],
    }
    return codes, reason, dep.columns(frame)


def numbers_at_fault(numbers: dict, reason: np.ndarray) -> np.ndarray:
    """Mark rows whose counts are not whole or whose loads are not positive; repeat name, value."""
    for name in (*dep.COUNTS, *COUNTS_OF_LOAD):
        value = numbers[name]
        if name in dep.COUNTS:
            good = (value >= 1) & (value <= dep.MOST_GPU) & (value == np.floor(value))
            says = f"a whole number from 1 to {dep.MOST_GPU:g}"
        else:
            good = (value > 0) & (value <= dep.LARGEST[name])
            says = f"above 0, up to {dep.LARGEST[name]:g}"
        for row in np.flatnonzero(~good & (reason == "")):
            reason[row] = f"{name} = {value[row]:g} is outside its range: {says}"
    return reason


def blocks(codes: dict, numbers: dict, n: int, n_rows: int = BLOCK):
    """Slices of the table with their `Case`."""
    for start in range(0, n, n_rows):
        part = slice(start, min(start + n_rows, n))
        c = Case(is_sglang=codes["is_sglang"][part], is_trtllm=codes["is_trtllm"][part])
        for what, names in (("shape", shapes.SHAPE), ("chip", shapes.CHIP)):
            key, rows = codes[what]
            for name, values in zip(names, rows, strict=True):
                setattr(c, name, values[key[part]])
        for name in ("input_tokens", "output_tokens"):
            setattr(c, name, numbers[name][part])
        c.novelty = codes["novelty"][part]
        split = {n: numbers[n][part] for n in (*dep.COUNTS, "concurrency")}
        yield part, dep.split(c, **split), split


def mark(c: Case, split: dict, reason: np.ndarray) -> None:
    """Reasons of a block: impossible parallelism, then memory."""
    rules = {n: split[n] for n in ("tp", "pp", "ep", "dp", "n_gpu")}
    for bad, text in dep.faults(c, **rules).values():
        for row in np.flatnonzero(bad & (reason == "")):
            values = {n: v[row] for n, v in rules.items()}
            values["used"] = values["tp"] * values["pp"] * values["dp"]
            values["shared"] = values["tp"] * values["dp"]
            for name in ("n_heads", "n_layers", "n_experts"):
                values[name] = getattr(c, name)[row]
            reason[row] = text.format(**values)


def mark_memory(c: Case, reason: np.ndarray) -> None:
    """Reasons of a block's rows whose weights and one sequence exceed the memory."""
    missing = dep.missing_bytes(c)
    for row in np.flatnonzero((missing > 0) & (reason == "")):
        one = Case(tp=c.tp[row], pp=c.pp[row], dp=c.dp[row], memory=c.memory[row])
        reason[row] = dep.lacks(one, missing[row])


def solved(frame: pd.DataFrame, k: Calibration, answer: Callable, keys: tuple[str, ...]):
    """Columns by name, and the reason of each row that has none (its values are NaN).

    ``answer`` takes a block's prepared case and its software maturity (None where no row of the
    frame departs from 1), and returns the values of ``keys``.
    """
    codes, reason, numbers = encode(frame)
    reason = numbers_at_fault(numbers, reason)
    maturity = numbers["software_maturity"]
    plain = not (maturity != 1).any()
    out = {key: np.full(len(frame), np.nan) for key in keys}
    with np.errstate(all="ignore"):
        for part, c, split in blocks(codes, numbers, len(frame)):
            mark(c, split, reason[part])
            steps.prepare(c, k)
            mark_memory(c, reason[part])
            values = answer(c, None if plain else maturity[part])
            for key, value in zip(keys, values, strict=True):
                out[key][part] = value
    for values in out.values():
        values[reason != ""] = np.nan
    return out, reason


def predict_frame(frame: pd.DataFrame, calibration: Calibration | None = None) -> pd.DataFrame:
    """The frame with predictions added; a row that cannot be has a ``reason`` and NaN.

    Columns in: model, accelerator, input_tokens, output_tokens, concurrency; optional n_gpu, tp,
    pp, ep, dp (1), precision (bf16), engine, software_maturity (1). Identifiers or objects.
    Columns out: ttft_s, tpot_s, output_tokens_per_s_per_gpu, tokens_per_s_per_user, batch, the
    90 % band (``…_low_s``, ``…_high_s``), regime, reason.

    >>> runs = pd.DataFrame({"model": ["llama-3.1-8b", "llama-9"], "accelerator": "h100-sxm",
    ...     "input_tokens": 1000, "output_tokens": 500, "concurrency": 16})
    >>> out = predict_frame(runs)
    >>> bool(0.005 < out.tpot_s[0] < 0.02), out.reason[1][:24]
    (True, "unknown model 'llama-9';")
    """
    k = calibration or Calibration.fitted()

    def answer(c: Case, maturity: np.ndarray | None) -> tuple:
        steps.steady(c, k)
        if maturity is not None:
            least = steps.floor(c, Calibration.datasheet())
            c.ttft_s = steps.mature(c.ttft_s, least[0], maturity)
            c.tpot_s = steps.mature(c.tpot_s, least[1], maturity)
        whole_s = steps.answer_s(c.ttft_s, c.tpot_s, c.output_tokens)
        rate = c.concurrency * c.output_tokens / whole_s * c.n_replicas / c.n_gpu
        return c.ttft_s, c.tpot_s, rate, c.batch, place(c, c.novelty)

    keys = ("ttft_s", "tpot_s", "output_tokens_per_s_per_gpu", "batch", "regime")
    out, reason = solved(frame, k, answer, keys)
    regime = np.nan_to_num(out["regime"]).astype("int8")
    out["tokens_per_s_per_user"] = 1 / out["tpot_s"]
    for metric in ("ttft", "tpot"):
        factor = np.array([bands()[name, f"{metric}_s"].p90_factor for name in REGIMES])[regime]
        out[f"{metric}_low_s"] = out[f"{metric}_s"] / factor
        out[f"{metric}_high_s"] = out[f"{metric}_s"] * factor
    out["regime"] = pd.Categorical.from_codes(regime, REGIMES)
    return frame.assign(**out, reason=reason)


def max_throughput_frame(
    frame: pd.DataFrame, calibration: Calibration | None = None
) -> pd.DataFrame:
    """Offline maximum throughput: as many sequences as fit, all work waiting at the door.

    Takes the columns of `predict_frame`; ``concurrency``, where given, caps the batch. Adds
    output_tokens_per_s_per_gpu, batch, tpot_s, reason.

    >>> runs = pd.DataFrame({"model": ["llama-2-70b"], "accelerator": "h100-sxm", "n_gpu": 8,
    ...     "tp": 2, "precision": "fp8", "input_tokens": 294, "output_tokens": 294})
    >>> bool(2500 < max_throughput_frame(runs).output_tokens_per_s_per_gpu[0] < 4500)
    True
    """
    k = calibration or Calibration.fitted()
    full = frame if "concurrency" in frame else frame.assign(concurrency=dep.LARGEST["concurrency"])

    def answer(c: Case, maturity: np.ndarray | None) -> tuple:
        steps.offline(c, k)
        if maturity is not None:
            least = steps.floor(c, Calibration.datasheet())
            c.tpot_s = steps.mature(c.tpot_s, least[2], maturity)
        rate = c.batch / c.tpot_s * c.n_replicas / c.n_gpu
        return rate, c.batch, c.tpot_s

    out, reason = solved(full, k, answer, ("output_tokens_per_s_per_gpu", "batch", "tpot_s"))
    return frame.assign(**out, reason=reason)
