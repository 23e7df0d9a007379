"""Regions of clouds and places as people call them, and the site whose electricity each has.

>>> site_of("eu-central-1"), site_of("europe-west3"), site_of("US-WEST-2")
('germany', 'germany', 'us-oregon')
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from econ.catalog.guard import unknown
from econ.catalog.tables import remember, table

ANYWHERE = (
    "A region is that of machines: lists do not say where a seller of tokens computes, so ask."
)
CONTINENTS = (("eu", "europe"), ("ap", "asia"), ("us",), ("sa", "southamerica"))


@remember
def sites_by(what: str) -> dict[str, str]:
    """Region of a cloud, or place as people call it -> site, of ``data/catalog/aliases.csv``."""
    rows = table("aliases").query("what == @what")
    return dict(zip(rows["alias"], rows["stands_for"], strict=True))


def site_of(region: str) -> str:
    """The site of a region of a cloud or of a place as people call it, or the site itself.

    Raises
    ------
    UnknownName
        With the nearest on the same continent.
    """
    name = region.strip().lower()
    dashed = name.replace(" ", "-")
    for known_as in (name, dashed, f"us-{dashed}"):
        if known_as in table("sites").index:
            return known_as
    if site := sites_by("region").get(name) or place_named(region):
        return site
    near = _near(name, [*table("sites").index, *sites_by("region")])
    raise unknown("region", region, near or table("sites").index)


def rents_at(region: str) -> tuple[str, str]:
    """The region whose rents count, and what to say where none are listed there.

    Parameters
    ----------
    region : str
        A region of a cloud, a site of the catalogue, or empty for all.

    Examples
    --------
    >>> rents_at("us-east-1")
    ('us-east-1', '')
    >>> print(rents_at("eu-central-1")[1])
    No rents are listed for eu-central-1: every region counts. Nearest lists: EU, europe-west4
    """
    listed = sorted(set(table("rent_offers")["region"]) - {""})
    if not region or region in listed:
        return region, ""
    site = site_of(region)
    place = next((name for name, at in sites_by("region").items() if at == site), region)
    near = ", ".join(_near(place, listed) or listed)
    return "", (f"No rents are listed for {region}: every region counts. Nearest lists: {near}")


def place_named(typed: str) -> str:
    """The site of a place as people call it; empty where nobody here knows it.

    >>> place_named("Frankfurt am Main"), place_named("São Paulo"), place_named("Österreich")
    ('germany', 'brazil', '')
    """
    letters = unicodedata.normalize("NFKD", typed.casefold().strip().replace("ø", "o"))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return sites_by("place").get(" ".join(plain.replace("-", " ").split()), "")


def _near(name: str, known: Sequence[str]) -> list[str]:
    """Regions on the same continent, as far as names say it."""
    start = name.lower().split("-")[0]
    alike = next((names for names in CONTINENTS if start in names), (start,))
    return [one for one in known if one.lower().split("-")[0] in alike]
