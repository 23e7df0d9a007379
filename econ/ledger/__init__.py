"""Published figures, recomputed: *ours · published · gap · source*."""

from econ.ledger.ledger import ledger_frame, main, misses_frame, show

__all__ = ["ledger_frame", "main", "misses_frame", "show"]
