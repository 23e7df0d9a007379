"""The bibliography: every row of ``data/`` names a key of ``data/sources.csv``.

>>> cite("epoch-hardware").text.startswith("Epoch AI")
True
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from econ.catalog.tables import row_of, table


@dataclass(frozen=True)
class Citation:
    """A source as a reader sees it; Markdown in a notebook, plain text elsewhere."""

    key: str
    text: str
    url: str
    licence: str
    accessed: str

    def __str__(self) -> str:
        return f"{self.text} {self.url}".strip()

    def _repr_markdown_(self) -> str:
        return f"[{self.text}]({self.url})" if self.url else self.text


def cite(key: str) -> Citation:
    """The source behind a key.

    Parameters
    ----------
    key : str
        As the column ``source`` of a table gives it, e.g. ``"epoch-hardware"``.

    Returns
    -------
    Citation
        Text, address, licence and the day it was read.

    Raises
    ------
    UnknownName
        For an unknown key, with the nearest.
    """
    row = row_of("sources", key, "source")
    return Citation(key, row.text, row.url, row.licence, row.accessed)


def sources_frame() -> pd.DataFrame:
    """All sources, one row each."""
    return table("sources")
