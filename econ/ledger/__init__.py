"""Published figures and claims, recomputed: *ours · published · gap · source*.

* `ledger_frame`, `recomputed`, `counts_frame`, `summary`: the published figures in three classes:
  reproduced, inside a band, we disagree
* `claim`, `claims_frame`, `sheet_frame`: claims with a verdict: right, wrong, or the answer to
  another question; `ceiling_frame`, `power_frame`: limits to hold one against
* `simulated_runs_frame`: measured serving runs beside the simulator's
* `econ.ledger.recompute`: the formulas in those rows
"""

from econ.ledger.claims import (
    Claim,
    ceiling_frame,
    ceiling_tokens_per_s,
    claim,
    claims_frame,
    power_frame,
    power_grid_frame,
    power_usd,
    sheet_frame,
)
from econ.ledger.ledger import (
    counts_frame,
    disagreements_frame,
    ledger_frame,
    main,
    misses_frame,
    recomputed,
    show,
    summary,
)
from econ.ledger.serving_runs import simulated_runs_frame

__all__ = [
    "Claim",
    "ceiling_frame",
    "ceiling_tokens_per_s",
    "claim",
    "claims_frame",
    "counts_frame",
    "disagreements_frame",
    "ledger_frame",
    "main",
    "misses_frame",
    "power_frame",
    "power_grid_frame",
    "power_usd",
    "recomputed",
    "sheet_frame",
    "show",
    "simulated_runs_frame",
    "summary",
]
