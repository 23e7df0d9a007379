"""How far a prediction lies from what was measured, and the band that distance earns.

``calibrated``: model and accelerator were both measured. ``new accelerator``, ``new model``,
``new both``: one or both were not. ``crowded``: measured, but with so many users of one replica
that batch limits which nobody recorded may bind. ``beyond``: pipelines, AMD accelerators, a crowd
on something new, a thousand users: no open measurements to speak of, physics alone carries.
"""

from __future__ import annotations

import functools

import numpy as np

from econ.catalog.tables import table

REGIMES = ("calibrated", "new accelerator", "new model", "new both", "crowded", "beyond")
CROWD, MANY_USERS = 256, 1000


@functools.cache
def measured_names() -> tuple[frozenset[str], frozenset[str]]:
    """The models and the accelerators of the measured runs."""
    rows = table("measured_serving")
    return frozenset(rows["model"]), frozenset(rows["accelerator"])


def novelty(model_id: str, accelerator_id: str) -> int:
    """Position in `REGIMES`, from the names alone.

    >>> REGIMES[novelty("llama-3.1-70b", "h100-sxm")], REGIMES[novelty("falcon-180b", "l40s")]
    ('calibrated', 'new both')
    """
    models, chips = measured_names()
    return (accelerator_id not in chips) + 2 * (model_id not in models)


def regime_code(model, chip) -> np.ndarray:
    """The same for the looked-up columns of a frame, as an array."""
    known_models, known_chips = measured_names()
    new_model = np.array([m is None or m.id not in known_models for m in model.items])
    new_chip = np.array([a is None or a.id not in known_chips for a in chip.items])
    return (new_chip[chip.code] + 2 * new_model[model.code]).astype("int8")


def place(c, new):
    """Position in `REGIMES` of a case (or of many), given its novelty."""
    crowded = (c.concurrency >= CROWD) * (REGIMES.index("crowded") + (new > 0))
    alone = (c.pp > 1) | (c.is_mesh > 0) | (c.concurrency >= MANY_USERS)
    return np.maximum(np.maximum(new, crowded), alone * REGIMES.index("beyond"))
