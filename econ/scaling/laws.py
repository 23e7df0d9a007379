"""Loss laws: what a model of N parameters trained on D tokens reaches, in nats per token.

L(N, D) = (E + A/N^α + B/D^β)^γ. With γ = 1 this is the additive form of Hoffmann et al. (2022);
[(N_c/N)^(α_N/α_D) + D_c/D]^α_D of Kaplan et al. (2020) is the same with E = 0, β = 1, γ = α_D.
Published laws are rows of ``data/scaling/scaling_laws.csv``. Losses of two laws do not compare:
each has its own text and tokenizer, and Kaplan counts parameters without the embedding.

>>> chinchilla = law("hoffmann2022")
>>> round(float(chinchilla.loss(70e9, 1.4e12)), 3)
1.921
>>> law("hofmann2022")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown law 'hofmann2022'; nearest: hoffmann2022, hoffmann2022-...
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from econ.catalog.guard import each, in_range, not_negative, one_of, positive
from econ.catalog.tables import row_of, table

PARAMETERS = ("E", "A", "B", "alpha", "beta")
Size = float | np.ndarray
LARGEST = 1e40  # FLOP, parameters or tokens: far beyond what will be trained, far below overflow


class NoAnswer(ValueError):
    """The law holds no model of the kind asked for, however much is spent."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """One loss law; ``intervals`` holds the published or bootstrapped 95 % of its parameters."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    gamma: float = 1.0
    id: str = ""
    title: str = ""
    source: str = ""
    intervals: tuple[tuple[str, float, float], ...] = ()

    def __post_init__(self) -> None:
        not_negative("E", self.E, 100.0)
        for name in ("A", "B"):
            positive(name, getattr(self, name), 1e30)
        for name in ("alpha", "beta", "gamma"):
            positive(name, getattr(self, name), 10.0)

    @property
    def floor_nats(self) -> float:
        """The loss that no size and no data can go below: E^γ."""
        return float(self.E**self.gamma)

    @property
    def params_exponent(self) -> float:
        """The optimal size grows as FLOP to this power: β/(α + β)."""
        return self.beta / (self.alpha + self.beta)

    def interval(self, name: str) -> tuple[float, float]:
        """The 95 % interval of a parameter; an error where none is known."""
        known = {n: (low, high) for n, low, high in self.intervals}
        one_of("parameter with an interval", name, known)
        return known[name]

    def loss(self, params: Size, tokens: Size) -> Size:
        """Loss in nats per token; arrays are broadcast. Sizes must be positive and finite."""
        n, d = sizes("params", params), sizes("tokens", tokens)
        additive: Size = self.E + self.A * n**-self.alpha + self.B * d**-self.beta
        return additive**self.gamma

    def smallest_params(self, target_loss: float) -> float:
        """The size that reaches the target only with endless data: smaller ones never do."""
        log_params = (math.log(self.A) - math.log(self._above_floor(target_loss))) / self.alpha
        if log_params > math.log(LARGEST):
            raise NoAnswer(
                f"target_loss = {target_loss!r} is so near to {self.floor_nats:.4g} nats, the "
                f"floor of this law, that it takes more than {LARGEST:g} parameters"
            )
        return math.exp(log_params)

    def tokens_for(self, params: Size, target_loss: float) -> Size:
        """Tokens that bring a size to the target loss; infinite where the size is too small.

        D = (B / (L^(1/γ) − E − A/N^α))^(1/β).

        >>> chinchilla = law("hoffmann2022")
        >>> tokens = chinchilla.tokens_for(7e9, target_loss=float(chinchilla.loss(13e9, 260e9)))
        >>> f"{tokens:.2e}"
        '4.66e+11'
        """
        left = self._above_floor(target_loss) - self.A * sizes("params", params) ** -self.alpha
        with np.errstate(divide="ignore", invalid="ignore"):
            tokens = np.where(left > 0, (self.B / np.maximum(left, 0)) ** (1 / self.beta), np.inf)
        return float(tokens) if tokens.ndim == 0 else tokens

    def _above_floor(self, target_loss: float) -> float:
        """What size and data may add to E, L^(1/γ) − E."""
        positive("target_loss", target_loss, 100.0)
        above = float(target_loss ** (1 / self.gamma) - self.E)
        if above <= 0:
            raise NoAnswer(
                f"target_loss = {target_loss:g} is not above {self.floor_nats:.4g} nats, what this "
                "law leaves at any size and any amount of data: no model reaches it"
            )
        return above


def sizes(name: str, size: Size) -> Size:
    """One or many positive, finite sizes as floats, else a `ValueError`."""
    each(positive, name, size, LARGEST)
    return float(size) if np.ndim(size) == 0 else np.asarray(size, dtype="float64")


@functools.cache
def _named(id: str) -> Law:
    row = row_of("scaling_laws", id, "law")
    known = [n for n in PARAMETERS if not pd.isna(row[f"{n}_low"])]
    values = {f.name: row[f.name] for f in fields(Law) if f.name in row.index}
    values = {n: v if isinstance(v, str) else float(v) for n, v in values.items()}
    spread = tuple((n, float(row[f"{n}_low"]), float(row[f"{n}_high"])) for n in known)
    return Law(**values, intervals=spread)


def law(law: Law | str) -> Law:
    """The law with this name, or the law itself."""
    return law if isinstance(law, Law) else _named(law)


def laws_frame() -> pd.DataFrame:
    """All named laws with their parameters, intervals and sources."""
    return table("scaling_laws")


def effective_tokens(unique_tokens: float, n_epochs: float) -> float:
    """What repeated data are worth in fresh tokens (Muennighoff et al. 2023).

    D' = U + U·R*·(1 − e^(−R/R*)), with R = n_epochs − 1 repetitions and R* = 15.4: four epochs are
    nearly as good as new text, and no number of epochs is worth more than 1 + R* times the text.

    >>> round(effective_tokens(100e9, 4) / 1e9), round(effective_tokens(100e9, 40) / 1e9)
    (373, 1518)
    """
    positive("unique_tokens", unique_tokens, LARGEST)
    in_range("n_epochs", n_epochs, 1, 1e9, says="1 or more (one epoch reads every token once)")
    decay = float(table("scaling_laws").loc["muennighoff2023", "repeats_decay"])
    return float(unique_tokens * (1 + decay * -np.expm1(-(n_epochs - 1) / decay)))
