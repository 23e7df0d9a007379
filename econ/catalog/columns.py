"""The dictionary of quantities: what each column is called, its unit, its format and its meaning.

Titles of axes, formats of tables, words of descriptions and the data package come from
``data/columns.csv``, where a quantity is one row.

>>> column("ttft_s").label
'Time to first token (s)'
>>> column("utilisation_frac").text(0.83), column("cost_usd_per_mtok").text(0.4567)
('83%', '0.457 USD/Mtok')
>>> column("ttft_seconds")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown column 'ttft_seconds'; nearest: ...
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from econ.catalog.guard import one_of
from econ.catalog.tables import remember, table

UNWRITTEN = ("", "1", "share", "as the row states", "year")  # units that a label leaves out


@dataclass(frozen=True)
class Column:
    """One quantity: its title, unit, format and meaning.

    ``digits`` is a format that Python and d3 (so Vega-Lite) both read, e.g. ``".3g"``, ``",.0f"``
    or ``".0%"``; empty for text.
    """

    name: str
    title: str
    unit: str
    digits: str
    meaning: str

    @property
    def label(self) -> str:
        """Title with the unit, for an axis or the head of a table."""
        return self.title if self.unit in UNWRITTEN else f"{self.title} ({self.unit})"

    @property
    def is_number(self) -> bool:
        """Whether the column holds numbers."""
        return bool(self.digits)

    def text(self, value: object) -> str:
        """A value in the column's format, with its unit."""
        if not self.is_number or not isinstance(value, int | float | np.number):
            return str(value)
        number = format(value, self.digits)
        return number if self.unit in UNWRITTEN else f"{number} {self.unit}"


@remember
def columns() -> dict[str, Column]:
    """Every quantity by name."""
    rows = table("columns")
    return {row.name: Column(*row) for row in rows.itertuples(index=False)}


def column(name: str) -> Column:
    """What is known of a column.

    Parameters
    ----------
    name : str
        The column's name, which carries its unit, e.g. ``"tpot_s"``.

    Returns
    -------
    Column
        Title, unit, format and meaning.

    Raises
    ------
    UnknownName
        For a name that ``data/columns.csv`` does not hold, with the nearest. A row there makes it
        known.
    """
    known = columns()
    one_of("column", name, known)
    return known[name]
