"""The arithmetic of the scoreboard: errors, their pairs, and intervals of the difference."""

from __future__ import annotations

import numpy as np
import pandas as pd

METRICS = ("tpot_s", "ttft_s", "benchmark_mean_ttft_s", "output_tokens_per_s_per_gpu")
N_RESAMPLES = 1000


def errors_of(predicted: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Absolute relative errors, run by run and metric by metric; NaN without a prediction or truth.

    Both tables must have one row for each run, under the run's own label.
    """
    if not predicted.index.equals(truth.index):
        raise ValueError("predictions and measurements are not of the same runs in the same order")
    off = (predicted[list(METRICS)] / truth[list(METRICS)] - 1).abs()
    numbers = {name: off[name].to_numpy(float, na_value=np.nan) for name in METRICS}
    return pd.DataFrame(numbers, index=truth.index)


def best_setting(answers: dict[str, pd.DataFrame], truth: pd.DataFrame) -> str:
    """The setting with most answers, then with the least sum of median errors."""

    def rank(name: str) -> tuple[int, float]:
        off = errors_of(answers[name], truth)
        return -int(off["tpot_s"].notna().sum()), float(off.median().sum())

    return min(answers, key=rank)


def difference_interval(
    off: pd.Series, reference: pd.Series, clusters: pd.Series, seed: int = 20
) -> tuple[float, float, float]:
    """The median error less that of the reference on the same runs, and 95 % of its resamples.

    Whole clusters are drawn again, with both errors of each of their runs.
    """
    pairs = pd.DataFrame({"off": off, "reference": reference}).dropna()
    if pairs.empty:
        return np.nan, np.nan, np.nan
    code, names = pd.factorize(clusters[pairs.index])
    values = pairs.to_numpy()
    middle = float(np.subtract(*np.median(values, axis=0)))
    if len(names) < 2:
        return middle, np.nan, np.nan
    random = np.random.default_rng(seed)
    times = random.multinomial(len(names), np.full(len(names), 1 / len(names)), N_RESAMPLES)
    drawn = np.subtract(*(_medians(column, times[:, code]) for column in values.T))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return middle, float(low), float(high)


def _medians(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The median of each row of ``times``, which says how often each value was drawn."""
    order = np.argsort(values)
    reached = np.cumsum(times[:, order], axis=1)
    half = reached[:, -1:] / 2
    lower, upper = (reached >= half).argmax(axis=1), (reached > half).argmax(axis=1)
    return (values[order][lower] + values[order][upper]) / 2


def board(
    truth: pd.DataFrame,
    tools: dict[str, pd.DataFrame],
    parts: dict[str, pd.Series],
    clusters: pd.Series,
    reference: str,
) -> pd.DataFrame:
    """One row for each tool, metric and group of runs.

    ``tools``: the predictions of each; ``parts``: labels of the runs by kind of group;
    ``reference``: the tool against which the others are paired.
    """
    parts = {"all": pd.Series("all", index=truth.index)} | parts
    off = {name: errors_of(answers, truth) for name, answers in tools.items()}
    rows = []
    for kind, labels in parts.items():
        for group in sorted(labels.unique()):
            inside = labels.index[labels == group]
            for metric in METRICS:
                asked = truth.loc[inside, metric].dropna().index
                if asked.empty:
                    continue
                theirs = off[reference].loc[asked, metric]
                for name in tools:
                    ours = off[name].loc[asked, metric]
                    both = ours.notna() & theirs.notna()
                    middle, low, high = difference_interval(ours, theirs, clusters)
                    rows.append({
                        "tool": name, "metric": metric, "part": kind, "group": group,
                        "n_rows": len(asked), "n_answered": int(ours.notna().sum()),
                        "median_error_frac": ours.median(), "p90_frac": ours.quantile(0.9),
                        "paired_reference_error_frac": theirs[both].median(),
                        "difference_frac": middle, "difference_low_frac": low,
                        "difference_high_frac": high,
                        "closer_frac": (ours < theirs)[both].mean(),
                    })  # fmt: skip
    scored = pd.DataFrame(rows)
    return scored.assign(verdict=scored.apply(verdict, axis=1, reference=reference))


def verdict(row: pd.Series, reference: str) -> str:
    """Which side errs less on the runs that both answered, or that the runs do not tell."""
    if row["tool"] == reference:
        return "reference"
    if not row["n_answered"]:
        return "no answer"
    if row["difference_high_frac"] < 0:
        return "better"
    return "worse" if row["difference_low_frac"] > 0 else "not told apart"
