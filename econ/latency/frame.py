"""The latency model over a table: 400,000 rows a CPU second, a reason beside every bad one.

Names are looked up once per distinct value; the equations run in blocks that stay in cache.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from econ.catalog.engines import SCHEDULINGS, Engine, Launch, find_engine
from econ.catalog.guard import check_date, unknown
from econ.catalog.precision import check_precision
from econ.deployment import KV_PRECISIONS, POLICIES, Split, split_rules
from econ.latency import steady, steps
from econ.latency.calibration import REGIMES, Calibration, bands, measured_names, regime_code
from econ.latency.frame_columns import (
    COUNTS,
    LARGEST,
    Lookup,
    launch_of,
    numbers_of,
    refuse_numbers,
    with_columns,
)
from econ.latency.shapes import (
    CHIP_FIELDS,
    ENGINE_FIELDS,
    MODEL_FIELDS,
    Shapes,
    as_accelerator,
    as_model,
    chip_row,
    engine_row,
    generation,
    model_row,
)
from econ.latency.steps import Case, Load, Prepared

BLOCK = 8192  # rows whose columns fit in the second-level cache
REQUIRED = ("model", "accelerator", "input_tokens", "output_tokens")
TIMES = (
    *("ttft_s", "ttft_p50_s", "ttft_p95_s", "ttft_p99_s", "mean_ttft_s"),
    *("itl_p50_s", "itl_p95_s", "itl_p99_s", "tpot_s", "benchmark_mean_ttft_s"),
)


class Dates(NamedTuple):
    """Engine, generation and date of each row as a code, and what the calibration says of them."""

    code: np.ndarray
    items: list[tuple[str, str, str]]
    maturity: np.ndarray
    widening: np.ndarray

    def of_rows(self, part: slice) -> Any:
        """The maturity of some rows; one number where all are alike."""
        if len(set(self.maturity.tolist())) == 1:
            return float(self.maturity[0])
        return self.maturity[self.code[part]]

    def under(self, calibration: Calibration) -> Dates:
        """The same rows under another calibration."""
        layer = calibration.software
        maturity = np.array([layer.maturity(*item) for item in self.items])
        return self._replace(
            maturity=maturity, widening=np.array([layer.widening(*item) for item in self.items])
        )

    @classmethod
    def of(cls, engine: Lookup, chip: Lookup, as_of: Lookup, calibration: Calibration) -> Dates:
        """The combinations that occur."""
        columns = (engine, chip, as_of)
        sizes = [max(len(column.items), 1) for column in columns]
        key = np.ravel_multi_index([column.code for column in columns], sizes)
        keys, code = np.unique(key, return_inverse=True)
        items = []
        for places in zip(*np.unravel_index(keys, sizes), strict=True):
            software, accelerator, date = (
                column.items[int(i)] for column, i in zip(columns, places, strict=True)
            )
            kind = generation(accelerator) if accelerator is not None else ""
            items.append((software.name, kind, date or ""))
        empty = np.ones(len(items))
        return cls(code, items, empty, empty).under(calibration)


class Table(NamedTuple):
    """A frame of deployments, looked up: codes into rows of shapes, the numbers, what is wrong."""

    rows: tuple[tuple[tuple[str, ...], np.ndarray, np.ndarray], ...]  # fields, code, values
    numbers: dict[str, Any]
    model: Lookup
    accelerator: Lookup
    engine: Lookup
    dated: Dates
    reason: np.ndarray

    def under(self, calibration: Calibration) -> Table:
        """The same rows with the engines' habits of another calibration."""
        habits = (ENGINE_FIELDS, self.engine.code, _habits(self.engine, calibration))
        dated = self.dated.under(calibration)
        return self._replace(rows=(*self.rows[:2], habits), dated=dated)

    def case(self, part: slice) -> Case:
        """Some of the rows as a case of arrays."""
        shapes = {
            name: values[code[part]]
            for names, code, rows in self.rows
            for name, values in zip(names, rows, strict=True)
        }
        at = {n: v[part] if isinstance(v, np.ndarray) else v for n, v in self.numbers.items()}
        split = Split.of(shapes["is_moe"], **{n: at[n] for n in ("n_gpu", "tp", "pp", "dp")})
        load = Load(
            at["input_tokens"],
            at["output_tokens"],
            at["concurrency"] / split.n_replicas,
            at["cached_frac"],
            at["max_batch"],
            at["software_maturity"],
            self.dated.of_rows(part),
            at["n_rounds"],
            at["n_requests"] / split.n_replicas,
            at["is_cold"],
            Launch(**{name: at[name] for name in Launch._fields}),
        )
        return Case(Shapes(**shapes), split, load)

    def blocks(self, n_rows: int = BLOCK) -> Iterator[tuple[slice, Case]]:
        """The rows in blocks; the reasons of splits that the rules refuse are written down."""
        size = len(self.reason)
        for start in range(0, size, n_rows):
            part = slice(start, min(start + n_rows, size))
            case = self.case(part)
            self._refuse_splits(part, case.shapes)
            yield part, case

    def _refuse_splits(self, part: slice, shapes: Shapes) -> None:
        reason = self.reason[part]
        counts = {n: self.numbers[n][part] for n in COUNTS}
        limits = {n: getattr(shapes, n) for n in ("n_heads", "n_layers", "n_experts")}
        rules = split_rules(
            **counts, **limits, is_moe=shapes.is_moe, link=shapes.link_bytes_per_s
        ).values()
        for broken, text in rules:
            for row in np.flatnonzero(np.asarray(broken) & (reason == "")):
                values = {n: v[row] for n, v in (counts | limits).items()}
                values["used"] = values["tp"] * values["pp"] * values["dp"]
                values["shared"] = values["tp"] * values["dp"]
                reason[row] = text.format(**values)

    def regime(self, part: slice, case: Case | Prepared) -> Any:
        """Position in `REGIMES` of each row."""
        models, chips = measured_names()
        new_model = np.array([m is None or m.id not in models for m in self.model.items])
        new_chip = np.array([a is None or a.id not in chips for a in self.accelerator.items])
        new = (
            new_chip[self.accelerator.code[part]].astype("int8")
            + 2 * new_model[self.model.code[part]]
        )
        return regime_code(
            new,
            concurrency=case.load.concurrency,
            pp=case.split.pp,
        )


