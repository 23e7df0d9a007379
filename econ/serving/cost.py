"""What one step of an engine costs, as tables that are linear in the context only.

A step that decodes ``B`` sequences holding ``K`` tokens of context and prefills chunks of ``x``
tokens behind ``c`` tokens each takes

    linear_s[tokens] + decode_base_s[B] + decode_per_ctx_token_s[B]·K
        + prefill_base_s + prefill_per_pair_s·Σ x(2c + x)

with ``tokens`` = all tokens of the step. The decode terms are absent without a decode, the
prefill terms without a prefill. x(2c + x) = (c + x)² − c² is the growth of the squared context:
twice the query–key pairs of causal attention. The tables may have any shape (a fit, a roofline);
because only context enters linearly, a run of equal steps still has a closed form.

>>> cost = StepCost.affine(5e-3, 20e-6, per_ctx_token_s=40e-9)
>>> round(cost.step_s(n_decode=8, context_tokens=8000), 6)     # 5 ms + 8 × 20 µs + 0.32 ms
0.00548
>>> round(cost.step_s(chunk_tokens=[(0, 1000)]), 6)
0.025
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from econ.catalog.guard import in_range, not_negative, positive
from econ.catalog.units import TERA

PS_PER_S = TERA  # time inside the simulator is a whole number of picoseconds
MOST_STEP_TOKENS = 10**8  # that a table may have
MAX_STEP_S = 1e5

FIT_COLUMNS = ["step_s", "prefill_tokens", "n_decode", "context_tokens", "prefill_pairs"]


class IntegerCost(NamedTuple):
    """A step cost in whole picoseconds; the last slope carries ``linear`` past its end."""

    linear_ps: NDArray[np.int64]
    decode_base_ps: NDArray[np.int64]
    decode_per_ctx_ps: NDArray[np.int64]
    prefill_base_ps: int
    prefill_per_pair_ps: int
    linear_ps_per_token: int

    def of(
        self, tokens: int, n_decode: int, context_tokens: int, chunked: bool, n_pairs: int
    ) -> int:
        """The duration of one step, term by term."""
        last = len(self.linear_ps) - 1
        time = (
            int(self.linear_ps[min(tokens, last)])
            + max(tokens - last, 0) * self.linear_ps_per_token
        )
        if n_decode:
            time += int(self.decode_base_ps[n_decode])
            time += int(self.decode_per_ctx_ps[n_decode]) * context_tokens
        if chunked:
            time += self.prefill_base_ps + self.prefill_per_pair_ps * n_pairs
        return time


@dataclass(frozen=True, eq=False)
class StepCost:
    """The duration of one engine step as a function of what the step does.

    A plain number stands for the same value at every size; past its end a table goes on with its
    last slope.

    Parameters
    ----------
    linear_s : float or array
        Seconds by the tokens of a step (index 0 is unused), e.g. 0.01 for 256 tokens.
    decode_base_s : float or array
        Seconds on top by the number of sequences decoded, at no context. May be negative (decodes
        cheaper than prefill) as long as no step takes less than 0 s.
    decode_per_ctx_token_s : float or array
        Seconds per token of context, by the number of sequences decoded, e.g. 5e-9.
    prefill_base_s : float
        Seconds that a step with a prefill takes on top, e.g. 0.001.
    prefill_per_pair_s : float
        Seconds per unit of Σ x(2c + x), e.g. 1e-11.

    Raises
    ------
    ValueError
        For an entry outside its range, or a table that falls at its end.

    Notes
    -----
    linear_s[tokens] + decode_base_s[B] + decode_per_ctx_token_s[B]·K + prefill_base_s
    + prefill_per_pair_s·Σ x(2c + x), with the symbols of `econ.serving.cost`.

    Examples
    --------
    >>> cost = StepCost(linear_s=[0.0, 0.010, 0.011], decode_per_ctx_token_s=1e-7)
    >>> cost.step_s(n_decode=2, context_tokens=10_000)
    0.012
    """

    linear_s: Any
    decode_base_s: Any = 0.0
    decode_per_ctx_token_s: Any = 0.0
    prefill_base_s: float = 0.0
    prefill_per_pair_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("linear_s", "decode_base_s", "decode_per_ctx_token_s"):
            value = np.array(getattr(self, name), dtype="float64")
            table = np.full(2, value) if value.ndim == 0 else value
            if table.ndim != 1 or len(table) < 2:
                raise ValueError(f"{name}: give a number or a table of 2 entries or more")
            low = -MAX_STEP_S if name == "decode_base_s" else 0.0
            bad = ~np.isfinite(table) | (table < low) | (table > MAX_STEP_S)
            if bad.any():
                i = int(np.argmax(bad))
                in_range(f"{name}[{i}]", float(table[i]), low, MAX_STEP_S)
            if table[-1] < table[-2]:
                raise ValueError(f"{name}: falls at its end, so it cannot be carried further")
            table.flags.writeable = False
            object.__setattr__(self, name, table)
        n = max(len(self.linear_s), len(self.decode_base_s))
        least = _least_after(_longer(self.linear_s, n))[: len(self.decode_base_s)]
        if (bad := self.decode_base_s[1:] + least[1:] < 0).any():
            i = int(np.argmax(bad)) + 1
            in_range(f"decode_base_s[{i}]", float(self.decode_base_s[i]), -float(least[i]))
        not_negative("prefill_base_s", self.prefill_base_s, MAX_STEP_S)
        not_negative("prefill_per_pair_s", self.prefill_per_pair_s, MAX_STEP_S)

    @classmethod
    def affine(
        cls,
        base_s: float = 0.0,
        per_token_s: float = 0.0,
        per_sequence_s: float = 0.0,
        per_ctx_token_s: float = 0.0,
        prefill_base_s: float = 0.0,
        prefill_per_pair_s: float = 0.0,
    ) -> StepCost:
        """A cost that is a straight line in everything.

        base_s + per_token_s·tokens + per_sequence_s·B + per_ctx_token_s·K, and with a prefill
        prefill_base_s + prefill_per_pair_s·Σ x(2c + x).

        >>> StepCost.affine(0.004, 1e-5).step_s(n_decode=100)
        0.005
        """
        return cls(
            linear_s=[base_s, base_s + per_token_s],
            decode_base_s=[0.0, per_sequence_s],
            decode_per_ctx_token_s=per_ctx_token_s,
            prefill_base_s=prefill_base_s,
            prefill_per_pair_s=prefill_per_pair_s,
        )

    @classmethod
    def fit(cls, frame: pd.DataFrame) -> StepCost:
        """The affine cost nearest to measured steps.

        Parameters
        ----------
        frame : DataFrame
            One row a step: step_s, prefill_tokens, n_decode, context_tokens (summed over the
            sequences decoded), prefill_pairs (Σ x(2c + x)).

        Notes
        -----
        Least squares of the relative errors, with no term below 0 (Lawson and Hanson, 1974).

        Examples
        --------
        >>> true = StepCost.affine(4e-3, 2e-5, per_ctx_token_s=3e-8)
        >>> rows = [(0, 8, 8000, 0), (0, 64, 90000, 0), (512, 0, 0, 512**2), (100, 9, 5000, 1e4)]
        >>> steps = pd.DataFrame(rows, columns=FIT_COLUMNS[1:])
        >>> steps["step_s"] = [true.step_s(r[1], r[2], [(0, r[0])] if r[0] else []) for r in rows]
        >>> round(StepCost.fit(steps).step_s(n_decode=32, context_tokens=40000), 5)
        0.00584
        """
        from scipy.optimize import nnls

        missing = [c for c in FIT_COLUMNS if c not in frame.columns]
        if missing:
            raise ValueError(f"no column {', '.join(missing)}; it has {list(frame.columns)}")
        columns = {name: frame[name].to_numpy("float64") for name in FIT_COLUMNS}
        bad = columns["step_s"] <= 0
        for values in columns.values():
            bad |= ~np.isfinite(values) | (values < 0)
        if bad.any() or not len(frame):
            raise ValueError(
                f"row {int(np.argmax(bad)) + 1 if len(frame) else 0}: a step needs finite numbers, "
                "0 or above, and a duration above 0"
            )
        chunk = columns["prefill_tokens"]
        terms = np.column_stack(
            [
                np.ones(len(frame)),
                chunk + columns["n_decode"],
                columns["n_decode"],
                columns["context_tokens"],
                chunk > 0,
                columns["prefill_pairs"],
            ]
        )
        terms = terms / columns["step_s"][:, None]
        scale = np.where(terms.max(axis=0) > 0, terms.max(axis=0), 1.0)
        weights, _ = nnls(terms / scale, np.ones(len(frame)))
        return cls.affine(*(weights / scale).tolist())

    def step_s(
        self,
        n_decode: int = 0,
        context_tokens: int = 0,
        chunk_tokens: Sequence[tuple[int, int]] = (),
    ) -> float:
        """The duration of one step in seconds.

        Parameters
        ----------
        n_decode : int
            Sequences that decode, e.g. 64.
        context_tokens : int
            Tokens of context, summed over those sequences, e.g. 64_000.
        chunk_tokens : sequence of (int, int)
            For each prompt read in this step: tokens before the chunk, and tokens of the chunk.
        """
        tokens = n_decode + sum(x for _, x in chunk_tokens)
        pairs = sum(x * (2 * c + x) for c, x in chunk_tokens)
        cost = self.integer(max(tokens, 1), max(n_decode, 1))
        return cost.of(tokens, n_decode, context_tokens, bool(chunk_tokens), int(pairs)) / PS_PER_S

    def linear_steps_s(self, n: int) -> NDArray[np.float64]:
        """``linear_s`` from 1 to n tokens, past the table's end too."""
        return _longer(self.linear_s, n + 1)[1 : n + 1]

    def decode_steps_s(self, n: int, context_tokens: float) -> NDArray[np.float64]:
        """Steps that decode 1 to n sequences of that context each and read no prompt.

        >>> StepCost.affine(4e-3, 1e-3, per_ctx_token_s=1e-6).decode_steps_s(2, 1000.0).tolist()
        [0.006, 0.008]
        """
        batch = np.arange(1, n + 1)
        base_s, per_token_s = (
            _longer(table, n + 1)[1 : n + 1]
            for table in (self.decode_base_s, self.decode_per_ctx_token_s)
        )
        steps_s: NDArray[np.float64] = base_s + per_token_s * batch * context_tokens
        return self.linear_steps_s(n) + steps_s

    def times(self, slowdown: float) -> StepCost:
        """The same cost with every step ``slowdown`` times as long.

        >>> StepCost.affine(4e-3, 1e-5).times(1.5).step_s(n_decode=100)
        0.0075
        """
        positive("slowdown", slowdown, MAX_STEP_S)
        return StepCost(
            **{f.name: getattr(self, f.name) * slowdown for f in dataclasses.fields(self)}
        )

    def integer(self, tokens: int, batch: int) -> IntegerCost:
        """The same in picoseconds, with tables up to ``tokens`` and ``batch``."""
        for name, n in (("tokens", tokens), ("batch", batch)):
            in_range(name, n, 0, MOST_STEP_TOKENS)
        linear = _ps(self.linear_s, max(tokens, batch) + 1)
        decode_base = _ps(self.decode_base_s, batch + 1)
        # rounding must not push a step below 0
        floor = _least_after(linear)[: len(decode_base)]
        return IntegerCost(
            linear,
            np.maximum(decode_base, -np.resize(floor, len(decode_base))),
            _ps(self.decode_per_ctx_token_s, batch + 1),
            round(self.prefill_base_s * PS_PER_S),
            round(self.prefill_per_pair_s * PS_PER_S),
            int(linear[-1] - linear[-2]),
        )


def _least_after(table: NDArray[Any]) -> NDArray[Any]:
    """The least entry from each position on; a step of B sequences has B tokens or more."""
    least: NDArray[Any] = np.minimum.accumulate(table[::-1])[::-1]
    return least


def _longer(table_s: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """The table with at least ``n`` entries, carried on with its last slope."""
    more = np.arange(1, n - len(table_s) + 1) * (table_s[-1] - table_s[-2])
    return np.concatenate([table_s, table_s[-1] + more])


def _ps(table_s: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """The table in whole picoseconds with at least ``n`` entries, at least 2."""
    return np.rint(_longer(table_s, max(n, 2)) * PS_PER_S).astype("int64")
