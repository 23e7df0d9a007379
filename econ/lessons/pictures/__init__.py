"""Pictures that are true: drawn from the kit's own simulator and numbers.

Each answers a question. They move only when a reader plays them; where nothing can move, a still
stands with its words.

>>> picture("cache").question
"How large does one user's KV cache grow?"
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from econ.catalog.guard import unknown
from econ.lessons.pictures import headlines, model, money, place, serving, sessions
from econ.lessons.pictures.scene import Picture

PICTURES: dict[str, Callable[[], Picture]] = {
    "request": serving.request_picture,
    "step": model.step_picture,
    "cache": model.cache_picture,
    "batches": serving.batches_picture,
    "stall": serving.stall_picture,
    "pools": serving.pools_picture,
    "split": model.split_picture,
    "merges": model.merges_picture,
    "room": money.room_picture,
    "hour": money.hour_picture,
    "laws": money.laws_picture,
    "sessions": sessions.sessions_picture,
    "megawatt": place.megawatt_picture,
    "frontier": headlines.frontier_picture,
    "factor": headlines.factor_picture,
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
    if id not in PICTURES:
        raise unknown("picture", id, PICTURES)
    return PICTURES[id]()
