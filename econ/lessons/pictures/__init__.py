"""Pictures that are true: drawn from the kit's own simulator and numbers.

Each answers a question. They move only when a reader plays them; where nothing can move, a still
stands with its words.

>>> picture("cache").question
"How large does one user's KV cache grow?"
"""

from __future__ import annotations

import functools
import importlib

from econ.catalog.guard import one_of
from econ.lessons.pictures.scene import Picture

PICTURES = {  # → the module that draws it, imported when the picture is asked for
    "request": "serving",
    "step": "model",
    "cache": "model",
    "batches": "serving",
    "stall": "serving",
    "pools": "serving",
    "split": "model",
    "merges": "model",
    "room": "money",
    "hour": "money",
    "laws": "money",
    "sessions": "sessions",
    "megawatt": "place",
    "frontier": "headlines",
    "factor": "headlines",
}


@functools.cache
def picture(id: str) -> Picture:
    """One of the pictures, shown as the last value of a cell.

    Parameters
    ----------
    id : str
        ``request``, ``step``, ``cache``, ``batches``, ``stall``, ``pools``, ``split``, ``merges``,
        ``room``, ``hour``, ``laws``, ``sessions``, ``megawatt``, ``frontier`` or ``factor``.

    Raises
    ------
    UnknownName
        For another name, with the nearest.
    """
    one_of("picture", id, PICTURES)
    module = importlib.import_module(f"{__name__}.{PICTURES[id]}")
    drawn: Picture = getattr(module, f"{id}_picture")()
    return drawn
