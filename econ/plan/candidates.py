"""What could be deployed: every accelerator × precision × split, and what rules a replica out.

>>> from econ.scenario import Scenario
>>> rows = candidates_frame(Scenario.default(), ["h100-sxm"], ["bf16"],
...                         [(1, 1, 1, 1), (8, 1, 1, 1)])
>>> rows[["tp", "constraint", "most_sequences"]].to_numpy().tolist()
[[1, 'memory', 0], [8, '', 1179]]
>>> rows["reason"][0][:31]
'does not fit: 56.0 GB missing; '
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from econ.catalog import catalog
from econ.catalog.architecture import Model
from econ.catalog.catalog import Accelerator
from econ.catalog.engines import LAUNCH
from econ.catalog.guard import count
from econ.catalog.precision import check_precision
from econ.deployment import MOST_GPU
from econ.latency.frame import max_throughput_frame, predict_frame
from econ.plan.market import listed, market
from econ.scenario import Scenario

SPLIT = ("tp", "pp", "ep", "dp")
STATED = ("input_tokens", "output_tokens", "engine")  # of the settings, in every answer
Split = tuple[int, int, int, int]
TENSOR, PIPELINE, DATA = (1, 2, 4, 8, 16), (1, 2, 4), (1, 2, 4, 8, 16, 32, 64)
PRECISIONS = ("bf16", "fp8")  # 4 bits can cost quality, which has no price here: ask for them
# what can rule a deployment out, in the order in which it is looked for
CONSTRAINTS = (
    "precision",
    "split",
    "memory",
    "context",
    "price",
    "power",
    "max batch",
    "kv cache",
    "ttft",
    "tpot",
)


def splits_of(model: Model | str, n_most_gpu: int = 16) -> list[Split]:
    """Ways to split a replica over accelerators: tuples of (tp, pp, ep, dp).

    Tensor slices and pipeline stages for any model; for a mixture of experts also replicated
    attention (dp) with the experts spread over all of tp × dp.

    Parameters
    ----------
    model : Model or str
        An object or a name of the catalogue.
    n_most_gpu : int
        The largest replica, in accelerators, e.g. 16.

    Examples
    --------
    >>> splits_of("llama-3.1-8b", 4)
    [(1, 1, 1, 1), (1, 2, 1, 1), (1, 4, 1, 1), (2, 1, 1, 1), (2, 2, 1, 1), (4, 1, 1, 1)]
    """
    architecture = catalog.model(model)
    n_most_gpu = count("n_most_gpu", n_most_gpu, 1, 4096)
    pairs = itertools.product(TENSOR, PIPELINE)
    splits = [(tp, pp, 1, 1) for tp, pp in pairs if tp * pp <= n_most_gpu]
    if architecture.is_moe:
        splits += [
            (tp, 1, tp * dp, dp)
            for tp, dp in itertools.product(TENSOR, DATA)
            if 1 < tp * dp <= min(n_most_gpu, architecture.n_experts)
        ]
    return splits


def candidates_frame(
    scenario: Scenario,
    accelerators: Iterable[str | Accelerator] | None = None,
    precisions: Iterable[str] | None = None,
    splits: Iterable[Split] | None = None,
    prices_usd_per_gpu_hour: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """One row a replica: accelerator, precision, split, its price and what rules it out.

    What is not listed is searched, the scenario's own choice included.

    Parameters
    ----------
    scenario : Scenario
        Model, mean lengths, engine and launch settings of every row.
    accelerators : iterable of str or Accelerator, optional
        Names or objects of your own; None for all that have a price.
    precisions : iterable of str, optional
        None for bf16, fp8 and the scenario's.
    splits : iterable of (tp, pp, ep, dp), optional
        None for `splits_of` the model and the scenario's.
    prices_usd_per_gpu_hour : mapping of str to float, optional
        By accelerator, e.g. ``{"h100-sxm": 2.9}``; see `prices_of`.

    Returns
    -------
    pandas.DataFrame
        ``accelerator`` holds the objects themselves. ``most_sequences`` is what a replica's memory
        holds at the workload's mean context. ``constraint`` is empty or one of `CONSTRAINTS`;
        ``reason`` says it in words. A replica spread by tensor or data parallelism stays within
        one scale-up domain, or one server, where slower links join it.

    Raises
    ------
    ValueError
        For an empty list, a price outside its range, or an accelerator of your own without a price.
    UnknownName
        For a name that the catalogue does not hold.
    """
    chips, prices = market(scenario, accelerators, prices_usd_per_gpu_hour)
    choices = list(
        itertools.product(
            range(len(chips)), _precisions(scenario, precisions), _splits(scenario, splits)
        )
    )
    if not choices:
        raise ValueError("no deployment to look at: name an accelerator, a precision and a split")
    rows = pd.DataFrame(
        [(precision, *split) for _, precision, split in choices], columns=["precision", *SPLIT]
    )
    codes = np.array([code for code, _, _ in choices])
    price = np.array([prices.get(chip.id, np.nan) for chip in chips])
    domain = np.array([float(max(chip.scaleup_domain, chip.n_per_server or 1)) for chip in chips])[
        codes
    ]
    name = np.array([chip.id for chip in chips], dtype=object)[codes]
    rows.insert(0, "accelerator", objects(codes, chips))
    settings = settings_of(scenario, len(rows))
    rows = rows.assign(
        n_gpu=rows["tp"] * rows["pp"] * rows["dp"],
        concurrency=1.0,
        **settings,
        usd_per_gpu_hour=price[codes],
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
    together = (rows["tp"] * rows["dp"]).to_numpy()
    _rule_out(
        rows,
        "split",
        together > domain,
        lambda row: f"tp × dp = {together[row]} accelerators, {domain[row]:.0f} are linked",
    )
    model = scenario.resolved_model
    if not model.is_moe:
        _rule_out(
            rows,
            "split",
            (rows["dp"] > 1).to_numpy(),
            lambda row: (
                f"dp = {rows['dp'][row]}: data-parallel ranks of a dense model are "
                "replicas, which the plan counts itself"
            ),
        )
    longest = scenario.workload.input_quantile_tokens[-1]
    longest += scenario.workload.output_quantile_tokens[-1]
    window = model.max_context_tokens
    if window and longest > window:  # 0: unknown
        text = f"the longest request has {longest:,.0f} tokens, the model takes {window:,}"
        _rule_out(rows, "context", np.ones(len(rows), bool), lambda _: text)
    unpriced = rows["usd_per_gpu_hour"].isna().to_numpy()
    _rule_out(rows, "price", unpriced, lambda row: f"no price of {name[row]}: give one")
    limits = [scenario.power_limit(chip) for chip in chips]
    most_gpus = np.array([n for n, _ in limits], "float64")[codes]
    _rule_out(
        rows, "power", (rows["n_gpu"] > most_gpus).to_numpy(),
        lambda row: f"{limits[codes[row]][1]}; a replica has {rows['n_gpu'][row]}",
    )  # fmt: skip
    rows["most_sequences"] = _most_sequences(rows)
    return rows.drop(columns=["concurrency", *(settings.keys() - set(STATED))])


def objects(codes: np.ndarray, items: Sequence[Any]) -> pd.Categorical:
    """A column of a few distinct objects, as quick to look up as numbers."""
    return pd.Categorical.from_codes(codes, pd.Index(items, dtype=object))


def settings_of(scenario: Scenario, n_rows: int) -> dict[str, Any]:
    """What all rows of a search share, as columns for the latency model's table."""
    deployment, workload = scenario.deployment, scenario.workload
    launch = deployment.launch
    return {
        "model": objects(np.zeros(n_rows, dtype="int8"), [scenario.resolved_model]),
        "input_tokens": workload.mean_input_tokens,
        "output_tokens": workload.mean_output_tokens,
        "engine": deployment.engine,
        "kv_precision": deployment.kv_precision,
        "cached_frac": workload.cached_frac,
        "software_maturity": deployment.software_maturity,
        "as_of": deployment.as_of,
        "scheduling": launch.scheduling,
        **{name: getattr(launch, name) for name in LAUNCH},
    }


