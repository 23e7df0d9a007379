"""Fit a loss law to training runs, as published: Huber loss on the log, many starts, bootstrap.

Minimises Σ Huber_δ(log L̂ᵢ − log Lᵢ) over (log A, log B, log E, α, β) with δ = 0.001, so that single
runs gone wrong do not steer the fit (Hoffmann et al. 2022, approach 3; Besiroglu et al. 2024).

>>> runs = loss_points("gadre-c4")
>>> fit = fit_law(runs, n_bootstrap=0)
>>> 0 < fit.law.E < 2.6, fit.n
(True, 34)
>>> fit_law(runs.head(4))
Traceback (most recent call last):
    ...
ValueError: 4 runs cannot fit a law of five parameters: at least 6 are needed
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from econ.catalog.guard import count, one_of, positive
from econ.catalog.tables import table
from econ.scaling.laws import PARAMETERS, Law, sizes

DELTA = 1e-3  # where the penalty turns from square to straight, in log units
# the published grid of starts: log A, log B, log E, alpha, beta
GRID = (
    np.arange(0, 30, 5), np.arange(0, 30, 5), np.arange(-1, 1.5, 0.5),
    np.arange(0, 2.5, 0.5), np.arange(0, 2.5, 0.5),
)  # fmt: skip
N_POLISHED = 8  # starts followed to their minimum: the best of the grid
MOST_STEPS, GAIN, PATIENCE = 400, 1e-9, 12  # stop when no row gains more for so many steps
# beyond these a parameter is no longer determined by the data, and the search must stop
BOUNDS = [(-5.0, 60.0), (-5.0, 60.0), (-10.0, 5.0), (1e-3, 5.0), (1e-3, 5.0)]


@dataclass(frozen=True)
class Fit:
    """A fitted law with its bootstrap: ``draws`` has one row per resample, ``objective`` the sum.

    ``median_error_frac``: the median relative error of the loss on the fitted runs.
    """

    law: Law
    n: int
    objective: float
    median_error_frac: float
    draws: pd.DataFrame = field(repr=False)

    def laws(self) -> list[Law]:
        """The resampled laws."""
        return [Law(**row) for row in self.draws.to_dict("records")]


def loss_points(suite: str) -> pd.DataFrame:
    """Measured runs of a suite in ``data/scaling/loss_points.csv``: params, tokens, loss."""
    rows = table("loss_points")
    one_of("suite of runs", suite, rows["suite"].unique())
    rows = rows[rows["suite"] == suite].rename(columns={"loss_nats": "loss"})
    return rows[["params", "tokens", "loss"]].reset_index(drop=True)


def fit_law(frame: pd.DataFrame, *, n_bootstrap: int = 200, seed: int = 0) -> Fit:
    """The additive law that fits training runs.

    Parameters
    ----------
    frame : DataFrame
        Runs: ``params``, ``tokens``, ``loss`` in nats per token; six at least.
    n_bootstrap : int
        Resamples for the 95 % intervals: runs drawn anew, refitted from the fitted values.
    seed : int
        Of the resamples.

    Raises
    ------
    ValueError
        For a missing column, a cell that is no number, or too little spread in size or in data to
        tell the exponents apart.

    Notes
    -----
    Minimises Σ Huber_δ(log L̂ᵢ − log Lᵢ), δ = 0.001, over (log A, log B, log E, α, β).

    References
    ----------
    Hoffmann et al. 2022, approach 3; Besiroglu et al. 2024.
    """
    x, y, z = _columns(frame)
    count("n_bootstrap", n_bootstrap, 0, 100_000)
    count("seed", seed, 0)
    objectives, minima = _descend(_best_starts(x, y, z), x, y, z, 1.0)
    best = minima[objectives.argmin()]
    draws, spread = np.empty((0, len(PARAMETERS))), []
    if n_bootstrap:
        drawn = np.random.default_rng(seed).integers(0, len(z), (n_bootstrap, len(z)))
        weights = np.stack([np.bincount(row.astype(np.intp), minlength=len(z)) for row in drawn])
        refits = _descend(np.tile(best, (n_bootstrap, 1)), x, y, z, weights)[1]
        draws = np.array([_natural(row) for row in refits])
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        spread = list(zip(PARAMETERS, map(float, low), map(float, high), strict=True))
    E, A, B, alpha, beta = map(float, _natural(best))
    law = Law(
        E=E, A=A, B=B, alpha=alpha, beta=beta, id="fitted here", intervals=tuple(spread)
    )  # fmt: skip
    error = np.abs(law.loss(np.exp(x), np.exp(y)) / np.exp(z) - 1)
    return Fit(
        law=law,
        n=len(z),
        objective=float(objectives.min()),
        median_error_frac=float(np.median(error)),
        draws=pd.DataFrame(draws, columns=list(PARAMETERS)),
    )


def held_out_frame(frame: pd.DataFrame, at_most_flop: float) -> pd.DataFrame:
    """Fit on the runs up to a budget, predict the dearer ones: measured, predicted, error_frac.

    Extrapolation is what a law is bought for; errors on the fitted runs say little about it.
    """
    positive("at_most_flop", at_most_flop)
    flop = 6 * frame["params"] * frame["tokens"]
    seen, unseen = frame[flop <= at_most_flop], frame[flop > at_most_flop]
    if unseen.empty:
        raise ValueError(f"no run takes more than {at_most_flop:g} FLOP: nothing to predict")
    law = fit_law(seen, n_bootstrap=0).law
    predicted = law.loss(unseen["params"].to_numpy(), unseen["tokens"].to_numpy())
    return unseen.assign(
        flop=flop[unseen.index],
        predicted=predicted,
        error_frac=predicted / unseen["loss"] - 1,
    ).reset_index(drop=True)


def _columns(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logs of size, data and loss, once they can determine a law."""
    lacking = [c for c in ("params", "tokens", "loss") if c not in frame]
    if lacking:
        raise ValueError(f"the frame has no column {', '.join(lacking)}")
    if len(frame) <= len(PARAMETERS):
        raise ValueError(
            f"{len(frame)} runs cannot fit a law of five parameters: at least 6 are needed"
        )
    for c in ("params", "tokens", "loss"):
        for row in np.flatnonzero(pd.to_numeric(frame[c], errors="coerce").isna())[:1]:
            raise ValueError(
                f"{c} = {frame[c].iloc[row]!r} in row {row} is no number: drop the row"
            )
    logs = [np.log(sizes(c, frame[c].to_numpy("float64"))) for c in ("params", "tokens", "loss")]
    for name, values in zip(("params", "tokens"), logs, strict=False):
        if len(np.unique(values.round(6))) < 3:
            raise ValueError(
                f"{name} takes fewer than three values: how the loss falls with it cannot be told"
            )
    return logs[0], logs[1], logs[2]


