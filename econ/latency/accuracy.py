"""How far the latency model is off on runs that its fit has not seen.

Errors are absolute shares of the measured value, |predicted − measured| / measured; factors
(``…_x``) treat twice too high and twice too low alike and make the bands.

>>> report = accuracy_frame(split="configuration", runs=sample_runs().iloc[::3])
>>> bool(report.loc["tpot_s", "median_frac"] < 0.2)
True
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from econ.catalog.guard import unknown
from econ.latency.calibration import Calibration
from econ.latency.evidence import WORKLOAD, configuration, folds, sample_runs
from econ.latency.fitting import FIXED, START, TTFT_WEIGHT, fit, runs_table, solve
from econ.latency.steps import answer_s

METRICS = ("tpot_s", "ttft_s", "output_tokens_per_s_per_gpu")
SPLITS = ("configuration", "accelerator", "model", "source")


def measured(runs: pd.DataFrame) -> pd.DataFrame:
    """The measured metrics; throughput follows from the other two by Little's law."""
    answer = answer_s(runs["ttft_s"], runs["tpot_s"], runs["output_tokens"])
    rate = runs["concurrency"] * runs["output_tokens"] / answer / runs["n_gpu"]
    return pd.DataFrame(
        {"tpot_s": runs["tpot_s"], "ttft_s": runs["ttft_s"], "output_tokens_per_s_per_gpu": rate}
    )


def groups(runs: pd.DataFrame, split: str) -> pd.Series:
    """What is left out together: a fifth of the configurations, or one of the named kind."""
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if split == "configuration":
        return folds(configuration(runs))
    if split == "source":  # a benchmark and an engine: whose habits the fit has not seen
        return runs["source"] + " " + runs["engine"]
    return runs[split]


def held_out(
    runs: pd.DataFrame,
    split: str = "configuration",
    *,
    names: list[str] | None = None,
    start: Calibration | None = None,
    ttft_weight_frac: float = TTFT_WEIGHT,
) -> pd.DataFrame:
    """Predictions of every run by a fit that has not seen its group."""
    label = groups(runs, split)
    out = []
    for group in sorted(label.unique()):
        inside = (label == group).to_numpy()
        k = fit(runs[~inside], names=names, start=start, ttft_weight_frac=ttft_weight_frac)
        predicted = solve(runs_table(runs[inside]), k)
        times = {"tpot_s": predicted.tpot_s, "ttft_s": predicted.ttft_s}
        out.append(measured(runs[inside].assign(**times)))
    return pd.concat(out).loc[runs.index]


def kendall_within(runs: pd.DataFrame, ours: pd.Series, theirs: pd.Series) -> float:
    """Kendall's τ of ours against theirs inside a workload (model and lengths), mean by runs."""
    from scipy.stats import kendalltau

    total = weight = 0.0
    for _, rows in runs.groupby(WORKLOAD):
        if len(rows) >= 5:
            total += kendalltau(ours[rows.index], theirs[rows.index]).statistic * len(rows)
            weight += len(rows)
    return total / weight if weight else float("nan")


def summary(runs: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Per metric: runs, median and 90th-percentile absolute error, bias, factors, Kendall's τ."""
    truth, rows = measured(runs), {}
    for metric in METRICS:
        ratio = predicted[metric] / truth[metric]
        log = np.log(ratio).abs()
        rows[metric] = {
            "n_runs": len(runs),
            "median_frac": (ratio - 1).abs().median(),
            "p90_frac": (ratio - 1).abs().quantile(0.9),
            "bias_frac": ratio.median() - 1,
            "median_x": float(np.exp(log.median())),
            "p90_x": float(np.exp(log.quantile(0.9))),
            "kendall_tau": kendall_within(runs, predicted[metric], truth[metric]),
        }
    return pd.DataFrame(rows).T.rename_axis("metric")


def accuracy_frame(split: str = "configuration", runs: pd.DataFrame | None = None) -> pd.DataFrame:
    """How far predictions of unseen runs are off; ``split`` says what was unseen."""
    runs = sample_runs() if runs is None else runs.reset_index(drop=True)
    return summary(runs, held_out(runs, split))


def accuracy_by_group(split: str, runs: pd.DataFrame | None = None) -> pd.DataFrame:
    """The same for each group left out alone: one row per accelerator, model or source."""
    runs = sample_runs() if runs is None else runs.reset_index(drop=True)
    predicted, label = held_out(runs, split), groups(runs, split)
    rows = {}
    for group in sorted(label.unique()):
        inside = label == group
        table = summary(runs[inside], predicted[inside])
        rows[group] = {"n_runs": int(inside.sum())} | {
            f"{metric}_{column}": table.loc[metric, column]
            for metric in ("tpot_s", "ttft_s")
            for column in ("median_frac", "p90_frac", "bias_frac")
        }
    return pd.DataFrame(rows).T.rename_axis(split)


LADDER = (
    ("datasheet", []),
    ("two efficiencies", ["weight_bandwidth_frac", "kv_bandwidth_frac"]),
    ("kernels and host", ["kernel_s", "host_exposed_frac"]),
    ("others' prompts", ["prefill_compute_frac", "attention_compute_frac"]),
    ("collectives", ["collective_s", "link_frac", "prefill_link_frac"]),
    ("experts and states", ["expert_compute_frac", "n_state_passes"]),
    (
        "who waits",
        [n for n in START if "." in n or n == "n_wait_steps"],
    ),
)


def _turned_on() -> dict[str, dict[str, float]]:
    """Values set beforehand that come with a rung of the ladder."""

    def fixed(*names: str) -> dict[str, float]:
        return {name: FIXED[name] for name in names}

    host = {
        f"{engine.name}.host_s_per_sequence": engine.host_s_per_sequence
        for engine in Calibration.fitted().engines
    }
    return {
        "two efficiencies": fixed("usable_memory_frac", "reserved_bytes"),
        "kernels and host": host,
        "others' prompts": {"interference_frac": 1.0},
        "collectives": fixed("large_message_bytes", "slow_link_bytes_per_s"),
        "experts and states": fixed("n_tile_tokens", "n_prefill_tile_tokens",
                                    "prefill_chunk_tokens", "decode_compute_frac"),
    }  # fmt: skip


def ladder_frame(runs: pd.DataFrame | None = None) -> pd.DataFrame:
    """The held-out TPOT error as terms of the model are switched on one after the other.

    Each rung fits its own and all earlier parameters on the other configurations; those above
    stay at the datasheet's bound. TPOT alone is fitted until the last rung, which says who waits
    and so needs TTFT. Columns: rung, n_parameters, median_frac, p90_frac, bias_frac.
    """
    runs = sample_runs() if runs is None else runs.reset_index(drop=True)
    k, names, rows = Calibration.datasheet(), [], []
    for rung, added in LADDER:
        names = names + list(added)
        changed = {n: START[n][0] for n in added} | _turned_on().get(rung, {})
        k = k.replace(**changed)
        weight = TTFT_WEIGHT if rung == LADDER[-1][0] else 0.0
        predicted = held_out(runs, names=names, start=k, ttft_weight_frac=weight)
        table = summary(runs, predicted).loc["tpot_s"]
        rows.append((rung, len(names), table.median_frac, table.p90_frac, table.bias_frac))
    columns = ["rung", "n_parameters", "median_frac", "p90_frac", "bias_frac"]
    return pd.DataFrame(rows, columns=columns)
