"""Lesson 07, energy: batch, phases, boundaries, reasoning, places, the price of power.

>>> frame = batch_frame("llama-3.1-8b", "h100-sxm", input_tokens=100, output_tokens=400,
...                     batches=(1, 8, 64))
>>> bool(frame["energy_j_per_token"].is_monotonic_decreasing)
True
"""

from econ.lessons.l07_energy.panels import (
    ladder_panel,
    place_panel,
    served,
    triangle_panel,
)
from econ.lessons.l07_energy.tables import (
    INPUTS,
    PREDICTED_ROWS,
    REASONING,
    batch_frame,
    embodied_frame,
    it_j_per_token,
    measured_batches_frame,
    megawatt_frame,
    phase_frame,
    places_frame,
    price_share_frame,
    reasoning_frame,
    request_boundary_frame,
)

__all__ = [
    "INPUTS",
    "PREDICTED_ROWS",
    "REASONING",
    "batch_frame",
    "embodied_frame",
    "it_j_per_token",
    "ladder_panel",
    "measured_batches_frame",
    "megawatt_frame",
    "phase_frame",
    "place_panel",
    "places_frame",
    "price_share_frame",
    "reasoning_frame",
    "request_boundary_frame",
    "served",
    "triangle_panel",
]
