"""What one batch took: its times, its gaps, its joules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from econ.station import Result


@dataclass(frozen=True, kw_only=True)
class Run(Result):
    """What a batch took. ``energy_j`` is NaN where the system shows no counters."""

    model: str
    engine: str
    precision: str
    batch: int
    prompt_tokens: int
    output_tokens: int
    ttft_s: float
    tpot_s: float
    p50_itl_s: float
    p95_itl_s: float
    output_tokens_per_s: float
    energy_j: float
    itl_s: tuple[float, ...] = field(repr=False)

    @property
    def tokens_per_s_per_user(self) -> float:
        """Speed that one user sees after the first token."""
        return 1 / self.tpot_s

    @property
    def j_per_output_token(self) -> float:
        """Joules of the processor over all tokens written; NaN without counters."""
        return self.energy_j / (self.batch * self.output_tokens)


def timed_run(moments_s: Sequence[float], energy_j: float, **what: Any) -> Run:
    """A `Run` from the moments of its start and of every token; ``what`` are its other fields."""
    gaps_s = np.diff(moments_s)
    itl_s = gaps_s[1:]
    return Run(
        ttft_s=float(gaps_s[0]),
        tpot_s=float(itl_s.mean()),
        p50_itl_s=float(np.median(itl_s)),
        p95_itl_s=float(np.percentile(itl_s, 95)),
        output_tokens_per_s=what["batch"]
        * what["output_tokens"]
        / float(moments_s[-1] - moments_s[0]),
        energy_j=energy_j,
        itl_s=tuple(itl_s.tolist()),
        **what,
    )