def _natural(t: np.ndarray) -> np.ndarray:
    """(log A, log B, log E, α, β) in the order of `PARAMETERS`."""
    a, b, e = np.exp(t[:3])
    return np.array([e, a, b, t[3], t[4]])


def _huber(r: np.ndarray) -> np.ndarray:
    size = np.abs(r)
    return np.where(size <= DELTA, r * r / 2, DELTA * (size - DELTA / 2))


def _best_starts(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The starts of the published grid with the smallest objective."""
    grid = np.array(np.meshgrid(*GRID, indexing="ij")).reshape(5, -1)
    a, b, e, alpha, beta = grid[:, :, None]
    log_loss = np.logaddexp(np.logaddexp(a - alpha * x, b - beta * y), e)
    order = np.argsort(_huber(log_loss - z).sum(axis=1), kind="stable")
    return grid.T[order[:N_POLISHED]]


def _descend(
    starts: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray, weights: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Minima from many starts at once, one a row, each with its own weights of the runs.

    Gauss–Newton with damping (Levenberg–Marquardt) on reweighted squares: a residual beyond δ
    counts as its size, not its square. All rows step together, so that two hundred resamples take
    the time of a few.
    """
    low, high = np.transpose(BOUNDS)
    t = np.clip(np.atleast_2d(starts), low, high)
    weights = np.broadcast_to(np.asarray(weights), (len(t), len(z)))
    parts, r = _residuals(t, x, y, z)
    value, damping = (weights * _huber(r)).sum(axis=1), np.full(len(t), 1e-3)
    quiet = 0
    for _ in range(MOST_STEPS):
        slopes = np.stack([*parts, -parts[0] * x, -parts[1] * y], axis=-1)
        pull = weights * np.minimum(1.0, DELTA / np.maximum(np.abs(r), 1e-300))
        bend = np.einsum("mni,mn,mnj->mij", slopes, pull, slopes)
        slope = np.einsum("mni,mn->mi", slopes, pull * r)
        stiff = damping[:, None] * np.einsum("mii->mi", bend) + 1e-14
        step = np.linalg.solve(bend + stiff[:, :, None] * np.eye(5), -slope[:, :, None])[:, :, 0]
        tried = np.clip(t + step, low, high)
        new_parts, new_r = _residuals(tried, x, y, z)
        new_value = (weights * _huber(new_r)).sum(axis=1)
        better = new_value < value
        gain = float(((value - new_value) / value)[better].max(initial=0.0))
        t, value = np.where(better[:, None], tried, t), np.where(better, new_value, value)
        r = np.where(better[:, None], new_r, r)
        parts = np.where(better[None, :, None], new_parts, parts)
        damping = np.clip(np.where(better, damping / 3, damping * 4), 1e-9, 1e9)
        quiet = quiet + 1 if gain < GAIN else 0
        if quiet > PATIENCE:
            break
    return value, t


def _residuals(
    t: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The share of each term in the loss, and log predicted − log measured, a row a start."""
    a, b = t[:, 0:1] - t[:, 3:4] * x, t[:, 1:2] - t[:, 4:5] * y
    terms = np.stack([a, b, np.broadcast_to(t[:, 2:3], a.shape)])
    log_loss = np.logaddexp(np.logaddexp(terms[0], terms[1]), terms[2])
    return np.exp(terms - log_loss), log_loss - z
