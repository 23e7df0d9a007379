"""What is known: units, sources, checked tables and the catalogue. Knows no model formula."""

from econ.catalog.architecture import Model
from econ.catalog.catalog import (
    Accelerator,
    Price,
    Site,
    accelerator,
    accelerators_frame,
    model,
    models_frame,
    price,
    prices_frame,
    site,
    sites_frame,
)
from econ.catalog.columns import Column, column
from econ.catalog.guard import UnknownName
from econ.catalog.prices_now import prices_now_frame
from econ.catalog.rents import rent
from econ.catalog.sources import Citation, cite, sources_frame
from econ.catalog.tables import BadTable, table, table_names

__all__ = [
    "Accelerator",
    "BadTable",
    "Citation",
    "Column",
    "Model",
    "Price",
    "Site",
    "UnknownName",
    "accelerator",
    "accelerators_frame",
    "cite",
    "column",
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
