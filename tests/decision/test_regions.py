"""Regions of clouds as sites of the catalogue."""

import pytest

from econ.catalog.guard import UnknownName
from econ.decision.regions import site_of


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("eu-central-1", "germany"), ("eu-west-1", "ireland"), ("us-west-2", "us-oregon"),
     ("europe-west3", "germany"), ("EU-Central-1 ", "germany"), ("france", "france"),
     ("Frankfurt", "germany"), ("Zürich", "switzerland"),
     ("España", "spain"), ("USA", "united-states"),
     ("South Korea", "south-korea"), ("Virginia", "us-virginia")],
)  # fmt: skip
def test_a_region_as_typed(typed, expected):
    assert site_of(typed) == expected


@pytest.mark.parametrize(("typed", "start"), [("eu-west-9", "eu"), ("ap-east-7", ("ap", "asia"))])
def test_the_nearest_is_on_the_same_continent(typed, start):
    with pytest.raises(UnknownName) as error:
        site_of(typed)
    near = str(error.value).split("nearest: ")[1].strip("'\"").split(", ")
    assert all(name.startswith(start) for name in near)


def test_a_region_with_rents_brings_its_electricity():
    from econ.decision.typed import placed
    from econ.scenario import Scenario

    assert placed(Scenario.default(), "sa-east-1").resolved_site.id == "brazil"
