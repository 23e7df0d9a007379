"""What accelerators rent for: the one reader of ``data/catalog/rentals.csv``.

>>> rent("H100")
3.85
>>> rents()["h100-sxm"]
3.85
"""

from __future__ import annotations

import pandas as pd

from econ.catalog.guard import unknown
from econ.catalog.names import identifier
from econ.catalog.tables import remember, table


@remember
def rent_rows(accelerator: str, term: str = "on-demand") -> pd.DataFrame:
    """The dated rents of an accelerator on one term, oldest first."""
    rows = table("rentals")
    rented = pd.DataFrame(index=pd.Index(rows["accelerator"].unique()))
    id = identifier("rented accelerator", accelerator, rented)
    of_accelerator = rows[rows["accelerator"] == id]
    if term not in set(of_accelerator["term"]):
        raise unknown(f"term of {accelerator}", term, of_accelerator["term"].unique())
    return of_accelerator[of_accelerator["term"] == term].sort_values("as_of", kind="stable")


def rent(accelerator: str, term: str = "on-demand") -> float:
    """The latest list rent of an accelerator, in USD per GPU-hour.

    Parameters
    ----------
    accelerator : str
        E.g. ``"h100-sxm"`` or ``"H100"``.
    term : str
        on-demand, spot, reserved (a year or so), reserved-3y or hyperscaler.

    Returns
    -------
    float
        E.g. 3.85 for an H100 by the hour.

    Raises
    ------
    UnknownName
        For an accelerator that nobody in the table rents out, or a term it is not rented on.
    """
    return float(rent_rows(accelerator, term)["usd_per_gpu_hour"].iloc[-1])


def rents(term: str = "on-demand") -> dict[str, float]:
    """The latest rent of every accelerator that has one on this term, in USD per GPU-hour."""
    rows = table("rentals")
    if term not in set(rows["term"]):
        raise unknown("rental term", term, rows["term"].unique())
    rows = rows[rows["term"] == term].sort_values("as_of", kind="stable")
    latest = rows.groupby("accelerator")["usd_per_gpu_hour"].last()
    return {str(name): float(rent) for name, rent in latest.items()}
