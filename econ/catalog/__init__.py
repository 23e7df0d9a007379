"""What is known: units, sources, checked tables and the catalogue. Knows no model formula."""

from econ.catalog.architecture import Model
from econ.catalog.catalog import (
    Accelerator,
    Site,
    accelerator,
    accelerators_frame,
    classroom,
    model,
    models_frame,
    site,
    sites_frame,
)
from econ.catalog.columns import Column, column
from econ.catalog.engines import Engine, engine
from econ.catalog.guard import UnknownName
from econ.catalog.prices import Price, price, prices_frame, prices_now_frame
from econ.catalog.ranges import Range, given
from econ.catalog.reading import BadTable
from econ.catalog.rents import rent
from econ.catalog.sources import Citation, cite, sources_frame
from econ.catalog.tables import table, table_names

__all__ = [
    "Accelerator",
    "BadTable",
    "Citation",
    "Column",
    "Engine",
    "Model",
    "Price",
    "Range",
    "Site",
    "UnknownName",
    "accelerator",
    "accelerators_frame",
    "cite",
    "classroom",
    "column",
    "engine",
    "given",
    "model",
    "models_frame",
    "price",
    "prices_frame",
    "prices_now_frame",
    "rent",
    "site",
    "sites_frame",
    "sources_frame",
    "table",
    "table_names",
]
