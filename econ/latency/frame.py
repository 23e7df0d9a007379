"""The latency model over a table: a million rows a CPU second, a reason beside every bad one.

The equations run in the blocks of `econ.latency.deployments`, which stay in cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from econ.latency import steady, steps
from econ.latency.calibration import REGIMES, Calibration, bands, regime_code
from econ.latency.deployments import Rows, Table, look_up
from econ.latency.frame_columns import LARGEST, numbers_of, texts, with_columns
from econ.latency.steps import Prepared

TIMES = (
    *("ttft_s", "ttft_p50_s", "ttft_p95_s", "ttft_p99_s", "mean_ttft_s"),
    *("itl_p50_s", "itl_p95_s", "itl_p99_s", "tpot_s", "benchmark_mean_ttft_s"),
)


def _solve(
    table: Table,
    calibration: Calibration,
    keys: tuple[str, ...],
    answer: Callable[[Prepared], tuple[Any, ...]],
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Columns by name (NaN where a row has no answer), the regime, the reasons, and by how much
    bands widen beyond the last data on the software.

    ``answer`` takes a block's prepared case and returns the values of ``keys``.
    """
    out = dict(zip(keys, np.empty((len(keys), len(table.reason))), strict=True))
    regime = np.zeros(len(table.reason), dtype="int8")
    new = table.novelty()
    with np.errstate(all="ignore"):
        for rows, case, kind in table.blocks():
            p = as_many_as_fit(steps.prepare(case, calibration), calibration)
            _refuse_memory(p, table.reason, rows)
            regime[rows] = regime_code(new[kind], concurrency=p.load.concurrency, pp=p.split.pp)
            for key, value in zip(keys, answer(p), strict=True):
                out[key][rows] = value
    bad = np.flatnonzero(table.reason != "")
    for values in out.values():
        values[bad] = np.nan
    return out, regime, table.reason, table.dated.widening[table.dated.code]


def as_many_as_fit(p: Prepared, calibration: Calibration) -> Prepared:
    """With the users that memory and the engine's limit hold where none were named."""
    users = p.load.concurrency
    if not np.any(unsaid := users > LARGEST["concurrency"]):
        return p
    most = np.minimum(steps.most_sequences(p, calibration), LARGEST["concurrency"])
    return p._replace(load=p.load._replace(concurrency=np.where(unsaid, most, users)))


def _refuse_memory(p: Prepared, reason: np.ndarray, rows: Rows) -> None:
    """Reasons of rows whose weights and one sequence exceed the memory."""
    missing = steps.missing_bytes(p)
    if not np.any(missing > 0):
        return
    at = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
    n_gpu = p.split.tp * p.split.pp * p.split.dp
    columns = np.broadcast_arrays(at, missing, n_gpu, p.shapes.memory_bytes)
    lacking = (columns[1] > 0) & (reason[at] == "")
    row, *values = (column[lacking].tolist() for column in columns)
    reason[row] = steps.too_large(*values)


def predict_frame(frame: pd.DataFrame, calibration: Calibration | None = None) -> pd.DataFrame:
    """Predictions for a table of deployments; a row that cannot be has a ``reason`` and NaN.

    Parameters
    ----------
    frame : DataFrame
        Columns model, accelerator (names or objects), input_tokens, output_tokens; concurrency,
        where an empty cell or "max" means as many as fit; optional n_gpu, tp, pp, ep, dp (1),
        precision (bf16), kv_precision (the engine's own), engine (an unknown one has the common
        habits), software_maturity (1), cached_frac (0), max_batch (no limit); the launch settings
        policy, scheduling, stream_interval, recv_interval, dp_wait_steps, batch_wait_steps and
        prefill_budget_tokens (the engine's own); n_rounds, the requests of each user in a benchmark
        (10); is_cold, 0 for a benchmark of a server that was warmed up (1); is_even, 1 for one
        whose requests are all equally long (0).
    calibration : Calibration, optional
        Efficiencies and overheads of the software; fitted values by default.

    Returns
    -------
    DataFrame
        The frame with ttft_s (the median, as is ttft_p50_s), ttft_p95_s, ttft_p99_s and
        mean_ttft_s; the gaps between messages itl_p50_s, itl_p95_s and itl_p99_s; tpot_s;
        benchmark_mean_ttft_s, which holds the opening burst of a benchmark that starts all users at
        once;
        output_tokens_per_s_per_gpu, tokens_per_s_per_user, batch, the 90 % band (``…_low_s``,
        ``…_high_s``), regime and reason added.

    Raises
    ------
    ValueError
        Where a required column is missing.

    Examples
    --------
    >>> runs = pd.DataFrame({"model": ["llama-3.1-8b", "llama-9"], "accelerator": "h100-sxm",
    ...     "input_tokens": 1000, "output_tokens": 500, "concurrency": 16})
    >>> out = predict_frame(runs)
    >>> bool(0.005 < out.tpot_s[0] < 0.02), out.reason[1][:24]
    (True, "unknown model 'llama-9';")
    """
    cal = calibration or Calibration.fitted()
    return predict_table(frame, look_up(frame, cal), cal)