def look_up(frame: pd.DataFrame, calibration: Calibration) -> Table:
    """A frame of deployments as a `Table`; rows that cannot be have a reason already."""
    if lacking := [name for name in REQUIRED if name not in frame]:
        raise ValueError(f"the frame has no column {', '.join(lacking)}")
    reason = np.full(len(frame), "", dtype=object)
    model = Lookup.of(frame, "model", as_model)
    chip = Lookup.of(frame, "accelerator", as_accelerator)
    precision = Lookup.of(frame, "precision", check_precision, "bf16")
    engine = Lookup.of(frame, "engine", lambda name: find_engine(name) or Engine())
    kv_precision, policy, scheduling = (
        Lookup.of(frame, name, functools.partial(_one_of, name, known))
        for name, known in (
            ("kv_precision", KV_PRECISIONS), ("policy", POLICIES), ("scheduling", SCHEDULINGS),
        )
    )  # fmt: skip
    as_of = Lookup.of(frame, "as_of", _date)
    checked = [model, chip, precision, kv_precision, policy, scheduling, as_of]
    if "has_pools" in frame:  # tables of scenarios have it, measured runs do not
        checked.append(Lookup.of(frame, "has_pools", refuse_pools))
    for column in checked:
        if any(column.reasons):
            texts = np.array(column.reasons, dtype=object)[column.code]
            reason = np.where((reason == "") & (texts != ""), texts, reason)

    shape_key, shape_rows = _rows(
        (model, precision, engine, kv_precision),
        MODEL_FIELDS,
        lambda m, p, e, kv: model_row(m, p, e.kv_bytes_per_element(p, kv)),
        reason,
    )
    chip_key, chip_rows = _rows((chip, precision), CHIP_FIELDS, chip_row, reason)
    numbers = numbers_of(frame)
    numbers |= launch_of(numbers, engine, policy, scheduling)
    refuse_numbers(numbers, reason)
    rows = (
        (MODEL_FIELDS, shape_key, shape_rows),
        (CHIP_FIELDS, chip_key, chip_rows),
        (ENGINE_FIELDS, engine.code, _habits(engine, calibration)),
    )
    dated = Dates.of(engine, chip, as_of, calibration)
    return Table(rows, numbers, model, chip, engine, dated, reason)


def _habits(engine: Lookup, calibration: Calibration) -> np.ndarray:
    """A column of values for each distinct engine, under a calibration."""
    rows = [engine_row(calibration.engine(e.name)) for e in engine.items]
    return np.ascontiguousarray(np.array(rows).reshape(-1, len(ENGINE_FIELDS)).T)


def refuse_pools(has_pools: object) -> bool:
    """Separate pools for prompts and answers are two machines; the closed form knows one."""
    if has_pools:
        raise ValueError(
            "policy = 'disaggregated' has two pools, which the closed form does not know: "
            "econ.serving.simulate and econ.plan.plan do"
        )
    return False


