"""Charts, panels and exercise checks; no module here computes a number of its own."""

from econ.views import exercises  # noqa: F401  (registers them)
from econ.views.charts import bars, finish, lines, points
from econ.views.check import check, predict
from econ.views.numbers import table_of
from econ.views.panels import Panel, choice, slider, switch
from econ.views.progress import progress
from econ.views.render import setup
from econ.views.shapes import areas, describe, gaps, heat, parity, waterfall
from econ.views.tables import Pieces, Say, Table, three

__all__ = [
    "Panel",
    "Pieces",
    "Say",
    "Table",
    "areas",
    "bars",
    "check",
    "choice",
    "describe",
    "finish",
    "gaps",
    "heat",
    "lines",
    "parity",
    "points",
    "predict",
    "progress",
    "setup",
    "slider",
    "switch",
    "table_of",
    "three",
    "waterfall",
]
