"""What could be deployed: every accelerator × precision × split, and what rules a replica out.

>>> found = candidates_frame("llama-3.1-70b", ["h100-sxm"], ["bf16"], [(1, 1, 1, 1), (8, 1, 1, 1)],
...     {"h100-sxm": 3.85}, input_tokens=1000, output_tokens=200, longest_tokens=8192)
>>> found[["tp", "constraint", "most_sequences"]].to_numpy().tolist()
[[1, 'memory', 0], [8, '', 1332]]
>>> found["reason"][0][:31]
'does not fit: 56.0 GB missing; '
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from econ.catalog import catalog
from econ.catalog.architecture import Model
from econ.catalog.guard import count, positive
from econ.catalog.precision import check_precision
from econ.catalog.tables import table
from econ.latency.deployments import MOST_GPU, as_model
from econ.latency.frame import max_throughput_frame, predict_frame

SPLIT = ("tp", "pp", "ep", "dp")
TENSOR, PIPELINE, DATA = (1, 2, 4, 8, 16), (1, 2, 4), (1, 2, 4, 8, 16, 32, 64)
# what can rule a deployment out, in the order in which it is looked for
CONSTRAINTS = ("precision", "split", "memory", "context", "price", "kv cache", "ttft", "tpot")


def splits_of(model: Model | str, n_most_gpu: int = 16) -> list[tuple[int, int, int, int]]:
    """Ways to split a replica over at most ``n_most_gpu`` accelerators: (tp, pp, ep, dp).

    Tensor slices and pipeline stages for any model; for a mixture of experts also replicated
    attention (dp) with the experts spread over all of tp × dp.

    >>> splits_of("llama-3.1-8b", 4)
    [(1, 1, 1, 1), (1, 2, 1, 1), (1, 4, 1, 1), (2, 1, 1, 1), (2, 2, 1, 1), (4, 1, 1, 1)]
    """
    m = as_model(model)
    n_most_gpu = count("n_most_gpu", n_most_gpu, 1, 4096)
    pairs = itertools.product(TENSOR, PIPELINE)
    made = [(tp, pp, 1, 1) for tp, pp in pairs if tp * pp <= n_most_gpu]
    if m.is_moe:
        made += [
            (tp, 1, tp * dp, dp)
            for tp, dp in itertools.product(TENSOR, DATA)
            if 1 < tp * dp <= min(n_most_gpu, m.n_experts)
        ]
    return made


def candidates_frame(
    model: Model | str,
    accelerators: Iterable[str],
    precisions: Iterable[str],
    splits: Iterable[tuple[int, int, int, int]],
    prices_usd_per_gpu_hour: Mapping[str, float],
    *,
    input_tokens: float,
    output_tokens: float,
    longest_tokens: float,
    engine: str = "",
) -> pd.DataFrame:
    """One row a replica: accelerator, precision, split, what it rents for and what rules it out.

    ``most_sequences`` is what its memory holds at the workload's mean context. ``constraint`` is
    empty or one of `CONSTRAINTS`, ``reason`` says it in words. A replica spread by tensor or data
    parallelism stays within one scale-up domain.
    """
    m = as_model(model)
    grid = list(itertools.product(_known(accelerators), _precisions(precisions), _splits(splits)))
    if not grid:
        raise ValueError("no deployment to look at: name an accelerator, a precision and a split")
    rows = pd.DataFrame(
        [(chip, precision, *split) for chip, precision, split in grid],
        columns=["accelerator", "precision", *SPLIT],
    )
    for name, price in prices_usd_per_gpu_hour.items():
        positive(f"price of {name} in USD per GPU-hour", price, 10_000)
    rows = rows.assign(
        model=m,
        n_gpu=rows["tp"] * rows["pp"] * rows["dp"],
        input_tokens=float(input_tokens),
        output_tokens=float(output_tokens),
        concurrency=1.0,
        engine=engine,
        usd_per_gpu_hour=rows["accelerator"].map(dict(prices_usd_per_gpu_hour)).astype("float64"),
    )
    rows["reason"] = predict_frame(rows)["reason"]
    rows["constraint"] = np.select(
        [
            rows["reason"].str.startswith("does not fit"),
            rows["reason"].str.contains("arithmetic|precision"),
            rows["reason"] != "",
        ],
        ["memory", "precision", "split"],
        "",
    )
    domain = rows["accelerator"].map(table("accelerators")["scaleup_domain"]).astype("float64")
    together = rows["tp"] * rows["dp"]
    _rule_out(
        rows, "split", together > domain,
        [f"tp × dp = {n} accelerators, {d:.0f} are linked" for n, d in zip(together, domain,
                                                                       strict=True)],
    )  # fmt: skip
    window = m.max_context_tokens
    if window is not None and longest_tokens > window:
        text = f"the longest request has {longest_tokens:,.0f} tokens, the model takes {window:,}"
        _rule_out(rows, "context", np.ones(len(rows), bool), text)
    _rule_out(
        rows, "price", rows["usd_per_gpu_hour"].isna(),
        "no price of " + rows["accelerator"] + ": give one",
    )  # fmt: skip
    rows["most_sequences"] = _most_sequences(rows)
    return rows.drop(columns=["model", "concurrency"])


def _known(accelerators: Iterable[str]) -> list[str]:
    names = [catalog.accelerator(name).id for name in listed("accelerators", accelerators)]
    return list(dict.fromkeys(names))  # one named twice is looked at once


def _precisions(precisions: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(check_precision, listed("precisions", precisions))))


def _splits(splits: Iterable[tuple[int, int, int, int]]) -> list[tuple[int, ...]]:
    made = []
    for split in listed("parallelism", splits):
        if not isinstance(split, Sequence) or len(split) != len(SPLIT):
            raise ValueError(f"parallelism {split!r} is not four numbers: ({', '.join(SPLIT)})")
        named = zip(SPLIT, split, strict=True)
        made.append(tuple(count(name, n, 1, MOST_GPU) for name, n in named))
    return list(dict.fromkeys(made))


def listed(name: str, values: Iterable) -> list:
    """Several values, or a single name or number, as a list."""
    if isinstance(values, Iterable) and not isinstance(values, str):
        return list(values)
    if isinstance(values, str | int | float):
        return [values]
    raise ValueError(f"{name} = {values!r} is outside its range: a list")


def _rule_out(rows: pd.DataFrame, name: str, bad, reason) -> None:
    """Give the rows that are still possible and break a rule their constraint and its words."""
    bad = np.asarray(bad) & (rows["constraint"] == "").to_numpy()
    rows.loc[bad, "constraint"] = name
    words = reason if isinstance(reason, str) else pd.Series(reason, index=rows.index)[bad]
    rows.loc[bad, "reason"] = words


def _most_sequences(rows: pd.DataFrame) -> np.ndarray:
    """Sequences of the mean context that a replica's memory holds; 0 where none is possible."""
    full = max_throughput_frame(rows.drop(columns=["concurrency", "reason"]))
    possible = (rows["constraint"] == "").to_numpy()
    return np.where(possible, full["batch"].fillna(0), 0).astype("int64")