def _precisions(scenario: Scenario, precisions: Iterable[str] | None) -> list[str]:
    if precisions is None:
        precisions = (*PRECISIONS, scenario.deployment.precision)
    return list(dict.fromkeys(map(check_precision, listed("precisions", precisions))))


def _splits(scenario: Scenario, splits: Iterable[Split] | None) -> list[Split]:
    if splits is None:
        own, model = scenario.deployment, scenario.resolved_model
        ranks = own.dp if model.is_moe else 1
        splits = [*splits_of(model), (own.tp, own.pp, own.ep, ranks)]
    checked: list[Split] = []
    for split in listed("parallelism", splits):
        if not isinstance(split, Sequence) or len(split) != len(SPLIT):
            raise ValueError(f"parallelism {split!r} is not four numbers: ({', '.join(SPLIT)})")
        named = zip(SPLIT, split, strict=True)
        tp, pp, ep, dp = (count(name, n, 1, MOST_GPU) for name, n in named)
        checked.append((tp, pp, ep, dp))
    return list(dict.fromkeys(checked))


def _rule_out(
    rows: pd.DataFrame, name: str, broken: np.ndarray, reason: Callable[[int], str]
) -> None:
    """Give the rows that are still possible and break a rule their constraint and its words."""
    broken = np.flatnonzero(broken & (rows["constraint"] == "").to_numpy())
    rows.loc[broken, "constraint"] = name
    rows.loc[broken, "reason"] = [reason(row) for row in broken]


def _most_sequences(rows: pd.DataFrame) -> np.ndarray:
    """Sequences of the mean context that a replica's memory holds; 0 where none is possible."""
    full = max_throughput_frame(rows.drop(columns=["concurrency", "reason"]), as_split=True)
    possible = (rows["constraint"] == "").to_numpy()
    return np.where(possible, full["batch"].fillna(0), 0).astype("int64")
