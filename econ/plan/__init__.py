"""Plan: which deployment serves a load within its SLO at the lowest cost."""
