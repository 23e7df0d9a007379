"""Published figures and claims, recomputed: *ours · published · gap · source*.

* `ledger_frame`, `recomputed`, `counts_frame`, `summary`: ``data/published_figures.csv`` in three
  classes: reproduced, inside a band, we disagree
* `econ.ledger.recompute`: the formulas in those rows
"""

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

__all__ = [
    "counts_frame",
    "disagreements_frame",
    "ledger_frame",
    "main",
    "misses_frame",
    "recomputed",
    "show",
    "summary",
]