def predict_table(frame: pd.DataFrame, table: Table, cal: Calibration) -> pd.DataFrame:
    """`predict_frame` of a frame that is looked up already."""

    def answer(p: Prepared) -> tuple[Any, ...]:
        s, load, split = steady.steady(p, cal), p.load, p.split
        whole_s = steps.answer_s(s.mean_ttft_s, s.tpot_s, load.output_tokens)
        rate = load.concurrency * load.output_tokens / whole_s * split.n_replicas / split.n_gpu
        times = (s.ttft_s[0], *s.ttft_s, s.mean_ttft_s, *s.itl_s, s.tpot_s, s.benchmark_mean_ttft_s)
        return *times, rate, s.batch

    keys = (*TIMES, "output_tokens_per_s_per_gpu", "batch")
    numbers, regime, reason, widening = _solve(table, cal, keys, answer)
    out: dict[str, Any] = {**numbers, "tokens_per_s_per_user": 1 / numbers["tpot_s"]}
    for metric in ("ttft", "tpot"):
        factor = np.array([bands()[name, f"{metric}_s"].p90_factor for name in REGIMES])[regime]
        factor = factor * widening
        out[f"{metric}_low_s"] = out[f"{metric}_s"] / factor
        out[f"{metric}_high_s"] = out[f"{metric}_s"] * factor
    out["regime"] = pd.Categorical.from_codes(regime, REGIMES)
    return with_columns(frame, out | {"reason": texts(reason)})


def max_throughput_frame(
    frame: pd.DataFrame, calibration: Calibration | None = None, *, as_split: bool = False
) -> pd.DataFrame:
    """Offline maximum throughput: as many sequences as fit, all work waiting at the door.

    Of a mixture of experts without attention replicas (``dp`` 1 or left out) the better of two
    arrangements counts: attention in slices over ``tp``, or a whole copy of it on every accelerator
    (attention DP), as engines' own tables of maximum throughput run it.

    Parameters
    ----------
    frame : DataFrame
        The columns of `predict_frame`; ``concurrency``, where there is one, caps the batch;
        ``n_requests`` of a run that ends (unlimited by default): its last wave is smaller.
    calibration : Calibration, optional
        As in `predict_frame`.
    as_split : bool
        Keep to the split of the frame, so that a mixture's attention stays in slices.

    Returns
    -------
    DataFrame
        The frame with output_tokens_per_s_per_gpu, batch, tpot_s, is_attention_dp and reason added.

    Examples
    --------
    >>> runs = pd.DataFrame({"model": ["llama-2-70b"], "accelerator": "h100-sxm", "n_gpu": 8,
    ...     "tp": 2, "precision": "fp8", "input_tokens": 294, "output_tokens": 294})
    >>> bool(2400 < max_throughput_frame(runs).output_tokens_per_s_per_gpu[0] < 4500)
    True
    """
    cal = calibration or Calibration.fitted()
    out, reason, is_moe = _offline(frame, cal)
    apart = np.zeros(len(frame), dtype=bool)
    numbers = numbers_of(frame)
    alike = is_moe & (numbers["dp"] == 1) & (numbers["tp"] > 1) & (numbers["pp"] == 1)
    if alike.any() and not as_split:
        part = frame[alike].assign(tp=1, dp=numbers["tp"][alike], ep=numbers["tp"][alike])
        other, why, _ = _offline(part, cal)
        rate = "output_tokens_per_s_per_gpu"
        better = (why == "") & (other[rate] > out[rate][alike])
        rows = np.flatnonzero(alike)[better]
        for name, values in out.items():
            values[rows] = other[name][better]
        apart[rows] = True
    return with_columns(frame, out | {"is_attention_dp": apart, "reason": texts(reason)})


def _offline(
    frame: pd.DataFrame, cal: Calibration
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Throughput, batch and TPOT of each row as it stands, its reason, whether it is a mixture."""

    def answer(p: Prepared) -> tuple[Any, ...]:
        run = steady.offline(p, cal)
        rate = run.batch / run.tpot_s * p.split.n_replicas / p.split.n_gpu
        return rate, run.batch, run.tpot_s, p.shapes.is_moe

    keys = ("output_tokens_per_s_per_gpu", "batch", "tpot_s", "is_moe")
    out, _, reason, _ = _solve(look_up(frame, cal), cal, keys, answer)
    return out, reason, out.pop("is_moe") > 0
