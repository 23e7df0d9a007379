"""What is known: units, sources, checked tables and the catalogue. Knows no model formula."""

from econ.facts.architecture import Model
from econ.facts.catalog import (
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
from econ.facts.guard import UnknownName
from econ.facts.prices_now import prices_now_frame
from econ.facts.sources import Citation, cite, sources_frame
from econ.facts.tables import BadTable, table, table_names

__all__ = [
    "Accelerator",
    "BadTable",
    "Citation",
    "Model",
    "Price",
    "Site",
    "UnknownName",
    "accelerator",
    "accelerators_frame",
    "cite",
    "model",
    "models_frame",
    "price",
    "prices_frame",
    "prices_now_frame",
    "site",
    "sites_frame",
    "sources_frame",
    "table",
    "table_names",
]
