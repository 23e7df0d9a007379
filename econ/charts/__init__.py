"""Charts, tables and live panels; no module here computes a number of its own."""

from econ.charts.grammar import bars, figure, finish, lines, overlay, points
from econ.charts.numbers import table_of
from econ.charts.panels import Panel, choice, panel, slider, switch
from econ.charts.render import setup
from econ.charts.shapes import areas, describe, gaps, heat, parity, waterfall
from econ.charts.tables import Pieces, Say, Table, three

__all__ = [
    "Panel",
    "Pieces",
    "Say",
    "Table",
    "areas",
    "bars",
    "choice",
    "describe",
    "figure",
    "finish",
    "gaps",
    "heat",
    "lines",
    "overlay",
    "panel",
    "parity",
    "points",
    "setup",
    "slider",
    "switch",
    "table_of",
    "three",
    "waterfall",
]
