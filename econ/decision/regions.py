"""Regions as clouds name them, and the site of the catalogue whose electricity each has.

>>> site_of("eu-central-1"), site_of("europe-west3"), site_of("US-WEST-2")
('germany', 'germany', 'us-oregon')
"""

from __future__ import annotations

from collections.abc import Sequence

from econ.catalog.guard import unknown
from econ.catalog.tables import table
from econ.decision.place_names import place_named

# site -> regions that stand there, as AWS, Google Cloud and Azure publish their places
REGIONS = {
    "australia": "ap-southeast-2 ap-southeast-4 australia-southeast1 australia-southeast2 "
    "australiaeast australiasoutheast",
    "belgium": "europe-west1",
    "brazil": "sa-east-1 southamerica-east1 brazilsouth",
    "canada": "ca-central-1 ca-west-1 northamerica-northeast1 northamerica-northeast2 "
    "canadacentral canadaeast",
    "finland": "europe-north1",
    "france": "eu-west-3 europe-west9 francecentral",
    "germany": "eu-central-1 europe-west3 europe-west10 germanywestcentral",
    "india": "ap-south-1 ap-south-2 asia-south1 asia-south2 centralindia southindia",
    "indonesia": "ap-southeast-3 asia-southeast2",
    "ireland": "eu-west-1 northeurope",
    "italy": "eu-south-1 europe-west8 europe-west12 italynorth",
    "japan": "ap-northeast-1 ap-northeast-3 asia-northeast1 asia-northeast2 japaneast japanwest",
    "netherlands": "europe-west4 westeurope",
    "norway": "norwayeast",
    "poland": "europe-central2 polandcentral",
    "singapore": "ap-southeast-1 asia-southeast1 southeastasia",
    "south-africa": "af-south-1 africa-south1 southafricanorth",
    "south-korea": "ap-northeast-2 asia-northeast3 koreacentral",
    "spain": "eu-south-2 europe-southwest1 spaincentral",
    "sweden": "eu-north-1 europe-north2 swedencentral",
    "switzerland": "eu-central-2 europe-west6 switzerlandnorth",
    "taiwan": "asia-east1",
    "united-arab-emirates": "me-central-1 uaenorth",
    "united-kingdom": "eu-west-2 europe-west2 uksouth ukwest",
    "us-arizona": "westus3",
    "us-california": "us-west-1 us-west2 westus",
    "us-illinois": "northcentralus",
    "us-iowa": "us-central1 centralus",
    "us-nevada": "us-west4",
    "us-ohio": "us-east-2 us-east5",
    "us-oregon": "us-west-2 us-west1",
    "us-south-carolina": "us-east1",
    "us-texas": "us-south1 southcentralus",
    "us-utah": "us-west3",
    "us-virginia": "us-east-1 us-east4 eastus eastus2",
    "us-washington": "westus2",
    "us-wyoming": "westcentralus",
}
SITES = {region: site for site, regions in REGIONS.items() for region in regions.split()}
CONTINENTS = (("eu", "europe"), ("ap", "asia"), ("us",), ("sa", "southamerica"))


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
    if name in SITES:
        return SITES[name]
    if site := place_named(region):
        return site
    near = _near(name, [*table("sites").index, *SITES])
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
    place = REGIONS.get(site, region).split()[0]
    near = ", ".join(_near(place, listed) or listed)
    return "", (f"No rents are listed for {region}: every region counts. Nearest lists: {near}")


def _near(name: str, known: Sequence[str]) -> list[str]:
    """Regions on the same continent, as far as names say it."""
    start = name.lower().split("-")[0]
    alike = next((names for names in CONTINENTS if start in names), (start,))
    return [one for one in known if one.lower().split("-")[0] in alike]
