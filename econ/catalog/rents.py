"""What accelerators rent for: medians over lists (``rentals.csv``) and the lists of single
providers, by region and date (``rent_offers.csv``).

>>> rent("H100"), rents()["h100-sxm"]
(3.99, 3.99)
>>> rent("H100", provider="Crusoe"), rent("H100", provider="AWS", region="us-east-1")
(3.9, 6.88)
>>> rent("Vera Rubin")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: no rent of vr200-nvl72: No rent is published: ...
"""

from __future__ import annotations

import pandas as pd

from econ.catalog.guard import UnknownName, one_of, unknown
from econ.catalog.names import identifier
from econ.catalog.tables import remember, table


@remember
def rent_rows(accelerator: str, term: str = "on-demand") -> pd.DataFrame:
    """The dated rents of an accelerator on one term, oldest first."""
    rows = table("rentals")
    of_accelerator = rows[rows["accelerator"] == _rented(accelerator, rows)]
    one_of(f"term of {accelerator}", term, of_accelerator["term"].unique())
    return of_accelerator[of_accelerator["term"] == term].sort_values("as_of", kind="stable")


def _rented(accelerator: str, rows: pd.DataFrame) -> str:
    """The identifier of a rented accelerator; the reason where the catalogue's has no rent."""
    rented = pd.DataFrame(index=pd.Index(rows["accelerator"].unique()))
    try:
        return identifier("rented accelerator", accelerator, rented)
    except UnknownName as error:
        known = table("accelerators")
        try:
            id = identifier("accelerator", accelerator, known)
        except UnknownName:
            raise error from None
        why = known.loc[id, "why_no_rent"] or "no row of the table rentals names it"
        raise UnknownName(f"no rent of {id}: {why}") from None


def rent(
    accelerator: str, term: str = "on-demand", *, provider: str = "", region: str = ""
) -> float:
    """The latest list rent of an accelerator, in USD per GPU-hour.

    Parameters
    ----------
    accelerator : str
        E.g. ``"h100-sxm"`` or ``"H100"``.
    term : str
        on-demand (the median of specialised clouds), spot, reserved (a year or so), reserved-3y,
        hyperscaler or marketplace (on-demand there); with a provider, its own term: on-demand,
        spot, reserved, reserved-1y or reserved-3y.
    provider : str, optional
        Whose list, e.g. ``"AWS"``; by default the market's median.
    region : str, optional
        The provider's region, e.g. ``"us-east-1"``; needed where its prices differ.

    Returns
    -------
    float
        E.g. 3.99 for an H100 by the hour.

    Raises
    ------
    UnknownName
        For an accelerator that nobody in the table rents out, with the reason where one is known;
        for a term, a provider or a region that it is not rented on, by or in.
    ValueError
        For a provider of several prices, with all of them; for a region without a provider.

    Examples
    --------
    >>> rent("L40S"), rent("L40S", "hyperscaler"), rent("MI300X", "spot", provider="Azure",
    ...     region="francecentral")
    (1.57, 2.68, 1.525)
    """
    if not provider:
        if region:
            raise ValueError(f"region = {region!r} needs the provider that it belongs to")
        return float(rent_rows(accelerator, term)["usd_per_gpu_hour"].iloc[-1])
    rows = rent_offers_frame(accelerator, term=term, provider=provider, region=region)
    rows = rows[rows["as_of"] == rows["as_of"].max()]
    if len(rows["usd_per_gpu_hour"].unique()) > 1:
        listed = "; ".join(
            f"{row.usd_per_gpu_hour:g} in {row.region or 'all regions'} {row.note}".strip()
            for row in rows.itertuples()
        )
        raise ValueError(f"{provider} lists several {term} prices of {accelerator}: {listed}")
    return float(rows["usd_per_gpu_hour"].iloc[0])


def rent_offers_frame(
    accelerator: str | None = None,
    *,
    term: str | None = None,
    provider: str | None = None,
    region: str | None = None,
) -> pd.DataFrame:
    """What single providers list for an accelerator-hour, oldest first.

    Parameters
    ----------
    accelerator, term, provider, region : str, optional
        Only these, e.g. ``"H100"``, ``"spot"``, ``"AWS"``, ``"us-east-1"``.

    Returns
    -------
    DataFrame
        ``accelerator, provider, market, region, term, usd_per_gpu_hour, source, as_of, …``; market
        is neocloud, hyperscaler or marketplace.

    Raises
    ------
    UnknownName
        For a name under which no offer is left, with the nearest.

    Examples
    --------
    >>> rent_offers_frame("H200", term="spot")["provider"].tolist()
    ['Spheron', 'CoreWeave', 'GCP']
    """
    rows = table("rent_offers")
    if accelerator is not None:
        rows = rows[rows["accelerator"] == _rented(accelerator, rows)]
    for column, name in {"term": term, "provider": provider, "region": region}.items():
        if name:
            if name not in set(rows[column]):
                whose = f" of {accelerator}" if accelerator else ""
                raise unknown(f"{column}{whose}", name, rows[column].unique())
            rows = rows[rows[column] == name]
    return rows.sort_values("as_of", kind="stable", ignore_index=True)


def rents(term: str = "on-demand") -> dict[str, float]:
    """The latest rent of every accelerator that has one on this term, in USD per GPU-hour."""
    rows = table("rentals")
    one_of("rental term", term, rows["term"].unique())
    rows = rows[rows["term"] == term].sort_values("as_of", kind="stable")
    latest = rows.groupby("accelerator")["usd_per_gpu_hour"].last()
    return {str(name): float(rent) for name, rent in latest.items()}
