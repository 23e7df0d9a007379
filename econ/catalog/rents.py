"""What accelerators rent for: the one reader of ``data/rentals.csv``.

>>> rent_usd_per_gpu_hour("h100-sxm")
3.85
>>> rents()["h100-sxm"]
3.85
"""

from __future__ import annotations

import pandas as pd

from econ.catalog.guard import unknown
from econ.catalog.tables import table


def rent_rows(accelerator: str, term: str = "on-demand") -> pd.DataFrame:
    """The dated rents of an accelerator on one term, oldest first."""
    rows = table("rentals")
    of_chip = rows[rows["accelerator"] == accelerator]
    if of_chip.empty:
        raise unknown("rented accelerator", accelerator, rows["accelerator"].unique())
    if term not in set(of_chip["term"]):
        raise unknown(f"term of {accelerator}", term, of_chip["term"].unique())
    return of_chip[of_chip["term"] == term].sort_values("as_of", kind="stable")


def rent_usd_per_gpu_hour(accelerator: str, term: str = "on-demand") -> float:
    """The latest rent of an accelerator on one term, in USD per GPU-hour."""
    return float(rent_rows(accelerator, term)["usd_per_gpu_hour"].iloc[-1])


def rents(term: str = "on-demand") -> dict[str, float]:
    """The latest rent of every accelerator that has one on this term, in USD per GPU-hour."""
    rows = table("rentals")
    if term not in set(rows["term"]):
        raise unknown("rental term", term, rows["term"].unique())
    rows = rows[rows["term"] == term].sort_values("as_of", kind="stable")
    latest = rows.groupby("accelerator")["usd_per_gpu_hour"].last()
    return {str(name): float(rent) for name, rent in latest.items()}
