"""What is known: accelerators, models, sites, prices, sources; every row with its origin and date.

`accelerator`, `model`, `site`, `price`, `rent` and `engine` give one thing by name, the ``_frame``
functions all of them. `quality` says how good a model is, `models_above` which reach a floor,
`offers_frame` what sellers ask for them. `given` reads a row of low, typical and high; `table` any
checked table; `column` says what a column is called, in which unit, and what it means; `cite`
names a source.

>>> accelerator("H100").memory_bytes / 1e9, rent("H100")
(80.0, 3.99)
"""

from econ.catalog.architecture import Model
from econ.catalog.audit import audit_frame, stale_frame
from econ.catalog.catalog import (
    Accelerator,
    Site,
    accelerator,
    accelerators_frame,
    classroom,
    model,
    models_frame,
    site,
)
from econ.catalog.columns import Column, column
from econ.catalog.engines import Engine, engine
from econ.catalog.guard import UnknownName
from econ.catalog.offers import offers_frame
from econ.catalog.precision import bytes_per_element
from econ.catalog.prices import Price, Rates, price, price_now, prices_frame, prices_now_frame
from econ.catalog.ranges import Range, given
from econ.catalog.reading import BadTable
from econ.catalog.rents import rent, rent_offers_frame
from econ.catalog.scores import (
    Quality,
    models_above,
    precision_loss,
    quality,
    quality_frame,
    vendor_gap_frame,
)
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
    "Quality",
    "Range",
    "Rates",
    "Site",
    "UnknownName",
    "accelerator",
    "accelerators_frame",
    "audit_frame",
    "bytes_per_element",
    "cite",
    "classroom",
    "column",
    "engine",
    "given",
    "model",
    "models_above",
    "models_frame",
    "offers_frame",
    "precision_loss",
    "price",
    "price_now",
    "prices_frame",
    "prices_now_frame",
    "quality",
    "quality_frame",
    "rent",
    "rent_offers_frame",
    "site",
    "sources_frame",
    "stale_frame",
    "table",
    "table_names",
    "vendor_gap_frame",
]
