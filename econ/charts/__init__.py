"""Charts, tables and live panels; no module here computes a number of its own.

`figure` draws one table so that it shows one finding: titles, units and words come from the columns
(``data/columns.csv``) and the numbers. `panel` adds controls. Everything is drawn offline, has a
description in words, and its numbers as a table beneath it.
"""

from econ.charts.grammar import figure, finish, overlay
from econ.charts.panels import Panel, choice, panel, slider, switch
from econ.charts.plot import Drawing
from econ.charts.render import setup
from econ.charts.tables import Folded, Linked, Pieces, Say, Table, evidence, table_of, three

__all__ = [
    "Drawing",
    "Folded",
    "Linked",
    "Panel",
    "Pieces",
    "Say",
    "Table",
    "choice",
    "evidence",
    "figure",
    "finish",
    "overlay",
    "panel",
    "setup",
    "slider",
    "switch",
    "table_of",
    "three",
]