def _date(as_of: object) -> str:
    """A date; empty (or missing) for today."""
    return check_date("" if as_of is None or as_of != as_of else str(as_of))


def _one_of(what: str, known: tuple[str, ...], name: object) -> str:
    """A known word; empty (or missing) for the engine's own."""
    text = "" if name is None or name != name else str(name)
    if text and text not in known:
        raise unknown(what, text, known)
    return text


def _rows(
    columns: tuple[Lookup, ...],
    names: tuple[str, ...],
    row_of: Callable[..., tuple[float, ...]],
    reason: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """One row of numbers for each combination of names that occurs, and each row's combination."""
    sizes = [max(len(column.items), 1) for column in columns]
    key = np.ravel_multi_index([column.code for column in columns], sizes)
    values = np.full((int(np.prod(sizes)), len(names)), np.nan)
    for code in np.flatnonzero(np.bincount(key, minlength=len(values))):
        places = np.unravel_index(int(code), sizes)
        items = [column.items[int(i)] for column, i in zip(columns, places, strict=True)]
        if any(item is None for item in items):
            continue
        try:
            values[code] = row_of(*items)
        except ValueError as error:
            reason[(key == code) & (reason == "")] = str(error)
    return key, np.ascontiguousarray(values.T)


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
    out = {key: np.full(len(table.reason), np.nan) for key in keys}
    regime = np.zeros(len(table.reason), dtype="int8")
    with np.errstate(all="ignore"):
        for part, case in table.blocks():
            p = as_many_as_fit(steps.prepare(case, calibration), calibration)
            _refuse_memory(p, table.reason[part])
            regime[part] = table.regime(part, p)
            for key, value in zip(keys, answer(p), strict=True):
                out[key][part] = value
    for values in out.values():
        values[table.reason != ""] = np.nan
    return out, regime, table.reason, table.dated.widening[table.dated.code]


def as_many_as_fit(p: Prepared, calibration: Calibration) -> Prepared:
    """With the users that memory and the engine's limit hold where none were named."""
    users = p.load.concurrency
    if not np.any(unsaid := users > LARGEST["concurrency"]):
        return p
    most = np.minimum(steps.most_sequences(p, calibration), LARGEST["concurrency"])
    return p._replace(load=p.load._replace(concurrency=np.where(unsaid, most, users)))


def _refuse_memory(p: Prepared, reason: np.ndarray) -> None:
    """Reasons of rows whose weights and one sequence exceed the memory."""
    missing = steps.missing_bytes(p)
    for row in np.flatnonzero((missing > 0) & (reason == "")):
        n_gpu = p.split.tp[row] * p.split.pp[row] * p.split.dp[row]
        reason[row] = steps.too_large(missing[row], n_gpu, p.shapes.memory_bytes[row])


def predict_frame(frame: pd.DataFrame, calibration: Calibration | None = None) -> pd.DataFrame:
    """Predictions for a table of deployments; a row that cannot be has a ``reason`` and NaN.

    Parameters
    ----------
    frame : DataFrame
        Columns model, accelerator (names or objects), input_tokens, output_tokens; concurrency,
        where an empty cell or "max" means as many as fit; optional n_gpu, tp, pp, ep, dp (1),
        precision (bf16), kv_precision (the engine's own), engine (an unknown one has the common
        habits), software_maturity (1), cached_frac (0), max_batch (no limit); the launch settings
        policy, scheduling, stream_interval, recv_interval, dp_wait_steps and prefill_budget_tokens
        (the engine's own); n_rounds, the requests of each user in a benchmark (10);
        is_cold, 0 for a benchmark of a server that was warmed up (1).
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
    return with_columns(frame, out | {"reason": reason})


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
    return with_columns(frame, out | {"is_attention_dp": apart, "reason": reason})


def _offline(
    frame: pd.DataFrame, cal: Calibration
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Throughput, batch and TPOT of each row as it stands, its reason, whether it is a mixture."""
    is_moe = []

    def answer(p: Prepared) -> tuple[Any, ...]:
        run = steady.offline(p, cal)
        rate = run.batch / run.tpot_s * p.split.n_replicas / p.split.n_gpu
        is_moe.append(p.shapes.is_moe > 0)
        return rate, run.batch, run.tpot_s

    keys = ("output_tokens_per_s_per_gpu", "batch", "tpot_s")
    out, _, reason, _ = _solve(look_up(frame, cal), cal, keys, answer)
    return out, reason, np.concatenate([np.zeros(0, bool), *is_moe])
